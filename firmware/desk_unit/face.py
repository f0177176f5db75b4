"""What the unit shows: one word at a time, chosen by priority. Ring and screen both show it.

From high to low: the progress of a press, a verdict for some seconds, what stands (a tag is
awaited, a break), "unprotected", guidance. Marks stand beside any other word.
"""

from port import const

PROGRESS = ("pressed", "sent", "stored", "seen")

UNPROTECTED = "unprotected"

NO_LINK = const(1)
DRILL = const(2)
PROVISIONAL = const(4)
"""Marks: nobody can hear a press; presses are practice; the verdict is the unit's own."""

VERDICT_MS = const(4_000)
"""How long a verdict is shown."""

PROGRESS_MS = const(30_000)
"""How long the progress of a press is shown at the most."""

STORED_MS = const(4_000)
"""How long "stored" is shown."""

SEEN_MS = const(10_000)
"""How long "seen" is shown."""


class Face:
    """Layers of words; times are uptimes in milliseconds."""

    def __init__(self) -> None:
        self.guidance = ""
        """The seat's guidance word, shown when nothing else is."""
        self.standing = ""
        """What is shown until it is over: "enrol", "break-offer", "break"."""
        self.minutes = 0
        """Minutes left of a break."""
        self.unprotected = False
        """Whether nobody can hear a press."""
        self.drill = False
        """Whether presses are practice."""
        self._verdict = ""
        self._provisional = False
        self._verdict_until = 0
        self._progress = ""
        self._progress_until = 0
        self._press = (0, 0)
        self._seen = (0, 0)

    def judge(self, word: str, now: int, provisional: bool = False) -> None:
        """A verdict, the host's or the unit's own."""
        self._verdict = word
        self._provisional = provisional
        self._verdict_until = now + VERDICT_MS

    def press(self, boot: int, seq: int, now: int) -> None:
        """A press is on flash."""
        self._press = (boot, seq)
        self._progress = "pressed"
        self._progress_until = now + PROGRESS_MS

    def advance(self, word: str, boot: int, seq: int, now: int) -> bool:
        """Facts up to (boot, seq) of the button's lane are "sent", "stored" or "seen".

        "Seen" comes when a person has answered for the report, so it is shown once, however
        late. Returns True if the word is new.
        """
        if (boot, seq) < self._press:
            return False
        if word == "seen":
            if (boot, seq) <= self._seen:
                return False
            self._seen = (boot, seq)
            lasts = SEEN_MS
        else:
            # "Sent" comes again when a fact is sent a second time.
            if not self._progress or PROGRESS.index(word) <= PROGRESS.index(self._progress):
                return False
            lasts = STORED_MS if word == "stored" else PROGRESS_MS
        self._progress = word
        self._progress_until = now + lasts
        return True

    def word(self, now: int) -> str:
        """What is to be shown now; empty when there is nothing to say."""
        if self._progress and now < self._progress_until:
            return self._progress
        self._progress = ""
        if self._verdict and now < self._verdict_until:
            return self._verdict
        self._verdict = ""
        return self.standing or (UNPROTECTED if self.unprotected else self.guidance)

    def marks(self, now: int) -> int:
        """`NO_LINK`, `DRILL` and `PROVISIONAL`, added up, as they belong to `word(now)`."""
        word = self.word(now)
        marks = DRILL if self.drill else 0
        if self.unprotected and word != UNPROTECTED:
            marks |= NO_LINK
        if self._provisional and word and word == self._verdict and word != "provisional":
            marks |= PROVISIONAL
        return marks
