"""The RFID driver against the chip model: cards that keep to the standard; what a poll takes."""

import gc
import random

import drivers.mfrc522 as driver
from drivers.mfrc522 import MFRC522
from port import block_ms, sleep_ms
from sim.chips.clock import real_us
from sim.chips.iso14443 import HALT, Card
from sim.chips.mfrc522 import MFRC522Model
from tests.firmware.unit.mfrc522_rig import Rig
from tests.firmware.unit.reader_rig import FOUR, SEVEN, TEN


async def test_empty_field_has_no_uids():
    assert await Rig().reader.uids() == []


async def test_uids_of_all_three_lengths_are_read_whole():
    rig = Rig()
    assert await rig.reads(FOUR)
    assert await rig.reads(SEVEN)
    assert await rig.reads(TEN)


async def test_two_cards_are_told_apart_whichever_bit_differs():
    for options in ({}, {"collpos_from_uid": True}):
        rig = Rig(**options)
        for bit in range(32):
            other = bytearray(FOUR)
            other[bit >> 3] ^= 1 << (bit & 7)
            assert await rig.reads(FOUR, bytes(other)), (bit, options)


async def test_two_stickers_are_told_apart_whichever_bit_differs():
    for options in ({}, {"collpos_from_uid": True}):
        rig = Rig(**options)
        for bit in range(8, 56):
            other = bytearray(SEVEN)
            other[bit >> 3] ^= 1 << (bit & 7)
            assert await rig.reads(SEVEN, bytes(other)), (bit, options)


async def test_three_cards_at_once_are_all_read():
    rig = Rig()
    assert await rig.reads(FOUR, SEVEN, TEN)
    assert await rig.reads(b"\x00\x00\x00\x01", b"\x00\x00\x00\x02", b"\x00\x00\x00\x03")


async def test_cards_that_share_the_first_bytes_behind_the_cascade_tag_are_all_read():
    rig = Rig()
    twin = SEVEN[:6] + bytes((SEVEN[6] ^ 0x80,))
    longer = SEVEN + b"\x11\x22\x33"
    assert await rig.reads(SEVEN, twin, longer)
    assert await rig.reads(longer, longer[:9] + b"\xb3", SEVEN[:3] + TEN[:7])


async def test_random_crowds_of_cards_are_all_read():
    random.seed(7)
    for crowd in range(24):
        rig = Rig(seed=crowd + 1, collpos_from_uid=bool(crowd & 1))
        uids = set()
        while len(uids) < 2 + crowd % 5:
            length = (4, 7, 10)[random.getrandbits(8) % 3]
            # Few distinct values, so that prefixes are shared often.
            uids.add(bytes((0x04, 0x80, 0x84)[random.getrandbits(8) % 3] for _ in range(length)))
        assert await rig.reads(*uids), uids


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
