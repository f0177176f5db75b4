"""The documents of the contract say what the types say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from host_bridge.contract.facts import AnyFact, Press, Tag
from host_bridge.contract.generate import FOLDER, documents, drifted


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_documents_are_what_the_types_say() -> None:
    assert drifted() == [], "run: make generate"


def test_a_changed_a_missing_and_a_stale_document_are_drift(tmp_path: Path) -> None:
    for name, text in documents().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert drifted(tmp_path) == []
    (tmp_path / "ack.schema.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "fact.schema.json").unlink()
    (tmp_path / "old.schema.json").write_text("{}\n", encoding="utf-8")
    assert drifted(tmp_path) == ["ack.schema.json", "fact.schema.json", "old.schema.json"]


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"age": 5, "novel": True}, True),
        ({"unit": "Z"}, False),
        ({"unit": "aZ"}, False),
        ({"seq": 0}, False),
        ({"type": "dance"}, False),
        ({"tag": "04A1B2C3"}, False),
    ],
)
def test_schema_and_types_agree_on_a_fact(changes: dict[str, Any], valid: bool) -> None:
    tag = {"type": "tag", "unit": "u", "boot": 1, "seq": 1, "up": 1, "tag": "ab" * 16}
    message = {**tag, **changes}
    schema = load("fact.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(message) == valid
    try:
        msgspec.json.decode(json.dumps(message), type=AnyFact)
        assert valid
    except msgspec.ValidationError:
        assert not valid


def test_what_the_types_encode_fits_the_schema() -> None:
    schema = load("facts.schema.json")
    backlog = [
        Press(unit="u", boot=1, seq=1, up=1),
        Tag(unit="u", boot=1, seq=1, up=1, tag="0" * 32),
    ]
    jsonschema.validate(json.loads(msgspec.json.encode(backlog)), schema)


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = load("asyncapi.json")

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [ref for value in node.values() for ref in references(value)]
        return [ref for each in node for ref in references(each)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > 20
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_asyncapi_document_has_every_topic_of_the_protocol() -> None:
    protocol = (FOLDER.parent / "protocol.md").read_text(encoding="utf-8")
    for channel in load("asyncapi.json")["channels"].values():
        assert f"| `{channel['address'].removeprefix('chequer/v1/{site}/{unit}/')}` |" in protocol
