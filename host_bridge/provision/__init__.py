"""Provisioning: bare ESP32 boards become named, tested desk units, one after another.

The road of one board, in the order in which it is walked (`line.py` holds the loop):

1. `flasher.py` (esptool) finds the board, its chip and its MAC, and writes MicroPython with our
   partition table (`image.py`, `partitions.py`)
2. `logbook.py` binds a name to the MAC, on disk, before anything is written to the board
3. `board.py` (mpremote) copies the firmware, runs the factory test (`on_board/factory_test.py`,
   judged by `results.py`) and writes the credentials (`credentials.py`)
4. `passwords.py` keeps the broker's password file, `label.py` draws the label

docs/provisioning.md tells the person at the bench how to use it.
"""
