"""The verdict table on a terminal."""

from __future__ import annotations

from typing import Any

from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.verdict import said, standing

_COLOURS = {"short": "yellow", "close": "magenta", "": ""}
_WORDS = {"short": "falls short", "close": "too close", "": ""}


def print_report(report: Report, console: Any = None) -> None:
    """Print verdict, scores about the whole (and those a gate names), gates, warnings and dropped rows."""
    from rich.console import Console
    from rich.markup import escape

    console = console or Console(highlight=False)
    console.print(f"[bold {'green' if report.passed else 'red'}]{escape(report.summary)}[/]")
    gates = gates_by_score(report)
    shown = [s for s in report.scores if not s.about or s.name in gates]
    if shown:
        console.print(_table(shown, gates))
    for gate in report.gates:
        if not gate.passed:
            console.print(f"[red]gate not met[/]  {escape(gate.gate)}: {escape(gate.why)}")
    for score in shown:
        if score.status == "not-applicable":
            console.print(f"[dim]not applicable[/]  {escape(score.name)}: {escape(score.problem or 'no reason given')}")
    for sentence in report.warnings:
        console.print(f"[yellow]warning[/]  {escape(sentence)}")
    if report.dropped:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.dropped.items())
        console.print(f"dropped  {escape(reasons)}")


def _table(scores: list[ScoreRow], gates: dict[str, GateRow]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", overflow="fold")
    for heading in ("value", "95% interval", "reference", "better", "gate", ""):
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
        remark = _WORDS[stands] if score.status == "ok" else score.status.replace("-", " ")
        table.add_row(Text(score.name), value, interval, reference, score.goal or "", _mark(gate), Text(remark, "dim"))
    return table


def _mark(gate: GateRow | None) -> Any:
    from rich.text import Text

    if gate is None:
        return Text("")
    if gate.passed and gate.value is None:
        return Text("passed", style="dim")
    return Text("met", style="green") if gate.passed else Text("NOT MET", style="bold red")
