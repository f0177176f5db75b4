# Runs on MicroPython too, which has neither pathlib nor pytest.
"""An update over the link: it waits for facts, resumes, and hostile messages do nothing."""

import asyncio
import json
from binascii import b2a_base64

from desk_unit.updates import Updates
from tests.firmware.unit import update_release
from tests.firmware.unit.update_release import bundle, manifest
from update import slots
from update.refusal import Refused

Updates.calm_ms = Updates.trial_ms = 300


class Lane:
    """As much of a lane as an update looks at."""

    def __init__(self):
        self.waiting = 0
        self.stuck_ms = 0


class Starts:
    ended = False

    def end(self):
        self.ended = True


class Rig:
    """A link with a host at its end, and the hardware of one unit; both in one."""

    Refused = Refused

    def __init__(self, name="", data=b""):
        self.name, self.data = name, data
        self.flash = update_release.Unit()
        self.lanes = (Lane(), Lane())
        self.connected = True
        self.busy = False
        self.answers = 1 << 30
        self.wants = []
        self.said = []
        self.resets = 0
        self.starts = Starts()
        self.lines = []
        self.log = self.lines.append
        self.updates_loaded = 0
        self.stood = ""
        self._new()

    def _new(self):
        self.updates = lambda: self  # what `hardware.updates()` loads
        self.taker = Updates(self, self.lanes, self, lambda: self.busy)

    def updater(self, _hardware, fetch):
        made = self.flash.updater()
        made._fetch = fetch
        return made, self.flash.version

    def standing(self, _hardware):
        return self.stood, 7

    def say(self, word, payload, retain=False):
        message = json.loads(payload)
        if word == "update":
            assert retain and len(payload) <= 1024
            self.said.append(message)
            return
        assert word == "want" and not retain and len(payload) <= 1024
        self.wants.append(message)
        if self.answers <= 0 or message["bundle"] != self.name:
            return
        self.answers -= 1
        self.taker.hear("down/piece", self.piece(message))

    def piece(self, want):
        data = self.data[want["offset"] : want["offset"] + want["size"]]
        text = b2a_base64(data).decode().strip()
        return dumped(bundle=want["bundle"], offset=want["offset"], data=text)

    def offer(self, **more):
        fields = {"bundle": self.name, "size": len(self.data)}
        fields.update(more)
        return self.taker.hear("down/update", dumped(**fields))

    def reset(self):
        self.resets += 1

    def steps(self):
        return [said["step"] for said in self.said]


def dumped(**fields):
    return json.dumps(fields).encode()


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


async def test_an_offer_is_fetched_installed_and_started():
    rig = Rig(*bundle())
    assert rig.offer()
    await until(lambda: rig.resets)
    assert rig.steps()[0] == "fetching" and rig.steps()[-1] == "installed"
    assert rig.said[-1] == {
        "version": 1,
        "step": "installed",
        "bundle": rig.name,
        "received": len(rig.data),
    }
    assert slots.State(rig.flash.nvs).trial
    assert rig.starts.ended, "a start on purpose"


async def test_no_piece_is_asked_for_while_a_fact_waits():
    rig = Rig(*bundle())
    for lane in rig.lanes:
        rig.wants.clear()
        lane.waiting = 1
        rig.offer()
        await asyncio.sleep(0.3)
        assert not rig.wants
        lane.waiting = 0
    await until(lambda: rig.resets)
    assert rig.wants


async def test_a_host_that_acknowledges_nothing_does_not_keep_an_update_out():
    rig = Rig(*bundle())
    rig.lanes[1].waiting = 5
    rig.lanes[1].stuck_ms = 60_000
    rig.offer()
    await until(lambda: rig.resets)


async def test_the_unit_does_not_start_again_while_a_press_waits_or_somebody_is_busy():
    rig = Rig(*bundle())
    rig.busy = True
    rig.offer()
    await until(lambda: "installed" in rig.steps())
    await asyncio.sleep(0.5)
    assert not rig.resets
    rig.lanes[0].waiting = 1
    rig.lanes[0].stuck_ms = 90_000
    rig.busy = False
    await asyncio.sleep(1)
    assert not rig.resets
    rig.lanes[0].waiting = 0
    await until(lambda: rig.resets)


async def test_a_lost_link_ends_the_attempt_and_the_next_offer_goes_on_from_there():
    rig = Rig(*bundle())
    rig.answers = 2

    def say(word, payload, retain=False, say=rig.say):
        say(word, payload, retain)
        rig.connected = rig.answers > 0

    rig.say = say
    rig.offer()
    await until(lambda: len(rig.wants) == 2)
    await until(lambda: not rig.connected)
    await asyncio.sleep(0.2)
    first = [want["offset"] for want in rig.wants]
    rig.answers, rig.connected, rig.wants = 1 << 30, True, []
    rig._new()
    rig.offer()
    await until(lambda: rig.resets)
    assert not set(first) & {want["offset"] for want in rig.wants}


async def test_a_refusal_is_told_with_its_reason_and_nothing_starts():
    _, data = bundle()
    changed = bytearray(data)
    changed[20] ^= 1
    head = bytes(changed[: 8 + 384 + int.from_bytes(data[4:6], "little")])
    rig = Rig(update_release.name_of(head), bytes(changed))
    rig.offer()
    await until(lambda: "refused" in rig.steps())
    assert rig.said[-1]["refused"] == "signature"
    assert rig.said[-1]["message"] and rig.said[-1]["version"] == 1
    assert not rig.resets and not slots.State(rig.flash.nvs).trial


async def test_a_unit_without_a_key_says_so():
    rig = Rig(*bundle())

    def updater(_hardware, _fetch):
        raise Refused("signature", "no key")

    rig.updater = updater
    rig.offer()
    await until(lambda: "refused" in rig.steps())
    assert not rig.wants


async def test_an_error_in_the_updater_is_told_and_the_unit_goes_on():
    rig = Rig(*bundle())

    def updater(_hardware, _fetch):
        raise ValueError("04a1b2c3")

    rig.updater = updater
    rig.offer()
    await until(lambda: "refused" in rig.steps())
    assert rig.said[-1]["refused"] == "fault"
    assert rig.said[-1]["message"].startswith("ValueError at")
    assert "04a1" not in rig.said[-1]["message"]


def test_malformed_offers_are_not_understood():
    rig = Rig(*bundle())
    name = rig.name
    for odd in (None, 7, "", name[:-1], name + "0", name[:-1] + "G", [name], "../" + name[3:]):
        assert not rig.offer(bundle=odd), odd
    for size in (0, -1, 2**20 + 1, 2**70, "7", None, 1.5, True):
        assert not rig.offer(size=size), size
    for again in (1, "yes", None):
        assert not rig.offer(again=again), again
    for junk in (b"", b"\xff\x00", b"[]", b"7", b"[" * 900, b"{}", b'{"bundle":'):
        assert not rig.taker.hear("down/update", junk), junk
        assert not rig.taker.hear("down/piece", junk), junk
    assert not rig.said and not rig.wants


async def test_hostile_pieces_are_ignored_and_the_right_one_still_counts():
    rig = Rig(*bundle())
    rig.answers = 0
    rig.offer()
    await until(lambda: rig.wants)
    want = rig.wants[0]
    good = json.loads(rig.piece(want))
    for changes in (
        {"data": "!!!!"},
        {"data": ""},
        {"data": good["data"][:-4]},
        {"data": None},
        {"data": 7},
        {"data": "A" * 900},
        {"offset": want["offset"] + 1},
        {"offset": -1},
        {"offset": "0"},
        {"bundle": "0" * 32},
        {"bundle": None},
    ):
        fields = dict(good)
        fields.update(changes)
        assert not rig.taker.hear("down/piece", dumped(**fields)), changes
    rig.answers = 1 << 30
    assert rig.taker.hear("down/piece", dumped(**good))
    await until(lambda: rig.resets)


async def test_a_flood_of_offers_leads_to_one_attempt_at_a_time_and_the_last_one_counts():
    name, data = bundle(manifest(version="3"))
    rig = Rig(name, data)
    for number in range(200):
        rig.taker.hear("down/update", dumped(bundle="%032x" % number, size=5000))
    for _ in range(200):
        assert rig.offer()
    await until(lambda: rig.wants)
    assert len(rig.wants) == 1 or rig.wants[0]["bundle"] == name
    await until(lambda: rig.resets)
    assert {want["bundle"] for want in rig.wants} == {name}


async def test_a_trial_and_its_end_are_told():
    rig = Rig()
    rig.stood = "trial"
    rig.taker.follow()
    await until(lambda: rig.said)
    assert rig.said == [{"version": 7, "step": "trial"}]
    rig.stood = ""
    await until(lambda: len(rig.said) == 2)
    assert rig.said[-1] == {"version": 7, "step": "healthy"}


async def test_a_version_that_went_back_is_told():
    rig = Rig()
    rig.stood = "back"
    rig.taker.follow()
    await until(lambda: rig.said)
    await asyncio.sleep(0.1)
    assert rig.said == [{"version": 7, "step": "back"}]


async def test_nothing_of_it_stays_when_it_is_over():
    import sys

    rig = Rig()
    rig.stood = "back"
    kept = {name: sys.modules[name] for name in list(sys.modules) if "update" in name}
    rig.taker.follow()
    await until(lambda: rig.updates is None)
    try:
        assert "desk_unit.updates" not in sys.modules
        assert not [name for name in sys.modules if name.split(".")[0] == "update"]
    finally:
        sys.modules.update(kept)
