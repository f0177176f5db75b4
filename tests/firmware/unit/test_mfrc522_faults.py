"""The RFID driver when things go wrong: cards that lie, a jammed field, a failing chip or wires."""

import random

from drivers.fault import ChipFault
from drivers.mfrc522 import MFRC522
from sim.chips.iso14443 import Card
from tests.firmware.unit.mfrc522_rig import Rig, fault_in
from tests.firmware.unit.reader_rig import FOUR, SEVEN, reason_in


class WrongBcc(Card):
    """A card whose BCC is wrong, and which is content to be selected with it."""

    def answer(self, value, bits):
        if bits == 72:
            return int.from_bytes(b"\x08\xb6\xdd", "little"), 24
        reply = Card.answer(self, value, bits)
        if reply and reply[1] == 40:
            return reply[0] ^ 1 << 39, 40
        return reply


class WrongCrc(Card):
    """A card whose SAK has a wrong CRC."""

    def answer(self, value, bits):
        reply = Card.answer(self, value, bits)
        if reply and reply[1] == 24:
            return reply[0] ^ 1 << 20, 24
        return reply


class Unfinished(Card):
    """A card with four bytes whose SAK claims that more follow."""

    def answer(self, value, bits):
        reply = Card.answer(self, value, bits)
        if reply and reply[1] == 24:
            return int.from_bytes(b"\x04\xda\x17", "little"), 24
        return reply


async def test_uid_with_a_wrong_bcc_or_crc_or_sak_is_not_believed():
    for kind in (WrongBcc, WrongCrc, Unfinished):
        rig = Rig()
        rig.model.field.put(kind(FOUR, wake_us=0))
        assert await rig.reader.uids() == [], kind


class TooSoon(Card):
    """A sticker whose first SAK claims that its UID ends there."""

    def answer(self, value, bits):
        reply = Card.answer(self, value, bits)
        if reply and reply[1] == 24:
            return int.from_bytes(b"\x08\xb6\xdd", "little"), 24
        return reply


async def test_first_part_of_a_longer_uid_is_never_taken_for_a_uid():
    rig = Rig()
    rig.model.field.put(TooSoon(SEVEN, wake_us=0))
    assert await rig.reader.uids() == []


class Hiccup(WrongBcc):
    """A card whose first answer to ANTICOLLISION is garbled."""

    garbled = False

    def answer(self, value, bits):
        kind = Card if self.garbled else WrongBcc
        reply = kind.answer(self, value, bits)
        self.garbled = self.garbled or bool(reply and reply[1] == 40)
        return reply


async def test_answer_that_is_garbled_once_is_asked_for_again():
    rig = Rig()
    rig.model.field.put(Hiccup(FOUR, wake_us=0))
    assert await rig.reader.uids() == [FOUR]


async def test_answer_with_a_parity_protocol_crc_or_overflow_error_is_not_believed():
    for error in (0x01, 0x02, 0x04, 0x10):
        rig = Rig()
        rig.put(FOUR)
        rig.bus.error = error
        assert await rig.reader.uids() == [], error


async def test_collision_counts_even_when_parity_or_protocol_suffer_from_it():
    for error in (0x01, 0x02, 0x03):
        rig = Rig()
        rig.bus.error_in_collision = error
        assert await rig.reads(FOUR, SEVEN), error


class Jammer:
    """Answers every ANTICOLLISION: two of them collide at the very next bit, all the time."""

    wake_us = 0

    def __init__(self, bit):
        self.bit = bit

    def power(self, on):
        pass

    def answer(self, _value, bits):
        if bits == 7:
            return 0x04, 16
        return (self.bit, 56 - bits) if 16 <= bits < 56 else None


async def test_jammed_field_ends_in_bounded_time_and_memory():
    rig = Rig()
    rig.model.field.put(Jammer(0))
    rig.model.field.put(Jammer(1))
    began = rig.clock.now
    assert await rig.reader.uids() == []
    assert len(rig.reader._search._branches) <= 24
    assert rig.clock.now - began < 1_500_000


async def test_missing_chip_is_reported_by_start_and_by_uids():
    for fault, reading in (("low", "00h"), ("high", "FFh")):
        rig = Rig()
        rig.model.fault = fault
        assert reading in await rig.fault()
        assert reading in fault_in(rig.reader.start)
        rig.model.fault = None
        rig.reader.start()
        assert await rig.reads(FOUR)


def test_unknown_version_is_refused_and_known_ones_are_not():
    for version in (0x92, 0x91, 0x88, 0x12):
        assert fault_in(Rig(started=False, version=version).reader.start) is None
    assert "37h" in fault_in(Rig(started=False, version=0x37).reader.start)


async def test_hanging_chip_is_reported_within_20_ms():
    rig = Rig()
    rig.model.fault = "stuck"
    began = rig.clock.now
    assert "hangs" in await rig.fault()
    assert rig.clock.now - began < 20_000


async def test_chip_that_reset_itself_is_reported_and_works_after_start():
    rig = Rig()
    rig.put(FOUR)
    rig.model.brown_out()
    rig.clock.pass_ms(100)
    assert "settings" in await rig.fault()
    assert "settings" in fault_in(rig.reader.check)
    rig.reader.start()
    rig.reader.check()
    assert await rig.reader.uids() == [FOUR]


def test_self_test_notices_an_antenna_that_is_off():
    rig = Rig()
    rig.reader.check()
    rig.model.cs(0)
    rig.model.write(b"\x28\x80")
    rig.model.cs(1)
    assert "settings" in fault_in(rig.reader.check)


async def test_noise_on_the_wires_never_invents_a_uid():
    polls = faults = 0
    for per_mille in (3, 30, 200, 1000):
        rig = Rig(seed=per_mille)
        rig.put(FOUR, SEVEN)
        rig.model.noise_per_mille = per_mille
        for _ in range(60):
            rig.model.fault = "noise"
            polls += 1
            try:
                found = await rig.reader.uids()
                assert set(found) <= {FOUR, SEVEN}, found
            except ChipFault:
                faults += 1
                rig.model.fault = None
                rig.reader.start()
    assert 60 <= faults < polls


class RandomBus:
    """Answers every read with random bytes."""

    def write(self, buf):
        pass

    def write_readinto(self, _out, into):
        for i in range(len(into)):
            into[i] = random.getrandbits(8)


async def test_thousands_of_random_answers_neither_crash_nor_make_a_uid():
    random.seed(11)
    rig = Rig(started=False)
    reader = MFRC522(RandomBus(), rig.model.cs, rig.model.rst)
    for _ in range(1500):
        try:
            assert await reader.uids() == []
        except ChipFault as fault:
            reason_in(fault)
