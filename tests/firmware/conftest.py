"""Makes the firmware importable for CPython, from its own root as on the chip."""

import asyncio
import inspect
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.host import Host
from tests.services import Mosquitto

sys.path.insert(0, str(Path(__file__).parents[2] / "firmware"))


EARLIER_S = 10.0
"""So much before pytest's own time is up."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in an event loop of its own, with the fixtures that it asks for."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    marker = pyfuncitem.get_closest_marker("timeout")
    longest = float(marker.args[0] if marker else pyfuncitem.config.getini("timeout"))
    asyncio.run(_in_time(test, longest - EARLIER_S))
    return True


async def _in_time(test: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run the test, and end it before pytest does.

    What pytest raises then is raised in whatever task has its turn, which keeps it to itself: the
    test would go on for ever.
    """
    async with asyncio.timeout(seconds):
        await test


@pytest.fixture
def host(mosquitto: Mosquitto) -> Iterator[Host]:
    """The host's end, on a broker of the test's own."""
    host = Host(mosquitto.port)
    yield host
    host.close()
