"""The watchdog is fed only while every task makes progress."""

from desk_unit.watch import Watch


class Bench:
    def __init__(self):
        self.now = 0
        self.fed = 0
        self.records = []
        self.watch = Watch(self.feed, self.records.append, lambda: self.now)
        self.watch.expect("fast", 2_000)
        self.watch.expect("slow", 60_000)

    def feed(self):
        self.fed += 1

    def seconds(self, count, *beating):
        """How often it was fed while so many seconds passed."""
        before = self.fed
        for _ in range(count):
            self.now += 1_000
            for task in beating:
                self.watch.beat(task)
            self.watch.look()
        return self.fed - before


def test_fed_while_all_make_progress():
    assert Bench().seconds(100, "fast", "slow") == 100


def test_not_fed_once_a_task_has_taken_longer_than_it_may():
    bench = Bench()
    assert bench.seconds(10, "slow") == 2
    assert bench.seconds(5, "fast", "slow") == 5


def test_each_task_has_its_own_patience():
    bench = Bench()
    assert bench.seconds(100, "fast") == 60


def test_stuck_task_is_recorded_once_with_its_last_failure():
    bench = Bench()
    bench.watch.failed("fast", "ValueError at a.py:1")
    bench.seconds(6, "slow")
    assert bench.records == []
    bench.seconds(60, "slow")
    assert bench.records == ["stuck: fast ValueError at a.py:1"]
