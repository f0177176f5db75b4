"""The journal: what was appended is there, what was acknowledged is gone, whatever happens."""

from desk_unit.checkpoint import SIZE
from desk_unit.journal import Journal
from desk_unit.sectors import MAX_BODY
from tests.firmware.unit.nor import Nor, PowerCut

BODY = b"0123456789abcdef"


def mounted(flash):
    journal = Journal(flash)
    journal.mount()
    return journal


def keys(journal):
    found = []
    cursor = 0
    while True:
        fact = journal.read(cursor)
        if fact is None:
            return found
        assert fact[1:] == content(fact[2], fact[3])
        assert fact[0] > cursor
        cursor = fact[0]
        found.append((fact[2], fact[3]))


def content(boot, seq):
    return 2, boot, seq, seq * 1000, 1_700_000_000_000 + seq, 1, BODY[: seq % 17]


def append(journal, boot, seq):
    kind, boot, seq, up, at, clock, body = content(boot, seq)
    journal.append(kind, boot, seq, up, at, clock, body)


def acknowledge(journal, boot, first, last):
    while journal.forget(boot, [(first, last)])[0]:
        pass
    journal.commit()


def test_facts_are_read_in_order_after_mounting_again():
    flash = Nor()
    journal = mounted(flash)
    for seq in range(1, 9):
        append(journal, 3, seq)
    expected = [(3, seq) for seq in range(1, 9)]
    assert keys(journal) == expected
    again = mounted(flash)
    assert keys(again) == expected
    assert again.waiting == 8
    assert again.last == (3, 8)


def test_large_times_and_counts_survive():
    flash = Nor()
    journal = mounted(flash)
    journal.append(7, 2**32 - 1, 2**32 - 2, 2**47, 4_102_444_800_000, 2, b"")
    assert mounted(flash).read(0)[1:] == (
        7,
        2**32 - 1,
        2**32 - 2,
        2**47,
        4_102_444_800_000,
        2,
        b"",
    )


def test_body_that_is_too_long_is_refused_and_nothing_is_written():
    journal = mounted(Nor())
    try:
        journal.append(2, 1, 1, 0, 0, 0, bytes(MAX_BODY + 1))
        raise AssertionError("accepted")
    except ValueError:
        pass
    assert journal.waiting == 0
    journal.append(2, 1, 1, 0, 0, 0, bytes(MAX_BODY))
    assert journal.waiting == 1


def test_acknowledged_facts_stay_forgotten_after_mounting_again():
    flash = Nor()
    journal = mounted(flash)
    for seq in range(1, 8):
        append(journal, 1, seq)
    acknowledge(journal, 1, 1, 5)
    assert keys(mounted(flash)) == [(1, 6), (1, 7)]
    acknowledge(journal, 1, 1, 7)
    again = mounted(flash)
    assert keys(again) == []
    assert again.waiting == 0
    assert again.last == (1, 7)


def test_only_the_oldest_facts_within_a_span_of_that_boot_are_forgotten():
    journal = mounted(Nor())
    for boot, seq in ((1, 1), (1, 2), (2, 1), (2, 2), (2, 3)):
        append(journal, boot, seq)
    acknowledge(journal, 2, 1, 3)
    assert journal.waiting == 5
    acknowledge(journal, 1, 2, 9)
    assert journal.waiting == 5
    assert journal.forget(1, [(1, 1), (2, 9)]) == (2, 2)
    assert journal.forget(1, [(1, 9)]) == (0, 0)
    assert journal.forget(2, [(1, 1), (3, 3)]) == (1, 1)
    journal.commit()
    assert keys(journal) == [(2, 2), (2, 3)]


def test_one_acknowledgement_costs_one_trim_record():
    flash = Nor(blocks=5, size=4096)
    journal = mounted(flash)
    for seq in range(1, 41):
        append(journal, 1, seq)
    before = flash.spent
    acknowledge(journal, 1, 1, 40)
    assert flash.spent - before == 16
    journal.commit()
    assert flash.spent - before == 16


def test_full_journal_drops_its_oldest_facts_and_counts_them():
    flash = Nor()
    journal = mounted(flash)
    for seq in range(1, 101):
        append(journal, 1, seq)
    left = keys(journal)
    assert left == [(1, seq) for seq in range(101 - len(left), 101)]
    assert len(left) == journal.waiting
    assert journal.dropped == 100 - len(left)
    again = mounted(flash)
    assert keys(again) == left
    assert again.dropped == journal.dropped


def test_what_was_dropped_is_known_by_its_first_and_last_until_it_is_told():
    flash = Nor()
    journal = mounted(flash)
    assert journal.lost[0] == 0
    for seq in range(1, 101):
        append(journal, 4, seq)
    first_left = keys(journal)[0][1]
    lost = (first_left - 1, 4, 1, 4, first_left - 1)
    assert journal.lost == lost
    assert mounted(flash).lost == lost
    journal.told((1, 1, 1, 1, 1))  # somebody told of less than has been lost by now
    assert journal.lost == lost
    journal.told(lost)
    assert journal.lost[0] == mounted(flash).lost[0] == 0
    while not journal.lost[0]:
        append(journal, 4, journal.last[1] + 1)
    assert journal.lost[2] == first_left


def test_drop_count_is_cleared_by_a_start_with_nothing_waiting():
    flash = Nor()
    journal = mounted(flash)
    for seq in range(1, 101):
        append(journal, 1, seq)
    acknowledge(journal, 1, 1, 100)
    assert mounted(flash).dropped == 0


def test_ten_thousand_tag_facts_fit_into_the_partition():
    journal = mounted(Nor(blocks=6, size=4096))
    count = 0
    while not journal.dropped:
        count += 1
        journal.append(2, 1, count, count, 0, 0, BODY)
        if count % 60 == 0:
            journal.tidy()
    # All sectors but two were full: those in front of the newest are kept free.
    per_sector = (count - 1) // 4
    assert per_sector * (512 // 4 - 3) >= 10_000


def test_append_does_not_erase_when_there_was_time_to_tidy():
    flash = Nor()
    journal = mounted(flash)
    for seq in range(1, 60):
        while journal.tidy():
            pass
        before = sum(flash.erases)
        append(journal, 1, seq)
        assert sum(flash.erases) == before
        acknowledge(journal, 1, 1, seq)


def test_acknowledged_facts_are_erased_from_the_flash():
    flash = Nor(blocks=8)
    journal = mounted(flash)
    for seq in range(1, 25):
        append(journal, 1, seq)
    acknowledge(journal, 1, 1, 24)
    while journal.tidy():
        pass
    blank = bytes(b"\xff" * flash.size)
    used = [
        i for i in range(8) if bytes(flash.data[i * flash.size : (i + 1) * flash.size]) != blank
    ]
    assert len(used) == 1  # the newest sector


def test_nothing_is_erased_before_its_acknowledgement_is_durable():
    flash = Nor(blocks=8)
    journal = mounted(flash)
    for seq in range(1, 25):
        append(journal, 1, seq)
    while journal.forget(1, [(1, 24)])[0]:
        pass
    while journal.tidy():
        pass
    again = mounted(flash)
    assert len(keys(again)) == again.waiting == 24


def test_sectors_wear_evenly():
    flash = Nor(blocks=5)
    journal = mounted(flash)
    for seq in range(1, 400):
        append(journal, 1, seq)
        acknowledge(journal, 1, 1, seq)
        while journal.tidy():
            pass
    assert max(flash.erases) - min(flash.erases) <= 2


def test_too_small_a_flash_is_refused():
    try:
        Journal(Nor(blocks=4))
        raise AssertionError("accepted")
    except ValueError:
        pass


class Model:
    """What a journal must hold, what a power cut may leave either way, and the boot counter."""

    def __init__(self):
        self.kept = []
        self.unsure = []
        self.newest = (0, 0)
        self.boot = 0
        self.pending = None

    def start(self, journal, may_drop=False):
        """A fresh mount after a power cut: check it, and take over how it decided."""
        found = keys(journal)
        assert journal.waiting == len(found)
        assert journal.last >= self.newest, "a number could be given twice"
        allowed = self.unsure + self.kept
        if found and found[-1] == self.pending:
            allowed.append(self.pending)  # it was complete, only `append` had not returned
        assert found == allowed[len(allowed) - len(found) :], "lost, repeated or invented"
        if not may_drop:
            assert len(found) >= len(self.kept), "lost"
        self.kept = found
        self.unsure = []
        self.newest = journal.last
        self.boot += 1

    def append(self, journal, seq):
        self.pending = (self.boot, seq)
        append(journal, self.boot, seq)
        self.kept.append(self.pending)
        self.newest = self.pending
        self.pending = None

    def forget(self, journal, boot, spans):
        count, _ = journal.forget(boot, spans)
        for _ in range(count):
            self.unsure.append(self.kept.pop(0))

    def commit(self, journal):
        journal.commit()
        self.unsure = []


def lifetime(flash, model, facts, tidy):
    """A boot of a unit: facts, acknowledgements of all but the newest, tidying."""
    journal = mounted(flash)
    model.start(journal)
    for seq in range(1, facts + 1):
        model.append(journal, seq)
        if seq % 3 == 0:
            for boot, last in model.kept[:-1]:
                model.forget(journal, boot, [(1, last)])
            model.commit(journal)
        if tidy and seq % 2 == 0:
            journal.tidy()


def survive(cut, second, tidy):
    """Cut the power after `cut` bytes of one boot and `second` of the next; check each start."""
    flash = Nor(seed=cut + 1)
    model = Model()
    lifetime(flash, model, 4, tidy)
    for budget in (cut, second, None):
        flash.budget = budget
        try:
            lifetime(flash, model, 14, tidy)
            if budget is not None:
                return False
        except PowerCut:
            pass
    return True


def test_power_cut_at_every_byte_loses_nothing_and_invents_nothing():
    for tidy in (True, False):
        cut = 0
        while survive(cut, cut * 7 % 701, tidy):
            cut += 1
        assert cut > 600, cut


def test_power_cut_at_every_byte_of_a_full_journal_loses_the_oldest_only():
    for cut in range(700):
        flash = Nor(seed=cut + 1)
        model = Model()
        journal = mounted(flash)
        model.start(journal)
        for seq in range(1, 19):
            model.append(journal, seq)
        flash.budget = cut
        try:
            for seq in range(19, 40):
                model.append(journal, seq)
                journal.tidy()
        except PowerCut:
            pass
        flash.budget = None
        journal = mounted(flash)
        model.start(journal, may_drop=True)
        assert journal.waiting >= 6
        append(journal, 2, 1)
        assert keys(mounted(flash))[-1] == (2, 1)


def test_power_cut_at_every_byte_of_the_first_format_leaves_a_usable_flash():
    cut = 0
    while format_and_cut(cut):
        cut += 1
    assert cut == Nor.ERASE + SIZE


def format_and_cut(cut):
    flash = Nor(seed=cut + 1)
    flash.budget = cut
    try:
        mounted(flash)
    except PowerCut:
        flash.budget = None
        journal = mounted(flash)
        assert keys(journal) == []
        append(journal, 1, 1)
        assert keys(mounted(flash)) == [(1, 1)]
        return True
    return False


def test_random_operations_agree_with_a_simple_model():
    for seed in range(1, 17):
        flash = Nor(blocks=6, seed=seed)
        model = Model()
        for _ in range(12):
            flash.budget = flash.random(900)
            try:
                journal = mounted(flash)
                model.start(journal)
                random_boot(flash, journal, model)
            except PowerCut:
                pass


def random_boot(flash, journal, model):
    seq = 0
    for _ in range(60):
        choice = flash.random(10)
        if choice < 5 and len(model.kept) < 12:
            seq += 1
            model.append(journal, seq)
        elif choice < 8 and model.kept:
            boot, first = model.kept[0]
            model.forget(journal, boot, [(first, first + flash.random(4))])
            if flash.random(3):
                model.commit(journal)
        else:
            journal.tidy()
        assert keys(journal) == model.kept
