"""The report as one page: self-contained, without scripts, without network; for those who may see real data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthwright.core import registry
from synthwright.core.contracts import Case, Metric
from synthwright.core.dataset import Dataset
from synthwright.report.charts import draw_counts, draw_matrix
from synthwright.report.counts import ROWS, Shown, show_column, spelled, thin
from synthwright.report.dependence import MOST_COLUMNS, depend
from synthwright.report.released import write_whole
from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.verdict import said, standing

if TYPE_CHECKING:
    import jinja2

MOST_CHARTS = 60
"""Columns that are drawn, worst first."""
MOST_SCORES = 200
"""Scores about single columns and pairs that are listed, worst first."""
MOST_MAPS = 6
"""Tables that get heat maps."""
_WIDE = 18
"""Columns of a heat map that no longer fit three in a line."""
_GLANCE = 5_000
"""Rows that decide which columns are worst where no score does."""


def write_html(report: Report, case: Case, path: Path) -> None:
    """Write `report.html`, whole or not at all.

    Args:
        report: what was measured.
        case: the data it was measured on; real rows are the training rows, or else the held-out ones, or none.
        path: the file.
    """
    write_whole(path, render(report, case))


def render(report: Report, case: Case) -> str:
    """Return the page: verdict, scores, every column real against synthetic, dependence, what was dropped."""
    real = case.train if case.train is not None and case.train.rows() else case.holdout
    columns, left_out = _worst_first(report, case, real)
    figures = [_figure(report, column, real, case.synthetic) for column in columns]
    return _template().render(
        report=report,
        gates=report.gates,
        whole=[_score(s, gates_by_score(report)) for s in _whole(report)],
        **_details(report),
        meanings=_meanings(report),
        real_name=_real_name(case, real),
        figures=figures,
        columns_left_out=left_out,
        thinned=any(t.num_rows > ROWS for d in (real, case.synthetic) if d is not None for t in d.tables.values()),
        rows=ROWS,
        maps=_maps(case, real, columns),
        most_columns=MOST_COLUMNS,
        notes=_notes(report, case),
    )


@cache
def _template() -> jinja2.Template:
    import jinja2

    loader = jinja2.PackageLoader("synthwright.report")
    page = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    page.filters["said"] = said
    page.filters["spelled"] = spelled
    return page.get_template("report.html.j2")


def _real_name(case: Case, real: Dataset | None) -> str:
    if real is None:
        return ""
    return "real training rows" if real is case.train else "real held-out rows"


def _notes(report: Report, case: Case) -> list[str]:
    tables = case.schema.tables.values()
    return list(dict.fromkeys([*report.notes, *(n for t in tables for n in t.notes)]))


def _whole(report: Report) -> list[ScoreRow]:
    gates = gates_by_score(report)
    return [s for s in report.scores if s.about in ("", "worst") or s.name in gates]


def _score(score: ScoreRow, gates: Mapping[str, GateRow]) -> dict[str, Any]:
    """Return what one line of a score table says."""
    gate = gates.get(score.name)
    interval = "" if score.low is None or score.high is None else f"{score.low:.3g} to {score.high:.3g}"
    return {
        "name": spelled(score.name, 160),
        "metric": score.metric,
        "about": spelled(score.about, 160),
        "value": said(score.value) if score.value is not None else "",
        "interval": interval,
        "reference": said(score.reference) if score.reference is not None else "",
        "goal": score.goal or "",
        "gate": gate,
        "standing": standing(score.score(), score.goal) if gate is None else "",
        "problem": "" if score.status == "ok" and not score.problem else f"{_status(score)}{score.problem or ''}",
    }


def _status(score: ScoreRow) -> str:
    return "" if score.status == "ok" else f"{score.status.replace('-', ' ')}: "


def _excess(score: ScoreRow) -> float:
    """Return by how much a score is worse than that of a second real sample; what failed is worst."""
    if score.value is None:
        return 1e300 if score.status == "failed" else -1e300
    worse = score.value - (score.reference or 0.0)
    return -worse if score.goal == "higher" else worse


def _details(report: Report) -> dict[str, Any]:
    """Return the scores about columns, pairs and rules, worst first within each metric, and how many are left out."""
    single = [s for s in report.scores if s.about not in ("", "worst")]
    metrics = list(dict.fromkeys(s.metric for s in single))
    each = max(1, MOST_SCORES // max(1, len(metrics)))
    ranked = [sorted((s for s in single if s.metric == m), key=_excess, reverse=True) for m in metrics]
    listed = [s for scores in ranked for s in scores[:each]]
    gates = gates_by_score(report)
    return {"single": [_score(s, gates) for s in listed], "single_left_out": len(single) - len(listed)}


def _meanings(report: Report) -> list[dict[str, str]]:
    """Return what each metric measures and what it does not show, from its class."""
    known = set(registry.names("metrics"))
    out = []
    for name in dict.fromkeys(s.metric for s in report.scores):
        metric = registry.find("metrics", name) if name in known else None
        if metric is not None and issubclass(metric, Metric):
            first = (metric.__doc__ or "").strip().partition("\n\n")[0]
            out.append({"metric": name, "shows": " ".join(first.split()), "not": metric.not_shown})
    return out


def _worst_first(report: Report, case: Case, real: Dataset | None) -> tuple[list[str], int]:
    """Return the columns to draw, worst first, and how many are left out."""
    columns = [c for c in case.schema.columns if case.synthetic.has(c) and (not case.produced or c in case.produced)]
    shapes = {s.about: _excess(s) for s in report.scores if s.metric == "shape" and s.value is not None}
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


def _figure(report: Report, column: str, real: Dataset | None, synthetic: Dataset) -> dict[str, Any]:
    """Return one column: its name, its chart, and what is said about it."""
    shown = _shown(column, real, synthetic, ROWS)
    table, name = synthetic.schema.split(column)
    about = [s for s in report.scores if s.about == column and s.value is not None]
    scores = [f"{s.metric} {said(s.value)}" + (f" (reference {said(s.reference)})" if s.reference is not None else "")
              for s in about]  # fmt: skip
    spoken = f"{shown.kind.value} column {spelled(name)}: " + ("; ".join(scores) or "real against synthetic")
    return {
        "name": spelled(name),
        "table": spelled(table) if len(synthetic.schema.tables) > 1 else "",
        "kind": shown.kind.value,
        "chart": _speaking(draw_counts(shown.counts), spoken) if shown.counts is not None else "",
        "missing": shown.missing,
        "remarks": shown.remarks,
        "scores": scores,
    }


def _maps(case: Case, real: Dataset | None, ranked: Sequence[str]) -> list[dict[str, Any]]:
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
        drawn = [{"title": title, "signed": signed,
                  "chart": _speaking(draw_matrix(matrix, found.columns, signed=signed),
                                     f"dependence of every pair of columns of {spelled(table)}: {title}")}
                 for title, matrix, signed in pictures]  # fmt: skip
        of = sum(1 for c in case.schema.columns if case.schema.split(c)[0] == table)
        out.append({"table": spelled(table), "pictures": drawn, "shown": len(found.columns), "of": of,
                    "wide": len(found.columns) > _WIDE})  # fmt: skip
    return out


def _speaking(svg: str, spoken: str) -> Any:
    """Return a chart that screen readers announce with a sentence."""
    from markupsafe import Markup, escape

    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(spoken)}" ', 1))  # noqa: S704  drawn here
