"""Updates: which unit is to have which bundle, and what it said about it last."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from host_bridge.domain.rollout import Heard, Offered, Standing
from host_bridge.store.engine import translated
from host_bridge.store.tables import update_offers, update_progress


class Updates:
    """Offers and progress. Get it from `Store.updates`.

    Every method raises `StoreUnavailableError` when the database can't be used at the moment.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    def offers(self, site: str) -> dict[str, Offered]:
        """All offers that stand, by unit."""
        query = sa.select(update_offers).where(update_offers.c.site == site)
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        names = Offered.__struct_fields__
        return {row["unit"]: Offered(**{name: row[name] for name in names}) for row in rows}

    def offer(self, site: str, offers: Iterable[Offered]) -> None:
        """Offer anew, in place of what was offered to these units before; all or none."""
        with translated(self._engine), self._writer.begin() as connection:
            for each in offers:
                values = {name: getattr(each, name) for name in Offered.__struct_fields__}
                connection.execute(sa.delete(update_offers).where(_offer_of(site, each.unit)))
                connection.execute(sa.insert(update_offers).values(site=site, **values))

    def withdraw(self, site: str, units: Iterable[str]) -> int:
        """Withdraw offers; how many there were."""
        with translated(self._engine), self._writer.begin() as connection:
            return sum(
                connection.execute(sa.delete(update_offers).where(_offer_of(site, unit))).rowcount
                for unit in units
            )

    def told(self, site: str, unit: str, bundle: str, time_ms: int) -> bool:
        """The unit is told now; False if that bundle is no longer offered to it."""
        return self._change(site, unit, bundle, {"told_ms": time_ms, "standing": "told"})

    def stands(self, site: str, standings: Mapping[tuple[str, str], Standing]) -> None:
        """How the offers of (unit, bundle) stand."""
        for (unit, bundle), standing in standings.items():
            self._change(site, unit, bundle, {"standing": standing})

    def heard(self, site: str) -> dict[str, Heard]:
        """What units said last, by unit."""
        query = sa.select(update_progress).where(update_progress.c.site == site)
        with translated(self._engine), self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        names = Heard.__struct_fields__
        return {row["unit"]: Heard(**{name: row[name] for name in names}) for row in rows}

    def hear(self, site: str, heard: Heard) -> None:
        """A unit says something, in place of what it said before."""
        here = sa.and_(update_progress.c.site == site, update_progress.c.unit == heard.unit)
        values = {name: getattr(heard, name) for name in Heard.__struct_fields__}
        with translated(self._engine), self._writer.begin() as connection:
            connection.execute(sa.delete(update_progress).where(here))
            connection.execute(sa.insert(update_progress).values(site=site, **values))

    def _change(self, site: str, unit: str, bundle: str, values: dict[str, object]) -> bool:
        here = sa.and_(_offer_of(site, unit), update_offers.c.bundle == bundle)
        with translated(self._engine), self._writer.begin() as connection:
            changed = connection.execute(sa.update(update_offers).where(here).values(values))
            return changed.rowcount > 0


def _offer_of(site: str, unit: str) -> sa.ColumnElement[bool]:
    return sa.and_(update_offers.c.site == site, update_offers.c.unit == unit)
