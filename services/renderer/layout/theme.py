"""The one theme: what each tone looks like. Every pair of text and fill has a contrast of at least 4.5 to 1."""

from typing import NamedTuple

from services.renderer.layout.values import Tone

FONT = "Calibri"
PALEST, DEEPEST = "FFFFFF", "9FC3E8"  # behind dark numbers, from 0 to the best
RULE = "D5DAE1"  # the lines of tables and charts
SERIES = ("2F6DB5", "9AA5B4", "E0A33A", "C0504D")
SENTIMENTS = ("3C8D5A", "B4BBC5", "E0A33A", "C0504D")  # positive, neutral, mixed, negative; the legend names them


class Paint(NamedTuple):
    """A font and a fill; colours as RRGGBB."""

    colour: str = "1F2933"
    fill: str | None = None
    bold: bool = False
    underlined: bool = False
    size: int = 10


PAINTS = {
    Tone.PLAIN: Paint(),
    Tone.TITLE: Paint("1B3A5C", bold=True, size=16),
    Tone.HEADING: Paint("1B3A5C", bold=True, size=12),
    Tone.HEADER: Paint("FFFFFF", "1B3A5C", bold=True),
    Tone.LABEL: Paint("3D4B5C", bold=True),
    Tone.MUTED: Paint("5F6B7A"),
    Tone.LINK: Paint("1B5FA8", underlined=True),
    Tone.GOOD: Paint("1E6B3A", "E5F4EA", bold=True),
    Tone.WARNING: Paint("7A4B00", "FFF1D6", bold=True),
    Tone.BAD: Paint("9B1C1C", "FDE7E7", bold=True),
}
TABS = {Tone.GOOD: "1E6B3A", Tone.WARNING: "E0A33A", Tone.BAD: "C0504D"}
