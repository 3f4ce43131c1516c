"""The verdict table on a terminal."""

from __future__ import annotations

from typing import Any

from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.telling import SAID, Answer, tell
from synthwright.report.verdict import said, standing
from synthwright.report.worst import short_name

_COLOURS = {"short": "yellow", "close": "magenta", "": ""}
_WORDS = {"short": "falls short", "close": "too close", "": ""}
_ANSWERS: dict[Answer, str] = {"yes": "green", "doubt": "yellow", "no": "red", "unknown": "dim", "none": "dim"}


def print_report(report: Report, console: Any = None) -> None:
    """Print verdict, answers, scores about the whole (and those a gate names), what to try, warnings, dropped rows."""
    from rich.console import Console
    from rich.markup import escape

    console = console or Console(highlight=False)
    console.print(f"[bold {'green' if report.passed else 'red'}]{escape(report.summary)}[/]")
    told = tell(report)
    console.print(escape(told.sentence))
    for line in told.lines:
        answer = f"[{_ANSWERS[line.answer]}]{SAID[line.answer]}[/]"
        console.print(f"{line.question.name:<8}  {answer}: {escape(line.because)}")
    gates = gates_by_score(report)
    shown = [s for s in report.scores if not s.about or s.name in gates]
    measured = [s for s in shown if s.status != "not-applicable" or not _passes(gates.get(s.name))]
    if measured:
        console.print(_table(measured, gates))
    for gate in report.gates:
        if not gate.passed:
            console.print(f"[red]gate not met[/]  {escape(gate.gate)}: {escape(gate.why)}")
    for tried in told.tries:
        parts = ", ".join(f"{short_name(report, p.about)} {said(p.value)}" for p in tried.parts[:3])
        worst = f"worst: {parts}. " if parts else ""
        console.print(f"[cyan]try next[/]  {escape(tried.title)}: {escape(worst + ' '.join(tried.tries[:2]))}")
    for problem, names in _silent(shown).items():
        console.print(f"[dim]not applicable[/]  {escape(', '.join(names))}: {escape(problem)}")
    for sentence in report.warnings:
        console.print(f"[yellow]warning[/]  {escape(sentence)}")
    for head, sentence in _besides(report):
        console.print(f"{head}  {escape(sentence)}")


def _besides(report: Report) -> list[tuple[str, str]]:
    """Return what else is to be said, each with its head: which rows went, and the notes."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.dropped.items())
    gone = [row.sentence for row in report.went] or ([reasons] if reasons else [])
    costs = [("cost", row.sentence) for row in report.costs]
    return [*costs, *(("dropped", one) for one in gone), *(("[dim]note[/]", note) for note in report.notes)]


def _silent(scores: list[ScoreRow]) -> dict[str, list[str]]:
    """Return which scores are not applicable, by reason."""
    found: dict[str, list[str]] = {}
    for score in scores:
        if score.status == "not-applicable":
            found.setdefault(score.problem or "no reason given", []).append(score.name)
    return found


def _passes(gate: GateRow | None) -> bool:
    return gate is None or gate.passed


def _table(scores: list[ScoreRow], gates: dict[str, GateRow]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", overflow="fold")
    for heading in ("value", "95% interval", "reference", "better", "result"):
        table.add_column(heading, justify="right" if heading in ("value", "reference") else "left", no_wrap=True)
    for score in scores:
        gate = gates.get(score.name)
        interval = "" if score.low is None or score.high is None else f"{score.low:.3g} to {score.high:.3g}"
        stands = standing(score.score(), score.goal) if gate is None else ""
        if score.status == "ok":
            value = Text(said(score.value), style=_COLOURS[stands])
            reference = "" if score.reference is None else said(score.reference)
        else:
            value, reference = Text("-", style="dim"), ""
        table.add_row(Text(score.name), value, interval, reference, score.goal or "", _result(score, gate, stands))
    return table


def _result(score: ScoreRow, gate: GateRow | None, stands: str) -> Any:
    """Return what became of a score: what its gate says, or why it says nothing."""
    from rich.text import Text

    if gate is not None and not gate.passed:
        return Text("NOT MET", style="bold red")
    if score.status != "ok":
        return Text(score.status.replace("-", " "), style="dim")
    return Text(_WORDS[stands], "dim") if gate is None else Text("met", style="green")
