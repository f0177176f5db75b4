"""What docs/operations.md shows people to ask of the database works, on each database."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from host_bridge.store import Store
from tests.host_bridge.store.batches import batch
from tests.host_bridge.store.desk_facts import boot_fact, plan, register, seat, tap
from tests.services import Postgres

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
SECTION = OPERATIONS.read_text(encoding="utf-8").split("## What is so now")[1].split("\n## ")[0]
VIEWS = ("units", "seats", "sessions", "rooms")


def blocks() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", SECTION, flags=re.DOTALL)


def test_every_question_of_the_manual_is_answered(store: Store) -> None:
    register(store)
    store.plan.put("demo", [plan("u", cap=1)])
    store.commit(batch(boot_fact(1, 0, "1"), seat(2, 0, True), tap(3, 0)))
    questions = [each.strip() for each in blocks()[0].split(";") if each.strip()]
    assert len(questions) == 5
    with store._engine.connect() as connection:
        connection.execute(sa.text("UPDATE unit_states SET site = 'demo'"))
        connection.execute(sa.text("UPDATE signed_in SET site = 'demo'"))
        answers = [connection.execute(sa.text(each)).all() for each in questions]
    assert [len(each) for each in answers] == [1, 1, 1, 1, 0]


@pytest.mark.parametrize("view", VIEWS)
def test_the_manual_names_just_the_columns_that_there_are(store: Store, view: str) -> None:
    (line,) = re.findall(rf"^\| `{view}` \|.*\| `([a-z_, ]+)` \|$", SECTION, flags=re.MULTILINE)
    with store._engine.connect() as connection:
        columns = connection.execute(sa.text(f"SELECT * FROM {view}")).keys()
    assert list(columns) == line.split(", ")


def test_whoever_may_read_the_views_alone_sees_no_fact_and_no_name(postgres: Postgres) -> None:
    store = Store.open(postgres.database())
    store.commit(batch(seat(1, 0, True)))
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS facilities")
        connection.exec_driver_sql("CREATE ROLE facilities")
        # As everywhere, unless somebody has made the schema anew, as our tests do.
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO facilities")
        connection.exec_driver_sql(blocks()[1])
    assert asked_as_facilities(store, "SELECT unit FROM seats") == ["u"]
    for table in ("facts", "people", "tags", "signed_in", "unit_states"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            asked_as_facilities(store, f"SELECT 1 FROM {table}")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY facilities; DROP ROLE facilities")
    store.close()


def asked_as_facilities(store: Store, question: str) -> list[str]:
    with store._engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE facilities")
        return list(connection.exec_driver_sql(question).scalars())
