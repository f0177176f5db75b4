# Runs on MicroPython too, which has neither pathlib nor pytest.
# ruff: noqa: ASYNC230, PT017
"""Fetching and installing: it resumes, it checks, it refuses, and what runs is never touched."""

import os

from tests.firmware.unit import update_release
from tests.firmware.unit.update_release import FILES, Unit, bundle, manifest, name_of
from update import slots, trial
from update.refusal import Refused
from update.trial import watch
from update.updater import PIECE

HEAD = 8 + 384


async def reason(unit, name, data, again=False):
    """Why a unit refuses a bundle; empty if it takes it."""
    try:
        await unit.update(name, data, again)
    except Refused as refused:
        assert refused.message
        return refused.reason
    return ""


def is_empty(unit, place):
    """Whether nothing of a slot is left."""
    return slots.NAMES[place] not in os.listdir(unit.root)


async def test_a_signed_bundle_is_fetched_checked_and_tried_next():
    unit = Unit()
    assert await unit.update(*bundle())
    state = slots.State(unit.nvs)
    assert (state.current, state.previous, state.trial, state.left) == (1, 0, True, 3)
    assert {path: unit.read(1, path) for path in FILES} == FILES
    assert slots.ready(unit.root, 1)
    assert unit.installed_version(1) == 2
    assert "bundle.next" not in os.listdir(unit.root)


async def test_no_piece_is_larger_than_a_message_carries_and_none_is_fetched_twice():
    unit = Unit()
    name, data = bundle()
    await unit.update(name, data)
    assert max(size for _, size in unit.asked) <= PIECE <= 700
    at = 0
    for offset, size in unit.asked:
        assert offset == at
        at += size
    assert at == len(data)


async def test_fetching_goes_on_after_a_restart_wherever_it_stopped():
    name, data = bundle()
    whole = Unit()
    await whole.update(name, data)
    for stop in range(len(whole.asked)):
        unit = Unit()
        unit.left = stop
        assert await unit.update(name, data) is False
        assert not slots.State(unit.nvs).trial
        unit.left = 1 << 30
        asked = unit.asked[:stop]
        unit.asked = []
        assert await unit.update(name, data)
        assert asked + unit.asked == whole.asked


async def test_a_link_that_fails_is_no_failure_of_the_flash():
    unit = Unit()
    name, data = bundle()

    async def fetch(_, offset, size):
        if offset > 1500:
            raise OSError(113)
        return data[offset : offset + size]

    unit.fetch = fetch
    assert await unit.updater().run(name, len(data)) is False
    assert unit.read(1, "app.mpy") == FILES["app.mpy"]


async def test_a_bundle_that_is_not_signed_with_the_unit_s_key_is_refused():
    _, data = bundle()
    for position in (8, HEAD - 1, HEAD, HEAD + 40, len(data) - sum(map(len, FILES.values())) - 1):
        changed = bytearray(data)
        changed[position] ^= 1
        changed = bytes(changed)
        head = changed[: HEAD + int.from_bytes(data[4:8], "little")]
        unit = Unit()
        assert await reason(unit, name_of(head), changed) == "signature", position
        assert is_empty(unit, 1) and "bundle.next" not in os.listdir(unit.root)


async def test_a_refused_bundle_leaves_the_slot_with_the_version_before_as_it_was():
    unit = Unit()
    await unit.update(*bundle())
    slots.State(unit.nvs).confirm(1)
    unit.running, unit.version = 1, 2
    await unit.update(*bundle(manifest(version="3")))
    slots.State(unit.nvs).confirm(2)
    unit.running, unit.version = 2, 3
    assert await reason(unit, *bundle(manifest(version="1"))) == "version"
    assert await reason(unit, *bundle(manifest(version="9", product="door-unit"))) == "product"
    assert await reason(unit, "0" * 32, b"\x00" * 3000) == "malformed"
    assert slots.ready(unit.root, 1) and unit.installed_version(1) == 2
    assert await unit.update(*bundle(manifest(version="4")))
    assert unit.installed_version(1) == 4


async def test_a_file_that_does_not_match_its_hash_is_fetched_again_and_then_refused():
    name, data = bundle()
    bad = data[:-1] + b"?"
    unit = Unit()
    assert await reason(unit, name, bad) == "corrupt"
    assert not slots.ready(unit.root, 1) and not slots.State(unit.nvs).trial
    assert len([1 for offset, size in unit.asked if offset + size == len(data)]) == 3
    unit.asked = []
    assert await reason(unit, name, data) == ""
    assert unit.asked == [(len(data) - 700, PIECE), (len(data) - 28, 28)]


async def test_a_piece_of_the_wrong_length_is_never_written():
    name, data = bundle()
    for wrong in (b"", b"x", b"x" * 673):
        unit = Unit()

        async def fetch(name, offset, size, wrong=wrong, unit=unit):
            unit.asked.append(1)
            return wrong

        unit.fetch = fetch
        assert await unit.updater().run(name, len(data)) is False
        assert len(unit.asked) == 3


async def test_an_offer_that_is_malformed_is_refused():
    name, data = bundle()
    for odd in ("", name[:-1], name + "0", name[:-1] + "G", "../" + name[3:], None, 7, b"0" * 32):
        assert await reason(Unit(), odd, data) == "offer", odd
    unit = Unit()
    for size in (0, -1, 2**20 + 1, 2**70, "7", None, 1.5):
        try:
            await unit.updater().run(name, size)
        except Refused as refused:
            assert refused.reason == "offer", size
        else:
            raise AssertionError(size)
    assert os.listdir(unit.root) == []


async def test_an_offered_size_that_is_not_the_bundle_s_is_refused():
    name, data = bundle()
    for size in (len(data) - 1, len(data) + 1, 500, HEAD):
        unit = Unit()
        unit.bundles[name] = data + b"?"
        try:
            await unit.updater().run(name, size)
        except Refused as refused:
            assert refused.reason == "malformed", size
        else:
            raise AssertionError(size)


async def test_while_a_version_is_on_trial_no_other_is_taken():
    unit = Unit()
    await unit.update(*bundle())
    unit.running = 1
    assert await reason(unit, *bundle(manifest(version="3"))) == "trial"
    assert slots.ready(unit.root, 1)


async def test_a_version_that_failed_its_trial_is_tried_again_only_when_asked():
    unit = Unit()
    await unit.update(*bundle())
    slots.State(unit.nvs).back()
    unit.asked = []
    assert await reason(unit, *bundle()) == "failed"
    assert await unit.update(*bundle(), again=True)
    assert unit.asked == []
    assert slots.State(unit.nvs).trial
    slots.State(unit.nvs).back()
    assert await unit.update(*bundle(manifest(version="3")))
    assert unit.installed_version(1) == 3


async def test_a_slot_is_not_ready_while_a_damaged_file_in_it_is_fetched_again():
    unit = Unit()
    await unit.update(*bundle())
    slots.State(unit.nvs).back()
    with open(unit.root + "/a/lib/big.mpy", "wb") as file:
        file.write(b"?" * 1500)
    unit.left = 0
    assert await unit.update(*bundle(), again=True) is False
    assert not slots.ready(unit.root, 1)
    unit.left = 1 << 30
    assert await unit.update(*bundle(), again=True)
    assert unit.read(1, "lib/big.mpy") == FILES["lib/big.mpy"]


async def test_nvs_that_does_not_keep_the_switch_leaves_the_old_version():
    unit = Unit()
    unit.nvs.broken = True
    assert await reason(unit, *bundle()) == "flash"
    assert not slots.ready(unit.root, 1)
    unit.nvs.broken = False
    assert await unit.update(*bundle())


async def test_what_lies_about_in_the_slot_is_not_part_of_the_new_version():
    unit = Unit()
    os.mkdir(unit.root + "/a")
    os.mkdir(unit.root + "/a/lib")
    for path in ("/a/stray.mpy", "/a/lib/stray.py", "/a/app.mpy", "/bundle.next"):
        with open(unit.root + path, "wb") as file:
            file.write(b"stray")
    assert await unit.update(*bundle())
    assert sorted(os.listdir(unit.root + "/a")) == ["app.mpy", "bundle.head", "lib", "ready"]
    assert sorted(os.listdir(unit.root + "/a/lib")) == ["big.mpy", "deep"]


async def test_the_trial_ends_well_only_after_all_was_well_without_a_break():
    nvs = update_release.Nvs()
    slots.State(nvs).switch(1, 0)
    looks = []
    now = [0]

    def good():
        looks.append(now[0])
        return len(looks) != 2

    async def sleep_ms(ms):
        now[0] += ms

    real = trial.ticks_ms, trial.sleep_ms
    trial.ticks_ms, trial.sleep_ms = lambda: now[0], sleep_ms
    try:
        assert await watch(nvs, 1, good=good, reset=None, good_ms=40)
    finally:
        trial.ticks_ms, trial.sleep_ms = real
    assert looks == [20, 40, 60, 80], "40 ms from the look that failed, not from the beginning"
    assert not slots.State(nvs).trial


async def test_a_trial_that_never_becomes_good_starts_the_unit_again():
    nvs = update_release.Nvs()
    slots.State(nvs).switch(1, 0)
    resets = []
    confirmed = await watch(
        nvs, 1, good=lambda: False, reset=lambda: resets.append(1), good_ms=10, limit_ms=50
    )
    assert not confirmed and resets == [1]
    assert slots.State(nvs).trial


async def test_a_version_that_is_on_no_trial_is_not_watched():
    nvs = update_release.Nvs()
    assert not await watch(nvs, 0, good=None, reset=None)
    slots.State(nvs).switch(1, 0)
    assert not await watch(nvs, 0, good=None, reset=None)
