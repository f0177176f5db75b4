# Runs on MicroPython too, which has neither pathlib nor pytest.
# ruff: noqa: PTH123, PTH208, UP031
"""On the MicroPython VM: a unit's life with updates, cut at every operation and cut again.

`power_cut.py FOLDER SCENARIO SIZE CUTS`: the folder has `key` and bundles by their versions, SIZE
is that of an erase block in bytes; the result is one line of JSON.
"""

import asyncio
import json
import os
import sys
import time

import vfs

from tests.update.nor import Power, PowerCut, blank, fingerprint
from update import bundle_files, bundle_index, slots
from update.head import version_at
from update.manifest import Identity
from update.signature import PublicKey
from update.updater import Updater

ROOT = "/unit"
SICK = {5}
"""Versions that never declare themselves healthy."""

BLOCKS = 100
"""Erase blocks of the unit's file system, as in hardware/partitions.csv."""

PARTS = ("app", "part_one", "inner.part_two")


class NoCollector:
    """In place of `gc`: a heap with thousands of states takes long to collect."""

    def collect(self):
        """Later."""


bundle_files.gc = NoCollector()
LOADER = (slots, bundle_files, bundle_index)
"""All loaded before the first boot, so that every boot reads the same."""


class UnitError(Exception):
    """The unit is not as it must be."""


class Key(PublicKey):
    """A key that remembers what it has verified: there are thousands of lives, and few bundles."""

    def __init__(self, modulus):
        super().__init__(modulus)
        self._known = {}

    def verifies(self, signature, digest):
        """As the real one, which has been asked once."""
        if (signature, digest) not in self._known:
            self._known[signature, digest] = super().verifies(signature, digest)
        return self._known[signature, digest]


class World:
    """The host's side: the key and the bundles."""

    def __init__(self, folder):
        with open(folder + "/key", "rb") as file:
            self.key = Key(file.read())
        self.bundles = {}
        for file in os.listdir(folder):
            if file.endswith(".bundle"):
                with open(folder + "/" + file, "rb") as opened:
                    self.bundles[int(file[:-7])] = opened.read()
        with open(folder + "/names") as opened:
            self.names = {int(version): name for version, name in json.load(opened).items()}

    def updater(self, power, place):
        """An updater of the unit, and the fetch that the host answers at once."""

        async def fetch(name, offset, size):
            for version, bundle in self.bundles.items():
                if self.names[version] == name:
                    return bundle[offset : offset + size]
            return None

        unit = Identity("desk-unit", 1, version_at(slots.bundle(ROOT, place)), 6)
        return Updater(
            root=ROOT, nvs=power.nvs, running=place, key=self.key, unit=unit, fetch=fetch
        )


def load():
    """Import every part of the version on the path; they must be of one version and one bundle."""
    found = set()
    for name in PARTS:
        module = __import__(name, None, None, ("VERSION",))
        if not module.__file__.startswith(slots.RUN + "/"):
            raise UnitError("imported from " + module.__file__)
        found.add(module.VERSION)
    if len(found) != 1:
        raise UnitError("a mix of versions: %s" % found)
    return found.pop()


def unmount():
    """Whatever is mounted of a unit."""
    for mounted in (slots.RUN, ROOT):
        try:
            os.umount(mounted)
        except OSError:
            pass


def boot(power):
    """Mount, choose, import; returns the place and the version."""
    unmount()
    os.mount(os.VfsLfs2(power.flash, mtime=False), ROOT)
    sys.path[:] = PATH
    for name in list(sys.modules):
        if name.split(".")[0] in {"app", "part_one", "inner"}:
            del sys.modules[name]
    mine = dict(sys.modules)
    try:
        place, _, version = slots.start(
            ROOT,
            power.nvs,
            load=load,
            path=sys.path,
            modules=sys.modules,
            vfs=vfs,
            watchdog=lambda: None,
        )
        if version != version_at(slots.bundle(ROOT, place)):
            raise UnitError("version %s was imported for %s" % (version, place))
        return place, version
    finally:
        for name, module in mine.items():  # the loader takes itself out; the next boot needs it
            sys.modules[name] = module


PATH = sys.path[:] + [ROOT]  # noqa: RUF005 - MicroPython has no starred list
"""As on a unit, where the root is on the path."""


def check(world):
    """A slot that says that it is ready is complete, whether or not it is the one that starts."""
    for place in (1, 2):
        if slots.ready(ROOT, place):
            with open(slots.bundle(ROOT, place), "rb") as file:
                if file.read() not in world.bundles.values():
                    raise UnitError("slot %d is not what it says" % place)


def live(world, power, goal, allowed):
    """Live until `goal` has run, was found healthy, and has started once more."""
    settled = False
    for number in range(12):
        place, version = boot(power)
        if not number:
            check(world)
        if version not in allowed:
            raise UnitError("version %d starts" % version)
        state = slots.State(power.nvs)
        if settled and version == goal:
            if state.trial or state.current != place:
                raise UnitError("settled, but the state says otherwise")
            return
        if state.trial:
            if version in SICK:
                continue
            state.confirm(place)
        if version == goal:
            settled = True
            continue
        again = not asyncio.run(
            world.updater(power, place).run(world.names[goal], len(world.bundles[goal]))
        )
        if again:
            raise UnitError("the host was silent")
    raise UnitError("version %d never settled" % goal)


def factory(world, size):
    """A unit as it leaves the bench, with version 1 in slot `a`."""
    power = Power(blank(BLOCKS, size), size)
    os.mount(os.VfsLfs2(power.flash, mtime=False), ROOT)
    with open(slots.bundle(ROOT, 1), "wb") as file:
        file.write(world.bundles[1])
    with open(slots.mark(ROOT, 1), "wb") as file:
        file.write(b"ready\n")
    os.umount(ROOT)
    return power.state()


def after(world, state, goal, size):
    """The state of a unit that has been updated to `goal`."""
    power = Power(state, size)
    live(world, power, goal, set(world.names))
    unmount()
    return power.state()


def switched(world, state, goal, size):
    """The state of a unit that has just installed `goal` and not started it yet."""
    power = Power(state, size)
    place, _ = boot(power)
    updater = world.updater(power, place)
    assert asyncio.run(updater.run(world.names[goal], len(world.bundles[goal])))
    unmount()
    return power.state()


def scenario(world, name, size):
    """Where the life begins, the version that it must end with, and those that may start."""
    state = factory(world, size)
    if name == "first":
        return state, 2, {1, 2}
    for version in (2, 3, 4):
        state = after(world, state, version, size)
    if name == "update":
        return state, 6, {4, 6}
    if name == "rollback":
        return switched(world, state, 5, size), 6, {4, 5, 6}
    raise ValueError(name)


class Explorer:
    """Lives from every state that cuts can leave; each must reach the goal."""

    def __init__(self, world, size, goal, allowed):
        self.world = world
        self.size = size
        self.goal = goal
        self.allowed = allowed
        self.lives = 0
        self.failures = []
        self.seen = set()

    def live(self, state, cuts, record):
        """A life that begins after so many cuts; returns its `Power`."""
        power = Power(state, self.size)
        if record:
            power.record()
        self.lives += 1
        try:
            live(self.world, power, self.goal, self.allowed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
            self.failures.append("after %d cuts: %r" % (cuts, error))
        return power

    def fresh(self, states):
        """Those of the states that no life has begun from."""
        new = {key: state for key, state in states.items() if key not in self.seen}
        self.seen.update(new)
        return new.values()

    def explore(self, start, cuts):
        """Go through all; the last cut's states are lived at once, they would not fit in memory."""
        began = time.ticks_ms()
        counts = [1] + [0] * cuts
        power = self.live(start, 0, True)
        first = list(self.fresh(power.states))
        counts[1] = len(first)
        for state in first:
            again = self.live(state, 1, cuts > 1)
            if cuts > 1:
                for second in self.fresh(again.states):
                    self.live(second, 2, False)
                    counts[2] += 1
        return {
            "operations": power.counts,
            "states": counts,
            "lives": self.lives,
            "failures": len(self.failures),
            "first_failures": self.failures[:5],
            "ms": time.ticks_diff(time.ticks_ms(), began),
        }

    def cut(self, start):
        """Cut a life at each of its operations, reads too; what is left must have been recorded."""
        power = self.live(start, 0, True)
        known = set(power.states)
        known.add(fingerprint(start))
        total = sum(power.counts.values())
        unknown = 0
        for number in range(total):
            power = Power(start, self.size)
            power.cut(number)
            try:
                live(self.world, power, self.goal, self.allowed)
            except PowerCut:
                unknown += fingerprint(power.state()) not in known
            else:
                self.failures.append("operation %d was not cut" % number)
        return {"cuts": total, "unknown": unknown, "failures": self.failures[:5]}


def main(folder, name, size, cuts):
    """Run a scenario and print what came of it; with 0 cuts, cut in earnest instead."""
    world, size = World(folder), int(size)
    start, goal, allowed = scenario(world, name, size)
    explorer = Explorer(world, size, goal, allowed)
    cuts = int(cuts)
    print(json.dumps(explorer.explore(start, cuts) if cuts else explorer.cut(start)))


if __name__ == "__main__":
    main(*sys.argv[1:])
