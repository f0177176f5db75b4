"""What a desk is told, and what the page shows: may this seat be used now?"""

from typing import Literal

from host_bridge.contract.messages import SeatWord
from host_bridge.domain.desk import Desk

Shown = SeatWord | Literal["offline"]
"""What a person sees of a desk. `offline`: its unit is silent, so nothing is known for sure."""


def claimed(desk: Desk) -> bool:
    """Does somebody have this place now, sitting or signed in? That is who a room's cap counts."""
    return desk.occupied or desk.holder is not None


def seat_word(desk: Desk, *, allowed: bool, full: bool) -> SeatWord:
    """The guidance for a settled desk. What needs somebody to act comes first.

    Args:
        desk: the desk, settled at the present time.
        allowed: the plan lets it be used in this shift.
        full: the room has no place left under its cap.
    """
    if desk.occupied and not allowed:
        return "conflict"
    if desk.dirty:
        return "dirty"
    if desk.occupied:
        return "taken"
    if not allowed:
        return "blocked"
    if desk.holder is not None:
        return "reserved"
    return "full" if full else "free"
