"""A store on each of the databases."""

from collections.abc import Iterator

import pytest

from host_bridge.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url)
    yield opened
    opened.close()
