"""A load of facts, as a process of its own: `python -m tests.bench.load PORT ...`.

It speaks MQTT 5 with the relay's own codec, on bare sockets: packets are made beforehand, so that
it is the broker or the relay that is measured, and not this. Prints a line when it has finished.
"""

import argparse
import socket
import time
from collections.abc import Iterator

import mqtt5
import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import Seat

WINDOW = 1_000
"""Publications that the broker may not have acknowledged yet."""

CHUNK = 100
"""Packets in one write."""


def main() -> None:
    """Publish what the arguments ask for, QoS 1, and wait until the broker has it all."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("port", type=int)
    wanted.add_argument("--facts", type=int, default=20_000)
    wanted.add_argument("--units", type=int, default=1_000)
    wanted.add_argument("--boot", type=int, default=1)
    wanted.add_argument("--batch", type=int, default=1, help="facts in a message")
    wanted.add_argument("--rate", type=float, default=0.0, help="facts a second; 0: all it can")
    wanted.add_argument("--hostile", action="store_true", help="junk from one unit instead")
    args = wanted.parse_args()
    connection = socket.create_connection(("127.0.0.1", args.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name = f"load-{args.boot}-{'junk' if args.hostile else 'facts'}"
    connection.sendall(mqtt5.ConnectPacket(name, clean_start=True).write())
    connection.recv(1_000)
    messages = junk(args.facts) if args.hostile else facts(args)
    if args.rate:
        sent = publish_evenly(connection, messages, args.rate / args.batch)
    else:
        sent = publish(connection, messages)
    print(sent, flush=True)
    connection.sendall(mqtt5.DisconnectPacket().write())


def facts(args: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads; every unit counts from 1 without a hole."""
    encode = msgspec.json.encode
    seqs = [0] * args.units
    for number in range(0, args.facts, args.batch):
        i = number // args.batch % args.units
        unit = f"u{i}"
        items = []
        for _ in range(min(args.batch, args.facts - number)):
            seqs[i] = seq = seqs[i] + 1
            up = time.monotonic_ns() // 1_000_000 if args.rate else seq
            items.append(
                Seat(unit=unit, boot=args.boot, seq=seq, up=up, age=1, occupied=bool(seq % 2))
            )
        body = encode(items[0] if args.batch == 1 else items)
        yield topics.facts("s", unit, "ordinary"), body


def junk(count: int) -> Iterator[tuple[str, bytes]]:
    """Everything a unit must not send, from one that floods."""
    topic = topics.facts("s", "hostile", "ordinary")
    bodies = [b"\xff\xfe", b"{", b"[]", b"[" * 500, b'{"type":"dance"}', b"x" * 2_000, b"\0" * 50]
    for number in range(count):
        yield topic, bodies[number % len(bodies)]


def publish(connection: socket.socket, messages: Iterator[tuple[str, bytes]]) -> int:
    """Send as fast as the broker acknowledges; how many."""
    packets = [packet(number, *message) for number, message in enumerate(messages)]
    answers, sent = Answers(connection), 0
    while answers.count < len(packets):
        upto = min(sent + CHUNK, answers.count + WINDOW, len(packets))
        if upto > sent:
            connection.sendall(b"".join(packets[sent:upto]))
            sent = upto
        answers.take(wait=sent == len(packets) or sent - answers.count >= WINDOW)
    return sent


def publish_evenly(
    connection: socket.socket, messages: Iterator[tuple[str, bytes]], rate: float
) -> int:
    """Send so many messages a second, each made in the moment in which it is sent; how many."""
    answers, sent, began = Answers(connection), 0, time.monotonic()
    for sent, message in enumerate(messages, 1):
        late = time.monotonic() - began - sent / rate
        if late < 0:
            time.sleep(-late)
        connection.sendall(packet(sent, *message))
        answers.take(wait=sent - answers.count >= WINDOW)
    while answers.count < sent:
        answers.take(wait=True)
    return sent


def packet(number: int, topic: str, body: bytes) -> bytes:
    """A PUBLISH of QoS 1."""
    qos = mqtt5.QoS.AT_LEAST_ONCE
    return mqtt5.PublishPacket(topic, body, qos=qos, packet_id=number % 65_535 + 1).write()


class Answers:
    """Counts what the broker has acknowledged."""

    def __init__(self, connection: socket.socket) -> None:
        self.count = 0
        self._connection = connection
        self._rest = b""

    def take(self, *, wait: bool) -> None:
        """Take in what has come; or wait for something, if nothing has."""
        try:
            come = self._connection.recv(2**16, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not come:
            raise ConnectionError("the broker closed the connection")
        data, at = self._rest + come, 0
        # A PUBACK has four bytes, or more with a reason.
        while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
            at += 2 + data[at + 1]
            self.count += 1
        self._rest = data[at:]


if __name__ == "__main__":
    main()
