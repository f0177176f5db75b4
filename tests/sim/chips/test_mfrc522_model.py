"""The MFRC522 model, driven by a stranger: register accesses written here from the data sheet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chips.clock import ManualClock
from sim.chips.iso14443 import HALT, IDLE, Card, crc_a
from sim.chips.mfrc522 import MFRC522Model

UID = bytes.fromhex("DEADBEEF")


class Stranger:
    """A driver in the manner of many libraries: it spins on ComIrq and lets the chip make CRCs."""

    def __init__(self, **options):
        self.clock = ManualClock()
        self.chip = MFRC522Model(self.clock, **options)
        self.chip.rst(0)
        self.chip.rst(1)
        self.clock.pass_ms(50)

    def put(self, uid=UID, **options):
        card = Card(uid, wake_us=0, **options)
        self.chip.field.put(card)
        return card

    def write(self, register, *values):
        self.chip.cs(0)
        self.chip.transfer(bytes([register << 1, *values]))
        self.chip.cs(1)

    def read(self, *registers):
        self.chip.cs(0)
        heard = self.chip.transfer(bytes([*(0x80 | r << 1 for r in registers), 0]))
        self.chip.cs(1)
        return heard[1] if len(registers) == 1 else heard[1:]

    def init(self):
        for register, value in (
            (0x01, 0x0F),
            (0x2A, 0x80),
            (0x2B, 0xA9),
            (0x2C, 0x03),
            (0x2D, 0xE8),
            (0x15, 0x40),
            (0x11, 0x3D),
        ):
            self.write(register, value)
            self.clock.pass_ms(1)
        self.write(0x14, self.read(0x14) | 0x03)
        return self

    def transceive(self, data, last_bits=0, align=0, command=0x0C):
        """(answer, error register), or None after the timer ran out."""
        self.write(0x01, 0x00)
        self.write(0x04, 0x7F)
        self.write(0x0A, 0x80)
        self.write(0x09, *data)
        self.write(0x0D, align << 4 | last_bits)
        self.write(0x01, command)
        self.write(0x0D, 0x80 | align << 4 | last_bits)
        for _ in range(20_000):
            irq = self.read(0x04)
            if irq & 0x30:
                return bytes(self.read(0x09) for _ in range(self.read(0x0A))), self.read(0x06)
            if irq & 0x01:
                return None
        raise AssertionError("neither an answer nor a time-out")

    def crc(self, data):
        """CRC_A by the coprocessor."""
        self.write(0x01, 0x00)
        self.write(0x05, 0x04)
        self.write(0x0A, 0x80)
        self.write(0x09, *data)
        self.write(0x01, 0x03)
        assert self.read(0x05) & 0x04
        self.write(0x01, 0x00)
        return bytes([self.read(0x22), self.read(0x21)])


def test_stranger_reads_and_halts_a_card():
    stranger = Stranger().init()
    card = stranger.put(sak=0x08)
    assert stranger.transceive(b"\x26", last_bits=7) == (b"\x04\x00", 0)
    uid, _ = stranger.transceive(b"\x93\x20")
    assert uid == UID + bytes([0xDE ^ 0xAD ^ 0xBE ^ 0xEF])
    select = b"\x93\x70" + uid
    sak, _ = stranger.transceive(select + stranger.crc(select))
    assert sak == b"\x08" + crc_a(b"\x08")
    assert stranger.transceive(b"\x50\x00" + stranger.crc(b"\x50\x00")) is None
    assert card.state == HALT
    assert stranger.transceive(b"\x26", last_bits=7) is None
    assert stranger.transceive(b"\x52", last_bits=7) == (b"\x04\x00", 0)


def test_crc_is_made_and_checked_by_the_chip_when_enabled():
    stranger = Stranger().init()
    stranger.put()
    stranger.transceive(b"\x26", last_bits=7)
    uid, _ = stranger.transceive(b"\x93\x20")
    stranger.write(0x12, 0x80)
    stranger.write(0x13, 0x80)
    assert stranger.transceive(b"\x93\x70" + uid) == (b"\x08", 0)


def test_answer_without_a_crc_is_an_error_when_the_check_is_enabled():
    stranger = Stranger().init()
    stranger.put()
    stranger.write(0x13, 0x80)
    _, error = stranger.transceive(b"\x26", last_bits=7)
    assert error & 0x04


def test_coprocessor_makes_the_crc_of_the_standards_examples():
    # ISO/IEC 14443-3 Annex B.
    stranger = Stranger().init()
    assert stranger.crc(b"\x00\x00") == b"\xa0\x1e" == crc_a(b"\x00\x00")
    assert stranger.crc(b"\x12\x34") == b"\x26\xcf" == crc_a(b"\x12\x34")


@pytest.mark.parametrize(
    ("prescaler", "reload", "ms"), [(0xA9, 1000, 25.0), (0xA9, 40, 1.02), (0xD3E, 30, 15.5)]
)
def test_time_out_comes_after_the_programmed_time(prescaler, reload, ms):
    stranger = Stranger().init()
    for register, value in (
        (0x2A, 0x80 | prescaler >> 8),
        (0x2B, prescaler & 0xFF),
        (0x2C, reload >> 8),
        (0x2D, reload & 0xFF),
    ):
        stranger.write(register, value)
    stranger.write(0x04, 0x7F)
    stranger.write(0x09, 0x26)
    stranger.write(0x01, 0x0C)
    stranger.write(0x0D, 0x87)
    stranger.clock.now += int(ms * 980) + 85  # the frame itself takes 85 us
    assert stranger.read(0x04) & 0x41 == 0x40
    stranger.clock.now += int(ms * 40) + 20  # bytes on the bus take time too
    assert stranger.read(0x04) & 0x41 == 0x41


def test_timer_counts_down_starts_and_stops_by_hand_and_repeats_on_demand():
    stranger = Stranger().init()
    stranger.write(0x04, 0x7F)
    stranger.write(0x0C, 0x40)
    stranger.clock.pass_ms(5)
    high, low = stranger.read(0x2E, 0x2F)
    assert abs((high << 8 | low) - 800) <= 2
    assert stranger.read(0x07) & 0x08
    stranger.write(0x0C, 0x80)
    stranger.clock.pass_ms(100)
    assert not stranger.read(0x04) & 1
    stranger.write(0x2A, 0x90)
    stranger.write(0x0C, 0x40)
    for _ in range(3):
        stranger.clock.pass_ms(26)
        assert stranger.read(0x04) & 1
        stranger.write(0x04, 0x01)


def test_spinning_driver_gets_its_time_out_even_when_the_clock_stands_still():
    stranger = Stranger().init()
    before = stranger.clock.now
    assert stranger.transceive(b"\x26", last_bits=7) is None
    assert stranger.clock.now == before


def test_registers_have_their_reset_values():
    stranger = Stranger()
    values = {0x01: 0x20, 0x02: 0x80, 0x0B: 0x08, 0x11: 0x3F, 0x14: 0x80, 0x26: 0x48, 0x37: 0x92}
    assert {register: stranger.read(register) for register in values} == values


def test_chip_says_power_down_until_its_oscillator_runs():
    stranger = Stranger()
    stranger.chip.rst(0)
    assert stranger.read(0x37) == 0
    stranger.chip.rst(1)
    assert stranger.read(0x01) & 0x10
    stranger.clock.pass_ms(2)
    assert not stranger.read(0x01) & 0x10


def test_fifo_holds_64_bytes_in_order_and_reports_overflow():
    stranger = Stranger()
    stranger.write(0x09, *range(64))
    assert stranger.read(0x0A) == 64
    assert stranger.read(0x06) == 0
    stranger.write(0x09, 99)
    assert stranger.read(0x0A) == 64
    assert stranger.read(0x06) & 0x10
    assert stranger.read(0x04) & 0x02
    assert list(stranger.read(*[0x09] * 64)) == list(range(64))
    assert stranger.read(0x0A) == 0
    stranger.write(0x0A, 0x80)
    assert not stranger.read(0x06) & 0x10


def test_interrupt_bits_are_set_and_cleared_by_set1_and_reach_the_pin():
    stranger = Stranger()
    stranger.write(0x04, 0x7F)
    assert stranger.read(0x04) == 0
    assert stranger.chip.irq() == 1  # IRqInv is set after reset
    stranger.write(0x02, 0x80 | 0x20)
    stranger.write(0x04, 0x80 | 0x20)
    assert stranger.read(0x04) == 0x20
    assert stranger.chip.irq() == 0
    stranger.write(0x02, 0x20)
    assert stranger.chip.irq() == 1


def test_mem_moves_25_bytes_into_the_buffer_and_back():
    stranger = Stranger()
    stranger.write(0x09, *range(10))
    stranger.write(0x01, 0x01)
    assert stranger.read(0x0A) == 0
    stranger.write(0x01, 0x01)
    assert list(stranger.read(*[0x09] * 25)) == [*range(10), *[0] * 15]


def test_cards_hear_nothing_without_antenna_or_full_modulation():
    stranger = Stranger().init()
    card = stranger.put()
    stranger.write(0x15, 0x00)
    assert stranger.transceive(b"\x52", last_bits=7) is None
    stranger.write(0x15, 0x40)
    assert stranger.transceive(b"\x52", last_bits=7)
    stranger.write(0x14, 0x80)
    stranger.write(0x14, 0x83)
    assert card.state == IDLE


def test_transmission_waits_for_the_field():
    stranger = Stranger().init()
    stranger.write(0x14, 0x80)
    with pytest.raises(AssertionError, match="neither"):
        stranger.transceive(b"\x52", last_bits=7)


def test_soft_reset_and_brown_out_switch_the_field_off():
    for reset in (lambda s: s.write(0x01, 0x0F), lambda s: s.chip.brown_out()):
        stranger = Stranger().init()
        stranger.put()
        reset(stranger)
        stranger.clock.pass_ms(5)
        assert stranger.read(0x14) & 3 == 0
        assert stranger.read(0x2A) == 0


def test_transmit_ends_by_itself_and_receive_hears_the_answer():
    stranger = Stranger().init()
    stranger.put()
    stranger.write(0x04, 0x7F)
    stranger.write(0x09, 0x26)
    stranger.write(0x0D, 0x07)
    stranger.write(0x01, 0x04)
    stranger.clock.now += 120
    assert stranger.read(0x01) & 0x0F == 0
    assert stranger.read(0x04) & 0x50 == 0x50
    stranger.write(0x01, 0x08)
    stranger.clock.pass_ms(1)
    assert stranger.read(0x0A) == 2


def test_authentication_is_not_answered_and_never_claims_encryption():
    stranger = Stranger().init()
    stranger.put()
    assert stranger.transceive(bytes([0x60, 4]) + b"\xff" * 6 + UID, command=0x0E) is None
    assert not stranger.read(0x08) & 0x08


@pytest.mark.parametrize("bit", [0, 1, 7, 8, 20, 31])
def test_collision_is_reported_at_the_first_bit_that_differs(bit):
    stranger = Stranger().init()
    other = bytearray(UID)
    other[bit // 8] ^= 1 << bit % 8
    stranger.put()
    stranger.put(bytes(other))
    stranger.write(0x0E, 0x00)
    stranger.transceive(b"\x26", last_bits=7)
    data, error = stranger.transceive(b"\x93\x20")
    assert error & 0x08
    coll = stranger.read(0x0E)
    assert not coll & 0x20
    assert coll & 0x1F == (bit + 1) % 32
    mask = (1 << bit) - 1
    assert int.from_bytes(data, "little") == int.from_bytes(UID, "little") & mask


def test_collision_position_counts_from_the_first_byte_received_or_from_the_uid():
    for options, expected in (({}, 6), ({"collpos_from_uid": True}, 14)):
        stranger = Stranger(**options).init()
        stranger.put(b"\x01\x02\x03\x04")
        stranger.put(b"\x01\x22\x03\x04")
        stranger.write(0x0E, 0x00)
        stranger.transceive(b"\x26", last_bits=7)
        stranger.transceive(b"\x93\x34\x01\x02", last_bits=4, align=4)
        assert stranger.read(0x0E) & 0x3F == expected


def test_answer_is_aligned_and_its_last_bits_are_counted():
    stranger = Stranger().init()
    stranger.put(b"\x01\xa2\x03\x04")
    stranger.transceive(b"\x26", last_bits=7)
    data, _ = stranger.transceive(b"\x93\x34\x01\x02", last_bits=4, align=4)
    assert data == b"\xa0\x03\x04" + bytes([0x01 ^ 0xA2 ^ 0x03 ^ 0x04])
    assert stranger.read(0x0C) & 7 == 0
    stranger.transceive(b"\x52", last_bits=7)  # an error for a card that is READY
    stranger.transceive(b"\x52", last_bits=7)
    data, _ = stranger.transceive(b"\x93\x34\x01\x02", last_bits=4)
    assert stranger.read(0x0C) & 7 == 4
    assert len(data) == 4


def test_missing_chip_answers_with_the_level_of_the_line():
    stranger = Stranger()
    for fault, level in (("low", 0x00), ("high", 0xFF)):
        stranger.chip.fault = fault
        assert stranger.read(0x37) == level


def test_unselected_chip_is_silent():
    stranger = Stranger()
    assert stranger.chip.transfer(b"\xee\x00") == b"\x00\x00"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 63), st.integers(0, 255), st.integers(0, 3000)), max_size=60)
)
def test_no_sequence_of_writes_breaks_the_chip(accesses):
    stranger = Stranger()
    stranger.put()
    stranger.put(b"\x04\x01\x02\x03\x04\x05\x06")
    for register, value, us in accesses:
        stranger.write(register, value)
        stranger.clock.now += us
        assert stranger.read(0x0A) <= 64
    stranger.chip.rst(0)
    stranger.chip.rst(1)
    stranger.clock.pass_ms(2)
    stranger.init()
    assert stranger.read(0x37) == 0x92
