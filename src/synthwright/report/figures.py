"""What is drawn: the gates, every column real against synthetic, how columns depend on each other; worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core import registry
from synthwright.core.contracts import Case, Metric
from synthwright.core.dataset import Dataset
from synthwright.core.gates import parse
from synthwright.report.charts import Mark, draw_counts, draw_gates, draw_matrix, used
from synthwright.report.counts import RARE, ROWS, Bins, Labels, Shown, portion, show_column, spelled, thin
from synthwright.report.dependence import MOST_COLUMNS, Dependence, depend
from synthwright.report.dependence import ROWS as MAPPED
from synthwright.report.report import GateRow, Report, ScoreRow
from synthwright.report.verdict import said
from synthwright.report.words import words
from synthwright.report.worst import beyond, excess, short_name

MOST_CHARTS = 60
"""Columns that are drawn, worst first."""
MOST_MAPS = 6
"""Tables that get heat maps."""
_WIDE = 18
"""Columns of a heat map that no longer fit three in a line."""
_PAIRS = 8
"""Pairs of columns whose numbers are told beside a heat map."""
_GLANCE = 5_000
"""Rows that decide which columns are worst where no score does."""
_OF_GATES = (("ink", "another real sample"), ("good", "allowed"), ("synthetic", "found"), ("bad", "found, not allowed"))
_OF_COLUMNS = (("real", "real"), ("synthetic", "synthetic"))
_OF_DIFFERENCES = (("synthetic", "stronger in synthetic rows"), ("real", "weaker"))
_WANTED = {"<=": "at most", ">=": "at least", "<": "under", ">": "over", "==": "exactly"}
_LABEL = 34
"""Characters of a gate's name in its chart."""


class Picture(NamedTuple):
    """One chart."""

    title: str
    spoken: str
    """What it shows, for people who do not see it."""
    svg: str
    legend: tuple[tuple[str, str], ...] = ()
    """What each colour means, for where no page says so: the name of the colour, and words."""


class Apart(NamedTuple):
    """Where the shares of real and synthetic rows differ most."""

    where: str
    real: str
    synthetic: str

    def __str__(self) -> str:
        return f"most apart at {self.where}: {self.real} real, {self.synthetic} synthetic"


class Numbers(NamedTuple):
    """One bar or bin of a chart, in numbers."""

    where: str
    real: str
    """Empty where there are no real rows."""
    synthetic: str


class Figure(NamedTuple):
    """One column, and what is said about it."""

    column: str
    name: str
    table: str
    """Empty where there is one table."""
    kind: str
    picture: Picture | None
    missing: tuple[str, str]
    apart: Apart | None
    """Nothing where there is nothing to compare."""
    remarks: tuple[str, ...]
    scores: tuple[ScoreRow, ...]
    """How its distribution differs, and what else is worse than chance allows."""
    numbers: tuple[Numbers, ...]
    """What is drawn, in numbers."""


class Map(NamedTuple):
    """The heat maps of one table: real, synthetic, difference."""

    table: str
    pictures: tuple[Picture, ...]
    shown: int
    of: int
    pairs: tuple[tuple[str, str, str, str], ...]
    """The pairs that differ most (or depend most, where there are no real rows), with their numbers: both columns,
    real, synthetic, difference."""

    @property
    def wide(self) -> bool:
        """Whether the heat maps need more room."""
        return self.shown > _WIDE

    @property
    def cut(self) -> bool:
        """Whether the table has columns that are not shown for want of room."""
        return self.shown == MOST_COLUMNS and self.of > self.shown


class Drawn(NamedTuple):
    """All that is drawn for a report."""

    gates: Picture | None
    columns: tuple[Figure, ...]
    left_out: int
    """Columns that are not drawn."""
    maps: tuple[Map, ...]
    real_name: str
    """What stands for real rows; empty where there are none."""
    thinned: bool
    """Whether not all rows were counted."""
    mapped_thin: bool
    """Whether not all rows were looked at for the heat maps."""
    unmeasured: int
    """Gates that are not drawn, for they have no value."""


def draw(report: Report, case: Case) -> Drawn:
    """Draw a report on a case; real rows are the training rows, or else the held-out ones, or none."""
    real = case.train if case.train is not None and case.train.rows() else case.holdout
    columns, left_out = _worst_first(report, case, real)
    name = "" if real is None else "real training rows" if real is case.train else "real held-out rows"
    held = [t for d in (real, case.synthetic) if d is not None for t in d.tables.values()]
    figures = tuple(_figure(report, column, real, case) for column in columns)
    longest = max((t.num_rows for t in held), default=0)
    return Drawn(_gates(report), figures, left_out, _maps(case, real, columns), name, longest > ROWS, longest > MAPPED,
                 sum(g.value is None for g in report.gates))  # fmt: skip


def _gates(report: Report) -> Picture | None:
    """Return the chart of the gates with a value: those not met first, then what comes nearest to its bound."""
    measured = [g for g in report.gates if g.value is not None]
    if not measured:
        return None
    scores = {s.name: s for s in report.scores}
    ranked = sorted((_mark(report, g, scores.get(parse(g.gate).name)) for g in measured),
                    key=lambda mark: (mark.passed, -used(mark)))  # fmt: skip
    missed = [parse(g.gate).name for g in measured if not g.passed]
    spoken = f"{len(ranked)} gate{'' if len(ranked) == 1 else 's'}, with value, reference and bound: "
    spoken += f"{len(missed)} not met: {', '.join(missed[:10])}" if missed else "all are met"
    return Picture("What was asked, and what was found", f"{spelled(spoken, 600)}. The table of gates has the numbers.",
                   draw_gates(ranked), _OF_GATES)  # fmt: skip


def _mark(report: Report, row: GateRow, score: ScoreRow | None) -> Mark:
    gate = parse(row.gate)
    title = words(gate.metric).title
    label = title if not gate.about else f"{title}, worst" if gate.about == "worst" else (
        f"{title}: {short_name(report, gate.about)}")  # fmt: skip
    told = said(row.value, row.bound)
    told += "" if row.bound is None else f", {_WANTED[gate.op]} {said(row.bound, row.value)}"
    found = score or ScoreRow(metric=gate.metric)
    return Mark(spelled(label, _LABEL), told, row.passed, gate.op, row.value, row.bound, found.reference, found.low,
                found.high, _span(gate.metric))  # fmt: skip


def _span(metric: str) -> float:
    """Return a twentieth of what a metric may be: what stands for an allowance where there is none."""
    known = registry.find("metrics", metric) if metric in registry.names("metrics") else None
    if known is None or not issubclass(known, Metric):
        return 0.05
    low, high = known.bounds
    return (high - low) / 20 if np.isfinite(high - low) and high > low else 0.05


def _worst_first(report: Report, case: Case, real: Dataset | None) -> tuple[list[str], int]:
    """Return the columns to draw, worst first, and how many are left out."""
    columns = [c for c in case.schema.columns if case.synthetic.has(c) and (not case.produced or c in case.produced)]
    shapes = {s.about: excess(s) for s in report.scores if s.metric == "shape" and s.value is not None}
    worst = {c: shapes[c] if c in shapes else _glance(c, real, case.synthetic) for c in columns}
    ranked = sorted(columns, key=lambda c: -worst[c])  # stable: ties stay in the schema's order
    return ranked[:MOST_CHARTS], max(0, len(ranked) - MOST_CHARTS)


def _glance(column: str, real: Dataset | None, synthetic: Dataset) -> float:
    if real is None or not real.has(column):
        return 0.0
    return _shown(column, real, synthetic, _GLANCE).distance


def _shown(column: str, real: Dataset | None, synthetic: Dataset, rows: int) -> Shown:
    held = thin(real.column(column), rows) if real is not None and real.has(column) else None
    return show_column(column, synthetic.schema.field(column), held, thin(synthetic.column(column), rows))


def _figure(report: Report, column: str, real: Dataset | None, case: Case) -> Figure:
    synthetic = case.synthetic
    shown = _shown(column, real, synthetic, ROWS)
    table, name = synthetic.schema.split(column)
    scores = tuple(s for s in report.scores if s.about == column and (s.metric == "shape" or beyond(s)))
    apart = None if shown.counts is None else most_apart(shown.counts)
    told = [f"{s.metric} {said(s.value)}" + (f" (reference {said(s.reference)})" if s.reference is not None else "")
            for s in scores]  # fmt: skip
    spoken = "; ".join([f"{shown.kind.value} column {spelled(name)}: {_alike(column, shown, scores, case)}", *told])
    picture = None
    if shown.counts is not None:
        legend = _OF_COLUMNS if shown.counts.real is not None else _OF_COLUMNS[1:]
        picture = Picture(spelled(name), f"{spoken}; {apart}" if apart else spoken, draw_counts(shown.counts), legend)
    remarks = shown.remarks
    if column in case.chosen:
        remarks = ("set by the specification: it is not meant to be like the real rows", *remarks)
    return Figure(column, spelled(name), spelled(table) if len(synthetic.schema.tables) > 1 else "", shown.kind.value,
                  picture, shown.missing, apart, remarks, scores, _numbers(shown))  # fmt: skip


def _alike(column: str, shown: Shown, scores: Sequence[ScoreRow], case: Case) -> str:
    """Return what a column's chart shows first of all, for people who do not see it."""
    if shown.counts is not None and shown.counts.real is None:
        return "synthetic rows; there are no real ones to compare with"
    if column in case.chosen:
        return "real and synthetic rows differ as the specification asks"
    shape = next((s for s in scores if s.metric == "shape"), None)
    if shape is None or shape.value is None or shape.reference is None:
        return "real against synthetic rows"
    return "real and synthetic rows differ " + ("by more than chance" if beyond(shape) else "no more than by chance")


def _numbers(shown: Shown) -> tuple[Numbers, ...]:
    """Return what is drawn in numbers; where bins of few real rows are not drawn, empty ones are not told from them."""
    counts = shown.counts
    if counts is None:
        return ()
    places = counts.names if isinstance(counts, Labels) else [_between(counts, i) for i in range(len(counts.synthetic))]
    real = [""] * len(places) if counts.real is None else [portion(float(v)) for v in counts.real]
    if RARE in shown.remarks and counts.real is not None:
        real = [word if v > 0 else "under 3 rows" for word, v in zip(real, counts.real.tolist(), strict=True)]
    made = [portion(float(v)) for v in counts.synthetic]
    return tuple(map(Numbers, places, real, made))


def most_apart(counts: Bins | Labels) -> Apart | None:
    """Return where the shares of real and synthetic rows differ most; nothing where no real rows are counted."""
    if counts.real is None or not len(counts.synthetic):
        return None
    at = int(np.argmax(np.abs(counts.synthetic - counts.real)))
    real, synthetic = float(counts.real[at]), float(counts.synthetic[at])
    where = counts.names[at] if isinstance(counts, Labels) else _between(counts, at)
    said_apart = Apart(where, portion(real), portion(synthetic))
    return said_apart if said_apart.real != said_apart.synthetic else None


def _between(bins: Bins, at: int) -> str:
    """Return the ends of a bin, as people write them."""
    ends = [bins.first + bins.width * (at + i) for i in (0, 1)]
    if bins.axis == "powers":
        ends = [10.0**e for e in ends]
    if bins.axis in ("number", "powers"):
        return " to ".join(f"{e:,.6g}" for e in ends)
    days = bins.axis == "days"
    spelling = [str(np.datetime64(round(e), "D") if days else np.datetime64(round(e), "s")) for e in ends]
    # a time of day lies on the first day of 1970
    return " to ".join(s.removeprefix("1970-01-01T").replace("T", " ") for s in spelling)


def _maps(case: Case, real: Dataset | None, ranked: Sequence[str]) -> tuple[Map, ...]:
    """Return the heat maps of each table: real, synthetic, difference."""
    out = []
    for table in list(case.schema.tables)[:MOST_MAPS]:
        columns = [n for t, n in map(case.schema.split, ranked) if t == table]
        found = depend(table, columns, real, case.synthetic)
        if found is None:
            continue
        pictures = [("synthetic", found.synthetic, False)]
        if found.real is not None:
            difference = found.synthetic - found.real
            pictures = [("real", found.real, False), *pictures, ("difference: synthetic - real", difference, True)]
        drawn = tuple(Picture(title, _spoken(table, title, matrix, found.columns, signed=signed),
                              draw_matrix(matrix, found.columns, signed=signed), _OF_DIFFERENCES if signed else ())
                      for title, matrix, signed in pictures)  # fmt: skip
        of = sum(1 for c in case.schema.columns if case.schema.split(c)[0] == table)
        out.append(Map(spelled(table), drawn, len(found.columns), of, _pairs(found)))
    return tuple(out)


def _pairs(found: Dependence) -> tuple[tuple[str, str, str, str], ...]:
    """Return the pairs that differ most, or depend most where there are no real rows, and their numbers."""
    gap = found.synthetic if found.real is None else found.synthetic - found.real
    rows, columns = np.tril_indices(len(found.columns), -1)
    most = np.argsort(-np.abs(gap[rows, columns]), kind="stable")[:_PAIRS]
    out = []
    for i, j in zip(rows[most].tolist(), columns[most].tolist(), strict=True):
        pair = f"{spelled(found.columns[j], 40)} and {spelled(found.columns[i], 40)}"
        real = "" if found.real is None else f"{found.real[i, j]:.2f}"
        out.append((pair, real, f"{found.synthetic[i, j]:.2f}", f"{gap[i, j]:+.2f}" if real else ""))
    return tuple(out)


def _spoken(table: str, title: str, matrix: np.ndarray, columns: Sequence[str], *, signed: bool) -> str:
    """Return what a heat map shows, with its strongest pair."""
    size = len(columns)
    i, j = divmod(int(np.argmax(np.tril(np.abs(matrix), -1))), size)
    pair = f"{spelled(columns[j], 40)} and {spelled(columns[i], 40)} at {matrix[i, j]:{'+' if signed else ''}.2f}"
    best = "farthest" if signed else "strongest"
    return f"dependence of every pair of columns of {spelled(table)}: {title}; {best}: {pair}"
