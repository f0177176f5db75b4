"""Unit tests of the firmware that run on CPython (pytest) and on MicroPython (run_on_vm)."""
