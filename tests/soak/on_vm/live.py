"""A unit's busy day in virtual time, on the VM: `live.py FIRMWARE SOC HOURS READER PRESENCE`.

Runs the real firmware on the register-level chip models, with broker and host in `peer.py`. Prints
`share N` (bytes of heap that the simulator takes before the firmware begins), each hour
`hour H used N free N facts N` after a collection, and at the end `done` with the day's figures.
Behind `share` and each `hour` comes MicroPython's own `qstr pool: n_pool=N, n_qstr=N, ...`: how
many names there are, in how many tables. A unit that resets itself, or that leaves its watchdog
hungry, ends the day.
"""

import gc
import sys

_FIRMWARE, _SOC, _HOURS = sys.argv[1], sys.argv[2], int(sys.argv[3])
_READER, _PRESENCE = sys.argv[4], sys.argv[5].split(",")
_ROOT = sys.argv[0].rsplit("/", 4)[0]
_OURS = [_ROOT + "/tests/soak/on_vm", _ROOT + "/sim/virtual/on_vm", _ROOT + "/sim/board"]
sys.path[:] = _OURS + [_FIRMWARE, _ROOT, ".frozen"]

import jump  # noqa: F401, E402 (before anything has begun to wait)
import asyncio  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

import micropython  # noqa: E402
import vfs  # noqa: E402
from peer import Peer  # noqa: E402

_PATIENCE_MS = 60_000
_TAGS = ("04a1b2c3", "04a1b2c3d4e5f6", "0badcafe", "04112233445566", "04f00dd00d1234")
_CONFIG = (
    '{"site":"soak","unit":"a1","site_key":"000102030405060708090a0b0c0d0e0f",'
    '"wifi":{"ssid":"sim"},"broker":{"host":"127.0.0.1","port":1883},'
    '"reader":"%s","presence":["%s"]}' % (_READER, '","'.join(_PRESENCE))
)


def mount():
    """The chip's own files at /soc; the configuration where the unit looks for it."""
    with open(_SOC + "/config.json", "w") as file:
        file.write(_CONFIG)
    os.chdir(_SOC)
    inner = vfs.VfsPosix(_SOC)
    vfs.mount(inner, "/soc")


def prepare():
    """Parts, peer, and every module of the simulator that the firmware would load later."""
    import circuit

    circuit.tell = told
    import control
    import esp32
    import machine
    import network
    import parts

    for name in ("Pin", "PWM", "SPI", "I2C", "UART", "WDT", "RTC", "bitstream", "reset_cause"):
        getattr(machine, name)
    parts.solder(_READER, _PRESENCE)
    peer = Peer()
    asyncio.open_connection = peer.connect
    return control, peer, (esp32, network)


_fed = time.ticks_ms()
"""When the watchdog was last fed; it says so every 7.5 s."""


def told(text):
    """What the simulated board says; only the watchdog and a reset matter."""
    global _fed
    if '"fed"' in text:
        _fed = time.ticks_ms()
    elif '"reset"' in text:
        print("the unit has reset itself:", text)
        raise SystemExit(1)


def look():
    """Do what the watchdog would have done."""
    if time.ticks_diff(time.ticks_ms(), _fed) > _PATIENCE_MS:
        print("the watchdog would have reset the unit")
        raise SystemExit(1)


class Day:
    """What happens to the unit."""

    def __init__(self, control, peer):
        self._do = control.obey
        self._peer = peer
        self.taps = self.presses = self.losses = 0

    async def run(self):
        """Every hour is as busy as the others, so that a leak shows as growth."""
        for hour in range(_HOURS):
            for minute in range(60):
                await self.minute(hour, minute)
                look()
            report(hour + 1, self._peer)
        await asyncio.sleep(120)
        print(
            "done taps %d presses %d losses %d connections %d states %d stored %d"
            % (
                self.taps,
                self.presses,
                self.losses,
                self._peer.connections,
                self._peer.states,
                self._peer.facts,
            )
        )
        raise SystemExit(0)

    async def minute(self, hour, minute):
        """One minute of it."""
        peer = self._peer
        if minute % 5 == 0:
            await self.tap(_TAGS[(hour * 60 + minute) // 5 % len(_TAGS)])
        if minute % 10 == 2:
            self._do({"radar": [("none", "moving", "still")[minute // 10 % 3], 70]})
        if minute % 12 == 3:
            await self.press(2_500 if hour % 3 == 0 and minute == 3 else 120)
        if minute % 7 == 1:
            peer.guide(("free", "dirty", "blocked", "taken")[minute % 4])
        if minute == 20:
            self.losses += 1
            peer.silent = True
            self._do({"air": False})
        elif minute == 26:
            peer.silent = False
            peer.hang_up()
            self._do({"air": True})
        elif minute == 33:
            self.losses += 1
            peer.hang_up()
        elif minute == 40:
            peer.stalled = True
        elif minute == 46:
            peer.stalled = False
        elif minute == 48:
            for junk in (b"", b"{}", b"[" * 40, b"\xff\x00", b'{"boot":999,"lane":7}'):
                for word in ("ack", "verdict", "guidance", "restart", "nonsense"):
                    peer.send(word, junk)
        elif minute in (50, 54):
            self._do({"fault": [_READER, "missing" if minute == 50 else "none"]})
            self._do({"fault": ["ssd1306", "missing" if minute == 50 else "none"]})
        await asyncio.sleep(60 - (2 if minute % 5 == 0 else 0) - (5 if minute % 12 == 3 else 0))

    async def tap(self, uid):
        """Hold a card to the reader for 400 ms."""
        self.taps += 1
        self._do({"put": uid})
        await asyncio.sleep_ms(400)
        self._do({"take": uid})
        await asyncio.sleep_ms(1_600)

    async def press(self, ms):
        """Press the button."""
        self.presses += 1
        self._do({"press": ms})
        await asyncio.sleep(5)


def report(hour, peer):
    """The heap after a collection."""
    gc.collect()
    print("hour %d used %d free %d facts %d" % (hour, gc.mem_alloc(), gc.mem_free(), peer.facts))
    micropython.qstr_info()


mount()
control, peer, loaded = prepare()
day = Day(control, peer)
gc.collect()
print("share %d" % gc.mem_alloc())
micropython.qstr_info()
if _HOURS:
    asyncio.create_task(day.run())
    with open(_FIRMWARE + "/main.py") as file:
        code = file.read()
    if "a.bundle" in os.listdir():  # what was built is in this folder, as in a unit's root
        sys.path[sys.path.index(_FIRMWARE)] = ""
    exec(code, {"__name__": "__main__"})
