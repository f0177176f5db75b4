"""The bouncing contact and the buzzer, on which tests of the button's behaviour stand."""

from sim.chips.button import Button
from sim.chips.buzzer import Buzzer
from sim.chips.clock import ManualClock


def test_released_contact_is_high():
    assert Button().level(123) == 1


def test_level_settles_within_the_bounce_time_after_press_and_release():
    for seed in range(1, 20):
        button = Button(seed=seed, bounce_us=5000)
        button.press(10_000, 200_000)
        assert button.level(9_999) == 1
        assert button.level(10_000) == 0
        for now in range(15_000, 210_000, 1000):
            assert button.level(now) == 0
        for now in range(215_000, 400_000, 1000):
            assert button.level(now) == 1


def test_contact_bounces_at_both_ends_and_the_same_for_a_seed():
    button, again, other = Button(seed=3), Button(seed=3), Button(seed=4)
    for one in (button, again, other):
        one.press(0, 100_000)
    assert button.edges() == again.edges() != other.edges()
    assert len([when for when, _ in button.edges() if when < 50_000]) > 1
    assert len([when for when, _ in button.edges() if when > 50_000]) > 1


def test_edges_alternate_in_time_and_agree_with_the_level():
    for seed in range(1, 20):
        button = Button(seed=seed)
        button.press(0, 3_000)
        button.press(20_000, 80_000)
        edges = button.edges()
        assert edges == sorted(edges)
        assert [level for _, level in edges] == [0, 1] * (len(edges) // 2)
        for i, (when, level) in enumerate(edges[:-1]):
            if edges[i + 1][0] > when:
                assert button.level(when) == level


def test_contact_without_bounce_has_two_edges():
    button = Button(bounce_us=0)
    button.press(5, 10)
    assert button.edges() == [(5, 0), (15, 1)]


def test_presses_may_not_overlap():
    button = Button()
    button.press(0, 10_000)
    for at, duration in ((5_000, 10), (50_000, 0)):
        refused = False
        try:
            button.press(at, duration)
        except ValueError:
            refused = True
        assert refused
    assert button.level(5_005) == 0


def test_button_is_a_pin_on_a_clock():
    clock = ManualClock()
    button = Button(clock, bounce_us=0)
    button.press(1000, 1000)
    assert button() == 1
    clock.pass_ms(1)
    assert button() == 0


def test_buzzer_remembers_its_tones():
    clock = ManualClock()
    buzzer = Buzzer(clock)
    buzzer.drive(2000)
    clock.pass_ms(30)
    assert buzzer.hz == 2000
    buzzer.drive(1000)
    clock.pass_ms(20)
    buzzer.drive(1000, 0)
    assert buzzer.tones == [(0, 2000, 30), (30_000, 1000, 20)]
