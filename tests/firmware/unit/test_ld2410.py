"""The radar driver against the module's model, in simulated time."""

import random

import drivers.ld2410 as driver
import drivers.ld2410_setup as setup
from drivers.fault import ChipFault
from drivers.ld2410_setup import ALL_GATES, ConfigurableLD2410
from port import sleep_ms
from sim.chips.clock import ManualClock
from sim.chips.ld2410 import LD2410Model

BASIC = (
    b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa\x03\x51\x00\x3c\x00\x01\x14\x78\x00\x55\x00\xf8\xf7\xf6\xf5"
)
ACK = b"\xfd\xfc\xfb\xfa\x04\x00\xfe\x01\x00\x00\x04\x03\x02\x01"


def reason_in(fault):
    assert fault.chip == "radar"
    assert 0 < len(fault.reason) <= 120
    return fault.reason


class Rig:
    """A driver on a model; the driver's clock and sleeps are the model's."""

    def __init__(self, **options):
        self.clock = ManualClock()
        self.model = LD2410Model(self.clock, **options)
        setup.sleep_ms = self.sleep_ms
        driver.ticks_ms = self.ticks
        self.radar = ConfigurableLD2410(self.model)

    async def sleep_ms(self, ms):
        self.clock.pass_ms(ms)
        await sleep_ms(0)

    def ticks(self):
        return self.clock.now // 1000 & (1 << 30) - 1

    def run(self, ms, every=20):
        """Poll as the unit does; good reports."""
        reports = 0
        for _ in range(ms // every):
            self.clock.pass_ms(every)
            reports += self.radar.receive()
        return reports

    def fault(self):
        """The reason why the radar is thought to be broken, None when it is not."""
        try:
            self.radar.check(self.ticks())
        except ChipFault as fault:
            return reason_in(fault)
        return None


class Line:
    """A UART that has received these bytes and sends nowhere."""

    def __init__(self, data):
        self.data = data

    def any(self):
        return len(self.data)

    def readinto(self, buf, count):
        part, self.data = self.data[:count], self.data[count:]
        buf[: len(part)] = part
        return len(part)

    def write(self, data):
        return len(data)


def drained(data):
    """A driver that has taken in these bytes."""
    radar = ConfigurableLD2410(Line(data))
    for _ in range(len(data) // 64 + 1):
        radar.receive()
    return radar


def test_basic_report_is_read():
    radar = drained(BASIC)
    assert (radar.frames, radar.garbage) == (1, 0)
    assert (radar.state, radar.moving_cm, radar.moving_energy) == (3, 81, 60)
    assert (radar.still_cm, radar.still_energy, radar.detection_cm) == (256, 20, 120)


def test_ten_reports_a_second_follow_what_is_seen():
    rig = Rig()
    rig.model.target(2, cm=83, energy=77)
    assert rig.run(1020) == 10
    radar = rig.radar
    assert (radar.state, radar.still_cm, radar.still_energy, radar.detection_cm) == (2, 83, 77, 83)
    rig.model.target(0)
    rig.run(200)
    assert (radar.state, radar.still_cm, radar.detection_cm) == (0, 0, 0)
    assert radar.garbage == 0


async def test_engineering_reports_of_both_lengths_are_read():
    for light in (True, False):
        rig = Rig(light=light)
        await rig.radar.engineering(True)
        rig.model.target(1, cm=300, energy=41)
        assert rig.run(1000) >= 9
        assert (rig.radar.moving_cm, rig.radar.moving_energy) == (300, 41)
        await rig.radar.engineering(False)
        assert rig.run(1000) >= 9
        assert rig.radar.garbage == 0


def test_report_split_at_any_byte_is_read():
    for cut in range(1, len(BASIC)):
        line = Line(BASIC[:cut])
        radar = ConfigurableLD2410(line)
        assert radar.receive() == 0
        line.data = BASIC[cut:]
        assert radar.receive() == 1, cut


def test_good_report_behind_one_cut_off_at_any_byte_is_not_lost():
    for cut in range(1, len(BASIC)):
        radar = drained(BASIC[:cut] + BASIC + b"\0" * 60)
        assert (radar.frames, radar.garbage) == (1, cut + 60), cut


def test_report_with_any_byte_of_its_frame_wrong_is_not_believed():
    for at in (0, 1, 2, 3, 4, 5, 6, 7, 17, 19, 20, 21, 22):
        wrong = bytearray(BASIC)
        wrong[at] ^= 0x10
        radar = drained(bytes(wrong) + BASIC + b"\0" * 60)
        assert radar.frames == 1, at


def test_overflow_of_the_receive_buffer_costs_reports_but_not_the_parser():
    rig = Rig()
    rig.clock.pass_ms(5000)
    assert rig.run(100) > 5
    assert rig.model.lost > 0
    assert rig.run(1000) >= 9


def test_every_byte_is_either_part_of_a_good_frame_or_counted_as_garbage():
    random.seed(5)
    for _ in range(60):
        stream = b""
        good = 0
        for _ in range(12):
            if random.getrandbits(1):
                stream += ACK if random.getrandbits(1) else BASIC
                good += 1
            else:
                # Garbage with many bytes of headers, to lure the parser.
                lure = b"\xf4\xf3\xf2\xf1\xfd\xfc\xfb\xfa\x0d\x00\x55\xaa"
                stream += bytes(
                    lure[random.getrandbits(8) % 12] for _ in range(random.getrandbits(5))
                )
        frames = stream.count(BASIC) * len(BASIC) + stream.count(ACK) * len(ACK)
        radar = drained(stream + b"\0" * 60)
        assert radar.frames == good
        assert radar.garbage == len(stream) + 60 - frames


def test_random_bytes_never_crash_and_never_count_as_a_frame():
    random.seed(6)
    for _ in range(20):
        data = bytes(random.getrandbits(8) for _ in range(1000))
        radar = drained(data)
        assert radar.frames == 0
        assert 1000 - 58 <= radar.garbage <= 1000


def test_noise_and_truncation_lose_reports_but_never_the_radar():
    for fault in ("noise", "truncated"):
        rig = Rig()
        rig.model.target(2, cm=80, energy=50)
        rig.model.fault = fault
        rig.run(3000)
        assert rig.radar.garbage > 0
        rig.model.fault = None
        assert rig.run(1000) >= 8, fault
        assert rig.fault() is None


def test_silence_of_more_than_a_second_and_a_half_is_a_fault_until_the_next_report():
    rig = Rig()
    rig.run(500)
    rig.model.fault = "silence"
    rig.run(1480)
    assert rig.fault() is None
    rig.run(100)
    assert "silent" in rig.fault()
    rig.model.fault = None
    rig.run(200)
    assert rig.fault() is None


def test_silence_of_a_week_is_still_a_fault_although_ticks_wrap():
    rig = Rig()
    rig.model.fault = "silence"
    for _ in range(14):
        rig.clock.pass_ms(12 * 3600 * 1000)
        assert rig.fault() is not None


def test_line_that_carries_garbage_only_is_a_fault_of_its_own():
    rig = Rig()
    rig.run(200)
    rig.model.fault = "noise"
    rig.model.noise_per_mille = 1000
    rig.run(2000)
    assert "garbage" in rig.fault()


async def test_commands_are_acknowledged_among_reports_and_change_the_module():
    rig = Rig()
    rig.model.target(2, cm=80, energy=50)
    rig.run(60)
    await rig.radar.configure(4, 3, 30)
    await rig.radar.sensitivity(ALL_GATES, 40, 25)
    await rig.radar.sensitivity(2, 60, 35)
    parameters = await rig.radar.parameters()
    assert parameters[:4] == b"\xaa\x08\x04\x03"
    assert parameters[4:13] == b"\x28\x28\x3c" + b"\x28" * 6
    assert parameters[13:22] == b"\x19\x19\x23" + b"\x19" * 6
    assert parameters[22:] == b"\x1e\x00"
    assert await rig.radar.version() == "1.07.22091516"
    # A report came between two acknowledgements.
    assert rig.radar.frames == 16
    assert (rig.radar.still_cm, rig.radar.garbage) == (80, 0)


async def reason_of(awaitable):
    try:
        await awaitable
    except ChipFault as fault:
        return reason_in(fault)
    return None


async def test_refused_command_is_a_fault_and_leaves_configuration_mode():
    rig = Rig(quiet_in_config=True)
    assert "refused" in await reason_of(rig.radar.configure(9, 9, 5))
    assert rig.run(1000) >= 9


async def test_command_without_an_answer_gives_up_within_a_second():
    rig = Rig()
    rig.model.fault = "silence"
    began = rig.clock.now
    assert "acknowledge" in await reason_of(rig.radar.version())
    assert rig.clock.now - began < 1_000_000


async def test_restart_is_survived_without_a_fault():
    rig = Rig()
    rig.run(300)
    await rig.radar.restart()
    assert rig.run(1000) == 0
    assert rig.fault() is None
    assert rig.run(500) > 0
    assert rig.fault() is None


async def test_command_during_a_restart_is_not_heard():
    rig = Rig()
    await rig.radar.restart()
    assert "acknowledge" in await reason_of(rig.radar.version())
