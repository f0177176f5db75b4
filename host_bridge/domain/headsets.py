"""What a tap means: the verdict on a tag at a desk, and what it does to the desk."""

from dataclasses import dataclass
from typing import Literal, Protocol

from host_bridge.contract.messages import VerdictWord
from host_bridge.domain import hygiene, occupancy
from host_bridge.domain.desk import Desk

BadgeIn = Literal["headset", "badge-then-headset"]

BADGE_WAITS_MS = 30_000
"""How long after a badge the same person's headset is accepted, in milliseconds."""

IN_CIRCULATION = "issued"
"""The status of a tag that somebody may use; lost, returned or stocked ones are not known here."""


class TagRecord(Protocol):
    """An entry of the register of tags, as far as verdicts need it."""

    @property
    def kind(self) -> str:
        """Headset, badge or cleaner."""

    @property
    def person(self) -> int | None:
        """Whose it is; None for a tag that belongs to nobody in particular."""

    @property
    def status(self) -> str:
        """`issued` when it may be used."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A tag held to a desk's reader: its register entry, and the time in Unix milliseconds.

    `elsewhere` says that the tag's person is signed in at another desk at that time.
    """

    record: TagRecord | None
    time: int
    elsewhere: bool = False


def decide(desk: Desk, tap: Tap, badge_in: BadgeIn) -> tuple[VerdictWord, Desk]:
    """The verdict on a tap, and the desk after it. `desk` is settled at the tap's time.

    A badge always starts the wait for its person's headset; `badge_in` says whether a headset
    may come without one.
    """
    record = tap.record
    if record is None or record.status != IN_CIRCULATION:
        return "unknown", desk
    if record.kind == "cleaner":
        return "cleaned", hygiene.clean(desk)
    if record.person is not None and desk.holder == record.person:
        return "goodbye", hygiene.leave(desk)
    if refusal := _refusal(desk, record.person, tap):
        return refusal, desk
    assert record.person is not None
    if record.kind == "badge":
        return "badge", occupancy.show_badge(desk, record.person, tap.time)
    return _headset(desk, record.person, tap.time, badge_in)


def _refusal(desk: Desk, person: int | None, tap: Tap) -> VerdictWord | None:
    """Why this person can't sign in here now, whatever the tag; None when they can."""
    if person is None:
        return "unknown"
    if desk.holder is not None:
        return "not-yours"
    if tap.elsewhere:
        return "elsewhere"
    return "not-cleaned" if hygiene.must_be_cleaned_for(desk, person) else None


def _headset(desk: Desk, person: int, time: int, badge_in: BadgeIn) -> tuple[VerdictWord, Desk]:
    """A headset at a desk that nobody holds: is it the headset of whoever showed a badge?"""
    badge = desk.badge
    if badge is not None and not 0 <= time - badge.time <= BADGE_WAITS_MS:
        badge = None
    expected = badge.person if badge is not None else None
    if expected is None and badge_in == "headset":
        expected = person
    if expected != person:
        return "not-yours", desk
    return "own", occupancy.sign_in(desk, person, time)
