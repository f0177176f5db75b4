"""Settings: one TOML file and the environment.

`chequer.toml` is read from the working folder or from `--config`/`CHEQUER_CONFIG`. Secrets may
come from the environment instead: `CHEQUER_BROKER_PASSWORD`, `CHEQUER_STORE_URL`.
"""

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from host_bridge.contract.facts import Name

Metres = Annotated[float, msgspec.Meta(ge=-10_000, le=10_000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class SettingsError(Exception):
    """The settings can't be used. The message names the file and what is wrong with it."""


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


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    site: Site = Site()
    broker: Broker = Broker()
    store: Store = Store()
    web: Web = Web()
    update: Update = Update()


def load(path: Path | None = None) -> Settings:
    """Read the settings; without a file, the defaults.

    Raises:
        SettingsError: the file is missing though it was named, is no TOML, or has wrong values.
    """
    named = path or (Path(os.environ["CHEQUER_CONFIG"]) if "CHEQUER_CONFIG" in os.environ else None)
    file = named or Path("chequer.toml")
    settings = Settings()
    if named or file.exists():
        try:
            settings = msgspec.toml.decode(file.read_bytes(), type=Settings)
        except OSError as error:
            raise SettingsError(f"{file}: can't be read: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise SettingsError(f"{file}: {error}") from error
    _check(settings, file)
    broker, store = settings.broker, settings.store
    if password := os.environ.get("CHEQUER_BROKER_PASSWORD"):
        broker = msgspec.structs.replace(broker, password=password)
    if url := os.environ.get("CHEQUER_STORE_URL"):
        store = msgspec.structs.replace(store, url=url)
    return msgspec.structs.replace(settings, broker=broker, store=store)


def _check(settings: Settings, file: Path) -> None:
    """What types can't say: the time zone exists; names of rooms, desks and units are unique."""
    try:
        ZoneInfo(settings.site.timezone)
    except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise SettingsError(f"{file}: no time zone is called {settings.site.timezone!r}") from error
    desks = [desk for room in settings.site.rooms for desk in room.desks]
    for what, names in (
        ("room", [room.name for room in settings.site.rooms]),
        ("desk", [desk.name for desk in desks]),
        ("unit", [desk.unit for desk in desks]),
    ):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise SettingsError(f"{file}: the same {what} twice: {', '.join(sorted(twice))}")
