"""The watchdog: no call to a database server waits for ever.

The server's own time-outs are worth nothing when the server itself hangs (a stopped process, a
dead disk under it, a network that swallows packets). Whoever still waits for an answer when the
time is over has the socket cut, and so gets an error instead of an answer.
"""

import contextlib
import os
import socket
import threading
import time


class Watchdog:
    """Cuts sockets that are armed for too long. One thread, which sleeps while nothing is armed."""

    def __init__(self) -> None:
        self._armed: dict[int, tuple[float, socket.socket]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def arm(self, key: int, descriptor: int, seconds: float) -> None:
        """Cut the socket after that time unless it is disarmed; arming anew starts anew."""
        # A duplicate: the number of the original may be another socket's by then.
        duplicate = socket.socket(fileno=os.dup(descriptor))
        with self._changed:
            before = self._armed.pop(key, None)
            self._armed[key] = (time.monotonic() + seconds, duplicate)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif len(self._armed) == 1:
                self._changed.notify()
        if before is not None:
            before[1].close()

    def disarm(self, key: int) -> None:
        """The call is over. Safe to call for what is not armed."""
        with self._changed:
            armed = self._armed.pop(key, None)
        if armed is not None:
            armed[1].close()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._armed:
                    self._changed.wait()
                self._cut()
                due = min((at for at, _ in self._armed.values()), default=None)
            if due is not None:
                time.sleep(max(0.0, min(due - time.monotonic(), 1.0)))

    def _cut(self) -> None:
        now = time.monotonic()
        for key in [key for key, (at, _) in self._armed.items() if at <= now]:
            _, duplicate = self._armed.pop(key)
            # An error means that the other side was faster; it is cut all the same.
            with contextlib.suppress(OSError):
                duplicate.shutdown(socket.SHUT_RDWR)
            duplicate.close()
