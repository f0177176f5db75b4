"""MicroPython's `esp`, as far as the factory test uses it."""

# Runs on MicroPython only: CPython's types do not fit.
# mypy: ignore-errors


def flash_size():
    """Bytes of the flash chip."""
    return 4 * 1024 * 1024
