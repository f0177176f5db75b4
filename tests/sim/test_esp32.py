"""`esp32` on the VM: flash with the physics of NOR, storage that keeps what was committed."""

from pathlib import Path

from tests.sim.bench import event, go, powered, say

OPEN = """
import esp32
flash = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
def read(block, offset, length):
    buf = bytearray(length)
    flash.readblocks(block, buf, offset)
    return bytes(buf)
"""


def test_new_flash_is_erased_and_takes_no_room(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        OPEN
        + """
print(flash.ioctl(4, 0), flash.ioctl(5, 0), flash.info()[3:5])
print(read(127, 4080, 16) == b"\\xff" * 16)
""",
    )
    assert lines == ["128 4096 (524288, 'journal')", "True"]
    assert (tmp_path / "unit" / "soc" / "journal.flash").stat().st_size == 0


def test_programming_only_clears_bits_and_erasing_sets_a_whole_block(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        OPEN
        + """
flash.writeblocks(2, b"\\xf0\\x0f", 100)
flash.writeblocks(2, b"\\x3c\\xff", 100)
flash.writeblocks(1, b"next", 4092)
print(read(2, 99, 4).hex(), read(1, 4092, 8))
flash.ioctl(6, 2)
print(read(2, 99, 4).hex(), read(1, 4092, 4))
""",
    )
    assert lines == ["ff300fff b'next\\xff\\xff\\xff\\xff'", "ffffffff b'next'"]


def test_writing_without_an_offset_erases_first(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        OPEN
        + """
flash.writeblocks(0, b"\\0" * 4096)
flash.writeblocks(0, b"\\xaa" * 4096)
print(read(0, 0, 4096) == b"\\xaa" * 4096)
try:
    flash.writeblocks(0, b"short")
except OSError as error:
    print(error.errno)
""",
    )
    assert lines == ["True", "-260"]


def test_flash_ends_where_the_partition_ends(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        OPEN
        + """
for wrong in (lambda: read(127, 4090, 7), lambda: flash.writeblocks(128, b"x", 0),
              lambda: flash.ioctl(6, 128), lambda: flash.writeblocks(0, b"x", -1)):
    try:
        wrong()
        print("accepted")
    except OSError:
        print("refused")
print(read(127, 4090, 6) == b"\\xff" * 6, esp32.Partition.find(1, label="nothing"))
""",
    )
    assert lines == ["refused"] * 4 + ["True []"]


def test_flash_and_committed_storage_survive_a_power_cut(tmp_path: Path) -> None:
    code = (
        OPEN
        + """
nvs = esp32.NVS("test")
def get(name):
    try:
        return nvs.get_i32(name)
    except OSError as error:
        return error.errno
blob = bytearray(8)
try:
    length = nvs.get_blob("blob", blob)
except OSError:
    length = None
print(read(3, 0, 5), get("kept"), get("lost"), length)
flash.writeblocks(3, b"power", 0)
nvs.set_i32("kept", -7)
nvs.set_blob("blob", b"bytes")
nvs.commit()
nvs.set_i32("lost", 8)
print("ready", get("lost"))
"""
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                while "ready 8" not in unit.console():
                    await event(events, "console")
                await unit.power_cut()
                await unit.power_on()
                line = "ready 8"
                while line == "ready 8":  # the first start's own came together with another line
                    line = await event(events, "console")
                assert line == "b'power' -7 -4354 5"

    go(work)


def test_keys_can_be_erased_and_a_small_buffer_is_refused(tmp_path: Path) -> None:
    lines = say(
        tmp_path,
        """
import esp32
nvs = esp32.NVS("test")
nvs.set_blob("blob", b"12345678")
nvs.commit()
for wrong in (lambda: nvs.get_blob("blob", bytearray(4)), lambda: nvs.erase_key("none"),
              lambda: nvs.set_i32("a_key_of_16_char", 1), lambda: nvs.get_i32("blob")):
    try:
        wrong()
    except OSError as error:
        print(error.errno)
nvs.erase_key("blob")
nvs.commit()
try:
    esp32.NVS("test").get_blob("blob", bytearray(8))
except OSError as error:
    print(error.errno)
""",
    )
    assert lines == ["-4364", "-4354", "-4361", "-4354", "-4354"]


def test_the_power_can_fail_in_the_middle_of_programming(tmp_path: Path) -> None:
    code = (
        OPEN
        + """
async def main():
    print("has", read(0, 0, 8))
    await asyncio.sleep_ms(300)
    flash.writeblocks(0, b"12345678", 0)
    print("not reached when the power fails")
    while True:
        await asyncio.sleep(1)
asyncio.run(main())
"""
    )

    async def work() -> None:
        async with powered(tmp_path, code) as unit:
            with unit.watch() as events:
                await unit.fault("flash", "cut", after=3)
                assert await event(events, "power") == "cut"
                await unit.power_on()
                assert "123" in await event(events, "console")
                assert "not reached when the power fails" not in unit.console()

    go(work)
