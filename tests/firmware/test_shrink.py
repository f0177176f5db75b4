"""What `host_bridge/update/shrink.py` does to names, and what it must leave alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.update.shrink import shrink
from tests.firmware.planted import FIRMWARE

SCRIPTS = FIRMWARE.parent / "scripts"


def small(**sources: str) -> dict[str, str]:
    return shrink({name.replace("__", "."): text for name, text in sources.items()}).sources


def test_private_names_of_two_modules_share_their_short_ones() -> None:
    a, b = small(a="_first = 1", b="_second = 2").values()
    assert a.split(" ")[0] == b.split(" ")[0] != "_first"


def test_classes_that_inherit_across_modules_never_share_one() -> None:
    base = "class A:\n    def __init__(self):\n        self._x = 1"
    heir = "from a import A\nclass B(A):\n    def f(self):\n        self._y = 2"
    sources = small(a=base, b=heir + "\n        return self._x")
    scope: dict[str, object] = {}
    exec(sources["a"] + "\n" + sources["b"].replace("from a import A", ""), scope)
    assert scope["B"]().f() == 1  # type: ignore[operator]


def test_public_names_and_names_that_a_call_gives_stay() -> None:
    text = small(a="def open(name, speed, way=0): return name\nopen(1, speed=2)\nd = {'way': 3}")[
        "a"
    ]
    assert "def open(a, speed, way=0)" in text


def test_a_closure_sees_the_same_parameter_under_its_short_name() -> None:
    text = small(a="def outer(value, factor):\n    return lambda x: x * factor + value")["a"]
    scope: dict[str, object] = {}
    exec(text, scope)
    assert scope["outer"](2, 10)(3) == 32  # type: ignore[operator]


def test_a_short_name_never_hides_another_name_of_its_function() -> None:
    text = small(a="def f(value):\n    a = 1\n    b = 2\n    return value + a + b")["a"]
    scope: dict[str, object] = {}
    exec(text, scope)
    assert scope["f"](10) == 13  # type: ignore[operator]


def test_a_default_is_the_enclosing_scopes_name() -> None:
    # Regression: of `lambda make=make` both were renamed, so safe mode called a text.
    text = small(a="def outer(word, make):\n    return lambda x, make=make: make(x) + word")["a"]
    scope: dict[str, object] = {}
    exec(text, scope)
    assert scope["outer"](1, lambda x: 10 * x)(2) == 21  # type: ignore[operator]


def test_a_private_name_of_somebody_else_is_refused() -> None:
    # Regression: `sys.implementation._mpy` got another name, and no unit took an update.
    with pytest.raises(ValueError, match="_mpy"):
        small(a="import sys\nprint(sys.implementation._mpy)")


def test_constants_are_numbers_in_every_module_that_uses_them() -> None:
    sources = small(
        p="",
        p__pins="BUTTON = const(32)",
        p__x="from .pins import BUTTON\nfrom . import pins\nprint(BUTTON, pins.BUTTON)",
    )
    assert "print(32, 32)" in sources["p.x"]
    assert "BUTTON" not in sources["p.pins"]


def test_what_is_for_type_checkers_only_is_left_out() -> None:
    text = small(a="TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import typing\nx = 1")["a"]
    assert text == "x = 1"


def test_a_private_name_that_could_not_be_followed_is_refused() -> None:
    with pytest.raises(ValueError, match="_x"):
        small(a="class A:\n    _x = 1\nprint(getattr(A, '_x'))")


def test_what_a_crash_record_says_can_be_looked_up(tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    subprocess.run([sys.executable, SCRIPTS / "build_firmware.py", folder], check=True)
    names = json.loads((tmp_path / "firmware.names.json").read_text())
    assert "_await_ready" in names["mfrc522"].values()
    assert "_ring" in names["board/safe"].values()
