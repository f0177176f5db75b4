"""`python -m host_bridge.provision`: the same as `chequer provision`."""

import typer

from host_bridge.provision.command import provision

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(provision)

if __name__ == "__main__":
    app()
