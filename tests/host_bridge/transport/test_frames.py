"""Whatever bytes come: packets, a message for the dead letters, or a clear end."""

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.transport.frames import Frames, MalformedError, Unreadable

GOOD = mqtt5.PublishPacket("t/é", b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7).write()


def topics(packets: list[object]) -> list[str]:
    return [each.topic for each in packets]  # type: ignore[attr-defined]


@given(st.lists(st.integers(1, 40), max_size=10))
def test_packets_come_out_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    frames, data, found = Frames(), GOOD * 5, []
    for cut in cuts:
        found += list(frames.feed(data[:cut]))
        data = data[cut:]
    found += list(frames.feed(data))
    assert topics(found) == ["t/é"] * 5


def test_a_topic_that_is_not_utf_8_is_kept_and_what_follows_is_read() -> None:
    bad = GOOD.replace("é".encode(), b"\xc3\x28")
    first, second = Frames().feed(bad + GOOD)
    assert first == Unreadable("t/�(", b"{}", 7, retain=False)
    assert topics([second]) == ["t/é"]


def test_unknown_properties_do_not_lose_the_message() -> None:
    # Property 0x7f does not exist.
    body = b"\x00\x01t" + b"\x00\x05" + b"\x02\x7f\x01" + b"fact"
    (found,) = Frames().feed(bytes([0x32, len(body)]) + body)
    assert found == Unreadable("t", b"fact", 5, retain=False)


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\xff\xff\x7f",  # 2 MiB
        b"\x32\xff\xff\xff\x7f\x00\x01t",
        b"\x32\x03\x00\x09t",
        b"\x32\x05\x00\x01t\x00\x00",
        b"\x36\x06\x00\x01t\x00\x01\x00",
        b"\x00\x00",
    ],
)
def test_what_is_no_mqtt_ends_clearly(data: bytes) -> None:
    with pytest.raises(MalformedError):
        list(Frames().feed(data))


@given(st.binary(max_size=200))
def test_any_bytes_give_packets_or_a_clear_end(data: bytes) -> None:
    frames = Frames()
    try:
        list(frames.feed(data))
    except MalformedError:
        pass
    else:
        assert len(frames._rest) <= len(data)
