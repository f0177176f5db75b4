"""Failed starts in a row, clean ends, crashes: what the next start knows."""

from desk_unit.crash import MOST
from desk_unit.starts import Starts
from update.slots import State


class Nvs:
    """Settings in which only what was committed survives; `cuts` operations until a power cut."""

    def __init__(self):
        self.kept = {}
        self.pending = {}
        self.cuts = None

    def step(self):
        if self.cuts is not None:
            self.cuts -= 1
            if self.cuts < 0:
                raise KeyboardInterrupt  # nothing below may catch a power cut

    def get_i32(self, key):
        if key not in self.kept:
            raise OSError(-4354)
        return self.kept[key]

    def get_blob(self, key, buffer):
        value = self.get_i32(key)
        buffer[: len(value)] = value
        return len(value)

    def set_i32(self, key, value):
        self.step()
        self.pending[key] = value

    set_blob = set_i32

    def commit(self):
        for key in list(self.pending):
            self.step()
            self.kept[key] = self.pending.pop(key)

    def power_cut(self):
        self.pending = {}
        self.cuts = None


def started(nvs):
    starts = Starts(nvs)
    starts.begin()
    return starts


def test_new_unit_has_no_past():
    starts = Starts(Nvs())
    assert (starts.failed, starts.clean, starts.crash, starts.safe) == (0, False, "", False)


def test_fifth_failure_in_a_row_leads_to_safe_mode_and_stays_there():
    nvs = Nvs()
    for failed in range(5):
        starts = started(nvs)
        assert (starts.failed, starts.safe) == (failed, False)
    for _ in range(3):
        assert started(nvs).safe


def test_good_start_is_the_end_of_a_row():
    nvs = Nvs()
    for _ in range(4):
        started(nvs)
    started(nvs).good()
    assert Starts(nvs).failed == 0


def test_safe_mode_that_fails_itself_leaves_out_button_and_front_by_turns():
    nvs = Nvs()
    for _ in range(5):
        started(nvs)
    tried = []
    for _ in range(5):
        starts = started(nvs)
        tried.append((starts.safe, starts.hears, starts.shows))
    assert tried == [
        (True, True, True),
        (True, True, False),
        (True, False, True),
        (True, False, False),
        (True, False, False),
    ]
    started(nvs).good()
    starts = Starts(nvs)
    assert starts.safe and starts.hears and starts.shows, "a minute of safe mode: all again"


def test_a_start_knows_without_the_loaders_code_that_an_update_has_something_to_tell():
    nvs = Nvs()
    assert not Starts(nvs).tells
    state = State(nvs)
    state.switch(2)
    assert Starts(nvs).tells, "on trial"
    state.confirm(2)
    assert not Starts(nvs).tells
    state.switch(1)
    State(nvs).back()
    assert Starts(nvs).tells, "it has failed"
    State(nvs).forget()
    assert not Starts(nvs).tells


def test_safe_mode_that_lasts_is_no_good_start():
    nvs = Nvs()
    for _ in range(5):
        started(nvs)
    started(nvs).good()
    assert Starts(nvs).safe


def test_safe_mode_tries_again_and_one_more_failure_leads_back():
    nvs = Nvs()
    for _ in range(5):
        started(nvs)
    started(nvs).retry()
    again = started(nvs)
    assert not again.safe
    assert again.clean
    assert started(nvs).safe


def test_start_on_purpose_is_clean_and_the_next_one_is_not():
    nvs = Nvs()
    started(nvs).end()
    again = started(nvs)
    assert again.clean
    assert again.failed == 0
    assert not Starts(nvs).clean


def test_first_crash_is_kept_until_it_is_reported():
    nvs = Nvs()
    started(nvs).crashed("ValueError at a.py:1" + "x" * 200)
    started(nvs).crashed("what came of it")
    starts = started(nvs)
    assert starts.crash == ("ValueError at a.py:1" + "x" * 200)[:MOST]
    starts.reported()
    assert Starts(nvs).crash == ""


def test_settings_that_are_out_of_order_keep_nothing_from_starting():
    class Broken(Nvs):
        def get_i32(self, key):
            raise OSError(-4353)

        def set_i32(self, key, value):
            raise OSError(-4353)

        set_blob = set_i32

    starts = started(Broken())
    starts.crashed("x")
    starts.good()
    starts.end()
    assert not starts.safe


def test_power_cut_at_any_step_never_hides_a_failure_and_never_invents_safe_mode():
    for cuts in range(40):
        nvs = Nvs()
        nvs.cuts = cuts
        begun = failed = 0
        try:
            for _ in range(3):
                starts = Starts(nvs)
                assert starts.failed in (begun, failed)
                starts.begin()
                begun = starts.failed + 1
                failed = starts.failed
                starts.crashed("x")
        except KeyboardInterrupt:
            nvs.power_cut()
        after = Starts(nvs)
        assert not after.safe
        assert after.failed >= begun
