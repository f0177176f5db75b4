"""The broker's password file, in mosquitto's own format, for IT to install.

A line is `user:$7$iterations$salt$hash`: PBKDF2 with HMAC-SHA512, a salt of 12 bytes and a hash of
64, both in Base64 (mosquitto 2.0, `mosquitto_passwd`). Its default of 101 iterations is kept: they
slow the guessing of weak passwords, ours have 192 random bits, and the broker pays at every login.
"""

import hashlib
import os
import secrets
from base64 import b64encode
from pathlib import Path

from host_bridge.provision.durable import sync_folder

ITERATIONS = 101


class PasswordFile:
    """The file at `path`: mode 0600, replaced as a whole, so a stop leaves the old or the new."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, user: str, password: str) -> None:
        """Add the user or replace its password."""
        self._write({**self._lines(), user: hashed(password)})

    def remove(self, user: str) -> None:
        """Take the user out, if it is in."""
        self._write({name: line for name, line in self._lines().items() if name != user})

    def _lines(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        pairs = (line.split(":", 1) for line in self._path.read_text("utf-8").splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def _write(self, lines: dict[str, str]) -> None:
        new = self._path.with_name(self._path.name + ".new")
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{user}:{line}\n" for user, line in sorted(lines.items()))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_folder(self._path.parent)


def hashed(password: str) -> str:
    """The password as mosquitto keeps it, with a fresh salt."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(digest).decode()}"
