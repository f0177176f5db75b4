"""A simulated ESP32 board behind a serial port, for the real esptool and the real mpremote.

The port is a pseudo-terminal. Behind it: 4 MiB of NOR flash in a file (`flash.py`), the ROM's
serial boot loader and esptool's stub (`loader.py`, `registers.py`, `slip.py`), and MicroPython's
REPL (`repl.py`) on the real MicroPython VM, whose file system is LittleFS in the flash's own `vfs`
partition (`vm.py`, `on_vm/`). `bench.py` plugs boards in and pulls them out, with faults.

What it is not: the stub's machine code is taken in but not executed (its commands are served by
`loader.py`), a pseudo-terminal has no DTR and RTS, no bit takes time, and `boot.py` and `main.py`
are not started. `sim/board` is the board that runs the firmware.
"""
