"""The trace: what passed on the wires, a row each, bounded; repetitions are counted in one row."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import msgspec

KEPT = 400
"""Rows that are kept for a page that opens."""

MOST_BYTES = 24
"""Bytes of a row that are shown as they are."""

_FOLD_S = 2.5
_ROW_S = 5.0
_KINDS = 64


class Seen(NamedTuple):
    """What a decoder made of some bytes.

    `way` is "out" (from the unit), "in" (to it) or "both"; `data` is shown in hexadecimal; what
    has the same `text` and `payload` is the same again.
    """

    way: str
    data: bytes
    text: str
    more: tuple[str, ...] = ()
    payload: str = ""


class Row(msgspec.Struct):
    """A row of the trace. `at` is the Unix time of its last repetition in milliseconds."""

    id: int
    at: int
    bus: str
    way: str
    hex: str
    text: str
    payload: str
    more: list[str]
    count: int = 1


class Trace:
    """Rows by number. `fresh` gives what is new or has changed since it was last asked."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Nothing yet; `clock` gives Unix seconds."""
        self._clock = clock
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._last = 0
        self._changed: dict[int, None] = {}
        self._open: OrderedDict[tuple[str, str, str, str], tuple[Row, float]] = OrderedDict()

    def add(self, bus: str, seen: Seen) -> None:
        """Append a row, or count one more of the same."""
        now = self._clock()
        key = (bus, seen.way, seen.text, seen.payload)
        row, began = self._open.get(key, (None, 0.0))
        if row and now - row.at / 1000 < _FOLD_S and now - began < _ROW_S:
            row.count += 1
            row.at = int(now * 1000)
        else:
            row = self._append(bus, seen, now)
            self._open[key] = (row, now)
            self._open.move_to_end(key)
            if len(self._open) > _KINDS:
                self._open.popitem(last=False)
        if row.id in self._rows:  # a row that is repeated may have been pushed out meanwhile
            self._changed[row.id] = None

    def fresh(self) -> list[Row]:
        """Rows that are new or were repeated since the last call, the oldest first."""
        rows = [self._rows[number] for number in sorted(self._changed) if number in self._rows]
        self._changed.clear()
        return rows

    def rows(self) -> list[Row]:
        """Everything that is kept, the oldest first."""
        return list(self._rows.values())

    def _append(self, bus: str, seen: Seen, now: float) -> Row:
        self._last += 1
        row = Row(
            id=self._last,
            at=int(now * 1000),
            bus=bus,
            way=seen.way,
            hex=spaced(seen.data),
            text=seen.text,
            payload=seen.payload,
            more=list(seen.more),
        )
        self._rows[row.id] = row
        if len(self._rows) > KEPT:
            self._rows.popitem(last=False)
        return row


def spaced(data: bytes) -> str:
    """Hexadecimal with spaces, cut to `MOST_BYTES`."""
    text = data[:MOST_BYTES].hex(" ").upper()
    return f"{text} … {len(data)} bytes" if len(data) > MOST_BYTES else text
