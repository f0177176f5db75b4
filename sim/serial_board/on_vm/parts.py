"""What this board is made of: its flash file, its MAC, the parts that are missing."""

# Runs on MicroPython only: CPython's types do not fit.
# mypy: ignore-errors

flash = None
mac = b""
missing = ()


def begin(path, address, absent):
    """Open the flash and note the rest, before the host's files disappear."""
    global flash, mac, missing  # noqa: PLW0603 - one board a process
    flash = open(path, "r+b")  # noqa: SIM115, PTH123 - open as long as the board lives
    mac = bytes(int(address[i : i + 2], 16) for i in range(0, 12, 2))
    missing = tuple(absent.split(","))


def has(part):
    """Is it soldered in?"""
    return part not in missing
