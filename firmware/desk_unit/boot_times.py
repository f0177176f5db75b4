"""When each of the latest boots began, by the wall clock, as far as it was ever known.

A fact that was made before the first synchronisation gets its true time all the same: uptime and
the start of its boot add up to it, whenever that start became known. For facts of earlier boots
the starts are kept in NVS, which survives a power cut at any moment.
"""

import struct

from port import const

_KEY = "starts"
_RECORD = "<IIHB"
_SIZE = const(11)
_BOOTS = const(8)
_MOVED_MS = const(1_000)
_PAUSE_MS = const(3_600_000)


class BootTimes:
    """The starts of this boot and of the seven before it.

    Args:
        boot: The present boot.
        uptime: The unit's `Uptime`.
        wall: The unit's `WallClock`.
        nvs: Has `get_blob(key, buffer)`, which raises OSError when there is none,
            `set_blob(key, value)` and `commit()`, as `esp32.NVS`.
    """

    def __init__(self, boot: int, uptime, wall, nvs) -> None:
        self._boot = boot
        self._uptime = uptime
        self._wall = wall
        self._nvs = nvs
        self._kept = (0, 0)
        self._kept_at = -_PAUSE_MS
        self._starts = self._read()
        self._starts.pop(boot, None)

    def of(self, boot: int, up: int, at: int, clock: int):
        """(Unix ms, quality) of what happened at uptime `up` of `boot`.

        Args:
            boot: Its boot.
            up: Its uptime in milliseconds.
            at: What the unit's clock said then, 0 if nothing.
            clock: That clock's quality then.
        """
        if boot == self._boot:
            return self._wall.at(up), self._wall.quality
        start, quality = self._starts.get(boot, (0, 0))
        return (start + up, quality) if start else (at, clock)

    def keep(self) -> None:
        """Write this boot's start when it is new, or has moved; call it every second or so.

        Besides the first time it is written once an hour at the most, and only if it has moved
        by a second, or its quality has changed: flash lasts.
        """
        now = (self._wall.at(0), self._wall.quality)
        if not now[1] or (now[1] == self._kept[1] and abs(now[0] - self._kept[0]) < _MOVED_MS):
            return
        up = self._uptime.now()
        if self._kept[1] and up - self._kept_at < _PAUSE_MS:
            return
        self._kept, self._kept_at = now, up
        try:
            self._write()
        except OSError:
            pass  # times of facts that a reboot leaves behind are less sure then, nothing else

    def _read(self) -> dict:
        buffer = bytearray(_BOOTS * _SIZE)
        try:
            length = self._nvs.get_blob(_KEY, buffer)
        except OSError:
            return {}
        starts = {}
        for offset in range(0, length - _SIZE + 1, _SIZE):
            boot, low, high, quality = struct.unpack_from(_RECORD, buffer, offset)
            starts[boot] = (high << 32 | low, quality)
        return starts

    def _write(self) -> None:
        latest = sorted(self._starts)[1 - _BOOTS :]
        self._starts = {boot: self._starts[boot] for boot in latest}
        blob = b""
        for boot, (start, quality) in list(self._starts.items()) + [(self._boot, self._kept)]:
            blob += struct.pack(_RECORD, boot, start & 0xFFFFFFFF, start >> 32, quality)
        self._nvs.set_blob(_KEY, blob)
        self._nvs.commit()
