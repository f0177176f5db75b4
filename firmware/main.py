"""What MicroPython runs after a reset."""

from board.start import run

run()
