"""The PN532 driver against the chip model, on each of its buses, in simulated time."""

import gc
import random

import drivers.pn532 as driver
import drivers.pn532_link as link
from drivers.fault import ChipFault
from drivers.pn532 import PN532
from drivers.pn532_bus import SPIBus
from port import block_ms, sleep_ms
from sim.chips.clock import real_us
from sim.chips.iso14443 import HALT, Card
from sim.chips.pn532 import PN532Model
from sim.chips.pn532_firmware import ACK, packed
from tests.firmware.unit.pn532_rig import BUSES, Rig
from tests.firmware.unit.reader_rig import FOUR, SEVEN, TEN


def complaint(reader):
    """What the self-test complains of."""
    try:
        reader.check()
    except ChipFault as fault:
        return fault.reason
    return None


async def test_uids_of_all_three_lengths_are_read_whole_on_every_bus():
    for bus in BUSES:
        rig = Rig(bus)
        assert await rig.reader.uids() == []
        for uid in (FOUR, SEVEN, TEN):
            assert await rig.reads(uid), (bus, uid)


async def test_two_cards_are_told_apart_whichever_bit_differs():
    rig = Rig()
    for uid, bits in ((FOUR, range(32)), (SEVEN, range(8, 56))):
        for bit in bits:
            other = bytearray(uid)
            other[bit >> 3] ^= 1 << (bit & 7)
            assert await rig.reads(uid, bytes(other)), bit


async def test_random_pairs_of_cards_are_both_read():
    random.seed(7)
    rig = Rig()
    for _ in range(40):
        pair = set()
        while len(pair) < 2:
            length = (4, 7, 10)[random.getrandbits(8) % 3]
            # Few distinct values, so that prefixes are shared often.
            pair.add(bytes((0x04, 0x80, 0x84)[random.getrandbits(8) % 3] for _ in range(length)))
        assert await rig.reads(*pair), pair


async def test_of_three_cards_two_are_read_and_the_third_when_one_has_left():
    rig = Rig()
    cards = rig.put(FOUR, SEVEN, TEN)
    found = await rig.reader.uids()
    assert len(found) == 2
    assert set(found) < {FOUR, SEVEN, TEN}
    for card in cards:
        if card.uid == found[0]:
            rig.model.field.take(card)
    assert set(await rig.reader.uids()) == {FOUR, SEVEN, TEN} - {found[0]}


async def test_cards_are_read_again_by_every_poll_although_they_were_listed():
    for bus in BUSES:
        rig = Rig(bus)
        rig.put(FOUR, SEVEN)
        for _ in range(4):
            assert sorted(await rig.reader.uids()) == sorted((FOUR, SEVEN))


async def test_cards_of_a_listing_that_was_never_fetched_are_read_by_the_next_poll():
    rig = Rig()
    await rig.reader.uids()
    rig.put(FOUR)
    rig.bus.lost = 4
    assert await rig.reader.uids() == []
    assert rig.bus.lost == 0
    assert await rig.reader.uids() == [FOUR]


async def test_card_that_got_into_a_silent_state_is_read_by_one_of_the_next_ten_polls():
    rig = Rig()
    await rig.reader.uids()
    (card,) = rig.put(FOUR)
    card.state = HALT
    polls = 1
    while await rig.reader.uids() != [FOUR]:
        polls += 1
    assert 1 < polls <= 10


async def test_field_is_off_and_on_for_as_long_as_cards_need():
    rig = Rig()
    rig.put(FOUR)
    await rig.reader.uids()
    rig.bus.sent.clear()
    rig.bus.sent_at.clear()
    assert await rig.reader.uids() == [FOUR]
    assert [sent[6:-2] for sent in rig.bus.sent[:2]] == [b"\x32\x01\x00", b"\x32\x01\x01"]
    off, on, asked = rig.bus.sent_at[:3]
    assert on - off >= 5_100 + 2_000  # 2 ms for the chip to carry it out
    assert asked - on >= 5_000 + 2_000


async def test_card_put_beside_a_listed_one_is_found():
    rig = Rig()
    rig.put(FOUR)
    assert await rig.reader.uids() == [FOUR]
    rig.put(SEVEN)
    assert sorted(await rig.reader.uids()) == sorted((FOUR, SEVEN))


async def test_card_that_takes_its_time_to_wake_is_read_by_every_poll():
    rig = Rig()
    await rig.reader.uids()
    rig.model.field.put(Card(FOUR))
    rig.clock.pass_ms(5)
    for _ in range(3):
        assert await rig.reader.uids() == [FOUR]


async def test_card_that_speaks_iso_14443_4_is_asked_for_its_uid_only():
    rig = Rig()
    rig.model.field.put(Card(SEVEN, sak=0x20, wake_us=0))
    assert await rig.reader.uids() == [SEVEN]


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
    while thief is None or thief.frames > leaves_at:  # until the dialogue was over before that
        leaves_at += 1
        rig = Rig()
        going, _ = rig.put(SEVEN, FOUR)
        thief = Thief(rig.model.field, going, leaves_at)
        found = await rig.reader.uids()
        assert set(found) <= {FOUR, SEVEN}, (leaves_at, found)
        rig.model.field.watch = None
        rig.model.field.take(going)
        await rig.reader.uids()  # a card that was lost sight of may need a poll to recover
        assert await rig.reader.uids() == [FOUR], leaves_at
    assert leaves_at > 8


async def test_missing_chip_is_reported_and_works_when_it_is_there():
    for bus, fault, says in (
        ("spi", "low", "00h"),
        ("spi", "high", "FFh"),
        ("i2c", "low", "24h"),
    ):
        rig = Rig(bus)
        rig.model.fault = fault
        assert says in await rig.fault()
        assert says in complaint(rig.reader)
        rig.model.fault = None
        rig.reader.start()
        assert await rig.reads(FOUR)
        assert complaint(rig.reader) is None


async def test_chip_that_goes_missing_later_is_reported_by_the_next_poll():
    for bus in BUSES:
        rig = Rig(bus)
        assert await rig.reads(FOUR)
        rig.model.fault = "low"
        assert await rig.fault()
        assert complaint(rig.reader)


def test_self_test_claims_nothing_before_the_first_poll():
    assert "not been asked" in complaint(Rig().reader)


async def test_silent_mute_and_refusing_chips_are_reported_in_bounded_time():
    for bus in BUSES:
        for fault, says in (
            ("stuck", "00h"),
            ("mute", "hangs"),
            ("nack", "refuses"),
            ("error", "refuses"),
        ):
            rig = Rig(bus)
            assert await rig.reads(FOUR)
            rig.model.fault = fault
            began = rig.clock.now
            assert says in await rig.fault(), (bus, fault)
            assert rig.clock.now - began < 1_000_000
            assert rig.bus.sent[-1] == ACK  # which ends what may still be going on
            rig.model.fault = None
            rig.reader.start()
            assert await rig.reads(SEVEN), (bus, fault)


async def test_chip_that_reset_itself_is_reported_and_works_after_start():
    for bus in BUSES:
        rig = Rig(bus)
        rig.put(FOUR)
        assert await rig.reader.uids() == [FOUR]
        rig.model.brown_out()
        rig.clock.pass_ms(100)
        assert await rig.fault(), bus
        rig.reader.start()
        assert await rig.reader.uids() == [FOUR]


async def test_chip_without_a_reset_line_recovers_from_a_command_that_never_ends():
    rig = Rig()
    rig.reader = PN532(rig.bus, lambda _level: None)
    rig.reader.start()
    assert await rig.reads(FOUR)
    rig.model._tries = 0xFF  # as after a reset: an empty poll never ends
    rig.model.field.clear()
    assert "hangs" in await rig.fault()
    rig.reader.start()
    assert await rig.reads(SEVEN)


async def test_answers_that_come_late_are_waited_for_or_never_taken_for_the_next():
    for late_ms in (1, 7, 18, 40, 60, 150, 250, 400):
        rig = Rig()
        rig.put(FOUR)
        await rig.reader.uids()
        rig.model.fault = "late"
        rig.model.late_us = late_ms * 1000
        for uid in (FOUR, SEVEN, TEN):
            rig.model.field.clear()
            rig.put(uid)
            try:
                assert await rig.reader.uids() == [uid], late_ms
                assert late_ms < 200
            except ChipFault:
                assert late_ms >= 40  # the bound on what is not a listing is 50 ms
                rig.reader.start()


async def test_frames_that_break_off_never_invent_a_uid_and_are_asked_for_again():
    whole = 0
    for seed in range(30):
        rig = Rig(BUSES[seed % 3], seed + 1)
        rig.put(SEVEN, TEN)
        await rig.reader.uids()
        rig.model.fault = "truncated"
        try:
            found = await rig.reader.uids()
            assert set(found) <= {SEVEN, TEN}, found
            whole += len(found)
        except ChipFault:
            pass
        rig.model.fault = None
        rig.reader.start()
        assert sorted(await rig.reader.uids()) == sorted((SEVEN, TEN))


async def test_noise_on_the_wires_never_invents_a_uid():
    polls = faults = read = 0
    for bus in BUSES:
        for per_mille in (3, 30, 200, 1000):
            rig = Rig(bus, per_mille)
            rig.put(FOUR, SEVEN)
            rig.model.noise_per_mille = per_mille
            for _ in range(25):
                rig.model.fault = "noise"
                polls += 1
                try:
                    found = await rig.reader.uids()
                    assert set(found) <= {FOUR, SEVEN}, found
                    read += len(found)
                except ChipFault:
                    faults += 1
                    rig.model.fault = None
                    rig.reader.start()
    assert 60 <= faults < polls
    assert read > 60


async def test_set_up_takes_less_than_100_ms_and_start_one_of_them():
    for bus in BUSES:
        rig = Rig(bus)
        began = rig.clock.now
        await rig.reader.uids()
        assert rig.clock.now - began < 100_000
        began = rig.clock.now
        rig.reader.start()
        assert rig.clock.now - began <= 1_000


async def test_empty_poll_is_one_command_of_some_milliseconds():
    rig = Rig()
    await rig.reader.uids()
    rig.bus.sent.clear()
    began = rig.clock.now
    await rig.reader.uids()
    assert [sent[6] for sent in rig.bus.sent] == [0x4A]
    assert rig.clock.now - began <= 15_000


async def test_event_loop_is_never_held_for_more_than_80_bytes_on_the_bus():
    rig = Rig()
    rig.put(SEVEN, TEN)
    await rig.reader.uids()
    rig.bus.bytes = rig.most = 0
    await rig.reader.uids()
    assert 0 < rig.most <= 80


class SilentBus:
    """A chip in whose field there is never a card; allocates nothing itself."""

    name = "SPI"
    empty = packed(b"\x4b\x00")

    def begin(self):
        pass

    def write(self, _frame):
        self.fetched = 0

    def status(self):
        return 1

    def read(self, into):
        data = self.empty if self.fetched else ACK
        self.fetched = 1
        for i in range(len(data)):
            into[i + 1] = data[i]


async def test_empty_poll_allocates_less_than_a_kilobyte():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not count
    Rig()
    driver.sleep_ms = link.sleep_ms = sleep_ms
    reader = PN532(SilentBus(), lambda _level: None)
    reader._working, reader._wake_in = True, 100
    assert await reader.uids() == []
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(10):
        await reader.uids()
    used = (gc.mem_alloc() - before) // 10
    gc.enable()
    assert used < 1024, used


async def test_in_real_time_a_card_is_read_within_300_ms_of_the_start():
    driver.sleep_ms = link.sleep_ms = sleep_ms
    driver.block_ms = block_ms
    model = PN532Model(real_us)
    reader = PN532(SPIBus(model, model.cs), model.rst)
    model.field.put(Card(SEVEN, wake_us=0))
    began = real_us()
    reader.start()
    assert await reader.uids() == [SEVEN]
    assert real_us() - began < 300_000
