"""What the unit shows: one word at a time, chosen by priority. Ring and screen both show it.

From high to low: the progress of a press, a verdict for some seconds, "unprotected", guidance.
While the unit is unprotected, ring and screen carry a mark for it beside any other word.
"""

from port import const

PROGRESS = ("pressed", "sent", "stored")

UNPROTECTED = "unprotected"

VERDICT_MS = const(4_000)
"""How long a verdict is shown."""

PROGRESS_MS = const(30_000)
"""How long the progress of a press is shown at the most."""

STORED_MS = const(4_000)
"""How long "stored" is shown."""


class Face:
    """Layers of words; times are uptimes in milliseconds."""

    def __init__(self) -> None:
        self._guidance = ""
        self._verdict = ""
        self._verdict_until = 0
        self._progress = ""
        self._progress_until = 0
        self._press = (0, 0)
        self.unprotected = False
        """Whether nobody can hear a press."""

    def guide(self, word: str) -> None:
        """The seat's guidance word, shown when nothing else is."""
        self._guidance = word

    def judge(self, word: str, now: int) -> None:
        """A verdict, or "provisional"."""
        self._verdict = word
        self._verdict_until = now + VERDICT_MS

    def press(self, boot: int, seq: int, now: int) -> None:
        """A press is on flash."""
        self._press = (boot, seq)
        self._progress = "pressed"
        self._progress_until = now + PROGRESS_MS

    def advance(self, word: str, boot: int, seq: int, now: int) -> None:
        """Facts up to (boot, seq) of the button's lane are "sent" or "stored"."""
        if (boot, seq) < self._press or not self._progress:
            return
        if PROGRESS.index(word) <= PROGRESS.index(self._progress):
            return  # "sent" again, when a fact is sent a second time
        self._progress = word
        self._progress_until = now + (STORED_MS if word == "stored" else PROGRESS_MS)

    def word(self, now: int) -> str:
        """What is to be shown now; empty when there is nothing to say."""
        if self._progress and now < self._progress_until:
            return self._progress
        self._progress = ""
        if self._verdict and now < self._verdict_until:
            return self._verdict
        self._verdict = ""
        return UNPROTECTED if self.unprotected else self._guidance
