"""The audit of private generators: what is within its budget passes, what is not is caught."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.testing.audit import _Half, audit, bound, epsilon_of, gaussian_bound

tally = pytest.importorskip("orchard.tally", reason="the plug-in of the tests is installed by `make test`")
SCHEMA = Schema.model_validate({"tables": {"t": {"fields": {"x": {"kind": "boolean"}}}}})
PART, BUDGET = Part(("t.x",)), Spend(1.0, 1e-9)


def rows(values: list[bool]) -> Dataset:
    """Return a table of one column."""
    return Dataset(SCHEMA, {"t": pa.table({"x": pa.array(values)})})


NEIGHBOURS = rows([False] * 20), rows([False] * 20 + [True])


class Quiet(tally.Tally):  # type: ignore[name-defined,misc]
    """Says that it spent a quarter of what it did."""

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        return super().measure(data, part, budget=Spend(4 * budget.epsilon), ctx=ctx)._replace(spend=budget)


class Peeking(tally.Tally):  # type: ignore[name-defined,misc]
    """Takes the values that there are from real rows."""

    looks: ClassVar[bool] = True

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        found = super().measure(data, part, budget=budget, ctx=ctx)
        seen = {c: [str(v) for v in data.column(c).unique().to_pylist()] for c in part.produce}
        return found._replace(head={**found.head, "domain": seen})


def test_what_keeps_its_budget_is_not_caught() -> None:
    """Laplace noise of scale a half spends 2; the bound is near it, hardly ever above (seen in 60: 0.89 to 1.94)."""
    found = audit(tally.Tally(), NEIGHBOURS, PART, budget=Spend(4.0, 1e-9), times=1000)
    assert found.claim == 4.0
    assert 0.3 < found.lower < 2.5
    assert not found.caught


@pytest.mark.parametrize(("planted", "times"), [(Quiet, 3000), (Peeking, 1200)])
def test_planted_faults_are_caught(planted: type, times: int) -> None:
    """A quarter of the noise, and a domain that was read off the rows."""
    assert audit(planted(), NEIGHBOURS, PART, budget=BUDGET, times=times).caught


def test_epsilon_of_gaussian_privacy() -> None:
    """Figures of the paper's formula; more noise is less epsilon, and none at all where delta is large."""
    assert epsilon_of(1.0, 1e-5) == pytest.approx(4.377, abs=1e-3)
    assert epsilon_of(0.5, 1e-5) < epsilon_of(1.0, 1e-5)
    assert epsilon_of(0.0, 1e-5) == 0.0
    assert epsilon_of(0.1, 0.5) == 0.0


def test_bounds_hold_and_are_near() -> None:
    """Of Gaussian scores the bound is below what they are, in 19 of 20 draws at least, and not far."""
    true, found = epsilon_of(1.0, 1e-5), []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        learned, tested = (_Half(dice.normal(0, 1, 3000), dice.normal(1, 1, 3000)) for _ in range(2))
        found.append((gaussian_bound(learned, tested, 1e-5), bound(learned, tested, 1e-5)))
    assert np.mean([g <= true for g, _ in found]) >= 0.9
    assert np.median([g for g, _ in found]) > 0.8 * true
    assert all(0.3 < b < true for _, b in found)


def test_chance_is_no_finding() -> None:
    """Scores that do not differ bound nothing."""
    dice = np.random.default_rng(3)
    halves = [_Half(dice.normal(size=500), dice.normal(size=500)) for _ in range(40)]
    found = [bound(one, other, 1e-9) for one, other in zip(halves[::2], halves[1::2], strict=True)]
    assert max(found) < 0.7
    assert math.isfinite(max(found))
