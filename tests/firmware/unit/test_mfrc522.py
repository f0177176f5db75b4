"""The RFID driver against the chip model, in simulated time."""

import gc
import random

import drivers.mfrc522 as driver
from drivers.fault import ChipFault
from drivers.mfrc522 import MFRC522
from port import block_ms, sleep_ms

from sim.chips.clock import ManualClock, real_us
from sim.chips.iso14443 import HALT, Card
from sim.chips.mfrc522 import MFRC522Model

FOUR = b"\x12\x34\x56\x78"
SEVEN = b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
TEN = b"\x04\x01\x02\x03\x04\x05\x06\x07\x08\x09"


def reason_in(fault):
    assert fault.chip == "rfid"
    assert 0 < len(fault.reason) <= 120
    return fault.reason


class CountingBus:
    """The model's SPI, which also counts what goes over it between two rests of the driver."""

    def __init__(self, model):
        self.model = model
        self.bytes = 0
        self.error = 0  # laid over ErrorReg
        self.error_in_collision = 0

    def write(self, buf):
        self.bytes += len(buf)
        self.model.write(buf)

    def write_readinto(self, out, into):
        self.bytes += len(out)
        self.model.write_readinto(out, into)
        if len(out) == 6 and out[1] == 0x80 | 0x06 << 1:
            into[2] |= self.error | (self.error_in_collision if into[2] & 0x08 else 0)


class Rig:
    """A started driver on a model; the driver's sleeps move the model's clock."""

    def __init__(self, started=True, **options):
        self.clock = ManualClock()
        self.model = MFRC522Model(self.clock, **options)
        self.bus = CountingBus(self.model)
        self.reader = MFRC522(self.bus, self.model.cs, self.model.rst)
        self.most = 0
        driver.sleep_ms = self.sleep_ms
        driver.block_ms = self.clock.pass_ms
        if started:
            self.reader.start()

    async def sleep_ms(self, ms):
        self.most = max(self.most, self.bus.bytes)
        self.bus.bytes = 0
        self.clock.pass_ms(ms)
        await sleep_ms(0)

    def put(self, *uids):
        cards = [Card(uid, wake_us=0) for uid in uids]
        for card in cards:
            self.model.field.put(card)
        return cards


async def fault_of(awaitable):
    """The reason of the ChipFault that it raises; None when it raises none."""
    try:
        await awaitable
    except ChipFault as fault:
        return reason_in(fault)
    return None


def fault_in(call):
    try:
        call()
    except ChipFault as fault:
        return reason_in(fault)
    return None


async def reads(rig, *uids):
    """Put cards with these UIDs: does the driver find exactly them?"""
    rig.model.field.clear()
    rig.put(*uids)
    return sorted(await rig.reader.uids()) == sorted(uids)


async def test_empty_field_has_no_uids():
    assert await Rig().reader.uids() == []


async def test_uids_of_all_three_lengths_are_read_whole():
    rig = Rig()
    assert await reads(rig, FOUR)
    assert await reads(rig, SEVEN)
    assert await reads(rig, TEN)


async def test_two_cards_are_told_apart_whichever_bit_differs():
    for options in ({}, {"collpos_from_uid": True}):
        rig = Rig(**options)
        for bit in range(32):
            other = bytearray(FOUR)
            other[bit >> 3] ^= 1 << (bit & 7)
            assert await reads(rig, FOUR, bytes(other)), (bit, options)


async def test_two_stickers_are_told_apart_whichever_bit_differs():
    for options in ({}, {"collpos_from_uid": True}):
        rig = Rig(**options)
        for bit in range(8, 56):
            other = bytearray(SEVEN)
            other[bit >> 3] ^= 1 << (bit & 7)
            assert await reads(rig, SEVEN, bytes(other)), (bit, options)


async def test_three_cards_at_once_are_all_read():
    rig = Rig()
    assert await reads(rig, FOUR, SEVEN, TEN)
    assert await reads(rig, b"\x00\x00\x00\x01", b"\x00\x00\x00\x02", b"\x00\x00\x00\x03")


async def test_cards_that_share_the_first_bytes_behind_the_cascade_tag_are_all_read():
    rig = Rig()
    twin = SEVEN[:6] + bytes((SEVEN[6] ^ 0x80,))
    longer = SEVEN + b"\x11\x22\x33"
    assert await reads(rig, SEVEN, twin, longer)
    assert await reads(rig, longer, longer[:9] + b"\xb3", SEVEN[:3] + TEN[:7])


async def test_random_crowds_of_cards_are_all_read():
    random.seed(7)
    for crowd in range(24):
        rig = Rig(seed=crowd + 1, collpos_from_uid=bool(crowd & 1))
        uids = set()
        while len(uids) < 2 + crowd % 5:
            length = (4, 7, 10)[random.getrandbits(8) % 3]
            # Few distinct values, so that prefixes are shared often.
            uids.add(bytes((0x04, 0x80, 0x84)[random.getrandbits(8) % 3] for _ in range(length)))
        assert await reads(rig, *uids), uids


async def test_cards_are_read_again_by_every_poll_although_they_were_halted():
    rig = Rig()
    cards = rig.put(FOUR, SEVEN)
    for _ in range(3):
        assert sorted(await rig.reader.uids()) == sorted((FOUR, SEVEN))
        assert [card.state for card in cards] == [HALT, HALT]


async def test_card_put_beside_a_halted_one_is_found():
    rig = Rig()
    rig.put(FOUR)
    assert await rig.reader.uids() == [FOUR]
    rig.put(SEVEN)
    assert sorted(await rig.reader.uids()) == sorted((FOUR, SEVEN))


class Thief:
    """Takes a card away when the reader sends its frame number `at`, counted from zero."""

    def __init__(self, field, card, at):
        self.field = field
        self.card = card
        self.at = at
        self.frames = 0
        field.watch = self

    def __call__(self, _value, _bits):
        if self.frames == self.at:
            self.field.take(self.card)
        self.frames += 1


async def test_card_taken_away_at_any_frame_of_the_dialogue_leaves_no_wrong_uid():
    leaves_at = -1
    thief = None
    while (
        thief is None or thief.frames > leaves_at
    ):  # until the dialogue was over before that frame
        leaves_at += 1
        rig = Rig()
        going, _ = rig.put(SEVEN, FOUR)
        thief = Thief(rig.model.field, going, leaves_at)
        found = await rig.reader.uids()
        assert set(found) <= {FOUR, SEVEN}, (leaves_at, found)
        rig.model.field.watch = None
        rig.model.field.take(going)
        assert await rig.reader.uids() == [FOUR], leaves_at
    assert leaves_at > 8


async def test_card_that_takes_its_time_to_wake_is_found_by_a_later_poll():
    rig = Rig()
    rig.model.field.put(Card(FOUR))
    assert await rig.reader.uids() == []
    rig.clock.pass_ms(5)
    assert await rig.reader.uids() == [FOUR]


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
        assert await reads(rig, FOUR, SEVEN), error


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
    assert len(rig.reader._branches) <= 24
    assert rig.clock.now - began < 1_500_000


async def test_missing_chip_is_reported_by_start_and_by_uids():
    for fault, reading in (("low", "00h"), ("high", "FFh")):
        rig = Rig()
        rig.model.fault = fault
        assert reading in await fault_of(rig.reader.uids())
        assert reading in fault_in(rig.reader.start)
        rig.model.fault = None
        rig.reader.start()
        assert await reads(rig, FOUR)


def test_unknown_version_is_refused_and_known_ones_are_not():
    for version in (0x92, 0x91, 0x88, 0x12):
        assert fault_in(Rig(started=False, version=version).reader.start) is None
    assert "37h" in fault_in(Rig(started=False, version=0x37).reader.start)


async def test_hanging_chip_is_reported_within_20_ms():
    rig = Rig()
    rig.model.fault = "stuck"
    began = rig.clock.now
    assert "hangs" in await fault_of(rig.reader.uids())
    assert rig.clock.now - began < 20_000


async def test_chip_that_reset_itself_is_reported_and_works_after_start():
    rig = Rig()
    rig.put(FOUR)
    rig.model.brown_out()
    rig.clock.pass_ms(100)
    assert "settings" in await fault_of(rig.reader.uids())
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


async def reads_nothing(reader):
    assert await reader.uids() == []


async def test_thousands_of_random_answers_neither_crash_nor_make_a_uid():
    random.seed(11)
    rig = Rig(started=False)
    reader = MFRC522(RandomBus(), rig.model.cs, rig.model.rst)
    for _ in range(1500):
        await fault_of(reads_nothing(reader))


async def test_empty_poll_takes_one_frame_and_a_millisecond():
    rig = Rig()
    frames = []
    rig.model.field.watch = lambda value, bits: frames.append((value, bits))
    began = rig.clock.now
    await rig.reader.uids()
    assert frames == [(0x52, 7)]
    assert rig.clock.now - began <= 1_000


async def test_event_loop_is_never_held_for_more_than_50_bytes_on_the_bus():
    rig = Rig()
    rig.put(FOUR, SEVEN, TEN)
    rig.bus.bytes = rig.most = 0
    await rig.reader.uids()
    assert 0 < rig.most <= 50


class SilentBus:
    """A chip in whose field there is never a card; allocates nothing itself."""

    def write(self, buf):
        pass

    def write_readinto(self, _out, into):
        into[1] = 0x41  # sent, timed out


async def test_empty_poll_allocates_less_than_half_a_kilobyte():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not count
    Rig(started=False)
    driver.sleep_ms = sleep_ms
    reader = MFRC522(SilentBus(), lambda _level: None, lambda _level: None)
    await reader.uids()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(10):
        await reader.uids()
    used = (gc.mem_alloc() - before) // 10
    gc.enable()
    assert used < 512, used


async def test_in_real_time_a_card_is_read_within_200_ms():
    driver.sleep_ms, driver.block_ms = sleep_ms, block_ms
    model = MFRC522Model(real_us)
    reader = MFRC522(model, model.cs, model.rst)
    reader.start()
    model.field.put(Card(SEVEN, wake_us=0))
    began = real_us()
    assert await reader.uids() == [SEVEN]
    assert real_us() - began < 200_000
