# Runs on MicroPython too, which has neither pathlib nor pytest.
# ruff: noqa: PT017
"""The loader: it counts before it runs, goes back by itself, and always finds what starts."""

import os

from tests.firmware.unit.update_release import Nvs, new_root
from update import slots


class Loads:
    """What `main.py` hands in: imports what is on the path, here the name of the folder."""

    def __init__(self, root, path, broken=()):
        self.root = root
        self.path = path
        self.broken = broken
        self.tried = []

    def __call__(self):
        folder = self.path[0]
        place = 0 if folder == "" else "ab".index(folder[-1]) + 1
        self.tried.append(place)
        if place in self.broken:
            raise self.broken[place]
        return "version in %d" % place


def unit(*ready):
    """A root folder with these slots ready."""
    root = new_root()
    for place in ready:
        os.mkdir(slots.folder(root, place))
        with open(slots.folder(root, place) + "/" + slots.READY, "wb") as file:
            file.write(b"ready\n")
    return root


def start(root, nvs, broken=None):
    """Start; returns the place that runs and the places that were tried."""
    path = ["", ".frozen", "/lib"]
    load = Loads(root, path, broken or {})
    place, app = slots.start(root, nvs, load, path, {})
    assert app == "version in %d" % place
    return place, load.tried


def test_a_new_unit_starts_what_was_flashed_at_the_factory():
    assert start(unit(), Nvs()) == (0, [0])


def test_what_was_switched_to_starts_and_once_confirmed_it_stays():
    root, nvs = unit(1), Nvs()
    slots.State(nvs).switch(1, 0)
    assert start(root, nvs) == (1, [1])
    assert slots.State(nvs).confirm(1)
    for _ in range(5):
        assert start(root, nvs) == (1, [1])


def test_a_version_that_is_never_confirmed_starts_three_times_and_not_again():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(1, 0)
    start(root, nvs)
    slots.State(nvs).confirm(1)
    slots.State(nvs).switch(2, 1)
    places = [start(root, nvs)[0] for _ in range(6)]
    assert places == [2, 2, 2, 1, 1, 1]
    assert slots.State(nvs).failed


def test_a_trial_boot_is_counted_before_the_first_line_of_the_version_runs():
    root, nvs = unit(1), Nvs()
    slots.State(nvs).switch(1, 0)
    left = []
    path = [""]
    slots.start(root, nvs, lambda: left.append(slots.State(nvs).left), path, {})
    assert left == [2]


def test_a_version_on_trial_that_cannot_be_imported_is_given_up_at_once():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(1, 0)
    slots.State(nvs).confirm(1)
    slots.State(nvs).switch(2, 1)
    assert start(root, nvs, {2: ImportError("no module named 'app'")}) == (1, [2, 1])
    assert start(root, nvs) == (1, [1])


def test_any_kind_of_failure_of_an_import_leads_to_the_next_best():
    for error in (
        ImportError(),
        SyntaxError(),
        ValueError(),
        MemoryError(),
        OSError(5),
        SystemExit(),
    ):
        root, nvs = unit(1, 2), Nvs()
        slots.State(nvs).switch(2, 1)
        slots.State(nvs).confirm(2)
        assert start(root, nvs, {2: error}) == (1, [2, 1]), error
        assert start(root, nvs, {2: error, 1: error}) == (0, [2, 1, 0]), error


def test_a_version_that_failed_its_trial_comes_after_the_factory_s():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2, 1)
    slots.State(nvs).back()
    assert start(root, nvs, {1: ImportError()}) == (0, [1, 0])
    assert start(root, nvs, {1: ImportError(), 0: ImportError()}) == (2, [1, 0, 2])


def test_a_slot_without_its_mark_is_never_started():
    root, nvs = unit(), Nvs()
    os.mkdir(root + "/a")
    slots.State(nvs).switch(1, 0)
    assert start(root, nvs) == (0, [0])
    assert not slots.State(nvs).trial


def test_no_version_at_all_is_an_error_that_says_why():
    try:
        start(unit(), Nvs(), {0: ImportError("no board")})
    except ImportError as error:
        assert "no board" in str(error) and "flash" in str(error)
    else:
        raise AssertionError("something started")


def test_a_trial_that_cannot_be_counted_does_not_run():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2, 1)
    nvs.broken = True
    assert start(root, nvs) == (1, [1])


def test_every_number_in_nvs_starts_something():
    root = unit(1, 2)
    words = list(range(512)) + [0x2C50000 + low for low in range(512)]
    words += [-1, -(2**31), 2**31 - 1, 0x5C50011, 0x7FC50011]
    for word in words:
        nvs = Nvs(slots=word)
        for _ in range(5):
            start(root, nvs)


def test_only_the_version_that_is_on_trial_can_confirm_itself():
    nvs = Nvs()
    slots.State(nvs).switch(2, 1)
    assert not slots.State(nvs).confirm(1)
    assert slots.State(nvs).trial
    assert slots.State(nvs).confirm(2)
    assert not slots.State(nvs).confirm(2)


def test_a_slot_takes_the_root_s_place_on_the_path_so_that_versions_never_mix():
    root, nvs = unit(1), Nvs()
    slots.State(nvs).switch(1, 0)
    path = ["", "/sim", root, root + "/", ".frozen", "/lib"]
    slots.start(root, nvs, lambda: None, path, {})
    assert path == [root + "/a", "/sim", ".frozen", "/lib"]


def test_what_a_failed_import_left_behind_is_gone_before_the_next():
    root, nvs = unit(1), Nvs()
    slots.State(nvs).switch(1, 0)
    modules = {"machine": 1, "update": 2, slots.__name__: 3}
    seen = []

    def load():
        seen.append(sorted(modules))
        modules["half"] = "imported"
        if len(seen) == 1:
            raise ImportError

    slots.start(root, nvs, load, [""], modules)
    assert seen == [["machine"], ["machine"]]
