"""Whatever happens to a measurement, what was not measured is not released: a mutation test over every default gate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import cast

import pytest

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.gates import DEFAULT_GATES, Gate, parse
from synthwright.report.verdict import settle, verdict
from synthwright.steps.evaluate import scores_of
from synthwright.testing import toys

GATES = [parse(text) for text in DEFAULT_GATES]
Broken = Callable[[Gate], list[Score]]


def passing(gate: Gate) -> Score:
    """Return a score that meets a gate, just so."""
    bound = gate.bound(0.5, 0.1)
    return Score(gate.metric, gate.about, bound, 0.5, chance=0.1)


def raises(_: Gate) -> list[Score]:
    """Break off."""
    raise RuntimeError("a metric's own fault")


def leaves(_: Gate) -> list[Score]:
    """Try to end the whole program."""
    raise SystemExit(0)


def hangs(_: Gate) -> list[Score]:
    """Never end."""
    while True:
        time.sleep(0.01)


def says(**other: object) -> Broken:
    """Return what gives the passing score with something wrong about it."""
    return lambda gate: [passing(gate)._replace(**other)]  # type: ignore[arg-type]


def worse(gate: Gate) -> list[Score]:
    """Give a score beyond the bound."""
    bound = gate.bound(0.5, 0.1)
    return [passing(gate)._replace(value=bound + (1e-6 if gate.op[0] == "<" else -1e-6))]


BROKEN: dict[str, Broken] = {
    "raises": raises,
    "hangs": hangs,
    "gives nothing": lambda _: [],
    "gives NaN": says(value=math.nan),
    "gives infinity": says(value=math.inf),
    "gives minus infinity": says(value=-math.inf),
    "gives no value": says(value=None),
    "says it failed": says(status="failed", problem="out of luck"),
    "is about something else": says(about="person.age"),
    "has another name": says(metric="cheerfulness"),
    "is just beyond the bound": worse,
}


class Mutant(Metric):
    """Stands for a metric that goes wrong."""

    group = "integrity"
    goal = "lower"
    bounds = (0.0, 1.0)
    not_shown = "Anything."


def measured(gate: Gate, broken: Broken) -> list[Score]:
    """Return what the line makes of a broken metric."""
    cls = type("Broken", (Mutant,), {"name": gate.metric, "measure": lambda *_: broken(gate), "__module__": __name__})
    return scores_of(cast(Metric, cls()), Case(None, None, toys.plain(5)), Context(), 1)


@pytest.mark.parametrize("how", BROKEN)
def test_every_gate_fails_with_its_metric(how: str) -> None:
    """All gates pass but one, whose metric goes wrong: refused, with a reason; so for every default gate."""
    assert verdict(settle([passing(g) for g in GATES])) == "released"
    for gate in GATES if how != "hangs" else GATES[:1]:
        scores = measured(gate, BROKEN[how])
        results = settle([*(passing(g) for g in GATES if g is not gate), *scores])
        assert verdict(results) == "refused", gate.text
        missed = {r.gate: r for r in results if not r.passed}
        assert gate.text in missed
        assert {parse(text).metric for text in missed} == {gate.metric}
        assert all(r.why and (r.value is None or math.isfinite(r.value)) for r in missed.values())


def test_a_metric_cannot_end_the_run() -> None:
    """An exit from within a metric, with code 0 too, is a failure of that metric: its gate is not met."""
    scores = measured(GATES[0], leaves)
    assert [(s.status, s.problem) for s in scores] == [("failed", "the metric raised SystemExit")]
    assert verdict(settle([*(passing(g) for g in GATES[1:]), *scores])) == "refused"


def test_what_is_no_score_fails_too() -> None:
    """A metric that gives something else than scores has failed."""
    cls = type("Broken", (Mutant,), {"name": "shape", "measure": lambda *_: ["fine"], "__module__": __name__})
    scores = scores_of(cast(Metric, cls()), Case(None, None, toys.plain(5)), Context(), 1)
    assert [s.status for s in scores] == ["failed"]


@pytest.mark.parametrize("word", ["reference", "chance"])
def test_what_a_gate_counts_with_must_be_there(word: str) -> None:
    """A score without the chance that its gate needs fails it; without the reference, the strictest is taken."""
    for gate in GATES:
        if not (gate.relative if word == "reference" else gate.chance):
            continue
        score = passing(gate)._replace(**{word: None})  # type: ignore[arg-type]
        (result,) = settle([score], [gate.text])
        assert not result.passed, gate.text
        (unknown,) = settle([score._replace(**{word: math.nan})], [gate.text])  # type: ignore[arg-type]
        assert not unknown.passed, gate.text


def test_every_gate_has_its_metric() -> None:
    """No default gate is about a metric that nobody can run, and each names a different score."""
    assert {g.metric for g in GATES} <= set(registry.names("metrics"))
    assert len({g.name for g in GATES}) == len(GATES)
