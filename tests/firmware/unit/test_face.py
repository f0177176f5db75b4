"""What ring and screen show."""

from desk_unit import down, looks, ring, screen
from desk_unit.face import DRILL, NO_LINK, PROGRESS, PROVISIONAL, Face

WORDS = (
    PROGRESS
    + down.VERDICTS
    + down.SEATS
    + ("provisional", "unprotected", "enrol", "break-offer", "break")
)
NOTHING = ("",)
ALL_WORDS = WORDS + NOTHING


class Pixels:
    def __init__(self):
        self.now = [(0, 0, 0)] * 8
        self.shows = 0
        self.brightness = 255

    def set(self, i, r, g, b):
        self.now[i] = (r, g, b)

    def fill(self, r, g, b):
        self.now = [(r, g, b)] * 8

    def show(self):
        self.shows += 1


class Canvas:
    """Records text by character cell, from the squares of the glyphs that are drawn."""

    def __init__(self):
        self.dots = set()
        self.line = ""

    def fill(self, _):
        self.dots = set()
        self.line = ""

    def text(self, text, *_):
        self.line = text

    def pixel(self, x, y):
        return y == 0 and x % 8 == 0 and self.line[x // 8] != " "

    def fill_rect(self, x, y, width, height, _):
        assert x >= 0
        assert y >= 0
        assert x + width <= screen.WIDTH
        assert y + height <= screen.HEIGHT
        self.dots.add((x, y))


def test_guidance_is_shown_when_nothing_else_is():
    face = Face()
    assert face.word(0) == ""
    face.guidance = "free"
    assert face.word(0) == "free"


def test_verdict_covers_guidance_for_four_seconds():
    face = Face()
    face.guidance = "free"
    face.judge("own", 1_000)
    assert face.word(4_999) == "own"
    assert face.word(5_000) == "free"


def test_press_covers_everything_and_goes_on_to_stored():
    face = Face()
    face.guidance = "free"
    face.judge("own", 0)
    face.press(3, 7, 0)
    assert face.word(1) == "pressed"
    face.advance("sent", 3, 6, 5)
    assert face.word(6) == "pressed"
    face.advance("sent", 3, 7, 10)
    assert face.word(11) == "sent"
    face.advance("stored", 3, 7, 20)
    assert face.word(21) == "stored"
    face.advance("sent", 3, 7, 30)
    assert face.word(31) == "stored"
    assert face.word(10_000) == "free"


def test_newer_press_begins_again():
    face = Face()
    face.press(3, 1, 0)
    face.advance("stored", 3, 1, 10)
    face.press(3, 2, 20)
    assert face.word(21) == "pressed"
    face.advance("stored", 3, 1, 30)
    assert face.word(31) == "pressed"


def test_unprotected_covers_guidance_for_as_long_as_it_lasts():
    face = Face()
    face.guidance = "free"
    face.unprotected = True
    assert face.word(0) == face.word(10**9) == "unprotected"
    face.unprotected = False
    assert face.word(0) == "free"


def test_seen_is_shown_once_however_late_and_not_for_a_press_that_came_after():
    face = Face()
    face.press(3, 7, 0)
    face.advance("stored", 3, 7, 10)
    assert face.word(60_000) == ""
    assert face.advance("seen", 3, 7, 600_000)
    assert face.word(609_999) == "seen"
    assert not face.advance("seen", 3, 7, 700_000)
    assert face.word(700_001) == ""
    face.press(3, 8, 800_000)
    assert not face.advance("seen", 3, 7, 800_001)
    assert face.word(800_002) == "pressed"


def test_seen_is_not_taken_back_by_a_fact_that_is_sent_again():
    face = Face()
    face.press(3, 7, 0)
    face.advance("seen", 3, 7, 10)
    face.advance("sent", 3, 7, 20)
    face.advance("stored", 3, 7, 30)
    assert face.word(40) == "seen"


def test_no_state_of_the_desk_covers_a_press():
    for guidance in down.SEATS:
        for standing in ("", "enrol", "break", "break-offer"):
            face = Face()
            face.guidance = guidance
            face.standing = standing
            face.unprotected = True
            face.judge("not-yours", 0)
            face.press(1, 1, 0)
            assert face.word(1) == "pressed"


def test_what_stands_is_shown_until_a_verdict_and_says_more_than_guidance():
    face = Face()
    face.guidance = "taken"
    face.standing = "enrol"
    assert face.word(0) == "enrol"
    face.judge("enrolled", 0)
    assert face.word(1) == "enrolled"


def test_marks_say_what_the_word_does_not():
    face = Face()
    face.guidance = "free"
    assert face.marks(0) == 0
    face.unprotected = face.drill = True
    assert face.marks(0) == DRILL  # the word itself is "unprotected"
    face.judge("own", 0, True)
    assert face.marks(1) == NO_LINK | DRILL | PROVISIONAL
    face.press(1, 1, 2)
    assert face.marks(3) == NO_LINK | DRILL
    face.judge("provisional", 0, True)
    assert not Face().marks(0)


def frames(word):
    pixels = Pixels()
    shown = ring.Ring(pixels)
    seen = []
    for i in range(48):
        shown.draw(word, 0, i * ring.FRAME_MS)
        seen.append(tuple(pixel != (0, 0, 0) for pixel in pixels.now))
    return tuple(seen)


def test_every_word_has_a_pattern_of_its_own_without_its_colour():
    patterns = {}
    for word in WORDS:
        pattern = frames(word)
        assert any(any(frame) for frame in pattern), word
        # The same pattern begun at another moment is the same to an eye.
        for shift in range(24):
            rotated = pattern[shift : shift + 24]
            assert rotated not in patterns, (word, patterns.get(rotated))
        patterns[pattern[:24]] = word


def test_someone_elses_headset_has_the_colour_of_an_unknown_one():
    colours = []
    for word in ("not-yours", "unknown"):
        pixels = Pixels()
        ring.Ring(pixels).draw(word, 0, 0)
        colours.append(set(pixels.now) - {(0, 0, 0)})
    assert colours[0] == colours[1]


def test_unprotected_leaves_a_red_mark_beside_every_word():
    for word in ALL_WORDS:
        pixels = Pixels()
        shown = ring.Ring(pixels)
        for i in range(24):
            shown.draw(word, 1, i * ring.FRAME_MS)
            red, green, blue = pixels.now[0]
            assert red, word
            assert not green, word
            assert not blue, word


def test_ring_sends_nothing_while_nothing_changes():
    pixels = Pixels()
    shown = ring.Ring(pixels)
    for now in range(0, 10_000, 50):
        shown.draw("free", 0, now)
    assert pixels.shows == 1


def test_unknown_word_leaves_ring_and_screen_dark():
    pixels, canvas = Pixels(), Canvas()
    ring.Ring(pixels).draw("no-such-word", 0, 0)
    assert set(pixels.now) == {(0, 0, 0)}
    assert screen.Screen(canvas, canvas).draw("no-such-word", 0)
    assert not canvas.dots


def test_every_word_has_an_icon_and_text_on_the_display():
    for word in WORDS:
        canvas, glyphs = Canvas(), Canvas()
        assert screen.Screen(canvas, glyphs).draw(word, 0)
        assert glyphs.line, word
        assert any(y < 32 for _, y in canvas.dots), word
        text = [(x, y) for x, y in canvas.dots if y >= 32]
        assert text, word
        # A Canvas glyph is its top left dot: it must stand on the character grid.
        assert all(x % 8 == 0 and y % 8 == 0 for x, y in text), word


def test_no_link_is_written_beside_other_words():
    canvas, glyphs = Canvas(), Canvas()
    shown = screen.Screen(canvas, glyphs)
    shown.draw("free", 1)
    assert glyphs.line == "LINK"
    assert not shown.draw("free", 1)
    assert shown.draw("free", 0)
    assert glyphs.line == "FREE"


def drawn(word, marks, minutes=0):
    """The texts of a page, in order."""
    canvas, glyphs = Canvas(), Glyphs()
    screen.Screen(canvas, glyphs).draw(word, marks, minutes)
    return glyphs.lines


class Glyphs(Canvas):
    def __init__(self):
        Canvas.__init__(self)
        self.lines = []

    def text(self, text, *_):
        self.line = text
        self.lines.append(text)


def test_every_mark_and_all_of_them_together_stand_in_the_corner():
    assert drawn("free", DRILL) == ["FREE", "DRILL"]
    assert drawn("own", PROVISIONAL) == ["YOURS", "PROVISIONAL"]
    every = drawn("own", NO_LINK | DRILL | PROVISIONAL)
    assert every == ["YOURS", "NO LINK", "DRILL", "PROVISIONAL"]


def test_a_break_shows_its_minutes():
    assert drawn("break", 0, 7) == ["BREAK", "7 MIN"]
    assert drawn("break", 0, 120) == ["BREAK", "120 MIN"]


def test_a_drill_has_a_blue_mark_beside_every_word():
    for word in ALL_WORDS:
        pixels = Pixels()
        shown = ring.Ring(pixels)
        for i in range(24):
            shown.draw(word, DRILL, i * ring.FRAME_MS)
            red, green, blue = pixels.now[4]
            assert blue, word
            assert not red, word
            assert not green, word


def test_a_verdict_of_the_units_own_blinks():
    pixels = Pixels()
    shown = ring.Ring(pixels)
    lit = []
    for i in range(8):
        shown.draw("own", PROVISIONAL, i * ring.FRAME_MS)
        lit.append(any(any(pixel) for pixel in pixels.now))
    assert lit == [True, True, False, False] * 2


def test_night_dims_the_ring_at_once_and_leaves_every_word_alight():
    pixels = Pixels()
    shown = ring.Ring(pixels)
    shown.draw("free", 0, 0)
    assert pixels.brightness == 255
    shown.draw("free", 0, 0, True)
    assert pixels.brightness == ring.NIGHT
    for word in WORDS:
        colour, _ = looks.light(word)
        assert max(colour) * ring.NIGHT // 255 > 0, word


def test_every_word_has_its_own_row():
    for word in WORDS:
        icon, text = looks.page(word)
        assert len(icon) == 8, word
        assert 1 <= len(text.split("/")) <= 2, word
        assert looks.notes(word), word
