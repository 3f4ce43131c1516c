"""The report as pages: self-contained, without scripts, without network; for those who may see real data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from synthwright.core.contracts import Case
from synthwright.core.gates import parse
from synthwright.report import diversity, diversity_chart
from synthwright.report.advice import Try, steps
from synthwright.report.counts import ROWS, spelled
from synthwright.report.dependence import ROWS as MAPPED
from synthwright.report.document import pieces
from synthwright.report.effort import dollars
from synthwright.report.figures import Drawn, Figure, Picture, draw
from synthwright.report.meanings import TERMS, anchors, meanings, reasons
from synthwright.report.officer import finding, officer
from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.telling import QUESTIONS, SAID, Aside, Told, tell
from synthwright.report.verdict import said, standing
from synthwright.report.words import words
from synthwright.report.worst import excess, group_of, plain_note, short_name

if TYPE_CHECKING:
    import jinja2

REPORT, OFFICER = "report.html", "officer.html"
"""What the pages are called that refer to each other."""
MOST_SCORES = 200
"""Scores about single columns and pairs that are listed, worst first."""
MOST_OPEN = 12
"""Columns that are shown at once; the others on demand."""
MOST_TRIES = 4
"""Metrics whose advice is shown at once; of more, what helps most of them, and the others on demand."""
_OTHERS = "Others"
"""What stands above scores that answer no question."""


def render(report: Report, case: Case, drawn: Drawn | None = None, *, officer: str = "") -> str:
    """Return the page: verdict, what to try, charts, tables, what every number means.

    Args:
        report: what was measured.
        case: the data it was measured on.
        drawn: its charts, where they are drawn already.
        officer: the name of the officer's page beside it; empty where there is none.
    """
    drawn = drawn or draw(report, case)
    aside = Aside.of(case)
    told = tell(report, aside)
    gates = gates_by_score(report)
    where = anchors(s.metric for s in report.scores)
    columns = {f.column: f"column-{i}" for i, f in enumerate(drawn.columns, 1)}
    whole = [s for s in report.scores if s.about in ("", "worst") or s.name in gates]
    rows = _row_anchors(whole, where)
    listed = [_gate(report, g, i, where) for i, g in enumerate(report.gates, 1)]
    return template("report.html.j2").render(
        report=report,
        officer=officer,
        about=_about(report),
        real=aside.real,
        told=told._asdict() | {"tries": [_tried(report, t, where, columns) for t in told.tries]},
        steps=steps(told.tries) if len(told.tries) > MOST_TRIES else (),
        answer=overall(report, told),
        answers=SAID,
        gates=sorted(listed, key=lambda g: ("missed", "met", "muted").index(g["look"])),
        gate_anchors={g.gate: f"gate-{i}" for i, g in enumerate(report.gates, 1)},
        groups=_groups(report, whole, gates, where, rows),
        **_details(report, gates, where),
        meanings=[x._asdict() | {"back": rows.get(x.metric, ("", "scores"))[1]} for x in meanings(report)],
        terms=TERMS,
        reasons=reasons() if report.dropped else {},
        drawn=drawn,
        gates_chart=_speaking(drawn.gates) if drawn.gates else "",
        figures=[_figure(f, columns[f.column], where) for f in drawn.columns],
        most_open=MOST_OPEN,
        rows=ROWS,
        mapped=MAPPED,
        diversity=diversity,
        by_wave={
            "charts": diversity_chart.charts(report.diversity),
            "keys": diversity_chart.keys(),
            "says": diversity_chart.SAYS,
        },
        notes=_notes(report, case),
    )


def render_officer(report: Report, case: Case, *, back: str = REPORT) -> str:
    """Return the page for the data protection officer; `back` is the name of the report beside it."""
    aside = Aside.of(case)
    return template("officer.html.j2").render(document=officer(report, case), answer=finding(report, aside)[0],
                                               back=back, about=_about(report), real=aside.real,
                                               version=report.synthwright)  # fmt: skip


def overall(report: Report, told: Told) -> str:
    """Return the colour of the verdict, as an answer: yes, doubt or no."""
    if not report.passed:
        return "no"
    if not report.gates or any(line.answer == "doubt" for line in told.lines):
        return "doubt"
    likeness = [line.answer for line in told.lines if line.question.name != "Complete"]
    return "yes" if all(answer in ("yes", "none") for answer in likeness) else "doubt"


def _about(report: Report) -> str:
    """Return which data a page is about."""
    names = [spelled(t, 40) for t in report.rows]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


@cache
def template(name: str) -> jinja2.Template:
    """Return a page with everything escaped that it is not told to leave alone."""
    import jinja2

    loader = jinja2.PackageLoader("synthwright.report")
    page = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    page.finalize = _unbroken
    page.filters |= {"said": said, "spelled": spelled, "ours": _ours, "speaking": _speaking, "dollars": dollars}
    return page.get_template(name)


def _unbroken(shown: Any) -> Any:
    """Return what is shown with its numbers and per cent signs on one line."""
    return shown.replace(" %", "\N{NO-BREAK SPACE}%") if isinstance(shown, str) else shown


def _ours(text: str) -> Any:
    """Return text as markup: what stands between backticks is code where the text is ours."""
    from markupsafe import Markup

    return Markup().join(Markup("<code>{}</code>").format(t) if code else t for code, t in pieces(text))


def _speaking(picture: Picture) -> Any:
    """Return a chart that screen readers announce with a sentence."""
    from markupsafe import Markup, escape

    return Markup(picture.svg.replace("<svg ", f'<svg role="img" aria-label="{escape(picture.spoken)}" ', 1))  # noqa: S704  drawn here


def _notes(report: Report, case: Case) -> list[str]:
    tables = case.schema.tables.values()
    return list(dict.fromkeys([*report.notes, *(n for t in tables for n in t.notes)]))


def _row_anchors(whole: list[ScoreRow], where: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return for each metric the name of its first score, and the anchor of that row."""
    out: dict[str, tuple[str, str]] = {}
    for score in whole:
        out.setdefault(score.metric, (score.name, f"score-{where[score.metric].removeprefix('meaning-')}"))
    return out


def _tried(report: Report, tried: Try, where: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    parts = [{"name": short_name(report, p.about), "anchor": columns.get(p.about, ""), "value": said(p.value),
              "reference": said(p.reference) if p.reference is not None else "", "meaning": where[p.metric]}
             for p in tried.parts]  # fmt: skip
    return tried._asdict() | {"parts": parts}


def _titled(report: Report, metric: str, about: str) -> str:
    """Return what a score is called in plain words."""
    if not about:
        return words(metric).title
    return (
        f"{words(metric).title}, worst" if about == "worst" else f"{words(metric).title}: {short_name(report, about)}"
    )


def _gate(report: Report, row: GateRow, number: int, where: Mapping[str, str]) -> dict[str, Any]:
    gate = parse(row.gate)
    return {
        "gate": spelled(row.gate, 200),
        "title": _titled(report, gate.metric, gate.about),
        "metric": gate.metric,
        "anchor": f"gate-{number}",
        "meaning": where.get(gate.metric, "meanings"),
        "value": "" if row.value is None else said(row.value, row.bound),
        "bound": "" if row.bound is None else said(row.bound, row.value),
        "result": "not met" if not row.passed else "met" if row.value is not None else "does not apply",
        "look": "missed" if not row.passed else "met" if row.value is not None else "muted",
        "why": spelled(row.why, 400),
    }


def _groups(
    report: Report, whole: list[ScoreRow], gates: Mapping[str, GateRow], where: Mapping[str, str],
    rows: Mapping[str, tuple[str, str]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the scores about the whole by the question that they answer."""
    marks = dict(rows.values())
    asked = {g: q.name for q in QUESTIONS for g in q.groups}
    out: dict[str, list[dict[str, Any]]] = {name: [] for name in (*(q.name for q in QUESTIONS), _OTHERS)}
    for score in whole:
        line = _score(report, score, gates, where) | {"row": marks.pop(score.name, "")}
        out[asked.get(group_of(score.metric), _OTHERS)].append(line)
    return [
        {"name": name, "anchor": f"scores-{name.lower()}", "scores": scores} for name, scores in out.items() if scores
    ]


def _score(report: Report, score: ScoreRow, gates: Mapping[str, GateRow], where: Mapping[str, str]) -> dict[str, Any]:
    """Return what one line of a score table says."""
    gate = gates.get(score.name)
    stands = standing(score.score(), score.goal)
    interval = "" if score.low is None or score.high is None else f"{score.low:.3g} to {score.high:.3g}"
    return {
        "name": spelled(score.name, 160),
        "title": _titled(report, score.metric, score.about),
        "metric": score.metric,
        "anchor": where[score.metric],
        "about": short_name(report, score.about),
        "value": said(score.value) if score.value is not None else "",
        "interval": interval,
        "reference": said(score.reference) if score.reference is not None else "",
        "goal": score.goal or "",
        "gate": gate,
        "standing": "" if gate is not None and stands == "short" else stands,
        "problem": ""
        if score.status == "ok" and not score.problem
        else f"{_status(score)}{plain_note(report, score.problem or '') if score.problem else ''}",
    }


def _status(score: ScoreRow) -> str:
    return "" if score.status == "ok" else f"{score.status.replace('-', ' ')}: "


def _details(report: Report, gates: Mapping[str, GateRow], where: Mapping[str, str]) -> dict[str, Any]:
    """Return the scores about columns, pairs and rules, worst first within each metric, and how many are left out."""
    single = [s for s in report.scores if s.about not in ("", "worst")]
    metrics = list(dict.fromkeys(s.metric for s in single))
    each = max(1, MOST_SCORES // max(1, len(metrics)))
    ranked = [sorted((s for s in single if s.metric == m), key=excess, reverse=True) for m in metrics]
    listed = [s for scores in ranked for s in scores[:each]]
    return {"single": [_score(report, s, gates, where) for s in listed], "single_left_out": len(single) - len(listed)}


def _figure(figure: Figure, anchor: str, where: Mapping[str, str]) -> dict[str, Any]:
    """Return one column as the page shows it."""
    scores = [{"metric": s.metric, "anchor": where[s.metric], "value": said(s.value),
               "reference": said(s.reference) if s.reference is not None else ""} for s in figure.scores]  # fmt: skip
    return figure._asdict() | {
        "anchor": anchor,
        "chart": _speaking(figure.picture) if figure.picture else "",
        "scores": scores,
    }
