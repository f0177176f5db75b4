"""The ring's driver against the pixels' model."""

import gc

from drivers.ws2812 import WS2812

from sim.chips.ws2812 import WS2812Model


def ring(count=8, **options):
    model = WS2812Model(count)
    return WS2812(model.write, count, **options), model


def test_colours_arrive_at_their_pixels():
    leds, model = ring(budget_ma=1000)
    leds.set(0, 1, 2, 3)
    leds.set(7, 250, 0, 9)
    leds.show()
    assert model.pixels == [(1, 2, 3)] + [(0, 0, 0)] * 6 + [(250, 0, 9)]
    assert len(leds) == 8


def test_nothing_changes_before_show():
    leds, model = ring()
    leds.fill(9, 9, 9)
    assert model.frames == 0


def test_full_white_stays_within_the_power_budget():
    for budget in (8, 20, 120, 300, 1000):
        leds, model = ring(budget_ma=budget)
        leds.fill(255, 255, 255)
        leds.show()
        assert model.milliamperes() <= budget
        if budget >= 488:
            assert model.pixels[0] == (255, 255, 255)
        elif budget > 8:
            assert model.milliamperes() > 0.8 * budget


def test_budget_holds_at_every_brightness_and_colour():
    for brightness in (1, 60, 128, 254):
        for colour in ((255, 255, 255), (3, 200, 77), (1, 1, 1), (255, 0, 0)):
            leds, model = ring(budget_ma=30)
            leds.brightness = brightness
            leds.fill(*colour)
            leds.show()
            assert model.milliamperes() <= 30, (brightness, colour)


def test_dimming_keeps_the_colour():
    leds, model = ring(budget_ma=120)
    leds.fill(200, 100, 0)
    leds.show()
    red, green, blue = model.pixels[3]
    assert 0 < red < 200
    assert abs(red - 2 * green) <= 1
    assert blue == 0


def test_one_pixel_may_be_brighter_than_all_together():
    leds, model = ring(budget_ma=120)
    leds.set(2, 255, 255, 255)
    leds.show()
    assert model.pixels[2] == (255, 255, 255)


def test_brightness_scales_what_is_shown_and_not_what_is_set():
    leds, model = ring(budget_ma=1000)
    leds.set(0, 100, 50, 10)
    leds.brightness = 128
    leds.show()
    assert model.pixels[0] == (50, 25, 5)
    leds.brightness = 255
    leds.show()
    assert model.pixels[0] == (100, 50, 10)


def test_channels_are_clamped_and_a_missing_pixel_is_an_error():
    leds, model = ring(budget_ma=1000)
    leds.set(0, 300, -5, 255)
    leds.show()
    assert model.pixels[0] == (255, 0, 255)
    for i in (-1, 8):
        try:
            leds.set(i, 0, 0, 0)
        except IndexError as error:
            reason = str(error)
        assert str(i) in reason
        reason = ""


def test_show_allocates_nothing():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not count
    leds = WS2812(lambda _data: None, 8)
    leds.fill(255, 255, 255)
    leds.show()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    leds.show()
    used = gc.mem_alloc() - before
    gc.enable()
    assert used == 0, used
