"""Faults: everything that can die, hang, fill up or go wrong under load, one cell at a time."""
