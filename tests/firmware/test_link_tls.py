"""TLS to a real broker, on the interpreter of the chip: who is trusted, and who is not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.firmware.desk import KEY, until
from tests.firmware.host import SITE, UNIT, Host
from tests.firmware.link_bench import Bench
from tests.services import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
NAME = "broker.test"
PSK = "00112233445566778899aabbccddeeff"


class SecureBroker(Mosquitto):
    """Listens in the clear for the test's host, and with certificates and with PSK for units."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.good, self.expired, self.psk = free_port(), free_port(), free_port()
        folder.mkdir()
        keys = folder / "psk"
        keys.write_text(f"{UNIT}:{PSK}\n")
        keys.chmod(0o600)
        lines = []
        for port, expired in ((self.good, False), (self.expired, True)):
            certificate, key = authority.issue(NAME, expired=expired)
            lines += [
                f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"
            ]  # fmt: skip
        lines += [f"listener {self.psk} 127.0.0.1", "psk_hint x", f"psk_file {keys}"]
        super().__init__(folder, extra="\n".join(lines))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "other")


@pytest.fixture(scope="module")
def broker(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[SecureBroker]:
    broker = SecureBroker(tmp_path_factory.mktemp("broker") / "m", authority)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def host(broker: SecureBroker) -> Iterator[Host]:
    host = Host(broker.port)
    yield host
    host.close()


def on_vm(port: int, tls: dict[str, Any], *, seconds: float = 6, facts: int = 10) -> dict[str, Any]:
    """Run a link on the VM until its facts are acknowledged or the time is over."""
    config = {
        "site": SITE,
        "unit": UNIT,
        "site_key": KEY,
        "wifi": {"ssid": "x"},
        "sntp": "127.0.0.1",
        "broker": {"host": NAME, "port": port, "tls": tls},
    }
    words = {"config": config, "facts": facts, "seconds": seconds, "address": "127.0.0.1"}
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            ROOT / "tests/firmware/vm_link.py",
        ],
        input=json.dumps(words) + "\n",
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_broker_with_a_certificate_of_the_pinned_authority_is_trusted(
    broker: SecureBroker, authority: Authority, host: Host
) -> None:
    end = on_vm(broker.good, {"ca": authority.certificate.read_text()})
    assert (end["waiting"], end["fault"]) == (0, "")
    assert len(set(host.heard_keys())) == 8
    assert len(set(host.heard_keys("button"))) == 2


def test_broker_of_another_authority_is_refused(broker: SecureBroker, other: Authority) -> None:
    end = on_vm(broker.good, {"ca": other.certificate.read_text()}, seconds=1.5)
    assert end["waiting"] == 10
    assert "not correctly signed by the trusted CA" in end["fault"]


def test_broker_with_another_name_is_refused(broker: SecureBroker, authority: Authority) -> None:
    tls = {"ca": authority.certificate.read_text(), "name": "other.test"}
    end = on_vm(broker.good, tls, seconds=1.5)
    assert end["waiting"] == 10
    assert "does not match" in end["fault"]


def test_expired_certificate_is_refused(broker: SecureBroker, authority: Authority) -> None:
    end = on_vm(broker.expired, {"ca": authority.certificate.read_text()}, seconds=1.5)
    assert end["waiting"] == 10
    assert "expired" in end["fault"]


def test_broker_without_tls_is_refused(broker: SecureBroker, authority: Authority) -> None:
    end = on_vm(broker.port, {"ca": authority.certificate.read_text()}, seconds=1.5)
    assert end["waiting"] == 10
    assert end["fault"].startswith("not connected: ")


def test_pre_shared_key_needs_no_certificates(broker: SecureBroker, host: Host) -> None:
    end = on_vm(broker.psk, {"psk_identity": UNIT, "psk": PSK})
    assert (end["waiting"], end["fault"]) == (0, "")


@pytest.mark.parametrize("wrong", [{"psk": "1" + PSK[1:]}, {"psk_identity": "nobody"}])
def test_wrong_pre_shared_key_or_identity_is_refused(
    broker: SecureBroker, wrong: dict[str, str]
) -> None:
    end = on_vm(broker.psk, {"psk_identity": UNIT, "psk": PSK, **wrong}, seconds=1.5)
    assert end["waiting"] == 10
    assert end["fault"].startswith("not connected: ")


async def test_pinned_authority_holds_on_cpython_too(
    broker: SecureBroker, authority: Authority, other: Authority, host: Host
) -> None:
    good = {"ca": authority.certificate.read_text(), "name": NAME}
    async with Bench(broker.good, tls=good).running() as bench:
        bench.facts.press()
        await until(lambda: bench.waiting() == 0)
    wrong = {"ca": other.certificate.read_text(), "name": NAME}
    async with Bench(broker.good, tls=wrong).running() as bench:
        await until(lambda: "certificate verify failed" in bench.link.fault)
