"""The simulated ESP32's boot: mounts its flash, connects its parts, runs the firmware's main.py.

Run by the MicroPython VM in the folder of sources (`sim/`, `firmware/`). The parent process
writes one line of JSON first: `files` and `soc` (folders of the unit's file system and of what
the chip keeps), `firmware` (folder), `config` (None, or the configuration for a file system within
the chip's flash, see `copied.py`), `name`, `cause` (of the reset), `air`, `world` (commands that
put the outside into the state it is in), `parts` (reader, presence sensors), `taps` (whether to
tell what passes on the wires), `doze` (whether rounds that see nothing new are left out), `wrap`
(after how many milliseconds ticks begin again at 0, None for never).
"""

import asyncio
import gc
import json
import os
import sys

import vfs

_BOARD = "/sources/sim/board"


class Files(vfs.VfsPosix):
    """A folder of the host. VfsPosix with a root confuses the two paths of a rename."""

    _whole = vfs.VfsPosix()

    def __init__(self, root):
        super().__init__(root)
        self._root = root + "/"

    def rename(self, old, new):
        """Rename, replacing what was there, in one step."""
        self._whole.rename(self._root + old.lstrip("/"), self._root + new.lstrip("/"))


def mount(words):
    """The unit sees its own files only: its file system at /, the sources read-only.

    Returns where its main.py is.
    """
    os.chdir("/")
    files = Files(words["files"])
    soc = Files(words["soc"])
    firmware = vfs.VfsPosix(words["firmware"])
    sources = vfs.VfsPosix(words["sources"])
    vfs.umount("/")
    vfs.mount(soc, "/soc")
    vfs.mount(firmware, "/firmware", readonly=True)
    vfs.mount(sources, "/sources", readonly=True)
    sys.path[:] = [_BOARD, "/firmware", "/sources", ".frozen"]
    main = "/firmware/main.py"
    if words.get("config") is not None:
        import copied

        files = copied.files()
        sys.path[1] = ""
        main = "/main.py"
    vfs.mount(files, "/")
    os.chdir("/")
    if words.get("config") is not None:
        copied.provision(words["config"])
        del sys.modules["copied"]
    return main


def connect(words):
    """Parts and world, before the firmware."""
    import circuit

    circuit.name = words["name"]
    circuit.cause = words["cause"]
    circuit.air_present = words["air"]
    import control
    import parts

    parts.solder(**words.get("parts", {}))
    if words["taps"]:
        import taps

        taps.insert()
    for command in words["world"]:
        control.obey(command)
    if words.get("wrap") is not None:
        import ticks

        ticks.install(words["wrap"])
    if words.get("doze"):
        import doze

        doze.install()
    return circuit


def listen():
    """Commands come in and outputs are reported while the firmware runs."""
    import control

    # MicroPython's loop holds on to its tasks.
    asyncio.create_task(control.listen())  # noqa: RUF006
    asyncio.create_task(control.keep_reporting())  # noqa: RUF006


def load_parts():
    """Everything that a desk unit uses, so that `ready` tells the simulator's whole share."""
    import esp32  # noqa: F401 (loaded, so that it counts)
    import machine
    import network  # noqa: F401

    for name in ("Pin", "PWM", "SPI", "I2C", "UART", "WDT", "RTC", "bitstream"):
        getattr(machine, name)


def run(circuit, main):
    """The firmware, until it ends; then nothing but the watchdog can help, as on the chip."""
    load_parts()
    gc.collect()
    circuit.tell('{"ready":[%d,%d]}' % (gc.mem_alloc(), gc.mem_free()))
    try:
        with open(main) as file:
            code = file.read()
        exec(code, {"__name__": "__main__"})  # noqa: S102 (as the chip does after a reset)
        why = "main.py came to its end"
    except Exception as error:
        sys.print_exception(error)
        why = repr(error)
    circuit.tell('{"ended":%s}' % json.dumps(why))
    asyncio.get_event_loop().run_forever()


def main():
    """From the first line of the parent to the end."""
    words = json.loads(sys.stdin.readline())
    program = mount(words)
    circuit = connect(words)
    listen()
    run(circuit, program)


if __name__ == "__main__":  # in virtual time others begin (sim/virtual/on_vm/main.py)
    main()
