"""Fixtures that every folder of tests may use."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.services import Mosquitto, Postgres

# The same examples at every run. New ones, ten times as many, are looked for by
# `python -m pytest --hypothesis-profile=search`, which prints how to have a failure again.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile("same")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto on a free port, without persistence."""
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres_of_all_tests() -> Iterator[Postgres]:
    """A running PostgreSQL; use `postgres`."""
    server = Postgres()
    yield server.start()
    server.remove()


@pytest.fixture
def postgres(postgres_of_all_tests: Postgres) -> Iterator[Postgres]:
    """A running PostgreSQL; the databases that the test asks it for are its own."""
    yield postgres_of_all_tests
    postgres_of_all_tests.recycle()


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """URLs of empty databases of the test's own, on "sqlite" or "postgresql"."""
    numbers = itertools.count(1)

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/deep/er/chequer-{next(numbers)}.db"
        server: Postgres = request.getfixturevalue("postgres")
        return server.database()

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> str:
    """The URL of an empty database of the test's own, on each of the databases in turn."""
    return new_url(request.param)
