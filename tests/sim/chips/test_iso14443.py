"""Cards against the state diagram of ISO/IEC 14443-3, figure 7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chips.clock import ManualClock
from sim.chips.iso14443 import ACTIVE, HALT, IDLE, OFF, READY, Card, Field, crc_a, frame

REQA = (0x26, 7)
WUPA = (0x52, 7)
HLTA = frame(b"\x50\x00" + crc_a(b"\x50\x00"))
UID = b"\x12\x34\x56\x78"


def powered(uid=UID):
    card = Card(uid, wake_us=0)
    card.power(True)
    return card


def anticollision(level=0x93):
    return frame(bytes([level, 0x20]))


def select(block, level=0x93):
    data = bytes([level, 0x70]) + block + bytes([block[0] ^ block[1] ^ block[2] ^ block[3]])
    return frame(data + crc_a(data))


def active():
    card = powered()
    card.answer(*REQA)
    assert card.answer(*select(UID))
    return card


def test_card_without_power_is_silent():
    card = Card(UID)
    assert card.state == OFF
    assert card.answer(*WUPA) is None


@pytest.mark.parametrize(("length", "atqa"), [(4, 0x04), (7, 0x44), (10, 0x84)])
def test_atqa_tells_the_length_of_the_uid(length, atqa):
    assert powered(bytes(range(length))).answer(*REQA) == (atqa, 16)


def test_halted_card_hears_wupa_only_and_falls_back_to_halt():
    card = active()
    assert card.answer(*HLTA) is None
    assert card.state == HALT
    assert card.answer(*REQA) is None
    assert card.answer(*WUPA)
    assert card.state == READY
    card.answer(*select(b"\0\0\0\0"))
    assert card.state == HALT


def test_halt_with_a_wrong_crc_is_an_error_and_not_a_halt():
    card = active()
    card.answer(*frame(b"\x50\x00\x00\x00"))
    assert card.state == IDLE


@pytest.mark.parametrize("request_frame", [REQA, WUPA])
def test_request_to_a_ready_or_active_card_is_an_error(request_frame):
    for card in (powered(), active()):
        card.answer(*REQA)
        if card.state == READY:
            assert card.answer(*request_frame) is None
        assert card.state == IDLE


def test_select_with_a_wrong_crc_or_bcc_is_not_answered():
    good = select(UID)
    for bit in range(16, 72):
        card = powered()
        card.answer(*REQA)
        assert card.answer(good[0] ^ 1 << bit, good[1]) is None, bit


def test_ten_byte_uid_takes_three_levels():
    uid = bytes(range(1, 11))
    card = powered(uid)
    card.answer(*REQA)
    for level, block in ((0x93, b"\x88" + uid[:3]), (0x95, b"\x88" + uid[3:6])):
        assert card.answer(*select(block, level)) == frame(b"\x04" + crc_a(b"\x04"))
        assert card.state == READY
    assert card.answer(*anticollision(0x97))[0] & 0xFFFFFFFF == int.from_bytes(uid[6:], "little")
    assert card.answer(*select(uid[6:], 0x97)) == frame(b"\x00" + crc_a(b"\x00"))
    assert card.state == ACTIVE


@pytest.mark.parametrize("known", range(40))
def test_prefix_of_any_length_is_answered_with_the_rest(known):
    block = UID + bytes([0x12 ^ 0x34 ^ 0x56 ^ 0x78])
    bits = int.from_bytes(block, "little")
    nvb = (2 + known // 8) << 4 | known % 8
    sent = 0x93 | nvb << 8 | (bits & ((1 << known) - 1)) << 16
    card = powered()
    card.answer(*REQA)
    assert card.answer(sent, 16 + known) == (bits >> known, 40 - known)
    assert card.state == READY
    if known:
        assert card.answer(sent ^ 1 << 15 + known, 16 + known) is None
        assert card.state == IDLE


@pytest.mark.parametrize(
    "uid", [b"", b"12345", b"\x88\x01\x02\x03", b"\x04\x01\x02\x88\x01\x02\x03"]
)
def test_impossible_uids_are_refused(uid):
    with pytest.raises(ValueError, match="UID"):
        Card(uid)


def test_cards_answers_are_laid_over_each_other():
    clock = ManualClock()
    field = Field(clock)
    field.put(Card(b"\x01\x02\x03\x04", wake_us=0))
    field.put(Card(b"\x03\x02\x03\x04", wake_us=0))
    field.power(True)
    assert field.exchange(*REQA) == (0x04, 16, 0)
    _, bits, collided = field.exchange(*anticollision())
    assert bits == 40
    assert collided == 1 << 1 | 1 << 33  # the UID's bit and the BCC's
    field.clear()
    assert field.exchange(*WUPA) is None


def test_card_hears_nothing_until_it_is_awake_and_forgets_when_the_field_goes_off():
    clock = ManualClock()
    field = Field(clock)
    field.power(True)
    field.put(Card(UID))
    assert field.exchange(*REQA) is None
    clock.pass_ms(5)
    assert field.exchange(*REQA)
    field.power(False)
    assert field.cards[0].state == OFF
    field.power(True)
    clock.pass_ms(5)
    assert field.exchange(*REQA)


@given(st.lists(st.tuples(st.integers(0, 2**80), st.integers(1, 80)), max_size=20))
def test_no_frame_breaks_a_card(frames):
    card = powered(bytes(range(1, 8)))
    for value, bits in frames:
        card.answer(value & ((1 << bits) - 1), bits)
        assert card.state in (IDLE, READY, ACTIVE, HALT)
    card.power(True)
    assert card.answer(*REQA)
