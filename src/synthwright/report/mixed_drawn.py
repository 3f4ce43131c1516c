"""The picture of a study of mixing: what each way gains over real rows alone, with its interval, and the zero line.

It is drawn here, not by Vega: a line for each way, of any number, on a page and on a phone. Colours are CSS variables
of the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Literal, NamedTuple

Look = Literal["gain", "open", "loss"]
"""gain: all of the interval is above zero; loss: all of it is below; open: it includes zero."""
WIDE, NARROW = 760, 300
"""Pixels across, on a page and on a phone."""
_LINE, _HEAD, _FOOT, _GAP = 22, 30, 34, 12
_LETTER = 6.6
_ROOM = 0.06
"""What is left free at both ends of the scale, as a share of it."""
_LEAST = 0.005
"""The least difference that a scale goes to: what is alike is drawn alike."""


class Line(NamedTuple):
    """One way as it is drawn."""

    label: str
    value: float
    low: float
    high: float
    held: bool = False
    """Whether it is what held-out rows say; else what the folds say."""
    strong: bool = False
    """Whether it is recommended."""

    @property
    def look(self) -> Look:
        """Whether it gains, loses, or neither for sure."""
        return "gain" if self.low > 0 else "loss" if self.high < 0 else "open"


class _Scale(NamedTuple):
    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.begin + (self.end - self.begin) * share


def draw_gains(groups: Sequence[Sequence[Line]], title: str, width: int) -> str:
    """Return the SVG of ways in groups, one below the other, on one scale.

    Args:
        groups: a method's ways, and last what held-out rows say.
        title: what is drawn, for the head.
        width: pixels across.
    """
    lines = [line for group in groups for line in group]
    left = min(0.48 * width, 10 + max(_LETTER * len(line.label) * (1.08 if line.strong else 1) for line in lines))
    scale = _scale(lines, left + 8, width - 10)
    height = _HEAD + sum(_LINE * len(g) + _GAP for g in groups) + _FOOT
    drawn = [f'<text x="2" y="14" font-weight="600" fill="var(--ink)">{escape(title)} →</text>',
             *_grid(scale, height - _FOOT)]  # fmt: skip
    top = float(_HEAD)
    for group in groups:
        for line in group:
            drawn += _drawn(line, scale, left, top + _LINE / 2)
            top += _LINE
        top += _GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="12">{"".join(drawn)}</svg>')  # fmt: skip


def _scale(lines: Sequence[Line], begin: float, end: float) -> _Scale:
    low, high = min(-_LEAST, *(line.low for line in lines)), max(_LEAST, *(line.high for line in lines))
    room = _ROOM * (high - low)
    return _Scale(low - room, high + room, begin, end)


def _ticks(scale: _Scale) -> list[float]:
    """Return round values at least 50 pixels apart; zero is one of them."""
    across = (scale.high - scale.low) / (scale.end - scale.begin)
    step = 10.0 ** math.floor(math.log10(50 * across))
    step *= next(m for m in (1, 2, 5, 10) if m * step >= 50 * across)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return [round(i * step, 9) + 0.0 for i in range(first, last + 1)]


def _grid(scale: _Scale, bottom: float) -> Iterator[str]:
    for value in _ticks(scale):
        at = scale(value)
        strong = ' stroke-width="1.5"' if value == 0 else ""
        colour = "muted" if value == 0 else "line"
        yield f'<path stroke="var(--{colour})"{strong} d="M{at:.1f},{_HEAD - 6}V{bottom - 4:g}"/>'
        text = f"{value:+g}" if value else "0"
        yield (f'<text x="{at:.1f}" y="{bottom + 12:g}" text-anchor="middle" font-size="11" fill="var(--muted)">'
               f"{text}</text>")  # fmt: skip
    yield (f'<text x="{scale(0):.1f}" y="{bottom + 28:g}" text-anchor="middle" font-size="11" fill="var(--muted)">'
           "real rows alone</text>")  # fmt: skip


def _drawn(line: Line, scale: _Scale, left: float, y: float) -> Iterator[str]:
    colour = {"gain": "var(--good)", "loss": "var(--bad)", "open": "var(--real)"}[line.look]
    weight = ' font-weight="700"' if line.strong else ""
    yield (f'<text x="{left - 4:.1f}" y="{y:g}" dy="0.34em" text-anchor="end" fill="var(--ink)"{weight}>'
           f"{escape(line.label)}</text>")  # fmt: skip
    wide = 3 if line.held else 2
    yield (f'<path stroke="{colour}" stroke-width="{wide}" d="M{scale(line.low):.1f},{y:g}'
           f'H{scale(line.high):.1f}"/>')  # fmt: skip
    yield sign(line.look, scale(line.value), y, held=line.held)


def sign(look: Look, x: float, y: float, *, held: bool) -> str:
    """Return the mark of a way: filled where it differs from zero; a diamond where held-out rows say so."""
    colour = {"gain": "var(--good)", "loss": "var(--bad)", "open": "var(--real)"}[look]
    filled = "var(--paper)" if look == "open" else colour
    how = f'fill="{filled}" stroke="{colour}" stroke-width="2"'
    if held:
        return f'<path {how} d="M{x:.1f},{y - 6.5:.1f}l6.5,6.5l-6.5,6.5l-6.5,-6.5Z"/>'
    return f'<circle {how} cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
