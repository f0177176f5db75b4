# Runs on MicroPython too, which has neither pathlib nor pytest.
"""The manifest on the unit: one spelling, and only for whom it is meant."""

import io
import random

from tests.firmware.unit.update_release import FILES, manifest
from update.manifest import Identity, Manifest
from update.refusal import Refused

UNIT = Identity("desk-unit", 1, 5, 6)


def read(text):
    """A manifest and its files."""
    found = Manifest(io.BytesIO(text), len(text))
    return found, list(found.files())


def reason(text, unit=UNIT):
    """Why a manifest is refused, empty if it is not."""
    try:
        read(text)[0].hold_against(unit)
    except Refused as refused:
        return refused.reason
    return ""


def with_path(path):
    """A manifest with one file of this path."""
    return manifest({path: b"x"}, version="6")


def test_a_manifest_names_its_files_in_their_order():
    found, files = read(manifest())
    assert (found.version, found.requires, found.downgrade) == (2, 0, 0)
    assert [(path, size) for path, size, _ in files] == [
        (path, len(FILES[path])) for path in sorted(FILES)
    ]


def test_every_shortened_manifest_is_malformed():
    text = manifest(version="6")
    assert reason(text) == ""
    for length in range(len(text)):
        assert reason(text[:length]) == "malformed", length


def test_a_manifest_has_one_spelling():
    text = manifest(version="6")
    for other in (
        text + b"\n",
        text + b"file",
        text.replace(b"version 6", b"version 06"),
        text.replace(b"version 6", b"version +6"),
        text.replace(b"version 6", b"version 6 "),
        text.replace(b"version 6", b"version  6"),
        text.replace(b"version 6", b"Version 6"),
        text.replace(b"version 6\n", b"version 6\r\n"),
        text.replace(b"version 6\n", b""),
        text.replace(b"version 6\n", b"version 6\nversion 7\n"),
        text.replace(b"version 6", b"version 0"),
        text.replace(b"version 6", b"version 1234567890"),
        text.replace(b"chequer-update 1", b"chequer-update 2"),
        text.replace(b"desk-unit", b"desk\xc3\xa9unit"),
        text.replace(b"desk-unit", b""),
        text.replace(b"hardware 1 2", b"hardware"),
        text.replace(b"hardware 1 2", b"hardware 1 -2"),
        text.replace(b"files 3 2300", b"files 3 2301"),
        text.replace(b"files 3 2300", b"files 2 2300"),
        text.replace(b"files 3 2300", b"files 4 2300"),
        text.replace(b"files 3 2300", b"files 3"),
    ):
        assert other != text
        assert reason(other) == "malformed", other


def test_a_path_that_could_lead_elsewhere_is_malformed():
    assert reason(with_path("ok/fine_2.mpy")) == ""
    for path in (
        "/app.mpy", "../app.mpy", "a/../b.mpy", "./a.mpy", "a//b.mpy", ".mpy", "a/.mpy", "a.mpy/",
        "a\\b.mpy", "A.mpy", "a-b.mpy", "a.b.mpy", "a.py", "a", "bundle.head", "ready",
        "a\x00.mpy", "a\x7f.mpy", "a b.mpy", "é.mpy", "a/b/c/d/e.mpy", "x" * 33 + ".mpy",
        "x" * 31 + "/" + "y" * 31 + "/z.mpy", "con:.mpy", "%2e%2e/a.mpy",
    ):  # fmt: skip
        assert reason(with_path(path)) == "malformed", path


def test_a_path_named_twice_or_out_of_order_is_malformed():
    text = manifest({"a.mpy": b"x", "b.mpy": b"x"}, version="6")
    lines = text.split(b"\n")
    lines[8], lines[9] = lines[9], lines[8]
    assert reason(b"\n".join(lines)) == "malformed"
    assert reason(text.replace(b"b.mpy", b"a.mpy")) == "malformed"


def test_sizes_and_counts_are_bounded():
    text = manifest({"a.mpy": b"x"}, version="6")
    assert reason(text) == ""
    assert reason(text.replace(b" 1 a.mpy", b" 0 a.mpy").replace(b"files 1 1", b"files 1 0"))
    assert reason(
        text.replace(b" 1 a.mpy", b" 65537 a.mpy").replace(b"files 1 1", b"files 1 65537")
    )
    many = {"m%03d.mpy" % i: b"x" for i in range(129)}
    assert reason(manifest(many, version="6")) == "malformed"
    line = text.split(b"\n")[8].replace(b" 1 a", b" 65536 a")
    lines = [line.replace(b"a.mpy", b"a%d.mpy" % i) for i in range(7)]
    large = manifest({}, version="6", files="7 %d" % (7 * 65536)) + b"\n".join(lines) + b"\n"
    assert reason(large) == "malformed"


def test_an_update_for_another_product_board_or_interpreter_is_refused():
    assert reason(manifest(version="6", product="door-unit")) == "product"
    assert reason(manifest(version="6", hardware="2 3")) == "hardware"
    assert reason(manifest(version="6", mpy="7")) == "mpy"


def test_a_version_that_requires_a_later_one_than_runs_is_refused():
    assert reason(manifest(version="9", requires="5")) == ""
    assert reason(manifest(version="9", requires="6")) == "requires"


def test_a_downgrade_is_refused_unless_it_is_signed_for_the_version_that_runs():
    assert reason(manifest(version="5")) == "version"
    assert reason(manifest(version="4")) == "version"
    assert reason(manifest(version="4", downgrade="4")) == "version"
    assert reason(manifest(version="4", downgrade="5")) == ""
    assert reason(manifest(version="5", downgrade="5")) == "version"


def test_no_mutation_of_a_manifest_raises_anything_but_a_refusal():
    chance = random.Random(7) if hasattr(random, "Random") else random
    text = manifest(version="6")
    malformed = 0
    for _ in range(3000):
        hostile = bytearray(text)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(hostile))
            hostile[at : at + chance.randrange(3)] = bytes(
                [chance.randrange(256) for _ in range(chance.randrange(3))]
            )
        malformed += reason(bytes(hostile)) == "malformed"
    assert 2000 < malformed <= 3000
