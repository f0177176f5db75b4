"""Lanes: what is sent, how far ahead, and again when nobody answers."""

import json

from desk_unit.clock import Uptime, WallClock
from desk_unit.facts import Facts
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from tests.firmware.unit.nor import Nor


class Bench:
    """Facts on two lanes with a clock of their own."""

    def __init__(self, boot=7, flash=None):
        self.ticks = 0
        self.flash = flash or Nor(blocks=8, size=4096)
        journal = Journal(self.flash)
        journal.mount()
        buttons = Journal(Nor(blocks=5, size=4096))
        buttons.mount()
        self.uptime = Uptime(lambda: self.ticks, lambda end, start: end - start)
        self.wall = WallClock(self.uptime)
        self.lane = Lane("fact", "ordinary", journal, unit="a1", boot=boot, uptime=self.uptime)
        self.button = Lane("button", "button", buttons, unit="a1", boot=boot, uptime=self.uptime)
        self.facts = Facts(self.lane, self.button, self.uptime, self.wall)

    def seats(self, count):
        for _ in range(count):
            self.facts.seat(True)

    def acknowledge(self, *spans, boot=7):
        return list(self.lane.acknowledge(boot, spans))[-1]


def sent(lane):
    """All messages that may be sent now, as lists of sequence numbers."""
    messages = []
    while True:
        message = lane.message()
        if message is None:
            return messages
        assert len(message[0]) <= 1024
        body = json.loads(message[0])
        facts = body if isinstance(body, list) else [body]
        assert (facts[-1]["boot"], facts[-1]["seq"]) == message[1:]
        messages.append([fact["seq"] for fact in facts])


def flat(messages):
    return [seq for message in messages for seq in message]


def test_live_fact_goes_singly():
    bench = Bench()
    bench.seats(1)
    payload, boot, seq = bench.lane.message()
    assert isinstance(json.loads(payload), dict)
    assert (boot, seq) == (7, 1)
    assert bench.lane.message() is None


def test_backlog_goes_in_arrays_without_holes():
    bench = Bench()
    bench.seats(40)
    messages = sent(bench.lane)
    assert len(messages) < 10
    assert flat(messages) == list(range(1, 41))


def test_sequence_counts_from_one_on_each_lane():
    bench = Bench()
    assert [bench.facts.seat(True), bench.facts.press(), bench.facts.seat(False)] == [1, 1, 2]
    assert bench.facts.urgent("hold") == 2


def test_age_is_counted_to_the_moment_of_sending():
    bench = Bench()
    bench.ticks = 5_000
    bench.facts.press(40)
    bench.ticks = 9_000
    fact = json.loads(bench.button.message()[0])
    assert (fact["up"], fact["age"]) == (4_960, 4_040)


def test_fact_of_an_earlier_boot_has_no_age():
    flash = Nor(blocks=8, size=4096)
    Bench(boot=7, flash=flash).seats(1)
    fact = json.loads(Bench(boot=8, flash=flash).lane.message()[0])
    assert fact["boot"] == 7
    assert "age" not in fact


def test_clock_is_sent_only_when_it_is_known():
    bench = Bench()
    bench.facts.seat(True)
    bench.wall.learn(1_800_000_000_000)
    bench.facts.seat(False)
    first, second = json.loads(bench.lane.message()[0])
    assert "at" not in first
    assert "clock" not in first
    assert (second["at"], second["clock"]) == (1_800_000_000_000, "host")


def test_nothing_is_forgotten_by_sending():
    bench = Bench()
    bench.seats(5)
    sent(bench.lane)
    assert bench.lane.journal.waiting == 5


def test_acknowledged_facts_are_not_sent_again():
    bench = Bench()
    bench.seats(5)
    sent(bench.lane)
    assert bench.acknowledge([1, 3]) == 3
    bench.lane.rewind()
    assert sent(bench.lane) == [[4, 5]]


def test_acknowledgement_of_an_earlier_boot_changes_nothing():
    bench = Bench()
    bench.seats(2)
    assert bench.acknowledge([1, 2], boot=6) == 0
    assert bench.lane.journal.waiting == 2


def test_unanswered_facts_are_sent_again_after_ten_seconds():
    bench = Bench()
    bench.seats(3)
    assert sent(bench.lane) == [[1, 2, 3]]
    bench.ticks = 9_900
    bench.lane.tick()
    assert sent(bench.lane) == []
    bench.ticks = 10_000
    bench.lane.tick()
    assert sent(bench.lane) == [[1, 2, 3]]


def times_sent(bench, lane, end):
    """When a lane sends while nobody answers, from now to `end`."""
    times = []
    for now in range(0, end, 500):
        bench.ticks = now
        lane.tick()
        times += [now for _ in sent(lane)]
    return times


def test_silent_host_is_asked_more_and_more_rarely():
    bench = Bench()
    bench.seats(1)
    asked = times_sent(bench, bench.lane, 300_000)
    assert asked == [0, 10_000, 30_000, 70_000, 130_000, 190_000, 250_000]


def test_an_unanswered_press_is_sent_again_after_two_seconds_and_then_more_and_more_rarely():
    bench = Bench()
    bench.facts.press()
    asked = times_sent(bench, bench.button, 150_000)
    assert asked == [0, 2_000, 6_000, 14_000, 30_000, 62_000, 122_000]


def test_window_limits_what_is_sent_ahead_of_the_host():
    bench = Bench()
    bench.seats(500)
    assert flat(sent(bench.lane)) == list(range(1, 257))
    bench.acknowledge([1, 100])
    assert flat(sent(bench.lane)) == list(range(257, 501))


def test_after_silence_little_is_sent_until_the_host_answers():
    bench = Bench()
    bench.seats(500)
    sent(bench.lane)
    bench.ticks = 10_000
    bench.lane.tick()
    assert flat(sent(bench.lane)) == list(range(1, 9))
    bench.acknowledge([1, 8])
    assert flat(sent(bench.lane)) == list(range(9, 25))


def test_backlog_is_drained_completely():
    bench = Bench()
    bench.seats(500)
    seen = []
    while bench.lane.journal.waiting:
        batch = flat(sent(bench.lane))
        assert batch
        seen += batch
        bench.acknowledge([1, seen[-1]])
    assert seen == list(range(1, 501))


def test_facts_dropped_by_a_full_journal_do_not_stop_the_lane():
    bench = Bench(flash=Nor(blocks=5, size=4096))
    bench.seats(100)
    sent(bench.lane)
    bench.seats(400)
    assert bench.lane.journal.dropped
    bench.lane.rewind()
    first = json.loads(bench.lane.message()[0])[0]["seq"]
    assert first > 1
    bench.acknowledge([1, first + 10])
    newest = bench.lane.journal.last[1]
    assert newest > 500, "what was dropped is reported in facts of its own"
    assert flat(sent(bench.lane))[-1] == newest


def live(lane):
    """Sequence numbers of the facts that go ahead now."""
    found = []
    while True:
        message = lane.live()
        if message is None:
            return found
        fact = json.loads(message[0])
        assert (fact["boot"], fact["seq"]) == message[1:]
        found.append(fact["seq"])


def test_what_happens_now_goes_ahead_of_a_backlog_and_again_in_its_place():
    bench = Bench()
    bench.seats(40)
    bench.lane.message()
    bench.ticks = 60_000
    bench.facts.seat(False)
    assert live(bench.lane) == [41]
    assert live(bench.lane) == []
    assert flat(sent(bench.lane))[-1] == 41
    bench.facts.seat(True)
    assert live(bench.lane) == [], "nothing waited before it"
    assert flat(sent(bench.lane)) == [42]


def test_only_the_newest_facts_of_the_last_seconds_go_ahead():
    bench = Bench()
    bench.seats(40)
    assert live(bench.lane) == list(range(33, 41))
    bench.seats(3)
    bench.ticks = 5_001
    assert live(bench.lane) == []
    assert flat(sent(bench.lane)) == list(range(1, 44))


def test_acknowledged_live_fact_is_forgotten_when_its_turn_comes():
    bench = Bench()
    bench.seats(40)
    assert live(bench.lane)[-1] == 40
    bench.acknowledge([33, 40])
    assert bench.lane.journal.waiting == 40
    bench.acknowledge([1, 40])
    assert bench.lane.journal.waiting == 0


class Failing(Nor):
    """Flash that takes nothing any more, and perhaps gives nothing either."""

    broken = silent = False

    def writeblocks(self, block, buf, offset=0):
        if self.broken:
            raise OSError(5)
        Nor.writeblocks(self, block, buf, offset)

    def readblocks(self, block, buf, offset=0):
        if self.silent:
            raise OSError(5)
        Nor.readblocks(self, block, buf, offset)


def failing(count):
    """A lane with so many facts on flash that fails now, and three in memory."""
    flash = Failing(blocks=8, size=4096)
    bench = Bench(flash=flash)
    bench.seats(count)
    flash.broken = True
    bench.ticks = 60_000
    bench.seats(3)
    assert "memory" in bench.lane.fault
    assert bench.lane.waiting == count + 3
    return bench, flash


def test_failing_flash_is_replaced_by_memory_and_what_it_holds_is_sent_first():
    bench, _ = failing(40)
    assert live(bench.lane) == [41, 42, 43]
    assert flat(sent(bench.lane)) == list(range(1, 41))
    bench.acknowledge([1, 30], [41, 43])
    assert bench.lane.waiting == 13
    assert bench.lane.tidy() is False
    bench.acknowledge([1, 40], [41, 43])
    assert flat(sent(bench.lane)) == [41, 42, 43]
    bench.acknowledge([1, 43])
    assert bench.lane.waiting == 0
    bench.seats(1)
    assert flat(sent(bench.lane)) == [44]


def test_a_unit_whose_flash_fails_at_its_start_still_sends_what_was_there():
    flash = Failing(blocks=8, size=4096)
    Bench(boot=6, flash=flash).seats(5)
    flash.broken = True
    bench = Bench(boot=7, flash=flash)
    bench.seats(1)
    assert flat(sent(bench.lane)) == [1, 2, 3, 4, 5]
    bench.acknowledge([1, 5], boot=6)
    assert flat(sent(bench.lane)) == [1]
    bench.acknowledge([1, 1])
    assert bench.lane.waiting == 0


def test_flash_that_can_not_even_be_read_holds_up_nothing():
    bench, flash = failing(2)
    flash.silent = True
    assert sent(bench.lane) == []
    assert flat(sent(bench.lane)) == [3, 4, 5]
    bench.acknowledge([1, 5])
    assert bench.lane.waiting == 0


def test_an_empty_flash_that_fails_is_replaced_at_once():
    bench, _ = failing(0)
    assert flat(sent(bench.lane)) == [1, 2, 3]


def test_waiting_time_counts_from_the_first_fact_without_an_answer():
    bench = Bench()
    bench.ticks = 50_000
    assert bench.lane.stuck_ms == 0
    bench.seats(1)
    bench.ticks = 120_000
    assert bench.lane.stuck_ms == 70_000
    bench.seats(1)
    bench.acknowledge([1, 1])
    assert bench.lane.stuck_ms == 0
    bench.ticks = 130_000
    assert bench.lane.stuck_ms == 10_000


def test_chip_reason_is_cut_and_made_printable():
    bench = Bench()
    bench.facts.chip("radar", False, 'say "né"\n' + "x" * 300)
    fact = json.loads(bench.lane.message()[0])
    assert (fact["chip"], fact["ok"]) == ("radar", False)
    assert fact["reason"] == 'say "n?"?' + "x" * 71
