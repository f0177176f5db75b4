"""How a desk feels, on the real firmware with the real host between two simulated desks."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from host_bridge.contract.facts import Press, Provisional, Tag
from host_bridge.director import Director
from host_bridge.domain.incidents import Incident, fold
from host_bridge.enrolment import Wanted, enrol
from host_bridge.relay import Relay
from host_bridge.settings import Broker, Desk, Room, Settings, Site
from host_bridge.settings import Store as StoreSettings
from host_bridge.store import Store
from sim.tags import tag_hash
from sim.unit import SimUnit
from tests.services import Mosquitto

KEY = bytes(range(32))
ANNA, BEA, NEW = "04A1A1A1A1A1A1", "04B2B2B2B2B2B2", "04D4D4D4D4D4D4"
ANNAS_BADGE, CLEANER = "04C3C3C3", "04E5E5E5"


class Office:
    """Two desks far apart, a broker, a relay and a director."""

    def __init__(self, folder: Path, mosquitto: Mosquitto, badge_in: str) -> None:
        desks = [
            Desk(name="A1", unit="a1", x=0, y=0),
            Desk(name="A2", unit="a2", x=90, y=0),
        ]
        room = Room(name="Room", desks=desks, clearance=1.5)
        self.settings = Settings(
            site=Site(name="hq", rooms=[room], badge_in=badge_in),  # type: ignore[arg-type]
            broker=Broker(port=mosquitto.port),
            store=StoreSettings(url=f"sqlite:///{folder}/chequer.db"),
        )
        self.store = Store.open(self.settings.store.url)
        for uid, kind, holder in (
            (ANNA, "headset", "Anna"),
            (BEA, "headset", "Bea"),
            (ANNAS_BADGE, "badge", "Anna"),
            (CLEANER, "cleaner", None),
        ):
            self.store.registry.issue("hq", tag_hash(KEY, uid), kind, holder)  # type: ignore[arg-type]
        self.relay = Relay(self.settings, self.store, "relay")
        self.director = Director(self.settings, self.store)
        self.units = [
            SimUnit(
                folder=folder / name,
                broker=("127.0.0.1", mosquitto.port),
                site="hq",
                unit=name,
                site_key=KEY,
            )
            for name in ("a1", "a2")
        ]

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Office"]:
        thread = threading.Thread(target=self.relay.run)
        thread.start()
        self.director.start()
        try:
            await asyncio.gather(*(unit.start() for unit in self.units))
            for unit in self.units:
                await shows(unit, "FREE")
            yield self
        finally:
            await asyncio.gather(*(unit.stop() for unit in self.units))
            self.director.stop()
            self.relay.stop()
            await asyncio.to_thread(thread.join, 20)
            self.store.close()

    def incidents(self) -> list[Incident]:
        incidents = self.store.incidents
        return fold(incidents.reports("hq"), incidents.records("hq"))

    def hear(self, incident: Incident) -> None:
        self.store.incidents.add(
            "hq",
            incident.unit,
            boot=incident.boot,
            seq=incident.seq,
            word="heard",
            time_ms=time.time_ns() // 1_000_000,
        )

    def facts(self, kind: type) -> list:
        return [row.fact for row in self.store.facts_after(0, 10_000) if type(row.fact) is kind]


async def shows(unit: SimUnit, *lines: str, within: float = 30.0) -> None:
    await unit.wait_for(lambda shown: shown.display == list(lines), within)


async def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
def live(tmp_path: Path, mosquitto: Mosquitto) -> Callable[..., None]:
    """Runs a story in an office."""

    def run(story: Callable[[Office], Awaitable[None]], badge_in: str = "headset") -> None:
        async def whole() -> None:
            async with Office(tmp_path, mosquitto, badge_in).open() as office:
                await story(office)

        asyncio.run(whole())

    return run


def test_every_verdict_of_a_day_is_on_the_display(live):
    async def day(office: Office) -> None:
        one, two = office.units
        await one.tap(ANNA)
        await shows(one, "YOURS")
        await shows(one, "RESERVED")
        await one.tap(BEA)
        await shows(one, "NOT", "YOURS")
        await two.tap(ANNA)
        await shows(two, "IN USE", "ELSEWHR")
        await one.tap(ANNA)
        await shows(one, "GOODBYE")
        await shows(one, "DIRTY")
        await one.tap(BEA)
        await shows(one, "NOT", "CLEANED")
        await one.tap(CLEANER)
        await shows(one, "CLEANED")
        await shows(one, "FREE")
        await one.tap(NEW)
        await shows(one, "UNKNOWN")

    live(day)


def test_badge_then_headset_is_told_step_by_step(live):
    async def morning(office: Office) -> None:
        one, _ = office.units
        await one.tap(ANNA)
        await shows(one, "BADGE", "FIRST")
        await one.tap(ANNAS_BADGE)
        await shows(one, "BADGE OK", "HEADSET")
        await one.tap(BEA)
        await shows(one, "NOT", "YOURS")
        await one.tap(ANNA)
        await shows(one, "YOURS")
        await shows(one, "RESERVED")
        await one.tap(ANNA)
        await shows(one, "GOODBYE")

    live(morning, "badge-then-headset")


def test_a_report_is_sent_stored_and_seen_and_hammering_is_one_incident(live):
    async def call(office: Office) -> None:
        one, _ = office.units
        for _ in range(5):
            await one.press(60)
            await asyncio.sleep(0.08)
        await shows(one, "STORED")
        (incident,) = office.incidents()
        assert (incident.unit, incident.urgent, incident.state) == ("a1", True, "new")
        assert len(office.facts(Press)) == 5
        office.hear(incident)
        await shows(one, "SEEN")
        assert [each.state for each in office.incidents()] == ["heard"]

    live(call)


def test_only_the_own_headset_withdraws_and_nothing_is_deleted(live):
    async def slip(office: Office) -> None:
        one, _ = office.units
        await one.tap(ANNA)
        await shows(one, "YOURS")
        await one.press()
        await shows(one, "STORED")
        await one.tap(BEA)
        await shows(one, "NOT", "YOURS")
        await one.tap(CLEANER)
        await shows(one, "CLEANED")
        assert [each.state for each in office.incidents()] == ["new"]
        await one.tap(ANNA)
        await shows(one, "WITH", "DRAWN")
        assert [each.state for each in office.incidents()] == ["withdrawn"]
        assert len(office.facts(Press)) == 1
        await one.press()
        await eventually(lambda: len(office.incidents()) == 2)
        assert [each.state for each in office.incidents()] == ["withdrawn", "new"]

    live(slip)


def test_a_drill_runs_the_whole_path_and_never_counts(live):
    async def practice(office: Office) -> None:
        one, _ = office.units
        office.store.modes.drill("hq", "a1", time.time_ns() // 1_000_000 + 60_000)
        await shows(one, "DRILL", "FREE")
        await one.press()
        await shows(one, "DRILL", "STORED")
        (incident,) = office.incidents()
        assert incident.drill
        office.hear(incident)
        await shows(one, "DRILL", "SEEN")
        office.store.modes.drill("hq", "a1", None)
        await shows(one, "FREE", within=15)
        await one.press()
        await eventually(lambda: len(office.incidents()) == 2)
        assert [each.drill for each in office.incidents()] == [True, False]

    live(practice)


def test_a_new_headset_is_enrolled_at_the_desk_and_is_its_holders_own_from_then_on(live):
    async def issue(office: Office) -> None:
        one, _ = office.units
        wanted = Wanted("hq", "a1", "headset", "Carla")

        def ask(seconds: int) -> str:
            broker = office.settings.broker
            return enrol(broker, office.store, wanted, ready=lambda: None, seconds=seconds)

        for uid, outcome, lines in (
            (NEW, "enrolled", ["ENROLLED"]),
            (ANNA, "already-known", ["ALREADY", "KNOWN"]),
        ):
            asked = asyncio.create_task(asyncio.to_thread(ask, 20))
            await shows(one, "READY TO", "ENROL")
            await one.tap(uid)
            await shows(one, *lines)
            assert await asked == outcome
        await shows(one, "FREE")
        await one.tap(NEW)
        await shows(one, "YOURS")
        payloads = [row.fact for row in office.store.facts_after(0, 1_000)]
        assert not any(NEW.lower() in str(fact).lower() for fact in payloads)

    live(issue)


def test_offline_the_desk_helps_itself_and_the_host_learns_what_it_showed(live):
    async def outage(office: Office) -> None:
        one, _ = office.units
        await one.tap(CLEANER)
        await shows(one, "CLEANED")
        await one.tap(ANNA)
        await shows(one, "YOURS")
        await asyncio.sleep(1.5)  # what is known is saved within a second
        await one.network(False)
        await asyncio.sleep(1.0)
        await one.tap(ANNA)
        await shows(one, "PROVISIONAL", "GOODBYE", within=3)
        await one.power_cut()
        await one.power_on()
        await asyncio.sleep(1.0)
        await one.tap(ANNA)
        await shows(one, "PROVISIONAL", "YOURS")
        await one.tap(CLEANER)
        await shows(one, "PROVISIONAL", "CLEANED")
        await one.tap(NEW)
        await shows(one, "PROVI", "SIONAL")
        await one.network(True)
        await eventually(lambda: len(office.facts(Provisional)) == 4, 40)
        # What happens now goes ahead of what has waited, so the order of arrival is another one.
        told = sorted(office.facts(Provisional), key=lambda fact: (fact.boot, fact.seq))
        words = [fact.verdict for fact in told]
        assert words == ["goodbye", "own", "cleaned", "provisional"]
        assert len(office.facts(Tag)) == 6
        known = (one._folder / "files" / "known.bin").read_bytes()
        for uid in (ANNA, CLEANER):
            assert bytes.fromhex(uid) not in known
            assert uid.lower().encode() not in known

    live(outage)


def test_with_every_chip_dead_a_press_is_heard_lit_and_stored(live):
    async def broken(office: Office) -> None:
        one, _ = office.units
        for chip in ("mfrc522", "ld2410", "ssd1306"):
            await one.fault(chip, "missing")
        await asyncio.sleep(2.5)
        with one.watch() as events:
            begun = time.monotonic()
            pressing = asyncio.create_task(one.press())
            felt: dict[str, float] = {}
            while len(felt) < 2:
                event = await asyncio.wait_for(events.get(), 2)
                for word in ("lamp", "buzzer"):
                    if event.get(word):
                        felt.setdefault(word, time.monotonic() - begun)
            await pressing
        # 50 ms are promised; the model's contact bounces, and it reports 15 ms later.
        assert max(felt.values()) < 0.1, felt
        await eventually(lambda: office.facts(Press))

    live(broken)
