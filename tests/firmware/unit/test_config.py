"""The configuration file and the boot number."""

import json

from desk_unit import boots
from desk_unit.config import Config, ConfigError

GOOD = {
    "site": "milano",
    "unit": "a1",
    "site_key": "00112233445566778899aabbccddeeff",
    "broker": {"host": "127.0.0.1", "port": 1884, "username": "a1", "password": "secret"},
    "wifi": {"ssid": "desk", "password": "air"},
    "boot_base": 5,
}


def changed(**fields):
    return json.dumps(dict(GOOD, **fields))


def refusal(text):
    try:
        Config(text)
    except ConfigError as error:
        return str(error)
    raise AssertionError("accepted: " + text)


def test_good_configuration_is_taken():
    config = Config(json.dumps(GOOD))
    assert (config.site, config.unit, config.boot_base) == ("milano", "a1", 5)
    assert (config.host, config.port) == ("127.0.0.1", 1884)
    assert (config.username, config.password) == ("a1", "secret")
    assert (config.ssid, config.wifi_password) == ("desk", "air")
    assert config.site_key == bytes(range(0, 256, 17))


def test_what_may_be_left_out_has_a_default():
    short = {"broker": {"host": "b"}, "wifi": {"ssid": "s"}}
    fields = dict(GOOD, **short)
    del fields["boot_base"]
    config = Config(json.dumps(fields))
    assert (config.port, config.username, config.password) == (1883, None, None)
    assert config.wifi_password is None
    assert config.boot_base == 1


def test_bad_configurations_are_refused_by_name():
    assert "JSON object" in refusal("{")
    assert "JSON object" in refusal("[]")
    for name in ("Milano", "", "-a", "a" * 33, "a/b", "a+", 7, None):
        assert "'site'" in refusal(changed(site=name))
        assert "'unit'" in refusal(changed(unit=name))
    for key in ("", "0011", "zz" * 16, "00" * 65, 5):
        assert "'site_key'" in refusal(changed(site_key=key))
    for port in (0, 65536, "1883", True, None):
        assert "'port'" in refusal(changed(broker={"host": "b", "port": port}))
    assert "'host'" in refusal(changed(broker={}))
    assert "'broker'" in refusal(changed(broker=[]))
    assert "'ssid'" in refusal(changed(wifi={"ssid": ""}))
    assert "'boot_base'" in refusal(changed(boot_base=0))


def test_no_secret_is_in_a_refusal():
    text = refusal(changed(site_key="not hex, but secret", broker={"host": ""}))
    assert "secret" not in text


class Nvs:
    def __init__(self):
        self.values = {}
        self.pending = {}

    def get_i32(self, key):
        if key not in self.values:
            raise OSError("ESP_ERR_NVS_NOT_FOUND")
        return self.values[key]

    def set_i32(self, key, value):
        assert -(1 << 31) <= value < 1 << 31
        self.pending[key] = value

    def commit(self):
        self.values.update(self.pending)


class Counted:
    def __init__(self, boot=0, seq=0):
        self.last = (boot, seq)


def test_boot_number_grows_with_every_start():
    nvs = Nvs()
    for expected in (1, 2, 3):
        assert boots.begin(nvs, (Counted(), Counted()), 1) == expected


def test_boot_number_is_above_all_that_is_known():
    assert boots.begin(Nvs(), (Counted(7), Counted(9)), 1) == 10
    assert boots.begin(Nvs(), (Counted(7), Counted(9)), 40) == 40
    nvs = Nvs()
    boots.begin(nvs, (), 40)
    assert boots.begin(nvs, (Counted(7),), 1) == 41


def test_boot_number_beyond_31_bits_is_stored():
    nvs = Nvs()
    assert boots.begin(nvs, (), 1 << 31) == 1 << 31
    assert boots.begin(nvs, (), 1) == (1 << 31) + 1


def test_last_boot_counts_each_lane_of_the_newest_boot():
    assert boots.last_counted(Counted(), Counted()) is None
    assert boots.last_counted(Counted(4, 9), Counted(4, 2)) == (4, 9, 2)
    assert boots.last_counted(Counted(4, 9), Counted(3, 2)) == (4, 9, 0)
    assert boots.last_counted(Counted(3, 9), Counted(4, 2)) == (4, 0, 2)
