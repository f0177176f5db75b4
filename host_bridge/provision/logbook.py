"""The logbook: which board became which unit, append-only, so that a stop never mixes them up.

JSON lines, each on disk (fsync) before what it announces is done. No secrets. The rule: a name and
a MAC are bound by `assigned`, before anything is written to the board, and for ever:

- `assigned` binds; seen again for the same pair, the work on that board was begun again
- `done` ends it; `failed` says where it stopped, the board may come again
- `scrapped` gives the name back (to another board), but never the board another name

A line that a power cut has torn was never acted upon. The next start marks it and goes on.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from host_bridge.provision.durable import sync_folder
from host_bridge.provision.errors import ProvisionError, SetupError

_TORN = b" <- torn by a stop, never acted upon\n"


@dataclass
class Entry:
    """What the logbook knows of a name now."""

    unit: str
    mac: str
    boot_base: int
    done: bool = False


class Logbook:
    """The file at `path`, held exclusively while open.

    Raises:
        SetupError: It can't be opened, another provisioning holds it, or a line is no record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._units: dict[str, Entry] = {}
        self._bases: dict[str, int] = {}
        self._scrapped: set[str] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
            sync_folder(path.parent)
        except OSError as error:
            raise SetupError(
                f"{path}: can't be opened ({error.strerror}).", todo="Name another --log."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except BlockingIOError as error:
            os.close(self._file)
            raise SetupError(
                f"{path}: another provisioning is using it.",
                todo="Let it finish, or give each bench its own list and its own --log.",
            ) from error
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> "Logbook":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def by_mac(self, mac: str) -> Entry | None:
        """The entry of a board that has a name."""
        return next((entry for entry in self._units.values() if entry.mac == mac), None)

    def by_unit(self, unit: str) -> Entry | None:
        """The entry of a name that has a board."""
        return self._units.get(unit)

    def is_scrapped(self, mac: str) -> bool:
        """Was this board given up? Then it gets no name any more."""
        return mac in self._scrapped

    def last_base(self, unit: str) -> int:
        """The highest boot base that this name was ever given; 0 for a new one."""
        return self._bases.get(unit, 0)

    def assign(self, unit: str, mac: str, boot_base: int) -> None:
        """Bind the name to the board, or begin again with the same pair.

        Raises:
            ValueError: The name belongs to another board, or the board has or had another name.
        """
        self._check(unit, mac)
        self.append("assigned", unit=unit, mac=mac, boot_base=boot_base)

    def append(self, event: str, **fields: Any) -> None:
        """Write one record and make it durable.

        Raises:
            ProvisionError: The disk does not take it. Nothing that it announces may be done.
        """
        record = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        line = json.dumps(record | fields, ensure_ascii=True) + "\n"
        try:
            written = os.write(self._file, line.encode())
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritten(str(error)) from error
        if written != len(line):
            raise self._unwritten("only a part was written")
        self._apply(record | fields)

    def _unwritten(self, why: str) -> ProvisionError:
        return ProvisionError(
            f"{self._path}: the logbook can't be written ({why}).",
            kept="All that it holds is unharmed; the board that is plugged in is not finished.",
            todo="Make room on the disk and start again: the board keeps its name.",
        )

    def _check(self, unit: str, mac: str) -> None:
        holder, named = self._units.get(unit), self.by_mac(mac)
        if holder is not None and holder.mac != mac:
            raise ValueError(f"{unit} belongs to the board {holder.mac}, not to {mac}")
        if named is not None and named.unit != unit:
            raise ValueError(f"the board {mac} is {named.unit}, not {unit}")
        if mac in self._scrapped:
            raise ValueError(f"the board {mac} was scrapped")

    def _apply(self, record: dict[str, Any]) -> None:
        event, unit, mac = record["event"], record.get("unit", ""), record.get("mac", "")
        if event == "assigned":
            self._check(unit, mac)
            self._units[unit] = Entry(unit, mac, record["boot_base"])
            self._bases[unit] = max(self.last_base(unit), record["boot_base"])
        elif event == "done":
            self._units[unit].done = True
        elif event == "scrapped":
            del self._units[unit]
            self._scrapped.add(mac)

    def _read(self) -> None:
        number = 0
        for number, line in enumerate(self._lines(), start=1):
            if not line.endswith(_TORN.rstrip()):
                try:
                    self._apply(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise SetupError(
                        f"{self._path}, line {number}: this is no record of a logbook ({error}).",
                        todo="Restore the logbook from a copy: without it names could be given "
                        "twice. Never edit it.",
                    ) from error

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            whole = file.read()
        if whole and not whole.endswith(b"\n"):
            os.write(self._file, _TORN)
            os.fsync(self._file)
            whole += _TORN
        yield from whole.splitlines()
