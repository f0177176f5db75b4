"""The label of a unit: an SVG file of 50 x 25 mm with name, site, desk, MAC and a QR code.

Nothing secret is on it. The QR code says `chequer:<site>/<unit>?mac=<mac>`.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import segno

_WIDTH, _HEIGHT, _MARGIN = 50.0, 25.0, 2.0
_TEXT_X = 25.0


@dataclass(frozen=True)
class Label:
    """What a label says. `desk` may be empty."""

    site: str
    unit: str
    desk: str
    mac: str

    def text(self) -> str:
        """One line for the terminal."""
        desk = f", desk {self.desk}" if self.desk else ""
        return f"{self.unit} (site {self.site}{desk}) {self.mac}"

    def svg(self) -> str:
        """The picture, in millimetres, ready for a label printer."""
        lines = [(6.5, 5.0, self.unit), (12.0, 3.0, self.site)]
        if self.desk:
            lines.append((16.5, 3.0, self.desk))
        lines.append((21.5, 2.4, self.mac))
        texts = "".join(
            f'<text x="{_TEXT_X}" y="{y}" font-size="{self._fit(size, text)}">{escape(text)}</text>'
            for y, size, text in lines
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" '
            f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
            f'<rect width="100%" height="100%" fill="#fff"/>{self._code()}{texts}</svg>\n'
        )

    def save(self, folder: Path) -> Path:
        """Write `<unit>.svg` into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.unit}.svg"
        path.write_text(self.svg(), encoding="utf-8")
        return path

    def _fit(self, size: float, text: str) -> float:
        """A font size in mm at which the text fits; a letter is about 0.6 of its size wide."""
        return round(min(size, (_WIDTH - _TEXT_X - _MARGIN) / (0.6 * len(text))), 2)

    def _code(self) -> str:
        code = segno.make(f"chequer:{self.site}/{self.unit}?mac={self.mac}", error="m", micro=False)
        rows = list(code.matrix_iter(border=0))
        side = (_HEIGHT - 2 * _MARGIN) / len(rows)
        path = "".join(
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
        )
        return f'<path transform="translate({_MARGIN} {_MARGIN}) scale({side:.4f})" d="{path}"/>'
