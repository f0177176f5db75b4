"""Safe mode: the link and what waits in flash, nothing else, after five starts that failed.

The unit sends what its journals hold, says "safe" in its state and on its display, and hears the
host. It tries its whole program again every ten minutes, or when the host says so. The button, the
reader and the seat are not heard meanwhile, and the display says that the button is off.
"""

import asyncio
import gc
import json

from port import const, sleep_ms

from . import VERSION
from .clock import Uptime, WallClock
from .link import Link
from .memory import Memory
from .starts import RETRY_MS
from .watch import Watch
from .wires import wire

_LOOK_MS = const(1_000)
_LINK_MS = const(120_000)
_COLLECT_LOOKS = const(10)


class SafeUnit:
    """A unit in safe mode.

    Args:
        config: Its `Config`.
        hardware: As for `unit.Unit`, without chips; `show()` says "safe mode" on whatever works.
    """

    def __init__(self, config, hardware) -> None:
        self._config = config
        self._hardware = hardware
        self._uptime = Uptime()
        self._wall = WallClock(self._uptime)
        self._watch = Watch(hardware.feed, hardware.starts.crashed)
        self._memory = Memory(config, hardware.flashes, hardware.nvs, self._uptime, self._wall)
        self._memory.begin(hardware)
        self._failed = hardware.starts.failed
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
        self._hardware.show()
        looks = 0
        while self._uptime.now() < RETRY_MS:
            self._watch.look()
            for lane in (self._memory.button, self._memory.ordinary):
                lane.tidy()
            if looks % _COLLECT_LOOKS == 0:
                gc.collect()
            looks += 1
            if task.done():
                raise RuntimeError("the link's task ended")
            await sleep_ms(_LOOK_MS)
        self._hardware.starts.retry()
        self._hardware.reset()

    # What the link tells (see `Link`)

    def state(self) -> bytes:
        """The retained state, as JSON."""
        faults: dict[str, str] = {"safe-mode": "%d starts failed; the button is off" % self._failed}
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
        """Nothing shows it in safe mode."""

    stored = sent

    def verdict(self, boot: int, seq: int, word: str) -> None:
        """Nobody has tapped in safe mode."""

    def guidance(self, word: str) -> None:
        """The display says something more important."""

    def told(self, word: str, payload: bytes) -> bool:  # noqa: ARG002
        """Modes, incidents and enrolments are for the whole program; nothing is wrong with them."""
        return True
