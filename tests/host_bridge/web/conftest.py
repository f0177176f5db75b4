from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host_bridge.served import Served, serving
from tests.services import Mosquitto


@pytest.fixture
def served(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Served]:
    with serving(tmp_path, mosquitto) as running:
        yield running
