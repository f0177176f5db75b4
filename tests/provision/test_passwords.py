"""The password file, against the real broker."""

import os
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from host_bridge.provision.passwords import PasswordFile
from tests.services import Mosquitto


def login(port: int, user: str, password: str) -> bool:
    """Does the broker let this user in?"""
    answers: list[bool] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"test-{user}")
    client.on_connect = lambda *given: answers.append(not given[3].is_failure)
    client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    while not answers:
        client.loop(0.1)
    client.disconnect()
    return answers[0]


def test_the_real_broker_takes_exactly_the_passwords_in_the_file(tmp_path: Path):
    path = tmp_path / "passwords"
    passwords = PasswordFile(path)
    passwords.set("u1", "first")
    passwords.set("u2", "second")
    passwords.set("u1", "third")
    passwords.set("u3", "fourth")
    passwords.remove("u3")
    broker = Mosquitto(tmp_path / "broker", extra=f"password_file {path}").start()
    try:
        assert login(broker.port, "u1", "third")
        assert login(broker.port, "u2", "second")
        assert not login(broker.port, "u1", "first")
        assert not login(broker.port, "u3", "fourth")
    finally:
        broker.stop()


def test_the_file_is_the_owners_only_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    modes = []
    opened = os.open
    monkeypatch.setattr(
        os, "open", lambda path, flags, mode=0o777: modes.append(mode) or opened(path, flags, mode)
    )
    before = os.umask(0)
    try:
        PasswordFile(tmp_path / "passwords").set("u1", "secret")
    finally:
        os.umask(before)
    assert modes[0] == 0o600
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o600


def test_a_stop_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "passwords"
    PasswordFile(path).set("u1", "secret")
    old = path.read_text()

    def stop(_handle: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(KeyboardInterrupt):
            PasswordFile(path).set("u2", "secret")
    assert path.read_text() == old
    PasswordFile(path).set("u2", "secret")
    assert path.read_text().startswith(old)
