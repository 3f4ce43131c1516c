"""Charts as SVG: drawn by Altair and Vega here, so that the page needs no script and no network.

Colours are CSS variables of the page (`--real`, `--synthetic`, `--ink` …), so that one drawing serves light and dark.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthwright.report.counts import Bins, Labels, spelled

WIDTH = 300
"""Pixels of a chart's plotting area."""
_DAY = 86_400_000.0
_LAST = 8.64e15
"""The last instant that a time axis can show, in milliseconds since 1970."""


def draw_counts(counts: Bins | Labels) -> str:
    """Return the SVG of a column, real against synthetic."""
    return _histogram(counts) if isinstance(counts, Bins) else _bars(counts)


def draw_matrix(matrix: np.ndarray, columns: tuple[str, ...], *, signed: bool) -> str:
    """Return the SVG of a square matrix: darker is stronger; where signed, one hue for more and one for less."""
    import altair as alt

    names = [spelled(c, 16) for c in columns]
    names = [n if names.count(n) == 1 else f"{n[:12]} #{i + 1}" for i, n in enumerate(names)]
    strongest = max(0.2, float(np.abs(matrix).max())) if signed else 1.0
    size = len(columns)
    numbered = [(i, j, float(matrix[i, j])) for i in range(size) for j in range(size)]
    cells = [{"x": names[j], "y": names[i], "v": round(abs(v), 3), "c": "more" if v > 0 else "less"}
             for i, j, v in numbered]  # fmt: skip
    axis = alt.Axis(title=None, labelLimit=80, ticks=False, domain=False)
    chart = alt.Chart(alt.InlineData(values=[c for c in cells if c["v"]])).mark_rect(stroke="var(--paper)").encode(
        x=alt.X("x:N", sort=names, scale=alt.Scale(domain=names), axis=axis),
        y=alt.Y("y:N", sort=names, scale=alt.Scale(domain=names), axis=axis),
        opacity=alt.Opacity("v:Q", scale=alt.Scale(domain=[0, strongest], range=[0, 1]), legend=None),
        color=_coloured("c") if signed else alt.value("var(--real)"),
    )  # fmt: skip
    side = max(12, min(26, 225 // size))
    return _svg(chart.properties(width=side * size, height=side * size))


def _coloured(field: str) -> Any:
    import altair as alt

    scale = alt.Scale(domain=["less", "more"], range=["var(--real)", "var(--synthetic)"])
    return alt.Color(f"{field}:N", scale=scale, legend=None)


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
    axis = alt.Axis(title=None, tickCount=5, labelFlush=True, grid=False, format=spelling)
    how: Any = "utc" if timed else "log" if counts.axis == "powers" else "linear"
    ends = alt.Scale(type=how) if timed else alt.Scale(type=how, zero=False, nice=False)
    x = alt.X("x:T" if timed else "x:Q", axis=axis, scale=ends)
    y = alt.Y("y:Q", title=None, axis=alt.Axis(format="~%", tickCount=3), scale=alt.Scale(domainMin=0))
    layers: list[Any] = []
    if counts.real is not None:
        real = alt.Chart(_steps(edges * scale, counts.real))
        layers.append(real.mark_area(interpolate="step-after", color="var(--real)", opacity=0.45).encode(x=x, y=y))
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
        real = alt.Chart(rows(counts.real)).mark_bar(color="var(--real)", opacity=0.45, size=13)
        layers.append(real.encode(x=x, y=y))
    synthetic = alt.Chart(rows(counts.synthetic)).mark_bar(color="var(--synthetic)", size=5)
    layers.append(synthetic.encode(x=x, y=y))
    return _svg(alt.layer(*layers).properties(width=WIDTH - 90, height=max(40, 18 * len(names))))


def _svg(chart: Any) -> str:
    """Return a chart as SVG; nothing is fetched, and nothing in it can run."""
    import vl_convert

    quiet = {"labelColor": "var(--ink)", "gridColor": "var(--line)", "domainColor": "var(--line)",
             "tickColor": "var(--line)", "labelFontSize": 11}  # fmt: skip
    spec = chart.configure(background="transparent", aria=False, font="sans-serif").to_dict()
    spec["config"] |= {"view": {"stroke": None}, "axis": quiet}
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
