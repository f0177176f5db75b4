"""From touch to click on a busy unit, in virtual time that work is charged to.

`press.py FIRMWARE SOC PRESSES SEED`: the real firmware on the register-level chip models, with
broker and host in `peer.py`, a backlog, cards, radar reports and a display that changes all the
time. A finger presses at random times, and while whatever holds the program up does so.

Prints for each press `press LATENCY_US DURING`, with `erase` for DURING if flash was erased between
touch and click, else what was going on when it began; then `facts N` (presses that the host has).
"""

import sys

_FIRMWARE, _SOC, _PRESSES, _SEED = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
_ROOT = sys.argv[0].rsplit("/", 4)[0]
_OURS = [_ROOT + "/tests/soak/on_vm", _ROOT + "/sim/virtual/on_vm", _ROOT + "/sim/board"]
sys.path[:] = _OURS + [_FIRMWARE, _ROOT, ".frozen"]

import jump  # noqa: F401, E402 (before anything has begun to wait)
import asyncio  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import time  # noqa: E402
from asyncio import core  # noqa: E402

import costs  # noqa: E402
import vfs  # noqa: E402
from peer import Peer  # noqa: E402

from sim.chips.button import Button  # noqa: E402

_CONFIG = (
    '{"site":"soak","unit":"a1","site_key":"000102030405060708090a0b0c0d0e0f",'
    '"wifi":{"ssid":"sim"},"broker":{"host":"127.0.0.1","port":1883}}'
)
_TAGS = ("04a1b2c3", "04a1b2c3d4e5f6", "0badcafe")
_WORDS = ("free", "dirty", "conflict", "reserved", "full")
_WARM_US = 5_000_000
_REST_US = 150_000  # between two presses: the contact is at rest for 30 ms and more
_ERASES = ("flash erase", "file")


class Flag:
    """`asyncio.ThreadSafeFlag` as the chip wakes from it: behind all tasks that are overdue."""

    def __init__(self):
        self._event = asyncio.Event()

    def set(self):
        self._event.set()

    def clear(self):
        self._event.clear()

    async def wait(self):
        await self._event.wait()
        self._event.clear()
        await asyncio.sleep_ms(0)


class Finger:
    """Presses the button while others work; an interrupt waits until the program goes on."""

    def __init__(self, circuit, gpio):
        self._circuit = circuit
        self._gpio = gpio
        self._edges = []
        self._begins = 0
        self._rests_until = time.ticks_us() + _WARM_US
        self._during = ""
        self.made = 0
        circuit.levels[gpio] = 1

    def plan(self, at, during):
        """Press at `at`, unless the last press is hardly over."""
        if self.made >= _PRESSES or self._edges or at < self._rests_until:
            return
        self.made += 1
        button = Button(seed=random.getrandbits(24))
        lasts = random.randint(60_000, 250_000)
        button.press(at, lasts)
        self._edges = button.edges()
        self._begins, self._during = at, during
        self._rests_until = at + lasts + _REST_US

    def interrupt(self, what, since, until):
        """Time has passed from `since` to `until`: does a press begin within, do edges fall?"""
        if self._during != "felt" and what in _ERASES and self._edges and until > self._begins:
            self._during = "erase"
        if what and random.getrandbits(6) < (64 if until - since > 5_000 else 2):
            self.plan(since + random.randint(0, until - since), what)
            if self._edges and what in _ERASES:
                self._during = "erase"
        while self._edges and self._edges[0][0] <= until:
            level = self._edges.pop(0)[1]
            self._circuit.levels[self._gpio] = level
            handler = self._circuit.handlers.get(self._gpio)
            if handler and not level:
                handler[0](handler[2])

    def felt(self):
        """Ring and click are there."""
        print("press %d %s" % (time.ticks_us() - self._begins, self._during))
        self._during = "felt"


def mount():
    """The chip's own files at /soc; the configuration where the unit looks for it."""
    with open(_SOC + "/config.json", "w") as file:
        file.write(_CONFIG)
    os.chdir(_SOC)
    vfs.mount(vfs.VfsPosix(_SOC), "/soc")


def prepare():
    """Parts and peer; costs; a finger."""
    import circuit

    circuit.tell = lambda _: None
    import control
    import parts
    import wiring

    parts.solder()
    costs.of_buses()
    costs.of_firmware()
    asyncio.ThreadSafeFlag = Flag
    peer = Peer()
    asyncio.open_connection = peer.connect
    finger = Finger(circuit, wiring.BUTTON)
    costs.interrupts.append(finger.interrupt)
    watch(circuit, wiring, finger)
    waits = core.IOQueue.wait_io_event

    def wait(queue, dt):
        before = time.ticks_us()
        waits(queue, dt)
        # Nothing was held up while there was nothing to do: no name.
        finger.interrupt("", before, time.ticks_us())
        costs.charge(costs.PASS)

    core.IOQueue.wait_io_event = wait
    return control, peer, finger


def watch(circuit, wiring, finger):
    """Felt is a press when ring, buzzer and lamp have been told, all three."""
    from desk_unit import panel

    told = set()
    for name, table, gpio in (
        ("ring", circuit.strips, wiring.RING_DATA),
        ("buzzer", circuit.hears, wiring.BUZZER),
    ):
        inner = table[gpio]
        table[gpio] = lambda data, name=name, inner=inner: (told.add(name), inner(data))
    press = panel.Panel.press

    def pressed(self, boot, seq, now):
        told.clear()
        # The same word twice would change nothing: begin from another.
        self._ring._shown = None
        press(self, boot, seq, now)
        if told != {"ring", "buzzer"}:
            print("silent %s" % told)
        finger.felt()

    panel.Panel.press = pressed


class Life:
    """Everything at once."""

    def __init__(self, control, peer, finger):
        self._do = control.obey
        self._peer = peer
        self._finger = finger

    async def run(self):
        """Until the finger is tired."""
        asyncio.create_task(self.facts())
        step = 0
        while self._finger.made < _PRESSES:
            step += 1
            self._do({"radar": [("moving", "still")[step % 2], 50 + step % 100]})
            self._peer.guide(_WORDS[step % len(_WORDS)])
            tag = _TAGS[step % len(_TAGS)]
            self._do({"put": tag})
            await asyncio.sleep_ms(300 + random.getrandbits(8))
            self._do({"take": tag})
            await asyncio.sleep_ms(400)
        await asyncio.sleep(30)
        print("facts %d" % self._peer.presses)
        raise SystemExit(0)

    async def facts(self):
        """A backlog that never ends."""
        from desk_unit.facts import Facts

        made = []
        inner = Facts.boot
        Facts.boot = lambda self, *args: (made.append(self), inner(self, *args))[1]
        while not made:
            await asyncio.sleep_ms(10)
        while True:
            for _ in range(3):
                made[0].seat(True)
            await asyncio.sleep_ms(100)


random.seed(_SEED)
mount()
control, peer, finger = prepare()
asyncio.create_task(Life(control, peer, finger).run())
with open(_FIRMWARE + "/main.py") as file:
    code = file.read()
exec(code, {"__name__": "__main__"})
