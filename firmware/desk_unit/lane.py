"""A lane: one journal, and how far it has been sent.

Sending runs ahead of the host's acknowledgements by a window that starts small after silence
and doubles with every acknowledgement, so that a host that is away is not flooded with copies.

What happens while older facts still wait to be sent goes ahead of them, singly, and once more in
its place: a tap wants its verdict now, and the host knows the copy by its key.
"""

from port import const

from .facts import MAX_MESSAGE, encode
from .journal import Journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_RESEND_MS = const(10_000)
# A press is acknowledged at once, so two seconds of silence mean that nobody heard it: a broker
# that was restarted without its sessions takes what is sent before the relay is back, and drops it.
_RESEND_BUTTON_MS = const(2_000)
_RESEND_MAX_MS = const(60_000)
_MOST_WAITS = const(32)
_WINDOW_FIRST = const(256)
_WINDOW_SILENT = const(8)
_WINDOW_MAX = const(512)
_LIVE_MS = const(5_000)
_LIVE_MOST = const(8)


def in_memory():
    """A mounted journal in memory; its code is loaded now, for nearly no unit ever needs it."""
    from .ram_flash import RamFlash

    journal = Journal(RamFlash())
    journal.mount()
    return journal


class Lane:
    """Facts of one lane on their way to the host.

    Args:
        word: The topic's last word, "fact" or "button".
        name: The lane's name, "ordinary" or "button".
        journal: A mounted `Journal`.
        unit: The unit's name.
        boot: The present boot.
        uptime: The unit's `Uptime`.
        times: The unit's `BootTimes`; without it facts carry the time that they were written with.
    """

    def __init__(
        self, word: str, name: str, journal, *, unit: str, boot: int, uptime, times=None
    ) -> None:
        self.word = word
        self.name = name
        self.journal = journal
        self.fault = ""
        """What is wrong with the flash, empty if nothing."""
        self.on_append: "Callable[[], None] | None" = None
        """Called without arguments after every append."""
        self.on_stored: "Callable[[int], None] | None" = None
        """Called when the host has acknowledged facts, with the last of this boot, or 0."""
        self._unit = unit
        self._boot = boot
        self._uptime = uptime
        self._times = times
        self._spare: Journal | None = None
        self._live: list[tuple] = []
        self._seq = 0
        self._progress = 0
        self.rewind()

    @property
    def seq(self) -> int:
        """The newest sequence number of this boot."""
        return self._seq

    @property
    def waiting(self) -> int:
        """How many facts the host has not acknowledged yet."""
        return self.journal.waiting + (self._spare.waiting if self._spare else 0)

    def append(self, kind: int, up: int, at: int, clock: int, body: bytes) -> int:
        """Give a fact the next sequence number and keep it; returns the number.

        When the flash fails, the fact (and all after it) is kept in memory instead and
        `fault` says so: it is still sent, but a power cut would lose it. What the flash has
        is sent first.
        """
        self._seq += 1
        if not self.waiting:
            self._progress = self._uptime.now()
        elif self._spare or self._sent < self.journal.forgotten + self.journal.waiting:
            del self._live[: 1 - _LIVE_MOST]
            self._live.append((0, kind, self._boot, self._seq, up, at, clock, body))
        fact = kind, self._boot, self._seq, up, at, clock, body
        try:
            (self._spare or self.journal).append(*fact)
        except OSError as error:
            self._degrade(error)
            (self._spare or self.journal).append(*fact)
        if self.on_append:
            self.on_append()
        return self._seq

    def rewind(self, window: int = _WINDOW_FIRST) -> None:
        """Send again from the oldest fact that is kept (after a reconnect or a silence)."""
        self._cursor = self.journal.floor
        self._sent = self.journal.forgotten
        self._window = window
        self._waits = 1  # how much longer than at first it waits for an answer
        self._sent_at = self._uptime.now()

    @property
    def stuck_ms(self) -> int:
        """For how long facts have waited without any being acknowledged; 0 if none waits."""
        return self._uptime.now() - self._progress if self.waiting else 0

    def live(self):
        """The oldest fact of the last five seconds that goes ahead of others.

        Returns:
            (payload, boot, seq), or None when there is none.
        """
        now = self._uptime.now()
        while self._live:
            fact = self._live.pop(0)
            if now - fact[4] <= _LIVE_MS:
                return self._encoded(now, fact), fact[2], fact[3]
        return None

    def message(self):
        """The next message: one fact alone, or as many as fit in an array.

        Returns:
            (payload, boot, seq of its last fact), or None when there is nothing to send.
        """
        self._catch_up()
        now = self._uptime.now()
        if self._sent == self.journal.forgotten:
            self._sent_at = now
        parts: list[bytes] = []
        size = 1
        boot = seq = 0
        while self._sent - self.journal.forgotten < self._window:
            try:
                fact = self.journal.read(self._cursor)
            except OSError as error:
                self._degrade(error)
                break
            if fact is None:
                break
            part = self._encoded(now, fact)
            size += len(part) + 1
            if parts and size > MAX_MESSAGE:
                break
            parts.append(part)
            boot, seq = fact[2], fact[3]
            self._cursor = fact[0]
            self._sent += 1
        if not parts:
            return None
        payload = parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]"
        return payload, boot, seq

    def acknowledge(self, boot: int, spans):
        """Forget what the host has committed, in small steps; a generator of steps.

        Each `next` handles a few facts, so that other tasks may run in between. The step after
        which the change is durable yields the last sequence number forgotten (0 if none).
        """
        last = 0
        while True:
            count, seq = self.journal.forget(boot, spans)
            if not count:
                break
            last = seq
            yield 0
        if last:
            if not self._spare:
                self._degrade_unless(self.journal.commit)
            self._take_over()
            self._window = min(_WINDOW_MAX, self._window * 2)
            self._waits = 1
            self._progress = self._sent_at = self._uptime.now()
            if self.on_stored:
                self.on_stored(last if boot == self._boot else 0)
        yield last

    def tick(self) -> None:
        """Call it about every half second while connected: sends again what was not answered."""
        self._catch_up()
        if self._sent > self.journal.forgotten:
            waits = self._waits
            first = _RESEND_BUTTON_MS if self.name == "button" else _RESEND_MS
            if self._uptime.now() - self._sent_at >= min(_RESEND_MAX_MS, first * waits):
                self.rewind(_WINDOW_SILENT)
                self._waits = min(_MOST_WAITS, waits * 2)

    def tidy(self) -> bool:
        """Erase flash ahead of need; True if there may be more to do."""
        return not self._spare and bool(self._degrade_unless(self.journal.tidy))

    def told(self, lost) -> None:
        """The host knows that the journal has dropped `lost` (see `Journal.lost`)."""
        self._degrade_unless(lambda: self.journal.told(lost))

    def _encoded(self, now: int, fact) -> bytes:
        if self._times:
            at, clock = self._times.of(fact[2], fact[4], fact[5], fact[6])
            fact = fact[:5] + (at, clock) + fact[7:]
        return encode(self._unit, self._boot, now, fact)

    def _catch_up(self) -> None:
        """Acknowledged or dropped facts needn't be sent."""
        self._cursor = max(self._cursor, self.journal.floor)
        self._sent = max(self._sent, self.journal.forgotten)

    def _degrade_unless(self, work):
        try:
            return work()
        except OSError as error:
            if not self._spare:
                self._degrade(error)

    def _degrade(self, error) -> None:
        """Write to memory from now on; the second time the flash can't even be read."""
        self.fault = "flash failed, facts kept in memory only: %s" % error
        unread = self._spare
        if not unread:
            self._spare = in_memory()
        self._take_over(unread)

    def _take_over(self, now=None) -> None:
        """Send what is in memory, once the host has what is on the flash that failed."""
        if self._spare and (now or not self.journal.waiting):
            self.journal, self._spare = self._spare, None
            self.rewind()
