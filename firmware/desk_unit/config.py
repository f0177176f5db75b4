"""The unit's configuration: one JSON file, checked completely before anything starts."""

import json
from binascii import unhexlify

_MAX_COUNT = 2**32 - 1


class ConfigError(Exception):
    """The configuration can't be used; the message names the file, the field and the remedy."""


class Config:
    """What makes this unit this unit.

    Args:
        text: JSON: `site`, `unit`, `site_key` (32 to 128 hex digits), `broker` (`host`, `port`,
            `username`, `password`), `wifi` (`ssid`, `password`), `boot_base` (the lowest boot
            number to use; for a unit that replaces another one of the same name), `quiet` (no
            sound), `break_minutes` (the break that is offered after a report; 0: none).
        name: The file's name, for messages.

    Raises:
        ConfigError: Something is missing or wrong. Nothing secret is in the message.
    """

    def __init__(self, text: str, name: str = "/config.json") -> None:
        self._name = name
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            self._wrong("it is not a JSON object")
        self.site = self._label(fields, "site")
        self.unit = self._label(fields, "unit")
        self.site_key = self._key(fields)
        broker = self._section(fields, "broker")
        self.host = self._text(broker, "host")
        self.port = self._number(broker, "port", 1883, 1, 65535)
        self.username = self._text(broker, "username", required=False)
        self.password = self._text(broker, "password", required=False)
        wifi = self._section(fields, "wifi")
        self.ssid = self._text(wifi, "ssid")
        self.wifi_password = self._text(wifi, "password", required=False)
        self.boot_base = self._number(fields, "boot_base", 1, 1, _MAX_COUNT)
        self.quiet = self._flag(fields, "quiet")
        self.break_minutes = self._number(fields, "break_minutes", 10, 0, 120)

    def _wrong(self, what: str) -> None:
        raise ConfigError(
            "%s can't be used: %s. Nothing was started; provision the unit again."
            % (self._name, what)
        )

    def _section(self, fields, name: str):
        value = fields.get(name)
        if not isinstance(value, dict):
            self._wrong("'%s' is not an object" % name)
        return value

    def _text(self, fields, name: str, required: bool = True):
        value = fields.get(name)
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value or len(value) > 128:
            self._wrong("'%s' is not a text of 1 to 128 characters" % name)
        return value

    def _label(self, fields, name: str) -> str:
        value = self._text(fields, name)
        allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
        if len(value) > 32 or value[0] == "-" or not all(c in allowed for c in value):
            self._wrong("'%s' is not 1 to 32 of a-z, 0-9 and -, not beginning with -" % name)
        return value

    def _number(self, fields, name: str, default: int, least: int, most: int) -> int:
        value = fields.get(name, default)
        if type(value) is not int or not least <= value <= most:
            self._wrong("'%s' is not a number from %d to %d" % (name, least, most))
        return value

    def _flag(self, fields, name: str) -> bool:
        value = fields.get(name, False)
        if type(value) is not bool:
            self._wrong("'%s' is neither true nor false" % name)
        return value

    def _key(self, fields) -> bytes:
        value = self._text(fields, "site_key")
        try:
            key = unhexlify(value)
        except ValueError:
            key = b""
        if len(key) < 16 or len(key) > 64:
            self._wrong("'site_key' is not 32 to 128 hex digits")
        return key
