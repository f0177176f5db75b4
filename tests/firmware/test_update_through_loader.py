"""From an offer to a unit that runs the new version: real VM, LittleFS, loader, broker, server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.contract.facts import Boot
from host_bridge.update import bundle, folder, signing
from tests.firmware import planted
from tests.firmware.desk import until
from tests.firmware.host import Host
from tests.firmware.test_updates import Server
from tests.services import Mosquitto

SHORT_TRIAL = ("update/trial.py", "_GOOD_MS = const(60_000)", "_GOOD_MS = const(4_000)")
BROKEN = (
    "desk_unit/unit.py",
    "_TICK_MS = const(50)",
    '_TICK_MS = const(50)\nraise ValueError("broken")',
)
NEW = ("desk_unit/__init__.py", 'VERSION = "0.1.0"', 'VERSION = "0.1.1"')


@pytest.fixture
def server(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Server]:
    made = Server(tmp_path, mosquitto.port)
    yield made
    made.server.stop()
    made.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("good", [True, False], ids=["good", "broken"])
async def test_a_new_version_runs_after_its_offer_and_a_broken_one_gives_way_to_the_old(
    tmp_path: Path, host: Host, server: Server, good: bool
) -> None:
    key = rsa.generate_private_key(65537, signing.BITS)
    built = tmp_path / "built"
    old = folder.write(planted.FIRMWARE, built, hardware=(1,), key=key).manifest.version
    (tmp_path / "new").mkdir()
    sources = planted.copy(tmp_path / "new", NEW, SHORT_TRIAL if good else BROKEN)
    signed = bundle.sign(bundle.build(sources, old + 1, hardware=[1]), key)
    (tmp_path / "new.bundle").write_bytes(signed.data)
    async with planted.unit(tmp_path, server.port, built):
        await until(lambda: host.states and host.states[-1].firmware == "0.1.0", 30)
        server.offer(tmp_path / "new.bundle")
        end = "done" if good else "back"
        await until(lambda: server.standing() == end, 120)
        await until(lambda: host.states[-1].online, 20)
    heard = server.store.updates.heard("test")["a1"]
    steps = [progress.step for progress in host.progress]
    firmware = [state.firmware for state in host.states if state.online]
    if good:
        assert steps[-3:] == ["installed", "trial", "healthy"]
        assert heard.version == old + 1
        assert firmware[-1] == "0.1.1"
        assert any(isinstance(fact, Boot) and fact.clean for fact in host.facts)
    else:
        assert steps[-1] == "back"
        assert heard.version == old
        assert firmware[-1] == "0.1.0"
