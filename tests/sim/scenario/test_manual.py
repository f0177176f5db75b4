"""docs/simulator.md says what the code does."""

import re

from host_bridge import faultpoint
from sim.commands import Command
from sim.scenario.demands import DEMANDS
from sim.scenario.manual import PAGE, written
from sim.scenario.phrase import GAPS, PHRASES
from sim.scenario.read import read
from sim.scenario.words import FAULTPOINTS, display_words

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code():
    assert written(TEXT) == TEXT, "python -m sim.scenario.manual writes them again"


def test_every_gap_of_every_sentence_is_explained():
    used = {gap for each in PHRASES for gap in re.findall(r"\{(\w+)\}", each.template)}
    assert used == set(GAPS)


def test_every_command_of_the_control_port_is_in_its_table():
    table = TEXT.split("| command | does |")[1]
    assert set(re.findall(r'`\{"(\w+)":', table)) == set(Command.__struct_fields__)


def test_the_first_scenario_of_the_page_makes_sense(tmp_path):
    block = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert block
    file = tmp_path / "first.yaml"
    file.write_text(re.sub(r"^ {3}", "", block[1], flags=re.MULTILINE))
    assert len(read(file).steps) == 5


def test_the_relay_can_be_told_to_die_wherever_it_can_die():
    assert tuple(FAULTPOINTS) == faultpoint.POINTS


def test_the_words_of_the_display_are_found_in_the_firmware():
    assert {"STORED", "NOT YOURS", "NO LINK"} <= display_words()
    assert "NOT" not in display_words()


def test_demands_are_numbered_without_holes():
    chapters = [key.split(".") for key in DEMANDS]
    for chapter in {first for first, _ in chapters}:
        numbers = [int(second) for first, second in chapters if first == chapter]
        assert numbers == list(range(1, len(numbers) + 1))
