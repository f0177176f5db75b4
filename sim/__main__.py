"""`python -m sim`: desk units without hardware."""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.audience import Event
from sim.demo import FOLDER, Demo
from sim.fleet.command import fleet
from sim.parts import Parts
from sim.parts import of as parts_of
from sim.port import ControlPort
from sim.replay_command import replay
from sim.scenario.command import simulate
from sim.tell import TellError, port_of, tell
from sim.unit import SimUnit
from sim.vm import ROOT, VmError
from sim.workbench.serve import FOLDER as BENCH_FOLDER
from sim.workbench.serve import PORT as BENCH_PORT
from sim.workbench.serve import serve
from sim.worlds.command import world

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Desk units that run the real firmware on the real MicroPython VM.",
)


@app.command()
def unit(  # noqa: PLR0917 (options, never given by position)
    folder: Annotated[Path, typer.Option(help="The unit's flash; made when absent.")],
    broker: Annotated[str, typer.Option(help="host:port of any MQTT broker.")] = "127.0.0.1:1883",
    site: Annotated[str, typer.Option(help="The site's name.")] = "demo",
    unit: Annotated[str, typer.Option(help="The unit's name.")] = "unit-1",
    site_key_file: Annotated[
        Path | None, typer.Option(help="File with the site key, in hexadecimal.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The site key itself, in hexadecimal.")] = None,
    port: Annotated[int, typer.Option(help="Control port; 0 takes any free one.")] = 0,
    heap: Annotated[str, typer.Option(help="The firmware's memory; 224k is the chip's.")] = "224k",
    reader: Annotated[str | None, typer.Option(help="mfrc522 (the usual one) or pn532.")] = None,
    presence: Annotated[
        str | None, typer.Option(help="ld2410 (the usual one), pir, seat-switch: one or several.")
    ] = None,
    firmware: Annotated[
        Path,
        typer.Option(
            help="Sources to run at once, or what `make firmware` has built: that is copied to "
            "the chip's flash once, and the loader starts it."
        ),
    ] = ROOT / "firmware",
) -> None:
    """Run one unit until Ctrl-C; JSON commands on its control port.

    One JSON object a line, one reply a line: {"tap":{"uid":"04A1B2C3D4E5F6","ms":400}},
    {"tap":{"uids":[..]}}, {"put":{"uid":..}}, {"take":{"uid":..}}, {"press":{"ms":120}},
    {"button":"down|up"}, {"radar":{"state":"none|moving|still|both","cm":70}} (whatever sensors
    there are), {"motion":{"ms":3000}}, {"seat":"sit|stand"}, {"power":"cut|on"},
    {"fault":{"chip":"mfrc522|pn532|ld2410|pir|seat-switch|ssd1306|flash","kind":..}},
    {"network":"lost|back"},
    {"show":{}}, {"heap":{}}, {"watch":{}} (events from then on).

    The configuration in the folder is written when absent, and kept otherwise; only the broker's
    address, and reader and presence if given, follow the options. The firmware's console goes to
    standard error.
    """
    try:
        host, _, number = broker.rpartition(":")
        made = SimUnit(
            folder=folder,
            broker=(host, int(number)),
            site=site,
            unit=unit,
            site_key=_key(site_key_file, key),
            heap=heap,
            parts=_parts(reader, presence),
            firmware=firmware,
        )
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    sys.exit(asyncio.run(_run(made, port)))


@app.command()
def demo(
    config: Annotated[
        Path | None, typer.Option(help="Settings to use in place of the demo's own room.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = FOLDER,
    seed: Annotated[int, typer.Option(help="Of the first day; later days count up.")] = 1,
) -> None:
    """Broker, relay, page and a room of twelve units through compressed working days."""
    sys.exit(asyncio.run(Demo(folder, config, seed).run()))


@app.command()
def workbench(
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")] = BENCH_FOLDER,
    broker: Annotated[
        str | None, typer.Option(help="host:port of a broker to use in place of its own.")
    ] = None,
    host: Annotated[bool, typer.Option(help="Start relay and director too.")] = True,
    page: Annotated[int, typer.Option(help="The page's port.")] = BENCH_PORT,
    port: Annotated[int, typer.Option(help="Control port; 0 takes any free one.")] = 0,
) -> None:
    """One unit on a web page: tap cards, press, pull the plug, and watch the wires."""
    try:
        name, _, number = (broker or "").rpartition(":")
        where = (name, int(number)) if broker else None
    except ValueError as error:
        raise typer.BadParameter(f"{broker}: expected host:port") from error
    if where and not (where[0] and 0 < where[1] < 1 << 16):
        raise typer.BadParameter(f"{broker}: expected host:port")
    folder = folder.resolve()
    sys.exit(asyncio.run(serve(folder=folder, broker=where, host=host, port=page, control=port)))


app.command("simulate")(simulate)
app.command("fleet")(fleet)
app.command("world")(world)
app.command("replay")(replay)


@app.command(name="tell")
def tell_command(
    desk: Annotated[str, typer.Argument(help="The desk's name, or a control port.")],
    command: Annotated[str, typer.Argument(help="""Such as '{"press":{"ms":120}}'.""")],
    folder: Annotated[Path, typer.Option(help="Of the running demo.")] = FOLDER,
) -> None:
    """Play with a desk of a running demo: tap, press, sit down, pull the plug.

    Commands are those of the control port (sim/commands.py); the reply is printed.
    """
    try:
        port = int(desk) if desk.isdecimal() else port_of(desk, folder / "ports.json")
        reply = tell(port, command)
    except TellError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    print(json.dumps(reply))
    if "error" in reply:
        raise typer.Exit(1)


def _parts(reader: str | None, presence: str | None) -> Parts | None:
    """What the board has; None when nothing is said about it."""
    said: dict[str, Any] = {"reader": reader} if reader else {}
    if presence:
        said["presence"] = [name.strip() for name in presence.split(",")]
    return parts_of(said) if said else None


def _key(file: Path | None, key: str | None) -> bytes:
    """The site key; without any, one that is good for playing only."""
    if file is not None:
        key = file.read_text().strip()
    value = bytes.fromhex(key) if key else b"a key for play, not secret"
    if not 16 <= len(value) <= 64:
        raise ValueError(f"the site key has 16 to 64 bytes, not {len(value)}")
    return value


async def _run(unit: SimUnit, port: int) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    control = ControlPort(unit)
    try:
        await control.start(port)
    except OSError as error:
        print(f"control port {port}: {error.strerror}; nothing was started", file=sys.stderr)
        return 1
    with unit.watch() as events:
        printing = asyncio.create_task(_print(events))
        try:
            await unit.start()
            print(f"{unit.name}: control port 127.0.0.1:{control.port}", flush=True)
            await stop.wait()
        except VmError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            printing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await printing
            await control.stop()
            await unit.stop()
    return 0


async def _print(events: asyncio.Queue[Event]) -> None:
    while True:
        event = await events.get()
        if "console" in event:
            print(event["console"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    app()
