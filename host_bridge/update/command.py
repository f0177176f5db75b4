"""`chequer update`: the key that signs firmware, and updates made with it."""

from pathlib import Path
from typing import Annotated

import typer

from host_bridge.console import USAGE, fail, out
from host_bridge.update import bundle, bytecode, folder, signing

HARDWARE = (1,)
"""The revisions of the board that the firmware in this repository runs on."""

app = typer.Typer(help="Firmware updates for desk units: make the key, build a signed update.")


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The private key; made anew.")],
) -> None:
    """Make the key that signs updates, and FILE.pub, which units are given.

    Keep the private key where releases are made, and a copy where you keep other keys: units that
    were made with it take no other. A passphrase for it comes from CHEQUER_KEY_PASSPHRASE.
    """
    public = signing.make_key(file, passphrase=signing.passphrase())
    beside = file.with_name(file.name + ".pub")
    _write(beside, signing.modulus(public))
    out.print(f"{file} is made (yours alone), and {beside}. Units get it by: make firmware KEY=…")


@app.command()
def build(
    key: Annotated[Path, typer.Option(help="The private key that signs it.")],
    target: Annotated[
        Path | None,
        typer.Option("--out", help="The update. [default: build/desk-unit-VERSION.bundle]"),
    ] = None,
    sources: Annotated[Path, typer.Option(help="The firmware's sources.")] = Path("firmware"),
    requires: Annotated[
        str | None, typer.Option(help="The lowest version, as 0.1.0, that it can replace.")
    ] = None,
    downgrade: Annotated[
        str | None,
        typer.Option(help="The highest version that it may replace although it is older itself."),
    ] = None,
) -> None:
    """Make a signed update of the firmware in this folder.

    Its version is VERSION in the sources' desk_unit/__init__.py; units take only a later one.
    """
    version = bytecode.version_in(sources)
    unsigned = bundle.build(
        sources,
        bytecode.number_of(version),
        hardware=HARDWARE,
        requires=bytecode.number_of(requires) if requires else 0,
        downgrade=bytecode.number_of(downgrade) if downgrade else 0,
    )
    made = bundle.sign(unsigned, signing.load_key(key, passphrase=signing.passphrase()))
    target = target or Path("build") / f"desk-unit-{version}.bundle"
    _write(target, made.data)
    folder.write_names(sources, target)
    out.print(
        f"{target}: version {version}, {len(made.manifest.files)} modules, {len(made.data)} bytes, "
        f"called {made.name}."
    )


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all."""
    beside = file.with_name(file.name + ".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(file)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}; nothing was changed.", USAGE)
