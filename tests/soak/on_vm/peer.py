"""Broker and host of one unit, within its VM: what a unit's day needs, in little memory.

A real broker would answer in real time, in which a virtual clock has long run on.
"""

import asyncio
import io
import json
import time

_POLL = 3
_READABLE = 1
_WRITABLE = 4
_EINVAL = -22
_ANSWER_MS = 60
_GATHER_MS = 1_000


class Wire(io.IOBase):
    """The unit's end of a connection, for asyncio's own streams."""

    def __init__(self, peer):
        self._peer = peer
        self._in = bytearray()
        self.closed = False

    def put(self, data):
        """Bytes for the unit."""
        self._in.extend(data)

    def read(self, size=-1):
        """What is there, b"" at the end, None when there is nothing yet."""
        if not self._in:
            return b"" if self.closed else None
        data = bytes(self._in[:size])
        self._in = self._in[size:]
        return data

    def write(self, data):
        """Bytes of the unit."""
        if self.closed:
            raise OSError(104)
        self._peer.take(bytes(data))
        return len(data)

    def ioctl(self, request, arg):
        """What `select` asks."""
        if request != _POLL:
            return _EINVAL  # 0 would be taken for the file descriptor of standard input
        return arg & (_WRITABLE | (_READABLE if self._in or self.closed else 0))

    def close(self):
        """Either side hangs up."""
        self.closed = True


class Peer:
    """Answers, acknowledges and judges; can fall silent."""

    def __init__(self):
        self.silent = False
        self.stalled = False
        """Whether the host commits nothing, while the broker works."""
        self.facts = self.presses = self.states = self.connections = 0
        self.counted = {}
        """(boot, lane) -> greatest sequence number without a hole before it."""
        self.topic = b""
        self._wire = None
        self._data = bytearray()
        self._number = 0
        self._gathered = set()
        self._version = 0

    async def connect(self, host, port):
        """In place of `asyncio.open_connection`."""
        if self.silent:
            await asyncio.sleep_ms(3_000)
            raise OSError(113)
        self.connections += 1
        self._wire = Wire(self)
        self._data = bytearray()
        stream = asyncio.StreamReader(self._wire)
        return stream, stream

    def hang_up(self):
        """The broker closes the connection."""
        if self._wire:
            self._wire.close()

    def guide(self, seat):
        """New guidance."""
        self._version += 1
        self.send("guidance", '{"seat":"%s","version":%d}' % (seat, self._version))

    def send(self, word, text):
        """Publish to the unit with QoS 1."""
        if self._wire is None or not self.topic or self.silent:
            return
        self._number = self._number % 0xFFFF + 1
        topic = self.topic + b"down/" + word.encode()
        rest = len(topic).to_bytes(2, "big") + topic + self._number.to_bytes(2, "big")
        rest += text if isinstance(text, bytes) else text.encode()
        length = len(rest)
        head = (
            bytes((0x32, length))
            if length < 128
            else bytes((0x32, length % 128 | 128, length // 128))
        )
        self._wire.put(head + rest)

    def take(self, data):
        """Bytes of the unit."""
        if self.silent:
            return
        self._data.extend(data)
        while len(self._data) >= 2:
            length, at = self._data[1] & 127, 2
            if self._data[1] & 128:
                length, at = length | self._data[2] << 7, 3
            if len(self._data) < at + length:
                return
            body = bytes(self._data[at : at + length])
            first = self._data[0]
            self._data = self._data[at + length :]
            self._packet(first, body)

    def _packet(self, first, body):
        kind = first >> 4
        if kind == 1:
            self._wire.put(b"\x20\x02\x00\x00")
        elif kind == 8:
            end = 4 + body[2] * 256 + body[3]
            self.topic = body[4 : end - len("down/+")]
            self._wire.put(b"\x90\x03" + body[:2] + b"\x01")
            self.guide("free")
        elif kind == 12:
            self._wire.put(b"\xd0\x00")
        elif kind == 3:
            end = 2 + body[0] * 256 + body[1]
            self._wire.put(b"\x40\x02" + body[end : end + 2])
            self._publish(body[2:end], body[end + 2 :])

    def _publish(self, topic, payload):
        word = topic[len(self.topic) :]
        message = json.loads(payload)
        if word == b"state":
            self.states += 1
        elif not self.stalled:
            for fact in message if isinstance(message, list) else (message,):
                self._fact(fact, "button" if word == b"button" else "ordinary")

    def _fact(self, fact, lane):
        key = (fact["boot"], lane)
        before = self.counted.get(key, 0)
        if fact["seq"] == before + 1:
            self.counted[key] = fact["seq"]
            self.facts += 1
            self.presses += fact["type"] == "press"
        if not self._gathered:
            asyncio.create_task(self._acknowledge())
        self._gathered.add(key)
        if fact["type"] == "tag" and fact.get("age", 99_999) < 5_000:
            asyncio.create_task(self._judge(fact["boot"], fact["seq"]))

    async def _acknowledge(self):
        await asyncio.sleep_ms(_GATHER_MS)
        for boot, lane in self._gathered:
            text = '{"boot":%d,"lane":"%s","spans":[[1,%d]],"time":%d}'
            upto = self.counted.get((boot, lane), 0)
            if upto:
                self.send("ack", text % (boot, lane, upto, time.time() * 1000))
        self._gathered.clear()

    async def _judge(self, boot, seq):
        await asyncio.sleep_ms(_ANSWER_MS)
        word = ("own", "not-yours", "unknown", "goodbye")[seq % 4]
        text = '{"boot":%d,"seq":%d,"verdict":"%s","time":%d}'
        self.send("verdict", text % (boot, seq, word, time.time() * 1000))
