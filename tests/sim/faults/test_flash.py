"""Flash that wears, rots and is small, on the VM: the fault bites."""

from pathlib import Path

import pytest

from tests.sim.bench import go, powered, until

CODE = """
import esp32

async def main():
    flash = esp32.Partition("button")
    flash.ioctl(6, 1)
    flash.writeblocks(1, b"12345678" * 32, 0)
    print("blocks", flash.ioctl(4, 0), flash.ioctl(5, 0))
    old, new = bytearray(8), bytearray(3)
    for i in range(900):
        await asyncio.sleep_ms(100)
        flash.writeblocks(1, b"new", 400 + 4 * i)
        flash.readblocks(1, new, 400 + 4 * i)
        flash.readblocks(1, old, 136)
        print("sound" if old == b"12345678" else "rotten", "kept" if new == b"new" else "gone")

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("kind", "says"), [("none", "sound kept"), ("worn", "sound gone"), ("rotten", "rotten kept")]
)
def test_a_fault_of_flash_does_what_its_name_says(tmp_path: Path, kind: str, says: str) -> None:
    async def work() -> None:
        async with powered(tmp_path, CODE) as unit:
            await until(lambda: "sound kept" in unit.console())
            await unit.fault("flash", kind)
            await until(lambda: unit.console()[-1] == says)

    go(work)


def test_small_flash_is_small_from_the_next_start_on(tmp_path: Path) -> None:
    async def work() -> None:
        async with powered(tmp_path, CODE) as unit:
            await until(lambda: "blocks 12 4096" in unit.console())
            await unit.fault("flash", "small")
            await unit.power_cut()
            await unit.power_on()
            await until(lambda: "blocks 5 512" in unit.console())

    go(work)
