"""The simulated board in virtual time: `sim/board/start.py` with another clock and another wire."""

import sys

_ROOT = sys.argv[0].rsplit("/", 4)[0]
sys.path[:] = [_ROOT + "/sim/virtual/on_vm", _ROOT + "/sim/board", ".frozen"]

import time  # noqa: E402 (ours, before anything else asks for it)

import wire  # noqa: E402
import air  # noqa: E402
import asyncio  # noqa: E402
import random  # noqa: E402

import start  # noqa: E402

_NOP = '{"i2c":"00e3"}'  # asked every other second: is the display still there?
idle = None
"""What leaves out what changes nothing (`idle.py`), if that is wanted."""


def obey(what):
    """One input."""
    if idle:
        idle.told(what)
    if "calm" in what or "broker" in what:
        return
    if "air_in" in what:
        air.hear(*what["air_in"])
    else:
        import control

        try:
            control.obey(what)
        except Exception as error:  # noqa: BLE001 (told, and changes nothing)
            wire.tell('{"refused":%s}' % wire.json.dumps(str(error)))
            return
        if "heap" in what:
            wire.tell("{%s}" % control.obey(what))


def run():
    """Everything, until the conductor ends this process."""
    global idle
    words = wire.first_words()
    time.begin(words["at"], words["unix"])
    random.seed(words["seed"])
    if words["drift"]:
        import drift

        drift.install(words["drift"])
    air.round_trip_us = words["round_trip"]
    program = start.mount(words)
    sys.path.append("/sources/sim/virtual/on_vm")
    import circuit

    circuit.tell = lambda text: None if text == _NOP else wire.tell(text)
    circuit.put_out = lambda name, text: wire.tell('{"%s":%s}' % (name, text))
    wire.obey = obey
    asyncio.open_connection = air.open_connection
    start.connect(words)
    if words["idle"]:
        import idle as leaving_out

        idle = leaving_out
        idle.install(words["broker"], not words["drift"])
    start.run(circuit, program)


run()
