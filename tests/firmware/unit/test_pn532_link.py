"""The PN532 driver against chips that answer wrongly: made-up, altered and random frames."""

import random

from drivers.fault import ChipFault
from drivers.pn532 import PN532
from sim.chips.pn532_firmware import ACK, NACK, packed
from tests.firmware.unit.pn532_rig import Rig
from tests.firmware.unit.reader_rig import FOUR, SEVEN


class Wrong:
    """A bus of a chip that sends what it is told to, whatever it is asked."""

    name = "SPI"

    def __init__(self, *answers):
        self.answers = answers
        self.command = self.turn = 0

    def begin(self):
        pass

    def write(self, frame):
        if frame not in (ACK, NACK):
            self.command = frame[6]
            self.turn = 0

    def status(self):
        return 1

    def read(self, into):
        data = self.says()
        self.turn += 1
        for i in range(len(into)):
            into[i] = data[i - 1] if 0 < i <= len(data) else 0

    def says(self):
        """The acknowledgement, then the answers; the last of them again and again."""
        if self.turn == 0:
            return ACK
        if self.command == 0x4A:
            return self.answers[min(self.turn, len(self.answers)) - 1]
        return packed(bytes((self.command + 1, 0x32)))


def listing(*targets):
    """An answer to InListPassiveTarget with targets (SAK, UID)."""
    body = bytes((0x4B, len(targets)))
    for number in range(len(targets)):
        sak, uid = targets[number]
        body += bytes((number + 1, 0, 0x44, sak, len(uid))) + uid
    return packed(body)


async def answered(*answers):
    """What the driver makes of these answers to its listing: UIDs or "fault"."""
    Rig()  # simulated time
    try:
        return await PN532(Wrong(*answers), lambda _level: None).uids()
    except ChipFault:
        return "fault"


async def test_answer_is_believed_only_when_it_came_twice_alike():
    right, other = listing((8, FOUR)), listing((8, b"\x12\x34\x57\x77"))
    assert await answered(right) == [FOUR]
    assert await answered(other, right, right) == [FOUR]
    assert await answered(right, other, right, other) == "fault"


async def test_noise_that_leaves_the_checksum_right_never_invents_a_uid():
    random.seed(3)
    believed = 0
    for _ in range(60):
        answers = []
        for _ in range(12):
            data = bytearray(listing((8, FOUR)))
            if random.getrandbits(1):
                at, by = 12 + random.getrandbits(8) % 3, 1 + random.getrandbits(7)
                data[at] = data[at] + by & 0xFF
                data[at + 1] = data[at + 1] - by & 0xFF
            answers.append(bytes(data))
        found = await answered(*answers)
        assert found in ([FOUR], "fault")
        believed += found == [FOUR]
    assert believed > 20


async def test_frame_with_any_byte_wrong_is_not_believed():
    good = listing((8, FOUR))
    for at in range(1, len(good) - 1):
        wrong = bytearray(good)
        wrong[at] ^= 0x10
        assert await answered(bytes(wrong)) == "fault", at


async def test_preamble_of_any_length_is_skipped():
    for zeros in range(4):
        assert await answered(bytes(zeros) + listing((8, SEVEN))) == [SEVEN]


async def test_listing_that_does_not_add_up_is_a_fault_and_not_a_uid():
    for answer in (
        packed(b"\x4b"),
        packed(b"\x4b\x03"),
        packed(b"\x4b\x01"),
        packed(b"\x4b\x00\x01"),
        packed(b"\x4b\x01\x02\x00\x04\x08\x04" + FOUR),  # target number
        packed(b"\x4b\x01\x01\x00\x04\x08\x04" + FOUR + b"\x00"),  # something behind
        packed(b"\x4b\x01\x01\x00\x04\x08\x05" + FOUR),  # longer than the frame
        packed(b"\x4b\x02\x01\x00\x04\x08\x04" + FOUR),  # one of two
        packed(b"\x4b\x01\x01\x00\x04\x08\xff" + FOUR),
        listing((8, b"\x01\x02\x03")),
        listing((8, b"\x01\x02\x03\x04\x05")),
        listing((8, b"\x88\x04\x01\x02")),  # the first part of a longer UID
        listing((0x0C, FOUR)),  # a SAK that says the same
        listing((8, FOUR), (8, SEVEN), (8, FOUR)),
        packed(b"\x61\x01\x01\x00\x04\x08\x04" + FOUR),  # the answer to another command
    ):
        assert await answered(answer) == "fault", answer


class Busy(Wrong):
    """A chip whose line is not driven for a while after every command."""

    def __init__(self, status):
        Wrong.__init__(self, listing((8, FOUR)))
        self.idle = status
        self.looks = self.commands = 0

    def write(self, frame):
        Wrong.write(self, frame)
        self.looks = 0
        self.commands += 1

    def status(self):
        self.looks += 1
        return self.idle if self.looks <= 5 else 1

    def says(self):
        assert self.looks > 5
        return Wrong.says(self)


async def test_line_that_nobody_drives_is_waited_for_and_not_read():
    for status in (0x00, 0xFF, -1):
        rig = Rig()
        bus = Busy(status)
        rig.reader = PN532(bus, lambda _level: None)
        assert await rig.reader.uids() == [FOUR]
        assert bus.commands <= 10


async def test_card_that_is_listed_twice_is_one_uid():
    assert await answered(listing((0, SEVEN), (0, SEVEN))) == [SEVEN]


class Stranger(Wrong):
    """A chip that says it is something else."""

    def says(self):
        if self.turn and self.command == 0x02:
            return packed(b"\x03\x33")
        return Wrong.says(self)


async def test_chip_that_says_it_is_none_is_refused():
    rig = Rig()
    rig.reader = PN532(Stranger(listing((8, FOUR))), lambda _level: None)
    assert "33h" in await rig.fault()


class RandomBus:
    """A chip that is always ready, with random bytes, often from well-formed frames."""

    name = "SPI"
    lure = ACK + NACK + listing((8, FOUR))

    def begin(self):
        pass

    def write(self, frame):
        pass

    def status(self):
        return random.getrandbits(8)

    def read(self, into):
        at = random.getrandbits(5) % len(self.lure) if random.getrandbits(1) else 0
        for i in range(len(into)):
            byte = random.getrandbits(8) if random.getrandbits(4) == 0 else 0
            into[i] = byte or self.lure[(at + i) % len(self.lure)]


async def test_thousands_of_random_answers_neither_crash_nor_make_a_uid():
    random.seed(11)
    rig = Rig()
    reader = PN532(RandomBus(), lambda _level: None)
    for _ in range(100):
        reader._working = True  # past the set-up, which would hide the listing
        reader._wake_in = 1
        try:
            assert await reader.uids() in ([], [FOUR])
        except ChipFault:
            pass
    assert rig.clock.now > 1_000_000
