"""The production line: board after board at one port, until every unit of the list is made."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from host_bridge.provision.board import Board
from host_bridge.provision.credentials import Credentials, boot_base
from host_bridge.provision.errors import BoardError, ProvisionError
from host_bridge.provision.firmware import STARTERS
from host_bridge.provision.flasher import Flasher, Found
from host_bridge.provision.label import Label
from host_bridge.provision.logbook import Entry, Logbook
from host_bridge.provision.partitions import Partition
from host_bridge.provision.passwords import PasswordFile
from host_bridge.provision.results import failures
from host_bridge.provision.site import Site
from host_bridge.provision.units import Unit

_POLL_SECONDS = 0.1
_HINT_SECONDS = 10.0


class Display(Protocol):
    """What the person at the bench sees. Nothing that is handed to it is secret."""

    def step(self, unit: str, what: str, share: float) -> None:
        """Where the current board is: `share` of the step `what` is done, 0 to 1."""

    def waiting(self, what: str) -> None:
        """Nothing happens until somebody does `what`."""

    def note(self, what: str) -> None:
        """One line that stays."""

    def made(self, label: Label, svg: Path) -> None:
        """A unit is finished; here is its label."""

    def failed(self, unit: str, error: BoardError) -> None:
        """A board could not be finished (`unit` is "" when it has no name)."""


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What goes onto every board, and where the results are kept."""

    site: Site
    units: list[Unit]
    image: bytes
    files: dict[str, bytes]
    table: list[Partition]
    passwords: PasswordFile
    labels: Path


class Line:
    """One bench.

    Args:
        flasher: Finds and flashes the board at the port.
        logbook: Remembers which board is which unit.
        materials: What goes onto the boards.
        display: Tells the person at the bench.
        again: Provision boards that are done once more, under their names.
        jig: The port stays while boards change (the USB adapter is part of the bench).
        patience: Seconds without a board after which the line gives up; None waits for ever.
        now: The time, for boot bases.
    """

    def __init__(
        self,
        flasher: Flasher,
        logbook: Logbook,
        materials: Materials,
        display: Display,
        *,
        again: bool = False,
        jig: bool = False,
        patience: float | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._flasher = flasher
        self._logbook = logbook
        self._materials = materials
        self._display = display
        self._again = again
        self._jig = jig
        self._patience = patience
        self._now = now
        self._seen = ""  # the board that was dealt with and may still be plugged in
        self._made: set[str] = set()

    def run(self, limit: int | None = None) -> int:
        """Make units until the list is done, or `limit` of them; how many were made.

        Raises:
            ProvisionError: The line can't go on; what was made is in the logbook.
        """
        while self._left() and (limit is None or len(self._made) < limit):
            unit = ""
            try:
                found = self._next_board()
                self._seen = found.mac
                entry = self._entry(found.mac)
                unit = entry.unit
                self._make(entry)
            except BoardError as error:
                if unit:
                    self._logbook.append("failed", unit=unit, step=error.step, reason=error.what)
                self._display.failed(unit, error)
        return len(self._made)

    def _left(self) -> list[Unit]:
        """The units of the list that are still to be made."""
        return [unit for unit in self._materials.units if not self._finished(unit.name)]

    def _finished(self, name: str) -> bool:
        entry = self._logbook.by_unit(name)
        return name in self._made or (entry is not None and entry.done and not self._again)

    def _next_board(self) -> Found:
        """Wait for a board, after the one that was dealt with just now was seen gone.

        Else one that fails would be tried for ever, and one that is made would be reset into its
        boot loader again and again instead of starting.
        """
        began = hinted = time.monotonic()
        while True:
            plugged = Path(self._flasher.port).exists()
            if self._seen and plugged and not self._jig:
                self._display.waiting("take this board away and plug in the next one")
            elif found := self._look():
                return found
            now = time.monotonic()
            if self._patience is not None and now - began > self._patience:
                raise ProvisionError(
                    f"No new board answered at {self._flasher.port} for {self._patience:.0f} s.",
                    kept=f"{len(self._made)} units were made; the logbook has them.",
                    todo="Check cable and board, hold BOOT while plugging in, and start again.",
                )
            if now - hinted > _HINT_SECONDS and plugged and not self._seen:
                hinted = now
                self._display.note(
                    f"The board at {self._flasher.port} does not answer: check the cable (some "
                    "only carry power), hold BOOT while plugging in."
                )
            time.sleep(_POLL_SECONDS)

    def _look(self) -> Found | None:
        """The board at the port, if it is another one than the one dealt with just now.

        Raises:
            BoardError: It can't be used; the same complaint is not made twice about one board.
        """
        try:
            found = self._flasher.find()
        except BoardError as error:
            if error.what == self._seen:
                return None
            self._seen = error.what
            raise
        if found is None:
            self._seen = ""
            self._display.waiting(f"plug the next board into {self._flasher.port}")
        elif found.mac == self._seen:
            self._display.waiting("take this board away and put in the next one")
            return None
        return found

    def _entry(self, mac: str) -> Entry:
        """The name of this board: the one that it has, or the next free one of the list."""
        if self._logbook.is_scrapped(mac):
            raise BoardError(
                "find",
                f"The board {mac} was scrapped and gets no name any more.",
                kept="Nothing was written.",
                todo="Throw it away and take another one.",
            )
        entry = self._logbook.by_mac(mac)
        if entry is not None and entry.done and not self._again:
            raise BoardError(
                "find",
                f"The board {mac} is {entry.unit} already.",
                kept="Nothing was written.",
                todo="Take it away. To provision it once more, start again with --again.",
            )
        free = [unit.name for unit in self._left() if self._logbook.by_unit(unit.name) is None]
        if entry is None and not free:
            waiting = ", ".join(unit.name for unit in self._left()[:5])
            raise BoardError(
                "find",
                "No name of the list is free for a new board.",
                kept=f"These began on other boards and are not finished: {waiting}.",
                todo="Plug those boards in again, or give one up: --scrap NAME.",
            )
        name = free[0] if entry is None else entry.unit
        base = boot_base(self._now(), self._logbook.last_base(name))
        self._logbook.assign(name, mac, base)
        return Entry(name, mac, base)

    def _make(self, entry: Entry) -> None:
        """The whole road of one board."""
        unit, mac, work = entry.unit, entry.mac, self._materials
        credentials = Credentials(work.site, unit, entry.boot_base)
        self._flasher.write(work.image, lambda s: self._display.step(unit, "flash", s))
        self._logbook.append("flashed", unit=unit)
        self._display.step(unit, "start", 0)
        last = {path: content for path, content in work.files.items() if path in STARTERS}
        rest = {path: content for path, content in work.files.items() if path not in last}
        with Board(self._flasher.port, credentials.hide) as board:
            board.copy(rest, lambda s: self._display.step(unit, "copy", s))
            self._display.step(unit, "test", 0)
            self._test(board, entry)
            self._display.step(unit, "credentials", 0)
            work.passwords.set(unit, credentials.password)
            board.write_credentials(credentials)
            board.copy(last, lambda s: self._display.step(unit, "finish", s))
            desk = next((u.desk for u in work.units if u.name == unit), "")
            label = Label(work.site.name, unit, desk, mac)
            svg = label.save(work.labels)
            self._logbook.append("done", unit=unit, mac=mac)
            self._made.add(unit)
            self._display.made(label, svg)
            board.reset()

    def _test(self, board: Board, entry: Entry) -> None:
        checks = board.test(entry.mac, self._materials.table, self._materials.site.chips)
        self._logbook.append(
            "tested",
            unit=entry.unit,
            checks={c.name: ("ok " if c.passed else "FAIL ") + c.detail for c in checks},
        )
        if failed := failures(checks):
            raise BoardError(
                "test",
                f"The factory test failed: {failed}.",
                kept="The board keeps its name and has no secret.",
                todo="Repair it and plug it in again, or give it up: --scrap " + entry.unit + ".",
            )
