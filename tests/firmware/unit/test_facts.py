"""Facts say practice and enrolment when it is so, and nothing about it otherwise."""

import json

from desk_unit.clock import Uptime, WallClock
from desk_unit.facts import Facts, encode
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from desk_unit.ram_flash import RamFlash

DIGEST = bytes(range(16))


def written(write):
    """What `write(facts)` puts on the wire, from flash."""
    uptime = Uptime()
    lanes = []
    for word in ("fact", "button"):
        journal = Journal(RamFlash())
        journal.mount()
        lanes.append(Lane(word, word, journal, unit="a1", boot=3, uptime=uptime))
    write(Facts(lanes[0], lanes[1], uptime, WallClock(uptime)))
    facts = [lane.journal.read(lane.journal.floor) for lane in lanes]
    return json.loads(encode("a1", 3, uptime.now(), facts[0] or facts[1]))


def test_presses_of_a_drill_are_marked_and_others_are_not():
    assert written(lambda facts: facts.press(0, True))["drill"] is True
    assert "drill" not in written(lambda facts: facts.press(0))
    for gesture in ("hold", "three"):
        practice = written(lambda facts: facts.urgent(gesture, True))  # noqa: B023
        assert (practice["gesture"], practice["drill"]) == (gesture, True)
        earnest = written(lambda facts: facts.urgent(gesture))  # noqa: B023
        assert earnest["gesture"] == gesture
        assert "drill" not in earnest


def test_a_tag_to_be_enrolled_is_marked_and_its_hash_is_whole():
    enrolled = written(lambda facts: facts.tag(DIGEST, True))
    assert (enrolled["tag"], enrolled["enrol"]) == ("000102030405060708090a0b0c0d0e0f", True)
    tapped = written(lambda facts: facts.tag(DIGEST))
    assert tapped["tag"] == enrolled["tag"]
    assert "enrol" not in tapped
