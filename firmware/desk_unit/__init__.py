"""The desk unit's behaviour. It knows no pins, no buses and no radio: all that is handed in."""

VERSION = "0.1.0"
"""The firmware's version, at most 32 characters."""
