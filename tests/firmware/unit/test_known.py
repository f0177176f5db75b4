"""The unit knows few tags, only from the host, not for ever, and survives a torn file."""

from desk_unit.known import BADGE, CLEANER, HEADSET, KEEP_HOURS, MOST, Known

SEAL = b"12345678"
HOUR = 490_000


class File:
    def __init__(self):
        self.data = None
        self.saves = 0
        self.fails = False

    def load(self):
        if self.data is None:
            raise OSError(2)
        return self.data

    def save(self, data):
        if self.fails:
            raise OSError(28)
        self.data = bytes(data)
        self.saves += 1


def tag(number):
    return bytes((number & 255, number >> 8)) * 8


def test_what_the_host_judged_is_known_and_nothing_else():
    known = Known(File(), SEAL)
    assert known.kind(tag(1), HOUR) == 0
    known.learn(tag(1), HEADSET, HOUR)
    known.learn(tag(2), CLEANER, HOUR)
    known.learn(tag(3), BADGE, HOUR)
    kinds = [known.kind(tag(number), HOUR) for number in (1, 2, 3, 4)]
    assert kinds == [HEADSET, CLEANER, BADGE, 0]


def test_a_tag_is_forgotten_when_the_host_says_so():
    known = Known(None, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.forget(tag(1))
    known.forget(tag(2))
    assert known.kind(tag(1), HOUR) == 0


def test_known_tags_survive_a_restart():
    file = File()
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.learn(tag(2), CLEANER, HOUR)
    known.save()
    again = Known(file, SEAL)
    assert (again.kind(tag(1), 0), again.kind(tag(2), 0)) == (HEADSET, CLEANER)
    assert not again.unsaved


def test_the_least_recently_used_goes_first_and_the_size_is_limited():
    file = File()
    known = Known(file, SEAL)
    for number in range(MOST):
        known.learn(tag(number), HEADSET, HOUR)
    assert known.kind(tag(0), HOUR) == HEADSET  # used just now
    known.learn(tag(MOST), HEADSET, HOUR)
    assert len(known) == MOST
    assert known.kind(tag(0), HOUR) == HEADSET
    assert known.kind(tag(1), HOUR) == 0
    known.save()
    assert len(file.data) <= 16 + 20 * MOST


def test_entries_expire():
    known = Known(None, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    assert known.kind(tag(1), HOUR + KEEP_HOURS - 1) == HEADSET
    assert known.kind(tag(1), HOUR + KEEP_HOURS) == 0
    assert len(known) == 0


def test_without_a_clock_the_newest_entry_tells_how_late_it_is_at_least():
    file = File()
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.learn(tag(2), HEADSET, HOUR + KEEP_HOURS)
    known.save()
    again = Known(file, SEAL)
    assert again.kind(tag(1), 0) == 0
    assert again.kind(tag(2), 0) == HEADSET


def test_another_site_key_empties_it_on_flash_too():
    file = File()
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.save()
    other = Known(file, b"87654321")
    assert len(other) == 0
    other.save()
    assert tag(1) not in file.data
    assert Known(file, SEAL).kind(tag(1), 0) == 0


def test_every_torn_or_changed_file_is_an_empty_list_and_never_an_error():
    file = File()
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.learn(tag(2), CLEANER, HOUR)
    known.save()
    good = file.data
    for end in range(len(good)):
        file.data = good[:end]
        assert len(Known(file, SEAL)) == 0, end
    for at in range(len(good)):
        changed = bytearray(good)
        changed[at] ^= 0x10
        file.data = bytes(changed)
        assert len(Known(file, SEAL)) == 0, at


def test_the_same_verdict_within_the_hour_writes_nothing():
    file = File()
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.save()
    for _ in range(10):
        known.learn(tag(1), HEADSET, HOUR)
        known.kind(tag(1), HOUR)
        known.save()
    assert file.saves == 1
    known.learn(tag(1), HEADSET, HOUR + 1)
    known.save()
    assert file.saves == 2


def test_a_file_that_cannot_be_written_is_reported_and_the_tags_stay_known():
    file = File()
    file.fails = True
    known = Known(file, SEAL)
    known.learn(tag(1), HEADSET, HOUR)
    known.save()
    assert known.fault
    assert known.kind(tag(1), HOUR) == HEADSET
    file.fails = False
    known.learn(tag(2), HEADSET, HOUR)
    known.save()
    assert not known.fault
