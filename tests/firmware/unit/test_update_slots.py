# Runs on MicroPython too, which has neither pathlib nor pytest.
# ruff: noqa: PT017
"""The loader: it counts before it runs, goes back by itself, and always finds what starts."""

from tests.firmware.unit.update_release import Nvs, bundle, new_root
from update import slots


class Vfs:
    """`vfs` as far as the loader uses it: what is mounted where."""

    def __init__(self):
        self.mounted = {}

    def mount(self, files, path):
        """Mount; a place can be used once."""
        assert path not in self.mounted
        self.mounted[path] = files

    def umount(self, path):
        """Take away."""
        del self.mounted[path]


class Loads:
    """What `main.py` hands in: imports what is on the path, here the name of the bundle."""

    def __init__(self, path, vfs, broken=()):
        self.path = path
        self.vfs = vfs
        self.broken = broken
        self.tried = []

    def __call__(self):
        place = 0
        if self.path[0] == slots.RUN:
            place = 1 + "ab".index(self.vfs.mounted[slots.RUN]._path[-8])
        self.tried.append(place)
        if place in self.broken:
            raise self.broken[place]
        return "version in %d" % place


def unit(*ready):
    """A root folder with these slots ready."""
    root = new_root()
    for place in ready:
        put(root, place)
    return root


def put(root, place, data=None):
    """Fill a slot."""
    with open(slots.bundle(root, place), "wb") as file:
        file.write(bundle()[1] if data is None else data)
    with open(slots.mark(root, place), "wb") as file:
        file.write(b"ready\n")


def begin(root, nvs, load, path, *, modules=None, vfs=None, watchdog=lambda: None):
    """`slots.start` with what a test does not care for."""
    return slots.start(
        root,
        nvs,
        load=load,
        path=path,
        modules={} if modules is None else modules,
        vfs=vfs or Vfs(),
        watchdog=watchdog,
    )


def start(root, nvs, broken=None):
    """Start; returns the place that runs and the places that were tried."""
    path = ["", ".frozen", "/lib"]
    vfs = Vfs()
    load = Loads(path, vfs, broken or {})
    place, trial, app = begin(root, nvs, load, path, vfs=vfs)
    assert app == "version in %d" % place
    assert trial == (slots.State(nvs).trial and slots.State(nvs).current == place)
    assert len(vfs.mounted) == (place > 0)
    return place, load.tried


def test_a_new_unit_starts_slot_a():
    assert start(unit(1), Nvs()) == (1, [1])


def test_without_any_slot_what_a_developer_has_copied_into_the_root_starts():
    assert start(unit(), Nvs()) == (0, [0])


def test_a_new_unit_whose_number_is_lost_starts_the_slot_that_is_whole():
    assert start(unit(2), Nvs()) == (2, [2])


def test_what_was_switched_to_starts_and_once_confirmed_it_stays():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
    assert start(root, nvs) == (2, [2])
    assert slots.State(nvs).confirm(2)
    for _ in range(5):
        assert start(root, nvs) == (2, [2])


def test_a_version_that_is_never_confirmed_starts_three_times_and_not_again():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
    places = [start(root, nvs)[0] for _ in range(6)]
    assert places == [2, 2, 2, 1, 1, 1]
    assert slots.State(nvs).failed


def test_a_trial_boot_is_counted_and_the_watchdog_runs_before_the_first_line_of_the_version():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
    seen = []

    def left(what):
        seen.append((what, slots.State(nvs).left))

    begin(root, nvs, lambda: left("load"), [""], watchdog=lambda: left("watchdog"))
    assert seen == [("watchdog", 2), ("load", 2)]


def test_a_version_on_trial_that_cannot_be_imported_is_given_up_at_once():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
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
        slots.State(nvs).switch(2)
        slots.State(nvs).confirm(2)
        assert start(root, nvs, {2: error}) == (1, [2, 1]), error
        assert start(root, nvs, {2: error, 1: error}) == (0, [2, 1, 0]), error


def test_a_slot_that_is_ready_but_no_bundle_leads_to_the_next_best():
    good = bundle()[1]
    for data in (b"", b"CQU1", good[:-1], good + b"?", b"x" + good, good[:500], b"CQU1" * 99):
        root = unit(1)
        put(root, 2, data)
        nvs = Nvs()
        slots.State(nvs).switch(2)
        slots.State(nvs).confirm(2)
        assert start(root, nvs) == (1, [1]), data[:9]


def test_a_version_that_failed_its_trial_comes_last():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
    slots.State(nvs).back()
    assert start(root, nvs, {1: ImportError()}) == (0, [1, 0])
    assert start(root, nvs, {1: ImportError(), 0: ImportError()}) == (2, [1, 0, 2])


def test_a_slot_without_its_mark_is_never_started():
    root, nvs = unit(1), Nvs()
    with open(slots.bundle(root, 2), "wb") as file:
        file.write(bundle()[1])
    slots.State(nvs).switch(2)
    assert start(root, nvs) == (1, [1])
    assert not slots.State(nvs).trial


def test_no_version_at_all_is_an_error_that_says_why():
    try:
        start(unit(), Nvs(), {0: ImportError("no board")})
    except ImportError as error:
        assert "no board" in str(error) and "provision" in str(error)
    else:
        raise AssertionError("something started")


def test_a_trial_that_cannot_be_counted_does_not_run():
    root, nvs = unit(1, 2), Nvs()
    slots.State(nvs).switch(2)
    nvs.broken = True
    assert start(root, nvs) == (1, [1])


def test_every_number_in_nvs_starts_something():
    root = unit(1, 2)
    words = list(range(512)) + [0x2C60000 + low for low in range(512)]
    words += [-1, -(2**31), 2**31 - 1, 0x5C60011, 0x7FC60011, 0x2C50011]
    for word in words:
        nvs = Nvs(slots=word)
        for _ in range(5):
            start(root, nvs)


def test_only_the_version_that_is_on_trial_can_confirm_itself():
    nvs = Nvs()
    slots.State(nvs).switch(2)
    assert not slots.State(nvs).confirm(1)
    assert slots.State(nvs).trial
    assert slots.State(nvs).confirm(2)
    assert not slots.State(nvs).confirm(2)


def test_a_slot_takes_the_root_s_place_on_the_path_so_that_versions_never_mix():
    root, nvs = unit(1), Nvs()
    path = ["", "/sim", root, root + "/", ".frozen", "/lib"]
    begin(root, nvs, lambda: None, path)
    assert path == [slots.RUN, "/sim", ".frozen", "/lib"]


def test_the_loader_and_what_a_failed_import_left_behind_are_gone_before_the_next():
    root, nvs = unit(1, 2), Nvs()
    modules = {"machine": 1, "loader": 2, "update": 3, "update.slots": 4, "updates": 5}
    seen = []

    def load():
        seen.append(sorted(modules))
        modules["half"] = "imported"
        if len(seen) == 1:
            raise ImportError

    begin(root, nvs, load, [""], modules=modules)
    assert seen == [["machine", "updates"], ["machine", "updates"]]
