"""Updates over a real broker: the built firmware on the real VM, and the host's server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.contract.facts import Press
from host_bridge.director.updates import UpdateServer
from host_bridge.domain.rollout import Offered
from host_bridge.settings import Broker, Settings, Site, Update
from host_bridge.settings import Store as StoreSettings
from host_bridge.store import Store
from host_bridge.update import bundle, folder, signing
from host_bridge.update.shelf import Label, Shelf
from sim.unit import SimUnit
from tests.firmware import planted
from tests.firmware.desk import until
from tests.firmware.host import SITE, UNIT, Host
from tests.services import Mosquitto

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, signing.BITS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Path:
    target = tmp_path_factory.mktemp("build") / "firmware"
    folder.write(ROOT / "firmware", target, hardware=(1,), key=key)
    return target


def release(
    place: Path, key: rsa.RSAPrivateKey, version: int = 700_000, padding: int = 12_000
) -> Path:
    """A small new version, signed."""
    sources = place / f"sources{version}"
    sources.mkdir()
    (sources / "app.py").write_text(f"VERSION = {version}\n")
    (sources / "big.py").write_text(f"TEXT = '{'x' * padding}'\n")
    signed = bundle.sign(bundle.build(sources, version, hardware=[1]), key)
    path = place / f"{version}.bundle"
    path.write_bytes(signed.data)
    return path


class Server:
    """The part of the host that hands out updates, on a store and a shelf of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.settings = Settings(
            site=Site(name=SITE),
            broker=Broker(port=port),
            store=StoreSettings(url=f"sqlite:///{folder}/host.db"),
            update=Update(folder=str(folder / "updates")),
        )
        self.store = Store.open(self.settings.store.url)
        self.shelf = Shelf(folder / "updates")
        self.start()

    def start(self) -> None:
        self.server = UpdateServer(self.settings, self.store, lambda: {UNIT: True})
        self.server.start()

    def offer(self, path: Path) -> Label:
        label = self.shelf.put(path)
        now = time.time_ns() // 1_000_000
        offer = Offered(
            unit=UNIT,
            bundle=label.name,
            size=label.size,
            version=label.version,
            again=False,
            batch=20,
            offered_ms=now,
        )
        self.store.updates.offer(SITE, [offer])
        return label

    def standing(self) -> str:
        return self.store.updates.offers(SITE)[UNIT].standing


@pytest.fixture
def server(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Server]:
    made = Server(tmp_path, mosquitto.port)
    yield made
    made.server.stop()
    made.store.close()


@contextlib.asynccontextmanager
async def desk(
    folder: Path, port: int, firmware: Path, key: rsa.RSAPrivateKey, heap: str = "224k"
) -> AsyncIterator[SimUnit]:
    """A unit that trusts the key."""
    files = folder / "unit" / "files"
    files.mkdir(parents=True)
    (files / "release.pub").write_bytes(signing.modulus(key.public_key()))
    async with planted.unit(folder, port, firmware, heap) as started:
        yield started


async def restarted(unit: SimUnit) -> None:
    """Return once the unit has reset itself."""
    with unit.watch() as events:
        async with asyncio.timeout(60):
            while "reset" not in await events.get():
                pass


def installed(host: Host) -> bool:
    """Whether the unit has said so."""
    return any(progress.step == "installed" for progress in host.progress)


def offsets(host: Host) -> list[int]:
    return [want.offset for want in host.wants]


async def test_an_offer_is_fetched_installed_and_started_and_a_press_goes_ahead_of_it(
    host: Host,
    server: Server,
    built: Path,
    key: rsa.RSAPrivateKey,
) -> None:
    async with desk(server.folder, server.port, built, key) as unit:
        await until(lambda: host.states and host.states[-1].online)
        label = server.offer(release(server.folder, key))
        await until(lambda: len(host.wants) >= 3, 20)
        host.answering = False  # nothing is acknowledged: the press waits, and so must the update
        await unit.press()
        await until(lambda: any(isinstance(fact, Press) for fact in host.facts))
        at = host.order.index("button")
        await asyncio.sleep(1.5)
        assert host.order[at:].count("want") <= 1, "one may have been on its way"
        assert host.progress[-1].step == "fetching"
        host.answering = True
        press = next(fact for fact in host.facts if isinstance(fact, Press))
        host.acknowledge(press.boot, "button", (1, press.seq))
        for boot, last in {(fact.boot, fact.seq) for fact in host.facts if fact != press}:
            host.acknowledge(boot, "ordinary", (1, last))
        await restarted(unit)
        await until(lambda: server.standing() != "fetching")
    assert installed(host)
    said = next(progress for progress in host.progress if progress.step == "installed")
    assert (said.bundle, said.received) == (label.name, label.size)
    assert offsets(host) == sorted(set(offsets(host))), "nothing was fetched twice"
    assert max(map(len, host.payloads)) <= 1024


async def test_a_lost_link_and_a_restarted_host_cost_no_piece_twice(
    host: Host,
    server: Server,
    built: Path,
    key: rsa.RSAPrivateKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("host_bridge.director.updates.REPEAT_MS", 3_000)
    async with desk(server.folder, server.port, built, key) as unit:
        await until(lambda: host.states and host.states[-1].online)
        server.offer(release(server.folder, key, padding=40_000))
        await until(lambda: len(host.wants) >= 4, 20)
        await unit.network(present=False)
        await asyncio.sleep(1)
        before = len(host.wants)
        await unit.network(present=True)
        await until(lambda: len(host.wants) > before + 3, 40)
        await asyncio.to_thread(server.server.stop)
        await asyncio.sleep(1)
        server.start()
        await restarted(unit)
    assert installed(host)
    fetched = offsets(host)
    # Twice a piece of two parts was on its way.
    assert len(fetched) - len(set(fetched)) <= 4, "only what was on its way is asked for again"
    assert fetched == sorted(fetched)


async def test_a_forged_update_is_refused_and_the_reason_is_kept(
    host: Host,
    server: Server,
    built: Path,
    key: rsa.RSAPrivateKey,
) -> None:
    other = rsa.generate_private_key(65537, signing.BITS)
    async with desk(server.folder, server.port, built, key) as unit:
        await until(lambda: host.states and host.states[-1].online)
        with unit.watch() as events:
            server.offer(release(server.folder, other))
            await until(lambda: server.standing() == "refused", 30)
            flood(host)
            await unit.press()
            await until(lambda: any(isinstance(fact, Press) for fact in host.facts), 20)
            assert not any("reset" in events.get_nowait() for _ in range(events.qsize()))
    heard = server.store.updates.heard(SITE)[UNIT]
    assert heard.refused == "signature"
    assert "not signed" in heard.message
    assert not installed(host)


def flood(host: Host) -> None:
    """Bytes that nobody can use, on both topics."""
    for number in range(60):
        for word in ("update", "piece"):
            host.tell(word, b"\xff" * number)
            host.tell(word, b'{"bundle":"%032x","offset":%d,"data":"!"}' % (number, number))
            host.tell(word, b'{"bundle":"%032x","size":-%d}' % (number, number))
            host.tell(word, b"[" * 1000)


async def test_safe_mode_records_a_press_and_takes_an_update(
    host: Host, server: Server, key: rsa.RSAPrivateKey
) -> None:
    broken = planted.copy(
        server.folder, ("board/desk.py", "KNOWN = ", 'raise ValueError("x")\nKNOWN = ')
    )
    # From sources: the interpreter compiles the updater, which the chip never does.
    async with desk(server.folder, server.port, broken, key, "448k") as unit:
        await unit.wait_for(lambda shown: "BTN ON" in shown.display, 40)
        await until(lambda: host.states and host.states[-1].mode == "safe")
        await unit.press()
        await until(lambda: any(isinstance(fact, Press) for fact in host.facts))
        await unit.wait_for(lambda shown: "STORED" in shown.display)
        await unit.wait_for(lambda shown: "BTN ON" in shown.display, 20)
        server.offer(release(server.folder, key))
        await restarted(unit)
    assert installed(host)


async def test_a_button_that_fails_in_safe_mode_is_shown_as_off_and_the_link_goes_on(
    tmp_path: Path, mosquitto: Mosquitto, host: Host
) -> None:
    broken = planted.copy(
        tmp_path,
        ("board/desk.py", "KNOWN = ", 'raise ValueError("x")\nKNOWN = '),
        ("board/button.py", "class Button", 'raise ValueError("y")\nclass Button'),
    )
    async with planted.unit(tmp_path, mosquitto.port, broken) as unit:
        await unit.wait_for(lambda shown: "BTN OFF" in shown.display, 40)
        await until(lambda: host.states and host.states[-1].mode == "safe")
        assert "button is off" in host.states[-1].faults["safe-mode"]
        count = len(host.states)
        await asyncio.sleep(3)
        assert host.states[-1].boot == host.states[count - 1].boot, "it does not start anew"
