"""A planned day is the same from the same seed, and has everything in it."""

from pathlib import Path

from sim.day import CLEANERS, LENGTH_S, PEOPLE, Deed, crew, plan
from sim.tags import tag_hash, write_register

SEEDS = range(200)


def test_a_seed_always_gives_the_same_day_and_another_seed_another() -> None:
    assert all(plan(seed) == plan(seed) for seed in SEEDS)
    assert len({str(plan(seed)) for seed in SEEDS}) == len(SEEDS)


def test_every_day_has_every_required_happening() -> None:
    for seed in SEEDS:
        deeds = [action.deed for action in plan(seed)]
        assert set(deeds) == set(Deed)
        assert deeds.count(Deed.PRESS) + deeds.count(Deed.HOLD) == 2
        assert deeds.count(Deed.ARRIVE_WITH_WRONG_HEADSET) == 1
        assert deeds.count(Deed.SIT_AT_BLOCKED) == 1


def test_every_day_begins_at_once_and_ends_in_time() -> None:
    for seed in SEEDS:
        times = [action.at for action in plan(seed)]
        assert times == sorted(times)
        assert times[0] == 0.0
        assert plan(seed)[0].deed == Deed.ARRIVE
        assert times[-1] < LENGTH_S


def test_nobody_arrives_twice_without_leaving_and_everybody_exists() -> None:
    for seed in SEEDS:
        there: set[int] = set()
        for action in plan(seed):
            if action.deed in (Deed.ARRIVE, Deed.ARRIVE_WITH_WRONG_HEADSET):
                assert action.who not in there
                assert 0 <= action.who < PEOPLE
                there.add(action.who)
            elif action.deed == Deed.LEAVE:
                there.discard(action.who)
            elif action.deed == Deed.CLEAN:
                assert 0 <= action.who < CLEANERS
            elif action.deed in (Deed.PRESS, Deed.HOLD):
                assert action.who in there
        assert not there


def test_the_wrong_headset_belongs_to_somebody_who_is_not_there() -> None:
    for seed in SEEDS:
        actions = plan(seed)
        wrong = next(a for a in actions if a.deed == Deed.ARRIVE_WITH_WRONG_HEADSET)
        arrived = {a.who for a in actions if a.deed == Deed.ARRIVE and a.at < wrong.at}
        assert wrong.other not in arrived | {wrong.who}


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
