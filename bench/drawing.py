"""Draws lines over time as an SVG file, for the documents: no more than the measurements here need."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 360
LEFT, RIGHT, TOP, BOTTOM = 50, 190, 30, 40


class Line(NamedTuple):
    """One line: what it is, its colour, how thick it is, and a value for each time."""

    name: str
    colour: str
    width: float
    values: Sequence[float]


class Band(NamedTuple):
    """A range of values worth seeing."""

    low: float
    high: float


def draw(path: Path, title: str, seconds: Sequence[float], lines: Sequence[Line], band: Band) -> None:
    """Write the picture."""
    longest, highest = max(seconds), max(max(line.values) for line in lines) * 1.05

    def x(value: float) -> float:
        return LEFT + value / longest * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM)

    step = 5 if highest <= 50 else 10
    top, height = y(band.high), y(band.low) - y(band.high)
    parts = [
        f'<rect x="{LEFT}" y="{top:.1f}" width="{x(longest) - LEFT:.1f}" height="{height:.1f}" fill="#dff0d8"/>',
        *(_text(LEFT - 8, y(value) + 4, str(value), "end") for value in range(0, int(highest) + 1, step)),
        *(_text(x(second), HEIGHT - BOTTOM + 18, f"{second} s", "middle") for second in range(0, int(longest) + 1, 20)),
        f'<path d="M{LEFT},{TOP} V{HEIGHT - BOTTOM} H{x(longest):.1f}" fill="none" stroke="#888"/>',
        _text(LEFT, 18, title, "start"),
    ]
    for number, line in enumerate(lines):
        points = _stairs([(x(at), y(value)) for at, value in zip(seconds, line.values, strict=True)])
        parts.append(f'<path d="{points}" fill="none" stroke="{line.colour}" stroke-width="{line.width}"/>')
        at = TOP + 18 * number + 10
        parts.append(f'<path d="M{WIDTH - RIGHT + 14},{at} h22" stroke="{line.colour}" stroke-width="{line.width}"/>')
        parts.append(_text(WIDTH - RIGHT + 42, at + 4, line.name, "start"))
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n',
        "utf-8",
    )


def _stairs(points: Sequence[tuple[float, float]]) -> str:
    """A step where the value changes, and the end."""
    (first_x, before), *others = points
    steps = [f"M{first_x:.1f},{before:.1f}"]
    for x, y in others:
        if y != before:
            steps.append(f"H{x:.1f} V{y:.1f}")
            before = y
    return " ".join([*steps, f"H{points[-1][0]:.1f}"])


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
