"""The loader: which version of the firmware starts. `main.py` calls `start` before all else.

Three places hold a version: the root folder (flashed at the factory, never written again) and the
slots `a` and `b` below it. One number in NVS says which of them runs, so that every change of mind
is one commit that a power cut leaves either undone or done. A slot counts only while its file
`ready` exists; that is created last, after everything in the slot was checked, and removed first.

This module is flashed with the root and imports nothing of the firmware, so that no version can
break it and none is mixed with another. docs/update.md has the states and the reasons.

The number, from the lowest bit: current place (2 bits: 0 root, 1 `a`, 2 `b`), previous place (2),
on trial (1), boots left to the trial (2), the previous place failed its trial (1), then a mark by
which an odd number is told from ours.
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


NAMES = ("", "a", "b")
"""Folders of the three places below the root folder; the root itself comes first."""

READY = "ready"
"""The file whose presence says that everything in its slot is complete and was checked."""

TRIAL_BOOTS = 3
"""How often a new version may start without declaring itself healthy."""

_KEY = "slots"
_ROOT = 0
_MARK = 0x2C5 << 16


class State:
    """What NVS says about the three places; anything odd there reads as the factory's state."""

    def __init__(self, nvs: "Nvs") -> None:
        self._nvs = nvs
        try:
            word = nvs.get_i32(_KEY)
        except OSError:
            word = 0
        if word & ~0xFF != _MARK or word & 3 > 2 or word >> 2 & 3 > 2:
            word = 0
        self.current = word & 3
        """The place that should run."""
        self.previous = word >> 2 & 3
        """The place to go back to."""
        self.trial = bool(word & 16)
        """Whether the current place has yet to declare itself healthy."""
        self.left = word >> 5 & 3
        """Boots that remain to the trial."""
        self.failed = bool(word & 128)
        """Whether the previous place is one that failed its trial."""
        if self.trial and self.current == self.previous:
            self.trial = False

    def switch(self, target: int, running: int) -> None:
        """From the next boot on try `target`; `running` is what to go back to.

        Raises:
            OSError: NVS did not keep it; nothing has changed.
        """
        self.current, self.previous = target, running
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
        """The trial has failed: the previous place is the current one again."""
        self.current, self.previous = self.previous, self.current
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
        """The places to start, best first. One that failed its trial comes after the factory's."""
        if self.failed:
            wanted = (self.current, _ROOT, self.previous)
        else:
            wanted = (self.current, self.previous, _ROOT)
        places: list[int] = []
        for place in wanted:
            if place not in places:
                places.append(place)
        return places

    def _save(self) -> None:
        word = _MARK | self.current | self.previous << 2 | self.left << 5
        word |= (16 if self.trial else 0) | (128 if self.failed else 0)
        self._nvs.set_i32(_KEY, word)
        self._nvs.commit()


def folder(root: str, place: int) -> str:
    """The folder of a place (0 root, 1 `a`, 2 `b`) below `root`, without a slash at its end."""
    root = root.rstrip("/")
    return root + "/" + NAMES[place] if place else root


def ready(root: str, place: int) -> bool:
    """Whether a complete, checked version is there. The root folder always counts."""
    if place == _ROOT:
        return True
    try:
        os.stat(folder(root, place) + "/" + READY)
    except OSError:
        return False
    return True


def start(
    root: str,
    nvs: "Nvs",
    load: "Callable[[], Any]",
    path: "list[str]",
    modules: "dict[str, Any]",
) -> "tuple[int, Any]":
    """Import the version that should run, or the next best one that can be imported.

    A boot of a version on trial is counted before its first line runs. A version on trial that
    cannot be imported has failed at once. Until then nothing of the firmware but this module may
    have been imported.

    Args:
        root: The folder that holds the slots, "/" on a unit.
        nvs: An `esp32.NVS` of a namespace of our own.
        load: Imports the version and returns what starts it. Called again for the next best.
        path: `sys.path`; the root's entry is replaced by the slot's folder.
        modules: `sys.modules`; what a failed import left there is removed.

    Returns:
        The place that runs (0 root, 1 `a`, 2 `b`; hand it to `Updater`) and what `load` returned.

    Raises:
        ImportError: No version on this unit can be imported; it has to be flashed again.
    """
    state = State(nvs)
    places = _next(state)
    factory = path[:]
    for name in ("update", __name__):
        modules.pop(name, None)
    known = set(modules)
    why = ""
    for place in places:
        if ready(root, place):
            path[:] = _path(factory, root, place)
            try:
                return place, load()
            except (Exception, SystemExit) as error:
                why += " {}: {!r};".format(NAMES[place] or "factory", error)
            for name in list(modules):
                if name not in known:
                    del modules[name]
        if state.trial and place == state.current:
            _try(state.back)
    path[:] = factory
    raise ImportError("no version can be imported, flash the unit again:" + why)


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


def _path(factory: "list[str]", root: str, place: int) -> "list[str]":
    """`sys.path` for a place: the root's entries give way, so that versions never mix."""
    if place == _ROOT:
        return factory
    ours = ("", folder(root, _ROOT))
    others = [entry for entry in factory if entry.rstrip("/") not in ours]
    return [folder(root, place)] + others
