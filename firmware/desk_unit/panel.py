"""What a person sees, hears and feels: ring, display, buzzer and the button's lamp together.

Nothing is said by colour, light or sound alone: every word is on the display too.
"""

from port import const, sleep_ms

from . import looks
from .face import PROGRESS, Face
from .ring import Ring
from .screen import Screen

_FRAME_MS = const(50)
_CHECK_FRAMES = const(40)
_DAY_CONTRAST = const(207)
_NIGHT_CONTRAST = const(16)
_FULL = const(65535)
_READY = const(4096)
_NIGHT_READY = const(768)
_BLINK_MS = const(1_000)


class Panel:
    """The unit's front.

    Args:
        hardware: Has `pixels`, `display`, `canvas`, `glyphs`, `buzzer` and `lamp` (a PWM), see
            `unit.Unit`.
    """

    def __init__(self, hardware) -> None:
        self.face = Face()
        self.quiet = False
        """No sound."""
        self.night = False
        """Ring, display and lamp are dimmed."""
        self._display = hardware.display
        self._buzzer = hardware.buzzer
        self._lamp = hardware.lamp
        self._ring = Ring(hardware.pixels)
        self._screen = Screen(hardware.canvas, hardware.glyphs)
        self._level = -1
        self._frames = 0  # since the display was started

    def press(self, boot: int, seq: int, now: int) -> None:
        """A press is on flash: it is felt before this returns."""
        self.face.press(boot, seq, now)
        self.sound("pressed")
        self.draw(now)

    def judge(self, word: str, now: int, provisional: bool = False) -> None:
        """A verdict is shown and heard: sound and ring before this returns."""
        self.face.judge(word, now, provisional)
        self.sound("" if provisional else word)
        self.draw(now)

    def sound(self, word: str) -> None:
        """Play what belongs to `word`, if there may be sound."""
        if not self.quiet:
            self._buzzer.play(looks.notes(word))

    def draw(self, now: int) -> None:
        """Ring and lamp as they are to be at uptime `now`; call it twenty times a second."""
        word = self.face.word(now)
        level = _NIGHT_READY if self.night else _READY
        if word in PROGRESS:
            level = _FULL
        elif self.face.unprotected and now // _BLINK_MS & 1:
            level = 0
        if level != self._level:
            self._lamp.duty_u16(level)
            self._level = level
        self._ring.draw(word, self.face.marks(now), now, self.night)

    async def show(self, now, works) -> None:
        """Keep the display up to date; only ends by an exception.

        Args:
            now: Function that returns the uptime.
            works: Called without arguments when the display has answered.
        """
        self._display.start()
        self._frames = 0
        night = False
        while True:
            if night != self.night:
                night = self.night
                self._display.contrast(_NIGHT_CONTRAST if night else _DAY_CONTRAST)
            face, at = self.face, now()
            steps = 0
            for _ in self._screen.paint(face.word(at), face.marks(at), face.minutes):
                steps += 1
                await sleep_ms(0)
            if steps:
                await self._display.refresh()
            if self._frames % _CHECK_FRAMES == 0:
                self._display.check()
                works()
            self._frames += 1
            await sleep_ms(_FRAME_MS)
