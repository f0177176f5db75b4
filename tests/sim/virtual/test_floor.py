"""Every kind of desk, most kinds of troubles: nothing that is left out would have changed a fact.

It was not so for a desk whose reader was started again and again: each start holds the program up
for some milliseconds, and whoever would have woken in them counts on from their end.
"""

from tests.sim.virtual.floor import both, different


def test_a_floor_in_trouble_is_the_same_with_and_without_what_is_left_out() -> None:
    quiet, whole = both(desks=6, minutes=1, seed=1)
    assert quiet.outcome == whole.outcome == "passed", (quiet.failures, whole.failures)
    assert quiet.facts == whole.facts
    assert not different(quiet, whole)
