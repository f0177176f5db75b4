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
    assert (config.reader, config.presence) == ("mfrc522", ("ld2410",))


def test_sensors_are_chosen_in_any_combination():
    for presence in (["ld2410"], ["pir"], ["seat-switch", "pir"], ["pir", "ld2410", "seat-switch"]):
        config = Config(changed(reader="pn532", presence=presence))
        assert (config.reader, config.presence) == ("pn532", tuple(presence))


def test_bad_configurations_are_refused_by_name():
    assert "JSON object" in refusal("[]")
    for name in ("Milano", "", "-a", "a" * 33, "a/b", "a+", 7, None):
        assert "'site'" in refusal(changed(site=name))
        assert "'unit'" in refusal(changed(unit=name))
    for key in ("", "0011", "zz" * 16, "00" * 65, 5):
        assert "'site_key'" in refusal(changed(site_key=key))
    for port in (0, 65536, "1883", True, None):
        assert "'broker.port'" in refusal(changed(broker={"host": "b", "port": port}))
    for host in ("", None, 7, "a" * 129, "a\x00b"):
        assert "'broker.host'" in refusal(changed(broker={"host": host}))
    assert "'broker'" in refusal(changed(broker=[]))
    assert "'wifi.ssid'" in refusal(changed(wifi={"ssid": ""}))
    assert "'boot_base'" in refusal(changed(boot_base=0))
    for link in ("", "usb", 1, None):
        assert "'link'" in refusal(changed(link=link))
    assert "'sntp'" in refusal(changed(sntp=[]))
    for reader in ("", "rc522", "PN532", 7, None, []):
        assert "'reader'" in refusal(changed(reader=reader))
    for presence in ("pir", [], None, {}, ["radar"], ["pir", "pir"], [["pir"]], [1], ["pir"] * 4):
        assert "'presence'" in refusal(changed(presence=presence)), presence


def test_refusal_names_the_line_of_the_field():
    text = json.dumps(GOOD).replace("{", "{\n").replace(", ", ",\n")
    lines = text.split("\n")
    for field, bad, path in (
        ('"site"', '"site": "Milano!"', "'site'"),
        ('"port"', '"port": "x"', "'broker.port'"),
        ('"ssid"', '"ssid": 5', "'wifi.ssid'"),
    ):
        at = next(i for i, line in enumerate(lines) if field in line)
        end = "," if lines[at].endswith(",") else ""
        wrong = lines[:at] + [bad + end] + lines[at + 1 :]
        found = refusal("\n".join(wrong))
        assert "/config.json, line %d: %s" % (at + 1, path) in found, found


def test_wrong_sensor_is_named_with_its_line():
    for wrong in ('"reader": "rc522"', '"presence": ["ear"]', '"presence":\n["pir",\n"pir"]'):
        found = refusal(json.dumps(GOOD)[:-1] + ",\n\n" + wrong + "}")
        assert "line 3: '%s'" % wrong[1 : wrong.index('":')] in found, found


def test_missing_field_is_named_with_the_line_of_its_section():
    text = '{\n"site": "s", "unit": "u",\n"site_key": "%s",\n"broker":\n{}}' % ("00" * 16)
    assert "line 4: 'broker.host'" in refusal(text)


def test_broken_json_is_named_with_its_line():
    for text, line, what in (
        ("", 1, "missing"),
        ("{\n\n'a': 1}", 3, "in quotes"),
        ('{"a": 1\n"b": 2}', 2, "','"),
        ('{"a": 1,\n"b" 2}', 2, "':'"),
        ('{"a": 1,\n}', 2, "in quotes"),
        ('{"a": 1}\n\nx', 3, "behind the end"),
        ('{"a":\n01}', 2, "','"),
        ('{"a":\n-}', 2, "digits"),
        ('{"a":\n1.}', 2, "digits"),
        ('{"a":\n"x', 2, "not closed"),
        ('{"a":\n"x\ny"}', 2, "not closed"),
        ('{"a":\n"\\q"}', 2, "backslash"),
        ('{"a":\n"\\u12x4"}', 2, "hex digits"),
        ('{"a":\ntru}', 2, "value is missing"),
        ('{"a": 1,\n"a": 2}', 2, "on line 1 already"),
        ("[" * 40, 1, "nested"),
        (b'{"a": 1,\n"b": "\xff"}', 2, "UTF-8"),
        ("x" * 9000, 1, "longer"),
    ):
        found = refusal(text)
        assert "line %d: " % line in found and what in found, (text, found)


def test_broken_utf8_anywhere_is_refused():
    for data in (b"\xff", b'"\xc3', b"\xc3\n\x28"):
        assert "UTF-8" in refusal(data)


def test_serial_unit_needs_neither_broker_nor_wifi():
    fields = {"site": "s", "unit": "u", "site_key": "00" * 16, "link": "serial"}
    config = Config(json.dumps(fields))
    assert config.link == "serial"
    assert (config.host, config.ssid) == (None, None)


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n"


def broker(**tls):
    return changed(broker={"host": "b.example", "tls": tls}, sntp="time.example")


def test_certificate_authority_becomes_der_and_names_the_broker():
    config = Config(broker(ca=PEM))
    assert config.ca == b"\x30\x82\x01\x00\x00\x00"
    assert (config.server_name, config.port, config.psk) == ("b.example", 8883, None)
    assert Config(broker(ca=PEM, name="other")).server_name == "other"


def test_certificate_without_a_source_of_time_is_refused():
    text = changed(broker={"host": "b.example", "tls": {"ca": PEM}})
    assert "'broker.tls.ca' needs 'sntp'" in refusal(text)


def test_pre_shared_key_is_taken():
    config = Config(broker(psk_identity="a1", psk="0f" * 16))
    assert (config.psk, config.ca) == (("a1", b"\x0f" * 16), None)


def test_wrong_tls_is_refused_by_name():
    for ca in ("", "x", PEM + PEM, PEM.replace("MIIB", "!"), PEM.replace("MIIB", "AAAA"), 7):
        assert "'broker.tls.ca'" in refusal(broker(ca=ca))
    assert "'broker.tls.psk'" in refusal(broker(psk_identity="a1", psk="0f"))
    assert "'broker.tls'" in refusal(broker(psk_identity="a1", psk="0f" * 16, ca=PEM))


def test_no_secret_is_in_a_refusal():
    text = refusal(changed(site_key="not hex, but secret", broker={"host": ""}))
    assert "secret" not in text
    assert "5ec3e7" not in refusal(broker(psk_identity="a1", psk="5ec3e7"))


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
