"""The PN532's model, driven by raw bytes from the user manual, on SPI and on I2C."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.chips.clock import ManualClock
from sim.chips.iso14443 import Card
from sim.chips.pn532 import PN532Model, mirrored

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")
GET_VERSION = bytes.fromhex("0000FF02FED4022A00")
VERSION = bytes.fromhex("0000FF06FAD50332010607E800")
SAM_NORMAL = bytes.fromhex("0000FF05FBD414011401 0200".replace(" ", ""))
LIST_ONE = bytes.fromhex("0000FF04FCD44A0100E100")
UID = bytes.fromhex("04A1B2C3D4E5F6")


class Host:
    """A host on SPI whose bus sends the low bit first; it waits when told."""

    def __init__(self, awake=True, **options):
        self.clock = ManualClock()
        self.chip = PN532Model(self.clock, lsb_first=True, **options)
        self.clock.pass_ms(2)
        if awake:
            assert self.asks(SAM_NORMAL) == bytes.fromhex("0000FF02FED5151600")

    def write(self, frame):
        self.chip.cs(0)
        self.clock.pass_ms(2)
        self.chip.transfer(b"\x01" + frame)
        self.chip.cs(1)

    def status(self):
        self.chip.cs(0)
        status = self.chip.transfer(b"\x02\x00")[1]
        self.chip.cs(1)
        return status

    def read(self, count):
        self.chip.cs(0)
        data = self.chip.transfer(b"\x03" + bytes(count))[1:]
        self.chip.cs(1)
        return data

    def acknowledged(self, frame):
        self.write(frame)
        self.clock.pass_ms(1)
        return self.status() == 1 and self.read(6) == ACK

    def asks(self, frame, ms=50, count=48):
        """A command's answer without what comes behind it; None when there is none."""
        assert self.acknowledged(frame)
        self.clock.pass_ms(ms)
        if not self.status():
            return None
        data = self.read(count)
        return data[: data[3] + 7]


def command(body):
    length = len(body) + 1
    return (
        bytes((0, 0, 0xFF, length, -length & 0xFF, 0xD4))
        + body
        + bytes((-(0xD4 + sum(body)) & 0xFF, 0))
    )


def test_version_is_asked_and_answered_as_in_the_manual():
    assert Host().asks(GET_VERSION) == VERSION


def test_ordinary_bus_sees_every_byte_mirrored():
    clock = ManualClock()
    chip = PN532Model(clock)
    answers = []
    for access in (b"\x01" + SAM_NORMAL, b"\x03" + bytes(6)):
        chip.cs(0)
        clock.pass_ms(3)
        answers.append(chip.transfer(bytes(mirrored(byte) for byte in access)))
        chip.cs(1)
        clock.pass_ms(1)
    assert bytes(mirrored(byte) for byte in answers[1][1:]) == ACK


def test_chip_sleeps_after_reset_until_nss_was_low_for_two_milliseconds():
    host = Host(awake=False)
    host.chip.cs(0)
    host.chip.transfer(b"\x01" + SAM_NORMAL)
    host.chip.cs(1)
    host.clock.pass_ms(5)
    assert host.status() == 0
    assert host.acknowledged(SAM_NORMAL)


def test_nothing_is_listed_in_low_battery_mode():
    host = Host(awake=False)
    host.chip.field.put(Card(UID, wake_us=0))
    assert host.asks(LIST_ONE, 2000) is None


def test_card_is_listed_as_in_the_manual():
    host = Host()
    host.chip.field.put(Card(UID, wake_us=0))
    answer = host.asks(LIST_ONE)
    assert answer[5:-2] == bytes.fromhex("D54B 01 01 0044 00 07") + UID


def test_answer_to_select_is_appended_unless_it_is_switched_off():
    for parameters, extra in ((0x14, 6), (0x04, 0)):
        host = Host()
        host.chip.field.put(Card(UID, sak=0x20, wake_us=0))
        assert host.asks(command(bytes((0x12, parameters)))) == bytes.fromhex("0000FF02FED5131800")
        assert len(host.asks(LIST_ONE)) == 7 + 15 + extra


def test_listing_without_a_card_goes_on_until_there_is_one_or_the_host_ends_it():
    host = Host()
    assert host.asks(LIST_ONE, 60_000) is None
    host.chip.field.put(Card(UID, wake_us=0))
    host.clock.pass_ms(20)
    assert UID in host.read(48)
    host.chip.field.clear()
    assert host.asks(LIST_ONE, 100) is None
    host.write(ACK)
    host.chip.field.put(Card(UID, wake_us=0))
    host.clock.pass_ms(100)
    assert host.status() == 0


def test_retries_bound_an_empty_listing():
    host = Host()
    host.asks(command(bytes.fromhex("3205FF0102")))
    assert host.asks(LIST_ONE, 12) is None
    assert host.asks(LIST_ONE, 20) == bytes.fromhex("0000FF03FDD54B00E000")


def test_listed_card_stays_silent_in_a_field_that_stays_on():
    host = Host()
    host.asks(command(bytes.fromhex("3205FF0100")))
    host.chip.field.put(Card(UID, wake_us=0))
    assert UID in host.asks(LIST_ONE)
    assert UID not in host.asks(LIST_ONE)
    host.asks(command(bytes.fromhex("320100")))
    host.asks(command(bytes.fromhex("320101")))
    assert UID in host.asks(LIST_ONE)


def test_uid_as_initiator_data_lists_that_card_only():
    host = Host()
    host.asks(command(bytes.fromhex("3205FF0100")))
    host.chip.field.put(Card(UID, wake_us=0))
    wanted = b"\x4a\x01\x00\x88" + UID
    assert UID in host.asks(command(wanted))
    assert UID not in host.asks(command(wanted[:-1] + b"\x00"))


def test_nack_brings_the_last_answer_again():
    host = Host()
    for _ in range(3):
        assert host.asks(GET_VERSION) == VERSION
        host.write(NACK)
        host.clock.pass_ms(1)
        assert host.read(13) == VERSION


def test_unknown_command_is_a_syntax_error_and_a_wrong_sum_is_silence():
    host = Host()
    assert host.asks(command(b"\x77")) == SYNTAX_ERROR
    for at in (1, 2, 3, 4, 5, 6, 7):
        wrong = bytearray(GET_VERSION)
        wrong[at] ^= 0x10
        assert not host.acknowledged(bytes(wrong)), at


def test_extended_frame_is_understood():
    host = Host()
    assert host.asks(bytes.fromhex("0000FFFFFF0002FED4022A00")) == VERSION


def test_diagnosis_of_the_line_echoes():
    assert Host().asks(command(b"\x00\x00chequer"))[7:-2] == b"\x00chequer"


def test_irq_is_low_while_a_frame_can_be_fetched():
    host = Host()
    assert host.chip.irq() == 1
    host.write(GET_VERSION)
    host.clock.pass_ms(1)
    assert host.chip.irq() == 0
    host.read(6)
    assert host.chip.irq() == 0  # the answer is there already
    host.read(13)
    assert host.chip.irq() == 1


def test_i2c_wakes_by_its_address_and_precedes_frames_with_a_status():
    clock = ManualClock()
    chip = PN532Model(clock)
    clock.pass_ms(2)
    with pytest.raises(OSError, match="19"):
        chip.writeto(0x24, b"\x00")
    clock.pass_ms(2)
    with pytest.raises(OSError, match="19"):
        chip.writeto(0x25, SAM_NORMAL)
    chip.writeto(0x24, SAM_NORMAL)
    data = bytearray(7)
    chip.readfrom_into(0x24, data)
    assert data == bytes(7)
    clock.pass_ms(1)
    chip.readfrom_into(0x24, data)
    assert data == b"\x01" + ACK


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((1, 2, 3)), st.binary(max_size=40)), max_size=12))
def test_any_traffic_leaves_the_chip_able_to_answer(traffic):
    host = Host()
    host.chip.field.put(Card(UID, wake_us=0))
    for direction, data in traffic:
        host.chip.cs(0)
        host.chip.transfer(bytes((direction,)) + data)
        host.chip.cs(1)
        host.clock.pass_ms(1)
    host.asks(SAM_NORMAL)
    assert host.asks(GET_VERSION) == VERSION


@settings(max_examples=60, deadline=None)
@given(st.integers(0x00, 0xFF), st.binary(max_size=20))
@example(0x16, b"")  # PowerDown: acknowledged and answered before the chip sleeps
def test_any_well_formed_command_is_acknowledged(code, rest):
    host = Host()
    host.chip.field.put(Card(UID, wake_us=0))
    assert host.acknowledged(command(bytes((code,)) + rest))
    host.clock.pass_ms(50)
    host.read(48)
