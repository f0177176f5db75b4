"""Safe mode, after five starts that failed: the link, what waits in flash, the button, updates.

The unit sends what its journals hold, says "safe" in its state and on its display, and hears the
host: it takes an update, which is the way out. A press is recorded, sent and shown as ever, by
modules of its own; reader and seat are not heard. It tries its whole program again every ten
minutes, or when the host says so.

Button, ring and display are each loaded by themselves, and what they raise is only logged. If one
of them keeps safe mode from lasting a minute, the next start leaves it out (see `starts.py`).
"""

import asyncio
import gc
import json

from port import const, sleep_ms

from . import VERSION
from .clock import Uptime, WallClock
from .crash import condense
from .link import Link
from .memory import Memory
from .starts import GOOD_MS, RETRY_MS
from .watch import Watch
from .wires import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .button import ButtonSense

_LOOK_MS = const(250)
_LINK_MS = const(120_000)
_COLLECT_LOOKS = const(40)
_AGAIN_MS = const(1_000)
_PROGRESS_MS = const(10_000)
_PROGRESS = ("pressed", "sent", "stored")
_NO_LINK = const(1)


class SafeUnit:
    """A unit in safe mode.

    Args:
        config: Its `Config`.
        hardware: As for `unit.Unit`, without chips. `contact()` makes the button's contact and
            may raise; `show(word, marks, now)` shows a word on whatever works.
    """

    def __init__(self, config, hardware) -> None:
        self._config = config
        self._hardware = hardware
        self._uptime = Uptime()
        self._wall = WallClock(self._uptime)
        self._watch = Watch(hardware.feed, hardware.starts.crashed)
        self._memory = Memory(config, hardware.flashes, hardware.nvs, self._uptime, self._wall)
        self._memory.begin(hardware)
        self._starts = hardware.starts
        self._button: "ButtonSense | None" = None
        self._press_seq = 0
        self._progress = 0
        self._progress_until = 0
        self._link = Link(
            config,
            (self._memory.button, self._memory.ordinary),
            wire=wire(config, hardware),
            uptime=self._uptime,
            random=hardware.random,
            listener=self,
            log=hardware.log,
            beat=lambda: self._watch.beat("link"),
        )

    async def run(self) -> None:
        """Keep the link until the next try."""
        self._watch.expect("link", _LINK_MS)
        task = asyncio.create_task(self._link.run())
        if self._starts.hears:
            asyncio.create_task(self._hear())  # noqa: RUF006 (MicroPython's loop holds on to it)
        if self._starts.tells:
            self._link.open_updates(True)
        looks = 0
        good = False
        while self._uptime.now() < RETRY_MS or self._busy():
            self._watch.look()
            if not good and self._uptime.now() >= GOOD_MS:
                good = True
                self._starts.good()
            self._show()
            for lane in (self._memory.button, self._memory.ordinary):
                if not self._pressing():
                    lane.tidy()
            if looks % _COLLECT_LOOKS == 0:
                gc.collect()
            looks += 1
            if task.done():
                raise RuntimeError("the link's task ended")
            await sleep_ms(_LOOK_MS)
        self._starts.retry()
        self._hardware.reset()

    # The button, on its own: whatever fails here, the link goes on

    async def _hear(self) -> None:
        while True:
            try:
                from .button import ButtonSense

                self._button = ButtonSense(self._hardware.contact(), self._pressed)
                self._link.touch()
                guard = asyncio.create_task(self._button.guard(lambda _: None))
                try:
                    await self._button.run()
                finally:
                    guard.cancel()
            except Exception as error:
                self._button = None
                self._link.touch()
                self._hardware.log("safe mode: the button is off: " + condense(error))
            await sleep_ms(_AGAIN_MS)

    def _pressed(self, event: str, began: int) -> None:
        from .button import record

        self._press_seq = record(self._memory.facts, event, began, False)
        self._progress = 0
        self._progress_until = self._uptime.now() + _PROGRESS_MS
        self._show()

    def _pressing(self) -> bool:
        return self._button is not None and self._button.active

    def _busy(self) -> bool:
        return self._pressing() or self._uptime.now() < self._progress_until

    def _show(self) -> None:
        if not self._starts.shows:
            return
        word = "safe" if self._button else "deaf"
        now = self._uptime.now()
        if now < self._progress_until:
            word = _PROGRESS[self._progress]
        self._hardware.show(word, _NO_LINK if self._link.unprotected else 0, now)

    # What the link tells (see `Link`)

    def state(self) -> bytes:
        """The retained state, as JSON."""
        faults: dict[str, str] = {
            "safe-mode": "%d starts failed; the button is %s"
            % (self._starts.failed, "on" if self._button else "off")
        }
        self._memory.faults(faults)
        return json.dumps(
            {
                "unit": self._config.unit,
                "online": True,
                "boot": self._memory.boot,
                "firmware": VERSION,
                "mode": "safe",
                "up": self._uptime.now(),
                "faults": faults,
                "waiting": self._memory.waiting(),
            }
        ).encode()

    def heard(self, time: int) -> None:
        """The host's clock."""
        self._wall.learn(time)

    def restart(self, boot: int) -> None:
        """The host wants the whole program tried again."""
        self._memory.restart(boot, self._hardware)

    def sent(self, lane: str, boot: int, seq: int) -> None:
        """The broker has the facts of `lane` up to (boot, seq)."""
        self._advance(1, lane, boot, seq)

    def stored(self, lane: str, boot: int, seq: int) -> None:
        """The host has them."""
        self._advance(2, lane, boot, seq)

    def _advance(self, progress: int, lane: str, boot: int, seq: int) -> None:
        if lane == "button" and (boot, seq) >= (self._memory.boot, self._press_seq):
            self._progress = max(self._progress, progress)

    def offered(self):
        """What takes an update; its code is loaded now."""
        from .updates import Updates

        lanes = (self._memory.button, self._memory.ordinary)
        return Updates(self._link, lanes, self._hardware, self._busy)

    def verdict(self, boot: int, seq: int, word: str) -> None:
        """Nobody has tapped in safe mode."""

    def guidance(self, word: str) -> None:
        """The display says something more important."""

    def told(self, word: str, payload: bytes) -> bool:  # noqa: ARG002
        """Modes, incidents and enrolments are for the whole program; nothing is wrong with them."""
        return True
