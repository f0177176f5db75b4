"""A roll-out tells as many units as it may, and stops by itself."""

from typing import Any

import msgspec

from host_bridge.domain.rollout import MISSING_MS, Heard, Offered, believed, plan, stands

NOW = 1_800_000_000_000
NAME = "a" * 32


def offered(unit: str = "u1", **changes: Any) -> Offered:
    usual = Offered(
        unit=unit, bundle=NAME, size=1000, version=7, again=False, batch=2, offered_ms=NOW
    )
    return msgspec.structs.replace(usual, **changes)


def heard(step: str, unit: str = "u1", **changes: Any) -> Heard:
    usual = Heard(
        unit=unit,
        version=6,
        step=step,  # type: ignore[arg-type]
        bundle=NAME,
        received=0,
        refused=None,
        message="",
        time_ms=NOW + 10,
    )
    return msgspec.structs.replace(usual, **changes)


def standing(offer: Offered, said: Heard | None, *, online: bool = True, later: int = 20) -> str:
    return stands(offer, said, online=online, now_ms=NOW + later)


TOLD = offered(told_ms=NOW)


def test_only_what_was_said_of_this_bundle_since_the_unit_was_told_counts() -> None:
    assert standing(offered(), heard("healthy")) == "waits"
    assert standing(TOLD, None) == "told"
    assert standing(TOLD, heard("refused", refused="space", time_ms=NOW - 1)) == "told"
    assert standing(TOLD, heard("installed", bundle="b" * 32)) == "told"
    assert standing(TOLD, heard("fetching")) == "fetching"


def test_a_unit_is_done_when_the_offered_version_is_healthy_or_ran_already() -> None:
    assert standing(TOLD, heard("healthy", bundle=None, version=7)) == "done"
    assert standing(TOLD, heard("healthy", bundle=None, version=6)) == "told"
    assert standing(TOLD, heard("refused", refused="version", version=7)) == "done"
    assert standing(TOLD, heard("refused", refused="version", version=9)) == "refused"


def test_what_passes_by_itself_is_no_refusal() -> None:
    assert standing(TOLD, heard("refused", refused="trial")) == "told"
    assert standing(TOLD, heard("refused", refused="memory")) == "told"
    assert standing(TOLD, heard("refused", refused="space")) == "refused"


def test_a_unit_that_does_not_come_back_is_missing() -> None:
    for step in ("installed", "trial"):
        late = MISSING_MS + 11
        assert standing(TOLD, heard(step), online=False, later=late) == "missing"
        assert standing(TOLD, heard(step), online=True, later=late) == step
        assert standing(TOLD, heard(step), online=False, later=20) == step
    assert standing(TOLD, heard("fetching"), online=False, later=MISSING_MS * 9) == "fetching"


def test_a_unit_that_went_back_long_ago_does_not_fail_what_it_fetches_now() -> None:
    assert not believed(heard("fetching"), heard("back", bundle=None))
    for before in (None, heard("installed"), heard("trial"), heard("back")):
        assert believed(before, heard("back", bundle=None))


def test_a_batch_has_so_many_places_and_the_next_unit_comes_when_one_is_free() -> None:
    offers = [offered(f"u{n}") for n in range(1, 6)]
    online = {f"u{n}": n != 2 for n in range(1, 6)}
    assert plan(offers, {}, online, NOW).tell == ["u1", "u3"], "u2 is away"
    offers[0] = offered("u1", told_ms=NOW)
    offers[2] = offered("u3", told_ms=NOW)
    assert plan(offers, {"u1": heard("trial", "u1")}, online, NOW).tell == []
    healthy = {"u1": heard("healthy", "u1", bundle=None, version=7)}
    assert plan(offers, healthy, online, NOW).tell == ["u4"]


def test_a_unit_that_comes_to_grief_stops_its_own_roll_out_only() -> None:
    offers = [
        offered("u1", told_ms=NOW),
        offered("u2"),
        offered("u3", bundle="b" * 32),
    ]
    online = dict.fromkeys(("u1", "u2", "u3"), True)
    for bad in (heard("back", bundle=None), heard("refused", refused="signature")):
        found = plan(offers, {"u1": bad}, online, NOW + 20)
        assert found.tell == ["u3"]
        assert found.standings["u1"] in ("back", "refused")
    withdrawn = plan(offers[1:], {"u1": heard("back")}, online, NOW + 20)
    assert withdrawn.tell == ["u2", "u3"]


def test_a_unit_that_is_done_takes_no_place() -> None:
    offers = [offered(f"u{n}", told_ms=NOW if n < 40 else None, batch=1) for n in range(10, 45)]
    online = {each.unit: True for each in offers}
    said = {
        each.unit: heard("healthy", each.unit, bundle=None, version=7)
        for each in offers
        if each.told_ms
    }
    assert len(plan(offers, said, online, NOW).tell) == 1
