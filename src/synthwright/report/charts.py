"""Charts as SVG: drawn by Altair and Vega here, so that the page needs no script and no network.

Colours are CSS variables of the page (`--real`, `--synthetic`, `--ink` …), so that one drawing serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import numpy as np

from synthwright.report.counts import Bins, Labels, spelled

WIDTH = 270
"""Pixels of a chart's plotting area."""
_LINE = 34
"""Pixels that a gate takes."""
_REACH = (-1.0, 3.0)
"""How far the chart of gates goes, in allowances: 0 is the reference, 1 the bound."""
_NEXT_TO_NOTHING = 1e-9
_LONG = 1e5
"""From where on numbers are so long that fewer stand below an axis."""
_LEVELS = 20
"""Shades of a heat map."""
_REAL: Any = {"color": "var(--real)", "fillOpacity": 0.45, "stroke": "var(--real)", "strokeWidth": 0.8}
"""How real rows are drawn: pale, so that synthetic rows stand out, and with an edge that everybody can see."""
_DAY = 86_400_000.0
_LAST = 8.64e15
"""The last instant that a time axis can show, in milliseconds since 1970."""


def draw_counts(counts: Bins | Labels) -> str:
    """Return the SVG of a column, real against synthetic."""
    return _histogram(counts) if isinstance(counts, Bins) else _bars(counts)


class Mark(NamedTuple):
    """One gate as it is drawn."""

    label: str
    said: str
    """The numbers, as text."""
    passed: bool
    op: str
    value: float | None
    bound: float | None
    reference: float | None
    low: float | None
    high: float | None
    span: float
    """What stands for the allowance where the reference does not meet the bound by itself, or there is none."""


def draw_gates(marks: Sequence[Mark]) -> str:
    """Return the SVG of gates, one below the other, each on a scale of its own: reference, allowed zone, value.

    It is drawn here, not by Vega: positions are shares of the width, so that it fills a page and a phone while its text
    keeps its size.
    """
    drawn = [_gate(mark, i * _LINE) for i, mark in enumerate(marks)]
    height = _LINE * max(1, len(marks))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" class="gates" width="100%" height="{height}" '
            f'font-family="sans-serif" font-size="12">{"".join(drawn)}</svg>')  # fmt: skip


def _gate(mark: Mark, top: int) -> str:
    line, middle = top + 12, top + 23
    words = (f'<g fill="var(--ink)"><text x="0" y="{line}">{escape(mark.label)}</text>'
             f'<text class="said" x="100%" y="{line}" text-anchor="end">{escape(mark.said)}</text></g>')  # fmt: skip
    track = f'<rect x="0" y="{middle - 4}" width="100%" height="8" rx="4" fill="var(--line)" opacity="0.55"/>'
    if mark.value is None or mark.bound is None:
        return words + track
    end = _along(1.0)
    allowed = (f'<rect x="0" y="{middle - 4}" width="{end}%" height="8" rx="4" fill="var(--good)" opacity="0.3"/>'
               f'<rect x="{end}%" y="{middle - 6}" width="2" height="12" fill="var(--good)"/>')  # fmt: skip
    tick = ""
    if mark.reference is not None:
        at = _along(_allowance(mark, mark.reference))
        tick = f'<rect x="{at}%" y="{middle - 8}" width="2" height="16" fill="var(--ink)"/>'
    whisker = ""
    if mark.low is not None and mark.high is not None:
        ends = sorted(_along(_allowance(mark, v)) for v in (mark.low, mark.high))
        whisker = (f'<line x1="{ends[0]}%" x2="{ends[1]}%" y1="{middle}" y2="{middle}" stroke="var(--synthetic)" '
                   f'stroke-width="2"/>')  # fmt: skip
    return words + track + allowed + tick + whisker + _dot(mark, middle)


def _dot(mark: Mark, middle: int) -> str:
    """Return the value: a dot where the gate is met, a cross where it is not."""
    at = _along(_allowance(mark, mark.value or 0.0))
    if mark.passed:
        return f'<circle cx="{at}%" cy="{middle}" r="5.5" fill="var(--synthetic)" stroke="var(--paper)"/>'
    return (f'<text x="{at}%" y="{middle}" dy="0.34em" text-anchor="middle" font-size="24" font-weight="bold" '
            f'fill="var(--bad)">×</text>')  # fmt: skip


def _allowance(mark: Mark, number: float) -> float:
    """Return where a number lies: 0 at the reference, 1 at the bound, more where it is worse."""

    def worse(than_bound: float) -> float:
        away = than_bound - (mark.bound or 0.0)
        return away if mark.op.startswith("<") else -away if mark.op.startswith(">") else abs(away)

    room = 0.0 if mark.reference is None else -worse(mark.reference)
    return 1.0 + worse(number) / (room if room > _NEXT_TO_NOTHING else mark.span)


def used(mark: Mark) -> float:
    """Return how much of its allowance a gate's value takes: 0 none, 1 all; less than any where there is no value."""
    return -np.inf if mark.value is None or mark.bound is None else _allowance(mark, mark.value)


def _along(allowances: float) -> float:
    """Return a place on the track, in per cent; what is beyond the ends is at the ends."""
    low, high = _REACH
    share = (min(max(allowances, low), high) - low) / (high - low)
    return round(2 + 96 * share, 2)


def draw_matrix(matrix: np.ndarray, columns: tuple[str, ...], *, signed: bool) -> str:
    """Return the SVG of a square matrix: darker is stronger; where signed, one hue for more and one for less."""
    names = [_cut(spelled(c)) for c in columns]
    names = [n if names.count(n) == 1 else f"{_cut(n, 8)} #{i + 1}" for i, n in enumerate(names)]
    strongest = max(0.2, float(np.abs(matrix).max())) if signed else 1.0
    side = max(12, min(26, 225 // len(columns)))
    levels = np.round(_LEVELS * np.minimum(np.abs(matrix) / strongest, 1.0)).astype(int)
    drawn = []
    for more, colour in ((True, "synthetic" if signed else "real"), (False, "real")):
        for level in range(1, _LEVELS + 1):
            cells = np.argwhere((levels == level) & ((matrix > 0) == more)).tolist()
            if cells:
                path = "".join(f"M{side * j},{side * i}h{side}v{side}h-{side}Z" for i, j in cells)
                drawn.append(f'<path opacity="{level / _LEVELS:g}" d="{path}" fill="var(--{colour})"/>')
    size, room = side * len(columns), 8 + max(map(_wide, names), default=0)
    edge = f'stroke="var(--line)" d="M0,0h{size}v{size}h-{size}Z"'
    beside = [f'<text x="-5" y="{side * i + side / 2:g}" dy="0.34em">{escape(n)}</text>' for i, n in enumerate(names)]
    turned = [f"translate({side * i + side / 2:g} {size + 5}) rotate(-90)" for i in range(len(names))]
    below = [f'<text transform="{t}" dy="0.34em">{escape(n)}</text>' for t, n in zip(turned, names, strict=True)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size + room + 2}" height="{size + room + 2}" '
            f'font-family="sans-serif" font-size="11" fill="var(--ink)"><g transform="translate({room} 1)">'
            f'{"".join(drawn)}<path fill="none" {edge}/><g text-anchor="end">{"".join(beside + below)}</g></g>'
            "</svg>")  # fmt: skip


def _wide(text: str) -> int:
    """Return how many pixels a text takes at most, about."""
    return sum(11 if east_asian_width(c) in "WF" else 7 for c in text)


def _cut(name: str, most: int = 12) -> str:
    """Return a name that fits beside a heat map."""
    room, kept = 7 * most, name
    while _wide(kept) > room:
        kept = kept[:-1]
    return kept if kept == name else f"{kept[:-1]}…"


def _histogram(counts: Bins) -> str:
    import altair as alt

    edges = counts.first + counts.width * np.arange(len(counts.synthetic) + 1)
    scale = {"number": 1.0, "powers": 1.0, "days": _DAY, "seconds": 1000.0}[counts.axis]
    if bool((np.abs(edges * scale) > _LAST).any()):
        scale = 1.0
    if counts.axis == "powers":
        edges = 10.0**edges
    timed = scale != 1.0
    # a time of day lies on the first day of 1970; every other instant is a date
    clock = timed and counts.axis == "seconds" and edges[0] >= 0 and edges[-1] <= 2 * _DAY / 1000
    spelling: Any = "%H:%M" if clock else alt.Undefined
    ticks = 5 if timed or np.abs(edges).max() < _LONG else 3
    axis = alt.Axis(title=None, tickCount=ticks, labelFlush=True, grid=False, format=spelling)
    how: Any = "utc" if timed else "log" if counts.axis == "powers" else "linear"
    ends = alt.Scale(type=how) if timed else alt.Scale(type=how, zero=False, nice=False)
    x = alt.X("x:T" if timed else "x:Q", axis=axis, scale=ends)
    y = alt.Y("y:Q", title=None, axis=alt.Axis(format="~%", tickCount=3), scale=alt.Scale(domainMin=0))
    layers: list[Any] = []
    if counts.real is not None:
        real = alt.Chart(_steps(edges * scale, counts.real))
        layers.append(real.mark_area(interpolate="step-after", **_REAL).encode(x=x, y=y))
    synthetic = alt.Chart(_steps(edges * scale, counts.synthetic))
    line = synthetic.mark_line(interpolate="step-after", color="var(--synthetic)", strokeWidth=1.8)
    layers.append(line.encode(x=x, y=y))
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=120))


def _steps(edges: np.ndarray, shares: np.ndarray) -> Any:
    import altair as alt

    heights = [*shares.tolist(), float(shares[-1])]
    return alt.InlineData(values=[{"x": float(x), "y": round(y, 6)} for x, y in zip(edges, heights, strict=True)])


def _bars(counts: Labels) -> str:
    import altair as alt

    def rows(shares: np.ndarray) -> Any:
        pairs = zip(counts.names, shares.tolist(), strict=True)
        return alt.InlineData(values=[{"n": n, "y": round(v, 6)} for n, v in pairs])

    names = list(counts.names)
    beside = alt.Axis(labelLimit=130, ticks=False, labelPadding=5)
    below = alt.Axis(format="~%", tickCount=4, labelFlush=False)
    y = alt.Y("n:N", sort=names, title=None, scale=alt.Scale(domain=names), axis=beside)
    x = alt.X("y:Q", title=None, axis=below, scale=alt.Scale(domainMin=0))
    layers: list[Any] = []
    if counts.real is not None:
        real = alt.Chart(rows(counts.real)).mark_bar(size=13, **_REAL)
        layers.append(real.encode(x=x, y=y))
    synthetic = alt.Chart(rows(counts.synthetic)).mark_bar(color="var(--synthetic)", size=5)
    layers.append(synthetic.encode(x=x, y=y))
    return _svg(alt.layer(*layers).properties(width=WIDTH - 90, height=max(40, 18 * len(names))))


def _svg(chart: Any) -> str:
    """Return a chart as SVG; nothing is fetched, and nothing in it can run."""
    import vl_convert

    quiet = {"labelColor": "var(--ink)", "gridColor": "var(--line)", "domainColor": "var(--line)",
             "tickColor": "var(--line)", "labelFontSize": 11, "labelSeparation": 8}  # fmt: skip
    spec = chart.configure(background="transparent", aria=False, font="sans-serif").to_dict(
        validate=False
    )  # ours, and checked by its tests
    spec["config"] |= {"view": {"stroke": None}, "axis": quiet}
    drawn = str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    # the page says what the whole chart shows: groups that announce themselves without a name only disturb
    return re.sub(r"<g [^>]*>", lambda group: re.sub(r' (?:role|aria-roledescription)="[^"]*"', "", group[0]), drawn)
