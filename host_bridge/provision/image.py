"""MicroPython's image for the ESP32, with our partition table put in place of its own.

The published file (`ESP32_GENERIC-OTA-….bin`) is one piece from flash address 0x1000: boot loader,
partition table at 0x8000, application at 0x10000 (MicroPython, ports/esp32/makeimg.py). Both the
boot loader and the application begin with E9 (ESP-IDF, "App Image Format").
"""

from pathlib import Path

from host_bridge.provision import partitions
from host_bridge.provision.errors import SetupError
from host_bridge.provision.partitions import Partition

IMAGE_OFFSET = 0x1000
"""Where the image begins in flash."""

_MAGIC = 0xE9
_TABLE = partitions.TABLE_OFFSET - IMAGE_OFFSET


def prepare(path: Path, table: list[Partition]) -> bytes:
    """Read an image and put `table` into it; what comes back is written at `IMAGE_OFFSET`.

    Raises:
        SetupError: The file can't be read, is no such image, or its application is too large.
    """
    try:
        image = path.read_bytes()
    except OSError as error:
        raise SetupError(
            f"{path}: can't be read ({error.strerror}).",
            todo="Name MicroPython's ESP32_GENERIC-OTA image with --image.",
        ) from error
    app = next(part for part in table if part.kind == "app")
    start = app.offset - IMAGE_OFFSET
    if len(image) <= start or image[0] != _MAGIC or image[start] != _MAGIC:
        raise SetupError(
            f"{path}: this is not MicroPython's whole image for the ESP32 (boot loader at 0x1000, "
            f"application at {app.offset:#x}).",
            todo="Take the .bin file of the ESP32_GENERIC board, variant OTA; not the .app-bin.",
        )
    if len(image) - start > app.size:
        raise SetupError(
            f"{path}: its application has {len(image) - start} bytes, the partition {app.label} "
            f"only {app.size}.",
            todo="Take the image of the variant OTA, which is built for 1.5 MiB.",
        )
    binary = partitions.encode(table)
    return image[:_TABLE] + binary + image[_TABLE + len(binary) :]
