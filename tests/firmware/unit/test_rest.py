"""The break timer is offered after a report, begins by standing up, and runs its full length."""

from desk_unit.rest import OFFER_MS, Rest

MINUTE = 60_000


def reported(sits=True):
    rest = Rest(10)
    if sits:
        rest.seat(True, 0)
    rest.pressed()
    return rest


def test_nothing_is_offered_before_the_report_is_stored():
    rest = reported()
    assert rest.word(10) == ""
    rest.stored(20)
    assert rest.word(21) == "break-offer"


def test_standing_up_begins_the_break_and_sitting_down_does_not_end_it():
    rest = reported()
    rest.stored(0)
    rest.seat(False, 1_000)
    assert (rest.word(1_000), rest.minutes(1_000)) == ("break", 10)
    rest.seat(True, MINUTE)
    assert (rest.word(MINUTE), rest.minutes(MINUTE + 1_000)) == ("break", 9)
    rest.seat(False, 2 * MINUTE)
    assert rest.minutes(1_000 + 10 * MINUTE - 1) == 1
    assert rest.word(1_000 + 10 * MINUTE) == ""


def test_who_has_left_between_press_and_stored_has_begun_the_break():
    rest = reported()
    rest.seat(False, 5)
    assert rest.word(6) == ""
    rest.stored(10)
    assert rest.word(10) == "break"


def test_an_empty_seat_is_offered_no_break():
    rest = reported(sits=False)
    rest.stored(0)
    assert rest.word(1) == ""
    rest.seat(True, 10)
    rest.seat(False, 20)
    assert rest.word(30) == ""


def test_the_offer_ends_by_itself():
    rest = reported()
    rest.stored(0)
    assert rest.word(OFFER_MS - 1) == "break-offer"
    assert rest.word(OFFER_MS) == ""
    rest.seat(False, OFFER_MS)
    assert rest.word(OFFER_MS) == ""


def test_a_second_report_does_not_lengthen_a_break_that_runs():
    rest = reported()
    rest.stored(0)
    rest.seat(False, 0)
    rest.seat(True, 1_000)
    rest.pressed()
    rest.stored(2_000)
    rest.seat(False, 3_000)
    assert rest.word(10 * MINUTE - 1) == "break"
    assert rest.word(10 * MINUTE) == ""


def test_somebody_who_signs_in_or_out_finds_no_break():
    rest = reported()
    rest.stored(0)
    rest.seat(False, 0)
    rest.stop()
    assert rest.word(1) == ""


def test_a_site_without_breaks_offers_none():
    rest = Rest(0)
    rest.seat(True, 0)
    rest.pressed()
    rest.stored(0)
    rest.seat(False, 1)
    assert rest.word(2) == ""
