"""The parts on the board: chip models on the pins of `wiring`, and what the world does to them.

The display, the ring and the buzzer are only written to, so what they were sent goes to the parent
process, which knows what it looks like; that leaves this machine's memory to the firmware.
"""

import asyncio
import time
from binascii import hexlify, unhexlify

import circuit
import sensors
import wiring

from sim.chips.button import Button
from sim.chips.iso14443 import Card

_DISPLAY = 0x3C
_RFID_FAULTS = {
    "missing": "low",
    "stuck00": "low",
    "stuckff": "high",
    "noise": "noise",
    "truncated": "truncated",
    "hung": "stuck",
}

_rfid = None
_cards = {}
_finger = False
_let_go = asyncio.Event()
_presses = 0
_busy = False
_HOLD_MS, _TOUCH_MS = 3_600_000, 50
_REST_TURNS, _TURN_MS = 8, 5


def solder(reader="mfrc522", presence=("ld2410",)):
    """Connect everything; of readers and presence sensors only these models are loaded."""
    global _rfid
    _rfid = _reader(reader)(time.ticks_us)
    circuit.spi[wiring.RFID_CS] = _rfid
    circuit.hears[wiring.RFID_CS] = _select
    circuit.hears[wiring.RFID_RST] = _rfid.rst
    circuit.levels[wiring.RFID_IRQ] = _rfid.irq
    circuit.levels[wiring.BUTTON] = 1  # the board's pull-up
    sensors.solder(presence)
    circuit.i2c[_DISPLAY] = _show
    circuit.strips[wiring.RING_DATA] = _shine
    circuit.hears[wiring.BUTTON_LAMP] = _lamp
    circuit.hears[wiring.BUZZER] = _buzz


def _reader(name):
    if name == "pn532":
        from sim.chips.pn532 import PN532Model

        return PN532Model
    from sim.chips.mfrc522 import MFRC522Model

    return MFRC522Model


def _select(level):
    _rfid.cs(level)
    if level:
        circuit.selected.discard(wiring.RFID_CS)
    else:
        circuit.selected.add(wiring.RFID_CS)


def _show(data):
    circuit.tell('{"i2c":"%s"}' % hexlify(data).decode())


def _shine(data):
    circuit.put_out("ring", '"%s"' % hexlify(data).decode())


def _lamp(level):
    """A level, or PWM's duty: 0 to 255 of brightness."""
    bright = level[1] >> 8 if isinstance(level, tuple) else 255 * level
    circuit.put_out("lamp", "%d" % bright)


def _buzz(tone):
    circuit.put_out("buzzer", "%d" % (tone[0] if isinstance(tone, tuple) else 0))


def put(uid):
    """Lay a card on the reader: its UID in hexadecimal."""
    if uid not in _cards:
        _cards[uid] = Card(unhexlify(uid))
        _rfid.field.put(_cards[uid])


def take(uid):
    """Take it away."""
    card = _cards.pop(uid, None)
    if card:
        _rfid.field.take(card)


def reader_works():
    """Whether the reader has no fault."""
    return not _rfid.fault


def fault(chip, kind):
    """Break a chip, or with "none" mend it."""
    if chip in ("mfrc522", "pn532"):
        _rfid.fault = _RFID_FAULTS.get(kind)
    elif sensors.fault(chip, kind):
        pass
    elif kind == "none":
        circuit.i2c[_DISPLAY] = _show
    else:
        circuit.i2c.pop(_DISPLAY, None)


def press(ms):
    """Press the button for so long; its contact bounces. False while a finger is on it.

    While the machine stands still two presses may come at once: the second waits for the first.
    """
    if _finger or _presses == 2:
        return False
    _begin(ms)
    return True


def finger(down):
    """Put a finger on the button until it is taken away; doing either twice changes nothing."""
    global _finger
    if down and not _finger:
        _begin(_HOLD_MS)
    elif _finger and not down:
        _let_go.set()
    _finger = down


def _begin(ms):
    global _presses
    _presses += 1
    asyncio.create_task(_press(ms))  # noqa: RUF006 (MicroPython holds on to its tasks)


async def _press(ms):
    global _presses, _busy
    # No `asyncio.Lock`: loaded here, it would not be counted among what the firmware needs.
    while _busy:
        await asyncio.sleep_ms(_TURN_MS)
    _busy = True
    _let_go.clear()
    await _contact(ms if ms < _HOLD_MS or _finger else _TOUCH_MS)
    # No finger is faster. While the machine stands still time passes and the program does not run:
    # it must have seen the contact open before the next press, as it would on a chip.
    for _ in range(_REST_TURNS):
        await asyncio.sleep_ms(_TURN_MS)
    _busy = False
    _presses -= 1


async def _contact(ms):
    button = Button(seed=time.ticks_us())
    button.press(0, ms * 1000)
    start = time.ticks_us()
    edges = button.edges()
    rest, level_at_rest = edges[-1]
    for due, level in edges:
        wait = due - time.ticks_diff(time.ticks_us(), start)
        if wait >= 1000 and await _lets_go(wait // 1000):
            start = time.ticks_add(time.ticks_us(), -due)  # the contact opens now
        if due > ms * 1000 and time.ticks_diff(time.ticks_us(), start) > rest:
            # The machine stood still while the contact bounced to rest. On a chip that would be
            # over before the program goes on; here it would look like another press.
            circuit.drive(wiring.BUTTON, level_at_rest)
            return
        circuit.drive(wiring.BUTTON, level)


async def _lets_go(ms):
    """Wait so long; True, and at once, when the finger is taken away meanwhile."""
    try:
        await asyncio.wait_for_ms(_let_go.wait(), ms)
    except asyncio.TimeoutError:
        return False
    _let_go.clear()
    return True
