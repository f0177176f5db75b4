"""The journal on damaged flash: rotten bits, garbage, worn and dead blocks."""

from desk_unit.checkpoint import SIZE
from desk_unit.journal import JournalError
from tests.firmware.unit.nor import Nor
from tests.firmware.unit.test_journal import acknowledge, append, keys, mounted


def test_one_bad_bit_in_a_header_costs_nothing():
    for bit in range(8 * SIZE):
        flash = Nor(blocks=5)
        journal = mounted(flash)
        for seq in range(1, 6):
            append(journal, 1, seq)
        flash.data[flash.size + bit // 8] ^= 1 << bit % 8
        assert keys(mounted(flash)) == [(1, seq) for seq in range(1, 6)], bit


def test_garbage_on_the_flash_is_no_fact():
    flash = Nor()
    for i in range(len(flash.data)):
        flash.data[i] = flash.random(256)
        flash.programmed[i] = 1
    journal = mounted(flash)
    assert keys(journal) == []
    for seq in range(1, 30):
        append(journal, 1, seq)
    left = keys(mounted(flash))
    assert left[-1:] == [(1, 29)]


def test_unreadable_record_costs_only_itself():
    flash = Nor(blocks=5, size=4096)
    journal = mounted(flash)
    for seq in range(1, 11):
        append(journal, 1, seq)
    flash.data[1 * 4096 + SIZE + 32 + 5] ^= 0x10  # generation 1 is in sector 1; second record
    assert keys(mounted(flash)) == [(1, seq) for seq in range(1, 11) if seq != 2]


def test_a_bit_that_rots_in_a_forgotten_fact_is_not_set_off_against_one_that_waits():
    """The count fell below none, "nobody hears me" stayed on, and the next press never went out."""
    flash = Nor()
    journal = mounted(flash)
    append(journal, 1, 1)
    acknowledge(journal, 1, 1, 1)
    flash.data[flash.size + SIZE + 8] ^= 4
    journal = mounted(flash)
    assert journal.waiting == 0
    append(journal, 1, 2)
    assert journal.waiting == 1
    assert mounted(flash).waiting == 1


def test_a_bit_that_rots_before_the_trim_leaves_what_waits_behind_it():
    flash = Nor()
    journal = mounted(flash)
    append(journal, 1, 1)
    append(journal, 1, 2)
    acknowledge(journal, 1, 1, 1)
    flash.data[flash.size + SIZE + 8] ^= 4
    journal = mounted(flash)
    assert journal.waiting == 1
    assert keys(journal) == [(1, 2)]


def test_record_in_a_place_that_is_not_its_own_is_no_fact():
    flash = Nor(blocks=5, size=4096)
    journal = mounted(flash)
    append(journal, 1, 1)
    append(journal, 1, 2)
    start = 4096 + SIZE
    flash.data[start + 64 : start + 96] = flash.data[start : start + 32]
    assert keys(mounted(flash)) == [(1, 1), (1, 2)]


def test_flash_that_does_not_keep_what_is_written_is_reported():
    class Worn(Nor):
        worn = False

        def writeblocks(self, block, buf, offset=0):
            if self.worn:
                buf = bytes(len(buf) - 1) + b"\xff"
            Nor.writeblocks(self, block, buf, offset)

    flash = Worn()
    journal = mounted(flash)
    append(journal, 1, 1)
    flash.worn = True
    try:
        append(journal, 1, 2)
        raise AssertionError("not noticed")
    except JournalError:
        pass
    assert keys(journal) == [(1, 1)]


class Dead(Nor):
    """Flash with blocks that take neither writes nor erases; the chip may say so or not."""

    def __init__(self, dead, speaks):
        Nor.__init__(self, blocks=6)
        self.dead, self.speaks = dead, speaks

    def writeblocks(self, block, buf, offset=0):
        if block not in self.dead:
            Nor.writeblocks(self, block, buf, offset)
        elif self.speaks:
            raise OSError("ESP_ERR_FLASH_OP_FAIL")

    def ioctl(self, op, arg):
        if op != 6 or arg not in self.dead:
            return Nor.ioctl(self, op, arg)
        if self.speaks:
            raise OSError("ESP_ERR_FLASH_OP_FAIL")
        return 0


def test_a_dead_block_is_stepped_over_and_nothing_is_lost_on_each_way_round_the_ring():
    for speaks in (False, True):
        for dead in range(6):
            flash = Dead((dead,), speaks)
            journal = mounted(flash)
            for seq in range(1, 200):
                append(journal, 1, seq)
                if seq % 3 == 0:
                    acknowledge(journal, 1, seq - 9, seq - 4)
                    journal.commit()
                    journal.tidy()
                if seq % 40 == 0:
                    journal = mounted(flash)
                found = keys(journal)
                assert found[-1] == (1, seq)
                assert found == [(1, n) for n in range(found[0][1], seq + 1)]
                assert found[0][1] <= max(1, seq - 3)
            assert not journal.dropped


def test_a_full_ring_with_a_dead_block_counts_exactly_what_it_drops():
    for dead in range(6):
        journal = mounted(Dead((dead,), False))
        for seq in range(1, 120):
            append(journal, 1, seq)
            first = seq - journal.waiting + 1
            assert keys(journal) == [(1, n) for n in range(first, seq + 1)]
            assert journal.dropped == first - 1
            assert journal.lost == ((first - 1, 1, 1, 1, first - 1) if first > 1 else (0,) * 5)


def test_a_block_that_dies_when_it_holds_facts_costs_no_other_fact():
    flash = Dead((), False)
    journal = mounted(flash)
    append(journal, 1, 1)
    flash.dead = (1,)
    for seq in range(2, 12):
        append(journal, 1, seq)
    assert keys(journal) == keys(mounted(flash)) == [(1, seq) for seq in range(1, 12)]


def test_two_dead_blocks_side_by_side_are_reported_and_what_is_kept_stays_readable():
    flash = Dead((3, 4), False)
    journal = mounted(flash)
    seq = 0
    try:
        for seq in range(1, 100):
            append(journal, 1, seq)
        raise AssertionError("not noticed")
    except JournalError:
        pass
    assert keys(mounted(flash)) == [(1, n) for n in range(1, seq)]
