"""The PIR's and the seat switch's model: what their pins show."""

from sim.chips.clock import ManualClock
from sim.chips.pir import PIRModel
from sim.chips.seat_switch import SeatSwitchModel


def highs(clock, pin, ms):
    """How many of so many milliseconds the pin is high."""
    count = 0
    for _ in range(ms):
        clock.pass_ms(1)
        count += pin()
    return count


def test_pir_is_high_for_its_hold_time_and_then_blind_for_a_while():
    clock = ManualClock()
    pir = PIRModel(clock, hold_us=2_000_000, blind_us=1_000_000, warm_up_us=0)
    assert highs(clock, pir, 1000) == 0
    pir.move()
    assert highs(clock, pir, 2500) == 1999
    pir.move()
    assert highs(clock, pir, 600) == 0
    pir.move()
    assert pir() == 1


def test_pir_hold_time_is_prolonged_by_movement():
    clock = ManualClock()
    pir = PIRModel(clock, hold_us=2_000_000, warm_up_us=0)
    for _ in range(10):
        pir.move()
        assert highs(clock, pir, 1500) == 1500


def test_pir_gives_false_alarms_only_while_it_warms_up():
    clock = ManualClock()
    pir = PIRModel(clock)
    assert 0 < highs(clock, pir, 30_000) < 30_000
    clock.pass_ms(5_000)
    assert highs(clock, pir, 30_000) == 0


def test_seat_switch_is_low_while_taken_and_bounces_only_for_its_time():
    clock = ManualClock()
    switch = SeatSwitchModel(clock, bounce_us=10_000)
    assert highs(clock, switch, 100) == 100
    switch.sit(True)
    assert 0 < highs(clock, switch, 9) < 9
    assert highs(clock, switch, 100) == 0
    switch.sit(True)
    assert highs(clock, switch, 100) == 0
    switch.sit(False)
    clock.pass_ms(10)
    assert highs(clock, switch, 100) == 100


def test_faults_override_what_happens():
    clock = ManualClock()
    pir, switch = PIRModel(clock, warm_up_us=0), SeatSwitchModel(clock)
    for fault, level in (("low", 0), ("high", 1)):
        pir.fault = switch.fault = fault
        pir.move()
        switch.sit(bool(level))
        assert highs(clock, pir, 50) == highs(clock, switch, 50) == 50 * level
    switch.fault = "chatter"
    assert 10 < highs(clock, switch, 50) < 40
