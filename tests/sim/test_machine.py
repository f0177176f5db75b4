"""`machine` and `network` on the VM behave as on the ESP32."""

from pathlib import Path

import pytest

from tests.sim.bench import event, go, powered, say

FOREVER = """
async def main():
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""


def test_a_press_bounces_into_interrupts_and_ends_high(tmp_path: Path) -> None:
    code = """
from machine import Pin
edges = []
pin = Pin(32, Pin.IN)
pin.irq(lambda p: edges.append(p()), Pin.IRQ_FALLING | Pin.IRQ_RISING)
async def main():
    print("listening", pin())
    await asyncio.sleep_ms(600)
    print(len(edges) >= 2, pin())
asyncio.run(main())
"""

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                if "listening 1" not in unit.console():
                    assert await event(events, "console") == "listening 1"
                await unit.press(100)
                assert await event(events, "console") == "True 1"

    go(work)


def test_only_the_edges_asked_for_interrupt(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        """
import circuit
from machine import Pin
falling = []
Pin(32, Pin.IN).irq(lambda p: falling.append(p()), Pin.IRQ_FALLING)
async def main():
    for level in (0, 1, 0, 1):
        circuit.drive(32, level)
        await asyncio.sleep_ms(1)
    print(falling)
asyncio.run(main())
""",
    )
    assert lines == ["[0, 0]"]


def test_pins_refuse_what_the_chip_cannot_do(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        """
from machine import Pin
for wrong in (lambda: Pin(34, Pin.OUT), lambda: Pin(39, Pin.IN, Pin.PULL_UP), lambda: Pin(6),
              lambda: Pin(40)):
    try:
        wrong()
        print("accepted")
    except ValueError:
        print("refused")
print(Pin(4) is Pin(4), Pin(14, Pin.IN, Pin.PULL_UP)())
""",
    )
    assert lines == ["refused"] * 4 + ["True 1"]


def test_an_unfed_watchdog_resets_even_a_unit_that_spins(tmp_path: Path) -> None:
    code = (
        """
print("cause", machine.reset_cause(), machine.RTC().memory())
if machine.reset_cause() == machine.PWRON_RESET:
    machine.RTC().memory(b"kept")
    machine.WDT(timeout=300)
    while True:
        pass
"""
        + FOREVER
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                assert await event(events, "reset") == "watchdog"
                assert await event(events, "console") == "cause 3 b'kept'"

    go(work)


def test_a_fed_watchdog_lets_the_unit_live(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        """
async def main():
    dog = machine.WDT(timeout=300)
    for _ in range(20):
        await asyncio.sleep_ms(50)
        dog.feed()
    print(machine.reset_cause())
asyncio.run(main())
""",
    )
    assert lines == ["1"]


@pytest.mark.parametrize(("call", "cause"), [("reset", 2), ("soft_reset", 5)])
def test_a_reset_keeps_rtc_memory_and_says_its_cause(tmp_path: Path, call: str, cause: int) -> None:
    code = (
        f"""
print("cause", machine.reset_cause(), machine.RTC().memory())
if machine.reset_cause() == 1:
    machine.RTC().memory(b"kept")
    try:
        machine.{call}()
    finally:
        print("a reset runs nothing after it")
"""
        + FOREVER
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                assert await event(events, "reset")
                assert await event(events, "console") == f"cause {cause} b'kept'"
                assert "a reset runs nothing after it" not in unit.console()

    go(work)


def test_a_power_cut_empties_rtc_memory(tmp_path: Path) -> None:
    code = (
        """
print("cause", machine.reset_cause(), machine.RTC().memory())
machine.RTC().memory(b"gone")
print("written")
"""
        + FOREVER
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                while "written" not in unit.console():
                    await event(events, "console")
                await unit.power_cut()
                assert not unit.show().powered
                await unit.power_on()
                while (line := await event(events, "console")) == "written":
                    pass  # of the life before
                assert line == "cause 1 b''"

    go(work)


def test_wifi_joins_is_lost_and_joins_again_by_itself(tmp_path: Path) -> None:
    code = """
import network
async def main():
    station = network.WLAN(network.WLAN.IF_STA)
    station.active(True)
    station.connect("name", "password")
    before = None
    while True:
        if station.isconnected() != before:
            before = station.isconnected()
            print("connected", before)
        await asyncio.sleep_ms(10)
asyncio.run(main())
"""

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                while unit.console()[-1:] != ["connected True"]:
                    await event(events, "console")
                await unit.network(False)
                assert await event(events, "console") == "connected False"
                await unit.network(True)
                assert await event(events, "console") == "connected True"

    go(work)


def test_firmware_that_ends_is_told_of_and_can_be_started_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, "print('hello')\n1/0\n") as unit:
            with unit.watch() as events:
                await unit.power_cut()
                await unit.power_on()
                assert "ZeroDivisionError" in await event(events, "ended")

    go(work)


def test_the_firmware_sees_its_own_files_only(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        """
import os
print(sorted(os.listdir("/")))
try:
    open("/firmware/new", "w")
except OSError as error:
    print("read-only")
""",
    )
    assert lines[0].startswith("['config.json'")
    assert "etc" not in lines[0]
    assert lines[1] == "read-only"


def test_ring_lamp_and_buzzer_are_seen_and_go_dark_without_power(tmp_path: Path) -> None:
    code = (
        """
from machine import Pin, PWM
machine.bitstream(Pin(25, Pin.OUT), 0, (400, 850, 800, 450), bytes((1, 2, 3) * 8))
buzzer = PWM(Pin(4), freq=2000, duty_u16=32768)
Pin(33, Pin.OUT).on()
"""
        + FOREVER
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            shown = await unit.wait_for(lambda s: s.buzzer and s.lamp and any(map(any, s.ring)))
            assert shown.ring == [(2, 1, 3)] * 8  # green travels first
            assert (shown.buzzer, shown.lamp) == (2000, 255)
            await unit.power_cut()
            dark = unit.show()
            assert (dark.ring, dark.buzzer, dark.lamp) == ([(0, 0, 0)] * 8, 0, 0)

    go(work)
