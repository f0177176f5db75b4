"""The register of tags."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from host_bridge.store import RegistryError, Store, TagKind
from host_bridge.store.tables import metadata, people

A, B, C = "a" * 32, "b" * 32, "c" * 32


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "tags.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_tag_that_was_issued_is_found_at_its_site_only(store: Store) -> None:
    store.registry.issue("s", A, "headset", "Ada")
    record = store.registry.record("s", A)
    assert record is not None
    assert (record.kind, record.status) == ("headset", "issued")
    assert store.registry.record("t", A) is None


def test_badge_and_headset_of_one_holder_belong_to_one_person(store: Store) -> None:
    store.registry.issue("s", A, "headset", "Ada")
    store.registry.issue("s", B, "badge", "Ada")
    store.registry.issue("s", C, "headset", "Bea")
    persons = [record and record.person for record in map(store.registry.record, "sss", (A, B, C))]
    assert persons[0] == persons[1] != persons[2]


def test_a_tag_goes_to_a_new_holder(store: Store) -> None:
    store.registry.issue("s", A, "headset", "Ada")
    before = store.registry.record("s", A)
    store.registry.issue("s", A, "headset", "Bea")
    after = store.registry.record("s", A)
    assert before is not None
    assert after is not None
    assert before.person != after.person


def test_a_file_is_taken_with_a_byte_order_mark_and_a_status(store: Store, tmp_path: Path) -> None:
    text = f"tag,kind,holder,status\n{A},headset,Ada,\n{B},cleaner,,\n{C},headset,Bea,lost\n"
    assert store.registry.import_csv("s", csv_file(tmp_path, text, "utf-8-sig")) == 3
    lost = store.registry.record("s", C)
    assert lost is not None
    assert lost.status == "lost"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("04A1B2C3D4E5F6,headset,Bea", "never a card's UID"),
        (f"{B},hat,Bea", "kind is one of"),
        (f"{B},headset,", "needs a holder"),
        (f"{B},headset,Be\0a", "no control characters"),
        (f"{B}", "kind is one of"),
    ],
)
def test_one_bad_line_and_nothing_of_the_file_is_taken(
    store: Store, tmp_path: Path, line: str, reason: str
) -> None:
    path = csv_file(tmp_path, f"tag,kind,holder\n{A},headset,Ada\n{line}\n")
    with pytest.raises(RegistryError, match=reason) as caught:
        store.registry.import_csv("s", path)
    assert caught.value.line == 3
    assert store.registry.record("s", A) is None


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"tag;kind;holder\n"])
def test_a_file_that_is_no_register_is_refused(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "tags.csv"
    path.write_bytes(content)
    with pytest.raises(RegistryError):
        store.registry.import_csv("s", path)


def test_a_missing_file_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="No such file"):
        store.registry.import_csv("s", tmp_path / "none.csv")


def test_a_kind_that_does_not_exist_is_refused(store: Store) -> None:
    kind: TagKind = "hat"  # type: ignore[assignment]
    with pytest.raises(RegistryError, match="kind is one of"):
        store.registry.issue("s", A, kind, "Ada")


def test_names_are_in_one_table_only() -> None:
    holders = [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name in {"name", "holder", "email", "phone"}
    ]
    assert holders == ["people.name"]
    assert isinstance(people.c.name.type, sa.String)
