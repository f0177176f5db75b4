"""Statistics of groups, as they may be told: what is suppressed is not in the database."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from host_bridge.domain.groups import Figures
from host_bridge.store.engine import translated
from host_bridge.store.retention_tables import group_days


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a room (of the site: `room` is empty), as in 2026-11-22; None: suppressed.

    `threshold`: how many agents a group had to have.
    """

    day: str
    room: str
    threshold: int
    figures: Figures | None


class Groups:
    """Get it from `Store.groups`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes="facts")

    def put(self, site: str, day: Sequence[DayFigures]) -> None:
        """Write a day, in place of what there was of it."""
        nothing: dict[str, int | None] = dict.fromkeys(Figures._fields)
        rows = [
            {
                "site": site,
                "day": each.day,
                "room": each.room,
                "threshold": each.threshold,
                **(nothing if each.figures is None else each.figures._asdict()),
            }
            for each in day
        ]
        days = {each.day for each in day}
        with translated(self._engine), self._writer.begin() as connection:
            here = sa.and_(group_days.c.site == site, group_days.c.day.in_(days))
            connection.execute(sa.delete(group_days).where(here))
            connection.execute(sa.insert(group_days), rows)

    def days(self, site: str, first: str = "", last: str = "9999-12-31") -> list[DayFigures]:
        """What was counted from a day to a day, both included, in their order."""
        here = sa.and_(group_days.c.site == site, group_days.c.day.between(first, last))
        query = sa.select(group_days).where(here).order_by(group_days.c.day, group_days.c.room)
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            DayFigures(
                day=row.day,
                room=row.room,
                threshold=row.threshold,
                figures=None
                if row.agents is None
                else Figures(row.agents, row.sign_ins, row.reports),
            )
            for row in rows
        ]
