"""Facts and batches for tests of the store."""

from host_bridge.contract.facts import AnyFact, Seat, lane_of
from host_bridge.store import Batch, DeadLetter, Incoming, Store
from host_bridge.store.tables import metadata

NOW = 1_760_000_000_000


def incoming(fact: AnyFact, *, site: str = "s", received_ms: int = NOW) -> Incoming:
    lane = lane_of(fact)
    return Incoming(
        site=site,
        lane=lane,
        fact=fact,
        time_ms=received_ms,
        sure="arrival",
        received_ms=received_ms,
        topic=f"chequer/v1/{site}/{fact.unit}/fact",
    )


def seat(seq: int, *, boot: int = 1, unit: str = "u", occupied: bool = True) -> Incoming:
    return incoming(Seat(unit=unit, boot=boot, seq=seq, up=seq, occupied=occupied))


def batch(*facts: Incoming, letters: list[DeadLetter] | None = None, worker: str = "w") -> Batch:
    letters = letters or []
    return Batch(
        worker=worker, received=len(facts) + len(letters), facts=list(facts), dead_letters=letters
    )


def empty(store: Store) -> None:
    """Delete everything, for tests that begin anew many times."""
    with store._writer.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def refuse(store: Store, table: str, rows: str | None) -> None:
    """Have the database itself refuse such rows (an SQL condition) of a table; None: no more."""
    name = f"no_{table}"
    sqlite = store._engine.dialect.name == "sqlite"
    with store._writer.begin() as connection:
        if sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        if rows is not None and sqlite:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN NEW.{rows}"
                f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
            )
        elif rows is not None:
            connection.exec_driver_sql(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (NOT ({rows}))"
            )
