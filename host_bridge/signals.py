"""What ends a program: Ctrl-C, or SIGTERM from whoever supervises it."""

import queue
import signal
import threading
from collections.abc import Callable


def on_end(action: Callable[[], object]) -> None:
    """Do this, on a thread of its own, each time somebody wants the program to end.

    Python runs a signal's handler in the main thread, between any two of its steps, perhaps while
    that thread holds the lock of the very event that `action` sets: then both would wait for ever.
    A `SimpleQueue` may be put into at any moment.
    """
    asked: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wait() -> None:
        while True:
            asked.get()
            action()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: asked.put(None))
