"""The wires that end in a desk unit. Runs on CPython and on MicroPython.

A wire has `good`, messages as they should be, and `feed(data, draw)`, which raises if the unit
would crash or take rubbish for good; it returns True when the bytes were taken for good.
"""

import json

from desk_unit import down, frames, mqtt_packets
from desk_unit.clock import Uptime
from desk_unit.config import Config, ConfigError
from desk_unit.facts import SEAT
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from desk_unit.link import Link
from desk_unit.link_serial import Connection as SerialConnection
from desk_unit.mqtt import Connection
from desk_unit.ram_flash import RamFlash
from desk_unit.sntp import NoTime, read
from desk_unit.updates import Updates
from drivers import mfrc522
from drivers.fault import ChipFault
from drivers.iso14443 import COLLISION, RECEIVED, Search, crc_a
from drivers.ld2410_setup import ConfigurableLD2410
from drivers.mfrc522 import MFRC522
from sim.chips.clock import ManualClock
from sim.chips.iso14443 import Card
from sim.chips.mfrc522 import MFRC522Model

NOON = 1_800_000_000_000
BASE = "chequer/v1/s/u/"
FACTS = 5


class RubbishError(Exception):
    """Something was taken for good that is not."""


def check(condition, what):
    """Raise when what was taken in is not as it must be."""
    if not condition:
        raise RubbishError(what)


def dumped(**fields):
    return json.dumps(fields).encode()


DOWN = [
    dumped(boot=3, lane="button", spans=[[1, 4], [6, 6]], time=NOON),
    dumped(boot=3, lane="ordinary", spans=[[1, 2]], time=NOON),
    dumped(boot=3, seq=3, verdict="own", time=NOON),
    dumped(seat="free", version=3),
]


def finish(coroutine):
    """Run a coroutine that never really waits."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


class Nothing:
    """The wire of a link that never connects."""

    network = None
    peer = ""


class Unit:
    """A link with facts that wait, and a listener that checks what it is told."""

    def __init__(self):
        self.ticks = 0
        self.uptime = Uptime(lambda: self.ticks, lambda end, start: end - start)
        self.taken = 0
        config = type("Config", (), {"site": "s", "unit": "u"})
        key = {"unit": "u", "boot": 3, "uptime": self.uptime}
        self.lanes = []
        for word, name in (("button", "button"), ("fact", "ordinary")):
            journal = Journal(RamFlash(5))
            journal.mount()
            self.lanes.append(Lane(word, name, journal, **key))
            for _ in range(FACTS):
                self.lanes[-1].append(SEAT, 0, 0, 0, b"\x01")
        self.link = Link(
            config,
            self.lanes,
            wire=Nothing,
            uptime=self.uptime,
            random=lambda: 0,
            listener=self,
            log=lambda line: None,
        )

    def offered(self):
        """Offers and pieces have a wire of their own."""
        raise OSError("no update here")

    def told(self, word, payload):
        """Modes, incidents and enrolments have a wire of their own here (down messages)."""
        return False

    def restart(self, boot):
        """The host wants a new start; there is nothing to start here."""

    def heard(self, time):
        # One that can't be right is not this wire's to judge: the clock takes no notice of it.
        check(type(time) is int and time >= 0, "a time")

    def verdict(self, boot, seq, word):
        self.taken += 1
        check(1 <= boot < 1 << 32 and 1 <= seq < 1 << 32 and word in down.VERDICTS, "a verdict")

    def guidance(self, word):
        self.taken += 1
        check(word in down.SEATS, "guidance")

    def acknowledge(self):
        """Apply what was heard, as the link's task does; the facts are there again afterwards."""
        while self.link._acks:
            boot, name, spans, _ = self.link._acks.pop(0)
            check(len(spans) <= 8, "spans")
            for lane in self.lanes:
                if lane.name == name:
                    before = lane.journal.waiting
                    for _ in lane.acknowledge(boot, spans):
                        pass
                    check(boot == 3 or lane.journal.waiting == before, "another boot's facts")
                    self.taken += 1
                    if not lane.journal.waiting:
                        return True
        return False


class Wire:
    """A wire that has a unit behind it, which is replaced when its facts are acknowledged."""

    def __init__(self):
        self.unit = Unit()

    def heard(self):
        """Whether anything was taken since."""
        if self.unit.acknowledge():
            self.unit = Unit()
            return True
        taken, self.unit.taken = self.unit.taken, 0
        return bool(taken)


class Mqtt(Wire):
    """Broker to unit: packets, their parser, the connection, what the link makes of messages."""

    name = "broker to unit (MQTT)"

    def __init__(self):
        super().__init__()
        words = ("ack", "ack", "verdict", "guidance")
        self.good = [
            mqtt_packets.publish(BASE + "down/" + word, payload, 7)
            for word, payload in zip(words, DOWN)
        ]
        self.good += [
            b"\x20\x02\x00\x00",
            b"\x90\x03\x00\x01\x01",
            b"\x40\x02\x00\x01",
            b"\xd0\x00",
        ]
        self.good.append(b"".join(self.good))

    def feed(self, data, draw):
        connection = Connection(
            None,
            client="c",
            will=("w", b""),
            username=None,
            password=None,
            on_message=self.unit.link._hear,
            on_sent=lambda token: None,
        )
        cut = 1 + draw.below(64)
        try:
            for start in range(0, len(data), cut):
                connection._parser.feed(data[start : start + cut])
        except mqtt_packets.ProtocolError:
            pass
        check(all(0 < number < 65536 for number in connection._replies), "a packet identifier")
        return self.heard()


class Serial(Wire):
    """Gateway to unit: frames, and what the link makes of their messages."""

    name = "serial line to unit"

    def __init__(self):
        super().__init__()
        words = (b"down/ack", b"down/ack", b"down/verdict", b"down/guidance")
        self.good = [
            frames.frame(frames.MESSAGE, 1, bytes((0, len(word))) + word + payload)
            for word, payload in zip(words, DOWN)
        ]
        self.good += [frames.frame(kind, 1) for kind in range(9)]
        self.good.append(frames.frame(frames.REFUSED, 1, b"no broker \x00\xff"))

    def feed(self, data, draw):
        connection = SerialConnection(
            None,
            topics=BASE,
            hello=b"{}",
            on_message=self.unit.link._hear,
            on_sent=lambda token: None,
        )
        if draw.below(8):
            connection._welcome.set()
        connection._session = 1
        connection._out = [(1, b"", None), (2, b"", None)]
        cut = 1 + draw.below(64)
        for start in range(0, len(data), cut):
            connection._deframer.feed(data[start : start + cut])
        check(all(" " <= c <= "~" for c in connection._refusal), "a reason")
        check(0 <= connection._taken < 256, "a number")
        return self.heard()


class Down:
    """The JSON of messages to a unit."""

    name = "down messages (JSON)"
    good = DOWN

    def feed(self, data, _draw):
        ack, verdict, seat = down.ack(data), down.verdict(data), down.guidance(data)
        if ack:
            boot, lane, spans, time = ack
            check(type(boot) is int and 1 <= boot < 1 << 32 and lane in down.LANES, "an ack")
            check(type(time) is int and time >= 0, "its time")
            check(1 <= len(spans) <= 8, "its spans")
            for first, last in spans:
                check(type(first) is int and type(last) is int and 1 <= first <= last, "a span")
        if verdict:
            boot, seq, word, time = verdict
            check(type(boot) is int and type(seq) is int and boot >= 1 and seq >= 1, "a verdict")
            check(type(time) is int and time >= 0, "its time")
            check(word in down.VERDICTS, "its word")
        check(seat is None or seat in down.SEATS, "guidance")
        return bool(ack or verdict or seat)


class Update:
    """Offers and pieces of updates (JSON)."""

    name = "updates to a unit (JSON)"
    good = [
        dumped(bundle="0123456789abcdef" * 2, size=61200),
        dumped(bundle="0123456789abcdef" * 2, size=61200, again=True),
        dumped(bundle="fedcba9876543210" * 2, offset=672, data="TQYAHw=="),
    ]

    def __init__(self):
        self.taker = Updates(None, (), None, None)
        self.taker._begin = lambda work: work.close()
        self.taker._wanted = ("fedcba9876543210" * 2, 672, 4)

    def feed(self, data, _draw):
        taker = self.taker
        offered, came = taker.hear("down/update", data), taker.hear("down/piece", data)
        offer, taker._offer = taker._offer, None
        check(bool(offer) == offered, "an offer")
        if offer:
            name, size, again = offer
            check(len(name) == 32 and int(name, 16) >= 0 and name == name.lower(), "a name")
            check(type(size) is int and 1 <= size <= 1 << 20 and again in (True, False), "a size")
        check(not came or len(taker._buffer) == 672, "a piece")
        return offered or came


class Radar:
    """The radar's UART."""

    name = "radar (UART)"

    def __init__(self):
        basic = b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa\x03\x51\x00\x3c\x00\x01\x14\x78\x00\x55\x00"
        ack = b"\xfd\xfc\xfb\xfa\x04\x00\xfe\x01\x00\x00\x04\x03\x02\x01"
        self.good = [basic + b"\xf8\xf7\xf6\xf5", ack]
        self.good.append(self.good[0] + ack + self.good[0])
        self._data = b""
        self._radar = ConfigurableLD2410(self)

    def any(self):
        return len(self._data)

    def readinto(self, into, count):
        part, self._data = self._data[:count], self._data[count:]
        into[: len(part)] = part
        return len(part)

    def feed(self, data, _draw):
        self._data = data
        reports = 0
        while self._data:
            reports += self._radar.receive()
        radar = self._radar
        check(0 <= radar.state <= 6, "a state")
        for value in (radar.moving_cm, radar.still_cm, radar.detection_cm):
            check(0 <= value < 65536, "a distance")
        check(radar._count < len(radar._frame), "the buffer")
        try:
            radar.check(0)
        except ChipFault as fault:
            check(len(fault.reason) <= 120, "a reason")
        return reports > 0


class Reader:
    """The RFID reader's SPI: a chip with cards in its field, whose every answer may be damaged.

    The bytes are laid over what the chip says (exclusive or); a quarter of them are all that it
    says. No UID may come out but those of the cards.
    """

    name = "RFID reader (SPI)"
    good = [
        bytes(300),
        bytes(40) + b"\x01" + bytes(80),
        b"\x92\x30\x00\x02\x10\x20\x04\x00\x80\x03",
    ]
    UIDS = (b"\x04\xa1\xb2\xc3\xd4\xe5\xf6",)

    def __init__(self):
        mfrc522.sleep_ms = self._sleep_ms
        self._clock = ManualClock()
        mfrc522.block_ms = self._clock.pass_ms
        self._data = bytes(1)
        self._at = 0
        self._whole = False
        self._chip = MFRC522Model(self._clock)
        for uid in self.UIDS:
            self._chip.field.put(Card(uid, wake_us=0))
        self._reader = MFRC522(self, self._chip.cs, self._chip.rst)
        self._reader.start()

    async def _sleep_ms(self, ms):
        self._clock.pass_ms(ms)

    def write(self, data):
        self._chip.write(data)

    def write_readinto(self, out, into):
        self._chip.write_readinto(out, into)
        data = self._data
        for i in range(len(out)):
            over = data[(self._at + i) % len(data)]
            into[i] = over if self._whole else into[i] ^ over
        self._at += len(out)

    def feed(self, data, draw):
        self._data = data or bytes(1)
        self._at = 0
        self._whole = not draw.below(4)
        found = False
        try:
            uids = finish(self._reader.uids())
            found = check_uids(uids)
            check(all(uid in self.UIDS for uid in uids), "a UID that no card has")
        except ChipFault as fault:
            check(len(fault.reason) <= 120, "a reason")
        self._data, self._whole = bytes(1), False
        self._reader.start()
        return found


class Cards:
    """Answers of cards on the air, behind a reader that works: lengths, collisions, SAKs, CRCs."""

    name = "cards (ISO 14443-3)"
    good = [b"\x04\x00\x04\xa1\xb2\xc3\x08", b"\x88\x04\xa1\xb2\x04\xd4\xe5\xf6\x07\x00"]

    def __init__(self):
        self.answer = bytearray(6)
        self.received = 0
        self.collision = 0
        self._search = Search(self)
        self._data = b""
        self._draw = None

    async def exchange(self, frame, _framing):
        """Answers that are often well formed, as hostile cards can make them."""
        draw, data = self._draw, self._data
        if not data or not draw.below(16):
            return draw.choice((0, -1, RECEIVED, RECEIVED | COLLISION))
        self._data = data[1:]
        part = (data + bytes(6))[:6]
        self.answer[:] = part
        self.collision = part[1]
        self.received = draw.choice((2, 3, 5, part[0] % 7))
        if len(frame) == 9 or draw.below(4) == 0:
            crc = crc_a(self.answer[1:2], 1)
            self.answer[2:4] = bytes((crc & 255, crc >> 8))
            self.received = 3
        elif draw.below(4):
            self.received = 5
            body = self.answer[1:5]
            self.answer[5] = body[0] ^ body[1] ^ body[2] ^ body[3]
        return RECEIVED | (COLLISION if draw.below(4) == 0 else 0)

    def feed(self, data, draw):
        self._data = data[:200]
        self._draw = draw
        return check_uids(finish(self._search.uids()))


def check_uids(uids):
    """All are complete UIDs."""
    for uid in uids:
        check(type(uid) is bytes and len(uid) in (4, 7, 10), "a UID")
    return bool(uids)


class Configuration:
    """The configuration file."""

    name = "configuration file"

    def __init__(self):
        fields = {
            "site": "s",
            "unit": "u",
            "site_key": "00" * 16,
            "broker": {"host": "b", "port": 1883, "username": "a", "password": "p"},
            "wifi": {"ssid": "x", "password": "y"},
            "boot_base": 5,
        }
        plain = json.dumps(fields)
        fields["broker"]["tls"] = {"psk_identity": "a", "psk": "0f" * 16}
        self.good = [
            plain.encode(),
            plain.replace(", ", ",\n").encode(),
            json.dumps(fields).encode(),
        ]

    def feed(self, data, _draw):
        try:
            config = Config(data)
        except ConfigError as error:
            check("/config.json, line " in str(error), "a refusal without its line")
            return False
        check(0 < len(config.site) <= 32 and 0 < len(config.unit) <= 32, "a name")
        check(16 <= len(config.site_key) <= 64 and 1 <= config.port <= 65535, "a key or port")
        check(type(config.boot_base) is int and 1 <= config.boot_base < 1 << 32, "a boot")
        check(config.link == "serial" or (config.host and config.ssid), "an address")
        return True


class Time:
    """SNTP answers."""

    name = "SNTP answers (UDP)"

    def __init__(self):
        stamp = b"\xed\x00\x00\x00\x80\x00\x00\x00"
        head = b"\x24\x02\x06\xec" + bytes(20) + b"8 random"
        self.good = [head + stamp * 2, head + stamp + stamp[:4] + b"\x90\x00\x00\x00"]

    def feed(self, data, _draw):
        try:
            time = read(data, b"8 random")
        except NoTime:
            return False
        check(type(time) is int and data[24:32] == b"8 random", "a time")
        return True


WIRES = (Mqtt, Serial, Radar, Reader, Cards, Down, Update, Configuration, Time)
