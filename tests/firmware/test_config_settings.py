"""Settings carry everything that a configuration has, so its reader may leave the memory."""

import json

from desk_unit.config import Config
from desk_unit.settings import Settings
from host_bridge.provision.credentials import Credentials
from host_bridge.provision.site import Broker, Chips, Site, Wifi

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


def test_the_chips_of_a_site_are_in_the_configuration_as_the_firmware_reads_it():
    site = Site(
        name="hq",
        key="00" * 32,
        broker=Broker(host="broker.example"),
        wifi=Wifi(ssid="desks", password="long enough"),
        chips=Chips(reader="pn532", presence=("seat-switch", "pir")),
    )
    config = Config(Credentials(site, "u1", 1).config())
    assert (config.reader, config.presence) == ("pn532", ("seat-switch", "pir"))
