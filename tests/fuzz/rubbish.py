"""What a wire must not let through. Runs on CPython and on MicroPython."""


class RubbishError(Exception):
    """Something was taken for good that is not."""


def check(condition, what):
    """Raise when what was taken in is not as it must be."""
    if not condition:
        raise RubbishError(what)
