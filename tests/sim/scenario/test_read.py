"""A file that makes no sense is refused, with its name, the line, and what was expected."""

from pathlib import Path

import pytest

from sim.scenario.errors import ScenarioFileError
from sim.scenario.read import BLOCKS, read
from sim.scenario.story import Do, Expect, Together
from sim.worlds.model import Model

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


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("during 5 s the radio of A1 loses 130 %", "expected a share such as 2 % or 0.02"),
        ("during noon the radio of A1 loses 30 %", "expected a time"),
        ("the flash of A1 is truncated", "this chip knows no such defect, only worn, dead"),
        ("the printer hangs for 2 s", "expected a part of the host (relay, director)"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, sentence: str, said: str
) -> None:
    message = refused(tmp_path, HEAD + f"  - wait 1s\n  - {sentence}\n")
    assert said in message
    assert message.startswith("story.yaml:7: ")


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


WORLD = HEAD.replace("steps:", "world:\n  {}\nsteps:") + "  - wait 1s\n"


@pytest.mark.parametrize(
    ("world", "where", "said"),
    [
        ("agents: many", 6, "agents: Expected `int`"),
        ("agents: 0", 6, ">= 1"),
        ("abusive share: often", 5, "abusive share: expected a share such as 2 % or 0.02"),
        ("abusive share: 120 %", 5, "found '120 %'"),
        ("wrong shares: 2 %", 6, "known here: model, desks, agents"),
        ("model: night", 6, "model: Invalid enum value 'night'"),
        ("within: soon", 5, "expected a time"),
        ("hours: 30", 6, "<= 16"),
        ("days: 8", 6, "<= 7"),
        ("speed: 0", 6, ">= 1"),
        ("desks: 521", 6, "<= 520"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, world: str, where: int, said: str
) -> None:
    message = refused(tmp_path, WORLD.format(world))
    assert said in message
    assert message.startswith(f"story.yaml:{where}: ")


def test_desks_of_a_world_and_rooms_of_a_site_are_one_too_many(tmp_path: Path) -> None:
    text = WORLD.format("desks: 4").replace("world:", "site:\n  rooms:\n    - name: R\nworld:")
    assert "the site has rooms; leave one of the two away" in refused(tmp_path, text)


def test_a_story_needs_virtual_time_or_nothing(tmp_path: Path) -> None:
    assert "needs: Invalid enum value" in refused(
        tmp_path, "needs: luck\n" + HEAD + "  - wait 1s\n"
    )


def test_a_world_brings_desks_and_people_whom_nobody_can_name(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    file.write_text(
        "needs: virtual time\n" + WORLD.format("desks: 130\n  agents: 150\n  speed: 10")
    )
    scenario = read(file)
    assert scenario.needs == "virtual time"
    assert [len(room.desks) for room in scenario.site.rooms] == [60, 60, 10]
    assert len(set(scenario.site.desks)) == 130
    assert len(scenario.people.agents) == 2 + 150
    assert scenario.world is not None
    numbers = scenario.world.numbers(scenario.site)
    assert (numbers.size.seats, numbers.size.agents) == (130, 150)
    assert numbers.passers == Model().passers / 10
    assert len(set(scenario.cards.uids())) == 2 * 152 + 1 + 1 + 1
    text = "  - Agent 1 badges in at A1\n"
    assert "expected a person (Anna, Ben, Carla" in refused(
        tmp_path, WORLD.format("agents: 1") + text
    )


def test_where_neighbours_are_too_close_half_of_the_desks_are_to_be_used(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    rooms = "site:\n  rooms:\n    - desks: [A1, A2, A3, A4, A5]\n      pitch: 1.2 m\n"
    file.write_text(rooms + WORLD.format("agents: 1"))
    scenario = read(file)
    assert scenario.world is not None
    assert scenario.world.numbers(scenario.site).size.seats == 3
