"""The site whose nights pass."""

from pathlib import Path

import pytest

from host_bridge.settings import Settings
from tests.host_bridge.forget.nights import settings_at


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    """A site of eight desks."""
    return settings_at(store_url, tmp_path)
