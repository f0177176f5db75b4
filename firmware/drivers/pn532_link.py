"""The host link of a PN532: commands, acknowledgements and answers in checked frames.

Source: NXP UM0701-02 rev. 02, 6.2.1 (frames) and 6.2.2 (dialogue).

A frame is protected by two sums of eight bits only, which two wrong bytes defeat once in 256
times. So an answer that carries a UID is fetched twice, the second time by a NACK, which asks the
chip to send the same frame again, and believed when both are alike.
"""

from drivers.fault import ChipFault
from drivers.pn532_bus import LONGEST
from port import const, sleep_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.pn532_bus import Bus

_TO_CHIP = const(0xD4)
_FROM_CHIP = const(0xD5)
_SYNTAX_ERROR = const(0x7F)

_ACK_FRAME = b"\x00\x00\xff\x00\xff\x00"
_NACK_FRAME = b"\x00\x00\xff\xff\x00\x00"

# What a read may turn out to be.
_NOTHING = const(0)
_ACK = const(1)
_NACK = const(2)
_ERROR = const(3)
_ANSWER = const(4)

_WAKE_MS = const(2)
_ACK_LOOKS = const(20)  # at one a millisecond; the chip acknowledges within 15 ms (6.2.2)
_TRIES = const(3)
_FETCHES = const(4)


def frame(body: bytes) -> bytes:
    """A command (its code and parameters, at most 7 bytes here) as a frame."""
    length = len(body) + 1
    total = _TO_CHIP
    for byte in body:
        total += byte
    head = bytes((0, 0, 0xFF, length, -length & 0xFF, _TO_CHIP))
    return head + body + bytes((-total & 0xFF, 0))


class Link:
    """Sends commands over a bus and fetches their answers. Not re-entrant.

    Args:
        bus: `drivers.pn532_bus.SPIBus` or `drivers.pn532_i2c.I2CBus`.

    Attributes:
        answer: parameters of the last answer, from index 0 on.
        tries: how often the last command was sent until it was answered.
    """

    def __init__(self, bus: "Bus") -> None:
        self.answer = bytearray(LONGEST)
        self.tries = 0
        self._bus = bus
        self._in = bytearray(LONGEST)
        self._start = 0  # of the parameters in what was read, and their number
        self._length = 0
        self._kept = -1  # how many parameters `answer` holds; -1 when none
        self._status = 0
        self._heard = _NOTHING
        self._acknowledged = False

    async def command(self, sent: bytes, looks: int, twice: bool) -> int:
        """Carry out a command; its answer is left in `answer`.

        The event loop is held for one read at a stretch, about a millisecond.

        Args:
            sent: the command, from `frame`.
            looks: how many milliseconds the answer may take.
            twice: fetch the answer twice, unless it is a single zero.

        Returns:
            How many bytes `answer` holds.

        Raises:
            ChipFault: three tries did not bring an answer to this command.
        """
        self.tries = 0
        while self.tries < _TRIES:
            self.tries += 1
            self._kept = -1
            self._bus.begin()
            await sleep_ms(_WAKE_MS)
            self._bus.write(sent)
            self._acknowledged = await self._ready(_ACK_LOOKS) and self._read() == _ACK
            if self._acknowledged:
                for _ in range(_FETCHES):
                    if not await self._ready(looks):
                        break
                    if self._read() == _ANSWER and self._take(sent[6] + 1, twice):
                        return self._length
                    self._bus.write(_NACK_FRAME)
            self._bus.write(_ACK_FRAME)  # ends whatever the chip is busy with (6.2.1.3)
        raise ChipFault("rfid", self._why())

    async def _ready(self, looks: int) -> bool:
        """Wait until a frame can be fetched."""
        for _ in range(looks):
            await sleep_ms(1)
            self._status = self._bus.status()
            if self._status & 1 and self._status not in (-1, 0xFF):
                return True
        self._heard = _NOTHING
        return False

    def _read(self) -> int:
        """Fetch a frame: what is it? Any number of zeros may precede it (6.2.1.6)."""
        data = self._in
        self._bus.read(data)
        self._heard = _NOTHING
        for i in range(1, LONGEST - 5):
            if data[i] == 0 and data[i + 1] == 0xFF:
                self._heard = self._recognise(i + 2)
                if self._heard:
                    break
        return self._heard

    def _recognise(self, at: int) -> int:
        """What begins with the length byte at `at`."""
        data = self._in
        length, check = data[at], data[at + 1]
        if (length == 0) != (check == 0) and length + check == 0xFF and data[at + 2] == 0:
            return _ACK if check else _NACK
        end = at + 2 + length  # where the checksum is
        if not length or (length + check) & 0xFF or end + 1 >= LONGEST or data[end + 1]:
            return _NOTHING
        total = 0
        for i in range(at + 2, end + 1):
            total += data[i]
        if total & 0xFF:
            return _NOTHING
        self._start = at + 4
        self._length = length - 2
        if length == 1 and data[at + 2] == _SYNTAX_ERROR:
            return _ERROR
        return _ANSWER if length > 1 and data[at + 2] == _FROM_CHIP else _NOTHING

    def _take(self, code: int, twice: bool) -> bool:
        """Keep the answer if it is to this command; may it be believed?"""
        data, start, length = self._in, self._start, self._length
        if data[start - 1] != code:
            return False
        same = self._kept == length
        for i in range(length):
            same = same and self.answer[i] == data[start + i]
            self.answer[i] = data[start + i]
        self._kept = length
        return same or not twice or (length == 1 and not data[start])

    def _why(self) -> str:
        """What is wrong, in a sentence, from what was heard last."""
        if self._heard in (_NACK, _ERROR):
            return "refuses a command that every PN532 knows: another chip, or noise on its wires"
        if self._status == -1:
            return "no acknowledge at address 24h: no power, no wiring, or not switched to I2C"
        if self._acknowledged and self._status == 0:
            return "does not finish a command: it hangs or lost its settings; start it again"
        if self._status in (0, 0xFF):
            return "reads %02Xh only: no power, no wiring, not switched to %s, or it hangs" % (
                self._status,
                self._bus.name,
            )
        return "answers in garbled frames: noise on its wires, or a bus that is too fast"
