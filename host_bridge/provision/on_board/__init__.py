"""MicroPython source that is sent to the board; the host reads it as text only."""
