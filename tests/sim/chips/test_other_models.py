"""The radar's and the display's model, driven by raw bytes from their manufacturers' documents."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chips.clock import ManualClock
from sim.chips.ld2410 import LD2410Model
from sim.chips.ssd1306 import SSD1306Model


def command(word, value=b""):
    length = len(value) + 2
    return b"\xfd\xfc\xfb\xfa" + bytes([length, 0, word, 0]) + value + b"\x04\x03\x02\x01"


def said(radar, clock, ms=20):
    """What the radar says within `ms`, in bytes."""
    clock.pass_ms(ms)
    return radar.read() or b""


def new_radar(**options):
    clock = ManualClock()
    return LD2410Model(clock, **options), clock


def test_reports_have_the_documented_length_and_frame():
    radar, clock = new_radar()
    report = said(radar, clock, 110)
    assert len(report) == 23
    assert report[:8] == b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa"
    assert report[-6:] == b"\x55\x00\xf8\xf7\xf6\xf5"


def test_engineering_reports_have_45_bytes():
    radar, clock = new_radar()
    radar.write(command(0xFF, b"\x01\x00") + command(0x62) + command(0xFE))
    said(radar, clock, 50)
    radar.target(2, cm=160, energy=33)
    report = said(radar, clock, 70)
    assert len(report) == 45
    assert report[6:8] == b"\x01\xaa"
    assert report[28:37] == bytes([0, 0, 33, 0, 0, 0, 0, 0, 0])  # still energies, gate 2


def test_enabling_configuration_is_acknowledged_as_documented():
    radar, clock = new_radar()
    radar.write(command(0xFF, b"\x01\x00"))
    assert said(radar, clock) == bytes.fromhex("FDFCFBFA 0800 FF01 0000 0100 4000 04030201")


def test_parameters_are_answered_as_documented():
    radar, clock = new_radar()
    radar.write(command(0xFF, b"\x01\x00") + command(0x61))
    ack = said(radar, clock, 30)[18:]
    assert ack[:10] == bytes.fromhex("FDFCFBFA 1C00 6101 0000")
    assert len(ack) == 0x1C + 10


def test_commands_outside_configuration_mode_are_not_answered():
    radar, clock = new_radar()
    radar.write(command(0xA0))
    assert said(radar, clock) == b""


def test_unknown_command_is_refused():
    radar, clock = new_radar()
    radar.write(command(0xFF, b"\x01\x00"))
    said(radar, clock)
    radar.write(command(0x77))
    assert said(radar, clock)[6:10] == b"\x77\x01\x01\x00"


def test_factory_reset_takes_effect_at_the_restart_and_settings_survive_a_restart():
    radar, clock = new_radar()
    resolution = command(0xAB)
    radar.write(command(0xFF, b"\x01\x00") + command(0xAA, b"\x01\x00") + command(0xA3))
    said(radar, clock, 1150)
    radar.write(command(0xFF, b"\x01\x00") + resolution)
    assert b"\xab\x01\x00\x00\x01\x00" in said(radar, clock)
    radar.write(command(0xA2) + command(0xA3))
    said(radar, clock, 1150)
    radar.write(command(0xFF, b"\x01\x00") + resolution)
    assert b"\xab\x01\x00\x00\x00\x00" in said(radar, clock)


def test_bytes_arrive_at_line_speed():
    radar, clock = new_radar()
    clock.now = 100_000 + 39 * 10
    assert radar.any() == 10
    clock.now += 39 * 50
    assert radar.any() == 23


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_break_the_radar(chunks):
    radar, clock = new_radar()
    for chunk in chunks:
        radar.write(chunk)
        said(radar, clock)
    radar.write(b"\0" * 80 + command(0xFF, b"\x01\x00"))
    assert b"\xff\x01\x00\x00" in said(radar, clock)


def lit(display):
    return {(x, y) for x in range(128) for y in range(64) if display.pixel(x, y)}


def shining(*more):
    """A display that is switched on and upright, its memory zero."""
    display = SSD1306Model()
    display.writeto(0x3C, bytes([0x00, 0x8D, 0x14, 0xA1, 0xC8, 0xAF, *more]))
    display.memory[:] = bytes(1024)
    return display


def test_display_is_dark_until_it_is_on_and_pumped():
    display = SSD1306Model()
    assert not lit(display)
    display.writeto(0x3C, b"\x00\xaf")
    assert not lit(display)
    display.writeto(0x3C, b"\x00\x8d\x14")
    assert lit(display)


def test_page_mode_places_data_and_stays_in_its_page():
    display = shining()
    display.writeto(0x3C, b"\x00\xb3\x0f\x17")
    display.writeto(0x3C, b"\x40" + b"\x01" * 3)
    assert lit(display) == {(127, 24), (0, 24), (1, 24)}


def test_vertical_mode_goes_down_the_pages_first():
    display = shining(0x20, 0x01, 0x21, 5, 6, 0x22, 1, 2)
    display.writeto(0x3C, b"\x40\x01\x02\x04\x08\x10")
    assert [display.memory[i] for i in (133, 261, 134, 262)] == [0x10, 2, 4, 8]


def test_control_bytes_may_alternate_in_one_message():
    display = shining(0x20, 0x00)
    display.writeto(0x3C, b"\x80\x21\x80\x07\x80\x7f\x80\x22\x80\x00\x80\x07\xc0\x01\x40\x02\x04")
    assert display.memory[7:10] == b"\x01\x02\x04"
    assert display.unknown == 0


def test_remap_scan_direction_start_line_and_inversion_change_what_is_seen():
    display = shining(0x20, 0x00)
    display.writeto(0x3C, b"\x40\x01")
    assert lit(display) == {(0, 0)}
    display.writeto(0x3C, b"\x00\xa0\xc0")
    assert lit(display) == {(127, 63)}
    display.writeto(0x3C, b"\x00\xa1\xc8\x7f")
    assert lit(display) == {(0, 1)}
    display.writeto(0x3C, b"\x00\x40\xa7")
    assert len(lit(display)) == 128 * 64 - 1
    display.writeto(0x3C, b"\x00\xa5")
    assert len(lit(display)) == 128 * 64


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_no_message_breaks_the_display(messages):
    display = SSD1306Model()
    for message in messages:
        display.write(message)
    assert len(display.memory) == 1024
    display.pixel(127, 63)
