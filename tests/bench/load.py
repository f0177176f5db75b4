"""A load of facts, as a process of its own: `python -m tests.bench.load PORT ...`.

It speaks MQTT 5 with the relay's own codec, on bare sockets: packets are made beforehand, so that
it is the broker or the relay that is measured, and not this. Prints a line when it has finished.
"""

import argparse
import selectors
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
    sent = publish(connection, messages, args.rate / args.batch)
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
            items.append(
                Seat(unit=unit, boot=args.boot, seq=seq, up=seq, age=1, occupied=bool(seq % 2))
            )
        body = encode(items[0] if args.batch == 1 else items)
        yield topics.facts("s", unit, "ordinary"), body


def junk(count: int) -> Iterator[tuple[str, bytes]]:
    """Everything a unit must not send, from one that floods."""
    topic = topics.facts("s", "hostile", "ordinary")
    bodies = [b"\xff\xfe", b"{", b"[]", b"[" * 500, b'{"type":"dance"}', b"x" * 2_000, b"\0" * 50]
    for number in range(count):
        yield topic, bodies[number % len(bodies)]


def publish(connection: socket.socket, messages: Iterator[tuple[str, bytes]], rate: float) -> int:
    """Send, as fast as the broker acknowledges or at `rate` messages a second; how many."""
    qos, write = mqtt5.QoS.AT_LEAST_ONCE, mqtt5.PublishPacket
    packets = [
        write(topic, body, qos=qos, packet_id=number % 65_535 + 1).write()
        for number, (topic, body) in enumerate(messages)
    ]
    connection.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    sent = answered = 0
    rest = b""
    waiting = b""
    began = time.monotonic()
    while answered < len(packets):
        allowed = len(packets) if not rate else int((time.monotonic() - began) * rate) + 1
        upto = min(allowed, answered + WINDOW, sent + CHUNK, len(packets))
        if not waiting and upto > sent:
            waiting, sent = b"".join(packets[sent:upto]), upto
        if waiting:
            try:
                waiting = waiting[connection.send(waiting) :]
            except BlockingIOError:
                pass
        more = not waiting and sent < min(allowed, answered + WINDOW, len(packets))
        if selector.select(0 if more else 0.002):
            data = rest + connection.recv(2**16)
            if len(data) == len(rest):
                raise ConnectionError("the broker closed the connection")
            # A PUBACK has four bytes, or more with a reason.
            at = 0
            while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
                at += 2 + data[at + 1]
                answered += 1
            rest = data[at:]
    return sent


if __name__ == "__main__":
    main()
