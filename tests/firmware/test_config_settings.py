"""Settings carry everything that a configuration has, so its reader may leave the memory."""

import json

from desk_unit.config import Config
from desk_unit.settings import Settings

TEXT = json.dumps(
    {
        "site": "hq",
        "unit": "a1",
        "site_key": "00" * 32,
        "broker": {"host": "broker.example", "port": 1883},
        "wifi": {"ssid": "desks"},
    }
)


def test_settings_have_every_public_value_of_a_configuration():
    config = Config(TEXT)
    public = {name: value for name, value in vars(config).items() if not name.startswith("_")}
    assert vars(Settings(config)) == public
