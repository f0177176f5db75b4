"""The server of updates: what it answers, what it ignores, what it remembers."""

import base64
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge import cli
from host_bridge.director.updates import UpdateServer
from host_bridge.domain.rollout import Offered, Standing
from host_bridge.settings import Settings, Update
from host_bridge.store import Store
from host_bridge.update import bundle, shelf, signing
from host_bridge.update.errors import UpdateError
from tests.host_bridge import site
from tests.host_bridge.listener import Listener, eventually
from tests.host_bridge.test_cli import Shell
from tests.services import Mosquitto


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    (folder / "app.py").write_text(f"TEXT = '{'x' * 3000}'\n")
    key = rsa.generate_private_key(65537, signing.BITS)
    path = folder / "7.bundle"
    path.write_bytes(bundle.sign(bundle.build(folder, 7, hardware=[1]), key).data)
    return path


class Stage:
    """A running server, units that are there, and their ears."""

    def __init__(self, folder: Path, port: int) -> None:
        plain = site.settings_for(folder, port)
        self.settings: Settings = msgspec.structs.replace(
            plain, update=Update(folder=str(folder / "updates"))
        )
        self.store = Store.open(plain.store.url)
        self.online = {"u1": True, "u2": True, "u3": True}
        self.now_ms = 1_800_000_000_000
        self.desks = Listener(port, f"chequer/v1/{site.NAME}/+/down/+")
        self.shelf = shelf.Shelf(folder / "updates")
        self.start()

    def unix_ms(self) -> int:
        return self.now_ms

    def seconds(self) -> float:
        return self.now_ms / 1_000

    def start(self) -> None:
        self.server = UpdateServer(self.settings, self.store, lambda: self.online, clock=self)
        self.server.start()
        eventually(lambda: self.server._link.connected)

    def close(self) -> None:
        self.server.stop()
        self.desks.close()
        self.store.close()

    def offer(self, path: Path, *units: str, batch: int = 20) -> shelf.Label:
        label = self.shelf.put(path)
        offers = [
            Offered(
                unit=unit,
                bundle=label.name,
                size=label.size,
                version=label.version,
                again=False,
                batch=batch,
                offered_ms=self.now_ms,
            )
            for unit in units
        ]
        self.store.updates.offer(site.NAME, offers)
        self.pass_(1_000)
        return label

    def pass_(self, ms: int) -> None:
        """Time goes on: the server looks again."""
        self.now_ms += ms
        time.sleep(0.1)

    def say(self, unit: str, word: str, fields: dict[str, Any] | bytes) -> None:
        payload = fields if isinstance(fields, bytes) else msgspec.json.encode(fields)
        topic = f"chequer/v1/{site.NAME}/{unit}/{word}"
        self.desks._client.publish(topic, payload, qos=1).wait_for_publish(5)

    def progress(self, unit: str, step: str, **more: Any) -> None:
        self.say(unit, "update", {"version": 6, "step": step, **more})

    def standing(self, unit: str) -> str:
        self.pass_(1_000)
        return self.store.updates.offers(site.NAME)[unit].standing

    def pieces(self, unit: str = "u1") -> list[Any]:
        return self.desks.bodies(f"{unit}/down/piece")

    def offers(self) -> list[str]:
        return [topic for _, topic, _, _ in self.desks.heard if topic.endswith("down/update")]


@pytest.fixture
def stage(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Stage]:
    made = Stage(tmp_path, mosquitto.port)
    yield made
    made.close()


def test_a_unit_gets_exactly_the_bytes_that_it_asks_for(stage: Stage, release: Path) -> None:
    label = stage.offer(release, "u1")
    eventually(stage.offers)
    data = release.read_bytes()
    for offset, size in ((0, 392), (392, 672), (len(data) - 5, 5)):
        stage.say("u1", "want", {"bundle": label.name, "offset": offset, "size": size})
        piece = eventually(lambda at=offset: [p for p in stage.pieces() if p["offset"] == at])[0]
        assert base64.b64decode(piece["data"]) == data[offset : offset + size]


def test_nothing_is_answered_that_was_not_offered_or_is_not_there(
    stage: Stage, release: Path
) -> None:
    label = stage.offer(release, "u1")
    eventually(stage.offers)
    good = {"bundle": label.name, "offset": 0, "size": 8}
    stage.say("u2", "want", good)
    for odd in (
        {**good, "bundle": "0" * 32},
        {**good, "bundle": "../" + "0" * 29},
        {**good, "offset": label.size},
        {**good, "offset": -1},
        {**good, "size": 673},
        {**good, "size": 0},
        b"\xff\x00",
        b"[" * 1000,
        b"x" * 5000,
    ):
        stage.say("u1", "want", odd)
        stage.say("u1", "update", odd)
        time.sleep(0.05)
    stage.say("u1", "want", good)
    eventually(stage.pieces)
    assert len(stage.pieces()) == 1
    assert not stage.pieces("u2")
    assert sum(stage.server.ignored.values()) >= 8
    assert stage.store.updates.heard(site.NAME) == {}


def test_a_batch_is_told_and_the_next_one_when_it_is_healthy(stage: Stage, release: Path) -> None:
    stage.offer(release, "u1", "u2", "u3", batch=1)
    eventually(lambda: len(stage.offers()) == 1)
    assert stage.standing("u2") == "waits"
    name = stage.store.updates.offers(site.NAME)["u1"].bundle
    for step in ("fetching", "installed"):
        stage.progress("u1", step, bundle=name)
        eventually(lambda word=step: stage.standing("u1") == word)
    stage.progress("u1", "trial")
    eventually(lambda: stage.standing("u1") == "trial")
    assert len(stage.offers()) == 1
    stage.say("u1", "update", {"version": 7, "step": "healthy"})
    eventually(lambda: stage.standing("u1") == "done")
    eventually(lambda: len(stage.offers()) == 2)
    stage.progress("u2", "refused", bundle=name, refused="space", message="no room")
    eventually(lambda: stage.standing("u2") == "refused")
    stage.pass_(2_000)
    assert stage.standing("u3") == "waits", "it has stopped by itself"


def test_what_the_broker_repeats_of_an_old_refusal_does_not_fail_a_new_offer(
    stage: Stage, release: Path, mosquitto: Mosquitto
) -> None:
    label = stage.offer(release, "u1")
    refusal = {"version": 6, "step": "refused", "bundle": label.name, "refused": "space"}
    topic = f"chequer/v1/{site.NAME}/u1/update"
    stage.desks._client.publish(topic, msgspec.json.encode(refusal), qos=1, retain=True)
    eventually(lambda: stage.standing("u1") == "refused")
    stage.pass_(5_000)
    stage.offer(release, "u1")
    stage.server.stop()
    stage.start()
    eventually(lambda: stage.standing("u1") == "told")
    stage.say("u1", "update", refusal)
    eventually(lambda: stage.standing("u1") == "refused")


def test_a_unit_that_says_nothing_is_told_again_and_one_that_asks_is_not(
    stage: Stage, release: Path
) -> None:
    stage.offer(release, "u1")
    eventually(lambda: len(stage.offers()) == 1)
    stage.pass_(30_000)
    assert len(stage.offers()) == 1
    stage.pass_(31_000)
    eventually(lambda: len(stage.offers()) == 2)
    stage.online["u1"] = False
    stage.pass_(90_000)
    assert len(stage.offers()) == 2


def test_a_restarted_server_goes_on_with_the_same_offers(stage: Stage, release: Path) -> None:
    label = stage.offer(release, "u1")
    eventually(stage.offers)
    stage.server.stop()
    stage.start()
    stage.say("u1", "want", {"bundle": label.name, "offset": 0, "size": 8})
    eventually(stage.pieces)


def test_a_withdrawn_offer_is_answered_no_longer(stage: Stage, release: Path) -> None:
    label = stage.offer(release, "u1")
    eventually(stage.offers)
    assert stage.store.updates.withdraw(site.NAME, ["u1", "u2"]) == 1
    stage.pass_(1_000)
    stage.say("u1", "want", {"bundle": label.name, "offset": 0, "size": 8})
    eventually(lambda: stage.server.ignored["not-offered"])
    assert not stage.pieces()


def test_the_shelf_takes_whole_signed_bundles_only(tmp_path: Path, release: Path) -> None:
    data = release.read_bytes()
    folder = shelf.Shelf(tmp_path / "made")
    label = folder.put(release)
    length = int.from_bytes(data[4:6], "little")
    assert label.name == hashlib.sha256(data[: 8 + 384 + length]).hexdigest()[:32]
    assert (label.size, label.version) == (len(data), 7)
    for odd in (b"", data[:-1], data + b"?", data[:-1] + b"?", b"CQU2" + data[4:], data[:300]):
        (tmp_path / "odd").write_bytes(odd)
        with pytest.raises(UpdateError):
            folder.put(tmp_path / "odd")
    with pytest.raises(UpdateError):
        folder.put(tmp_path / "none")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("COLUMNS", "200")
    shell = Shell(tmp_path, monkeypatch)
    with shell.config.open("a") as file:
        file.write(f'[update]\nfolder = "{tmp_path}/updates"\n')
        file.write('[[site.rooms]]\nname = "N"\n')
        for unit in ("u1", "u2"):
            file.write(f'[[site.rooms.desks]]\nname = "{unit}"\nunit = "{unit}"\nx = 0\ny = 0\n')
    return shell


def test_the_commands_offer_show_and_withdraw(
    shell: Shell, release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offer = ("update", "offer", str(release), "--no-wait")
    assert shell.run(*offer, "--all", "--batch", "1") == 0
    assert shell.run("update", "status") == 0
    text = capsys.readouterr().out
    assert "Version 7 is offered to 2 units" in text
    assert text.count("waits") == 2
    store = Store.open(shell.url)
    told = store.updates.offers("s")["u2"]
    store.updates.told("s", "u2", told.bundle, 1)
    store.updates.stands("s", {("u2", told.bundle): "back"})
    store.close()
    assert shell.run("update", "status") == cli.AMISS
    said = capsys.readouterr()
    assert "stopped at u2 (back)" in said.err
    assert "--again" in said.err
    assert shell.run("update", "withdraw", "--unit", "u2") == 0
    assert shell.run("update", "status") == 0
    assert "u2" not in capsys.readouterr().out.replace("1 offers", "")


def test_wrong_usage_of_the_commands_is_one_sentence(
    shell: Shell, release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd").write_bytes(b"nonsense")
    for words in (
        ("offer", str(release), "--no-wait"),
        ("offer", str(release), "--unit", "stranger"),
        ("offer", str(tmp_path / "odd"), "--all"),
        ("offer", str(tmp_path / "none"), "--all"),
        ("withdraw",),
    ):
        assert shell.run("update", *words) == cli.USAGE, words
        assert capsys.readouterr().err.count("\n") == 1


def test_the_offer_is_followed_until_all_is_done_or_stopped_and_ctrl_c_leaves_it_standing(
    shell: Shell,
    release: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stories: list[dict[str, Standing]] = [
        {"u1": "done", "u2": "fetching"},
        {"u1": "done", "u2": "done"},
    ]

    def tell(_seconds: float) -> None:
        """While the command waits, the server has found out something."""
        store = Store.open(shell.url)
        bundle_name = store.updates.offers("s")["u1"].bundle
        for unit, standing in stories.pop(0).items():
            store.updates.stands("s", {(unit, bundle_name): standing})
        store.close()

    monkeypatch.setattr("host_bridge.update.rollout_command.time.sleep", tell)
    assert shell.run("update", "offer", str(release), "--all") == 0
    assert "2/2" in capsys.readouterr().out
    stories.append({"u1": "missing"})
    assert shell.run("update", "offer", str(release), "--all") == cli.AMISS
    assert "stopped at u1 (missing)" in capsys.readouterr().err

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("host_bridge.update.rollout_command.time.sleep", interrupt)
    assert shell.run("update", "offer", str(release), "--all") == 0
    assert "The offers stand" in capsys.readouterr().out
    store = Store.open(shell.url)
    assert {each.standing for each in store.updates.offers("s").values()} == {"waits"}
    store.close()
