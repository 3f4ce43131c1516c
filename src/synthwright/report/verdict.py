"""From scores to a verdict: each gate is held against its score, and what is missing fails."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from synthwright.core.contracts import Score
from synthwright.core.gates import (
    CLOSE_GATES,
    DEFAULT_GATES,
    GROUP_GATES,
    GUESSED_GATES,
    ROUNDING,
    SOFT_GATES,
    Gate,
    parse,
    score_name,
)
from synthwright.kit.measuring.matching import NOTHING_COMPARED

Outcome = Literal["released", "refused"]
_DEFAULT = frozenset(replace(g, text="") for g in map(parse, (*DEFAULT_GATES, *GROUP_GATES, *GUESSED_GATES.values())))


_STRICT = {(g.metric, g.about): g for g in map(parse, DEFAULT_GATES) if g.chance and not g.offset}
"""The default gates that tolerate chance alone: copies, and values far out."""
_NEARLY = 0.7
"""The share of what chance allows from which on it is told, though the gate is met: of a thousand second real samples
about three have as much."""


class GateResult(NamedTuple):
    """What became of one gate."""

    gate: str
    """The gate as it was written."""
    value: float | None
    """The score; None where there is none."""
    bound: float | None
    """What the gate asks of it; None where that needs a reference and there is none."""
    passed: bool
    why: str
    """Which score, and by how much it is off; or why there was nothing to measure."""


def settle(scores: Sequence[Score], gates: Sequence[str] = DEFAULT_GATES) -> list[GateResult]:
    """Hold every gate against its score, in the order of the gates.

    A score that is missing, failed, without a number or not applicable fails its gate. Two things are forgiven where
    the gate is one of `DEFAULT_GATES`: a score that is not applicable (a table without a key) passes, and where no
    held-out rows give a reference, the strictest one is taken: 0, or 1 where more is better.

    Raises:
        ValueError: a gate that is not in the form of a gate.
    """
    found: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        found.setdefault((score.metric, _either_way(score.about)), []).append(score)
    return [_settle_one(parse(text), found) for text in gates]


def verdict(results: Sequence[GateResult]) -> Outcome:
    """Return "released" where every gate passed, "refused" otherwise."""
    return "released" if all(r.passed for r in results) else "refused"


def warnings(scores: Sequence[Score], gates: Sequence[str], goals: Mapping[str, str]) -> list[str]:
    """Return a sentence for every score that falls short, is suspicious, or could not be measured.

    First comes what no real row could be compared with: gates that do not apply are met by nothing that was shown.

    Args:
        scores: all scores; those about the whole are looked at.
        gates: the gates of the run: what they rule on is not warned of again.
        goals: "lower" or "higher" for every metric; for metrics that `SOFT_GATES` does not know.
    """
    ruled = {(g.metric, g.about) for g in map(parse, gates)}
    whole = [s for s in scores if not s.about and s.status == "ok"]
    sentences = [t for s in whole if (s.metric, "") not in ruled for t in _short(s, goals.get(s.metric))]
    sentences += [t for s in whole for t in _close(s)]
    sentences += [_almost(s) for s in scores if nearly(s)]
    failed = [s for s in scores if s.status == "failed" and (s.metric, s.about) not in ruled]
    sentences = _uncompared(scores, [g.metric for g in map(parse, gates)]) + sentences
    return sentences + [f"{score_name(s.metric, s.about)} could not be measured: {s.problem or 'no reason given'}."
                        for s in failed]  # fmt: skip


def _uncompared(scores: Sequence[Score], gated: Sequence[str]) -> list[str]:
    """Say which gates do not rule because no real rows are like those that were asked for."""
    silent: dict[str, set[str]] = {}
    for score in scores:
        problem = score.problem or ""
        if score.status == "not-applicable" and not score.about and problem.endswith(NOTHING_COMPARED):
            silent.setdefault(problem, set()).add(score.metric)
    said = {problem: sum(metric in metrics for metric in gated) for problem, metrics in silent.items()}
    return [f"{problem[0].upper()}{problem[1:]}, and {f'{many} gates do' if many > 1 else '1 gate does'} not rule: of "
            f"likeness and use nothing is proven." if many else f"{problem[0].upper()}{problem[1:]}."
            for problem, many in said.items()]  # fmt: skip


def standing(score: Score, goal: str | None) -> Literal["short", "close", ""]:
    """Return whether a score about the whole falls short of good data, or is better than chance allows."""
    if score.about or score.status != "ok":
        return ""
    return "short" if _short(score, goal) else "close" if _close(score) else ""


def nearly(score: Score) -> bool:
    """Return whether copies, or values far out, are no more than chance allows, and yet odd.

    It takes many rows to prove few copies. What the gate lets pass for want of proof is told all the same.
    """
    if score.status != "ok" or (score.metric, score.about) not in _STRICT:
        return False
    value, reference, chance = _finite(score.value), _finite(score.reference), score.chance
    if value is None or reference is None or chance is None:
        return False
    return _NEARLY * chance < value - reference <= chance + ROUNDING


def said(value: float | None, beside: float | None = None) -> str:
    """Return a number as people read it, with as many digits as it takes to differ from the one beside it."""
    if value is None:
        return "none"
    for digits in range(4, 17):
        text = f"{value:.{digits}g}"
        if beside is None or value == beside or text != f"{beside:.{digits}g}":
            return text
    return repr(value)


def _settle_one(gate: Gate, found: dict[tuple[str, str], list[Score]]) -> GateResult:
    scores = found.get((gate.metric, _either_way(gate.about)), [])
    if not scores and gate.about:  # what does not apply as a whole has no parts either
        scores = [s for s in found.get((gate.metric, ""), []) if s.status != "ok"]
    if not scores:
        return GateResult(gate.text, None, _finite(gate.bound(None)), False, _nothing(gate, found))
    results = [_held(gate, score) for score in scores]
    return next((r for r in results if not r.passed), results[0])


def _either_way(about: str) -> str:
    """Return what a score is about such that a pair of columns is the same in either order."""
    return " ~ ".join(sorted(about.split(" ~ ")))


def _held(gate: Gate, score: Score) -> GateResult:
    default = replace(gate, text="") in _DEFAULT
    if score.status == "not-applicable":
        why = f"{gate.name} is not applicable: {score.problem or 'there is nothing to measure'}"
        return GateResult(gate.text, None, None, default, why)
    value = _finite(score.value)
    if score.status == "failed" or value is None:
        why = f"{gate.name} could not be measured: {score.problem or 'it has no value'}"
        return GateResult(gate.text, None, _finite(gate.bound(score.reference, score.chance)), False, why)
    reference, chance, note = _finite(score.reference), score.chance, ""
    if gate.relative and reference is None and default:
        reference = 0.0 if gate.op[0] == "<" else 1.0
        chance = chance or 0.0  # without other real rows nothing is known of chance: none is allowed for
        note = f" (without held-out rows there is no reference: {reference:g} is taken)"
    bound = _finite(gate.bound(reference, chance))
    if bound is None:
        lacks = "no reference to hold it against: give held-out rows"
        if reference is not None or not gate.relative:
            lacks = "nothing known of what chance does to it: leave out 'chance'"
        why = f"{gate.name} is {said(value)}, but there is {lacks}"
        return GateResult(gate.text, value, None, False, why)
    passed = gate.holds(value, reference, chance)
    return GateResult(gate.text, value, bound, passed, _distance(gate, value, bound, passed=passed) + note)


def _distance(gate: Gate, value: float, bound: float, *, passed: bool) -> str:
    stands = f"{gate.name} is {said(value, bound)}"
    if passed:
        return f"{stands}, which meets {gate.op} {said(bound, value)}"
    where = {"<": "over", ">": "under"}.get(gate.op[0], "off")
    bounded = "the bound" if gate.text else "the soft bound"
    if value == bound:
        return f"{stands}, where {gate.op} {said(bound)} is wanted"
    return f"{stands}, {where} {bounded} {said(bound, value)} by {said(abs(value - bound))}"


def _nothing(gate: Gate, found: dict[tuple[str, str], list[Score]]) -> str:
    others = [about for metric, about in found if metric == gate.metric]
    if not others:
        return f"{gate.name} was not measured: no metric {gate.metric!r} was run"
    if gate.about:
        return f"{gate.name} was not measured: {gate.metric} has no score about {gate.about!r}"
    return f"{gate.name} was not measured: {gate.metric} has scores about single columns only"


def _short(score: Score, goal: str | None) -> list[str]:
    """Say that a score falls short of what good data reaches, once: of the first bound that it misses."""
    known = [replace(parse(g), text="") for g in (*SOFT_GATES, *DEFAULT_GATES)]
    known = [g for g in known if g.metric == score.metric and not g.about]
    if not known and goal is not None:
        low = goal == "lower"
        known = [Gate("", score.metric, "", "<=" if low else ">=", 1.05 if low else 0.95, 0.02 if low else -0.02)]
    counted = score._replace(chance=score.chance or 0.0)  # a warning costs nothing: unknown chance is none
    held = [_held(g, counted) for g in known
            if not (g.relative and score.reference is None) and not _may_hold(g, counted)]  # fmt: skip
    beside = "" if score.reference is None else f"; a second real sample gets {said(score.reference)}"
    return [f"{h.why}{beside}." for h in held if not h.passed][:1]


def _may_hold(gate: Gate, score: Score) -> bool:
    """Return whether the interval reaches what a soft gate asks, where that compares and does not allow for chance."""
    end = score.low if gate.op[0] == "<" else score.high
    return gate.relative and not gate.chance and end is not None and gate.holds(end, score.reference)


def _almost(score: Score) -> str:
    gate = _STRICT[score.metric, score.about]
    value, bound = score.value, gate.bound(score.reference, score.chance)
    return (f"{gate.name} is {said(value, score.reference)}, where a second real sample gets "
            f"{said(score.reference, value)}: chance allows {said(bound)}, but seldom so much.")  # fmt: skip


def _close(score: Score) -> list[str]:
    """Say that a score is better than a second real sample's, by more than chance."""
    for gate in map(parse, CLOSE_GATES):
        careful = score.high if gate.op == "<" else score.low
        if gate.metric == score.metric and gate.holds(score.value if careful is None else careful, score.reference):
            value, reference = said(score.value, score.reference), said(score.reference, score.value)
            better = f"{score.metric} is {value}, better than the {reference} of a second real sample"
            return [f"{better}: too close, check for copying."]
    return []


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
