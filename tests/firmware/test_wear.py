"""Capacity and wear of the journals at their real size, and what docs/firmware.md says of them."""

import re
from pathlib import Path

from desk_unit.journal import Journal

BLOCK = 4096
ORDINARY = 512 * 1024 // BLOCK
BUTTON = 48 * 1024 // BLOCK
TAG = b"0123456789abcdef"
ENDURANCE = 100_000
"""Erases that a sector of NOR flash is specified for."""

A_DAY = 1_000
DAYS = 365
"""A year."""

DOCUMENT = (Path(__file__).parents[2] / "docs" / "firmware.md").read_text(encoding="utf-8")


class Flash:
    """A partition that counts its erases."""

    def __init__(self, blocks: int) -> None:
        self.erases = [0] * blocks
        self._data = bytearray(b"\xff" * blocks * BLOCK)

    def readblocks(self, block: int, buf: memoryview, offset: int = 0) -> None:
        start = block * BLOCK + offset
        buf[:] = self._data[start : start + len(buf)]

    def writeblocks(self, block: int, buf: memoryview, offset: int = 0) -> None:
        start = block * BLOCK + offset
        self._data[start : start + len(buf)] = buf

    def ioctl(self, op: int, arg: int) -> int:
        if op == 6:
            self.erases[arg] += 1
            self._data[arg * BLOCK : (arg + 1) * BLOCK] = b"\xff" * BLOCK
        return {4: len(self.erases), 5: BLOCK}.get(op, 0)


def mounted(flash: Flash) -> Journal:
    journal = Journal(flash)
    journal.mount()
    return journal


def fill(blocks: int, body: bytes) -> int:
    """How many facts are kept for certain when nobody acknowledges any."""
    journal = mounted(Flash(blocks))
    seq = least = 0
    while journal.dropped < 300:
        seq += 1
        journal.append(2, 1, seq, seq, 0, 0, body)
        if journal.dropped:
            least = min(least or journal.waiting, journal.waiting)
    return least


def live(flash: Flash, days: int) -> None:
    """Each day a start, and facts that are acknowledged one by one, which wears the most."""
    for day in range(1, days + 1):
        journal = mounted(flash)
        for seq in range(1, A_DAY + 1):
            journal.append(2, day, seq, seq, 0, 0, TAG)
            assert journal.forget(day, [(1, seq)]) == (1, seq)
            journal.commit()
            journal.tidy()


def documented(pattern: str) -> int:
    """The figure in docs/firmware.md."""
    found = re.search(pattern, DOCUMENT)
    assert found, f"docs/firmware.md does not say {pattern!r}"
    return int(found[1].replace(",", ""))


def test_ten_thousand_facts_or_thirty_days_at_three_hundred_fit_and_presses_beside_them() -> None:
    facts, presses = fill(ORDINARY, TAG), fill(BUTTON, b"")
    print(f"kept at the least: {facts:,} tag facts, {presses:,} presses")
    assert facts >= max(10_000, 30 * 300)
    assert facts == documented(r"([\d,]+) tag facts before the oldest go")
    assert presses == documented(r"([\d,]+) presses before the oldest go")


def test_flash_lasts_for_ten_years_at_a_thousand_facts_a_day() -> None:
    flash = Flash(ORDINARY)
    live(flash, DAYS)
    year = max(flash.erases) * 365 / DAYS
    years = int(ENDURANCE / year)
    print(f"most-worn sector: {year:.0f} erases a year, {years:,} years to {ENDURANCE:,}")
    assert max(flash.erases) - min(flash.erases) <= 0.1 * max(flash.erases)
    assert years >= 10
    assert years == documented(r"100,000 erases after ([\d,]+) years")


def test_button_flash_lasts_for_ten_years_at_a_hundred_presses_a_day() -> None:
    flash = Flash(BUTTON)
    for day in range(1, DAYS + 1):
        journal = mounted(flash)
        for seq in range(1, 101):
            journal.append(6, day, seq, seq, 0, 0, b"")
            journal.forget(day, [(1, seq)])
            journal.commit()
            journal.tidy()
    years = int(ENDURANCE / (max(flash.erases) * 365 / DAYS))
    print(f"button: {years:,} years")
    assert years >= 10
    assert years == documented(r"button's after ([\d,]+) years")
