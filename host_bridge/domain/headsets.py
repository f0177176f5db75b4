"""What a tap means: the verdict on a tag at a desk, and what it does to the desk."""

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from host_bridge.contract.messages import VerdictWord
from host_bridge.domain import hygiene, occupancy
from host_bridge.domain.desk import Desk

BadgeIn = Literal["headset", "badge-then-headset"]

BADGE_WAITS_MS = 30_000
"""How long after a badge the same person's headset is accepted, in milliseconds."""

WITHDRAW_MS = 120_000
"""How long after a press the own headset withdraws it, in milliseconds."""

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

    `elsewhere` says that the tag's person is signed in at another desk at that time. `boot` and
    `up` (uptime in milliseconds) are the unit's own: next to a press of the same boot they tell
    how long ago that was, whatever the clocks say.
    """

    record: TagRecord | None
    time: int
    elsewhere: bool = False
    boot: int = 0
    up: int = 0


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
        return _holder(desk, tap, record.kind)
    if refusal := _refusal(desk, record.person, tap):
        return refusal, desk
    assert record.person is not None
    if record.kind == "badge":
        return "badge", occupancy.show_badge(desk, record.person, tap.time)
    return _headset(desk, record.person, tap.time, badge_in)


def _holder(desk: Desk, tap: Tap, kind: str) -> tuple[VerdictWord, Desk]:
    """A tap of whoever is signed in: the headset takes back a fresh press, else it is a leave."""
    if kind == "headset" and _withdraws(desk, tap):
        return "withdrawn", replace(desk, pressed=None)
    return "goodbye", hygiene.leave(desk)


def _withdraws(desk: Desk, tap: Tap) -> bool:
    """Is there a press that this tap takes back? Deliberate, and the signed-in person's only."""
    pressed = desk.pressed
    if pressed is None or pressed.boot != tap.boot:
        return False
    return 0 <= tap.up - pressed.up <= WITHDRAW_MS


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
    if badge is None and badge_in == "badge-then-headset":
        return "badge-first", desk
    if badge is not None and badge.person != person:
        return "not-yours", desk
    return "own", occupancy.sign_in(desk, person, time)
