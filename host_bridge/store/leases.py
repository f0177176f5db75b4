"""Leases: who directs a site now. One row for each site, changed by comparing and setting only."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.store.engine import translated
from host_bridge.store.tables import leases


class Lease(msgspec.Struct, frozen=True):
    """Who directs a site. No time is in it: whoever reads it measures how long it stays the same.

    `holder` is empty when nobody does. `term` counts the holders, `beat` the changes of the row.
    """

    holder: str
    term: int
    beat: int


class Leases:
    """Get it from `Store.leases`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # "lease": nothing that a reader of facts needs to look at has changed.
        self._writer = engine.execution_options(writes="lease")

    def read(self, site: str) -> Lease | None:
        """The lease of a site; None when nobody ever directed it."""
        query = sa.select(leases.c.holder, leases.c.term, leases.c.beat)
        with translated(self._engine), self._engine.connect() as connection:
            row = connection.execute(query.where(leases.c.site == site)).first()
        return Lease(*row) if row else None

    def replace(self, site: str, seen: Lease | None, new: Lease) -> bool:
        """Put `new` in the place of what was seen; False when it is no longer so."""
        values = {"holder": new.holder, "term": new.term, "beat": new.beat}
        with translated(self._engine), self._writer.begin() as connection:
            if seen is None:
                dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
                row = dialect.insert(leases).values(site=site, **values)
                made = row.on_conflict_do_nothing().returning(leases.c.term)
                return connection.execute(made).first() is not None
            here = sa.and_(
                leases.c.site == site, leases.c.term == seen.term, leases.c.beat == seen.beat
            )
            return connection.execute(sa.update(leases).where(here).values(values)).rowcount == 1
