"""What makes a board this unit: `config.json`, as `firmware/desk_unit/config.py` reads it."""

import json
import secrets
from datetime import UTC, datetime

from host_bridge.provision.site import Site

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_BOOTS_ASIDE = 60


class Credentials:
    """One unit's configuration with a fresh broker password. Its text never says what is in it."""

    def __init__(self, site: Site, unit: str, boot_base: int) -> None:
        self.unit = unit
        self.password = secrets.token_urlsafe(24)
        self._site = site
        self._boot_base = boot_base

    def config(self) -> bytes:
        """The file, JSON in UTF-8."""
        site = self._site
        fields = {
            "site": site.name,
            "unit": self.unit,
            "site_key": site.key,
            "broker": {
                "host": site.broker.host,
                "port": site.broker.port,
                "username": self.unit,
                "password": self.password,
            },
            "wifi": {"ssid": site.wifi.ssid, "password": site.wifi.password},
            "boot_base": self._boot_base,
            "reader": site.chips.reader,
            "presence": site.chips.presence,
        }
        return json.dumps(fields).encode()

    def hide(self, text: str) -> str:
        """`text` with everything secret blotted out: for whatever a board has said."""
        for secret in (self.password, self._site.key, self._site.wifi.password):
            text = text.replace(secret, "[secret]")
        return text


def boot_base(now: datetime, before: int) -> int:
    """The lowest boot number for a unit provisioned now: minutes since 2020 (UTC).

    A unit starts far less often than once a minute, so a unit that replaces another one of its
    name begins above all that the old one had used. Two provisionings within minutes of each other
    are kept apart too: the base is at least 60 above the one `before` (0 when there was none).
    """
    minutes = int((now - _EPOCH).total_seconds()) // 60
    return max(minutes, before + _BOOTS_ASIDE if before else 0)
