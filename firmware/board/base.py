"""What link and memory need of the ESP32, with the least that can go wrong: safe mode has no more.

Sources: MicroPython 1.28 ESP32 quick reference (`esp32.Partition`, `esp32.NVS`, `network.WLAN`,
`machine.reset_cause`).
"""

import asyncio
import random
import socket
from time import gmtime

import esp32
import machine
import network

from port import const, sleep_ms

_JOIN_MS = const(15_000)
_JOIN_LOOK_MS = const(100)
_EPOCH = 946_684_800 if gmtime(0)[0] == 2000 else 0  # MicroPython's ESP32 counts from 2000


class Wifi:
    """The station interface.

    Args:
        ssid: Network name.
        password: Its password, or None for an open network.
    """

    def __init__(self, ssid: str, password) -> None:
        self._ssid = ssid
        self._password = password
        self._station = network.WLAN(network.WLAN.IF_STA)
        self._station.active(True)
        # Power saving would hold incoming messages back for up to 300 ms.
        self._station.config(pm=network.WLAN.PM_NONE)

    def is_up(self) -> bool:
        """Whether there is an address."""
        return self._station.isconnected()

    async def up(self) -> None:
        """Join the network, unless the driver has already done so by itself.

        Raises:
            OSError: It did not work within 15 s.
        """
        if self.is_up():
            return
        self._station.disconnect()
        self._station.connect(self._ssid, self._password)
        for _ in range(_JOIN_MS // _JOIN_LOOK_MS):
            await sleep_ms(_JOIN_LOOK_MS)
            if self.is_up():
                return
        raise OSError("Wi-Fi status %d" % self._station.status())


class Base:
    """The part of a unit's hardware that is no chip on the board.

    Args:
        config: The unit's `Config`.
        starts: Its `desk_unit.starts.Starts`.
        feed: Feeds the watchdog.
    """

    def __init__(self, config, starts, feed) -> None:
        self.flashes = (_partition("journal"), _partition("button"))
        self.nvs = esp32.NVS("chequer")
        self.wifi = Wifi(config.ssid, config.wifi_password) if config.ssid else None
        # open_connection looks the name up anew for every connection.
        self.resolve = lambda name, port: (name, port)
        self.connect = asyncio.open_connection
        self.open_serial = _open_serial
        self.open_udp = _open_udp
        self.set_clock = _set_clock
        self.random = lambda: random.getrandbits(16)
        self.cause = _cause()
        self.starts = starts
        self.log = print
        self.feed = feed
        self.reset = machine.reset


def _open_serial():
    """Awaits to the serial line's streams; its code is loaded where the link is serial only."""
    from board.console import open_console

    return open_console()


def _open_udp(name: str, port: int):
    """A datagram socket that hears one peer only. Blocks until the name server has answered."""
    family, kind, protocol, _, address = socket.getaddrinfo(name, port, 0, socket.SOCK_DGRAM)[0]
    udp = socket.socket(family, kind, protocol)
    udp.setblocking(False)
    udp.connect(address)
    return udp


def _set_clock(time: int) -> None:
    """Set the chip's clock to `time` (Unix ms, UTC)."""
    # The unix port's tuple is longer by one than the ESP32's.
    year, month, day, hour, minute, second, weekday = gmtime(time // 1000 - _EPOCH)[:7]
    microseconds = time % 1000 * 1000
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, microseconds))


def _partition(label: str):
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    return found[0] if found else None


def _cause() -> str:
    causes = {
        machine.PWRON_RESET: "power",
        machine.HARD_RESET: "hard",
        machine.WDT_RESET: "watchdog",
        machine.DEEPSLEEP_RESET: "deepsleep",
        machine.SOFT_RESET: "soft",
    }
    return causes.get(machine.reset_cause(), "unknown")
