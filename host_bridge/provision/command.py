"""`chequer provision`: the command line of the bench.

Exit codes: 0 every unit asked for was made; 2 something was wrong before a board was touched;
3 the line had to stop; 130 stopped by Ctrl-C. Whatever the code, starting again goes on.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from host_bridge.provision import firmware as files
from host_bridge.provision import image as images
from host_bridge.provision import partitions, site, units
from host_bridge.provision.errors import ProvisionError, SetupError
from host_bridge.provision.flasher import Flasher
from host_bridge.provision.logbook import Logbook
from host_bridge.provision.passwords import PasswordFile

if TYPE_CHECKING:
    from host_bridge.provision.line import Materials

_NO_UPDATES = (
    "NOTE: this firmware is not signed, so these units will take no updates over their link. "
    "To sign it: chequer update key FILE, then make firmware KEY=FILE."
)


def provision(  # noqa: PLR0917 - one parameter an option
    port: Annotated[str, typer.Option(help="Serial port of the bench.")] = "/dev/ttyUSB0",
    csv: Annotated[
        Path, typer.Option(help="Units to make: columns `unit` and, if wanted, `desk`.")
    ] = Path("units.csv"),
    site_file: Annotated[
        Path, typer.Option("--site", help="The site's secrets, TOML, mode 600.")
    ] = Path("site.toml"),
    firmware: Annotated[Path, typer.Option(help="The built firmware's folder.")] = Path(
        "build/firmware"
    ),
    image: Annotated[
        Path, typer.Option(help="MicroPython for the ESP32_GENERIC board, variant OTA.")
    ] = Path("ESP32.bin"),
    table: Annotated[Path, typer.Option("--partitions", help="The partition table.")] = Path(
        "hardware/partitions.csv"
    ),
    out: Annotated[Path, typer.Option(help="Folder for log, labels and passwords.")] = Path(
        "var/provision"
    ),
    log: Annotated[
        Path | None, typer.Option(help="The logbook. [default: log.jsonl in --out]")
    ] = None,
    baud: Annotated[int, typer.Option(help="Speed of flashing, bit/s.")] = 460_800,
    lines: Annotated[
        bool, typer.Option("--lines/--no-lines", help="Does the port reset the board (DTR, RTS)?")
    ] = True,
    jig: Annotated[bool, typer.Option("--jig", help="The port stays while boards change.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Take boards that are done once more, same names.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many units.")] = None,
    patience: Annotated[
        float | None, typer.Option(min=0, help="Give up after so many seconds without a board.")
    ] = None,
    scrap: Annotated[
        str | None, typer.Option(help="Give up the board of this unit; its name is free again.")
    ] = None,
    new_site: Annotated[
        Path | None, typer.Option(help="Write a new site file with a fresh key, and stop.")
    ] = None,
) -> None:
    """Make desk units out of bare ESP32 boards, one after another.

    Stop whenever you like and start again with the same options: it goes on where it was, and no
    name is ever given to two boards.
    """
    console = Console(file=typer.get_text_stream("stdout"))
    logbook = log or out / "log.jsonl"
    passwords = out / "passwords"
    try:
        if new_site is not None:
            site.create(new_site)
            console.print(f"{new_site} is made: fill in broker and Wi-Fi.", markup=False)
        elif scrap is not None:
            _scrap(console, scrap, logbook, PasswordFile(passwords))
        else:
            _check_programs()
            from host_bridge.provision.line import Materials  # noqa: PLC0415 - needs the above

            out.mkdir(parents=True, exist_ok=True)
            parts = partitions.load(table)
            contents = files.load(firmware, partitions.find(parts, "vfs").size)
            if not files.takes_updates(contents):
                console.print(_NO_UPDATES, soft_wrap=True)
            materials = Materials(
                site=site.load(site_file),
                units=units.load(csv),
                image=images.prepare(image, parts),
                files=contents,
                table=parts,
                passwords=PasswordFile(passwords),
                labels=out / "labels",
            )
            with Logbook(logbook) as book:
                flasher = Flasher(port, baud=baud, lines=lines)
                _run(
                    console,
                    flasher,
                    book,
                    materials,
                    again=again,
                    jig=jig,
                    patience=patience,
                    limit=limit,
                )
    except ProvisionError as error:
        console.print(f"STOPPED: {error.told()}", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(2 if isinstance(error, SetupError) else 3) from None
    except OSError as error:
        console.print(
            f"STOPPED: {error}\n        kept: the logbook; what it calls done is done.\n"
            "        do:   Make room or correct the folder's permissions, and start again.",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(3) from None
    except KeyboardInterrupt:
        console.print("Stopped. Start again with the same options to go on.")
        raise typer.Exit(130) from None


def _run(
    console: Console,
    flasher: Flasher,
    book: Logbook,
    materials: "Materials",
    *,
    again: bool,
    jig: bool,
    patience: float | None,
    limit: int | None,
) -> None:
    from host_bridge.provision.display import Terminal  # noqa: PLC0415 - needs segno
    from host_bridge.provision.line import Line  # noqa: PLC0415 - needs mpremote

    entries = [book.by_unit(unit.name) for unit in materials.units]
    done = 0 if again else sum(1 for entry in entries if entry is not None and entry.done)
    with Terminal(console, len(materials.units), done) as display:
        line = Line(flasher, book, materials, display, again=again, jig=jig, patience=patience)
        made = line.run(limit)
        display.note(f"{made} made now, {done + made} of {len(materials.units)} in all.")


def _scrap(console: Console, unit: str, path: Path, passwords: PasswordFile) -> None:
    """Give up a board: its name is free, its password is gone, itself gets no name any more."""
    with Logbook(path) as book:
        entry = book.by_unit(unit)
        if entry is None:
            raise SetupError(
                f"The logbook {path} knows no board named {unit}.",
                todo="Check the name and --log.",
            )
        passwords.remove(unit)
        book.append("scrapped", unit=unit, mac=entry.mac)
    console.print(
        f"The board {entry.mac} is scrapped; {unit} is free. The broker needs the new passwords.",
        markup=False,
        soft_wrap=True,
    )


def _check_programs() -> None:
    """The bench's own programs are not part of what the host runs on."""
    missing = [name for name in ("esptool", "mpremote", "segno") if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"Not installed: {', '.join(missing)}.",
            todo="python -m pip install --require-hashes -r requirements/provision.lock",
        )
