"""MicroPython source that is sent to the board. The host reads it as text and imports none of it."""
