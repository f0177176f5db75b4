"""A crash in short: where, and nothing that could be private."""

from desk_unit.crash import MOST, condense, places

UID = "04a1b2c3d4e5f6"


def caught(work):
    try:
        work()
    except Exception as error:
        return condense(error)
    raise AssertionError("nothing was raised")


def fail():
    raise ValueError("card " + UID)


def sink():
    raise OSError(19)


def deep(left):
    if left:
        deep(left - 1)
    fail()


def test_exception_and_places_are_named_innermost_first():
    text = caught(fail)
    assert text.startswith("ValueError at "), text
    first = text.split(" ")[2]
    assert first.split(":")[0].endswith("test_crash.py"), text
    assert int(first.split(":")[1]) > 1


def test_message_is_left_out():
    assert UID not in caught(fail)


def test_number_of_an_os_error_is_kept():
    assert caught(sink).startswith("OSError 19 at ")


def test_text_is_bounded():
    assert len(caught(lambda: deep(50))) <= MOST


def test_places_are_read_from_a_printed_traceback():
    printed = (
        "Traceback (most recent call last):\n"
        '  File "main.py", line 5, in <module>\n'
        '  File "/firmware/desk_unit/unit.py", line 120, in run\n'
        "ValueError: x\n"
    )
    assert places(printed) == ["main.py:5", "desk_unit/unit.py:120"]
