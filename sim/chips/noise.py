"""Random bytes for chip models."""


class Noise:
    """A small generator of our own (xorshift): the same bytes from a seed on both interpreters."""

    def __init__(self, seed):
        self._state = seed * 2654435761 & 0xFFFFFFFF or 1

    def byte(self):
        """The next byte."""
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state >> 11 & 0xFF
