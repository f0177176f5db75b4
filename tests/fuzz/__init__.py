"""Hostile bytes at every wire: `python -m tests.fuzz --count 1000000`."""
