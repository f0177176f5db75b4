from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from host_bridge.provision import results
from host_bridge.provision.label import Label
from host_bridge.provision.results import Check, failures, required
from host_bridge.provision.site import Chips

REQUIRED = required(Chips())
GOOD = "".join(f"check {name} ok fine\r\n" for name in REQUIRED).encode() + b"end\r\n"


def judge(said: bytes) -> list[Check]:
    return results.judge(said, Chips())


def test_a_board_that_passes_everything_passes():
    assert failures(judge(GOOD)) == ""


def test_a_check_that_failed_is_named_with_what_was_measured():
    said = GOOD.replace(b"check reader ok fine", b"check reader fail version 0x00")
    assert failures(judge(said)) == "reader (version 0x00)"


def test_a_check_that_is_missing_has_failed():
    assert failures(judge(GOOD.replace(b"check radar", b"chuck radar"))) == "radar (not reported)"


def test_a_test_that_broke_off_has_failed_from_there():
    said = GOOD[: GOOD.index(b"check display")]
    assert [c.name for c in judge(said) if not c.passed] == ["display", "button"]
    assert "broke off" in failures(judge(said))


@given(st.binary(max_size=10_000))
def test_no_babble_passes_or_crashes_and_details_are_bounded(noise: bytes):
    checks = judge(noise)
    assert [c.name for c in checks] == list(REQUIRED)
    assert failures(checks)
    assert all(len(c.detail) <= 80 for c in checks)


def test_a_board_must_pass_the_checks_of_its_own_chips():
    chips = Chips(reader="pn532", presence=("pir", "seat-switch"))
    assert "radar" not in required(chips)
    assert failures(results.judge(GOOD, chips)) == "seat_switch (not reported)"
    said = GOOD.replace(b"check radar ok", b"check seat_switch ok")
    assert failures(results.judge(said, chips)) == ""


def test_a_label_is_well_formed_whatever_the_desk_is_called():
    label = Label(site="demo", unit="u" * 32, desk='<A&B"', mac="24:6f:28:00:00:01")
    texts = [element.text for element in ElementTree.fromstring(label.svg()).iter()]
    assert {"demo", "u" * 32, '<A&B"', "24:6f:28:00:00:01"} <= set(texts)
