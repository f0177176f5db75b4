"""The wires of a desk unit's own chips. Runs on CPython and on MicroPython.

What a wire is: `wires.py`.
"""

from drivers import mfrc522, pn532, pn532_link
from drivers.fault import ChipFault
from drivers.iso14443 import COLLISION, RECEIVED, Search, crc_a
from drivers.ld2410_setup import ConfigurableLD2410
from drivers.mfrc522 import MFRC522
from sim.chips.clock import ManualClock
from sim.chips.iso14443 import Card
from sim.chips.mfrc522 import MFRC522Model
from sim.chips.pn532_firmware import ACK, packed
from tests.fuzz.rubbish import check


def finish(coroutine):
    """Run a coroutine that never really waits."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def check_uids(uids):
    """All are complete UIDs."""
    for uid in uids:
        check(type(uid) is bytes and len(uid) in (4, 7, 10), "a UID")
    return bool(uids)


class Radar:
    """The radar's UART."""

    name = "radar (UART)"

    def __init__(self):
        basic = b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa\x03\x51\x00\x3c\x00\x01\x14\x78\x00\x55\x00"
        ack = b"\xfd\xfc\xfb\xfa\x04\x00\xfe\x01\x00\x00\x04\x03\x02\x01"
        self.good = [basic + b"\xf8\xf7\xf6\xf5", ack]
        self.good.append(self.good[0] + ack + self.good[0])
        self._data = b""
        self._radar = ConfigurableLD2410(self)

    def any(self):
        return len(self._data)

    def readinto(self, into, count):
        part, self._data = self._data[:count], self._data[count:]
        into[: len(part)] = part
        return len(part)

    def feed(self, data, _draw):
        self._data = data
        reports = 0
        while self._data:
            reports += self._radar.receive()
        radar = self._radar
        check(0 <= radar.state <= 6, "a state")
        for value in (radar.moving_cm, radar.still_cm, radar.detection_cm):
            check(0 <= value < 65536, "a distance")
        check(radar._count < len(radar._frame), "the buffer")
        try:
            radar.check(0)
        except ChipFault as fault:
            check(len(fault.reason) <= 120, "a reason")
        return reports > 0


class Mfrc522:
    """The MFRC522's SPI: a chip with cards in its field, whose every answer may be damaged.

    The bytes are laid over what the chip says (exclusive or); a quarter of them are all that it
    says. No UID may come out but those of the cards.
    """

    name = "MFRC522 (SPI)"
    good = [
        bytes(300),
        bytes(40) + b"\x01" + bytes(80),
        b"\x92\x30\x00\x02\x10\x20\x04\x00\x80\x03",
    ]
    UIDS = (b"\x04\xa1\xb2\xc3\xd4\xe5\xf6",)

    def __init__(self):
        mfrc522.sleep_ms = self._sleep_ms
        self._clock = ManualClock()
        mfrc522.block_ms = self._clock.pass_ms
        self._data = bytes(1)
        self._at = 0
        self._whole = False
        self._chip = MFRC522Model(self._clock)
        for uid in self.UIDS:
            self._chip.field.put(Card(uid, wake_us=0))
        self._reader = MFRC522(self, self._chip.cs, self._chip.rst)
        self._reader.start()

    async def _sleep_ms(self, ms):
        self._clock.pass_ms(ms)

    def write(self, data):
        self._chip.write(data)

    def write_readinto(self, out, into):
        self._chip.write_readinto(out, into)
        data = self._data
        for i in range(len(out)):
            over = data[(self._at + i) % len(data)]
            into[i] = over if self._whole else into[i] ^ over
        self._at += len(out)

    def feed(self, data, draw):
        self._data = data or bytes(1)
        self._at = 0
        self._whole = not draw.below(4)
        found = False
        try:
            uids = finish(self._reader.uids())
            found = check_uids(uids)
            check(all(uid in self.UIDS for uid in uids), "a UID that no card has")
        except ChipFault as fault:
            check(len(fault.reason) <= 120, "a reason")
        self._data, self._whole = bytes(1), False
        self._reader.start()
        return found


class Pn532:
    """A PN532's frames, behind a bus on which every read may be anything; twice the same, often.

    What it says is believed when it is well formed and comes twice alike, so any UID may come
    out, but none that can't be one.
    """

    name = "PN532 (frames)"

    def __init__(self):
        pn532.sleep_ms = pn532_link.sleep_ms = self._sleep_ms
        pn532.block_ms = lambda ms: None
        version, done = packed(b"\x03\x32\x01\x06\x07"), packed(b"\x33")
        one = b"\x01\x00\x04\x08\x04\xa1\xb2\xc3\xd4"
        two = b"\x02\x00\x44\x00\x07\x04\xa1\xb2\xc3\xd4\xe5\xf6"
        self.good = [
            packed(b"\x4b\x01" + one),
            packed(b"\x4b\x02" + one + two),
            packed(b"\x4b\x00"),
            version,
            done,
            ACK + packed(b"\x4b\x01" + one),
        ]
        self._data = b""
        self._draw = None
        self._reader = pn532.PN532(self, lambda level: None)

    async def _sleep_ms(self, _ms):
        pass

    def begin(self):
        """Wake the chip."""

    def write(self, frame):
        """Whatever is asked, what it says next is an acknowledgement, or not quite."""
        self._acknowledges = self._draw.below(16) > 0

    def status(self):
        """Mostly ready."""
        return self._draw.choice((1, 1, 1, 1, 1, 1, 1, 0, 0xFF, -1))

    def read(self, into):
        """An acknowledgement after each command, then the hostile bytes."""
        said = ACK if self._acknowledges else self._data
        self._acknowledges = False
        part = (b"\x00" + said + bytes(len(into)))[: len(into)]
        into[:] = part

    def feed(self, data, draw):
        self._data, self._draw = data, draw
        reader = self._reader
        reader.start()
        reader._working = draw.below(8) > 0  # most polls are of a chip that is set up already
        reader._wake_in = 1
        try:
            return check_uids(finish(reader.uids()))
        except ChipFault as fault:
            check(len(fault.reason) <= 120, "a reason")
        return False


class Cards:
    """Answers of cards on the air, behind a reader that works: lengths, collisions, SAKs, CRCs."""

    name = "cards (ISO 14443-3)"
    good = [b"\x04\x00\x04\xa1\xb2\xc3\x08", b"\x88\x04\xa1\xb2\x04\xd4\xe5\xf6\x07\x00"]

    def __init__(self):
        self.answer = bytearray(6)
        self.received = 0
        self.collision = 0
        self._search = Search(self)
        self._data = b""
        self._draw = None

    async def exchange(self, frame, _framing):
        """Answers that are often well formed, as hostile cards can make them."""
        draw, data = self._draw, self._data
        if not data or not draw.below(16):
            return draw.choice((0, -1, RECEIVED, RECEIVED | COLLISION))
        self._data = data[1:]
        part = (data + bytes(6))[:6]
        self.answer[:] = part
        self.collision = part[1]
        self.received = draw.choice((2, 3, 5, part[0] % 7))
        if len(frame) == 9 or draw.below(4) == 0:
            crc = crc_a(self.answer[1:2], 1)
            self.answer[2:4] = bytes((crc & 255, crc >> 8))
            self.received = 3
        elif draw.below(4):
            self.received = 5
            body = self.answer[1:5]
            self.answer[5] = body[0] ^ body[1] ^ body[2] ^ body[3]
        return RECEIVED | (COLLISION if draw.below(4) == 0 else 0)

    def feed(self, data, draw):
        self._data = data[:200]
        self._draw = draw
        return check_uids(finish(self._search.uids()))


CHIP_WIRES = (Radar, Mfrc522, Pn532, Cards)
