"""What the log says of dead letters: the first at once, then how many there were."""

import logging

log = logging.getLogger(__name__)

SAY_S = 10.0
"""How often. Whoever pours out junk must not fill the log as well."""


class Letters:
    """Counts those that are committed and not yet written about. `now`: monotonic, in seconds."""

    def __init__(self) -> None:
        self._count = 0
        self._next = 0.0

    def add(self, count: int, now: float) -> None:
        """So many more were committed, perhaps none."""
        self._count += count
        self.say(now)

    def say(self, now: float, *, last: bool = False) -> None:
        """Write about them if it is time, or if it is the `last` one."""
        if not self._count or (now < self._next and not last):
            return
        log.warning("%d dead letters (chequer dead-letters list)", self._count)
        self._count, self._next = 0, now + SAY_S
