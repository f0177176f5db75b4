"""What a start finds: journals, the boot number, and lanes that continue from there."""

from . import VERSION, boots
from .boot_times import BootTimes
from .facts import Facts
from .journal import Journal
from .lane import Lane, in_memory


class Memory:
    """The unit's facts and the lanes that they wait in.

    Args:
        config: The unit's `Config`.
        flashes: (ordinary, button) block devices; None for one that is missing.
        nvs: Non-volatile settings, as `esp32.NVS`.
        uptime: The unit's `Uptime`.
        wall: The unit's `WallClock`.
    """

    def __init__(self, config, flashes, nvs, uptime, wall) -> None:
        self._boot_fault = ""
        mounted = [_mount(flash) for flash in flashes]
        journals = [journal for journal, _ in mounted]
        self.last = boots.last_counted(*journals)
        """(boot, ordinary, button) that an earlier boot had counted to, or None."""
        self.boot = self._begin(nvs, journals, config.boot_base)
        """The present boot's number."""
        self.times = BootTimes(self.boot, uptime, wall, nvs)
        """When each of the latest boots began."""
        key = {"unit": config.unit, "boot": self.boot, "uptime": uptime, "times": self.times}
        self.ordinary = Lane("fact", "ordinary", journals[0], **key)
        self.button = Lane("button", "button", journals[1], **key)
        self.ordinary.fault, self.button.fault = [fault for _, fault in mounted]
        self.facts = Facts(self.ordinary, self.button, uptime, wall)

    def begin(self, hardware) -> None:
        """Write the facts of a start: that it began, and how an earlier one ended.

        Args:
            hardware: Has `cause` (of the reset, a word) and `starts`.
        """
        starts = hardware.starts
        self.facts.boot(hardware.cause, VERSION, self.last, starts.clean)
        if starts.crash:
            self.facts.crash(starts.crash, starts.failed)
            starts.reported()

    def restart(self, boot: int, hardware) -> None:
        """Start again on purpose, if the present boot is meant; what waits is in flash."""
        if boot == self.boot:
            hardware.starts.end()
            hardware.reset()

    def waiting(self) -> dict:
        """How many facts wait in each lane."""
        return {"ordinary": self.ordinary.waiting, "button": self.button.waiting}

    def faults(self, into: dict) -> None:
        """Add what is wrong with the unit's memory, by name."""
        if self._boot_fault:
            into["nvs"] = self._boot_fault
        for name, lane in (("journal", self.ordinary), ("button-journal", self.button)):
            if lane.fault:
                into[name] = lane.fault[:80]
            elif lane.journal.dropped:
                into[name] = "full: %d oldest facts dropped" % lane.journal.dropped

    def _begin(self, nvs, journals, base: int) -> int:
        try:
            return boots.begin(nvs, journals, base)
        except OSError as error:
            self._boot_fault = "boot number not stored: %s" % error
            return boots.next_after(0, journals, base)


def _mount(flash):
    """(mounted journal, fault): in memory if the flash can't be used."""
    fault = "partition is missing"
    if flash is not None:
        try:
            journal = Journal(flash)
            journal.mount()
        except (OSError, ValueError) as error:
            fault = str(error)
        else:
            return journal, ""
    return in_memory(), "facts kept in memory only: " + fault
