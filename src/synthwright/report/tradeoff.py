"""The chart of a comparison: each method at its fidelity and utility, its privacy as shape, its seconds as size.

It is drawn here, not by Vega, for no label may cover another, however close the methods are: a label goes beside its
mark, or to the nearest free place, with a line to its mark. Colours are CSS variables of the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from typing import Literal, NamedTuple

Look = Literal["met", "safe", "unsafe", "real"]
"""met: every gate is met; safe: gates are missed, none of them about privacy; unsafe: gates about privacy are missed;
real: a second real sample."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""
Join = tuple[tuple[float, float], tuple[float, float]]
"""A line from a mark to its label."""
WIDE, NARROW = (760, 440), (300, 400)
"""Pixels of the chart on a page and on a phone."""
_TEXT, _HIGH = 12, 15
_LETTER = 6.5
"""Pixels that a letter of a label takes, about."""
_EDGES = (46, 30, 16, 40)
"""Pixels left, above, right and below of the plotting area."""
_STEP = 8
_TRIED = 120
"""Free places that are looked at for a label, the nearest."""
_STRETCH = 12.0
"""How much larger a small difference is drawn at the best end of a scale than if all were drawn alike."""
_NEAR = 6.0
"""Pixels between mark and label above which a line joins them."""


class Dot(NamedTuple):
    """One method as it is drawn."""

    label: str
    across: float
    up: float
    look: Look
    radius: float = 6.0
    strong: bool = False
    """Whether it is the recommended one."""


class Axis(NamedTuple):
    """What a direction of the chart means; better is always to the right, and up."""

    title: str
    better: Literal["lower", "higher"]
    percent: bool = False


class _Scale(NamedTuple):
    """Where values lie: the differences among good methods are drawn larger than those among bad ones."""

    worst: float
    best: float
    begin: float
    """The pixel of the worst value that is shown …"""
    end: float
    """… and of the best."""

    def __call__(self, value: float) -> float:
        short = (self.best - value) / (self.best - self.worst)
        return self.end + (self.begin - self.end) * math.log1p(_STRETCH * short) / math.log1p(_STRETCH)


def radius(seconds: float | None) -> float:
    """Return how large a mark is: it grows with the magnitude of the seconds."""
    return 5.0 + 2.5 * min(4.0, math.log10(1.0 + max(0.0, seconds or 0.0)))


def draw_tradeoff(dots: Sequence[Dot], across: Axis, up: Axis, size: tuple[int, int]) -> str:
    """Return the SVG of a chart so large."""
    left, above, right, below = _EDGES
    width, height = size
    plot = (float(left), float(above), float(width - right), float(height - below))
    x = _scale([d.across for d in dots], plot[0] + 14, plot[2] - 14, across)
    y = _scale([d.up for d in dots], plot[3] - 14, plot[1] + 14, up)
    places = [(x(d.across), y(d.up)) for d in dots]
    boxes = _labels(dots, places, plot)
    drawn = [*_grid(plot, x, y, across, up), *_lines(dots, places, boxes), *map(mark, dots, places)]
    drawn += [_name(d, box) for d, box in zip(dots, boxes, strict=True)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="{_TEXT}">{"".join(drawn)}</svg>')  # fmt: skip


def _scale(values: Sequence[float], begin: float, end: float, axis: Axis) -> _Scale:
    low, high = min(values), max(values)
    middle, half = (low + high) / 2, max(0.01, (high - low) / 2)  # methods that are alike are drawn alike
    low, high = middle - half, middle + half
    return _Scale(high, low, begin, end) if axis.better == "lower" else _Scale(low, high, begin, end)


def _ticks(scale: _Scale, gap: float) -> list[float]:
    """Return round values, the roundest first, that are so many pixels apart."""
    low, high = sorted((scale.worst, scale.best))
    magnitude = 10.0 ** math.floor(math.log10(high - low))
    found: list[float] = []
    for step in (magnitude * part for part in (1, 0.5, 0.2, 0.1)):
        for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
            if all(abs(scale(i * step) - scale(other)) >= gap for other in found):
                found.append(round(i * step, 9))
    return found


def _said(value: float, axis: Axis) -> str:
    return f"{100 * value:.6g} %" if axis.percent else f"{value:.6g}"


def _grid(plot: Box, x: _Scale, y: _Scale, across: Axis, up: Axis) -> Iterator[str]:
    for value in _ticks(x, 52):
        at = x(value)
        yield f'<path stroke="var(--line)" d="M{at:.1f},{plot[1]:g}V{plot[3]:g}"/>'
        yield (f'<text x="{at:.1f}" y="{plot[3] + 15:g}" text-anchor="middle" font-size="11" fill="var(--muted)">'
               f'{_said(value, across)}</text>')  # fmt: skip
    for value in _ticks(y, 34):
        at = y(value)
        yield f'<path stroke="var(--line)" d="M{plot[0]:g},{at:.1f}H{plot[2]:g}"/>'
        yield (f'<text x="{plot[0] - 5:g}" y="{at:.1f}" dy="0.34em" text-anchor="end" font-size="11" '
               f'fill="var(--muted)">{_said(value, up)}</text>')  # fmt: skip
    end = f'<text x="{plot[2]:g}" y="{plot[3] + 34:g}" text-anchor="end">{escape(across.title)} →</text>'
    yield f'<g fill="var(--ink)" font-weight="600"><text x="2" y="14">↑ {escape(up.title)}</text>{end}</g>'


def mark(dot: Dot, place: tuple[float, float]) -> str:
    """Return the mark of a method at a place."""
    x, y, r = *place, dot.radius
    if dot.look == "met":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="var(--good)" stroke="var(--paper)"/>'
    if dot.look == "safe":
        return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r - 1:.1f}" fill="var(--paper)" fill-opacity="0.6" '
                f'stroke="var(--real)" stroke-width="2.5"/>')  # fmt: skip
    if dot.look == "unsafe":
        return (f'<path d="M{x:.1f},{y - r:.1f}l{r:.1f},{r:.1f}l-{r:.1f},{r:.1f}l-{r:.1f},-{r:.1f}Z" '
                f'fill="var(--bad)" stroke="var(--paper)"/>')  # fmt: skip
    cross = f"M{x - r:.1f},{y:.1f}h{2 * r:.1f}M{x:.1f},{y - r:.1f}v{2 * r:.1f}"
    return f'<path d="{cross}" stroke="var(--ink)" stroke-width="2.5"/>'


def _name(dot: Dot, box: Box) -> str:
    weight = ' font-weight="700"' if dot.strong else ""
    return (f'<text x="{(box[0] + box[2]) / 2:.1f}" y="{(box[1] + box[3]) / 2:.1f}" dy="0.34em" text-anchor="middle" '
            f'fill="var(--ink)" stroke="var(--paper)" stroke-width="3" stroke-linejoin="round" '
            f'paint-order="stroke"{weight}>{escape(dot.label)}</text>')  # fmt: skip


def _lines(dots: Sequence[Dot], places: Sequence[tuple[float, float]], boxes: Sequence[Box]) -> Iterator[str]:
    """Yield a line from each mark whose label is not beside it."""
    for dot, (x, y), box in zip(dots, places, boxes, strict=True):
        tip = _tip((x, y), box)
        if not _beside(dot, (x, y), box):
            yield f'<path d="M{x:.1f},{y:.1f}L{tip[0]:.1f},{tip[1]:.1f}" stroke="var(--muted)"/>'


def _tip(place: tuple[float, float], box: Box) -> tuple[float, float]:
    """Return the point of a label that is nearest to a place."""
    return min(max(place[0], box[0]), box[2]), min(max(place[1], box[1]), box[3])


def _labels(dots: Sequence[Dot], places: Sequence[tuple[float, float]], plot: Box) -> list[Box]:
    """Return where each label stands: the crowded ones choose first, and none covers a mark or another label."""
    marks = [(x - d.radius, y - d.radius, x + d.radius, y + d.radius) for d, (x, y) in zip(dots, places, strict=True)]
    lonely = [min((math.dist(a, b) for j, b in enumerate(places) if i != j), default=0.0) for i, a in enumerate(places)]
    found: dict[int, Box] = {}
    for i in sorted(range(len(dots)), key=lambda i: (lonely[i], i)):
        joins = [(places[j], _tip(places[j], box)) for j, box in found.items() if not _beside(dots[j], places[j], box)]
        taken = (*marks, *found.values())
        free = (b for b in _candidates(dots[i], places[i], plot) if not any(_meet(b, other) for other in taken))
        first = list(islice(free, _TRIED)) or [next(_candidates(dots[i], places[i], plot))]
        costs = [_crossings(dots[i], places[i], box, joins, [*marks[:i], *marks[i + 1 :], *found.values()])
                 for box in first]  # fmt: skip
        found[i] = first[costs.index(min(costs))]
    return [found[i] for i in range(len(dots))]


def _crossings(dot: Dot, place: tuple[float, float], box: Box, joins: Sequence[Join], others: Sequence[Box]) -> int:
    """Return how many lines would come through a label, and how many marks and labels its own line would cross."""
    through = sum(_crosses(join, box) for join in joins)
    if _beside(dot, place, box):
        return through
    return through + sum(_crosses((place, _tip(place, box)), other) for other in others)


def _beside(dot: Dot, place: tuple[float, float], box: Box) -> bool:
    """Return whether a label stands so near its mark that no line need join them."""
    return math.dist(_tip(place, box), place) <= dot.radius + _NEAR


def _candidates(dot: Dot, place: tuple[float, float], plot: Box) -> Iterator[Box]:
    """Yield the places for a label inside the chart: beside its mark first, then the nearest ones."""
    wide, (x, y) = _LETTER * len(dot.label) * (1.08 if dot.strong else 1.0) + 2, place
    away, half = dot.radius + 4, wide / 2
    slant = 0.75 * dot.radius + 2
    near = [(x + away + half, y), (x - away - half, y), (x, y - away - _HIGH / 2), (x, y + away + _HIGH / 2)]
    near += [(x + s * (slant + half), y + t * (slant + _HIGH / 2)) for s in (1, -1) for t in (-1, 1)]
    first, top, last, bottom = plot[0] + half, plot[1] + _HIGH / 2, plot[2] - half, plot[3] - _HIGH / 2
    columns, lines = max(1, int((last - first) / _STEP)), max(1, int((bottom - top) / _STEP))
    rest = [(first + i * _STEP, top + j * _STEP) for i in range(columns + 1) for j in range(lines + 1)]
    rest.sort(key=lambda p: math.hypot(max(0.0, abs(p[0] - x) - half), p[1] - y))
    for cx, cy in (*near, *rest):
        if first <= cx <= max(first, last) and top <= cy <= bottom:
            yield cx - half, cy - _HIGH / 2, cx + half, cy + _HIGH / 2
    yield min(max(x - half, plot[0]), max(plot[0], plot[2] - wide)), y - away - _HIGH, x + half, y - away


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _crosses(line: Join, box: Box) -> bool:
    """Return whether a line comes through a box; looked at in steps, for a chart needs no more."""
    (x, y), (u, v) = line
    steps = max(2, int(math.dist(*line) / 3))
    points = ((x + (u - x) * i / steps, y + (v - y) * i / steps) for i in range(steps + 1))
    return any(box[0] < px < box[2] and box[1] < py < box[3] for px, py in points)
