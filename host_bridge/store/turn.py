"""Writers of one process wait for a database file in the order in which they came.

SQLite lets whoever finds its lock taken sleep and look again, for up to 100 ms at a time. Beside a
thread that commits without a pause, another may so be starved for seconds: a director would lose
its lease to a relay of its own process.
"""

import threading
from collections import deque
from pathlib import Path
from weakref import WeakValueDictionary


class Turn:
    """One writer at a time, first come, first served. For threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, seconds: float) -> bool:
        """Wait for the turn; False when it did not come within that time."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._lock:
            if mine not in self._waiting:
                return True  # it came in this very moment
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        """Hand the turn to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_turns: WeakValueDictionary[Path, Turn] = WeakValueDictionary()
_making = threading.Lock()


def turn_of(file: Path) -> Turn:
    """The turn of a database file, the same for all its engines in this process."""
    with _making:
        return _turns.setdefault(file.resolve(), Turn())
