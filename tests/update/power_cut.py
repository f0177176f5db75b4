"""On the MicroPython VM: a unit's life with updates, cut at every operation and cut again.

`power_cut.py FOLDER SCENARIO BLOCKS CUTS`: the folder has `key` and bundles by their versions; the
result is one line of JSON.
"""

import asyncio
import json
import os
import sys
import time

from tests.update.nor import Power, blank, fingerprint
from update import slots
from update.head import version_at
from update.manifest import Identity
from update.signature import load_key
from update.updater import Updater

ROOT = "/unit"
SICK = {5}
"""Versions that never declare themselves healthy."""

PARTS = ("app", "part_one", "inner.part_two")


class Broken(Exception):
    """The unit is not as it must be."""


class World:
    """The host's side: the key and the bundles."""

    def __init__(self, folder):
        self.key = load_key(folder + "/key")
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

        folder = slots.folder(ROOT, place)
        unit = Identity("desk-unit", 1, version_at(folder, self.key), 6)
        return Updater(
            root=ROOT, nvs=power.nvs, running=place, key=self.key, unit=unit, fetch=fetch
        )


def load():
    """Import every part of the version on the path; they must be of one version and one folder."""
    found = set()
    for name in PARTS:
        module = __import__(name, None, None, ("VERSION",))
        found.add((module.VERSION, module.__file__[: -len(name) - len("/.mpy")]))
    if len(found) != 1:
        raise Broken("a mix of versions: %s" % found)
    return found.pop()


def boot(power):
    """Mount, choose, import; returns the place and the version."""
    try:
        os.umount(ROOT)
    except OSError:
        pass
    os.mount(os.VfsLfs2(power.flash), ROOT)
    sys.path[:] = PATH
    for name in list(sys.modules):
        if name.split(".")[0] in {"app", "part_one", "inner"}:
            del sys.modules[name]
    mine = {name: module for name, module in sys.modules.items()}
    try:
        place, (version, base) = slots.start(ROOT, power.nvs, load, sys.path, sys.modules)
        if base != slots.folder(ROOT, place):
            raise Broken("%s was imported for %s" % (base, place))
        return place, version
    finally:
        for name, module in mine.items():  # the loader takes itself out; the next boot needs it
            sys.modules[name] = module


PATH = sys.path[:] + [ROOT]
"""As on a unit, where the root is on the path."""


def live(world, power, goal, allowed):
    """Live until `goal` has run, was found healthy, and has started once more."""
    settled = False
    for _ in range(12):
        place, version = boot(power)
        if version not in allowed:
            raise Broken("version %d starts" % version)
        state = slots.State(power.nvs)
        if settled and version == goal:
            if state.trial or state.current != place:
                raise Broken("settled, but the state says otherwise")
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
            raise Broken("the host was silent")
    raise Broken("version %d never settled" % goal)


def factory(world, blocks):
    """A unit as it leaves the factory, with version 1 in its root."""
    power = Power(blank(blocks))
    os.mount(os.VfsLfs2(power.flash), ROOT)
    bundle = world.bundles[1]
    head = 8 + world.key.size + int.from_bytes(bundle[4:8], "little")
    files = [("bundle.head", world.names[1].encode() + bundle[:head])]
    position = head
    for line in bundle[8 + world.key.size : head].decode().split("\n"):
        if line.startswith("file "):
            _, _, size, path = line.split(" ")
            files.append((path, bundle[position : position + int(size)]))
            position += int(size)
    for path, data in files:
        if "/" in path:
            os.mkdir(ROOT + "/" + path.split("/")[0])
        with open(ROOT + "/" + path, "wb") as file:
            file.write(data)
    os.umount(ROOT)
    return power.state()


def after(world, state, goal):
    """The state of a unit that has been updated to `goal`."""
    power = Power(state)
    live(world, power, goal, set(world.names))
    os.umount(ROOT)
    return power.state()


def switched(world, state, goal):
    """The state of a unit that has just installed `goal` and not started it yet."""
    power = Power(state)
    place, _ = boot(power)
    updater = world.updater(power, place)
    assert asyncio.run(updater.run(world.names[goal], len(world.bundles[goal])))
    os.umount(ROOT)
    return power.state()


def scenario(world, name, blocks):
    """Where the life begins, the version that it must end with, and those that may start."""
    first = factory(world, blocks)
    if name == "first":
        return first, 2, {1, 2}
    fourth = after(world, after(world, after(world, first, 2), 3), 4)
    if name == "update":
        return fourth, 6, {4, 6}
    if name == "rollback":
        return switched(world, fourth, 5), 6, {4, 5, 6}
    raise ValueError(name)


def explore(world, start, goal, allowed, cuts):
    """Every state that `cuts` cuts can leave; a life from each must reach the goal."""
    began = time.ticks_ms()
    layer = {fingerprint(start): start}
    seen = set(layer)
    failures = []
    report = {"states": [], "lives": 0}
    for depth in range(cuts + 1):
        following = {}
        for state in layer.values():
            power = Power(state)
            if depth < cuts:
                power.record()
            report["lives"] += 1
            try:
                live(world, power, goal, allowed)
            except Exception as error:
                failures.append("%d cuts: %r" % (depth, error))
            if depth == 0:
                report["operations"] = power.counts
            for key, found in (power.states or {}).items():
                if key not in seen:
                    seen.add(key)
                    following[key] = found
            if depth + 1 == cuts:  # the last layer is lived at once: it would not fit in memory
                for found in following.values():
                    report["lives"] += 1
                    try:
                        live(world, Power(found), goal, allowed)
                    except Exception as error:
                        failures.append("%d cuts: %r" % (cuts, error))
                report["last"] = report.get("last", 0) + len(following)
                following = {}
        report["states"].append(len(layer))
        layer = following
        if not layer:
            break
    report["states"].append(report.pop("last", 0))
    report["failures"] = len(failures)
    report["first_failures"] = failures[:5]
    report["ms"] = time.ticks_diff(time.ticks_ms(), began)
    return report


def main(folder, name, blocks, cuts):
    """Run a scenario and print what came of it."""
    world = World(folder)
    print(json.dumps(explore(world, *scenario(world, name, int(blocks)), int(cuts))))


if __name__ == "__main__":
    main(*sys.argv[1:])
