"""When the reader's polls may be left out: nothing lies on it, and nothing is wrong with it.

A poll of an empty field by the MFRC522 takes a millisecond. The PN532's takes more, and every
tenth switches the field off and on and takes longer still; how long they take is measured.
"""

from asyncio import core

import parts
import rounds

_PAUSE_MS = 60
_POLL_MS = 1
_WAKING = 10
"""Of so many polls of the PN532 one is waking."""

_took = {}
"""Whether the PN532's poll was a waking one -> (how long the last took, and the one before)."""


def sleep_ms(ms):
    """In place of the sleep between two polls."""
    if parts._cards or parts._rfid.fault or rounds.unit._tags._presence._missed:
        return core.sleep_ms(ms)
    if not hasattr(rounds.unit._hardware.reader, "_wake_in"):
        grid = rounds.Even(core.ticks_add(core.ticks(), ms), ms + _POLL_MS)
        return rounds.sleep_on("rfid", ms, None, grid)
    grid = _pn532_grid(rounds.unit._hardware.reader)
    return rounds.sleep_on("rfid", ms, None, grid) if grid else core.sleep_ms(ms)


def know(reader):
    """Look at how long the polls of a PN532 take."""
    if hasattr(reader, "_wake_in"):
        reader.uids = _measured(reader)


def _measured(reader):
    uids = reader.uids

    async def poll():
        worked, waking, began = reader._working, reader._wake_in <= 0, core.ticks()
        found = await uids()
        if worked and not found:
            _, before = _took.get(waking, (0, 0))
            _took[waking] = (before, core.ticks_diff(core.ticks(), began))
        return found

    return poll


class PN532Grid:
    """When polls of the PN532 begin; milliseconds of the loop.

    Args:
        first: the next one.
        left: usual polls before the next waking one.
        usual, waking: how long they take.
    """

    def __init__(self, first, left, usual, waking):
        self.first = first
        self._left = left
        self._took = (usual, waking)
        self._more = waking - usual
        self._period = usual + _PAUSE_MS
        self._cycle = _WAKING * self._period + self._more

    def next(self, now):
        """The first point that is not before `now`, or that of the poll that is under way."""
        gone = core.ticks_diff(now, self.first)
        if gone <= 0:
            return self.first
        number = max(0, gone // self._cycle * _WAKING - 1)
        while self._begin(number) + self._took[self.left(number) == 0] < gone:
            number += 1
        return core.ticks_add(self.first, self._begin(number))

    def count(self, at):
        """How many points are before `at`."""
        gone = core.ticks_diff(at, self.first)
        number = max(0, gone // self._cycle * _WAKING - 1)
        while self._begin(number) < gone:
            number += 1
        return number

    def left(self, number):
        """How many usual polls there are from this one to the next waking one."""
        return (self._left - number) % _WAKING if number > self._left else self._left - number

    def _begin(self, number):
        waking = 0 if number <= self._left else (number - self._left - 1) // _WAKING + 1
        return number * self._period + waking * self._more


def _pn532_grid(reader):
    """None while it is not known how long polls take."""
    usual, waking = _took.get(False, (0, 1)), _took.get(True, (0, 1))
    if not reader._working or usual[0] != usual[1] or waking[0] != waking[1]:
        return None
    first = core.ticks_add(core.ticks(), _PAUSE_MS)
    if not rounds.exact:
        return rounds.Even(first, _PAUSE_MS + usual[1])
    return PN532Grid(first, max(0, reader._wake_in), usual[1], waking[1])


def _made_up(grid, at):
    count = grid.count(at)
    if rounds.exact:
        rounds.unit._tags._polls += count
        if isinstance(grid, PN532Grid):
            rounds.unit._hardware.reader._wake_in = grid.left(count)
    rounds.unit._watch.beat("rfid")


rounds.made_up["rfid"] = _made_up
