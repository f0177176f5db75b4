"""One board: its flash, its boot loader, its MicroPython, and what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sim.serial_board.flash import Flash
from sim.serial_board.loader import Loader
from sim.serial_board.repl import BANNER, Repl
from sim.serial_board.vm import Vm

_LOADER_LOG = (
    b"\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n"
    b"waiting for download\r\n"
)
_BOOT_LOG = b"\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
_NO_IMAGE = b"invalid header: 0xffffffff\r\n"


@dataclass
class Faults:
    """What is wrong with a board. The defaults are a board that is all right.

    Attributes:
        silent: It never says anything.
        chip: Another chip than the ESP32: "ESP32-S3".
        noise: So many of its first answers come with garbage before them.
        missing: Parts that do not answer: "reader", "radar", "display", "button".
        pull_at_block: The cable is pulled when so many blocks were written to flash.
        pull_on: The cable is pulled when code with this text in it is to be run.
        crash_after: The chip restarts after code with this text in it was run.
        raw_paste: False: an older MicroPython, which refuses raw-paste.
    """

    silent: bool = False
    chip: str = "ESP32"
    noise: int = 0
    missing: frozenset[str] = frozenset()
    pull_at_block: int = 0
    pull_on: bytes = b""
    crash_after: bytes = b""
    raw_paste: bool = True


class SerialBoard:
    """A board with the MAC `mac` ("24:6f:28:00:00:01"), whose flash is a file in `folder`.

    Attributes:
        restarted: Called when the board restarts itself (`machine.reset()`).
        pull: Called when a fault pulls the cable.
        heard: Called with all code that is to be run.
    """

    def __init__(self, folder: Path, mac: str, faults: Faults | None = None) -> None:
        self.mac = mac
        self.faults = faults or Faults()
        self.flash = Flash(folder / f"{mac.replace(':', '')}.flash")
        self.vm: Vm | None = None
        self.restarted: Callable[[], None] = lambda: None
        self.pull: Callable[[], None] = lambda: None
        self.heard: Callable[[bytes], None] = lambda _code: None
        self._bytes = bytes.fromhex(mac.replace(":", ""))
        self._wire: Callable[[bytes], None] = lambda _data: None
        self._loader: Loader | None = None
        self._repl: Repl | None = None
        self._random = Random(mac)  # noqa: S311 - noise, not secrets
        self._crash = False

    def power_on(self, wire: Callable[[bytes], None], *, loader: bool) -> None:
        """Start, into the boot loader (as with BOOT held) or into what is in flash."""
        self.power_off()
        self._wire = wire
        if loader:
            self._send(_LOADER_LOG)
            self._loader = Loader(self.flash, self._bytes, self._send, self._boot, self.faults.chip)
        else:
            self._boot()

    def power_off(self) -> None:
        """Everything but the flash is gone."""
        self._loader = self._repl = None
        if self.vm is not None:
            self.vm.close()
            self.vm = None

    def feed(self, data: bytes) -> None:
        """Bytes from the host."""
        if self.faults.silent:
            return
        if self._loader is not None:
            self._loader.feed(data)
            if self._loader and 0 < self.faults.pull_at_block <= self._loader.blocks:
                self.faults.pull_at_block = 0
                self.pull()
        elif self._repl is not None:
            self._repl.feed(data)

    def close(self) -> None:
        """Power off for good."""
        self.power_off()
        self.flash.close()

    def execute(self, code: bytes) -> None:
        """The REPL's: run the code, unless the cable is pulled just now."""
        self.heard(code)
        faults = self.faults
        if faults.pull_on and faults.pull_on in code:
            faults.pull_on = b""
            self.pull()
        elif self.vm is not None:
            self._crash = bool(faults.crash_after) and faults.crash_after in code
            self.vm.execute(code)

    def interrupt(self) -> None:
        """The REPL's Ctrl-C."""
        if self.vm is not None:
            self.vm.interrupt()

    def soft_reset(self) -> None:
        """The REPL's Ctrl-D."""
        if self.vm is not None:
            self.vm.soft_reset()

    def _boot(self) -> None:
        """The boot loader in flash looks for its own and the application's first byte, E9."""
        self.power_off()
        self._send(_BOOT_LOG)
        if self.flash.read(0x1000, 1) + self.flash.read(0x10000, 1) != b"\xe9\xe9":
            self._send(_NO_IMAGE)
            return
        repl = Repl(self, self._send, raw_paste=self.faults.raw_paste)
        self.vm = Vm(
            self.flash,
            self._bytes,
            self.faults.missing,
            printed=repl.printed,
            finished=self._finished,
            reset=self.restarted,
            died=self._boot,
        )
        self._repl = repl
        self._send(BANNER)

    def _finished(self, error: bytes) -> None:
        if self._repl is not None:
            self._repl.finished(error)
        if self._crash:
            self._crash, self.faults.crash_after = False, b""
            self._boot()

    def _send(self, data: bytes) -> None:
        if self.faults.silent:
            return
        if self.faults.noise:
            self.faults.noise -= 1
            data = self._random.randbytes(5) + data
        self._wire(data)
