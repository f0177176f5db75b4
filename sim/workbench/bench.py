"""The bench: one unit, the host behind it, and what is told of them to the pages."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec

from sim.parts import Parts
from sim.unit import SimUnit
from sim.vm import VmError
from sim.workbench import front
from sim.workbench.cards import Card
from sim.workbench.flash import Flash
from sim.workbench.host import Host
from sim.workbench.stream import Event, Stream
from sim.workbench.wires import Wires

FIRMWARE_KIB = 224
"""What the chip's 112 KB are here, where pointers have 64 bits."""

_TICK_S = 0.1
_SLOW_TICKS = 20
_LINES = 200


class Bench:
    """Follows a unit and tells pages what changes.

    Args:
        folder: the unit's folder.
        broker: host and port.
        site: the site's name.
        name: the unit's name.
        site_key: see `SimUnit`.
        cards: what can be held to the reader, by name.
        host: the host's processes; None when somebody else runs them.
    """

    def __init__(
        self,
        *,
        folder: Path,
        broker: tuple[str, int],
        site: str,
        name: str,
        site_key: bytes,
        cards: dict[str, Card],
        host: Host | None,
    ) -> None:
        self.site, self.name, self.broker, self.cards, self.host = site, name, broker, cards, host
        self.wires = Wires(f"chequer/v1/{site}/{name}/")
        self.unit = SimUnit(
            folder=folder,
            broker=broker,
            site=site,
            unit=name,
            site_key=site_key,
            heap=f"{FIRMWARE_KIB}k",
            parts=Parts(),  # ReaderWire can hide a UID only in what passes to and from an MFRC522
            wires=self.wires.take,
            mqtt=self.wires.air,
        )
        self.stream = Stream(self.present)
        self.flash = Flash(folder / "soc")
        self.control_port = 0
        """Where the unit's control port listens, for the page to say."""
        self._console: list[dict[str, Any]] = []
        self._told: dict[str, Any] = {}
        self._lanes = self.flash.lanes()
        self._heap: int | None = None
        self._since = time.time()
        self._resets: list[str] = []

    def present(self) -> list[Event]:
        """Everything, as events."""
        rows = [msgspec.to_builtins(row) for row in self.wires.trace.rows()]
        return [
            ("desk", self.desk()),
            ("light", self.light()),
            ("display", self.display()),
            ("wire", {"all": True, "rows": rows}),
            ("journal", self._lanes),
            ("vitals", self.vitals()),
            ("console", {"all": True, "lines": self._console}),
        ]

    async def run(self) -> None:
        """Follow the unit until cancelled."""
        with self.unit.watch() as events:
            ticking = asyncio.create_task(self._tick())
            try:
                while True:
                    self._take(await events.get())
            finally:
                ticking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticking

    # What is told

    def light(self) -> dict[str, Any]:
        """Ring, lamp and buzzer."""
        shown = self.unit.show()
        return {"ring": front.leds(shown.ring), "lamp": shown.lamp, "buzzer": shown.buzzer}

    def display(self) -> dict[str, Any]:
        """The display's pixels and its words."""
        return {"path": front.path(self.unit.picture()), "words": self.unit.show().display}

    def desk(self) -> dict[str, Any]:
        """Power and what is around the unit; cards by name."""
        around = self.unit.surroundings()
        lying = set(around.pop("cards"))
        names = [card.name for card in self.cards.values() if lying and lying == set(card.uids)]
        return {**around, "cards": names or (["?"] if lying else []), "powered": self.unit.powered}

    def vitals(self) -> dict[str, Any]:
        """Boot number, memory, uptime, and whether the host's parts run."""
        return {
            "boot": self.flash.boot,
            "heap": self._heap,
            "heap_of": FIRMWARE_KIB * 1024,
            "since": int(self._since * 1000) if self.unit.powered else None,
            "reset": self._resets[-1] if self._resets else "power",
            "ended": self.host.ended() if self.host else [],
        }

    # What is followed

    def _take(self, event: dict[str, Any]) -> None:
        if "console" in event:
            self._say(str(event["console"]))
        elif "display" in event:
            self._tell("display", self.display())
        elif {"ring", "lamp", "buzzer"} & event.keys():
            self._tell("light", self.light())
        elif {"power", "reset"} & event.keys():
            self._switched(event)

    def _switched(self, event: dict[str, Any]) -> None:
        self._heap = None
        self._since = time.time()
        self.wires.begin()
        if event.get("power") == "cut":
            self._say("(the power is gone)")
        elif "reset" in event:
            self._resets = [str(event["reset"])]
            self._say(f"(reset: {event['reset']})")
        else:
            self._resets = ["power"]
            self._say("(the power is back)")
        for kind, data in (("desk", self.desk()), ("light", self.light())):
            self._tell(kind, data)
        self._tell("display", self.display())
        self._tell("vitals", self.vitals())

    def _say(self, line: str) -> None:
        entry = {"at": int(time.time() * 1000), "text": line[:400]}
        self._console.append(entry)
        del self._console[:-_LINES]
        self.stream.publish("console", {"all": False, "lines": [entry]})

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(_TICK_S)
            count += 1
            if rows := self.wires.fresh():
                found = [msgspec.to_builtins(row) for row in rows]
                self.stream.publish("wire", {"all": False, "rows": found})
            if count % 2 == 0 and self.flash.changed():
                self._lanes = await asyncio.to_thread(self.flash.lanes)
                self._tell("journal", self._lanes)
            self._tell("desk", self.desk())
            if count % _SLOW_TICKS == 0 and self.stream.pages:
                await self._measure()

    async def _measure(self) -> None:
        try:
            used, _ = await self.unit.heap()
            self._heap = max(0, used - self.unit.heap_at_start[0])
        except VmError:  # off, starting or busy: there is nothing to measure
            self._heap = None
        self._tell("vitals", self.vitals())

    def _tell(self, kind: str, data: Any) -> None:
        """Publish what differs from what was told before."""
        if self._told.get(kind) != data:
            self._told[kind] = data
            self.stream.publish(kind, data)
