"""A journal that is full drops its oldest facts and says exactly which."""

from desk_unit.ram_flash import RamFlash
from host_bridge.contract.facts import Dropped, Press, Seat
from tests.firmware.desk import Desk, until
from tests.firmware.host import Host
from tests.firmware.test_unit import of, running
from tests.services import Mosquitto


def reported(host: Host, lane: str) -> set[int]:
    """Sequence numbers of boot 1 that the unit says it dropped."""
    numbers: set[int] = set()
    for fact in of(host, Dropped):
        if fact.lane == lane:
            assert fact.first.boot == fact.last.boot == 1
            numbers |= set(range(fact.first.seq, fact.last.seq + 1))
    return numbers


async def test_ordinary_facts_that_came_and_those_reported_as_dropped_are_all(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    desk.flashes = (RamFlash(5), RamFlash(5))
    desk.wifi.present = False
    async with running(desk) as unit:
        unit._facts.press()
        for i in range(120):
            unit._facts.seat(i % 2 == 0)
        desk.wifi.present = True
        await until(lambda: not unit._memory.ordinary.journal.waiting, 20)
        counted = unit._memory.ordinary.seq
    came = {fact.seq for fact in host.facts if not isinstance(fact, Press)}
    dropped = reported(host, "ordinary")
    assert len(dropped) > 60
    assert came | dropped == set(range(1, counted + 1))
    assert not came & dropped
    assert [fact.seq for fact in of(host, Press)] == [1]
    assert max(fact.seq for fact in of(host, Seat)) not in dropped


async def test_oldest_presses_go_only_when_their_own_flash_is_full(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    desk.flashes = (RamFlash(5), RamFlash(5))
    desk.wifi.present = False
    async with running(desk) as unit:
        for _ in range(100):
            unit._facts.press()
        unit._facts.seat(occupied=True)
        desk.wifi.present = True
        await until(lambda: not unit._memory.button.journal.waiting, 20)
        await until(lambda: not unit._memory.ordinary.journal.waiting, 20)
    came = {fact.seq for fact in of(host, Press)}
    dropped = reported(host, "button")
    assert came | dropped == set(range(1, 101))
    assert not came & dropped
    assert came == set(range(min(came), 101))


async def test_what_was_dropped_before_a_power_cut_is_reported_after_it(
    mosquitto: Mosquitto, host: Host
) -> None:
    desk = Desk(mosquitto.port)
    desk.flashes = (RamFlash(5), RamFlash(8))
    desk.wifi.present = False
    async with running(desk) as unit:
        journal = unit._memory.ordinary.journal
        while not journal.dropped:
            unit._facts.seat(occupied=True)
        lost = journal.lost
    assert lost[0]
    desk.wifi.present = True
    async with running(desk) as unit:
        await until(lambda: of(host, Dropped))
    (fact,) = of(host, Dropped)
    assert fact.boot == 2
    assert (fact.count, fact.first.seq, fact.last.seq) == (lost[0], lost[2], lost[4])
