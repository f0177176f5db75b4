"""What all units of a site share: its key, its broker, its Wi-Fi. One secret TOML file."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from host_bridge.contract.facts import Name
from host_bridge.provision.errors import SetupError

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the units find the broker, as seen from the Wi-Fi."""

    host: Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 1883


class Wifi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network that the units join (WPA2: 8 to 63 characters)."""

    ssid: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    password: Annotated[str, msgspec.Meta(min_length=8, max_length=63)]

    def __repr__(self) -> str:
        """Without the password."""
        return f"Wifi(ssid={self.ssid!r})"


class Chips(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reader and presence sensors of the units, as docs/firmware.md names them."""

    reader: Literal["mfrc522", "pn532"] = "mfrc522"
    presence: tuple[Literal["ld2410", "pir", "seat-switch"], ...] = ("ld2410",)

    def __post_init__(self) -> None:
        if not self.presence or len(set(self.presence)) != len(self.presence):
            raise ValueError("presence: expected one sensor or several, each once")


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `key` turns card UIDs into tag hashes: 32 bytes in hexadecimal."""

    name: Name
    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    broker: Broker
    wifi: Wifi
    chips: Chips = Chips()

    def __repr__(self) -> str:
        """Without anything secret: a traceback may show it."""
        return f"Site(name={self.name!r})"


def load(path: Path) -> Site:
    """Read the site's file. No message repeats a value of it.

    Raises:
        SetupError: It can't be read, others than its owner can read it, or a value is wrong.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise SetupError(
                    f"{path}: others than its owner can read it, and it holds secrets.",
                    todo=f"chmod 600 {path}, change the Wi-Fi password if others had access.",
                )
            return msgspec.toml.decode(file.read(), type=Site)
    except OSError as error:
        raise SetupError(
            f"{path}: can't be read ({error.strerror}).",
            todo=f"Make one with: chequer provision --new-site {path}",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}.", todo="Correct the file and start again.") from error


def create(path: Path) -> None:
    """Write a new site file (mode 0600) with a fresh key; the rest is to be filled in.

    Raises:
        SetupError: The file exists (a site's key must never change) or can't be written.
    """
    text = f"""\
# Secret: whoever has this file can join the Wi-Fi and compute tag hashes. Keep it at mode 600.
name = "my-site"
# Never change the key of a running site: every headset would become unknown.
key = "{secrets.token_hex(32)}"

[broker]
host = "broker.example"
port = 1883

[wifi]
ssid = "my-network"
password = "the-network's-password"

# What is on the boards: reader mfrc522 or pn532; presence ld2410, pir, seat-switch, one or several.
[chips]
reader = "mfrc522"
presence = ["ld2410"]
"""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SetupError(
            f"{path}: can't be made ({error.strerror}).", todo="Name a file that does not exist."
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
