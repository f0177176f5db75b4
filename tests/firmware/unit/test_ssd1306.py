"""The display driver against the controller's model."""

import random

from drivers.fault import ChipFault
from drivers.ssd1306 import SSD1306

from sim.chips.ssd1306 import SSD1306Model


def reason_in(fault):
    assert fault.chip == "display"
    assert 0 < len(fault.reason) <= 120
    return fault.reason


class CountingBus(SSD1306Model):
    """The model, which also counts the bytes that it gets and can break off."""

    sent = 0
    breaks_after = None

    def writeto(self, address, buf, stop=True):
        if self.breaks_after is not None:
            self.breaks_after -= 1
            if self.breaks_after < 0:
                SSD1306Model.writeto(self, address, buf[: len(buf) // 2])
                raise OSError(116)
        self.sent += len(buf)
        return SSD1306Model.writeto(self, address, buf, stop)


def started():
    bus = CountingBus()
    display = SSD1306(bus)
    display.start()
    return display, bus


def scribble(display, seed):
    random.seed(seed)
    for i in range(len(display.buffer)):
        display.buffer[i] = random.getrandbits(8)


def fault_of(call, *arguments):
    try:
        call(*arguments)
    except ChipFault as fault:
        return reason_in(fault)
    return None


def test_start_clears_the_random_memory_and_switches_on():
    _, bus = started()
    assert bus.on
    assert bus.pump
    assert bus.unknown == 0
    assert bus.picture() == bytes(1024)


def test_buffer_is_seen_pixel_by_pixel():
    display, bus = started()
    scribble(display, 3)
    assert display.show() == 0
    assert bus.picture() == bytes(display.buffer)


def test_top_left_is_bit_0_of_the_first_byte():
    display, bus = started()
    display.buffer[0] = 1
    display.show()
    assert bus.pixel(0, 0)
    assert not bus.pixel(0, 1)
    assert not bus.pixel(1, 0)


def test_only_changed_pages_are_sent():
    display, bus = started()
    bus.sent = 0
    display.show()
    assert bus.sent == 0
    display.buffer[130] ^= 0xFF
    display.show()
    assert 128 < bus.sent < 140
    assert bus.picture() == bytes(display.buffer)


def test_show_sends_no_more_pages_than_asked_and_says_how_many_are_left():
    display, bus = started()
    scribble(display, 4)
    bus.sent = 0
    assert display.show(3) == 5
    assert bus.sent < 3 * 140
    assert display.show(3) == 2
    assert display.show(3) == 0
    assert bus.picture() == bytes(display.buffer)


async def test_refresh_sends_everything():
    display, bus = started()
    scribble(display, 5)
    await display.refresh()
    assert bus.picture() == bytes(display.buffer)


def test_missing_display_is_a_fault_everywhere():
    display, bus = started()
    bus.missing = True
    scribble(display, 6)
    for call in (display.start, display.show, display.check):
        assert "3Ch" in fault_of(call)
    assert fault_of(display.contrast, 5)
    assert fault_of(display.power, True)


def test_picture_broken_off_at_any_message_is_sent_again():
    for message in range(16):
        display, bus = started()
        scribble(display, message)
        bus.breaks_after = message
        assert fault_of(display.show), message
        bus.breaks_after = None
        if message & 1:  # half a page of data got through: back to the old picture
            display.buffer[:] = bytes(1024)
        display.show()
        assert bus.picture() == bytes(display.buffer), message


def test_display_that_lost_its_supply_shows_the_picture_again_after_start():
    display, bus = started()
    scribble(display, 8)
    display.show()
    bus.power_cycle()
    assert bus.picture() == bytes(1024)
    display.start()
    assert bus.picture() == bytes(display.buffer)


def test_power_and_contrast_reach_the_panel():
    display, bus = started()
    display.contrast(300)
    assert bus.contrast == 255
    display.contrast(7)
    assert bus.contrast == 7
    display.power(False)
    assert not bus.on
    display.power(True)
    assert bus.on
