"""A desk's way round: ready, used, left (dirty), cleaned, ready."""

from dataclasses import replace

from host_bridge.domain.desk import Desk


def leave(desk: Desk) -> Desk:
    """Whoever used the desk has left: nobody holds it, and it needs cleaning."""
    return replace(desk, holder=None, badge=None, used=False, dirty=True, last_person=desk.holder)


def clean(desk: Desk) -> Desk:
    """A cleaner was here. A desk with somebody at it counts as used again from now on."""
    in_use = desk.occupied or desk.holder is not None
    return replace(desk, used=in_use, dirty=False, last_person=None)


def must_be_cleaned_for(desk: Desk, person: int) -> bool:
    """Is the desk dirty from somebody else? One's own dirt is no reason to be turned away."""
    return desk.dirty and desk.last_person != person
