"""MQTT packets: the bytes of the standard, and any bytes at all."""

from desk_unit import mqtt_packets as packets
from desk_unit.mqtt_packets import Parser, ProtocolError


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % limit

    def bytes(self, count):
        return bytes(self.below(256) for _ in range(count))


def parsed(data, step=10**6, limit=1280):
    found = []
    parser = Parser(lambda first, body, cut: found.append((first, bytes(body), cut)), limit)
    for start in range(0, len(data), step):
        parser.feed(data[start : start + step])
    return found


def raises(call, *args):
    try:
        call(*args)
    except ProtocolError:
        return True
    return False


def test_connect_with_everything_is_as_in_the_standard():
    packet = packets.connect("c", 30, "u", "p", ("w", b"{}"))
    assert packet == (
        b"\x10\x1a\x00\x04MQTT\x04\xee\x00\x1e\x00\x01c\x00\x01w\x00\x02{}\x00\x01u\x00\x01p"
    )


def test_connect_without_user_name_has_no_password_either():
    assert packets.connect("c", 30, None, "p", ("w", b""))[9] == 0x2E


def test_publish_is_qos_1():
    assert packets.publish("a/b", b"xy", 258) == b"\x32\x09\x00\x03a/b\x01\x02xy"
    assert packets.publish("a/b", b"xy", 258, True)[0] == 0x33


def test_remaining_length_grows_by_the_byte():
    for size, head in ((127, b"\x7f"), (128, b"\x80\x01"), (16383, b"\xff\x7f")):
        packet = packets.publish("a", bytes(size - 5), 1)
        assert packet[1 : 1 + len(head)] == head
        assert len(packet) == 1 + len(head) + size


def test_subscribe_and_puback():
    assert packets.subscribe("a/+", 7) == b"\x82\x08\x00\x07\x00\x03a/+\x01"
    assert packets.puback(7) == b"\x40\x02\x00\x07"


def test_packets_are_found_however_the_stream_is_cut():
    stream = packets.publish("a", b"x" * 200, 1) + packets.puback(1) + b"\xd0\x00"
    whole = parsed(stream)
    assert [first for first, _, _ in whole] == [0x32, 0x40, 0xD0]
    for step in (1, 2, 3, 7, 64, 203):
        assert parsed(stream, step) == whole


def test_too_long_a_packet_is_cut_and_the_next_one_is_whole():
    stream = packets.publish("a", b"x" * 5000, 9) + packets.puback(1)
    for step in (1, 100, 10**6):
        found = parsed(stream, step, 64)
        assert found[0][2]
        assert len(found[0][1]) == 64
        assert packets.read_publish(0x32, found[0][1])[:2] == ("a", 9)
        assert found[1] == (0x40, b"\x00\x01", False)


def test_remaining_length_of_five_bytes_is_an_error():
    assert raises(parsed, b"\x30\xff\xff\xff\xff\x01")
    assert raises(parsed, b"\x30\x80\x80\x80\x80\x00")


def test_remaining_length_of_256_mb_is_an_error_at_once():
    assert raises(parsed, b"\x30\xff\xff\xff\x7f")


def test_packets_that_only_a_client_sends_and_wrong_flags_are_errors():
    for first in (0x00, 0x10, 0x21, 0x41, 0x50, 0x62, 0x70, 0x82, 0x91, 0xA2, 0xB0, 0xC0, 0xD1):
        assert raises(parsed, bytes([first])), first
    for first in (0xE0, 0xF0):
        assert raises(parsed, bytes([first])), first


def test_publish_is_read():
    assert packets.read_publish(0x30, b"\x00\x01aXY") == ("a", 0, b"XY")
    assert packets.read_publish(0x32, b"\x00\x01a\x00\x05XY") == ("a", 5, b"XY")
    assert packets.read_publish(0x3B, b"\x00\x01a\x00\x05") == ("a", 5, b"")


def test_broken_publishes_are_errors():
    for first, body in (
        (0x30, b""),
        (0x30, b"\x00"),
        (0x30, b"\x00\x05abc"),
        (0x32, b"\x00\x01a\x00"),
        (0x32, b"\x00\x01a\x00\x00"),
        (0x34, b"\x00\x01a\x00\x05"),
        (0x36, b"\x00\x01a\x00\x05"),
        (0x30, b"\x00\x02\xff\xfe"),
    ):
        assert raises(packets.read_publish, first, body), body


def test_acknowledgements_of_the_wrong_size_are_errors():
    for reader, good in (
        (packets.read_connack, 2),
        (packets.read_number, 2),
        (packets.read_suback, 3),
    ):
        reader(bytes(good))
        for size in range(6):
            assert size == good or raises(reader, bytes(size))


def read_all(first, body, _):
    """What the connection does with a packet."""
    kind = first & 0xF0
    if kind == packets.PUBLISH:
        topic, number, payload = packets.read_publish(first, body)
        assert isinstance(topic, str)
        assert 0 <= number < 65536
        assert isinstance(payload, bytes)
    elif kind == packets.PUBACK:
        packets.read_number(body)
    elif kind == packets.SUBACK:
        packets.read_suback(body)
    elif kind == packets.CONNACK:
        packets.read_connack(body)


def test_three_thousand_random_streams_end_in_a_protocol_error_or_not_at_all():
    random = Random(7)
    errors = 0
    for _ in range(3000):
        parser = Parser(read_all, 64)
        data = random.bytes(1 + random.below(80))
        try:
            for start in range(0, len(data), 9):
                parser.feed(data[start : start + 9])
        except ProtocolError:
            errors += 1
    assert 500 < errors < 3000


def test_good_streams_with_a_flipped_bit_never_do_worse_than_a_protocol_error():
    random = Random(3)
    good = packets.publish("chequer/v1/s/u/down/ack", b'{"boot":1}', 3) + b"\x20\x02\x00\x00"
    good += packets.puback(4) + b"\x90\x03\x00\x01\x01" + b"\xd0\x00"
    errors = 0
    for _ in range(2000):
        data = bytearray(good)
        data[random.below(len(data))] ^= 1 << random.below(8)
        try:
            Parser(read_all, 64).feed(data)
        except ProtocolError:
            errors += 1
    assert 0 < errors < 2000
