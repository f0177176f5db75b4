"""Text is read back from the display's pixels."""

from sim.glass import glyphs, read


def _draw(picture: bytearray, text: str, column: int, row: int, scale: int) -> None:
    """Text with its top left corner in this cell of 8 x 8 pixels."""
    columns = {char: cells for cells, char in glyphs().items()}
    for i, char in enumerate(text):
        for x in range(8 * scale):
            for y in range(8 * scale):
                if char != " " and columns[char][x // scale] >> (y // scale) & 1:
                    left, top = (column + i * scale) * 8 + x, row * 8 + y
                    picture[(top >> 3) * 128 + left] |= 1 << (top & 7)


def test_large_and_small_text_is_read_in_order_from_top_to_bottom() -> None:
    picture = bytearray(1024)
    _draw(picture, "MOVE ON", 1, 4, 2)
    _draw(picture, "BLOCKED", 0, 6, 2)
    _draw(picture, "no link", 9, 0, 1)
    assert read(bytes(picture)) == ["no link", "MOVE ON", "BLOCKED"]


def test_icons_and_bars_are_not_text() -> None:
    picture = bytearray(1024)
    picture[0:16] = b"\xff\x81" * 8
    picture[300:310] = b"\x80" * 10
    _draw(picture, "FREE", 4, 5, 2)
    assert read(bytes(picture)) == ["FREE"]


def test_an_empty_display_has_no_lines() -> None:
    assert read(bytes(1024)) == []


def test_the_font_is_complete_and_without_twins() -> None:
    assert sorted(glyphs().values()) == [chr(code) for code in range(33, 127)]
