"""How units are to behave, where somebody has asked for something."""

import sqlalchemy as sa

from host_bridge.store.engine import translated
from host_bridge.store.records import UnitMode
from host_bridge.store.tables import modes

_ASKED = sa.select(modes.c.unit, modes.c.drill_until_ms, modes.c.quiet).where(
    modes.c.site == sa.bindparam("of")
)


class Modes:
    """Drills and silence. Get it from `Store.modes`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    def all(self, site: str) -> dict[str, UnitMode]:
        """What was asked for, by unit."""
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(_ASKED, {"of": site}).all()
        return {
            row.unit: UnitMode(drill_until_ms=row.drill_until_ms, quiet=row.quiet) for row in rows
        }

    def drill(self, site: str, unit: str, until_ms: int | None) -> None:
        """Presses are practice until then (Unix milliseconds); None ends a drill."""
        self._set(site, unit, {"drill_until_ms": until_ms})

    def quiet(self, site: str, unit: str, *, quiet: bool) -> None:
        """No sound, or sound again."""
        self._set(site, unit, {"quiet": quiet})

    def _set(self, site: str, unit: str, values: dict[str, object]) -> None:
        here = sa.and_(modes.c.site == site, modes.c.unit == unit)
        new = {"drill_until_ms": None, "quiet": False, **values}
        with translated(self._engine), self._writer.begin() as connection:
            if connection.execute(sa.update(modes).where(here).values(values)).rowcount == 0:
                connection.execute(sa.insert(modes).values(site=site, unit=unit, **new))
