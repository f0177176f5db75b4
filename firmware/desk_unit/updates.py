"""Updates, as the host offers them: loaded when there is one, gone again when that is over.

A piece is asked for only when nothing waits in either lane, so that no fact ever waits for an
update. What has come is on flash (`update/updater.py`); nothing is kept here.
"""

import asyncio
import gc
import json
import sys
from binascii import a2b_base64

from port import const, sleep_ms

from . import down
from .crash import condense

_ANSWER_S = const(10)
_PART = const(336)
_CHUNK = const(224)
_LOOK_MS = const(100)
_REFUSED_MS = const(10_000)
_STUCK_MS = const(60_000)
_TELL_WANTS = const(48)
_NOT_CONNECTED = const(107)
_MAX_BUNDLE = const(1 << 20)
_MESSAGE = const(120)


class Updates:
    """Takes offers, one after the other, and tells how far it is.

    Args:
        link: The unit's `Link`; its `updates` is this object for as long as there is work.
        lanes: (button lane, ordinary lane).
        hardware: Has `updates()`, which loads what an update needs of the board (see
            `board/update.py`), `starts`, `reset()` and `log(line)`.
        busy: Whether somebody at the desk is in the middle of something.
    """

    calm_ms = 3_000
    """How long nobody has to be busy before the unit starts again."""
    trial_ms = 5_000
    """How often a trial is looked at."""

    def __init__(self, link, lanes, hardware, busy) -> None:
        self._link = link
        self._lanes = lanes
        self._hardware = hardware
        self._busy = busy
        self._offer: "tuple | None" = None
        self._name = ""
        self._version = 0
        self._wants = 0
        self._wanted: "tuple | None" = None
        self._buffer = bytearray(2 * _PART)
        self._got = 0
        self._is_there = False
        self._came = asyncio.Event()
        self._task: "asyncio.Task | None" = None

    def follow(self) -> None:
        """Tell the host that the version that runs is on trial and how that ends, or went back."""
        self._begin(self._follow())

    def hear(self, word: str, payload: bytes) -> bool:
        """An offer or a piece; False if it can't be used. Never raises, whatever the bytes are."""
        return self._hear_piece(payload) if word == "down/piece" else self._hear_offer(payload)

    def _hear_offer(self, payload: bytes) -> bool:
        message = down.load(payload)
        if message is None:
            return False
        name, size = message.get("bundle"), message.get("size")
        again = message.get("again", False)
        if not _is_name(name) or type(size) is not int or type(again) is not bool:
            return False
        if not 1 <= size <= _MAX_BUNDLE:
            return False
        # The host repeats itself; of several bundles the last one counts.
        if name != self._name:
            self._offer = (name, size, again)
            if self._task is None:
                self._begin(self._take())
        return True

    def _hear_piece(self, payload: bytes) -> bool:
        # Most of the message is one long text. It is cut out before the rest is decoded, and
        # decoded in short runs: a heap with little room has no long ones.
        key = payload.find(b'"data"')
        begin = payload.find(b'"', key + 6) + 1
        end = payload.find(b'"', begin)
        if self._wanted is None or key < 0 or not 0 < begin < end:
            return False
        message = down.load(payload[:begin] + payload[end:])
        if message is None or message.get("data") != "":
            return False
        if (message.get("bundle"), message.get("offset")) != self._wanted[:2]:
            return False
        if not self._decode(memoryview(payload)[begin:end], self._wanted[2]):
            return False
        self._is_there = True
        self._came.set()
        return True

    def _decode(self, text: memoryview, size: int) -> bool:
        """Put what the base64 `text` stands for in its place; True if it is `size` bytes."""
        at = 0
        for start in range(0, len(text), _CHUNK):
            try:
                run = a2b_base64(bytes(text[start : start + _CHUNK]))
            except ValueError:
                return False
            if at + len(run) > size:
                return False
            self._buffer[self._got + at : self._got + at + len(run)] = run
            at += len(run)
        return at == size

    def _begin(self, work) -> None:
        self._task = asyncio.create_task(self._guard(work))

    async def _guard(self, work) -> None:
        """Whatever goes wrong with an update, the unit goes on, and the host is told."""
        try:
            await work
        except Exception as error:
            text = condense(error)
            self._hardware.log("update: given up: " + text)
            self._refused("fault", text)
        self._name = ""
        if self._offer:
            self._begin(self._take())
        else:
            self._end()

    async def _take(self) -> None:
        while self._offer:
            offer, self._offer = self._offer, None
            self._name = offer[0]
            self._wants = 0
            if await self._attempt(*offer):
                await self._restart()
            self._name = ""

    async def _attempt(self, name: str, size: int, again: bool) -> bool:
        """Fetch and install; True if the new version is to be started."""
        gc.collect()
        try:
            board = self._hardware.updates()
        except MemoryError:
            self._refused("memory", "not enough memory for the update at present")
            return False
        try:
            updater, self._version = board.updater(self._hardware, self._fetch)
            if await updater.run(name, size, again):
                self._say("installed", received=size)
                return True
        except board.Refused as refused:
            self._refused(refused.reason, refused.message)
            # Whoever repeats a bad offer for ever must not wear the flash out.
            await sleep_ms(_REFUSED_MS)
        return False

    async def _fetch(self, name: str, offset: int, size: int):
        """`size` bytes at `offset`, valid until the next call; None without an answer.

        Raises:
            OSError: The connection is lost.
        """
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        self._got = 0
        while self._got < size:
            part = min(_PART, size - self._got)
            if not await self._ask(name, offset + self._got, part):
                return None
            self._got += part
        return memoryview(self._buffer)[:size]

    async def _ask(self, name: str, offset: int, size: int) -> bool:
        while self._lanes_wait():
            await sleep_ms(_LOOK_MS)
        if self._wants % _TELL_WANTS == 0:
            self._say("fetching", received=offset)
        self._wants += 1
        self._is_there = False
        self._came.clear()
        self._wanted = (name, offset, size)
        want = {"bundle": name, "offset": offset, "size": size}
        self._link.say("want", json.dumps(want).encode())
        try:
            await asyncio.wait_for(self._came.wait(), _ANSWER_S)
        except asyncio.TimeoutError:
            pass
        self._wanted = None
        return self._is_there

    def _lanes_wait(self) -> bool:
        """Whether facts wait, other than for a host that has acknowledged none for a minute."""
        if not self._link.connected:
            raise OSError(_NOT_CONNECTED)
        for lane in self._lanes:  # noqa: SIM110
            if lane.waiting and lane.stuck_ms < _STUCK_MS:
                return True
        return False

    async def _restart(self) -> None:
        """Start the new version once no press waits and the desk has been calm for a while."""
        calm = 0
        while calm < self.calm_ms:
            calm = 0 if self._lanes[0].waiting or self._busy() else calm + _LOOK_MS
            await sleep_ms(_LOOK_MS)
        self._hardware.log("update: installed, the unit starts again")
        self._hardware.starts.end()
        self._hardware.reset()

    async def _follow(self) -> None:
        board = self._hardware.updates()
        standing, self._version = board.standing(self._hardware)
        if standing:
            self._say(standing)
        if standing != "trial":
            return
        while board.standing(self._hardware)[0] == "trial":
            await sleep_ms(self.trial_ms)
        self._say("healthy")

    def _refused(self, reason: str, message: str) -> None:
        self._say("refused", refused=reason, message=message[:_MESSAGE])

    def _say(self, step: str, **more) -> None:
        progress = {"version": self._version, "step": step}
        if self._name:
            progress["bundle"] = self._name
        progress.update(more)
        self._link.say("update", json.dumps(progress).encode(), True)

    def _end(self) -> None:
        """Nothing of all this stays in memory."""
        self._link.updates = None
        names = [name for name in sys.modules if name.split(".")[0] == "update"]
        for name in names + [__name__, "board.update"]:
            if name in sys.modules:
                del sys.modules[name]
        for package in ("desk_unit.updates", "board.update"):
            folder, name = package.split(".")
            if hasattr(sys.modules.get(folder), name):
                delattr(sys.modules[folder], name)


def _is_name(name) -> bool:
    return isinstance(name, str) and len(name) == 32 and not name.strip("0123456789abcdef")
