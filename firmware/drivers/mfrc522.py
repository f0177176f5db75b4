"""NXP MFRC522: complete UIDs of all type A cards in the field.

Source: NXP MFRC522 data sheet rev. 3.9. Which frames find the cards: drivers/iso14443.py.

Nothing here waits by spinning: between the start of a frame and its answer other tasks run.
"""

from drivers.fault import ChipFault
from drivers.iso14443 import COLLISION, RECEIVED, Search
from port import block_ms, const, sleep_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from drivers.bus import SPI, Buffer, Pin

_COMMAND = const(0x01)
_COM_IRQ = const(0x04)
_FIFO_LEVEL = const(0x0A)
_BIT_FRAMING = const(0x0D)
_COLL = const(0x0E)
_MODE = const(0x11)
_TX_CONTROL = const(0x14)
_TX_ASK = const(0x15)
_TMODE = const(0x2A)
_TPRESCALER = const(0x2B)
_TRELOAD_H = const(0x2C)
_TRELOAD_L = const(0x2D)
_VERSION = const(0x37)

_IDLE = const(0x00)
_TRANSCEIVE = const(0x0C)
_SOFT_RESET = const(0x0F)
_TIMER_AUTO = const(0x80)
_ANTENNA_ON = const(0x03)

_SETUP = (
    (_TMODE, _TIMER_AUTO),  # the timer starts with the end of every transmission
    (_TPRESCALER, 0xA9),  # 339 / 13.56 MHz = 25 us a tick
    (_TRELOAD_H, 0),
    (_TRELOAD_L, 23),  # 600 us; a card begins to answer after 91 us (14443-3, 6.2.1.1)
    (_TX_ASK, 0x40),  # 100 % ASK, type A
    (_MODE, 0x3D),
    (_COLL, 0x00),  # clear the bits after a collision
    (_TX_CONTROL, 0x80 | _ANTENNA_ON),
)

_VERSIONS = (0x92, 0x91, 0x90, 0x88, 0x12, 0xB2)  # NXP 2.0, 1.0, 0.0; the rest are clones

_SENT = const(0x40)
_TIMED_OUT = const(0x01)
_BROKEN = const(0x17)  # buffer overflow, CRC, parity, protocol

_STATUS = b"\x88\x8c\x94\x98\x9c\x00"  # read ComIrq, Error, FIFOLevel, Control, Coll
_FIFO = b"\x92\x92\x92\x92\x92\x00"  # read five bytes


_LOOKS = const(6)  # at one look a millisecond; the longest exchange takes 1.5 ms
_TRIES = const(3)
_START_LOOKS = const(50)  # the oscillator starts in a few milliseconds; 50 ms are usual advice
_ABSENT_LOOKS = const(5)


class MFRC522:
    """The reader chip.

    Args:
        spi: mode 0, at most 10 MHz.
        cs: chip select, active low.
        rst: NRSTPD, active low.
    """

    def __init__(self, spi: "SPI", cs: "Pin", rst: "Pin") -> None:
        self._spi = spi
        self._cs = cs
        self._rst = rst
        self._two = bytearray(2)
        self._one = bytearray(2)
        self._status = bytearray(6)
        self.answer = bytearray(6)
        """The last answer, from index 1 on."""
        self.received = 0
        """Bytes of the last answer."""
        self.collision = 0
        """CollReg after the last answer (data sheet 9.3.1.15)."""
        self._search = Search(self)

    def start(self) -> None:
        """Reset and set up the chip. Blocks for some milliseconds, 50 at the most.

        Raises:
            ChipFault: it is missing, unknown, or does not come out of reset.
        """
        self._cs(1)
        self._rst(0)
        block_ms(1)
        self._rst(1)
        self._await_ready()
        self._write(_COMMAND, _SOFT_RESET)  # for boards whose reset line is not wired
        self._await_ready()
        for register, value in _SETUP:
            self._write(register, value)
        self.check()

    def check(self) -> None:
        """Self-test: identity and settings, in less than a millisecond, without a card.

        Raises:
            ChipFault: the chip is missing, unknown, or has lost its settings.
        """
        version = self._read(_VERSION)
        if version not in _VERSIONS:
            raise ChipFault("rfid", self._stranger(version))
        antenna = self._read(_TX_CONTROL) & _ANTENNA_ON
        if self._read(_TMODE) != _TIMER_AUTO or antenna != _ANTENNA_ON:
            raise ChipFault(
                "rfid", "lost its settings, perhaps a dip in its supply; start it again"
            )

    def uids(self) -> "Awaitable[list[bytes]]":
        """Await it: UIDs (4, 7 or 10 bytes) of all cards in the field, in no particular order.

        An empty field takes one frame and about a millisecond, and allocates the coroutine and
        the empty list only. A card takes 6 to 12 ms, of which the event loop is held for less
        than 1 ms at a stretch. A UID is complete, its BCC was right, and the card itself has
        confirmed it with a SAK whose CRC_A was right. What was garbled on the air is left out
        and found by the next call. Not re-entrant.

        Raises:
            ChipFault: the chip stopped answering; call `start()` before the next use.
        """
        return self._search.uids()

    async def exchange(self, frame: "Buffer", framing: int) -> int:
        """Send a frame and wait for the answer without holding the event loop.

        Returns:
            0 when no card answered, -1 when the answer was garbled, else RECEIVED, with
            COLLISION when several answered differently; the answer is in `answer`.
        """
        for _ in range(_TRIES):
            self._send(frame, framing)
            for _ in range(_LOOKS):
                await sleep_ms(1)
                outcome = self._outcome()
                if outcome is not None:
                    return outcome
        version = self._read(_VERSION)
        if version not in _VERSIONS:
            raise ChipFault("rfid", self._stranger(version))
        raise ChipFault(
            "rfid", "does not finish a command: it hangs or lost its settings; start it again"
        )

    def _send(self, frame: "Buffer", framing: int) -> None:
        self._write(_COMMAND, _IDLE)
        self._write(_COM_IRQ, 0x7F)
        self._write(_FIFO_LEVEL, 0x80)
        self._cs(0)
        self._spi.write(frame)
        self._cs(1)
        self._write(_COMMAND, _TRANSCEIVE)
        self._write(_BIT_FRAMING, 0x80 | framing)

    def _outcome(self) -> "int | None":
        """None while there is none yet, or when what the chip says cannot be."""
        status = self._status
        self._burst(_STATUS, status)
        irq, error, level = status[1], status[2], status[3]
        if irq & 0x80 or not irq & _SENT or level > 64:
            return None
        self.received = level
        self.collision = status[5]
        if irq & RECEIVED:
            self._burst(_FIFO, self.answer)
            if error & COLLISION:  # whatever else is wrong follows from that
                return RECEIVED | COLLISION
            return -1 if error & _BROKEN or status[4] & 7 else RECEIVED
        return 0 if irq & _TIMED_OUT else None

    def _await_ready(self) -> None:
        """Return once the oscillator runs: PowerDown reads 0 (data sheet 8.8.2)."""
        version = 0
        for look in range(_START_LOOKS):
            block_ms(1)
            version = self._read(_VERSION)
            if version in _VERSIONS and not self._read(_COMMAND) & 0x10:
                return
            if version in (0x00, 0xFF) and look >= _ABSENT_LOOKS:
                break
        raise ChipFault("rfid", self._stranger(version))

    def _stranger(self, version: int) -> str:
        if version in (0x00, 0xFF):
            return "reads %02Xh only: no power, no wiring, or the chip is dead" % version
        if version in _VERSIONS:
            return "does not come out of reset"
        return "says version %02Xh: not an MFRC522, or noise on its wires" % version

    def _write(self, register: int, value: int) -> None:
        two = self._two
        two[0] = register << 1
        two[1] = value
        self._cs(0)
        self._spi.write(two)
        self._cs(1)

    def _read(self, register: int) -> int:
        two = self._two
        two[0] = 0x80 | register << 1
        two[1] = 0
        self._burst(two, self._one)
        return self._one[1]

    def _burst(self, out: "Buffer", into: bytearray) -> None:
        self._cs(0)
        self._spi.write_readinto(out, into)
        self._cs(1)
