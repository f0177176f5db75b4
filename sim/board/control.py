"""The wire to the parent process: commands come in on stdin, outputs are reported on stdout."""

import asyncio
import gc
import json
import sys

import circuit
import parts
import sensors

_QUIET_MS = 15


def obey(command):  # noqa: C901 (a branch for each command)
    """Carry out one command; what is to be added to the reply, as JSON text, or None."""
    if "put" in command:
        parts.put(command["put"])
    elif "take" in command:
        parts.take(command["take"])
    elif "press" in command:
        if not parts.press(command["press"]):
            raise ValueError("somebody is at the button already")
    elif "button" in command:
        parts.finger(command["button"] == "down")
    elif "radar" in command:
        sensors.person(*command["radar"])
    elif "motion" in command:
        sensors.motion(command["motion"])
    elif "seat" in command:
        sensors.seat(command["seat"])
    elif "fault" in command:
        _break(*command["fault"])
    elif "pin" in command:
        circuit.drive(*command["pin"])
    elif "air" in command:
        _switch_air(command["air"])
    elif "heap" in command:
        gc.collect()
        return '"heap":[%d,%d]' % (gc.mem_alloc(), gc.mem_free())
    return None


def _break(chip, kind, after=0):
    if chip == "flash":
        from esp32 import Partition

        Partition.budget = after if kind == "cut" else None
        Partition.cut = _fail
        if kind == "rotten":
            Partition.rot()
        elif kind != "cut":
            Partition.worn, Partition.dead = kind == "worn", kind == "dead"
            Partition.small = kind == "small"
    else:
        parts.fault(chip, kind)


def _fail():
    """The power fails in the middle of programming: nothing runs from here on."""
    circuit.tell('{"reset":"cut"}')
    sys.stdin.read()


def _switch_air(present):
    circuit.air_present = present
    network = sys.modules.get("network")
    if network:
        network.air(present)


def report():
    """Say which outputs have changed."""
    for name in list(circuit.outputs):
        circuit.tell('{"%s":%s}' % (name, circuit.outputs.pop(name)))


async def keep_reporting():
    """Report changes soon after they came, several at once."""
    while True:
        await circuit.changed.wait()
        await asyncio.sleep_ms(_QUIET_MS)
        circuit.changed.clear()
        report()


_stdin = asyncio.StreamReader(sys.stdin.buffer)  # made before the firmware may use up the memory


async def listen():
    """Carry out commands until the parent closes the wire, which ends this machine.

    Whatever goes wrong in here ends it too: a machine that nobody can reach must not live on.
    """
    try:
        while True:
            line = await _stdin.readline()
            if not line:
                break
            answer(line)
    except Exception as error:
        sys.print_exception(error)
    raise SystemExit


def answer(line):
    """Carry out one line and reply; a failure is told and changes nothing."""
    command = json.loads(line)
    try:
        more = obey(command)
    except Exception as error:
        circuit.tell('{"id":%d,"error":%s}' % (command["id"], json.dumps(str(error))))
        return
    report()
    circuit.tell('{"id":%d%s}' % (command["id"], "," + more if more else ""))


class Flag:
    """Takes the place of `asyncio.ThreadSafeFlag`.

    Interrupts come from this very loop here, so an event does; the original is polled a thousand
    times a second on this port.
    """

    def __init__(self):
        self._event = asyncio.Event()

    def set(self):
        """Wake whoever waits."""
        self._event.set()

    def clear(self):
        """Forget that it was set."""
        self._event.clear()

    async def wait(self):
        """Wait until set, and clear it."""
        await self._event.wait()
        self._event.clear()


asyncio.ThreadSafeFlag = Flag
