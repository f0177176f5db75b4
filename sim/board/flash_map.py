"""The partition table of the board's flash, from where it is written: hardware/partitions.csv.

Runs on MicroPython and on CPython. `host_bridge/provision/partitions.py` is who checks the file.
"""

_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    "ota_0": 0x10,
    "ota_1": 0x11,
    "ota": 0,
    "phy": 1,
    "nvs": 2,
    "undefined": 6,
    "fat": 0x81,
}
_UNITS = {"K": 1024, "M": 1024 * 1024}


def load(path: str) -> "dict[str, tuple[int, int, int, int]]":
    """Label -> (type, subtype, address, size in bytes) of each partition.

    Raises:
        OSError: There is no such file.
    """
    table = {}
    with open(path) as file:
        for line in file:
            cells = [cell.strip() for cell in line.split(",")]
            if len(cells) >= 5 and not line.startswith("#"):
                label, kind, subtype, address, size = cells[:5]
                table[label] = (_TYPES[kind], _SUBTYPES[subtype], int(address, 16), _bytes(size))
    return table


def _bytes(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else int(text, 0)
