"""A finger stays on the button until it is taken away."""

import asyncio
from pathlib import Path

from tests.sim.bench import go, powered, until

WATCH = """
button = machine.Pin(32, machine.Pin.IN)
async def main():
    last = None
    while True:
        await asyncio.sleep_ms(30)
        if button.value() != last:
            last = button.value()
            print("up" if last else "down")
asyncio.run(main())
"""


def test_the_contact_is_closed_as_long_as_the_finger_is_there(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, WATCH) as unit:
            await until(lambda: unit.console() == ["up"])
            await unit.button(True)
            await until(lambda: unit.console() == ["up", "down"])
            await asyncio.sleep(0.5)
            assert unit.console() == ["up", "down"]
            await unit.button(False)
            await until(lambda: unit.console() == ["up", "down", "up"])
            await unit.button(False)
            await unit.button(True)
            await until(lambda: unit.console()[-1] == "down")

    go(work)


def test_the_finger_is_still_there_after_a_power_cut(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, WATCH) as unit:
            await unit.button(True)
            await unit.power_cut()
            seen = len(unit.console())
            await unit.power_on()
            await until(lambda: unit.console()[seen:] == ["down"])

    go(work)


def test_a_press_of_given_length_still_ends_by_itself(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, WATCH) as unit:
            await until(lambda: unit.console() == ["up"])
            await unit.press(200)
            await until(lambda: unit.console() == ["up", "down", "up"])

    go(work)
