"""What the unit itself makes of a tap when the host does not answer: provisional verdicts."""

from port import const

from .known import BADGE, CLEANER, HEADSET

WITHDRAW_MS = const(120_000)
"""For so long after a press the own headset withdraws it (host_bridge/domain/headsets.py)."""

_BADGE_WAITS_MS = const(30_000)
_KINDS = {"own": HEADSET, "badge": BADGE, "cleaned": CLEANER}
_NOBODY = ("free", "dirty", "full")


class BadgeIn:
    """Who is signed in here, as far as the unit knows. Times are uptimes in milliseconds.

    Args:
        known: The tags that the host has judged, `known.Known`.
    """

    def __init__(self, known) -> None:
        self._known = known
        self._holder = b""
        self._badge_at: "int | None" = None
        self._press_at: "int | None" = None

    def pressed(self, now: int) -> None:
        """The button went down."""
        self._press_at = now

    def guided(self, word: str) -> None:
        """The host's guidance for this seat; some words say that nobody is signed in."""
        if word in _NOBODY:
            self._holder = b""

    def heard(self, digest: bytes, verdict: str, hour: int) -> None:
        """The host's verdict on a tag; `hour` is hours since 1970."""
        if verdict in _KINDS:
            self._known.learn(digest, _KINDS[verdict], hour)
        elif verdict == "unknown":
            self._known.forget(digest)
        self._sign(digest, verdict)

    def guess(self, digest: bytes, now: int, hour: int, badge_first: bool) -> str:
        """The verdict that the unit would give; "provisional" when it can't tell.

        Args:
            digest: The tag's hash.
            now: Uptime.
            hour: Hours since 1970, 0 if nobody has told the time.
            badge_first: The site asks for a badge, then the headset.
        """
        verdict = self._judge(digest, now, self._known.kind(digest, hour), badge_first)
        if verdict == "badge":
            self._badge_at = now
        self._sign(digest, verdict)
        return verdict

    def _judge(self, digest: bytes, now: int, kind: int, badge_first: bool) -> str:
        if kind == CLEANER:
            return "cleaned"
        if digest == self._holder:
            recent = self._press_at is not None and now - self._press_at <= WITHDRAW_MS
            return "withdrawn" if recent else "goodbye"
        if kind == HEADSET:
            return "not-yours" if self._holder else self._headset(now, badge_first)
        return "badge" if kind == BADGE and not self._holder else "provisional"

    def _headset(self, now: int, badge_first: bool) -> str:
        if not badge_first:
            return "own"
        shown = self._badge_at is not None and now - self._badge_at <= _BADGE_WAITS_MS
        # Whether badge and headset are one person's only the host can say.
        return "provisional" if shown else "badge-first"

    def _sign(self, digest: bytes, verdict: str) -> None:
        if verdict == "own":
            self._holder = digest
        elif verdict == "goodbye":
            self._holder = b""
        elif verdict == "withdrawn":
            self._press_at = None
