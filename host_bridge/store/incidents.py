"""Reports of the button, and what was done about them."""

from typing import Any

import sqlalchemy as sa

from host_bridge.domain.incidents import Word
from host_bridge.store.commit import decode_fact
from host_bridge.store.engine import translated
from host_bridge.store.records import IncidentRecord, StoredFact
from host_bridge.store.tables import facts, incident_records

_RECORDS = (
    sa.select(incident_records)
    .where(incident_records.c.site == sa.bindparam("of"))
    .where(incident_records.c.id > sa.bindparam("after"))
    .order_by(incident_records.c.id)
)


class Incidents:
    """What `domain.incidents` folds. Get it from `Store.incidents`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    def reports(self, site: str) -> list[StoredFact]:
        """All facts of the button's lane, in the order of the commits."""
        # Written out: SQLite uses the button's index only when it can read the lane.
        lane: sa.ColumnElement[str] = sa.literal_column("'button'")
        query = sa.select(facts).where(facts.c.site == site, facts.c.lane == lane)
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(facts.c.id)).mappings().all()
        return [stored_fact(row) for row in rows]

    def records(self, site: str, after: int = 0) -> list[IncidentRecord]:
        """The records with an id greater than `after`, in order."""
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(_RECORDS, {"of": site, "after": after}).mappings().all()
        return [
            IncidentRecord(**{name: row[name] for name in IncidentRecord.__struct_fields__})
            for row in rows
        ]

    def add(self, site: str, unit: str, *, boot: int, seq: int, word: Word, time_ms: int) -> bool:
        """Add a record; False if there is the same one already, which then stands."""
        values: dict[str, Any] = {
            "site": site,
            "unit": unit,
            "boot": boot,
            "seq": seq,
            "word": word,
        }
        here = [incident_records.c[name] == value for name, value in values.items()]
        with translated(self._engine), self._writer.begin() as connection:
            if connection.execute(sa.select(incident_records.c.id).where(*here)).first():
                return False
            connection.execute(sa.insert(incident_records).values(time_ms=time_ms, **values))
        return True


def stored_fact(row: sa.RowMapping) -> StoredFact:
    """A row of the table of facts."""
    plain = {name: row[name] for name in StoredFact.__struct_fields__ if name != "fact"}
    return StoredFact(fact=decode_fact(row["body"]), **plain)
