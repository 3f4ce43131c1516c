"""The charts of a collapse: for each measure a line for each regime by generation, and the band that chance allows.

A line is told by its colour and by its mark; a mark with a ring is a generation that the measure flags. Colours are CSS
variables of the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

SIZE = (330, 190)
"""Pixels of a chart."""
LOOKS = (("bad", "circle"), ("good", "square"), ("real", "diamond"), ("close", "triangle"), ("warn", "cross"))
"""The colour and the mark of each regime, in their order; of more, again from the third."""
_EDGES = (46.0, 10.0, 12.0, 26.0)
"""Pixels left, above, right and below of the plotting area."""
_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_MOST_TICKS = 6
_LEAST_WIDE = 0.02
"""The least range that is shown, so that what is alike is drawn alike."""
Box = tuple[float, float, float, float]
Place = Callable[[int, float], tuple[float, float]]
"""Where a generation with so much kept is drawn."""


class Line(NamedTuple):
    """One regime: what generation 1, 2, … kept (None: not measured), and which are flagged."""

    title: str
    kept: tuple[float | None, ...]
    flagged: tuple[bool, ...]


class Panel(NamedTuple):
    """One measure."""

    title: str
    room: float
    """How far from 1 a second real sample strays by chance."""
    lines: tuple[Line, ...]
    ticks: tuple[str, ...] = ()
    """What stands below each place along; nothing: the numbers of generations."""
    unit: str = "gen."
    """What these are."""
    spoken: str = "kept by generation"
    """What is shown, for who hears it."""


def look(at: int) -> tuple[str, str]:
    """Return the colour and the mark of the regime at a place."""
    return LOOKS[at] if at < len(LOOKS) else LOOKS[2 + (at - 2) % (len(LOOKS) - 2)]


def draw_panel(panel: Panel, size: tuple[int, int] = SIZE) -> str:
    """Return the SVG of one measure."""
    left, above, right, below = _EDGES
    plot = (left, above, size[0] - right, size[1] - below)
    many = max((len(line.kept) for line in panel.lines), default=1)
    low, high = _range(panel)

    def place(generation: int, kept: float) -> tuple[float, float]:
        across = (generation - 1) / max(many - 1, 1)
        up = (kept - low) / (high - low)
        return plot[0] + 8 + across * (plot[2] - plot[0] - 16), plot[3] - up * (plot[3] - plot[1])

    drawn = [*_grid(plot, (low, high), panel, many, place), *_band(plot, panel.room, low, high, place)]
    for at, line in enumerate(panel.lines):
        points = [(place(g, k), f) for g, (k, f) in enumerate(zip(line.kept, line.flagged, strict=True), 1)
                  if k is not None]  # fmt: skip
        drawn += _line(points, *look(at))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
            f'viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="11" role="img" '
            f'aria-label="{escape(_spoken(panel))}">{"".join(drawn)}</svg>')  # fmt: skip


def _spoken(panel: Panel) -> str:
    """Return what a screen reader says of a chart; the table has the numbers."""
    ends = [
        f"{line.title} {100 * line.kept[-1]:.0f} %" for line in panel.lines if line.kept and line.kept[-1] is not None
    ]
    return f"{panel.title} {panel.spoken}; at the last: {', '.join(ends)}"


def _range(panel: Panel) -> tuple[float, float]:
    """Return the ends of the scale: what was kept, and what chance allows as far as it is near."""
    known = [k for line in panel.lines for k in line.kept if k is not None] or [1.0]
    low, high = min(*known, 1.0, 1.0), max(*known, 1.0, 1.0)
    room = min(panel.room, 2 * max(high - low, _LEAST_WIDE))
    low, high = min(low, 1 - room), max(high, 1 + room)
    spare = max(0.06 * (high - low), (_LEAST_WIDE - (high - low)) / 2)
    return max(low - spare, 0.0) if low >= 0 else low - spare, high + spare


def _grid(plot: Box, ends: tuple[float, float], panel: Panel, many: int, place: Place) -> Iterator[str]:
    low, high = ends
    step = next((s for s in _TICKS if (high - low) / s <= _MOST_TICKS), 10 ** math.ceil(math.log10(high - low)))
    for i in range(math.ceil(low / step), math.floor(high / step) + 1):
        y = place(1, i * step)[1]
        yield f'<path stroke="var(--line)" d="M{plot[0]:g},{y:.1f}H{plot[2]:g}"/>'
        yield (f'<text x="{plot[0] - 5:g}" y="{y:.1f}" dy="0.34em" text-anchor="end" fill="var(--muted)">'
               f"{100 * i * step:.6g} %</text>")  # fmt: skip
    yield f'<text x="{plot[0] - 5:g}" y="{plot[3] + 16:g}" text-anchor="end" fill="var(--muted)">'
    yield f"{escape(panel.unit)}</text>"
    every = max(1, math.ceil(many / 10))
    for generation in range(1, many + 1, every):
        x = place(generation, 1.0)[0]
        yield (f'<text x="{x:.1f}" y="{plot[3] + 16:g}" text-anchor="middle" fill="var(--muted)">'
               f"{escape(panel.ticks[generation - 1]) if panel.ticks else generation}</text>")  # fmt: skip


def _band(plot: Box, room: float, low: float, high: float, place: Place) -> Iterator[str]:
    """Yield what chance allows, and the line of a second real sample."""
    top, bottom = place(1, min(1 + room, high))[1], place(1, max(1 - room, low))[1]
    yield (f'<rect x="{plot[0]:g}" y="{top:.1f}" width="{plot[2] - plot[0]:g}" height="{bottom - top:.1f}" '
           'fill="var(--muted)" fill-opacity="0.16"/>')  # fmt: skip
    y = place(1, 1.0)[1]
    yield f'<path stroke="var(--ink)" stroke-dasharray="4 3" d="M{plot[0]:g},{y:.1f}H{plot[2]:g}"/>'


def _line(points: Sequence[tuple[tuple[float, float], bool]], colour: str, shape: str) -> Iterator[str]:
    if not points:
        return
    path = "L".join(f"{x:.1f},{y:.1f}" for (x, y), _ in points)
    yield f'<path fill="none" stroke="var(--{colour})" stroke-width="1.8" d="M{path}"/>'
    for (x, y), flagged in points:
        if flagged:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" fill="none" stroke="var(--{colour})" stroke-width="1.4"/>'
        yield mark(x, y, colour, shape)


def mark(x: float, y: float, colour: str, shape: str) -> str:
    """Return the mark of a regime at a place."""
    fill = f'fill="var(--{colour})" stroke="var(--paper)" stroke-width="0.8"'
    match shape:
        case "circle":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" {fill}/>'
        case "square":
            return f'<rect x="{x - 3.1:.1f}" y="{y - 3.1:.1f}" width="6.2" height="6.2" {fill}/>'
        case "diamond":
            return f'<path d="M{x:.1f},{y - 4.4:.1f}l4.4,4.4l-4.4,4.4l-4.4,-4.4Z" {fill}/>'
        case "triangle":
            return f'<path d="M{x:.1f},{y - 4.2:.1f}l4.2,7.4h-8.4Z" {fill}/>'
    return f'<path d="M{x - 3.4:.1f},{y - 3.4:.1f}l6.8,6.8m0,-6.8l-6.8,6.8" stroke="var(--{colour})" stroke-width="2"/>'
