"""ISO/IEC 14443-3 type A: complete UIDs of all cards in the field of a reader.

Source: ISO/IEC 14443-3:2018 clause 6 (type A) and Annex B (CRC_A).

How all cards are found: cards answer together, and where their UIDs differ the chip reports a
collision. The search then walks a tree: it takes the branch with a 1, notes the one with a 0, and
begins again with WUPA for every branch it has noted. It never relies on a card staying silent
after HLTA, because WUPA, which alone finds a card that was read before, wakes all of them.
"""

from port import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import Buffer
    from drivers.mfrc522 import MFRC522

RECEIVED = const(0x20)
"""`exchange`: something was received whole ..."""
COLLISION = const(0x08)
"""... and from here on several cards answered differently."""

# Every frame begins with the reader's own address of its FIFO.
_FIFO = const(0x12)
_WUPA = b"\x12\x52"
_HLTA = b"\x12\x50\x00\x57\xcd"

_CASCADE_TAG = const(0x88)
_UID_INCOMPLETE = const(0x04)
_SEVEN_BITS = const(7)
_WALKS = const(24)


def crc_a(data: "Buffer", length: int) -> int:
    """CRC_A of the first `length` bytes (14443-3, Annex B); the low byte travels first."""
    crc = 0x6363
    for i in range(length):
        byte = (data[i] ^ crc) & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc & 0xFFFF


class Search:
    """Finds all cards through a reader's `exchange`. Not re-entrant.

    Args:
        chip: the reader; after `exchange` it holds `answer` (from index 1 on), `received` (how
            many bytes) and `collision` (its CollReg).
    """

    def __init__(self, chip: "MFRC522") -> None:
        self._chip = chip
        self._frame = bytearray(10)
        self._frame_view = memoryview(self._frame)
        self._tree = bytearray(12)  # three cascade levels of four bytes
        self._known = 0  # how many of their bits are decided
        self._branches: list[tuple[bytes, int, int]] = []

    async def uids(self) -> list[bytes]:
        """UIDs (4, 7 or 10 bytes) of all cards in the field; see `MFRC522.uids`."""
        found: list[bytes] = []
        answer = await self._chip.exchange(_WUPA, _SEVEN_BITS)
        if not answer:
            return found
        branches = self._branches
        branches.clear()
        branches.append((b"\0" * 12, 0, 1))
        for walk in range(_WALKS):
            if not branches or (walk and not await self._chip.exchange(_WUPA, _SEVEN_BITS)):
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
            await self._chip.exchange(_HLTA, 0)
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
            answer = await self._chip.exchange(sent, rest << 4 | rest)
            if answer < 0 or self._chip.received != 5 - whole:
                return False
            if not answer & COLLISION:
                return self._take(known, 40)
            if not self._fork(level, known):
                return False
        return False

    def _fork(self, level: int, known: int) -> bool:
        """Go on with a 1 where answers collided, note the 0 for later."""
        coll = self._chip.collision
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
                frame[3 + i] & ((1 << low) - 1) | self._chip.answer[1 + i - (known >> 3)] & mask
            )
        return not frame[3] ^ frame[4] ^ frame[5] ^ frame[6] ^ frame[7]

    async def _select(self, level: int) -> int:
        """SAK of the card whose UID part is in the frame, -1 when none answered well."""
        frame = self._frame
        self._address(level, 0x70)
        crc = crc_a(self._frame_view[1:], 7)
        frame[8] = crc & 0xFF
        frame[9] = crc >> 8
        answer = await self._chip.exchange(self._frame_view, 0)
        if not answer & RECEIVED or answer < 0 or answer & COLLISION or self._chip.received != 3:
            return -1
        heard = self._chip.answer
        if crc_a(heard[1:2], 1) != (heard[2] | heard[3] << 8):
            return -1
        return heard[1]

    def _address(self, level: int, nvb: int) -> None:
        self._frame[0] = _FIFO
        self._frame[1] = 0x93 + 2 * level
        self._frame[2] = nvb
