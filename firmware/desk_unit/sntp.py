"""SNTP client [RFC 4330, and RFC 5905 section 14]: one question, one answer that is checked.

The transmit timestamp of a question is random, so that nobody can answer what he has not seen
(draft-ietf-ntp-data-minimization). What an answer must fulfil is in `read`.
"""

import struct

from port import const, sleep_ms

PORT = const(123)

_ERA = 1 << 32  # seconds; era 1 begins on 2036-02-07
_UNIX = 2_208_988_800  # seconds from 1900 to 1970
_HALF_ERA = 1 << 31
_WAIT_MS = const(2_000)
_LOOK_MS = const(5)
_MOST_DELAY = const(1_000)
_HOUR_MS = const(3_600_000)
_RETRY_MS = const(4_000)
_RETRY_MAX_MS = const(900_000)
_WORST = const(1 << 16)  # one second, in the fixed point of root delay and dispersion


class NoTime(Exception):
    """No answer that can be believed; the message says why. `stop` if the server asks so."""

    def __init__(self, why: str, stop: bool = False) -> None:
        super().__init__(why)
        self.stop = stop


def ask(nonce: bytes) -> bytes:
    """A question [RFC 4330, 5]: version 4, mode 3; `nonce` are eight random bytes."""
    return b"\x23" + bytes(39) + nonce


def read(answer: bytes, nonce: bytes) -> int:
    """Unix milliseconds in the middle between the question's arrival and the answer's departure.

    Raises:
        NoTime: Not an answer to this question, or from a server that is not to be used.
    """
    if len(answer) < 48:
        raise NoTime("%d bytes are no answer" % len(answer))
    first, stratum = answer[0], answer[1]
    if answer[24:32] != nonce:
        raise NoTime("an answer to another question")
    if first & 7 != 4 or not 3 <= first >> 3 & 7 <= 4:
        raise NoTime("no server's answer of version 3 or 4")
    if stratum == 0:
        raise NoTime("the server wants to be left alone", True)
    if stratum > 15 or first >> 6 == 3:
        raise NoTime("the server has no time itself")
    delay, dispersion = struct.unpack_from(">II", answer, 4)
    if delay > _WORST or dispersion > _WORST:
        raise NoTime("the server is not sure of its time to a second")
    received, sent = _unix_ms(answer, 32), _unix_ms(answer, 40)
    if not 0 <= sent - received <= _MOST_DELAY:
        raise NoTime("the server's timestamps contradict each other")
    return (received + sent) // 2


def _unix_ms(answer: bytes, offset: int) -> int:
    seconds, fraction = struct.unpack_from(">II", answer, offset)
    if seconds < _HALF_ERA:
        seconds += _ERA
    return (seconds - _UNIX) * 1000 + (fraction * 1000 >> 32)


class Sntp:
    """Keeps the unit's clock right; never gives up.

    Args:
        server: Name or address.
        open_udp: Function (server, port) that returns a connected, non-blocking datagram socket
            with `send`, `recv` (raises OSError or returns None when there is nothing) and
            `close`. It is called anew for each question, so that names are resolved anew.
        uptime: The unit's `Uptime`.
        wall: Its `WallClock`.
        random: Function that returns 16 random bits.
        is_up: Function that says whether there is a network.
    """

    def __init__(self, server, *, open_udp, uptime, wall, random, is_up) -> None:
        self._server = server
        self._open_udp = open_udp
        self._uptime = uptime
        self._wall = wall
        self._random = random
        self._is_up = is_up
        self._retry = _RETRY_MS
        self.fault = ""
        """Why the latest question had no useful answer; empty if it had."""

    async def run(self) -> None:
        """Ask now, every hour, and after a failure sooner; never returns."""
        while True:
            while not self._is_up():
                await sleep_ms(1_000)
            await sleep_ms(await self._once())

    async def _once(self) -> int:
        """One question; milliseconds until the next, spread by a quarter."""
        try:
            await self.synchronise()
        except NoTime as error:
            self.fault = str(error)
            self._retry = _RETRY_MAX_MS if error.stop else min(_RETRY_MAX_MS, self._retry * 2)
            pause = self._retry
        else:
            self.fault = ""
            self._retry = _RETRY_MS
            pause = _HOUR_MS
        return pause - (pause * self._random() >> 18)

    async def synchronise(self) -> int:
        """Ask once and set the clock; the round trip in milliseconds.

        Raises:
            NoTime: No answer within 2 s that can be believed.
        """
        why = ""
        nonce = b"".join([struct.pack(">H", self._random()) for _ in range(4)])
        try:
            udp = self._open_udp(self._server, PORT)
        except OSError as error:
            why = "%s can't be reached: %s" % (self._server, error)
        if why:
            raise NoTime(why)
        try:
            return await self._exchange(udp, nonce)
        finally:
            udp.close()

    async def _exchange(self, udp, nonce: bytes) -> int:
        asked = self._uptime.now()
        try:
            udp.send(ask(nonce))
        except OSError as error:
            why = "%s can't be asked: %s" % (self._server, error)
        else:
            why = "no answer within 2 s"
            while self._uptime.now() - asked < _WAIT_MS:
                answer = _received(udp)
                now = self._uptime.now()
                if answer:
                    try:
                        time = read(answer, nonce)
                    except NoTime as error:
                        if error.stop:
                            raise
                        why = str(error)  # perhaps forged: the true one may still come
                        continue
                    if now - asked > _MOST_DELAY:
                        why = "the answer took %d ms" % (now - asked)
                    elif self._wall.learn_exact(time, (asked + now) // 2):
                        return now - asked
                    else:
                        why = "it differs from the host's time by a minute or more"
                    break
                await sleep_ms(_LOOK_MS)
        raise NoTime(why)


def _received(udp) -> bytes:
    try:
        return udp.recv(128) or b""
    except OSError:
        return b""  # nothing yet
