"""A test's stand-in for desk units: sends facts, waits for acknowledgements, sends again.

It keeps to docs/protocol.md, "Acknowledgement, end to end", except that it loses patience sooner.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from host_bridge.contract import topics
from host_bridge.contract.facts import AnyFact, Boot, Lane, Press, Seat
from host_bridge.contract.messages import Ack

WINDOW = 8
RESEND_S = 1.5
AHEAD, AHEAD_SILENT, AHEAD_MOST = 256, 8, 512
"""Facts that may be sent ahead of the host: at first, after silence, at the most."""

Row = tuple[str, int, Lane, int]


def fact_of(unit: str, boot: int, lane: Lane, seq: int) -> AnyFact:
    """The fact that a unit of this test sends under a number."""
    if lane == "button":
        return Press(unit=unit, boot=boot, seq=seq, up=seq * 10)
    if seq == 1:
        return Boot(unit=unit, boot=boot, seq=1, up=1, cause="power", firmware="test")
    return Seat(unit=unit, boot=boot, seq=seq, up=seq * 10, occupied=bool(seq % 2))


@dataclass
class _Journal:
    """One lane of one unit: what has happened, was sent, and is acknowledged, as numbers.

    Like the firmware's lane it runs ahead of the host by a window that starts small after silence
    and doubles with every acknowledgement.
    """

    unit: str
    boot: int
    lane: Lane
    total: int
    most: int = AHEAD_MOST
    made: int = 0
    next: int = 1
    oldest: int = 1
    happened_at: dict[int, float] = field(default_factory=dict)
    sent_at: dict[int, float] = field(default_factory=dict)
    in_window: int = 0
    ahead: int = 0
    heard_at: float = 0.0

    def __post_init__(self) -> None:
        self.ahead = min(AHEAD, self.most)

    def make(self, now: float) -> None:
        """Something happens."""
        self.made += 1
        self.happened_at[self.made] = now

    def trim(self, spans: list[tuple[int, int]], now: float) -> None:
        """Forget the oldest facts as long as they lie within a span."""
        before = self.oldest
        while any(first <= self.oldest <= last for first, last in spans):
            self.sent_at.pop(self.oldest, None)
            self.happened_at.pop(self.oldest, None)
            self.oldest += 1
        if self.oldest > before:
            self.ahead, self.heard_at = min(self.most, self.ahead * 2), now

    def rewind(self, now: float, ahead: int) -> None:
        """Everything that is kept is to be sent again, from the oldest on."""
        self.ahead, self.heard_at = min(ahead, self.most), now
        self.sent_at = dict.fromkeys(sorted(self.sent_at), -1e9)

    def again(self, now: float, patience: float) -> int | None:
        """What was sent longest ago, if that is too long."""
        if not self.sent_at or next(iter(self.sent_at.values())) > now - patience:
            return None
        if self.heard_at < now - patience:
            self.rewind(now, AHEAD_SILENT)
        seq = next(iter(self.sent_at))
        return seq if seq < self.oldest + self.ahead else None

    def fresh(self) -> int | None:
        """The next that was never sent."""
        if self.next > self.made or self.next >= self.oldest + self.ahead:
            return None
        self.next += 1
        return self.next - 1

    def age_ms(self, seq: int, now: float) -> int:
        """How long ago it happened; 0 if it is acknowledged already."""
        return int((now - self.happened_at.get(seq, now)) * 1000)

    def sent(self, seq: int, now: float) -> None:
        """Keep them in the order in which they were sent."""
        if seq >= self.oldest:
            self.sent_at.pop(seq, None)
            self.sent_at[seq] = now


class Units:
    """Some units on one connection.

    `rate` is facts per second of all of them together,
    `patience` is how many seconds they wait for an acknowledgement before they send again, and
    `ahead` is how many facts a lane may send ahead of the host, at the most, until `hurry`: whoever
    stops the host while facts are on their way is sure that others are still to come, however long
    it stands.
    With `steady`, facts happen at that rate whatever becomes of the network, and gather at the
    units; without it, all have happened already, and sending keeps to the rate.
    """

    def __init__(
        self,
        port: int,
        *,
        site: str = "s",
        count: int = 10,
        ordinary: int = 40,
        button: int = 10,
        rate: float = 1_000,
        patience: float = RESEND_S,
        ahead: int = AHEAD_MOST,
        steady: bool = False,
    ) -> None:
        self._site = site
        self._rate = rate
        self._steady = steady
        self._patience = patience
        lanes: list[tuple[Lane, int]] = [("ordinary", ordinary), ("button", button)]
        self._journals = {
            (f"u{number}", lane): _Journal(f"u{number}", 1, lane, total, most=ahead)
            for number in range(count)
            for lane, total in lanes
        }
        self._to_come = self._order()
        if not steady:
            for journal in self._to_come:
                journal.make(time.monotonic())
        self.refused = 0
        """Acknowledgements that a unit would not understand."""
        self.sent = 0
        self._lock = threading.Lock()
        self._window: dict[int, _Journal] = {}
        self._stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"units-{site}")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port)
        self._thread = threading.Thread(target=self._pump, daemon=True)

    def __enter__(self) -> "Units":
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def rows(self) -> set[Row]:
        """Every fact that there is to be stored."""
        return {
            (journal.unit, journal.boot, journal.lane, seq)
            for journal in self._journals.values()
            for seq in range(1, journal.total + 1)
        }

    def left(self) -> int:
        """Facts that the host has not acknowledged."""
        with self._lock:
            return sum(j.total - j.oldest + 1 for j in self._journals.values())

    def totals(self) -> dict[tuple[str, int, Lane], int]:
        """How many facts there are to be stored, by unit, boot and lane."""
        return {(j.unit, j.boot, j.lane): j.total for j in self._journals.values()}

    def waiting(self) -> int:
        """Facts that have happened and that the host has not acknowledged."""
        with self._lock:
            return sum(j.made - j.oldest + 1 for j in self._journals.values())

    def lag(self, *lanes: Lane) -> float:
        """Seconds since the oldest of them (on these lanes) happened, 0 when there is none."""
        with self._lock:
            journals = [j for j in self._journals.values() if not lanes or j.lane in lanes]
            oldest = [next(iter(j.happened_at.values()), None) for j in journals]
        known = [at for at in oldest if at is not None]
        return time.monotonic() - min(known) if known else 0.0

    def hurry(self) -> None:
        """Run as far ahead of the host as it lets them, from now on."""
        with self._lock:
            for journal in self._journals.values():
                journal.most = AHEAD_MOST

    def mark(self) -> list[int]:
        """How far the lanes have come; for `is_past`."""
        with self._lock:
            return [journal.next for journal in self._journals.values()]

    def is_past(self, mark: list[int]) -> bool:
        """Is everything acknowledged that had been sent then?"""
        with self._lock:
            pairs = zip(self._journals.values(), mark, strict=True)
            return all(journal.oldest >= number for journal, number in pairs)

    def wait(self, seconds: float, left: int = 0) -> None:
        """Return when at most `left` facts are not acknowledged."""
        deadline = time.monotonic() + seconds
        while self.left() > left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.left()} facts unacknowledged after {seconds} s")
            time.sleep(0.02)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(topics.down(self._site, "+", "ack"), qos=1)
        with self._lock:
            for journal in self._journals.values():
                journal.in_window = 0
                journal.rewind(time.monotonic(), AHEAD)
            self._window.clear()

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, *_: Any) -> None:
        with self._lock:
            if journal := self._window.pop(mid, None):
                journal.in_window -= 1

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            ack = msgspec.json.decode(message.payload, type=Ack)
        except msgspec.ValidationError:
            self.refused += 1
            return
        parts = topics.parse(message.topic)
        assert parts is not None
        with self._lock:
            journal = self._journals[parts[1], ack.lane]
            if ack.boot == journal.boot:
                journal.trim(ack.spans, time.monotonic())

    def _order(self) -> Iterator[_Journal]:
        """Whose turn it is, evenly: each lane as often as it has facts."""
        longest = max(journal.total for journal in self._journals.values())
        for step in range(1, longest + 1):
            for journal in self._journals.values():
                if step * journal.total // longest > (step - 1) * journal.total // longest:
                    yield journal

    def _pump(self) -> None:
        credit, before = 0.0, time.monotonic()
        while not self._stop.wait(0.01):
            now = time.monotonic()
            credit, before = credit + (now - before) * self._rate, now
            if self._steady:
                credit = self._happen(credit, now)
            if not self._client.is_connected():
                continue
            credit = credit if self._steady else min(credit, 200.0)
            for journal in self._journals.values():
                while (self._steady or credit >= 1) and (seq := self._next(journal, now)):
                    self._send(journal, seq, now)
                    credit -= 0 if self._steady else 1

    def _happen(self, credit: float, now: float) -> float:
        with self._lock:
            for journal in itertools.islice(self._to_come, int(credit)):
                journal.make(now)
        return credit - int(credit)

    def _next(self, journal: _Journal, now: float) -> int | None:
        with self._lock:
            if journal.in_window >= WINDOW:
                return None
            return journal.again(now, self._patience) or journal.fresh()

    def _send(self, journal: _Journal, seq: int, now: float) -> None:
        fact = fact_of(journal.unit, journal.boot, journal.lane, seq)
        topic = topics.facts(self._site, journal.unit, journal.lane)
        with self._lock:
            aged = msgspec.structs.replace(fact, age=journal.age_ms(seq, now))
            journal.in_window += 1
            journal.sent(seq, now)
        sent = self._client.publish(topic, msgspec.json.encode(aged), qos=1)
        self.sent += 1
        with self._lock:
            # Without a connection it waits within the client, and to ask whether it is published
            # would raise, which is the end of this thread.
            if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and sent.is_published():
                journal.in_window -= 1
            else:
                self._window[sent.mid] = journal
