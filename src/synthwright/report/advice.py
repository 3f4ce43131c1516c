"""What to try next where gates are not met: for each metric, and the steps that help most of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from synthwright.core.gates import parse
from synthwright.report.document import Ours
from synthwright.report.report import GateRow, Report, ScoreRow
from synthwright.report.words import MENDING, UNMEASURED, own, words
from synthwright.report.worst import group_of, plain_note, worst_parts

OWN = "Where Synthwright makes the rows: "
"""What begins advice that rows of another tool cannot take."""
_LOOSEN = "Loosen the gate: other real rows do not meet it either."
_PARTS = 5
"""Columns, pairs … that are named, the worst."""
_STEPS = 5
"""Steps that are told for all failures together."""


class Try(NamedTuple):
    """What to try next about one metric whose gate is not met."""

    metric: str
    title: str
    gates: tuple[GateRow, ...]
    note: str
    """What the metric says of its score; empty where it says nothing."""
    parts: tuple[ScoreRow, ...]
    """The columns, pairs, rules … that are worst, if any is beyond chance."""
    tries: tuple[Ours, ...]
    """What to do; names of parameters stand between backticks."""


class Step(NamedTuple):
    """One thing to do, and what it is good for."""

    does: Ours
    titles: tuple[str, ...]
    """The metrics that it is to mend."""


def missed(gate: GateRow) -> bool:
    """Return whether a gate was measured and is not met."""
    return not gate.passed and gate.value is not None and gate.bound is not None


def advise(report: Report, metric: str, gates: Sequence[GateRow]) -> Try:
    """Return what to try about one metric."""
    named = {parse(g.gate).about for g in gates} - {"", "worst"}
    asked = tuple(s for s in report.scores if s.metric == metric and s.about in named)
    parts = (asked + tuple(s for s in worst_parts(report, metric, _PARTS) if s not in asked))[: max(_PARTS, len(asked))]
    advice = words(metric).tries
    if not any(missed(g) for g in gates):
        advice = (UNMEASURED.get(metric, MENDING),)
    elif _unreachable(report, gates):
        # copies that real rows have too are looked into before they are allowed
        advice = (*advice, _LOOSEN) if group_of(metric) == "privacy" else (_LOOSEN, *advice)
    note = next((s.problem for s in report.scores if s.metric == metric and not s.about and s.status == "ok"), None)
    return Try(metric, words(metric).title, tuple(gates), plain_note(report, note) if note else "", parts,
               _fitting(advice, judged=report.judged))  # fmt: skip


def _unreachable(report: Report, gates: Sequence[GateRow]) -> bool:
    """Return whether other real rows would not meet a gate either."""
    scores = {s.name: s for s in report.scores}
    for gate in map(parse, (g.gate for g in gates if missed(g))):
        score = scores.get(gate.name)
        reference = None if score is None else score.reference
        if score is not None and reference is not None and not gate.holds(reference, reference, score.chance):
            return True
    return False


def steps(tries: Sequence[Try]) -> tuple[Step, ...]:
    """Return the advice for all failures, each once: what is likeliest to mend most of them comes first."""
    found: dict[Ours, list[str]] = {}
    weight: dict[Ours, float] = {}
    for tried in tries:
        for i, advice in enumerate(tried.tries, 1):
            found.setdefault(advice, []).append(tried.title)
            weight[advice] = weight.get(advice, 0.0) + 1 / i**2
    ranked = sorted(found, key=lambda a: -weight[a])  # stable: where equal, what mends the weightiest failure
    return tuple(Step(a, tuple(found[a])) for a in ranked[:_STEPS])


def _fitting(advice: Sequence[str], *, judged: bool) -> tuple[Ours, ...]:
    """Return advice for rows of this run as it is; for others, what only Synthwright can do comes last, and says so."""
    if not judged:
        return tuple(map(Ours, advice))
    ranked = sorted(advice, key=own)
    return tuple(Ours(f"{OWN}{a[0].lower()}{a[1:]}" if own(a) else a) for a in ranked)
