"""Power cuts at every operation of a journal's life, twice in a row; and bits that rot."""

import os
import random

import pytest

from desk_unit.journal import Journal
from desk_unit.sectors import Sectors
from tests.firmware.power_cuts import LIFE, SECTORS, SIZE, Parts, Search, State, garbage
from tests.firmware.unit.nor import Nor
from tests.firmware.unit.test_journal import append, keys

EVERY_BYTE = bool(os.environ.get("CHEQUER_EVERY_BYTE"))
"""Set in the environment for the long run (several minutes)."""


@pytest.mark.timeout(3600 if EVERY_BYTE else 180)
def test_two_power_cuts_in_a_row_at_every_operation_lose_repeat_and_invent_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    search = Search(every_byte=EVERY_BYTE)
    search.run(State())
    search.run(garbage(1), LIFE[:4])
    with capsys.disabled():
        print(f"\n{search.operations} operations cut, {search.states} states, 0 failures")
    assert search.operations > 90
    assert search.states > 40_000


@pytest.mark.parametrize("dead", range(SECTORS))
def test_power_cuts_beside_a_dead_block_lose_repeat_and_invent_nothing(dead: int) -> None:
    search = Search(depth=1, dead=dead)
    search.run(State())
    assert search.states > 500


@pytest.mark.parametrize(
    ("part", "method", "wrong"),
    [
        (Sectors, "blank_from", lambda *_: 128),
        (Journal, "_give_up_oldest", lambda *_: None),
        (Journal, "commit", lambda *_: None),
        (Journal, "_note", lambda *_: True),
    ],
)
def test_the_search_finds_a_journal_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, part: type, method: str, wrong: object
) -> None:
    monkeypatch.setattr(part, method, wrong)
    with pytest.raises(AssertionError):
        Search().run(State())


def test_rotten_bits_crash_nothing_invent_nothing_and_cost_only_their_own_facts() -> None:
    spared = 0
    for seed in range(400):
        chance = random.Random(seed)
        flash = Nor(blocks=6, size=512)
        journal = Journal(flash)
        journal.mount()
        for seq in range(1, 26):
            append(journal, 1, seq)
        while journal.forget(1, [(1, 5)])[0]:
            pass
        journal.commit()
        before = set(keys(journal))
        for _ in range(chance.choice((1, 2, 8, 64))):
            flash.data[chance.randrange(len(flash.data))] ^= 1 << chance.randrange(8)
        flash.programmed = bytearray(byte != 0xFF for byte in flash.data)
        again = Journal(flash)
        again.mount()
        left = keys(again)  # which looks at every byte of a fact
        assert set(left) <= before | {(1, seq) for seq in range(1, 6)}
        assert left == sorted(left)
        spared += len(before & set(left))
        append(again, 2, 1)
        assert keys(again)[-1] == (2, 1)
    assert spared > 400 * 20 * 0.75


def test_one_rotten_bit_costs_one_fact_at_the_most() -> None:
    flash = Nor(blocks=SECTORS, size=SIZE)
    journal = Journal(flash)
    journal.mount()
    for seq in range(1, 10):
        append(journal, 1, seq)
    image, all_keys = bytes(flash.data), keys(journal)
    for bit in range(8 * len(image)):
        data = bytearray(image)
        data[bit // 8] ^= 1 << bit % 8
        again = Journal(Parts(State(bytes(data)), lambda _: None))
        again.mount()
        assert len(set(all_keys) - set(keys(again))) <= 1, bit
