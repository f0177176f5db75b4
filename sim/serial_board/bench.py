"""The bench: a pseudo-terminal under a name of its own, and the hand that plugs boards in and out.

The name (`port`) is a link that is there while a board is plugged in, as with a USB adapter. A
board that restarts itself is finished: the hand takes it away and plugs in the next one.
"""

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from sim.serial_board.board import SerialBoard

_MOST_UNREAD = 65_536
_SWAP_SECONDS = 0.4


class Bench:
    """A serial port with boards that come one after the other. Use it with `with`.

    Args:
        port: The name under which the port appears.
        boards: They are plugged in by and by, the first one at once, in their boot loader.

    Attributes:
        plugged: The board that is plugged in now, or None.
    """

    def __init__(self, port: Path, boards: Iterable[SerialBoard]) -> None:
        self.port = port
        self.plugged: SerialBoard | None = None
        self._boards = deque(boards)
        self._all = list(self._boards)
        self._orders: deque[Callable[[], None]] = deque()
        self._wake_out, self._wake_in = os.pipe()
        self._master = self._slave = -1
        self._unsent = bytearray()
        self._over = False
        self._thread = threading.Thread(target=self._serve, name="bench", daemon=True)

    def __enter__(self) -> "Bench":
        self._thread.start()
        self._wait(self._next)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._order(self._stop)
        self._thread.join()
        for board in self._all:
            board.close()
        os.close(self._wake_out)
        os.close(self._wake_in)

    def plug(self, board: SerialBoard, *, loader: bool = True) -> None:
        """Put this board in place of the one that is plugged in; returns when it is done."""
        if board not in self._all:
            self._all.append(board)
        self.unplug()
        time.sleep(_SWAP_SECONDS)
        self._wait(lambda: self._plug(board, loader=loader))

    def unplug(self) -> None:
        """Pull the cable; returns when it is done."""
        self._wait(self._unplug)

    def swap(self, board: SerialBoard, *, keep: bool) -> None:
        """Take this board away if it is still there; returns when the next one is plugged in.

        With `keep` it comes again, after all the others.
        """
        self._wait(lambda: self._take_away(board, keep=keep))
        time.sleep(_SWAP_SECONDS)
        self._wait(self._next)

    def press_reset(self) -> None:
        """Hold BOOT and press EN: the board that is plugged in is in its boot loader again."""
        self._wait(self._restart)

    def _wait(self, order: Callable[[], None]) -> None:
        done = threading.Event()

        def carry_out() -> None:
            order()
            done.set()

        self._order(carry_out)
        done.wait(10)

    def _order(self, order: Callable[[], None]) -> None:
        if not self._over:
            self._orders.append(order)
            os.write(self._wake_in, b"!")

    def _serve(self) -> None:
        while not self._over:
            while self._orders:
                self._orders.popleft()()
            if not self._over:
                self._once()

    def _once(self) -> None:
        """Wait for bytes from anywhere and pass them on."""
        board = self.plugged
        readers = [self._wake_out]
        if board is not None:
            readers += [self._master, *([board.vm.fileno()] if board.vm else [])]
        writers = [self._master] if board is not None and self._unsent else []
        ready, writable, _ = select.select(readers, writers, [])
        if self._wake_out in ready:
            os.read(self._wake_out, 64)
        if writable:
            self._flush()
        if board is not None and self._master in ready:
            board.feed(os.read(self._master, 65_536))
        if board is not None and board.vm is not None and board.vm.fileno() in ready:
            board.vm.hear()

    def _send(self, data: bytes) -> None:
        """Towards the host; nobody listening loses the oldest bytes, as on a real line."""
        self._unsent += data
        del self._unsent[:-_MOST_UNREAD]
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent and self._master >= 0:
                sent = os.write(self._master, self._unsent)
                del self._unsent[:sent]

    def _plug(self, board: SerialBoard, *, loader: bool) -> None:
        self._unplug()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        board.restarted = lambda: self._order(self._finished)
        board.pull = lambda: self._order(self._pulled)
        self.plugged = board
        board.power_on(self._send, loader=loader)
        self.port.symlink_to(os.ttyname(self._slave))

    def _unplug(self) -> None:
        self.port.unlink(missing_ok=True)
        if self.plugged is not None:
            self.plugged.power_off()
            self.plugged = None
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1
            self._unsent.clear()

    def _restart(self) -> None:
        if self.plugged is not None:
            self._unsent.clear()
            self.plugged.power_on(self._send, loader=True)

    def _finished(self) -> None:
        """A board has restarted itself: it is made. Take it away, then plug in the next one."""
        board = self.plugged
        if board is not None:
            self._later(lambda: self._take_away(board, keep=False))
            self._later(self._next, 2)

    def _take_away(self, board: SerialBoard, *, keep: bool) -> None:
        if self.plugged is board:
            self._unplug()
            if keep:
                self._boards.append(board)

    def _pulled(self) -> None:
        """A cable that was pulled by accident is plugged in again."""
        board = self.plugged
        self._unplug()
        if board is not None:
            self._boards.appendleft(board)
            self._later(self._next)

    def _later(self, order: Callable[[], None], swaps: int = 1) -> None:
        """Hands are not as fast as programs."""
        timer = threading.Timer(swaps * _SWAP_SECONDS, self._order, [order])
        timer.daemon = True
        timer.start()

    def _next(self) -> None:
        if self._boards and self.plugged is None and not self._over:
            self._plug(self._boards.popleft(), loader=True)

    def _stop(self) -> None:
        self._over = True
        self._unplug()
