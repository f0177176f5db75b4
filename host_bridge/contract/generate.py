"""Writes docs/contract/: the JSON Schemas and the AsyncAPI document, from the types.

`python -m host_bridge.contract.generate` writes them; with `--check` it writes nothing, and
ends with 1 when a file on the disk is not what the types say.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_MESSAGE, AnyFact
from host_bridge.contract.messages import (
    Ack,
    Enrol,
    Guidance,
    Incident,
    Mode,
    Offer,
    Piece,
    Progress,
    Restart,
    State,
    Verdict,
    Want,
)

FOLDER = Path(__file__).parents[2] / "docs" / "contract"
MESSAGES: dict[str, tuple[Any, str]] = {
    "fact": (AnyFact, "One fact of a desk unit."),
    "facts": (list[AnyFact], "A backlog of facts."),
    "state": (State, "A unit's state; also its last will."),
    "ack": (Ack, "The host has committed these facts."),
    "verdict": (Verdict, "What a tap meant."),
    "guidance": (Guidance, "May this seat be used now?"),
    "restart": (Restart, "Start again."),
    "mode": (Mode, "How a unit is to behave."),
    "incident": (Incident, "A person has answered for a report."),
    "enrol": (Enrol, "The next tag is to be enrolled."),
    "offer": (Offer, "An update is meant for this unit."),
    "want": (Want, "The unit asks for a piece of an update."),
    "piece": (Piece, "A piece of an update."),
    "progress": (Progress, "How far a unit is with its update."),
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Channel: address, its messages, does the host send, is it retained.
_CHANNELS: dict[str, tuple[str, tuple[str, ...], bool, bool]] = {
    "ordinary": (topics.facts("{site}", "{unit}", "ordinary"), ("fact", "facts"), False, False),
    "button": (topics.facts("{site}", "{unit}", "button"), ("fact", "facts"), False, False),
    "state": (topics.state("{site}", "{unit}"), ("state",), False, True),
    "ack": (topics.down("{site}", "{unit}", "ack"), ("ack",), True, False),
    "verdict": (topics.down("{site}", "{unit}", "verdict"), ("verdict",), True, False),
    "guidance": (topics.down("{site}", "{unit}", "guidance"), ("guidance",), True, True),
    "restart": (topics.down("{site}", "{unit}", "restart"), ("restart",), True, False),
    "mode": (topics.down("{site}", "{unit}", "mode"), ("mode",), True, True),
    "incident": (topics.down("{site}", "{unit}", "incident"), ("incident",), True, False),
    "enrol": (topics.down("{site}", "{unit}", "enrol"), ("enrol",), True, False),
    "update": (topics.down("{site}", "{unit}", "update"), ("offer",), True, False),
    "want": (topics.want("{site}", "{unit}"), ("want",), False, False),
    "piece": (topics.down("{site}", "{unit}", "piece"), ("piece",), True, False),
    "progress": (topics.update("{site}", "{unit}"), ("progress",), False, True),
}


def documents() -> dict[str, str]:
    """The content of every file, by its name."""
    files = {f"{name}.schema.json": _schema(kind) for name, (kind, _) in MESSAGES.items()}
    files["asyncapi.json"] = _asyncapi()
    return {name: _text(document) for name, document in files.items()}


def _schema(kind: Any) -> dict[str, Any]:
    return {"$schema": _DIALECT, **_translated(msgspec.json.schema(kind))}


def _asyncapi() -> dict[str, Any]:
    schemas, components = msgspec.json.schema_components(
        [kind for kind, _ in MESSAGES.values()], ref_template="#/components/schemas/{name}"
    )
    messages = {
        name: {"name": name, "summary": summary, "payload": _for_asyncapi(schema)}
        for (name, (_, summary)), schema in zip(MESSAGES.items(), schemas, strict=True)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Chequer",
            "version": topics.PREFIX.rpartition("/")[2],
            "description": "What travels between desk units and the host, over MQTT 3.1.1. "
            f"A message has {MAX_MESSAGE} bytes at most. Seen from the host.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(*channel) for name, channel in _CHANNELS.items()},
        "operations": {name: _operation(name, *channel) for name, channel in _CHANNELS.items()},
        "components": {"messages": messages, "schemas": _for_asyncapi(components)},
    }


def _channel(address: str, messages: tuple[str, ...], *_: bool) -> dict[str, Any]:
    return {
        "address": address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "parameters": {
            "site": {"description": "The site's name."},
            "unit": {"description": "The unit's name."},
        },
    }


def _operation(
    name: str, _address: str, messages: tuple[str, ...], sends: bool, retained: bool
) -> dict[str, Any]:
    return {
        "action": "send" if sends else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in messages],
        "bindings": {"mqtt": {"qos": 1, "retain": retained}},
    }


def _translated(node: Any) -> Any:
    r"""Patterns as JSON Schema writes them (ECMA 262): the end is `$`, which Python calls `\Z`."""
    if isinstance(node, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" else _translated(value)
            for key, value in node.items()
        }
    return [_translated(each) for each in node] if isinstance(node, list) else node


def _for_asyncapi(node: Any) -> Any:
    """The same, with the discriminator in AsyncAPI's form: the name of the property only."""
    return _named_discriminator(_translated(node))


def _named_discriminator(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: value["propertyName"] if key == "discriminator" else _named_discriminator(value)
            for key, value in node.items()
        }
    return [_named_discriminator(each) for each in node] if isinstance(node, list) else node


def _text(document: dict[str, Any]) -> str:
    encoded = msgspec.json.encode(document, order="sorted")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def drifted(folder: Path = FOLDER) -> list[str]:
    """Files that are missing, differ from what the types say, or are no longer generated."""
    wanted = documents()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted | found if wanted.get(name) != found.get(name))


def main(arguments: list[str]) -> int:
    """Write the files, or check them."""
    if arguments == ["--check"]:
        names = drifted()
        for name in names:
            sys.stderr.write(f"docs/contract/{name} is not what the types say; make generate\n")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
