"""`network` as on MicroPython's ESP32 port: a station whose access point can be switched off.

Sockets are the operating system's own. The parent stands between them and the broker and holds
back every byte while the access point is away, as air does.
"""

import time

import circuit

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_JOIN_MS = 150

_hostname = "mpy-esp32"


class _Air:
    """What stations share: is the access point there, and since when."""

    present = True
    since = time.ticks_ms()


def air(present):
    """Switch the access point on or off."""
    if present != _Air.present:
        _Air.present = present
        _Air.since = time.ticks_ms()


def hostname(name=None):
    """Read or set the host name."""
    global _hostname
    if name is not None:
        _hostname = name
    return _hostname


def country(code=None):
    """Read or set the regulatory domain; there is none here."""
    return code or "XX"


class WLAN:
    """The station. It joins again by itself, as the ESP32's driver does by default."""

    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    _station = None

    def __new__(cls, interface=STA_IF):
        """The one station."""
        if interface != STA_IF:
            raise ValueError("only the station is simulated")
        if cls._station is None:
            station = super().__new__(cls)
            station._active = False
            station._asked = None
            station._config = {"reconnects": -1, "txpower": 20.0, "pm": cls.PM_PERFORMANCE}
            cls._station = station
        return cls._station

    def __init__(self, interface=STA_IF):
        pass

    def active(self, on=None):
        """Read or set whether the radio runs."""
        if on is not None:
            self._active = bool(on)
            if not on:
                self._asked = None
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None):
        """Begin to join; `isconnected` tells when that is done."""
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._asked is None:
            self._asked = time.ticks_ms()
        if ssid is not None:
            self._config["ssid"] = ssid

    def disconnect(self):
        """Leave, and stay away."""
        if not self._active:
            raise OSError("Wifi Not Started")
        self._asked = None

    def isconnected(self):
        """Whether there is an address."""
        return self.status() == STAT_GOT_IP

    def status(self, what=None):
        """One of the STAT_ constants; with "rssi", the signal in dBm."""
        if what == "rssi":
            return -55
        if what is not None:
            raise ValueError("unknown status param")
        if not self._active or self._asked is None:
            return STAT_IDLE
        now = time.ticks_ms()
        if not _Air.present:
            lost = time.ticks_diff(now, _Air.since) < 1000
            return STAT_BEACON_TIMEOUT if lost else STAT_NO_AP_FOUND
        begun = self._asked if time.ticks_diff(self._asked, _Air.since) > 0 else _Air.since
        return STAT_GOT_IP if time.ticks_diff(now, begun) >= _JOIN_MS else STAT_CONNECTING

    def ifconfig(self, config=None):
        """(address, mask, gateway, name server)."""
        if self.isconnected():
            return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")
        return ("0.0.0.0",) * 4  # noqa: S104 (no address yet)

    def ipconfig(self, param=None, **config):
        """The newer way to ask: "addr4", "gw4", "has_dhcp4"."""
        address, mask, gateway, _ = self.ifconfig()
        return {"addr4": (address, mask), "gw4": gateway, "has_dhcp4": self.isconnected()}.get(
            param
        )

    def config(self, param=None, **settings):
        """Read one setting ("mac", "ssid", "pm" ...) or set several."""
        if param is None:
            self._config.update(settings)
            return None
        if param == "mac":
            from machine import unique_id

            return unique_id()
        if param not in self._config:
            raise ValueError("unknown config param")
        return self._config[param]

    def scan(self):
        """(ssid, bssid, channel, rssi, security, hidden) of what is on the air."""
        name = self._config.get("ssid", "sim").encode()
        return [(name, b"\x02\0\0\0\0\1", 6, -55, 3, False)] if _Air.present else []


# The station listens to `circuit`, not the other way round: without Wi-Fi this file is not loaded.
circuit.air = air
if not circuit.air_present:
    air(False)
