"""The boot number: grows with every start, and is durable before any fact carries it."""

_KEY = "boot"
_SIGN = 1 << 31
_MAX_COUNT = 2**32 - 1


def begin(nvs, journals, base: int) -> int:
    """The number of this boot: above all that NVS, the journals and the configuration know.

    Args:
        nvs: Has `get_i32(key)`, which raises OSError when there is none, `set_i32(key, value)`
            and `commit()`.
        journals: The mounted journals.
        base: The lowest number to use.

    Raises:
        OSError: The number can't be stored. It is the caller's to decide whether to go on with
            the number that `next_after` gives.
    """
    boot = next_after(_stored(nvs), journals, base)
    nvs.set_i32(_KEY, boot - (1 << 32) if boot >= _SIGN else boot)
    nvs.commit()
    return boot


def next_after(stored: int, journals, base: int) -> int:
    """One more than the largest of `stored`, the journals' last boots and `base` - 1."""
    boot = max(stored, base - 1)
    for journal in journals:
        boot = max(boot, journal.last[0])
    return min(boot, _MAX_COUNT - 1) + 1


def last_counted(ordinary, button):
    """(boot, ordinary, button): how far the newest boot with any fact had counted; or None."""
    boot = max(ordinary.last[0], button.last[0])
    if not boot:
        return None
    return (
        boot,
        ordinary.last[1] if ordinary.last[0] == boot else 0,
        button.last[1] if button.last[0] == boot else 0,
    )


def _stored(nvs) -> int:
    try:
        return nvs.get_i32(_KEY) & _MAX_COUNT
    except OSError:  # a new unit
        return 0
