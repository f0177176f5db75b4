"""Every fault by name: each can be said, and a story shows each."""

import re

import pytest

from sim.faults.catalogue import CATALOGUE, Fault, listing
from sim.scenario.command import FOLDER
from sim.scenario.errors import WordingError
from sim.scenario.fault_actions import BAD
from sim.scenario.phrase import PHRASES, Names, understand
from sim.scenario.read import read
from sim.scenario.site import Cards, People
from sim.world import FAULTS
from tests.sim.scenario.paper import told

NAMES = Names(people=["Anna"], desks=["A1"], rooms=[], cards=Cards(People(agents=["Anna"]), 1))


def template_of(fault: Fault) -> str:
    return understand(fault.sentence, NAMES).phrase.template


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda each: f"{each.place} {each.name}")
def test_the_story_of_a_fault_tells_of_it(fault: Fault) -> None:
    file = FOLDER / f"{fault.story}.yaml"
    read(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    told = {_template(re.sub(r"^[\s-]+", "", line)) for line in lines}
    assert template_of(fault) in told
    if "{defect}" in template_of(fault):
        assert fault.sentence in file.read_text(encoding="utf-8")


def _template(words: str) -> str | None:
    try:
        return understand(words, NAMES).phrase.template
    except WordingError:
        return None


def test_every_sentence_of_a_bad_radio_broker_or_disk_is_some_faults() -> None:
    said = {template_of(fault) for fault in CATALOGUE}
    mending = {"the broker has room again"}
    assert {each.template for each in PHRASES if each.group == BAD} - mending <= said


def test_every_fault_of_flash_on_the_control_port_is_listed() -> None:
    listed = {fault.name for fault in CATALOGUE if fault.place == "flash"}
    assert listed == set(FAULTS["flash"]) - {"none"}


def test_the_list_has_a_line_for_each() -> None:
    lines = listing()
    assert len(lines) == len(CATALOGUE) == len(set(lines))
    assert any(line.startswith("radio: half-open") for line in lines)


def test_an_engine_that_lacks_a_fault_says_so_at_its_line(tmp_path) -> None:
    (failure,), _, _ = told(tmp_path, "  - wait 1s\n  - the disk is full for 2s\n")
    assert failure.line == 6
    assert failure.seen == "this engine has no full disk; tell the story in real time"
