"""Rounds that a task may leave out: it sleeps on where it would wake to see what it saw before.

The firmware's tasks do a little and sleep for as long, over and over, each on a grid of its own. A
task that would find nothing new sleeps on, and wakes at a point of its grid: when somebody calls
`wake`, or when something is due. What its left-out rounds would have left behind is made up for
(`made_up`) before it goes on, so that it does the same at the same moments as without.

Who may sleep on, and until when, is told by `quiet_reader.py`, `quiet_presence.py`,
`quiet_front.py` and, in virtual time, `quiet_link.py`. They know the firmware's inside.
"""

from asyncio import core

FAR_MS = 1 << 28
"""Three days: asyncio can't count further than six."""

unit = None
"""The firmware's `Unit`, once it runs."""

longest_ms = 0
"""Nobody sleeps longer; 0 in virtual time, where sleeping costs nothing."""

exact = False
"""Whether what was left out is made up for to the last round, as virtual time needs it."""

upcoming = core.ticks
"""The first millisecond of the loop that has not begun yet: what was due before has happened."""

relive = None
"""What lets a task live through the time from a moment before now (virtual time only)."""

parked = {}
"""Name -> [task, grid] of those that sleep on; the moment too once it was woken."""

made_up = {}
"""Name -> function(grid, at), called when a task goes on that was due at that point of its grid."""


class Even:
    """A grid of points, `period` apart; milliseconds of the loop."""

    def __init__(self, first, period):
        self.first = first
        self._period = period

    def next(self, now):
        """The first point that is not before `now`."""
        gone = core.ticks_diff(now, self.first)
        return self.first if gone <= 0 else core.ticks_add(now, -gone % self._period)

    def count(self, at):
        """How many points are before `at`."""
        return max(0, -(-core.ticks_diff(at, self.first) // self._period))


def sleep_on(name, ms, wait=None, grid=None):
    """Sleep, as if in each round somebody woke and found nothing.

    Args:
        name: of the task.
        ms: how long it wanted to sleep.
        wait: in how many milliseconds something is due; None for never.
        grid: when its rounds begin; every `ms` without it.
    """
    now = core.ticks()
    grid = grid or Even(core.ticks_add(now, ms), ms)
    lasts = FAR_MS if wait is None else min(wait, FAR_MS)
    if longest_ms:
        lasts = min(lasts, longest_ms // ms * ms)
    until = grid.next(core.ticks_add(now, lasts))
    if core.ticks_diff(until, grid.first) <= 0:
        return core.sleep_ms(ms)
    parked[name] = [core.cur_task, grid]
    _expect(name, until)
    return Sleep(name, until)


class Sleep:
    """Awaits a moment of the loop; then what was left out is made up for."""

    def __init__(self, name, until):
        self._name = name
        self._until = until
        self._slept = False

    def __iter__(self):
        return self

    def __next__(self):
        if self._slept:
            entry = parked.pop(self._name, None)
            if entry and self._name in made_up:
                # Not the present: the program may have stood still when it was due.
                made_up[self._name](entry[1], entry[2] if len(entry) > 2 else self._until)
            raise StopIteration
        self._slept = True
        core._task_queue.push(core.cur_task, self._until)


def wake(*names):
    """Let these wake at the next point of their grids, of one moment who fell asleep first."""
    for name in [each for each in parked if each in names and sleeps(each)]:
        entry = parked[name]
        task, grid = entry
        now = upcoming()
        at = grid.next(now)
        entry.append(at)
        core._task_queue.remove(task)
        _expect(name, at)
        if core.ticks_diff(at, now) < 0:
            relive(task, at)
        else:
            core._task_queue.push(task, at)


def sleeps(name):
    """Whether a task sleeps on and was not called yet."""
    return len(parked.get(name, ())) == 2


def wrap(owner, name, before):
    """Call `before(self)` before a method."""
    method = getattr(owner, name)

    def wrapped(self, *args):
        before(self)
        return method(self, *args)

    setattr(owner, name, wrapped)


def _expect(name, at):
    """The button's guard tells by this whether the program stood still."""
    if name == "guard":
        from port import ticks_add, ticks_ms

        unit._button._due = ticks_add(ticks_ms(), core.ticks_diff(at, core.ticks()))
