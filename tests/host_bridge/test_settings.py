"""Errors of the settings name the file and the line."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_bridge.settings import SettingsError, load
from host_bridge.toml_lines import line_of

DESK = '[[site.rooms.desks]]\nname = "{}"\nunit = "{}"\nx = {}\ny = 0\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[broker]\n\n# a comment\nport = 'x'\n", 4, "Expected `int`"),
        ("[broker]\nhost = 'h'\nportt = 1\n", 3, "unknown field `portt`"),
        ("[web]\nport = 70000\n", 2, "<= 65535"),
        ("nonsense = 1\n[broker]\n", 1, "unknown field `nonsense`"),
        ('[site]\nname = "s"\ntimezone = "Mars/Olympus"\n', 3, "Mars/Olympus"),
        ("[site]\nname = 'NOT A NAME'\n", 2, "matching regex"),
        ("[site]\nnight = [\n  20,\n  77,\n]\n", 2, "<= 23"),
        ("\na = =\n", 2, "Invalid value"),
        (
            "[site]\n[[site.rooms]]\nname = 'r'\n" + DESK.format("A", "a", 1) + "[[site.rooms]]\n"
            "name = 'q'\n" + DESK.format("B", "b", "'far'"),
            14,
            "Expected `float`",
        ),
        (
            "[[site.rooms]]\nname = 'r'\n" + DESK.format("A", "a", 1) + DESK.format("A", "b", 2),
            9,
            "the same desk twice: A",
        ),
        (
            "[[site.rooms]]\nname = 'r'\n" + DESK.format("A", "a", 1) + DESK.format("B", "a", 2),
            10,
            "the same unit twice: a",
        ),
        ("[[site.rooms]]\nname = 'r'\n[[site.rooms.desks]]\nname = 'A'\n", 3, "missing"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, text: str, line: int, words: str):
    file = tmp_path / "chequer.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load(file)
    said = str(error.value)
    assert words in said
    assert said.startswith(f"{file}:{line}: ") or f"line {line}," in said, said


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path):
    file = tmp_path / "chequer.toml"
    file.write_bytes(b"[site]\nname = '\xff'\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(file)


@settings(max_examples=12)
@given(st.integers(0, 30), st.integers(0, 30))
def test_each_key_is_found_on_its_line(before: int, after: int):
    text = "\n" * (before % 3)
    text += "".join(f"k{n} = {n}\n" for n in range(before)) + "here = [\n 1,\n 2,\n]\n"
    text += "".join(f"l{n} = '''\nx\n'''\n" for n in range(after))
    line = text[: text.index("here")].count("\n") + 1
    assert line_of(text, ["here"]) == line
    for name in re.findall(r"^(\w+) =", text, re.MULTILINE):
        assert line_of(text, [name]) == text[: text.index(f"{name} =")].count("\n") + 1


@given(st.text(max_size=80), st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=3))
def test_whatever_the_text_is_looking_for_a_line_never_fails(text: str, path: list[str | int]):
    line_of(text, path)
