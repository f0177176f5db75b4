"""When the director's looks at the floor may be left out: time alone changes nothing until then.

It looks once a second, and nearly always sees what it saw before. What happens (a commit, a unit
that comes or goes, a clock that is set) makes it look as ever. It knows the director's inside.
"""

from host_bridge.director import Director
from host_bridge.director.director import LOOK_MS

_MINUTE_MS = 60_000


class QuietDirector(Director):
    """A director whose looks may be left out by whoever makes the pauses between its steps."""

    def next_look_ms(self) -> int:
        """When the first look that may see something new is due, host's Unix milliseconds.

        Shifts and nights begin with a full minute. What it could not say yet, or nobody has heard,
        it tries again every second.
        """
        due, looked = self.look_due_ms, self._looked_ms
        seen = self.floor._seen
        if seen is None or self._reports._untold or self._speaker._retained._unsaid:
            return due
        drills = (mode.drill_until_ms or 0 for mode in self._modes._asked.values())
        minute = looked - looked % _MINUTE_MS + _MINUTE_MS
        change = min(minute, seen.until_ms, *(end for end in drills if end > looked))
        return due + max(0, -(-(change - due) // LOOK_MS)) * LOOK_MS

    def make_up(self, now_ms: int) -> None:
        """It has looked every second up to now; a look that is due now is still to come."""
        self._looked_ms += max(0, (now_ms - self._looked_ms - 1) // LOOK_MS) * LOOK_MS
