"""The control port's language takes what is meant and explains what it does not take."""

import pytest

from sim.commands import CommandError, parse

GOOD = [
    b'{"tap":{"uid":"04A1B2C3D4E5F6","ms":400}}',
    b'{"tap":{"uids":["04A1B2C3","04A1B2C3D4E5F6"]}}',
    b'{"put":{"uid":"04a1b2c3"}}',
    b'{"take":{"uid":"04A1B2C3D4E5F6112233"}}',
    b'{"press":{"ms":120}}',
    b'{"press":{}}',
    b'{"radar":{"state":"still","cm":70}}',
    b'{"motion":{}}',
    b'{"motion":{"ms":500}}',
    b'{"seat":"sit"}',
    b'{"seat":"stand"}',
    b'{"power":"cut"}',
    b'{"fault":{"chip":"mfrc522","kind":"missing"}}',
    b'{"network":"lost"}',
    b'{"show":{}}',
    b'{"watch":{}}\r\n',
]

BAD = [
    (b"", "expected one JSON object"),
    (b"\xff\xfe", "expected one JSON object"),
    (b"[" * 3000, "expected one JSON object"),
    (b"null", "expected one JSON object"),
    (b"{}", "nothing was given"),
    (b'{"dance":{}}', "dance"),
    (b'{"power":"on","show":{}}', "power, show was given"),
    (b'{"power":"off"}', "$.power"),
    (b'{"tap":{}}', 'either "uid" or "uids"'),
    (b'{"tap":{"uid":"04A1B2C3","uids":["04A1B2C3"]}}', 'either "uid" or "uids"'),
    (b'{"tap":{"uid":"04A1B2"}}', "$.tap.uid"),
    (b'{"tap":{"uid":"04A1B2C3","ms":"long"}}', "$.tap.ms"),
    (b'{"tap":{"uid":"04A1B2C3","ms":-1}}', "$.tap.ms"),
    (b'{"tap":{"uids":[]}}', "$.tap.uids"),
    (b'{"press":{"ms":1e99}}', "$.press.ms"),
    (b'{"press":{"sec":1}}', "sec"),
    (b'{"radar":{"state":"asleep"}}', "$.radar.state"),
    (b'{"motion":{"ms":0}}', "$.motion.ms"),
    (b'{"seat":"lie"}', "$.seat"),
    (b'{"radar":{"state":"none","cm":99999}}', "$.radar.cm"),
]


@pytest.mark.parametrize("line", GOOD)
def test_every_documented_command_is_understood(line: bytes) -> None:
    assert parse(line)


@pytest.mark.parametrize(("line", "expected"), BAD)
def test_a_wrong_line_is_refused_with_what_was_expected(line: bytes, expected: str) -> None:
    with pytest.raises(CommandError) as refusal:
        parse(line)
    assert expected in str(refusal.value)
