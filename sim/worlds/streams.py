"""Randomness by name: a stream for each purpose, day and number, whoever asks first."""

from enum import IntEnum

import numpy as np

Dice = np.random.Generator


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of what a seed means: add, never renumber."""

    HABITS = 1
    ARRIVAL = 2
    BREAKS = 3
    ARRIVALS = 4
    CALL = 5
    SLIPS = 6
    CARDS = 7
    ROUND = 8
    PASSERS = 9
    RADAR = 10
    VISITORS = 11
    ROSTER = 12
    REPORT = 13
    STRANGERS = 14


class Streams:
    """Independent generators out of one seed.

    The key of a stream (purpose, day, number) is the spawn key of a `SeedSequence`, so a stream
    does not depend on which others were asked for, or in which order.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, purpose: Purpose, day: int = 0, number: int = 0) -> Dice:
        """A fresh generator at the beginning of its stream."""
        key = (int(purpose), day, number)
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(self._seed, spawn_key=key))
        )
