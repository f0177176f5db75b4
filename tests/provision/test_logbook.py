import json
import resource
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_bridge.provision.credentials import boot_base
from host_bridge.provision.errors import ProvisionError, SetupError
from host_bridge.provision.logbook import Logbook


def test_what_was_written_is_known_after_a_restart(tmp_path: Path):
    with Logbook(tmp_path / "log.jsonl") as book:
        book.assign("u1", "m1", 100)
        book.append("done", unit="u1", mac="m1")
        book.assign("u2", "m2", 100)
    with Logbook(tmp_path / "log.jsonl") as book:
        first, second = book.by_mac("m1"), book.by_unit("u2")
        assert first is not None
        assert second is not None
        assert (first.unit, first.done, second.mac, second.done) == ("u1", True, "m2", False)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=12))
def test_no_order_of_assignments_gives_a_name_or_a_board_twice(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[tuple[str, str]]
):
    path = tmp_path_factory.mktemp("book") / "log.jsonl"
    granted = set()
    for unit, mac in wishes:
        with Logbook(path) as book:
            try:
                book.assign(unit, mac, 1)
            except ValueError:
                continue
            granted.add((unit, mac))
    assert len({unit for unit, _ in granted}) == len(granted) == len({mac for _, mac in granted})


def test_a_scrapped_board_frees_its_name_for_another_and_gets_none_itself(tmp_path: Path):
    with Logbook(tmp_path / "log.jsonl") as book:
        book.assign("u1", "m1", 100)
        book.append("scrapped", unit="u1", mac="m1")
    with Logbook(tmp_path / "log.jsonl") as book:
        assert book.is_scrapped("m1")
        with pytest.raises(ValueError, match="scrapped"):
            book.assign("u2", "m1", 100)
        book.assign("u1", "m2", 200)
        assert book.last_base("u1") == 200


@pytest.mark.parametrize("cut", range(1, 90, 7))
def test_a_torn_last_line_is_skipped_and_kept(tmp_path: Path, cut: int):
    path = tmp_path / "log.jsonl"
    with Logbook(path) as book:
        book.assign("u1", "m1", 100)
        book.assign("u2", "m2", 100)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    for _ in range(2):
        with Logbook(path) as book:
            assert book.by_unit("u1") is not None
            assert book.by_unit("u2") is None
    assert path.read_bytes().startswith(whole[:-cut])
    with Logbook(path) as book:
        book.assign("u3", "m2", 100)


def test_a_line_that_is_no_record_stops_everything(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    with Logbook(path) as book:
        book.assign("u1", "m1", 100)
    path.write_text("edited by hand\n" + path.read_text())
    with pytest.raises(SetupError, match="line 1"):
        Logbook(path)


def test_a_logbook_that_gives_a_name_twice_is_refused(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    record = {"at": "", "event": "assigned", "unit": "u1", "boot_base": 1}
    path.write_text("".join(json.dumps(record | {"mac": mac}) + "\n" for mac in ("m1", "m2")))
    with pytest.raises(SetupError, match="line 2"):
        Logbook(path)


def test_a_full_disk_is_told_before_anything_is_done(tmp_path: Path):
    with Logbook(tmp_path / "log.jsonl") as book:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        try:
            with pytest.raises(ProvisionError, match="logbook can't be written"):
                book.assign("u1", "m1", 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
    with Logbook(tmp_path / "log.jsonl") as book:
        assert book.by_unit("u1") is None
        book.assign("u1", "m2", 100)


def test_two_benches_never_share_a_logbook(tmp_path: Path):
    with Logbook(tmp_path / "log.jsonl"), pytest.raises(SetupError, match="another provisioning"):
        Logbook(tmp_path / "log.jsonl")


def test_a_boot_base_is_minutes_since_2020_and_grows_with_every_provisioning():
    now = datetime(2020, 1, 2, tzinfo=UTC)
    assert boot_base(now, 0) == 24 * 60
    assert boot_base(now, 24 * 60) == 24 * 60 + 60
    assert boot_base(now, 5) == 24 * 60
