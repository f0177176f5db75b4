"""Makes the firmware importable for CPython, from its own root as on the chip."""

import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.host import Host
from tests.services import Mosquitto

sys.path.insert(0, str(Path(__file__).parents[2] / "firmware"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in an event loop of its own, with the fixtures that it asks for."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def host(mosquitto: Mosquitto) -> Iterator[Host]:
    """The host's end, on a broker of the test's own."""
    host = Host(mosquitto.port)
    yield host
    host.close()
