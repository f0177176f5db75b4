"""Tags: HMAC-SHA256 as in RFC 4231, cut to 16 bytes."""

from binascii import unhexlify

from desk_unit.tags import TagHash


def check(key: bytes, data: bytes, digest: str):
    assert TagHash(key)(data) == unhexlify(digest)[:16]


def test_rfc_4231_case_1():
    check(b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b")


def test_rfc_4231_case_2_short_key():
    check(b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7")


def test_rfc_4231_case_3():
    check(b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a7")


def test_rfc_4231_case_4():
    check(bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a")


def test_rfc_4231_case_5_truncated():
    check(b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b")


def test_rfc_4231_case_6_key_longer_than_a_block():
    data = b"Test Using Larger Than Block-Size Key - Hash Key First"
    check(b"\xaa" * 131, data, "60e431591ee0b67f0d8a26aacbf5b77f")


def test_rfc_4231_case_7_key_and_data_longer_than_a_block():
    data = (
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm."
    )
    check(b"\xaa" * 131, data, "9b09ffa71b942fcb27635fbcd5b0e944")


def test_tag_differs_between_sites():
    uid = b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
    assert TagHash(b"one site's key..")(uid) != TagHash(b"another's key...")(uid)


def test_hash_can_be_used_again():
    hashed = TagHash(b"key")
    assert hashed(b"a") == hashed(b"a") != hashed(b"b")
