"""The loader: which version of the firmware starts. `main.py` calls `start` before all else.

Two slots hold a version each: the files `a.bundle` and `b.bundle` in the root, signed bundles byte
for byte as they were fetched. One number in NVS says which of them runs, so that every change of
mind is one commit that a power cut leaves either undone or done. A slot counts only while its mark
exists (`a.ready`); that is made last, after every hash in the bundle was checked, and removed
before anything else is touched.

This module and what it imports are copied to the root when a unit is made and never change. They
import nothing of the firmware, so that no version can break them and none is mixed with another.
docs/update.md has the states and the reasons.

The number, from the lowest bit: the current slot is `b` (1 bit), on trial (1), boots left to the
trial (2), the other slot failed its trial (1), then a mark: any other number is not ours.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Nvs(Protocol):
        """The part of `esp32.NVS` that is used here."""

        def get_i32(self, key: str) -> int:
            """The number kept under `key`; OSError if there is none."""

        def set_i32(self, key: str, value: int) -> None:
            """Keep a number under `key`, durable after `commit`."""

        def commit(self) -> None:
            """Make what was set durable."""

    class Vfs(Protocol):
        """The part of MicroPython's module `vfs` that is used here."""

        def mount(self, files: Any, path: str) -> None:
            """Show these files below `path`."""

        def umount(self, path: str) -> None:
            """No longer."""


NAMESPACE = "chequer"
"""The namespace of `esp32.NVS` that the number is in, as all that the unit keeps there."""

NAMES = ("", "a", "b")
"""The slots' names. Place 0 is no slot: modules in the root, as a developer copies them."""

RUN = "/run"
"""Where the bundle of the slot that runs is mounted."""

TRIAL_BOOTS = 3
"""How often a new version may start without declaring itself healthy."""

_LOADER = ("loader", "update")
_KEY = "slots"
_MARK = 0x2C6 << 16
_BITS = 0x1F


class State:
    """What NVS says about the slots; anything odd there reads as a new unit's, which starts `a`."""

    def __init__(self, nvs: "Nvs") -> None:
        self._nvs = nvs
        try:
            word = nvs.get_i32(_KEY)
        except OSError:
            word = 0
        if word & ~_BITS != _MARK:
            word = 0
        self.current = 1 + (word & 1)
        """The slot that should run: 1 is `a`, 2 is `b`."""
        self.trial = bool(word & 2)
        """Whether the current slot has yet to declare itself healthy."""
        self.left = word >> 2 & 3
        """Boots that remain to the trial."""
        self.failed = bool(word & 16)
        """Whether the other slot is one that failed its trial."""

    @property
    def other(self) -> int:
        """The slot to go back to."""
        return 3 - self.current

    def switch(self, target: int) -> None:
        """From the next boot on try the slot `target`.

        Raises:
            OSError: NVS did not keep it; nothing has changed.
        """
        self.current = target
        self.trial, self.left, self.failed = True, TRIAL_BOOTS, False
        self._save()

    def confirm(self, running: int) -> bool:
        """The version at `running` declares itself healthy; True if that ended its trial.

        Raises:
            OSError: NVS did not keep it; the trial goes on.
        """
        if not self.trial or self.current != running:
            return False
        self.trial, self.left, self.failed = False, 0, False
        self._save()
        return True

    def count(self) -> None:
        """Take one boot off the trial; it has to be durable before that boot goes on."""
        self.left -= 1
        self._save()

    def back(self) -> None:
        """The trial has failed: the other slot is the current one again."""
        self.current = self.other
        self.trial, self.left, self.failed = False, 0, True
        self._save()

    def forget(self) -> None:
        """The version that failed its trial is being replaced: the next one has its own trial.

        Raises:
            OSError: NVS did not keep it.
        """
        if self.failed:
            self.failed = False
            self._save()

    def order(self) -> "list[int]":
        """The places to start, best first. A version that failed its trial comes last."""
        if self.failed:
            return [self.current, 0, self.other]
        return [self.current, self.other, 0]

    def _save(self) -> None:
        word = _MARK | self.current - 1 | self.left << 2
        word |= (2 if self.trial else 0) | (16 if self.failed else 0)
        self._nvs.set_i32(_KEY, word)
        self._nvs.commit()


def bundle(root: str, place: int) -> str:
    """The path of a slot's bundle."""
    return root.rstrip("/") + "/" + NAMES[place] + ".bundle"


def mark(root: str, place: int) -> str:
    """The path of the file whose presence says that the slot is complete and was checked."""
    return root.rstrip("/") + "/" + NAMES[place] + ".ready"


def ready(root: str, place: int) -> bool:
    """Whether a complete, checked version is in the slot."""
    try:
        os.stat(mark(root, place))
    except OSError:
        return False
    return True


def start(
    root: str,
    nvs: "Nvs",
    *,
    load: "Callable[[], Any]",
    path: "list[str]",
    modules: "dict[str, Any]",
    vfs: "Vfs",
    watchdog: "Callable[[], object]",
) -> "tuple[int, bool, Any]":
    """Import the version that should run, or the next best one that can be imported.

    A boot of a version on trial is counted before its first line runs. A version on trial that
    cannot be imported has failed at once; one whose import never ends is ended by the watchdog.
    Until then nothing of the firmware but the loader may have been imported.

    Args:
        root: The folder that holds the slots, "/" on a unit.
        nvs: The `esp32.NVS` of the `NAMESPACE`.
        load: Imports the version and returns what starts it. Called again for the next best.
        path: `sys.path`; the root's entries are replaced by where the bundle is mounted.
        modules: `sys.modules`; the loader and what a failed import left there are removed.
        vfs: The module `vfs`.
        watchdog: Starts the watchdog; called once, after the boot was counted.

    Returns:
        The place that runs (1 `a`, 2 `b`, 0 modules in the root; hand it to `Updater`), whether
        it is on trial, and what `load` returned.

    Raises:
        ImportError: No version on this unit can be imported; it has to be provisioned again.
    """
    from .bundle_files import BundleFiles
    from .bundle_index import index_of

    state = State(nvs)
    places = _next(state)
    watchdog()
    as_it_was = path[:]
    _forget(modules, [name for name in modules if name.split(".")[0] in _LOADER])
    known = set(modules)
    why = ""
    for place in places:
        mounted = False
        if not place or ready(root, place):
            try:
                if place:
                    file = bundle(root, place)
                    vfs.mount(BundleFiles(file, index_of(file)), RUN)
                    mounted = True
                path[:] = _path(as_it_was, root, place)
                return place, state.trial and place == state.current, load()
            except (Exception, SystemExit) as error:
                why += " {}: {!r};".format(NAMES[place] or "root", error)
            _forget(modules, [name for name in modules if name not in known])
            if mounted:
                vfs.umount(RUN)
        if state.trial and place == state.current:
            _try(state.back)
    path[:] = as_it_was
    raise ImportError("no version can be imported, provision the unit again:" + why)


def _next(state: State) -> "list[int]":
    """The places to start at this boot, after the boot was counted."""
    if not state.trial:
        return state.order()
    if state.left == 0:
        _try(state.back)
        return state.order()
    if _try(state.count):
        return state.order()
    return state.order()[1:]  # a boot that can't be counted must not run what is on trial


def _try(change: "Callable[[], None]") -> bool:
    """Whether NVS kept a change. If not, the boot goes on, and the next boot tries again."""
    try:
        change()
    except OSError:
        return False
    return True


def _forget(modules: "dict[str, Any]", names: "list[str]") -> None:
    for name in names:
        del modules[name]


def _path(as_it_was: "list[str]", root: str, place: int) -> "list[str]":
    """`sys.path` for a place: the root's entries give way, so that versions never mix."""
    if not place:
        return as_it_was
    ours = ("", root.rstrip("/"))
    others = [entry for entry in as_it_was if entry.rstrip("/") not in ours]
    return [RUN] + others
