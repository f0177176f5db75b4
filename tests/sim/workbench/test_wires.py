"""What passes on the wires is told in words, whatever it is; no UID and no password is told."""

import random

import msgspec
import pytest

from sim.workbench.mqtt_wire import MqttWire
from sim.workbench.radar_wire import RadarWire
from sim.workbench.wires import Wires

PREFIX = "chequer/v1/workbench/desk-a1/"


def rows(wires: Wires) -> list[dict[str, object]]:
    return [msgspec.to_builtins(row) for row in wires.trace.rows()]


def spi(wires: Wires, *accesses: tuple[str, str]) -> None:
    for mosi, miso in accesses:
        wires.take("spi", [mosi, miso])


def exchange(frame: str, status: str = "006400051020", answer: str = "") -> list[tuple[str, str]]:
    """The accesses with which the firmware sends a frame and fetches the answer."""
    begin = [
        ("0200", "0000"),
        ("087f", "0000"),
        ("1480", "0000"),
        (frame, "00" * (len(frame) // 2)),
    ]
    begin += [("020c", "0000"), ("1a80", "0000"), ("888c94989c00", status)]
    return [*begin, ("929292929200", answer)] if answer else begin


END = ("0200", "0000")


def test_a_poll_of_an_empty_field_is_one_row_that_counts() -> None:
    wires = Wires(PREFIX)
    for _ in range(5):
        spi(wires, *exchange("1252", status="004500001020"))
    spi(wires, END)
    [row] = rows(wires)
    assert (row["bus"], row["text"], row["count"]) == ("SPI", "MFRC522 WUPA → no card", 5)
    assert "MFRC522 write CommandReg 0C Transceive" in row["more"]
    assert "MFRC522 write FIFODataReg 52 WUPA" in row["more"]


def test_a_card_is_seen_and_its_uid_is_not() -> None:
    wires = Wires(PREFIX)
    spi(wires, *exchange("1252", "006400021020", "004400000000"))
    spi(wires, *exchange("129320", "006400051020", "008804a1b29f"))
    spi(wires, *exchange("1293708804a1b29fae4b", "006400031020", "0004da170000"))
    spi(wires, *exchange("129543c3d4e5", "006400031020", "00f604112233"))
    spi(wires, *exchange("129570c3d4e5f6049e03", "006400031020", "0000fe510000"))
    spi(wires, END)
    texts = [str(row["text"]) for row in rows(wires)]
    assert texts == [
        "MFRC522 WUPA → ATQA 44 00",
        "MFRC522 anticollision level 1 → 5 bytes, hidden",
        "MFRC522 SELECT level 1 → SAK 04, UID goes on",
        "MFRC522 anticollision level 2 → 3 bytes, hidden",
        "MFRC522 SELECT level 2 → SAK 00, UID complete",
    ]
    told = msgspec.json.encode(rows(wires)).decode().upper().replace(" ", "")
    for part in ("04A1", "A1B2", "B29F", "AE4B", "C3D4", "E5F6", "F604", "9E03", "1122"):
        assert part not in told


def test_unknown_reads_of_the_fifo_are_hidden() -> None:
    wires = Wires(PREFIX)
    spi(wires, ("929292929200", "0004a1b2c3d4"), ("9200", "0004"), END)
    assert "04" not in msgspec.json.encode([row["more"] for row in rows(wires)]).decode()


def test_settings_and_looks_are_rows_of_their_own() -> None:
    wires = Wires(PREFIX)
    spi(wires, ("5480", "0000"), ("ee00", "0092"), END)
    assert rows(wires)[0]["text"] == "MFRC522 settings: TModeReg 80, VersionReg 92"


def report(state: int, cm: int) -> bytes:
    body = bytes((2, 0xAA, state)) + bytes((cm, 0, 60)) * 2 + bytes((cm, 0, 0x55, 0))
    return b"\xf4\xf3\xf2\xf1" + len(body).to_bytes(2, "little") + body + b"\xf8\xf7\xf6\xf5"


def test_a_report_is_understood_however_it_is_cut() -> None:
    for cut in range(len(report(2, 70))):
        wire = RadarWire("in")
        found = wire.feed(report(2, 70)[:cut]) + wire.feed(report(2, 70)[cut:])
        assert [seen.text for seen in found] == ["LD2410 report still 70 cm, energy 60"]


def test_rubbish_on_the_radars_line_is_told_and_the_next_report_understood() -> None:
    found = RadarWire("in").feed(b"rubbish" + report(0, 0) + b"\xf4\xf3" + report(1, 80))
    assert [seen.text for seen in found] == [
        "LD2410 bytes that are no frame",
        "LD2410 report nobody",
        "LD2410 bytes that are no frame",
        "LD2410 report moving 80 cm, energy 60",
    ]


def packet(first: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes((low | (0x80 if size else 0),))
        if not size:
            return bytes((first,)) + length + body


def test_a_publication_is_told_with_its_payload_and_without_its_prefix() -> None:
    topic = f"{PREFIX}button".encode()
    body = len(topic).to_bytes(2, "big") + topic + b"\x00\x0c" + b'{"type":"press"}'
    [seen] = MqttWire("out", PREFIX).feed(packet(0x32, body))
    assert (seen.text, seen.payload) == ("PUBLISH button QoS1 #12", '{"type":"press"}')


def test_a_password_is_never_told() -> None:
    fields = b"\x00\x04MQTT\x04\xc2\x00\x3c" + b"\x00\x02a1" + b"\x00\x02a1" + b"\x00\x06secret"
    [seen] = MqttWire("out", PREFIX).feed(packet(0x10, fields))
    assert seen.text == "CONNECT as a1, keep-alive 60 s, clean session, password hidden"
    assert b"secret" not in seen.data


@pytest.mark.parametrize(
    "data", [b"\x30\xff\xff\xff\xff\x01", b"\x00\x00", b"\x30\xff\xff\xff\x7f"]
)
def test_bytes_that_are_no_mqtt_end_only_the_view_of_their_connection(data: bytes) -> None:
    wires = Wires(PREFIX)
    wires.air(1, "down", data)
    wires.air(1, "down", b"\xd0\x00")
    wires.air(2, "down", b"\xd0\x00")
    texts = [row["text"] for row in rows(wires)]
    assert texts == ["bytes that are no MQTT: the rest of this connection is not shown", "PINGRESP"]


def test_no_bytes_on_any_wire_break_the_view() -> None:
    dice = random.Random(7)
    wires = Wires(PREFIX)
    for _ in range(3000):
        data = dice.randbytes(dice.randrange(24))
        heads = (
            b"\xf4\xf3\xf2\xf1",
            b"\xfd\xfc\xfb\xfa",
            b"\x32",
            b"\x10",
            b"\x12\x93",
            b"\x92\x92",
        )
        data = dice.choice(heads) + data if dice.random() < 0.5 else data
        wires.take("spi", [data.hex(), dice.randbytes(len(data)).hex()])
        wires.take("uart", [dice.choice(("in", "out")), data.hex()])
        wires.take("i2c", data.hex())
        wires.air(dice.randrange(40), dice.choice(("up", "down")), data)
    wires.fresh()
    assert wires.trace.rows()


@pytest.mark.parametrize(
    "value", [None, [], ["00"], ["0", "0"], ["zz", "00"], ["00", "00", "00"], {"a": 1}, 7]
)
def test_what_the_vm_never_says_is_refused_with_a_value_error(value: object) -> None:
    for bus in ("spi", "uart", "i2c"):
        if bus == "i2c" and value == 7:
            value = "7"
        with pytest.raises(ValueError):  # noqa: PT011 (bytes.fromhex's own words)
            Wires(PREFIX).take(bus, value)
