"""Settings: one TOML file and the environment.

`chequer.toml` is read from the working folder or from `--config`/`CHEQUER_CONFIG`. Secrets may
come from the environment instead: `CHEQUER_BROKER_PASSWORD`, `CHEQUER_STORE_URL`.
"""

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from host_bridge import retention
from host_bridge.contract.facts import Name
from host_bridge.toml_lines import Path as TomlPath
from host_bridge.toml_lines import line_of, path_of

Metres = Annotated[float, msgspec.Meta(ge=-10_000, le=10_000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class SettingsError(Exception):
    """The settings can't be used. The message names file, line and what is wrong there."""


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the MQTT broker listens, and how it is spoken to.

    `version`: MQTT 5 or 3.1.1; "auto" asks the broker. `tls`: over TLS, the broker's certificate
    being checked against the system's authorities or those in the file `ca`.
    """

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password: str | None = None
    version: Literal["auto", "5", "3.1.1"] = "auto"
    tls: bool = False
    ca: str | None = None


class Store(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which database, as an SQLAlchemy URL."""

    url: str = "sqlite:///var/chequer.db"


class Web(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the pages are served."""

    host: str = "127.0.0.1"
    port: Port = 8080


class Desk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk: its label, the unit under it, and the centre of its seat in metres."""

    name: Label
    unit: Name
    x: Metres
    y: Metres


class Room(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room: its desks, how far apart people must sit (metres), and how many may be in it."""

    name: Label
    desks: Annotated[list[Desk], msgspec.Meta(min_length=1)]
    clearance: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.5
    cap: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The site.

    `badge_in`: does the headset's tag identify the agent, or a badge before it? `night`: the
    local hours (0 to 23, in `timezone`) at which desks are dimmed and at which they are bright
    again; without it they are always bright.
    """

    name: Name = "demo"
    badge_in: Literal["headset", "badge-then-headset"] = "headset"
    timezone: str = "UTC"
    night: tuple[Hour, Hour] | None = None
    away_minutes: Annotated[float, msgspec.Meta(gt=0, le=1440)] = 10.0
    rooms: list[Room] = []


class Update(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the bundles lie that units may ask for."""

    folder: str = "var/updates"


class Privacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site may set about privacy; only ever in favour of those whom data are about.

    `hour` (0 to 23, UTC): when what is over its time is deleted. `group`: statistics tell of no
    fewer agents. `keep`: how many hours a class of `retention.toml` is kept, where not so long.
    """

    hour: Hour = 3
    group: Annotated[int, msgspec.Meta(ge=5, le=10_000)] = 10
    keep: dict[str, int] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    site: Site = Site()
    broker: Broker = Broker()
    store: Store = Store()
    web: Web = Web()
    update: Update = Update()
    privacy: Privacy = Privacy()


def load(path: Path | None = None) -> Settings:
    """Read the settings; without a file, the defaults.

    Raises:
        SettingsError: the file is missing though it was named, is no TOML, or has wrong values.
    """
    file, named = file_of(path)
    settings, text = Settings(), ""
    if named or file.exists():
        try:
            text = file.read_text(encoding="utf-8")
            settings = msgspec.toml.decode(text, type=Settings)
        except OSError as error:
            raise SettingsError(f"{file}: can't be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{file}: not UTF-8: byte {error.start}") from error
        except msgspec.DecodeError as error:
            raise _wrong(file, text, path_of(str(error)), _plain(str(error))) from error
    _check(settings, file, text)
    broker, store = settings.broker, settings.store
    if password := os.environ.get("CHEQUER_BROKER_PASSWORD"):
        broker = msgspec.structs.replace(broker, password=password)
    if url := os.environ.get("CHEQUER_STORE_URL"):
        store = msgspec.structs.replace(store, url=url)
    return msgspec.structs.replace(settings, broker=broker, store=store)


def file_of(path: Path | None = None) -> tuple[Path, bool]:
    """The file that `load` reads, and whether somebody named it, so that it must be there."""
    named = path or (Path(os.environ["CHEQUER_CONFIG"]) if "CHEQUER_CONFIG" in os.environ else None)
    return named or Path("chequer.toml"), named is not None


def _wrong(file: Path, text: str, path: TomlPath, reason: str) -> SettingsError:
    line = line_of(text, path)
    return SettingsError(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")


def _plain(reason: str) -> str:
    return reason.replace(" - at `$.", " - at `")


def _check(settings: Settings, file: Path, text: str) -> None:
    """What types can't say: the time zone exists, data may be kept so long, names are unique."""
    try:
        ZoneInfo(settings.site.timezone)
    except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        reason = f"no time zone is called {settings.site.timezone!r}"
        raise _wrong(file, text, ("site", "timezone"), reason) from error
    for kept, hours in settings.privacy.keep.items():
        if refusal := retention.refusal(kept, hours):
            raise _wrong(file, text, ("privacy", "keep", kept), refusal)
    limits = retention.limits_ms(settings.privacy.keep)
    if limits["seats"] < limits["taps"]:
        refusal = "seats must be kept as long as taps: whether somebody sat there explains a tap"
        raise _wrong(file, text, ("privacy", "keep", "seats"), refusal)
    rooms = list(enumerate(settings.site.rooms))
    desks = [(room, place, desk) for room, each in rooms for place, desk in enumerate(each.desks)]
    for what, names in (
        ("room", [(room.name, (at, "name")) for at, room in rooms]),
        ("desk", [(desk.name, (at, "desks", place, "name")) for at, place, desk in desks]),
        ("unit", [(desk.unit, (at, "desks", place, "unit")) for at, place, desk in desks]),
    ):
        known: set[str] = set()
        for name, below in names:
            if name in known:
                reason = f"the same {what} twice: {name}"
                raise _wrong(file, text, ("site", "rooms", *below), reason)
            known.add(name)
