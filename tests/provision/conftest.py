from pathlib import Path

import pytest

from tests.provision.workshop import Workshop, make


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return make(tmp_path, 3)
