"""NXP MFRC522: complete UIDs of all type A cards in the field.

Sources: NXP MFRC522 data sheet rev. 3.9; ISO/IEC 14443-3:2018 clause 6 (type A).

How all cards are found: cards answer together, and where their UIDs differ the chip reports a
collision. The driver then walks a tree: it takes the branch with a 1, notes the one with a 0, and
begins again with WUPA for every branch it has noted. It never relies on a card staying silent
after HLTA, because WUPA, which alone finds a card that was read before, wakes all of them.

Nothing here waits by spinning: between the start of a frame and its answer other tasks run.
"""

from port import block_ms, const, sleep_ms

from drivers.fault import ChipFault

TYPE_CHECKING = False
if TYPE_CHECKING:
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
_RECEIVED = const(0x20)
_TIMED_OUT = const(0x01)
_COLLISION = const(0x08)
_BROKEN = const(0x17)  # buffer overflow, CRC, parity, protocol

_STATUS = b"\x88\x8c\x94\x98\x9c\x00"  # read ComIrq, Error, FIFOLevel, Control, Coll
_FIFO = b"\x92\x92\x92\x92\x92\x00"  # read five bytes
_WUPA = b"\x12\x52"  # all frames begin with the address of FIFOData
_HLTA = b"\x12\x50\x00\x57\xcd"

_CASCADE_TAG = const(0x88)
_UID_INCOMPLETE = const(0x04)
_SEVEN_BITS = const(7)

_LOOKS = const(6)  # at one look a millisecond; the longest exchange takes 1.5 ms
_TRIES = const(3)
_START_LOOKS = const(50)  # the oscillator starts in a few milliseconds; 50 ms are usual advice
_ABSENT_LOOKS = const(5)
_WALKS = const(24)


def crc_a(data: "Buffer", length: int) -> int:
    """CRC_A of the first `length` bytes (14443-3, Annex B); the low byte travels first."""
    crc = 0x6363
    for i in range(length):
        byte = (data[i] ^ crc) & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc & 0xFFFF


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
        self._answer = bytearray(6)
        self._frame = bytearray(10)
        self._frame_view = memoryview(self._frame)
        self._tree = bytearray(12)  # three cascade levels of four bytes
        self._known = 0  # how many of their bits are decided
        self._branches: list[tuple[bytes, int, int]] = []

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

    async def uids(self) -> list[bytes]:
        """UIDs (4, 7 or 10 bytes) of all cards in the field, in no particular order.

        An empty field takes one frame and about a millisecond, and allocates the coroutine and
        the empty list only. A card takes 6 to 12 ms, of which the event loop is held for less
        than 1 ms at a stretch. A UID is complete, its BCC was right, and the card itself has
        confirmed it with a SAK whose CRC_A was right. What was garbled on the air is left out
        and found by the next call. Not re-entrant.

        Raises:
            ChipFault: the chip stopped answering; call `start()` before the next use.
        """
        found: list[bytes] = []
        answer = await self._exchange(_WUPA, _SEVEN_BITS)
        if not answer:
            return found
        branches = self._branches
        branches.clear()
        branches.append((b"\0" * 12, 0, 1))
        for walk in range(_WALKS):
            if not branches or (walk and not await self._exchange(_WUPA, _SEVEN_BITS)):
                break
            tree, known, retries = branches.pop()
            self._tree[:] = tree
            self._known = known
            uid = await self._walk()
            if uid is None and retries:
                branches.append((bytes(self._tree), self._known, retries - 1))
            elif uid is not None:
                found.append(uid)
            # Whatever state cards are in, this takes them to where WUPA wakes them.
            await self._exchange(_HLTA, 0)
        return found

    async def _walk(self) -> "bytes | None":
        """Select one card, beginning with the decided bits; None when that failed."""
        for level in range(3):
            if not await self._resolve(level):
                return None
            sak = await self._select(level)
            tagged = self._frame[3] == _CASCADE_TAG
            if sak < 0 or (level == 2 and sak & _UID_INCOMPLETE):
                return None
            if level < 2 and tagged != bool(sak & _UID_INCOMPLETE):
                return None
            self._tree[4 * level : 4 * level + 4] = self._frame[3:7]
            self._known = max(self._known, 32 * (level + 1))
            if not sak & _UID_INCOMPLETE:
                return self._uid(level)
        return None

    def _uid(self, level: int) -> bytes:
        tree = self._tree
        if level == 0:
            return bytes(tree[:4])
        if level == 1:
            return bytes(tree[1:8])
        return bytes(tree[1:4] + tree[5:12])

    async def _resolve(self, level: int) -> bool:
        """Anticollision on one cascade level: leave four UID bytes and BCC in the frame."""
        frame = self._frame
        for _ in range(33):  # every round decides at least one bit
            known = min(max(self._known - 32 * level, 0), 32)
            frame[3:7] = self._tree[4 * level : 4 * level + 4]
            if known == 32:
                frame[7] = frame[3] ^ frame[4] ^ frame[5] ^ frame[6]
                return True
            whole, rest = known >> 3, known & 7
            self._address(level, (2 + whole) << 4 | rest)
            sent = self._frame_view[: 3 + whole + (1 if rest else 0)]
            answer = await self._exchange(sent, rest << 4 | rest)
            if answer < 0 or self._status[3] != 5 - whole:
                return False
            if not answer & _COLLISION:
                return self._take(known, 40)
            if not self._fork(level, known):
                return False
        return False

    def _fork(self, level: int, known: int) -> bool:
        """Go on with a 1 where answers collided, note the 0 for later."""
        coll = self._status[5]
        position = coll & 0x1F or 32
        # CollPos counts from the first byte received, RxAlign included; some chips and texts
        # count from the start of the UID. Where both are possible the earlier one is taken: at
        # worst that walks down a branch without a card.
        if position <= known:
            position += known & 0x38
        if coll & 0x20 or not known < position <= 32 or len(self._branches) >= _WALKS:
            return False
        self._take(known, position - 1)  # leaves a 0 at the position and behind it
        tree, byte, bit = self._tree, 4 * level + (position - 1 >> 3), 1 << (position - 1 & 7)
        tree[4 * level : 4 * level + 4] = self._frame[3:7]
        self._known = 32 * level + position
        self._branches.append((bytes(tree), self._known, 1))
        tree[byte] |= bit
        return True

    def _take(self, known: int, end: int) -> bool:
        """Put received bits `known` to `end` into the frame, zeros behind; is the BCC right?"""
        frame = self._frame
        for i in range(5):
            low, high = max(known - 8 * i, 0), min(end - 8 * i, 8)
            if high <= low:
                if high <= 0:
                    frame[3 + i] = 0
                continue
            mask = (1 << high) - (1 << low)
            frame[3 + i] = (
                frame[3 + i] & ((1 << low) - 1) | self._answer[1 + i - (known >> 3)] & mask
            )
        return not frame[3] ^ frame[4] ^ frame[5] ^ frame[6] ^ frame[7]

    async def _select(self, level: int) -> int:
        """SAK of the card whose UID part is in the frame, -1 when none answered well."""
        frame = self._frame
        self._address(level, 0x70)
        crc = crc_a(self._frame_view[1:], 7)
        frame[8] = crc & 0xFF
        frame[9] = crc >> 8
        answer = await self._exchange(self._frame_view, 0)
        if not answer & _RECEIVED or answer < 0 or answer & _COLLISION or self._status[3] != 3:
            return -1
        heard = self._answer
        if crc_a(heard[1:2], 1) != (heard[2] | heard[3] << 8):
            return -1
        return heard[1]

    def _address(self, level: int, nvb: int) -> None:
        self._frame[0] = 0x12  # FIFOData
        self._frame[1] = 0x93 + 2 * level
        self._frame[2] = nvb

    async def _exchange(self, frame: "Buffer", framing: int) -> int:
        """Send a frame and wait for the answer without holding the event loop.

        Returns:
            0 when no card answered, -1 when the answer was garbled, else _RECEIVED, with
            _COLLISION when several answered differently; the answer is in `_answer[1:]`.
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
        if irq & _RECEIVED:
            self._burst(_FIFO, self._answer)
            if error & _COLLISION:  # whatever else is wrong follows from that
                return _RECEIVED | _COLLISION
            return -1 if error & _BROKEN or status[4] & 7 else _RECEIVED
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
