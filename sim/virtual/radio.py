"""The air between one unit and the broker, in virtual time.

While it is lost no byte passes in either direction and nobody is told; connections live on and go
on where they were when it comes back, unless one side has given up meanwhile. It can also lose
packets, which come later for that, be slow, and forget connections without telling anybody, as
`sim.air` does in real time.
"""

import random
from collections.abc import Callable
from typing import Any

from sim.virtual.broker import Broker, Connection
from sim.virtual.conductor import Conductor

LATENCY_US = 5_000
"""What a message takes one way. Nothing reaches a unit sooner after it has left the broker."""

_AGAIN_US = 200_000  # until TCP first sends a lost packet again, as in `sim.air`
_MOST_AGAIN = 6

Deliver = Callable[[int, dict[str, Any]], None]
"""Told what reaches the unit, and when."""


class Radio:
    """A unit's station.

    Args:
        conductor: whose time it is.
        broker: with whom it speaks.
        deliver: where to put what reaches the unit.
        rank: the unit's.
        seed: of which packets are lost.
    """

    def __init__(
        self, conductor: Conductor, broker: Broker, deliver: Deliver, rank: int, seed: str = ""
    ) -> None:
        self._conductor = conductor
        self._broker = broker
        self._deliver = deliver
        self._rank = rank
        self._present = True
        self._held: list[Callable[[], None]] = []
        self._loss, self._delay_us = 0.0, 0
        self._dice = random.Random(f"air {seed}")  # noqa: S311 (weather, no secrets)
        self._latest = {"up": 0, "down": 0}
        self._links: dict[int, _Link] = {}

    def take(self, at: int, what: dict[str, Any]) -> bool:
        """What the unit did at this time; False when that has nothing to do with the air."""
        if "net" in what:
            number, data = what["net"]
            self._send(at, number, lambda link: link.feed(bytes.fromhex(data)))
        elif "call" in what:
            link = self._links[what["call"][0]] = _Link(self, what["call"][0])
            self._at(self._arrival(at, "up"), link.call)
        elif "hang" in what:
            self._send(at, what["hang"], _Link.unit_hangs_up)
        else:
            return False
        return True

    def quiet(self, quiet: bool, spoke: int) -> None:
        """The unit leaves its keep-alives out from now on, or no more, and spoke last then."""
        for link in self._links.values():
            link.quiet(quiet, spoke + LATENCY_US)

    def lose(self) -> None:
        """Fall silent."""
        self._present = False

    def restore(self) -> None:
        """Let bytes pass again."""
        self._present = True
        held, self._held = self._held, []
        for work in held:
            work()

    def weather(self, loss: float, delay: float) -> None:
        """Lose so much of 1 of what is sent from now on; let all come so many seconds later."""
        self._loss, self._delay_us = loss, round(delay * 1e6)

    def half_open(self) -> None:
        """Forget the connections that there are: they carry nothing more, and nobody is told."""
        for link in self._links.values():
            link.orphan()

    def unit_is_dead(self) -> None:
        """Its power is gone: the broker hears no goodbye and finds out by its keep-alive."""
        for link in self._links.values():
            link.orphan()
        self._links = {}
        self._held.clear()

    def unit_restarts(self) -> None:
        """Its chip starts anew: connections that it had are closed."""
        for number in list(self._links):
            self._send(self._conductor.now, number, _Link.unit_hangs_up)
        self._links = {}

    def connect(
        self, send: Callable[[bytes], None], hang_up: Callable[[], None]
    ) -> Connection | None:
        """The broker's end of a new connection; None when nobody listens."""
        return self._broker.accept(send, hang_up) if self._broker.running else None

    def down(self, link: "_Link", state: str, data: bytes = b"") -> None:
        """Something on its way to the unit."""

        def arrive() -> None:
            if self._links.get(link.number) is link and not link.dead:
                what = {"air_in": [link.number, state, data.hex()]}
                self._deliver(self._conductor.now + LATENCY_US, what)

        due = self._arrival(self._conductor.now, "down") - LATENCY_US
        if due > self._conductor.now:
            self._at(due, arrive)
        else:
            self._when_clear(arrive)

    def _send(self, at: int, number: int, work: Callable[["_Link"], None]) -> None:
        link = self._links.get(number)
        if link:
            self._at(self._arrival(at, "up"), lambda: work(link))

    def _arrival(self, at: int, way: str) -> int:
        """When what is sent now is there; TCP keeps the order, so what follows waits too."""
        late = self._delay_us
        for attempt in range(_MOST_AGAIN if self._loss else 0):
            if self._dice.random() >= self._loss:
                break
            late += _AGAIN_US << attempt
        self._latest[way] = max(at + LATENCY_US + late, self._latest[way])
        return self._latest[way]

    def _at(self, when: int, work: Callable[[], None]) -> None:
        self._conductor.at(when, lambda: self._when_clear(work), self._rank)

    def _when_clear(self, work: Callable[[], None]) -> None:
        if self._present:
            work()
        else:
            self._held.append(work)


class _Link:
    """One connection of a unit."""

    def __init__(self, radio: Radio, number: int) -> None:
        self.number = number
        self._radio = radio
        self._end: Connection | None = None
        self.dead = False
        """Nothing passes any more, and nobody was told."""

    def call(self) -> None:
        """The call has come to the broker's machine."""
        if self.dead:
            return
        self._end = self._radio.connect(self._hear, self._closed)
        self._radio.down(self, "open" if self._end else "refused")

    def feed(self, data: bytes) -> None:
        """Bytes of the unit have arrived."""
        if self._end and not self.dead:
            self._end.feed(data)

    def unit_hangs_up(self) -> None:
        """The unit's goodbye has arrived."""
        if self._end and not self.dead:
            self._end.lost()

    def quiet(self, quiet: bool, heard: int) -> None:
        """Whether keep-alives are left out, which the broker has to take as heard."""
        if self._end and not self.dead:
            self._end.quiet(quiet, heard)

    def orphan(self) -> None:
        """Nothing of the unit arrives any more."""
        self.dead = True

    def _hear(self, data: bytes) -> None:
        self._radio.down(self, "open", data)

    def _closed(self) -> None:
        self._radio.down(self, "closed")
