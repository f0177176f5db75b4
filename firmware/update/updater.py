"""Fetch a signed bundle into the slot that does not run, check it, and have it tried.

The files on flash are the only record of how far fetching has come: it may stop at any byte, by a
lost link or a power cut, and goes on from what is there. What runs is never written, and the slot
that does not run is cleared only for a bundle whose signature and manifest hold: until then the
head is in a file beside the slots. That file begins with the bundle's name, so that a head of which
only a part has come is never completed with a part of another one.
"""

from port import const, sleep_ms

from . import flash, slots
from .head import NAME, Head, digest_of, head_length, name_of, prefix_length
from .refusal import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .manifest import Identity
    from .signature import PublicKey

PIECE = const(672)
"""Most bytes asked for at once: as base64 they fit in a message of 1,024 bytes."""

_NEXT = "bundle.next"
_TRIES = const(3)
_MAX_BUNDLE = const(1 << 20)
_SPARE_BLOCKS = const(8)
"""Of LittleFS: what is being written is there twice, and a full file system can't even tidy up."""
_LINKS = const(32)
"""Bytes of a block that LittleFS needs to find the blocks before it, at the most."""
_NO_SPACE = const(28)


class _Silent(Exception):
    """The host did not send what it was asked for."""


class Updater:
    """Takes one bundle at a time from its first byte to the switch.

    Args:
        root: The folder that holds the slots, "/" on a unit.
        nvs: The NVS namespace that `slots.start` was given.
        running: The place that runs, as `slots.start` returned it. The other slot is written, or
            `a` if none of them runs.
        key: The key that signs this unit's updates.
        unit: What this unit is.
        fetch: Asks the host for `size` bytes at `offset` of a bundle: `await fetch(name, offset,
            size)`; None if it did not answer in time.
    """

    def __init__(
        self,
        *,
        root: str,
        nvs: "slots.Nvs",
        running: int,
        key: "PublicKey",
        unit: "Identity",
        fetch: "Callable[[str, int, int], Awaitable[bytes | None]]",
    ) -> None:
        self._nvs = nvs
        self._key = key
        self._unit = unit
        self._fetch = fetch
        self._name = ""
        self._place = 2 if running == 1 else 1
        self._slot = slots.bundle(root, self._place)
        self._mark = slots.mark(root, self._place)
        self._root = root.rstrip("/") or "/"
        self._next = root.rstrip("/") + "/" + _NEXT
        self.received = 0
        """Bytes of the present bundle that are on flash."""

    async def run(self, name: str, size: int, again: bool = False) -> bool:
        """Fetch the bundle called `name`, or what is still missing of it, and install it.

        Call it again with the same arguments to go on, also after a restart. Not re-entrant.

        Args:
            name: The bundle's name, 32 hexadecimal digits.
            size: Its length in bytes.
            again: Try it even if it has failed its trial on this unit before.

        Returns:
            True once it is installed and will be tried at the next start; False if the host fell
            silent: what has come so far is kept.

        Raises:
            Refused: It can't be installed, and what runs is untouched. After the reasons `flash`
                and `corrupt` the slot is empty; else it holds what it held.
        """
        try:
            self._check_offer(name, size)
            for _ in range(_TRIES):
                if not self._resumes(again):
                    await self._fetch_head(size)
                flash.remove(self._next)
                if await self._fetch_files(size):
                    self._install()
                    return True
                self._clear()
            raise Refused("corrupt", "what the host sends does not match the update's hashes")
        except _Silent:
            return False
        except OSError as error:
            self._clear()
            if error.errno == _NO_SPACE:
                raise Refused("space", "not enough room on flash for the update") from None
            raise Refused("flash", "the unit's flash reports error %r" % error.errno) from None
        except MemoryError:
            raise Refused("memory", "not enough memory for the update at present") from None

    def _check_offer(self, name: str, size: int) -> None:
        good = isinstance(name, str) and len(name) == NAME and isinstance(size, int)
        if not good or not 1 <= size <= _MAX_BUNDLE:
            raise Refused("offer", "the offer of an update is malformed")
        for letter in name:
            if letter not in "0123456789abcdef":
                raise Refused("offer", "the offer of an update is malformed")
        self._name = name

    def _resumes(self, again: bool) -> bool:
        """Whether the slot has this bundle's whole head already."""
        state = slots.State(self._nvs)
        if state.trial:
            raise Refused("trial", "the version that runs is on trial; offer the next one later")
        if not self._is_ours():
            return False
        if state.failed and state.other == self._place and not again:
            raise Refused("failed", "this version has failed its trial on this unit before")
        return True

    def _is_ours(self) -> bool:
        """Whether the slot begins with this bundle's head."""
        try:
            length = head_length(self._slot, self._key)
        except (OSError, Refused):
            return False
        return name_of(self._slot, 0, length) == self._name.encode()

    async def _fetch_head(self, size: int) -> None:
        """Fetch the head beside the slots; only when all of it holds does it take over the slot."""
        for _ in range(_TRIES):
            if not self._is_begun():
                flash.remove(self._next)
                flash.append(self._next, self._name.encode())
            try:
                await self._fill(self._next, -NAME, NAME + prefix_length(self._key))
                length = self._head_length(size)
                await self._fill(self._next, -NAME, NAME + length)
                if name_of(self._next, NAME, length) == self._name.encode():
                    self._take_over(size)
                    return
            except Refused:
                flash.remove(self._next)
                raise
            flash.remove(self._next)
        raise Refused("corrupt", "what the host sends does not match the bundle's name")

    def _is_begun(self) -> bool:
        """Whether what is beside the slots is a part of this bundle's head."""
        try:
            with open(self._next, "rb") as file:
                return file.read(NAME) == self._name.encode()
        except OSError:
            return False

    def _head_length(self, size: int) -> int:
        length = head_length(self._next, self._key, NAME)
        if length < size:
            return length
        raise Refused("malformed", "the offered size is not the update's")

    def _take_over(self, size: int) -> None:
        head = Head(self._next, self._key, NAME)
        try:
            self._check(head, size)
        finally:
            head.close()
        self._need_room(size)
        flash.remove(self._mark)
        slots.State(self._nvs).forget()
        flash.remove(self._slot)
        flash.copy(self._next, NAME, self._slot)

    def _check(self, head: Head, size: int) -> None:
        """Every line of the manifest has to be sound before anything is done for it."""
        manifest = head.manifest()
        manifest.hold_against(self._unit)
        if head.length + manifest.total != size:
            raise Refused("malformed", "the offered size is not the update's")
        for _ in manifest.files():
            pass

    async def _fetch_files(self, size: int) -> bool:
        """Fetch what the slot still lacks; False if what is there then has a wrong hash."""
        flash.remove(self._mark)
        head = Head(self._slot, self._key)
        try:
            self._check(head, size)
            self._need_room(size)
            end = head.length
            for _, length, digest in head.manifest().files():
                await self._fill(self._slot, 0, end + length)
                await sleep_ms(0)
                if digest_of(self._slot, end, length) != digest:
                    return False
                end += length
                head.refresh()
        finally:
            head.close()
        return flash.size(self._slot) == size

    def _need_room(self, size: int) -> None:
        """Refuse what can't fit before anything is done for it; what is in the slot makes room."""
        block, free = flash.free(self._root)
        if (size - flash.size(self._slot)) // (block - _LINKS) + 1 + _SPARE_BLOCKS > free:
            raise Refused("space", "not enough room on flash for the update")

    async def _fill(self, path: str, offset: int, size: int) -> None:
        """Append to a file, whose first byte is the bundle's at `offset`, until it has `size`."""
        have = flash.size(path)
        while have < size:
            piece = await self._piece(offset + have, min(PIECE, size - have))
            flash.append(path, piece)
            have += len(piece)
            self.received = offset + have

    async def _piece(self, offset: int, size: int) -> bytes:
        for _ in range(_TRIES):
            try:
                piece = await self._fetch(self._name, offset, size)
            except OSError:
                break  # the link's, not the flash's
            if piece is not None and len(piece) == size:
                return piece
        raise _Silent

    def _install(self) -> None:
        """All is there and every hash was checked: have it tried from the next start on."""
        flash.append(self._mark, b"ready\n")
        slots.State(self._nvs).switch(self._place)

    def _clear(self) -> None:
        """Remove what has come, as far as the flash lets us; the next attempt begins with that."""
        try:
            for path in (self._mark, self._slot, self._next):
                flash.remove(path)
        except OSError:
            pass
