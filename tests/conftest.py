"""Fixtures that every folder of tests may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.services import Mosquitto

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
