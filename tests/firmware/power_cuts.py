"""Every power cut of a scenario, and every power cut of each recovery from it.

A scenario of a journal's life runs once. Before each operation on flash or settings it is cut:
for every way in which that operation can be torn the remains are taken to a recovery, which is cut
at each of its own operations in the same manner, and what remains then must start and work.
`python -m tests.firmware.power_cuts` tears every write at every byte; the test takes fewer points.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[2] / "firmware"))

from desk_unit import boots
from desk_unit.journal import Journal
from tests.firmware.unit.test_journal import append, keys

SECTORS = 5
SIZE = 256

Key = tuple[int, int]
Step = tuple[str, int]
Operation = tuple[str, int, bytes]

LIFE: list[Step] = [
    ("append", 3), ("acknowledge", 2), ("tidy", 1), ("append", 5), ("acknowledge", 3),
    ("tidy", 9), ("append", 4), ("tidy", 1), ("append", 14), ("report", 1), ("append", 4),
    ("tidy", 1), ("append", 6), ("report", 1), ("acknowledge", 1), ("acknowledge", 99),
    ("tidy", 9), ("append", 2), ("acknowledge", 99), ("tidy", 9), ("append", 1),
]  # fmt: skip
"""First format, trims, sectors that change with and without an erase ahead, a ring that is full
and drops, what was dropped reported, all acknowledged and erased."""

RECOVERY: list[Step] = [
    ("append", 2), ("acknowledge", 2), ("report", 1), ("tidy", 1), ("append", 2), ("tidy", 9),
]  # fmt: skip
LAST: list[Step] = [("append", 2), ("acknowledge", 99), ("append", 1)]


@dataclass
class State:
    """What a power cut leaves: flash and settings."""

    flash: bytes = b"\xff" * (SECTORS * SIZE)
    boot: int | None = None


@dataclass
class Model:
    """What must be there, what may be, and which numbers have been given."""

    kept: list[Key] = field(default_factory=list)
    unsure: list[Key] = field(default_factory=list)
    pending: Key | None = None
    newest: Key = (0, 0)
    boots: frozenset[int] = frozenset()
    reported: list[tuple[Key, Key]] = field(default_factory=list)

    def copy(self) -> "Model":
        """Another one that goes its own way."""
        return replace(self, kept=self.kept[:], unsure=self.unsure[:], reported=self.reported[:])

    def check(self, journal: Journal) -> None:
        """Hold a journal to this, and take over what it decided about the unsure ones."""
        found = keys(journal)
        assert journal.waiting == len(found)
        assert journal.last >= self.newest, "a number could be given twice"
        allowed = [*self.unsure, *self.kept]
        if found and found[-1] == self.pending:
            allowed.append(self.pending)  # complete on flash, only `append` had not returned
        gone = len(allowed) - len(found)
        assert found == allowed[gone:], f"{found} of {allowed}: lost, repeated or invented"
        lost = journal.lost
        ranges = [*self.reported, (lost[1:3], lost[3:5])] if lost[0] else self.reported
        for key in allowed[:gone]:
            if key not in self.unsure:
                assert any(first <= key <= last for first, last in ranges), f"{key} is lost"
        if lost[0] and found:
            assert lost[3:5] < found[0], "reported as dropped, and there"
        self.kept, self.unsure, self.pending = found, [], None
        self.newest = journal.last


class Parts:
    """Flash and settings; `before` is told every operation before it happens."""

    def __init__(
        self, state: State, before: Callable[[Operation], None], dead: int | None = None
    ) -> None:
        self.data = bytearray(state.flash)
        self.boot = state.boot
        self.before = before
        self.dead = dead
        """A block that takes neither writes nor erases."""
        self._set = 0

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        start = block * SIZE + offset
        buf[:] = self.data[start : start + len(buf)]

    def writeblocks(self, block: int, buf: memoryview, offset: int = 0) -> None:
        assert offset % 16 == 0
        assert len(buf) % 16 == 0
        assert offset + len(buf) <= SIZE
        if block == self.dead:
            return
        start = block * SIZE + offset
        blank = self.data[start : start + len(buf)]
        assert all(old == 0xFF or new == 0xFF for old, new in zip(blank, buf, strict=True)), (
            "programmed twice"
        )
        self.before(("write", start, bytes(buf)))
        self.data[start : start + len(buf)] = buf

    def ioctl(self, op: int, arg: int) -> int:
        if op == 6 and arg != self.dead:
            self.before(("erase", arg * SIZE, b"\xff" * SIZE))
            self.data[arg * SIZE : (arg + 1) * SIZE] = b"\xff" * SIZE
        return {4: SECTORS, 5: SIZE}.get(op, 0)

    def get_i32(self, _key: str) -> int:
        if self.boot is None:
            raise OSError("not found")
        return self.boot

    def set_i32(self, _key: str, value: int) -> None:
        self._set = value

    def commit(self) -> None:
        self.before(("settings", self._set, b""))
        self.boot = self._set


class Search:
    """Runs a life and all its torn ends.

    Args:
        every_byte: Tear writes at every byte instead of at seven points.
        seed: For bits that land or don't.
        depth: How many cuts follow one another.
        dead: A block of the flash that takes neither writes nor erases, if any.
    """

    def __init__(
        self,
        *,
        every_byte: bool = False,
        seed: int = 1,
        depth: int = 2,
        dead: int | None = None,
    ) -> None:
        self.states = 0
        self.operations = 0
        self._every_byte = every_byte
        self._depth = depth
        self._dead = dead
        self._random = random.Random(seed)

    def run(self, state: State, plan: list[Step] = LIFE) -> None:
        """The whole search from one state of the flash.

        Raises:
            AssertionError: Something was lost, repeated or invented.
        """
        self._live(state, Model(), plan, self._depth)

    def _live(self, state: State, model: Model, plan: list[Step], cuts: int) -> None:
        """One boot, each of its operations cut in every way."""
        parts = Parts(state, lambda _: None, self._dead)

        def cut(operation: Operation) -> None:
            self.operations += cuts == self._depth
            for torn in self._tear(State(bytes(parts.data), parts.boot), operation):
                self.states += 1
                self._live(torn, model.copy(), RECOVERY if cuts > 1 else LAST, cuts - 1)

        if cuts:
            parts.before = cut
        journal = Journal(parts)
        journal.mount()
        model.check(journal)
        boot = boots.begin(parts, [journal], 1)
        assert boot not in model.boots, "a boot number twice"
        model.boots |= {boot}
        for word, count in plan:
            STEPS[word](journal, model, boot, count)
        model.check(journal)
        again = Journal(Parts(State(bytes(parts.data), parts.boot), lambda _: None, self._dead))
        again.mount()
        model.check(again)

    def _tear(self, state: State, operation: Operation) -> Iterator[State]:
        """What may remain when the power fails in this operation, or right before or after."""
        kind, start, new = operation
        if kind == "settings":  # one step, by the promise of NVS
            yield state
            yield State(state.flash, start)
            return
        old = state.flash[start : start + len(new)]
        for part in self._writes(old, new) if kind == "write" else self._erases(old):
            yield State(state.flash[:start] + part + state.flash[start + len(new) :], state.boot)

    def _writes(self, old: bytes, new: bytes) -> Iterator[bytes]:
        points = range(len(new)) if self._every_byte else (0, 1, len(new) // 2, len(new) - 1)
        for point in points:
            yield new[:point] + self._some(old[point : point + 1], new[point:]) + old[point + 1 :]
        for _ in range(2):
            yield self._some(old, new)
        yield new

    def _erases(self, old: bytes) -> Iterator[bytes]:
        half = len(old) // 2
        yield old
        yield b"\xff" * half + old[half:]
        yield old[:half] + b"\xff" * half
        blank = b"\xff" * len(old)
        few = self._some(old, blank)
        yield few
        yield self._some(few, blank)
        yield bytes(byte | 0xFE for byte in old)
        yield blank

    def _some(self, old: bytes, new: bytes) -> bytes:
        """Each bit that changes has changed or not."""
        masks = self._random.randbytes(len(old))
        return bytes(o & ~m | n & m for o, n, m in zip(old, new, masks, strict=False))


def _append(journal: Journal, model: Model, boot: int, count: int) -> None:
    for _ in range(count):
        seq = journal.last[1] + 1 if journal.last[0] == boot else 1
        dropped = journal.dropped
        model.pending = (boot, seq)
        append(journal, boot, seq)
        model.kept.append((boot, seq))
        model.newest, model.pending = (boot, seq), None
        if journal.dropped != dropped:
            model.check(journal)


def _acknowledge(journal: Journal, model: Model, _boot: int, count: int) -> None:
    for of, seq in model.kept[:count]:
        assert journal.forget(of, [(seq, seq)]) == (1, seq)
        model.unsure.append(model.kept.pop(0))
    journal.commit()
    model.unsure = []


def _tidy(journal: Journal, _model: Model, _boot: int, count: int) -> None:
    for _ in range(count):
        if not journal.tidy():
            break


def _report(journal: Journal, model: Model, boot: int, count: int) -> None:
    lost = journal.lost
    if lost[0]:
        _append(journal, model, boot, count)
        model.reported.append((lost[1:3], lost[3:5]))
        journal.told(lost)


STEPS: dict[str, Callable[[Journal, Model, int, int], None]] = {
    "append": _append,
    "acknowledge": _acknowledge,
    "tidy": _tidy,
    "report": _report,
}


def garbage(seed: int) -> State:
    """A flash that has never been erased."""
    return State(random.Random(seed).randbytes(SECTORS * SIZE))


def main(depth: Annotated[int, typer.Option(help="How many cuts follow one another.")] = 2) -> None:
    """Tear every write of a journal's life at every byte, and of each recovery from that.

    On blank flash, on garbage, and with each block dead in turn; half an hour.
    """
    for name, state, dead in (
        ("blank", State(), None),
        ("garbage", garbage(1), None),
        *((f"block {block} dead", State(), block) for block in range(SECTORS)),
    ):
        began = time.monotonic()
        # The format and the drops that dead blocks change are in the first life already.
        search = Search(every_byte=True, depth=depth if dead is None else depth - 1, dead=dead)
        search.run(state)
        print(
            f"{name}: {search.operations} operations, {search.states} states, 0 failures, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
