"""The report as Markdown: verdict, answers, what to try, gates and scores, for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Mapping

from synthwright.core.contracts import Case
from synthwright.report import diversity
from synthwright.report.advice import Try, steps
from synthwright.report.document import Block, Document, Items, Ours, Rows, Section, markdown
from synthwright.report.effort import dollars
from synthwright.report.meanings import meanings
from synthwright.report.officer import officer
from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.telling import SAID, Aside, Told, tell
from synthwright.report.verdict import said, standing
from synthwright.report.worst import short_name, worst_parts

_STANDS = {"short": "falls short", "close": "too close: look for copies", "": ""}
_TRIES = 4
"""Metrics not met beyond which the steps that help most of them come first."""
_PARTS = 5
"""Parts of each metric that are listed, the worst."""


def report_markdown(report: Report, case: Case) -> str:
    """Return `report.md`."""
    aside = Aside.of(case)
    told = tell(report, aside)
    sections = [
        Section("", _verdict(told, aside)),
        *([Section("What to try next", _steps(told)), *(_try(report, t) for t in told.tries)] if told.tries else []),
        *([Section("Warnings", (Items(report.warnings),))] if report.warnings else []),
        Section("Gates", tuple(_gates(report))),
        Section("Scores", tuple(_scores(report))),
        Section("Rows", tuple(_rows(report))),
        *([Section("Diversity by wave", tuple(_diversity(report)))] if report.diversity else []),
        *([Section("Notes", (Items(report.notes),))] if report.notes else []),
        Section("What the scores mean", (_meanings(report),)),
    ]
    return markdown(Document("Synthwright report", tuple(sections)))


def officer_markdown(report: Report, case: Case) -> str:
    """Return `officer.md`."""
    return markdown(officer(report, case))


def _verdict(told: Told, aside: Aside) -> tuple[Block, ...]:
    rows = tuple((line.question.name, line.question.asks, SAID[line.answer], line.because) for line in told.lines)
    table = Rows(("about", "question", "answer", "because"), rows)
    internal = ["Computed from real rows: keep this file inside."] if aside.real else []
    return (told.sentence, table, *([told.caveat] if told.caveat else []), told.asked, *internal)


def _steps(told: Told) -> tuple[Block, ...]:
    """Return what helps most of what is not met, where that is much."""
    if len(told.tries) <= _TRIES:
        return ()
    return (Items(tuple(Ours(f"{s.does} (For: {', '.join(s.titles).lower()}.)") for s in steps(told.tries)),
                  ordered=True), "One by one:")  # fmt: skip


def _try(report: Report, tried: Try) -> Section:
    blocks: list[Block] = [Items(tuple(g.why for g in tried.gates))]
    if tried.note:
        blocks.append(tried.note)
    if tried.parts:
        named = "; ".join(f"{short_name(report, p.about)} ({said(p.value)}, reference {said(p.reference)})"
                          for p in tried.parts)  # fmt: skip
        blocks.append(f"Worst: {named}")
    blocks.append(Items(tried.tries, ordered=True))
    return Section(tried.title, tuple(blocks), 3)


def _gates(report: Report) -> list[Block]:
    if not report.gates:
        return ["No gate was set."]
    rows = tuple((g.gate, "" if g.value is None else said(g.value, g.bound), "" if g.bound is None else
                  said(g.bound, g.value), _result(g), g.why) for g in report.gates)  # fmt: skip
    blocks: list[Block] = [Rows(("gate", "value", "bound", "result", "why"), rows, (1, 2))]
    if report.waived:
        waived = tuple((w.gate, w.because, w.missed or "it would have been met") for w in report.waived)
        blocks.append(Rows(("waived gate", "because", "what it would have said"), waived))
    return blocks


def _result(gate: GateRow) -> str:
    return "NOT MET" if not gate.passed else "met" if gate.value is not None else "does not apply"


def _scores(report: Report) -> list[Block]:
    gates = gates_by_score(report)
    whole = [s for s in report.scores if s.about in ("", "worst") or s.name in gates]
    if not whole:
        return ["Nothing was measured."]
    head = ("score", "value", "95 % interval", "reference", "better", "remark")
    blocks: list[Block] = [Rows(head, tuple(_score(s, gates) for s in whole), (1, 3))]
    metrics = dict.fromkeys(s.metric for s in report.scores)
    parts = [p for m in metrics for p in worst_parts(report, m, _PARTS)]
    if parts:
        rows = tuple((p.metric, short_name(report, p.about), said(p.value), said(p.reference)) for p in parts)
        blocks += ["Worse than chance allows, the worst of each:",
                   Rows(("score", "about", "value", "reference"), rows, (2, 3))]  # fmt: skip
    return blocks


def _score(score: ScoreRow, gates: Mapping[str, GateRow]) -> tuple[str, ...]:
    interval = "" if score.low is None or score.high is None else f"{score.low:.3g} to {score.high:.3g}"
    remark = "" if score.status == "ok" else score.status.replace("-", " ")
    stands = standing(score.score(), score.goal)
    stands = "" if stands == "short" and score.name in gates else stands
    remarks = [w for w in (remark, _STANDS[stands], score.problem or "") if w]
    return (score.name, "" if score.value is None else said(score.value), interval,
            "" if score.reference is None else said(score.reference), score.goal or "", "; ".join(remarks))  # fmt: skip


def _rows(report: Report) -> list[Block]:
    counts = tuple((t, f"{n:,}") for t, n in report.rows.items())
    blocks: list[Block] = [Rows(("table", "synthetic rows"), counts, (1,))]
    if report.went:
        lines = tuple((w.table, w.about or w.reason, f"{w.rows:,}") for w in report.went)
        blocks.append(Rows(("table", "dropped because", "rows"), lines, (2,)))
    elif report.dropped:
        dropped = tuple((reason, f"{n:,}") for reason, n in report.dropped.items())
        blocks.append(Rows(("dropped because", "rows"), dropped, (1,)))
    if report.costs:
        blocks.append(Items(tuple(row.sentence for row in report.costs)))
    if report.cells:
        cells = tuple((f"{c.table}: {c.cell}", f"{c.wanted:,}", f"{c.kept:,}", f"{c.made:,}",
                       "" if c.usd is None else dollars(c.usd),
                       ", ".join(f"{n:,} {why}" for why, n in c.gone.items())) for c in report.cells)  # fmt: skip
        blocks.append(Rows(("cell", "wanted", "stayed", "made", "a row that stayed", "went"), cells, (1, 2, 3, 4)))
    return blocks


def _diversity(report: Report) -> list[Block]:
    return [diversity.SAYS, Rows(diversity.HEAD, tuple(row.cells for row in report.diversity), (2, 3, 4, 5, 6, 7))]


def _meanings(report: Report) -> Block:
    return Items(tuple(f"{m.metric}: {m.shows} {m.better} {m.unseen}" for m in meanings(report)))
