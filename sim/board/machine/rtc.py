"""`machine.RTC`: a clock, and 2,048 bytes that survive every reset but not a power cut."""

import time

_FILE = "/soc/rtc.bin"
_SIZE = 2048
_offset = 0


class RTC:
    """The one real-time clock."""

    def memory(self, data=None):
        """Read the memory, or write it (up to 2,048 bytes)."""
        if data is None:
            try:
                with open(_FILE, "rb") as file:
                    return file.read()
            except OSError:
                return b""
        if len(data) > _SIZE:
            raise ValueError("buffer too long")
        with open(_FILE, "wb") as file:
            file.write(data)
        return None

    def datetime(self, moment=None):
        """Read or set (year, month, day, weekday, hours, minutes, seconds, microseconds)."""
        global _offset
        if moment is None:
            now = time.gmtime(time.time() + _offset)
            return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)
        year, month, day, _, hours, minutes, seconds, _ = moment
        _offset = time.mktime((year, month, day, hours, minutes, seconds, 0, 0)) - time.time()
        return None
