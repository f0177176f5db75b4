"""Statistics of groups: what may be published of a day, so that nothing tells of a person.

The scheme, and why it holds:

1. Periods are single days of the site. No two of them overlap, none is ever published again in
   another cut, and there are no weeks or months: a difference of periods is again whole days.
2. Each agent belongs to one group a day: the room of their first sign-in. So the groups of a day
   are disjoint, and the site's group is their union: a tree of two levels, without overlaps.
3. A figure of a room counts what happened at the room's desks; those who caused it are at least
   the room's group.
4. A room whose group is smaller than k is suppressed. If the groups of all suppressed rooms
   together are smaller than k, the smallest other room is suppressed too, and so on; if no room
   is left, and the site's group is smaller than k, the site is suppressed as well.

Then what is published of a day are the figures of some rooms, each with a group of k or more, and
perhaps the site's. All that sums and differences of these can tell are figures of unions of such
rooms, with or without the one remainder (the site less its published rooms), which is nobody's or a
group of k or more. A suppressed room is told apart from the other ones of the remainder by nothing
that is published, and an empty room counts as one that is too small.

What it does not do: it says nothing about what people see with their own eyes, and figures of a
group in which all do the same tell that of each of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SITE = ""
"""The name of the site among its rooms."""


class SignIn(NamedTuple):
    """Somebody signed in with their own headset; `time_ms` in Unix milliseconds."""

    time_ms: int
    room: str
    person: int


class Figures(NamedTuple):
    """Of a group: how many agents, sign-ins with their own headset, and reports."""

    agents: int
    sign_ins: int
    reports: int


def day_figures(
    rooms: Iterable[str], sign_ins: Iterable[SignIn], reports: Mapping[str, int]
) -> dict[str, Figures]:
    """What happened in a day, by room; not for publishing.

    Args:
        rooms: of the plan.
        sign_ins: in any order.
        reports: by room; no practice, nothing that was withdrawn.
    """
    first: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for each in sorted(sign_ins):
        first.setdefault(each.person, each.room)
        counts[each.room] += 1
    agents = Counter(first.values())
    return {room: Figures(agents[room], counts[room], reports.get(room, 0)) for room in rooms}


def publish(rooms: Mapping[str, Figures], k: int) -> dict[str, Figures | None]:
    """What may be told of a day: of each room, and of the site as `SITE`; None: suppressed.

    Args:
        rooms: what happened, by room.
        k: the least number of agents that may be told of, 1 or more.
    """
    hidden = {room for room, figures in rooms.items() if figures.agents < k}
    others = sorted(rooms.keys() - hidden, key=lambda room: (rooms[room].agents, room))
    while hidden and others and sum(rooms[room].agents for room in hidden) < k:
        hidden.add(others.pop(0))
    agents, sign_ins, reports = (
        sum(column) for column in zip((0, 0, 0), *rooms.values(), strict=True)
    )
    site = Figures(agents, sign_ins, reports)
    told: dict[str, Figures | None] = {
        room: None if room in hidden else figures for room, figures in rooms.items()
    }
    return {**told, SITE: site if agents >= k else None}
