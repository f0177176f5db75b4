"""Facts of a real site are recorded, and played into an empty host they give the same rows."""

import gzip
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from host_bridge.contract import topics
from host_bridge.contract.facts import AnyFact, Boot, Press, Seat, Tag, Urgent, lane_of
from host_bridge.contract.recording import Entry, Head, RecordingError, read, rekeyed, write
from host_bridge.intake import judge
from host_bridge.store import Batch, Store, StoredFact
from sim import replay as replaying
from sim.replay import look
from tests.host_bridge.host_process import Host
from tests.services import Mosquitto

BEGAN = 1_700_100_000_000
TAGS = ["ab" * 16, "cd" * 16]


def facts() -> list[tuple[int, AnyFact]]:
    """Two units' morning, by arrival: taps, seats, presses, one of them after an outage."""
    found: list[tuple[int, AnyFact]] = []
    for unit in ("a1", "a2"):
        found.append((0, Boot(unit=unit, boot=3, seq=1, up=5, age=1, cause="power", firmware="1")))
        for n in range(2, 40):
            age = 90_000 if n == 30 else 12
            at, key = BEGAN + n * 2_000 - age, {"unit": unit, "boot": 3, "seq": n, "up": n * 2_000}
            if n % 3 == 0:
                tag = TAGS[n % 2]
                # What an earlier boot left behind has no age, only a clock.
                known = None if n == 33 else age
                found.append((n * 2_000, Tag(**key, age=known, at=at, clock="host", tag=tag)))
            else:
                found.append((n * 2_000, Seat(**key, age=age, occupied=n % 2 == 0)))
        found.append((33_001, Press(unit=unit, boot=3, seq=1, up=33_000, age=40)))
        found.append((35_100, Urgent(unit=unit, boot=3, seq=2, up=35_000, age=30, gesture="hold")))
    return sorted(found, key=lambda each: each[0])


def fill(host: Host) -> None:
    """A site's database, as its relay would have filled it."""
    store = Store.open(host.url)
    for after, fact in facts():
        topic = topics.facts("s", fact.unit, lane_of(fact))
        judged = judge(topic, msgspec.json.encode(fact), BEGAN + after)
        assert len(judged.facts) == 1
        store.commit(
            Batch(worker="relay", received=1, facts=judged.facts, dead_letters=judged.dead_letters)
        )
    store.close()


def host_in(folder: Path, port: int) -> Host:
    folder.mkdir()
    (folder / "var").mkdir()
    return Host(folder, port)


def export(host: Host, file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["export", "facts", str(file), *more, "--config", str(host.config)]
    return subprocess.run(
        [sys.executable, "-m", "host_bridge", *words],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def replay(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", "replay", str(file), *more],
        check=False, capture_output=True, text=True, timeout=90,
    )  # fmt: skip


def stored(host: Host) -> list[StoredFact]:
    store = Store.open(host.url)
    try:
        return store.facts_after(0, 10_000)
    finally:
        store.close()


def all_said(rows: list[StoredFact]) -> list[tuple[object, ...]]:
    """What the rows say, by their keys; of a tag only whether it is the same as before."""
    tags: list[str] = []
    rows = sorted(rows, key=lambda row: (row.site, row.unit, row.boot, row.lane, row.seq))
    return [said(row, tags) for row in rows]


def said(row: StoredFact, tags: list[str]) -> tuple[object, ...]:
    """All that a row says beside when it was played: that is as far from its arrival as it was."""
    fact = msgspec.structs.replace(row.fact, at=None)
    if isinstance(fact, Tag):
        if fact.tag not in tags:
            tags.append(fact.tag)
        fact = msgspec.structs.replace(fact, tag=f"{tags.index(fact.tag):032x}")
    ago = row.received_ms - row.time_ms
    if row.sure == "clock":  # on the way it grows older by its clock, though not by its age
        ago = int(ago > 30_000)
    return row.site, row.unit, row.boot, row.lane, row.seq, row.sure, ago, fact


def test_a_recording_played_into_an_empty_host_gives_the_same_rows_and_ledger(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    site = host_in(tmp_path / "site", mosquitto.port)
    fill(site)
    file = tmp_path / "day.jsonl.gz"
    made = export(site, file)
    assert made.returncode == 0, made.stderr
    with host_in(tmp_path / "fresh", mosquitto.port) as fresh:
        relay = fresh.start("relay")
        fresh.wait_for_log("connected to the broker", times=2)
        played = replay(file, "--speed", "60", "--broker", f"127.0.0.1:{mosquitto.port}")
        assert played.returncode == 0, played.stderr
        assert f"acknowledged all {len(facts())} facts" in played.stdout
        assert fresh.stop(relay) == 0
        ours, theirs = stored(site), stored(fresh)
        assert all_said(ours) == all_said(theirs)
        assert [row.lane for row in theirs].count("button") == 4
        books = [Store.open(host.url).ledger() for host in (site, fresh)]
        assert books[0] == books[1]


def test_nobody_can_be_followed_from_one_day_to_the_next_in_a_recording() -> None:
    day = 86_400_000
    fact = next(fact for _, fact in facts() if isinstance(fact, Tag))
    tags = []
    for received in (20_000 * day, 20_001 * day - 1, 20_001 * day):
        entry = Entry(received=received, site="s", lane="ordinary", fact=fact)
        made = rekeyed(entry, b"k" * 32).fact
        assert isinstance(made, Tag)
        tags.append(made.tag)
    assert tags[0] == tags[1]
    assert tags[1] != tags[2]


def test_tags_are_hashed_anew_and_the_same_tag_stays_one_within_a_day(tmp_path: Path) -> None:
    site = host_in(tmp_path / "site", 1)
    fill(site)
    files = [tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"]
    for file in files:
        assert export(site, file).returncode == 0
        text = gzip.decompress(file.read_bytes()).decode()
        assert not any(tag in text for tag in TAGS)
        assert (file.stat().st_mode & 0o777) == 0o600
    tags = [
        [entry.fact.tag for entry in entries(file) if isinstance(entry.fact, Tag)] for file in files
    ]
    assert [len(set(each)) for each in tags] == [2, 2]
    assert not set(tags[0]) & set(tags[1])
    pattern = [[each.index(tag) for tag in each] for each in tags]
    assert pattern[0] == pattern[1]


def test_only_what_arrived_in_the_time_asked_for_is_recorded(tmp_path: Path) -> None:
    site = host_in(tmp_path / "site", 1)
    fill(site)
    file = tmp_path / "part.jsonl.gz"
    # 1,700,100,000 s is 2023-11-16T02:00:00Z.
    made = export(site, file, "--since", "2023-11-16T02:00:10", "--until", "2023-11-16T02:00:20")
    assert made.returncode == 0, made.stderr
    expected = [after for after, _ in facts() if 10_000 <= after < 20_000]
    assert [entry.received - BEGAN for entry in entries(file)] == expected
    again = export(site, file)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    late = export(site, tmp_path / "x.gz", "--since", "2023-11-16", "--until", "2023-11-15")
    assert late.returncode == 2
    assert not (tmp_path / "x.gz").exists()


def test_a_replay_that_no_host_hears_says_so_and_that_nothing_is_lost(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "PATIENCE_S", 0.5)
    file = recording(tmp_path)
    player = replaying.Replay(("127.0.0.1", mosquitto.port), 1_000)
    with pytest.raises(replaying.ReplayError, match="no host has acknowledged"):
        player.play(file, lambda _: None)
    assert player.unacknowledged() == len(facts())


def entries(file: Path) -> list[Entry]:
    return [item for item in read(file) if not isinstance(item, Head)]


def recording(folder: Path) -> Path:
    file = folder / "good.jsonl.gz"
    with file.open("wb") as made:
        write(
            made,
            Head(),
            (
                Entry(received=BEGAN + after, site="s", lane=lane_of(fact), fact=fact)
                for after, fact in facts()
            ),
        )
    return file


Lines = list[bytes]
DAMAGE: dict[str, Callable[[Lines], bytes]] = {
    "cut off in the middle": lambda lines: gzip.compress(b"".join(lines))[:400],
    "no end": lambda lines: gzip.compress(b"".join(lines[:-1])),
    "a line is missing": lambda lines: gzip.compress(b"".join([*lines[:5], *lines[6:]])),
    "no JSON": lambda lines: gzip.compress(b"".join([*lines[:5], b"\xff{\n", *lines[6:]])),
    "a tag that is none": lambda lines: gzip.compress(b"".join(lines).replace(b"abab", b"zzzz")),
    "wrong lane": lambda lines: gzip.compress(b"".join(lines).replace(b'"button"', b'"ordinary"')),
    "something behind": lambda lines: gzip.compress(b"".join([*lines, lines[3]])),
    "a long line": lambda lines: gzip.compress(b"".join([*lines[:5], b"x" * 100_000, *lines[5:]])),
    "no head": lambda lines: gzip.compress(b"".join(lines[1:])),
    "no gzip": b"".join,
    "a newer version": lambda lines: gzip.compress(
        b"".join(lines).replace(b'"version":1', b'"version":2')
    ),
}


def damaged(folder: Path, change: str) -> Path:
    lines = gzip.decompress(recording(folder).read_bytes()).splitlines(keepends=True)
    file = folder / "bad.jsonl.gz"
    file.write_bytes(DAMAGE[change](lines))
    return file


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("cut off in the middle", 0), ("no end", 84), ("a line is missing", 83), ("no JSON", 6),
        ("a tag that is none", 0), ("wrong lane", 0), ("something behind", 85), ("a long line", 6),
        ("no head", 1), ("no gzip", 0), ("a newer version", 0),
    ],
)  # fmt: skip
def test_a_file_that_is_no_whole_recording_is_refused_with_its_line_before_anything_is_sent(
    tmp_path: Path, change: str, line: int
) -> None:
    file = damaged(tmp_path, change)
    with pytest.raises(RecordingError) as caught:
        look(file)
    assert str(caught.value).startswith(f"{file}:{line}: " if line else str(file))


def test_the_command_refuses_what_it_cannot_play_and_sends_nothing(tmp_path: Path) -> None:
    bad = replay(damaged(tmp_path, "no end"))
    assert bad.returncode == 2
    assert "Nothing was played." in bad.stderr
    nobody = replay(recording(tmp_path), "--broker", "127.0.0.1:1")
    assert nobody.returncode == 1
    assert "nothing was sent" in nobody.stderr
    assert replay(tmp_path / "none.gz").returncode == 2
    assert replay(recording(tmp_path), "--site", "a/b").returncode == 2


def test_what_nobody_heard_is_sent_again_until_the_host_is_there(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "AGAIN_S", 1.0)
    player = replaying.Replay(("127.0.0.1", mosquitto.port), 1_000)
    with (
        host_in(tmp_path / "fresh", mosquitto.port) as fresh,
        ThreadPoolExecutor() as beside,
    ):
        playing = beside.submit(player.play, recording(tmp_path), lambda _: None)
        wait_until(lambda: player.unacknowledged() == len(facts()))
        fresh.start("relay")
        playing.result(60)
        assert len(stored(fresh)) == len(facts())
    assert player.unacknowledged() == 0


def wait_until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
