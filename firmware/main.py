"""What MicroPython runs after a reset."""

from board.desk import run

run()
