"""Which of the hosts directs a site: a lease in the database for which no clock has to be right.

The holder changes the lease's row every `BEAT_S`. Others only watch it: whoever has seen the same
row for `LEASE_S` on a clock of its own that only goes forward takes its place, by comparing and
setting. The holder counts `HOLD_S`, which is less, from *before* it asked for the row to be
changed, and holds its tongue when they are over. So terms never overlap, also when wall clocks
jump, a process is stopped for a while, or the database answers late.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable

from host_bridge.store import Lease, Leases

BEAT_S = 0.4
"""How often the holder shows that it is there, and others look."""

HOLD_S = 2.5
"""How long after its last sign the holder may speak."""

LEASE_S = 3.0
"""After how long without a sign another one takes over."""


def name_of_this_process() -> str:
    """Machine, process and a random part: no other process ever had that name."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


class Election:
    """One candidate of one site. `step` is for one thread, the rest for any."""

    def __init__(
        self,
        site: str,
        leases: Leases,
        *,
        willing: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        name: str | None = None,
    ) -> None:
        """Nothing is asked before `step`.

        Args:
            site: whose director is to be elected.
            leases: where the lease is.
            willing: could this one direct at present? If not, it leaves that to others.
            clock: seconds that only go forward, also while the process is stopped.
            name: what it is called in the lease; of this one process only.
        """
        self.name = name or name_of_this_process()
        self.changes = 0
        """How often another one was seen to direct than before."""
        self._site = site
        self._leases = leases
        self._willing = willing
        self._clock = clock
        self._seen: Lease | None = None
        self._since = clock()
        self._until = self._since

    @property
    def leads(self) -> bool:
        """May this one speak to the desks at this very moment?"""
        return self._clock() < self._until

    @property
    def leader(self) -> str | None:
        """Who directs, as far as can be seen from here."""
        if self.leads:
            return self.name
        seen = self._seen
        gone = seen is None or not seen.holder or seen.holder == self.name
        if gone or self._clock() - self._since >= LEASE_S:
            return None
        return seen.holder if seen else None

    @property
    def term(self) -> int:
        """The number of the newest term that was seen."""
        return self._seen.term if self._seen else 0

    def step(self) -> None:
        """Look at the lease; renew, take or leave it.

        Raises:
            StoreUnavailableError: the database can't be used. A term then ends by itself.
        """
        before = self._clock()
        self._see(self._leases.read(self._site))
        seen, willing = self._seen, self._willing()
        mine = seen is not None and seen.holder == self.name
        if not mine:
            self._until = before
        if willing and (mine or self._is_free()):
            term = (seen.term if seen else 0) + (not mine)
            if self._replace(seen, Lease(self.name, term, _beat(seen))):
                self._until = before + HOLD_S
        elif mine and seen is not None:
            self._until = before
            self._replace(seen, Lease("", seen.term, _beat(seen)))

    def resign(self) -> None:
        """Leave the lease to others at once, instead of letting it run out.

        Raises:
            StoreUnavailableError: the database can't be used; then it runs out.
        """
        self._until = self._clock()
        seen = self._seen
        if seen is not None and seen.holder == self.name:
            self._replace(seen, Lease("", seen.term, _beat(seen)))

    def _see(self, lease: Lease | None) -> None:
        if lease == self._seen:
            return
        if lease is not None and (self._seen is None or lease.holder != self._seen.holder):
            self.changes += bool(lease.holder)
        self._seen, self._since = lease, self._clock()

    def _is_free(self) -> bool:
        seen = self._seen
        return seen is None or not seen.holder or self._clock() - self._since >= LEASE_S

    def _replace(self, seen: Lease | None, new: Lease) -> bool:
        done = self._leases.replace(self._site, seen, new)
        if done:
            self._see(new)
        return done


def _beat(seen: Lease | None) -> int:
    return seen.beat + 1 if seen else 1
