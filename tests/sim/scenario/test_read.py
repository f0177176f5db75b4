"""A file that makes no sense is refused, with its name, the line, and what was expected."""

from pathlib import Path

import pytest

from sim.scenario.errors import ScenarioFileError
from sim.scenario.read import BLOCKS, read
from sim.scenario.story import Do, Expect, Together

HEAD = "title: T\npeople:\n  agents: [Anna, Ben]\n  cleaners: [Carla]\nsteps:\n"


DESKS = "title: T\nsite:\n  rooms:\n  - name: R\n    desks: ["
STEP = "steps:\n  - "


def refused(tmp_path: Path, text: str) -> str:
    """What the reader says, without the folder."""
    file = tmp_path / "story.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioFileError) as caught:
        read(file)
    return str(caught.value).removeprefix(f"{tmp_path}/")


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("", 1, "is empty"),
        ("- a\n", 1, "expected `title:`"),
        ("title: T\n", 1, "missing required field `steps`"),
        ("title: T\nsteps: []\n", 2, "length >= 1"),
        ("title: T\ntitle: U\nsteps: [wait 1s]\n", 2, "twice"),
        ("title: T\nsteps: [wait 1s]\nsit: {}\n", 3, "unknown field `sit`; known here: title"),
        ("title: T\nsite:\n  away: soon\nsteps: [wait 1s]\n", 2, "expected a time"),
        ("title: T\nsite:\n  rooms:\n    - cup: 3\nsteps: [wait 1s]\n", 4, "clearance, cap"),
        ("title: T\nsite:\n  rooms:\n    - desks: [a1]\nsteps: [wait 1s]\n", 4, "regex"),
        (DESKS + "{name: A1, reader: rc522}]\n", 5, "Invalid enum value 'rc522'"),
        (DESKS + "{name: A1,\n    presence: [ear]}]\n", 6, "Invalid enum value 'ear'"),
        (DESKS + "{name: A1,\n    presence: [pir, pir]}]\n", 5, "each once"),
        (DESKS + "{name: A1, presence: []}]\n", 5, "one sensor or several"),
        (DESKS + "{name: A1,\n    radio: x}]\n", 6, "known here: name, reader, presence"),
        (DESKS + "A2, {name: A2}]\n" + STEP + "wait 1s\n", 2, "the same desk twice"),
        (DESKS + "{name: A1}]\n" + STEP + "the PIR of A1 is missing\n", 7, "A1 has no PIR, only"),
        (DESKS + "{name: A1}]\n" + STEP + "the reader of A1 is hung\n", 7, "no such defect, only"),
        ("title: T\nrequirement: 9.9\nsteps: [wait 1s]\n", 2, "as in 2.5; found '9.9'"),
        ("title: T\nseed: -1\nsteps: [wait 1s]\n", 2, ">= 0"),
        ("title: &a T\nsteps: [*a]\n", 0, "alias"),
        ("title: [\n", 0, "is no YAML"),
        ('title: "\\uD800"\nsteps: [wait 1s]\n', 1, "odd characters"),
        (HEAD + "  - Anna sings at A1\n", 6, "did you mean"),
        (HEAD + "  - Ana taps her headset at A1\n", 6, "expected a person (Anna, Ben, Carla"),
        (HEAD + "  - Anna taps her headset at A9\n", 6, "expected a desk (A1), found 'A9'"),
        (HEAD + "  - Carla taps her badge at A1\n", 6, "Carla has no badge, only card"),
        (HEAD + "  - somebody taps the badge at A1\n", 6, "say whose"),
        (HEAD + "  - wait 3\n", 6, "it needs a unit"),
        (HEAD + "  - wait 3s..1s\n", 6, "the smaller one first"),
        (HEAD + "  - wait 1s\n  - soon: the ledger adds up\n", 7, "is not known; expected one of"),
        (HEAD + "  - Anna cleans A1\n", 6, "Anna has no card"),
        (HEAD + "  - somebody leaves A1\n", 6, "say whose"),
        (HEAD + "  - within 2s: wait 1s\n", 6, "expected an expectation here"),
        (HEAD + "  - within 2s: the display of A1 is STORD\n", 6, "words that the display knows"),
        (HEAD + "  - no desk is in conflict for more than 1s\n", 6, "say it as `always:"),
        (HEAD + "  - the reader of A1 is truncated\n", 6, "this chip knows no such defect"),
        (HEAD + "  - Anna cleans Blocked\n", 6, "expected a desk"),
        (HEAD + "  - wait 1s\n    within 1s: x\n", 7, "quotes"),
        (HEAD + "  - at 1s: wait 1s\n    at 2s: wait 1s\n", 7, "begin each with a dash"),
        (HEAD + "  - together: []\n", 6, "an empty list"),
    ],
)
def test_it_says_where_and_what_was_expected(
    tmp_path: Path, text: str, where: int, said: str
) -> None:
    message = refused(tmp_path, text)
    assert said in message
    if where:
        assert message.startswith(f"story.yaml:{where}: ")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"[" * 100_000, b"a: !!python/name:os.system x"])
def test_bytes_of_any_kind_are_refused_and_nothing_more(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "story.yaml"
    file.write_bytes(data)
    with pytest.raises(ScenarioFileError):
        read(file)


def test_steps_keep_their_lines_and_lists_become_single_expectations(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    text = "  - Anna cleans A1\n".replace("Anna", "Carla")
    both = "  - within 2s:\n      - the ledger adds up\n      - the ring of A1 is not dark\n"
    file.write_text(HEAD + text + both)
    first, second = read(file).steps
    assert isinstance(first, Do)
    assert first.line == 6
    assert isinstance(second, Together)
    assert [each.line for each in second.steps] == [8, 9]
    assert all(isinstance(each, Expect) for each in second.steps)


def test_a_name_from_let_is_a_desk_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    steps = "  - let Blocked be a desk that shows BLOCKED\n  - somebody sits down at Blocked\n"
    file.write_text(HEAD + steps)
    assert len(read(file).steps) == 2


def test_the_seed_of_the_command_takes_the_place_of_the_files(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    file.write_text("seed: 4\n" + HEAD + "  - wait 1s\n")
    one, other, same = read(file), read(file, 5), read(file, 4)
    assert (one.seed, other.seed) == (4, 5)
    assert one.cards.uids() == same.cards.uids() != other.cards.uids()


def test_every_block_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    for block in BLOCKS:
        words = block.replace("{time}", "1s").replace("{number}", "2")
        file.write_text(HEAD + f"  - {words}: the ledger adds up\n")
        assert len(read(file).steps) == 1
