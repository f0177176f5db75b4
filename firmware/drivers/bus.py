"""What drivers ask of a bus: MicroPython's own methods. For type checkers; empty on the chip."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    Buffer = bytes | bytearray | memoryview
    Pin = Callable[[int], object]
    """An output: called with its new level. A machine.Pin is one."""

    class SPI(Protocol):
        """As machine.SPI, mode 0."""

        def write(self, __buf: Buffer) -> object:
            """Send, ignore what comes back."""

        def write_readinto(self, __out: Buffer, __into: bytearray) -> object:
            """Send and receive, buffers of one length."""

    class I2C(Protocol):
        """As machine.I2C; raises OSError when nobody acknowledges."""

        def writeto(self, __addr: int, __buf: Buffer) -> object:
            """Send one message."""

        def writevto(self, __addr: int, __vector: Sequence[Buffer]) -> object:
            """Send one message that lies in several buffers."""

    class UART(Protocol):
        """As machine.UART, with a receive buffer behind it."""

        def any(self) -> int:
            """Bytes that can be read without waiting."""

        def readinto(self, __buf: bytearray, __nbytes: int) -> int | None:
            """Read up to `nbytes`; None when there was nothing."""

        def write(self, __buf: Buffer) -> object:
            """Send."""
