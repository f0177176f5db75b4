"""Where the units stand, as the settings have it; for whoever asks the database by room."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from host_bridge.store.current_tables import desks
from host_bridge.store.engine import translated


class PlannedDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A desk of a site's plan.

    `cap`: how many may be in its room; `away_ms`: how long its seat may be empty before nobody is
    signed in there any more.
    """

    unit: str
    desk: str
    room: str
    cap: int | None
    away_ms: int


class Plan:
    """The desks of all sites. Get it from `Store.plan`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    def put(self, site: str, plan: Sequence[PlannedDesk]) -> bool:
        """Write a site's plan in place of the one before; False if it is the same."""
        wanted = sorted(plan, key=lambda desk: desk.unit)
        if self.of(site) == wanted:
            return False
        with translated(self._engine), self._writer.begin() as connection:
            connection.execute(sa.delete(desks).where(desks.c.site == site))
            if wanted:
                rows = [{"site": site, **msgspec.structs.asdict(desk)} for desk in wanted]
                connection.execute(sa.insert(desks), rows)
        return True

    def of(self, site: str) -> list[PlannedDesk]:
        """A site's plan, by unit."""
        names = PlannedDesk.__struct_fields__
        query = sa.select(*(desks.c[name] for name in names)).where(desks.c.site == site)
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(desks.c.unit)).mappings().all()
        return sorted((PlannedDesk(**row) for row in rows), key=lambda desk: desk.unit)
