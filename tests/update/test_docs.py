"""docs/update.md says what the code does."""

import re
from typing import get_args

import msgspec

from host_bridge.contract import messages
from tests.update.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "update.md").read_text(encoding="utf-8")


def test_the_examples_are_messages():
    examples = DOCUMENT.split("```json\n")[1].split("```")[0].splitlines()
    types = (messages.Offer, messages.Want, messages.Piece, messages.Progress)
    for example, kind in zip(examples, types, strict=True):
        assert msgspec.json.encode(msgspec.json.decode(example, type=kind)) == example.encode()


def test_every_reason_of_a_refusal_is_explained_and_none_is_made_up():
    section = DOCUMENT.split("| `refused` |")[1].split("\n\n")[0]
    explained = {
        word
        for line in section.splitlines()[2:]
        for word in re.findall(r"`([a-z]+)`", line.split("|")[1])
    }
    assert explained == set(get_args(messages.RefusalReason))
    files = [*(ROOT / "firmware" / "update").glob("*.py"), ROOT / "firmware/desk_unit/updates.py"]
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r'(?:Refused|refused)\(\s*"([a-z]+)"', sources)) == explained


def test_the_limits_in_the_document_are_those_of_the_code():
    from update import manifest

    text = DOCUMENT.replace(",", "")
    for limit in (manifest.MAX_MANIFEST, manifest.MAX_FILE, manifest.MAX_TOTAL):
        assert str(limit) in text
    assert f"{manifest.MAX_FILES} files" in text
    assert f"{messages.MAX_PIECE} bytes" in text
