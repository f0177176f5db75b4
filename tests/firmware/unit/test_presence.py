"""PIR, seat switch and radar as presence sensors, alone and combined, in simulated time."""

import random

from desk_unit.filters import Settle
from desk_unit.presence import STEADY_MS, STILL_MS, Combined
from drivers import ld2410
from drivers.fault import ChipFault
from drivers.ld2410 import LD2410
from drivers.pir import PIR
from drivers.seat_switch import SeatSwitch
from port import ticks_add
from sim.chips.clock import ManualClock
from sim.chips.ld2410 import LD2410Model
from sim.chips.pir import PIRModel
from sim.chips.seat_switch import SeatSwitchModel

MINUTE = 60_000
PERIOD = ticks_add(0, -1) + 1  # of the interpreter's ticks: 2**30, on the VM 2**62


class Rig:
    """A sensor that is polled every 100 ms of simulated time; ticks begin shortly before a wrap."""

    def __init__(self, clock=None):
        self.clock = clock or ManualClock()
        self.sensor = None

    def ticks(self):
        return (self.clock.now // 1000 - 5000) % PERIOD

    def run(self, ms, every=100, each=None):
        """Poll for so long; all that was said, without repetitions in a row."""
        said = []
        for _ in range(ms // every):
            self.clock.pass_ms(every)
            if each:
                each()
            value = self.sensor.poll(self.ticks())
            if not said or said[-1] is not value:
                said.append(value)
        return said

    def fault(self):
        """The chip that complains and its reason; None when all is well."""
        try:
            self.sensor.check(self.ticks())
        except ChipFault as fault:
            return fault.chip, fault.reason
        return None


def pir_rig(**options):
    rig = Rig()
    rig.model = PIRModel(rig.clock, warm_up_us=0)
    rig.sensor = PIR(rig.model, warm_up_ms=0, **options)
    rig.run(100)
    return rig


def switch_rig(bounce_us=10_000, **options):
    rig = Rig()
    rig.model = SeatSwitchModel(rig.clock, bounce_us)
    rig.sensor = SeatSwitch(rig.model, **options)
    return rig


def radar_rig(clock=None):
    rig = Rig(clock)
    ld2410.ticks_ms = rig.ticks
    rig.model = LD2410Model(rig.clock)
    rig.sensor = LD2410(rig.model)
    return rig


def test_pir_says_nothing_while_it_warms_up_and_false_alarms_go_unheard():
    rig = Rig()
    rig.model = PIRModel(rig.clock)
    rig.sensor = PIR(rig.model)
    levels = set()
    said = rig.run(59_900, each=lambda: levels.add(rig.model()))
    assert levels == {0, 1}
    assert said == [None]
    assert rig.run(10_000) == [None, False]


def test_pir_follows_movement_and_falls_when_it_ends():
    rig = pir_rig()
    assert rig.run(5000) == [False]
    rig.model.move()
    assert rig.run(5000) == [True, False]
    assert rig.fault() is None


def test_pir_with_an_active_low_output_is_read_the_other_way_round():
    level = [1]
    rig = Rig()
    rig.sensor = PIR(lambda: level[0], active=0, warm_up_ms=0)
    assert rig.run(1000)[-1] is False
    level[0] = 0
    assert rig.run(1000) == [True]


def test_pir_that_is_stuck_high_is_a_fault_until_it_falls():
    rig = pir_rig(stuck_ms=10 * MINUTE)
    rig.model.fault = "high"
    assert rig.run(10 * MINUTE - 1000) == [True]
    assert rig.fault() is None
    assert rig.run(2000) == [True, None]
    assert rig.fault() == ("pir", "sees movement without a pause for 10 min: stuck, or shorted")
    rig.model.fault = None
    assert rig.run(1000) == [False]
    assert rig.fault() is None


def test_pir_that_is_stuck_for_weeks_stays_a_fault_although_ticks_wrap():
    rig = pir_rig(stuck_ms=10 * MINUTE)
    rig.model.fault = "high"
    rig.run(11 * MINUTE)
    for _ in range(30):
        assert rig.run(24 * 60 * MINUTE, every=24 * 60 * MINUTE) == [None]
        assert rig.fault()


def test_pir_that_is_not_polled_for_days_has_not_forgotten_the_time():
    for pause in (PERIOD // 2 + 5, PERIOD - 5):
        rig = Rig()
        rig.model = PIRModel(rig.clock)
        rig.sensor = PIR(rig.model)
        rig.run(100)
        rig.model.fault = "high"
        assert rig.run(pause, every=pause) == [True]  # warm by now
        assert rig.run(pause, every=pause) == [None]  # and stuck
        assert rig.fault()


def test_pir_of_somebody_who_moves_all_day_is_no_fault():
    rig = pir_rig(stuck_ms=10 * MINUTE)
    random.seed(4)
    still = [0]

    def live():
        still[0] -= 100
        if still[0] <= 0:
            rig.model.move()
            still[0] = random.getrandbits(13)  # up to eight seconds without a movement

    for _ in range(12):
        rig.run(10 * MINUTE, each=live)
        assert rig.fault() is None


def test_seat_switch_follows_who_sits_and_a_filter_hides_its_bounce():
    rig = switch_rig(bounce_us=40_000)
    settled = Settle(100)
    changes = []
    for taken in (False, True, False, True):
        rig.model.sit(taken)
        for _ in range(100):
            rig.clock.pass_ms(10)
            value = settled.feed(rig.sensor.poll(rig.ticks()), rig.ticks())
            if not changes or changes[-1] is not value:
                changes.append(value)
    assert changes == [None, False, True, False, True]
    assert rig.fault() is None


def test_seat_switch_that_chatters_is_a_fault_until_it_is_quiet():
    rig = switch_rig()
    rig.model.fault = "chatter"
    assert rig.run(9_000)[-1] is None
    assert rig.run(20_000) == [None]
    assert rig.fault() == (
        "seat-switch",
        "changed more than 20 times in 10 s: a loose wire or a worn contact",
    )
    rig.model.fault = None
    rig.model.sit(True)
    assert rig.run(20_000) == [None, True]
    assert rig.fault() is None


def test_seat_switch_that_stays_closed_for_longer_than_anybody_sits_is_a_fault_until_it_opens():
    rig = switch_rig(stuck_ms=180 * MINUTE)
    rig.model.fault = "low"
    assert rig.run(179 * MINUTE, every=1000) == [True]
    assert rig.fault() is None
    assert rig.run(2 * MINUTE, every=1000) == [True, None]
    assert rig.fault() == (
        "seat-switch",
        "closed for 3 h: stuck, shorted, or something lies on the seat",
    )
    rig.model.fault = None
    assert rig.run(1000) == [False]
    assert rig.fault() is None


def test_seat_switch_that_is_stuck_for_weeks_stays_a_fault_although_ticks_wrap():
    rig = switch_rig(stuck_ms=10 * MINUTE)
    rig.model.fault = "low"
    rig.run(11 * MINUTE, every=1000)
    for _ in range(30):
        assert rig.run(24 * 60 * MINUTE, every=24 * 60 * MINUTE) == [None]
        assert rig.fault()


def test_seat_switch_of_an_empty_seat_is_no_fault_however_long():
    rig = switch_rig(stuck_ms=10 * MINUTE)
    assert rig.run(60 * MINUTE, every=1000) == [False]
    assert rig.fault() is None


def test_seat_switch_of_a_restless_person_is_no_fault():
    rig = switch_rig()
    random.seed(5)
    for _ in range(300):
        rig.model.sit(random.getrandbits(1) == 1)
        rig.run(1000)
        assert rig.fault() is None


def test_seat_switch_polled_after_a_pause_of_days_is_no_fault():
    rig = switch_rig()
    for taken in (True, False) * 20:
        rig.model.sit(taken)
        rig.clock.pass_ms(PERIOD // 2 + 17)
        assert rig.sensor.poll(rig.ticks()) is taken
        assert rig.fault() is None


def test_radar_says_nothing_before_its_first_report_and_while_it_calibrates():
    rig = radar_rig()
    assert rig.sensor.poll(rig.ticks()) is None
    assert rig.run(1000)[-1] is False
    rig.model.target(2, cm=80, energy=50)
    assert rig.run(1000)[-1] is True
    rig.model.target(4)
    assert rig.run(1000)[-1] is None


def test_radar_that_falls_silent_says_nothing_and_is_a_fault_until_it_reports():
    rig = radar_rig()
    rig.model.target(1, cm=80, energy=50)
    rig.run(1000)
    rig.model.fault = "silence"
    assert rig.run(3000) == [True, None]
    assert rig.fault()[0] == "radar"
    rig.model.fault = None
    assert rig.run(1000)[-1] is True
    assert rig.fault() is None


def combined_rig(*chosen):
    """These sensors as one: "radar", "switch" and "pir"."""
    rig = radar_rig()
    rig.pir = PIRModel(rig.clock, warm_up_us=0)
    rig.switch = SeatSwitchModel(rig.clock)
    rig.sensors = {
        "radar": rig.sensor,
        "switch": SeatSwitch(rig.switch),
        "pir": PIR(rig.pir, warm_up_ms=0),
    }
    moving = [rig.sensors[name] for name in chosen if name == "pir"]
    rig.sensor = Combined([rig.sensors[name] for name in chosen if name != "pir"], moving)
    rig.run(1000)
    return rig


def faults(rig):
    """The chips that complain."""
    found = []
    for sensor in rig.sensors.values():
        try:
            sensor.check(rig.ticks())
        except ChipFault as fault:
            found.append(fault.chip)
    return found


def test_somebody_is_there_when_radar_or_switch_says_so_and_nobody_when_both_do():
    rig = combined_rig("radar", "switch")
    assert rig.run(1000)[-1] is False
    rig.model.target(2, cm=80, energy=50)
    assert rig.run(1000)[-1] is True
    rig.switch.sit(True)
    rig.model.target(0)
    assert rig.run(1000)[-1] is True
    rig.switch.sit(False)
    assert rig.run(1000)[-1] is False


def test_broken_sensor_is_left_out_and_the_other_decides():
    for broken, defect in (("radar", "silence"), ("switch", "chatter")):
        rig = combined_rig("radar", "switch")
        models = {"radar": rig.model, "switch": rig.switch}
        models[broken].fault = defect
        rig.run(12_000)
        assert len(faults(rig)) == 1
        for there in (True, False):
            rig.model.target(2 if there else 0, cm=80, energy=50)
            rig.switch.sit(there)
            assert rig.run(2000)[-1] is there, broken
        models[broken].fault = None
        rig.run(21_000)
        assert not faults(rig)


def test_nothing_is_known_when_no_sensor_can_tell():
    rig = combined_rig("radar", "switch", "pir")
    rig.model.fault = "silence"
    rig.switch.fault = "chatter"
    rig.sensors["pir"]._stuck_ms = MINUTE
    rig.pir.fault = "high"
    assert rig.run(2 * MINUTE)[-1] is None
    assert len(faults(rig)) == 3


def test_movement_beside_a_sensor_that_works_changes_nothing():
    for taken in (False, True):
        rig = combined_rig("switch", "pir")
        rig.switch.sit(taken)
        rig.run(1000)
        for level in ("high", "low"):
            rig.pir.fault = level
            assert rig.run(10 * MINUTE) == [taken]


def test_movement_decides_when_no_other_sensor_can_tell():
    rig = combined_rig("switch", "pir")
    rig.switch.sit(True)
    rig.run(1000, each=rig.pir.move)
    rig.run(20_000, each=rig.pir.move)
    rig.switch.fault = "chatter"
    assert rig.run(4 * MINUTE)[-1] is True
    assert rig.run(2 * MINUTE)[-1] is False


def test_pir_alone_keeps_somebody_who_sits_still_for_minutes_and_ignores_who_passes():
    rig = combined_rig("pir")
    assert rig.run(STILL_MS)[-1] is False
    rig.run(3_000, each=rig.pir.move)
    assert rig.run(10_000) == [False]
    said = rig.run(STEADY_MS + 3_000, each=rig.pir.move)
    assert said == [False, True]
    assert rig.run(STILL_MS) == [True]
    assert rig.run(20_000)[-1] is False


def test_pir_of_somebody_who_sits_still_for_four_minutes_at_a_time_never_says_nobody():
    rig = combined_rig("pir")
    rig.run(STEADY_MS + 3_000, each=rig.pir.move)
    random.seed(6)
    for _ in range(12):
        assert rig.run(random.getrandbits(8) * 1000, every=1000) in ([], [True])
        rig.pir.move()


def test_random_levels_never_crash_a_sensor_nor_make_it_say_anything_else():
    random.seed(8)
    rig = Rig()
    for kind in (PIR, SeatSwitch):
        rig.sensor = kind(lambda: random.getrandbits(1))
        for _ in range(500):
            rig.clock.pass_ms(random.getrandbits(20))
            assert rig.sensor.poll(rig.ticks()) in (True, False, None)
            rig.fault()
