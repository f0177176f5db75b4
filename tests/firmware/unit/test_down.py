"""What the host tells a unit is checked completely; anything else is refused without harm."""

import json

from desk_unit import down
from tests.firmware.unit.test_mqtt_packets import Random

NOW = 1_800_000_000_000
ACK = {"boot": 7, "lane": "button", "spans": [[1, 4], [6, 6]], "time": NOW}
VERDICT = {"boot": 7, "seq": 3, "verdict": "own", "time": NOW}
GUIDANCE = {"seat": "free", "version": 3}
MODE = {"drill_until": NOW, "quiet": True, "night": False, "badge_first": True}
INCIDENT = {"boot": 7, "seq": 3, "stage": "seen"}
ENROL = {"seconds": 60}


def sent(message, **changes):
    return json.dumps(dict(message, **changes)).encode()


def test_good_messages_are_understood():
    assert down.ack(sent(ACK)) == (7, "button", [[1, 4], [6, 6]], NOW)
    assert down.verdict(sent(VERDICT)) == (7, 3, "own", NOW)
    assert down.guidance(sent(GUIDANCE)) == "free"
    assert down.mode(sent(MODE)) == [NOW, True, False, True]
    assert down.mode(b"{}") == [0, False, False, False]
    assert down.incident(sent(INCIDENT)) == (7, 3)
    assert down.enrol(sent(ENROL)) == 60
    assert down.enrol(sent(ENROL, seconds=0)) == 0


def test_unknown_fields_are_ignored():
    assert down.ack(sent(ACK, more=[1]))
    assert down.verdict(sent(VERDICT, more={"a": None}))
    assert down.guidance(sent(GUIDANCE, more="x")) == "free"


def test_what_a_host_with_a_wrong_clock_says_still_counts():
    # A host that woke up in 1970 committed everything, but its units took none of the
    # acknowledgements: they kept all facts, sent them again for ever, and said UNPROTECTED.
    for time in (0, 5_000, 5_000_000_000_000):
        assert down.ack(sent(ACK, time=time)) == (7, "button", [[1, 4], [6, 6]], time)
        assert down.verdict(sent(VERDICT, time=time)) == (7, 3, "own", time)


def test_wrong_fields_are_refused():
    for wrong in (0, -1, 2**32, 1.5, "1", None, True, [], {}):
        assert down.ack(sent(ACK, boot=wrong)) is None
        assert down.ack(sent(ACK, lane=wrong)) is None
        assert down.ack(sent(ACK, spans=wrong)) is None
        assert down.ack(sent(ACK, spans=[wrong])) is None
        assert down.ack(sent(ACK, spans=[[wrong, 1]])) is None
        assert down.verdict(sent(VERDICT, boot=wrong)) is None
        assert down.verdict(sent(VERDICT, seq=wrong)) is None
        assert down.verdict(sent(VERDICT, verdict=wrong)) is None
        assert down.guidance(sent(GUIDANCE, seat=wrong)) is None
        assert down.guidance(sent(GUIDANCE, version=wrong)) is None
        assert down.incident(sent(INCIDENT, boot=wrong)) is None
        assert down.incident(sent(INCIDENT, seq=wrong)) is None
        assert down.incident(sent(INCIDENT, stage=wrong)) is None
        assert wrong is None or down.mode(sent(MODE, drill_until=wrong)) is None
    for wrong in (-1, 1.5, "1", None, True, [], {}):
        assert down.ack(sent(ACK, time=wrong)) is None
        assert down.verdict(sent(VERDICT, time=wrong)) is None
    for wrong in (0, 1, None, "true", [], {}):
        for name in ("quiet", "night", "badge_first"):
            assert down.mode(sent(MODE, **{name: wrong})) is None
    for wrong in (-1, 301, 1.5, "60", None, True, [], {}):
        assert down.enrol(sent(ENROL, seconds=wrong)) is None


def test_spans_are_one_to_eight_ascending_pairs():
    for spans in ([], [[1]], [[1, 2, 3]], [[5, 4]], [[1, 1]] * 9):
        assert down.ack(sent(ACK, spans=spans)) is None
    assert down.ack(sent(ACK, spans=[[1, 1]] * 8))


def test_hostile_bytes_are_refused():
    random = Random(11)
    hostile = [b"", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"{" * 500, b"[" * 1000]
    hostile += [b'{"boot":1e999}', b"{[1]:2}", b'{"a":' * 200, b"\x00" * 30]
    hostile += [random.bytes(random.below(60)) for _ in range(1000)]
    good = sent(ACK)
    for _ in range(1000):
        data = bytearray(good)
        data[random.below(len(data))] = random.below(256)
        hostile.append(bytes(data))
    for data in hostile:
        for read in (down.ack, down.verdict, down.guidance, down.incident, down.enrol):
            answer = read(data)
            assert answer is None or read is down.ack
        down.mode(data)  # an object without its fields is the mode of every day
