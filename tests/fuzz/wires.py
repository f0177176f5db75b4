"""The wires over which others speak to a desk unit. Runs on CPython and on MicroPython.

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
from tests.fuzz.rubbish import check

NOON = 1_800_000_000_000
BASE = "chequer/v1/s/u/"
FACTS = 5


def dumped(**fields):
    return json.dumps(fields).encode()


DOWN = [
    dumped(boot=3, lane="button", spans=[[1, 4], [6, 6]], time=NOON),
    dumped(boot=3, lane="ordinary", spans=[[1, 2]], time=NOON),
    dumped(boot=3, seq=3, verdict="own", time=NOON),
    dumped(seat="free", version=3),
]


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


WIRES = (Mqtt, Serial, Down, Update, Configuration, Time)
