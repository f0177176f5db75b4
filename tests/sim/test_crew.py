"""A crew's cards could be real ones, and the register holds hashes only."""

from pathlib import Path

from sim.crew import CLEANERS, PEOPLE, crew
from sim.tags import tag_hash, write_register

SEEDS = range(200)


def test_no_two_cards_of_a_crew_are_alike_and_all_could_be_real() -> None:
    for seed in SEEDS:
        people = crew(seed)
        uids = [uid for person in people.people for uid in (person.badge, person.headset)]
        uids += [*people.cleaners, people.stranger]
        assert len({uid[:8] for uid in uids}) == len(uids)
        assert {len(uid) for uid in uids} == {8, 14}
        assert not any(uid[6:8] == "88" for uid in uids)  # the cascade tag, see ISO 14443-3


def test_the_register_holds_hashes_and_never_a_uid(tmp_path: Path) -> None:
    people, key = crew(1), b"0123456789abcdef"
    write_register(tmp_path / "tags.csv", people, key)
    text = (tmp_path / "tags.csv").read_text().upper()
    assert len(text.splitlines()) == 1 + 2 * PEOPLE + CLEANERS + 2  # the visitor's two
    assert tag_hash(key, people.people[0].badge).upper() in text
    for person in people.people:
        assert person.badge not in text
        assert person.headset not in text
