"""The relay's and the director's process in virtual time, and the clock that they look at."""

import contextlib
from collections.abc import Callable, Generator

from host_bridge import faultpoint
from host_bridge.relay.relay import Pause, Relay
from host_bridge.settings import Settings
from host_bridge.store import Batch, Outcome, Store, StoreUnavailableError, WorkerRow
from sim.virtual.broker import Broker
from sim.virtual.conductor import EPOCH_US, Conductor, Planned
from sim.virtual.quiet_director import QuietDirector
from sim.virtual.transport import Connector

_POLL_US = 20_000


class _Died(BaseException):
    """A process has ended at a fault point: nothing of it may catch this."""


class HostClock:
    """The conductor's time as the host's clock."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._ahead_us = 0
        self._ppm = 0
        self._since = 0

    @property
    def steady(self) -> bool:
        """Whether its seconds are the site's."""
        return self._ppm == 0

    def seconds(self) -> float:
        """Seconds since the site began."""
        return self._conductor.now / 1e6

    def unix_ms(self) -> int:
        """Unix milliseconds."""
        return (self._conductor.unix_us() + self._off_us()) // 1000

    def site_us(self, unix_ms: int) -> int:
        """When it will say this, microseconds since the site began."""
        wanted = unix_ms * 1000 - EPOCH_US - self._ahead_us - self._since
        return self._since - (-wanted * 1_000_000 // (1_000_000 + self._ppm))

    def jump(self, seconds: float) -> None:
        """It is set ahead, or back."""
        self._ahead_us += round(seconds * 1e6)

    def drift(self, ppm: int) -> None:
        """From now on it is fast by so many millionths, or slow."""
        self._ahead_us, self._since = self._off_us(), self._conductor.now
        self._ppm = ppm

    def _off_us(self) -> int:
        return self._ahead_us + (self._conductor.now - self._since) * self._ppm // 1_000_000


class _Store(Store):
    """A store that says when something was committed, so that nobody has to ask all the time."""

    committed: Callable[[], None]
    full: bool = False
    """Whether there is no room on its disk."""
    leave_out: bool = False
    """Whether what a worker says about itself is written only when somebody is to read it."""
    _unwritten: WorkerRow | None = None

    def commit(self, batch: Batch) -> Outcome:
        if self.full:
            raise StoreUnavailableError("on this disk", "database or disk is full")
        outcome = super().commit(batch)
        self.committed()
        return outcome

    def heartbeat(self, row: WorkerRow) -> None:
        if self.leave_out:
            self._unwritten = row
        else:
            super().heartbeat(row)

    def write_heartbeat(self) -> None:
        """Somebody is going to read it."""
        row, self._unwritten = self._unwritten, None
        if row:
            with contextlib.suppress(StoreUnavailableError):
                super().heartbeat(row)


class _Followed(Store):
    """A store that is told of commits in place of asking for them: heartbeats are none."""

    commits = 0

    def changed(self) -> object:
        return self.commits


class RelayProcess:
    """A relay's process."""

    def __init__(  # noqa: PLR0917 (its parts)
        self,
        conductor: Conductor,
        broker: Broker,
        settings: Settings,
        clock: HostClock,
        committed: Callable[[], None],
        dies_at: str,
        *,
        leave_out: bool,
    ) -> None:
        self._conductor = conductor
        self._connect = Connector(conductor, broker, self._awake, clock.unix_ms)
        self._store = _Store.open(settings.store.url)
        self._store.committed = committed
        self._store.leave_out = leave_out
        self._relay = Relay(settings, self._store, clock=clock, connect=self._connect)
        self._work: Generator[Pause, None, int] | None = self._relay.work()
        self._planned: Planned | None = None
        self._due = 0
        self._for_messages = True
        faultpoint.arm(dies_at, _die)
        self._relay.open()
        self._go_on()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._work is not None

    @property
    def works(self) -> bool:
        """Whether both lanes are connected: what comes now is heard."""
        return all(connection.connected for connection in self._connect.made)

    def end(self) -> None:
        """Ask it to finish what it has in hand."""
        self._relay.stop()
        if self._work:
            self._plan(0)

    def stop(self) -> None:
        """Do nothing from now on, and close nothing."""
        self._connect.process.stopped = True
        if self._planned:
            self._planned.cancel()

    def go_on(self) -> None:
        """Go on where it was."""
        if self._work:
            self._connect.process.go_on()
            self._plan(max(0, self._due - self._conductor.now))

    def say_of_itself(self) -> None:
        """What it said about itself last is there to be read."""
        self._store.write_heartbeat()

    def fill_disk(self, full: bool) -> None:
        """Whether it can write nothing."""
        self._store.full = full

    def kill(self) -> None:
        """End it at once."""
        if self._work is None:
            return
        self._work = None
        if self._planned:
            self._planned.cancel()
        for connection in self._connect.made:
            connection.die()
        self.say_of_itself()
        self._store.close()

    def _awake(self) -> None:
        if self._work and self._for_messages:
            self._plan(0)

    def _plan(self, delay: int) -> None:
        if self._planned:
            self._planned.cancel()
        self._due = self._conductor.now + delay
        if not self._connect.process.stopped:
            self._planned = self._conductor.at(self._due, self._go_on)

    def _go_on(self) -> None:
        if self._work is None:
            return
        self._for_messages = False  # what comes in while it works is seen by itself
        try:
            pause = next(self._work)
        except StopIteration:
            self._relay.close()
            self.kill()
        except _Died:
            self.kill()
        else:
            self._for_messages = pause.for_messages
            self._plan(round(pause.seconds * 1e6) + 1)


class DirectorProcess:
    """The director's process; the page is read past HTTP."""

    def __init__(
        self,
        conductor: Conductor,
        broker: Broker,
        settings: Settings,
        clock: HostClock,
        *,
        leave_out: bool,
    ) -> None:
        self._conductor = conductor
        self._clock = clock
        self._leave_out = leave_out
        self._leaves_out = False
        self._connect = Connector(conductor, broker, self.look, clock.unix_ms)
        self.store = _Followed.open(settings.store.url)
        self.director = QuietDirector(
            settings, self.store, clock=clock, connect=self._connect, alone=True
        )
        self.runs = True
        self._began = conductor.now
        self._planned: Planned | None = None
        self.director.link.start()
        self._step()

    def stop(self) -> None:
        """Do nothing from now on, and close nothing."""
        self.make_up()
        self._connect.process.stopped = True
        if self._planned:
            self._planned.cancel()
            self._planned = None

    def go_on(self) -> None:
        """Go on."""
        if self.runs:
            self._connect.process.go_on()
            self.look()

    def kill(self) -> None:
        """End it."""
        if self.runs:
            self.runs = False
            if self._planned:
                self._planned.cancel()
            for connection in self._connect.made:
                connection.die()
            self.store.close()

    def committed(self) -> None:
        """The relay has committed something."""
        self.store.commits += 1
        self.look()

    def make_up(self) -> None:
        """Looks were left out up to now: the clock is about to be set, or the process to stop."""
        if self._leaves_out:
            self.director.make_up(self._clock.unix_ms())
        self._leaves_out = False

    def look(self) -> None:
        """Something is new: the director sees it when it looks the next time."""
        if self.runs and not self._connect.process.stopped:
            self._plan(self._conductor.now + 1)

    def _plan(self, at: int) -> None:
        """Look at the first poll of the real director's that is not before this time."""
        due = self._began - (self._began - at) // _POLL_US * _POLL_US
        if self._planned and self._planned.work and self._planned.at <= due:
            return
        if self._planned:
            self._planned.cancel()
        self._planned = self._conductor.at(due, self._step)

    def _step(self) -> None:
        self._planned = None
        self.make_up()
        rest = self.director.step()
        self.director.nightly.step()
        if rest >= 1:
            self._plan(self._conductor.now + round(rest * 1e6))
            return
        # Before its next look at the clock nothing happens by itself, unless somebody calls `look`.
        self._leaves_out = self._leave_out and self._clock.steady
        director = self.director
        due = director.next_look_ms() if self._leaves_out else director.look_due_ms
        self._plan(self._clock.site_us(due))


def _die() -> None:
    raise _Died
