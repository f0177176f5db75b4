"""The unit's configuration: one JSON file, checked completely before anything starts."""

import json
from binascii import a2b_base64, unhexlify

from port import const

from .json_lines import Mistake, lines_of

_MAX_COUNT = 2**32 - 1
_LONGEST = const(8192)
_LONGEST_TEXT = const(128)
_LONGEST_PEM = const(4096)
_SENSORS = ("ld2410", "pir", "seat-switch")
_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


class ConfigError(Exception):
    """The configuration can't be used; the message names file, line, field and remedy."""


class Config:
    """What makes this unit this unit. docs/firmware.md, "Configuration", describes the fields.

    Args:
        text: JSON, as text or as bytes.
        name: The file's name, for messages.

    Raises:
        ConfigError: Something is missing or wrong. Nothing secret is in the message.
    """

    def __init__(self, text: "str | bytes", name: str = "/config.json") -> None:
        self._name = name
        self._lines: dict[str, int] = {}
        self.fault = ""
        """What is wrong with the unit's configuration file though this one is in use."""
        fields = self._decoded(text)
        self.site = self._label(fields, "site")
        self.unit = self._label(fields, "unit")
        self.site_key = self._hex(fields, "site_key", 16)
        self.boot_base = self._number(fields, "boot_base", 1, 1, _MAX_COUNT)
        self.link = fields.get("link", "wifi")
        """How facts travel: "wifi" (MQTT to a broker) or "serial" (frames to a gateway)."""
        if self.link not in ("wifi", "serial"):
            self._wrong("link", "is neither wifi nor serial")
        self.sntp = self._text(fields, "sntp", required=False)
        """Name or address of an SNTP server, or None: then the host's time is all there is."""
        wireless = self.link == "wifi"
        self._read_broker(self._section(fields, "broker", required=wireless), wireless)
        if self.ca and not self.sntp:
            self._wrong("broker.tls.ca", "needs 'sntp': without a clock no date can be checked")
        wifi = self._section(fields, "wifi", required=wireless)
        self.ssid = self._text(wifi, "wifi.ssid", required=wireless)
        self.wifi_password = self._text(wifi, "wifi.password", required=False)
        self.quiet = self._flag(fields, "quiet")
        self.break_minutes = self._number(fields, "break_minutes", 10, 0, 120)
        self.reader = fields.get("reader", "mfrc522")
        """The RFID reader's chip: "mfrc522" or "pn532"."""
        if self.reader not in ("mfrc522", "pn532"):
            self._wrong("reader", "is neither mfrc522 nor pn532")
        self.presence = self._sensors(fields)
        """The sensors that tell whether somebody is there, one to three."""

    def _read_broker(self, broker, required: bool) -> None:
        self.host = self._text(broker, "broker.host", required)
        self.username = self._text(broker, "broker.username", required=False)
        self.password = self._text(broker, "broker.password", required=False)
        self.ca: "bytes | None" = None
        """The one certificate authority that is trusted, DER; None without TLS by certificate."""
        self.server_name: "str | None" = None
        """The name that the broker's certificate must bear."""
        self.psk: "tuple[str, bytes] | None" = None
        """(identity, key) for TLS-PSK, or None."""
        tls = self._section(broker, "broker.tls", required=False)
        if tls:
            self._read_tls(tls)
        secure = self.ca is not None or self.psk is not None
        self.port = self._number(broker, "broker.port", 8883 if secure else 1883, 1, 65535)

    def _read_tls(self, tls) -> None:
        identity = self._text(tls, "broker.tls.psk_identity", required=False)
        if identity is not None:
            if "ca" in tls:
                self._wrong("broker.tls", "has both 'ca' and 'psk_identity': one must go")
            self.psk = (identity, self._hex(tls, "broker.tls.psk", 16))
            return
        self.ca = self._certificate(tls)
        self.server_name = self._text(tls, "broker.tls.name", required=False) or self.host

    def _wrong(self, path: str, what: str) -> None:
        at = path
        while at and at not in self._lines:
            at = at[: max(0, at.rfind("."))]
        self._refuse(self._lines.get(at, 1), "'%s' %s" % (path, what))

    def _refuse(self, line: int, what: str) -> None:
        raise ConfigError(
            "%s, line %d: %s. Correct it and provision the unit again." % (self._name, line, what)
        )

    def _decoded(self, text) -> dict:
        if len(text) > _LONGEST:
            self._refuse(1, "longer than %d bytes" % _LONGEST)
        if not isinstance(text, str):
            text = self._utf8(text)
        mistake = None
        try:
            self._lines = lines_of(text)
            fields = json.loads(text)
        except Mistake as error:
            mistake = error
        except Exception:  # what the decoder makes of a number that no float can hold
            mistake = Mistake(1, "it can't be decoded")
        if mistake:
            self._refuse(mistake.line, mistake.what)
        if not isinstance(fields, dict):
            self._refuse(1, "it is not a JSON object")
        return fields

    def _utf8(self, data: bytes) -> str:
        line = 1
        try:
            for row in data.split(b"\n"):
                row.decode()
                line += 1
            return data.decode()
        except ValueError:
            pass
        self._refuse(line, "it is not UTF-8")
        return ""

    def _section(self, fields, path: str, required: bool = True):
        value = fields.get(_last(path))
        if value is None and not required:
            return {}
        if not isinstance(value, dict):
            self._wrong(path, "is not an object")
        return value

    def _text(self, fields, path: str, required: bool = True, most: int = _LONGEST_TEXT):
        value = fields.get(_last(path))
        if value is None and not required:
            return None
        if not isinstance(value, str) or not 1 <= _size(value) <= most:
            self._wrong(path, "is not a text of 1 to %d bytes" % most)
        if most == _LONGEST_TEXT and any(c < " " for c in value):
            self._wrong(path, "has a control character in it")
        return value

    def _label(self, fields, path: str) -> str:
        value = self._text(fields, path)
        allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
        if len(value) > 32 or value[0] == "-" or not all(c in allowed for c in value):
            self._wrong(path, "is not 1 to 32 of a-z, 0-9 and -, not beginning with -")
        return value

    def _number(self, fields, path: str, default: int, least: int, most: int) -> int:
        value = fields.get(_last(path), default)
        if type(value) is not int or not least <= value <= most:
            self._wrong(path, "is not a number from %d to %d" % (least, most))
        return value

    def _sensors(self, fields) -> tuple:
        value = fields.get("presence", _SENSORS[:1])
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= len(_SENSORS):
            self._wrong("presence", "is not a list of 1 to 3 of ld2410, pir and seat-switch")
        for i in range(len(value)):
            if value[i] not in _SENSORS:
                self._wrong("presence", "has something else in it than ld2410, pir, seat-switch")
            if value[i] in value[:i]:
                self._wrong("presence", "has the same sensor twice")
        return tuple(value)

    def _flag(self, fields, path: str) -> bool:
        value = fields.get(_last(path), False)
        if type(value) is not bool:
            self._wrong(path, "is neither true nor false")
        return value

    def _hex(self, fields, path: str, least: int) -> bytes:
        value = self._text(fields, path)
        try:
            key = unhexlify(value)
        except ValueError:
            key = b""
        if len(key) < least or len(key) > 64:
            self._wrong(path, "is not %d to 128 hex digits" % (2 * least))
        return key

    def _certificate(self, tls) -> bytes:
        """DER of the one PEM certificate [RFC 7468]."""
        pem = self._text(tls, "broker.tls.ca", most=_LONGEST_PEM)
        start, end = pem.find(_BEGIN), pem.find(_END)
        der = b""
        if 0 <= start < end and pem.count(_BEGIN) == 1:
            try:
                der = a2b_base64("".join(pem[start + len(_BEGIN) : end].split()))
            except ValueError:
                pass
        if der[:1] != b"\x30":  # ASN.1 SEQUENCE
            self._wrong("broker.tls.ca", "is not one PEM certificate")
        return der


def _size(text: str) -> int:
    """Bytes in UTF-8; 0 for half a surrogate pair, which is no character."""
    try:
        return len(text.encode().decode().encode())
    except ValueError:
        return 0


def _last(path: str) -> str:
    return path[path.rfind(".") + 1 :]
