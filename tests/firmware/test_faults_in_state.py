"""What is wrong with configuration, link and time is in the unit's state, where people look."""

import asyncio

import msgspec

from host_bridge.contract.messages import State
from tests.firmware.desk import Desk, end, until
from tests.services import free_port


async def test_state_names_what_is_wrong_with_configuration_link_and_time() -> None:
    desk = Desk(free_port())
    desk.config.fault = "config.json, line 7: 'site' is wrong. " + "x" * 200
    desk.config.sntp = "time.example"

    def unreachable(_server: str, _port: int) -> None:
        raise OSError("no such name")

    desk.open_udp = unreachable
    unit = desk.start()
    before = asyncio.all_tasks()
    asyncio.create_task(unit.run())  # noqa: RUF006
    try:
        await until(lambda: {"config", "link", "sntp"} <= state_of(unit).faults.keys())
        faults = state_of(unit).faults
        assert faults["config"].startswith("config.json, line 7")
        assert faults["link"].startswith("not connected: ")
        assert "no such name" in faults["sntp"]
    finally:
        await end(asyncio.all_tasks() - before)


def state_of(unit: object) -> State:
    return msgspec.json.decode(unit.state(), type=State)  # type: ignore[attr-defined]
