"""Sums tell the numbers behind values: honestly of rows they were not learned from, whatever the column is made of."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning.additive import added
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.sums import PENALTIES, Ridge, Sum, sum_for

ROWS = 200


def coded(values: np.ndarray) -> tuple[Coded, np.ndarray]:
    """Return a column and the places of its rows; text is a category, NaN is null."""
    label = values.dtype.kind == "U"
    held = pa.array(values.tolist()) if label else pa.array(values.astype(np.float64), from_pandas=True)
    field = Field(kind=Kind.CATEGORY if label else Kind.NUMBER)
    column = Coded("it", settle(field, observe(held), Context().rng))
    return column, column.places(held)


def summed(target: np.ndarray, *before: np.ndarray) -> tuple[Sum | None, np.ndarray]:
    """Return the sum that tells a column by those before it, and the bins of these."""
    known = [coded(b) for b in before]
    bins = np.array([c.bins[p] for c, p in known])
    return sum_for(*coded(target), [c for c, _ in known], bins, Context(seed=3)), bins


def test_each_row_is_told_by_the_others() -> None:
    """The closed form says of each row what a ridge regression on all other rows says."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(30, 4))
    target = matrix @ [1.0, 0.5, 0.0, -1.0] + rng.normal(size=30)
    fit = Ridge.of(matrix).fitted(target)  # type: ignore[union-attr]
    centred, squares = matrix - matrix.mean(axis=0), []
    for penalty in PENALTIES:
        weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(4), centred.T @ (target - target.mean()))
        if np.allclose(weights, fit.weights):
            squares.append(penalty)
    assert len(squares) == 1
    # one row left out, with the same penalty; the mean, which is not penalised, is an unpenalised column of ones
    wide = np.column_stack([np.ones(30), centred])
    penalties = np.diag([0.0, *[squares[0]] * 4])
    for out in (0, 7, 29):
        some = np.arange(30) != out
        other = np.linalg.solve(wide[some].T @ wide[some] + penalties, wide[some].T @ target[some])
        assert fit.told[out] == pytest.approx(wide[out] @ other)


def test_what_is_learned_says_the_same_of_new_rows() -> None:
    """Points of bins add up to what is told of rows, nearly: of learned rows each told by the others."""
    rng = np.random.default_rng(2)
    one, two = rng.normal(size=(2, ROWS))
    found, bins = summed(one - two + 0.3 * rng.normal(size=ROWS), one, two)
    assert found is not None
    assert np.abs(added(found.points, bins) - found.told).max() < 0.2
    assert np.corrcoef(found.told, found.behind)[0, 1] > 0.95


def test_chance_is_not_told() -> None:
    """Fifty columns that have nothing to do with it do not tell a column, though they explain it in their own rows."""
    rng = np.random.default_rng(4)
    assert summed(rng.normal(size=80), *rng.normal(size=(50, 80)))[0] is None
    assert summed(rng.normal(size=80), np.ones(80))[0] is None


def test_squares_are_seen() -> None:
    """A parabola is told, by the square of where a value stands."""
    one = np.random.default_rng(5).normal(size=ROWS)
    found, _ = summed(one**2 + 0.1 * one, one)
    assert found is not None
    assert np.corrcoef(found.told, found.behind)[0, 1] > 0.85


def test_labels_and_what_is_missing_tell() -> None:
    """A label says which one it is, a value that is missing that it is."""
    rng = np.random.default_rng(6)
    label, gone = rng.integers(0, 3, ROWS), rng.random(ROWS) < 0.3
    found, _ = summed(2.0 * label + 0.3 * rng.normal(size=ROWS), np.array(["a", "b", "c"])[label])
    assert found is not None
    found, _ = summed(3.0 * gone + rng.normal(size=ROWS), np.where(gone, np.nan, rng.normal(size=ROWS)))
    assert found is not None


def test_shared_values_hide_close_dependence_from_nobody() -> None:
    """Behind a column of which half is zero, numbers go with what decides them as closely as they really do."""
    rng = np.random.default_rng(7)
    one = rng.normal(size=600)
    hidden = 0.9 * one + np.sqrt(1 - 0.81) * rng.normal(size=600)
    found, _ = summed(np.round(np.maximum(hidden, 0), 2), one)
    assert found is not None
    assert np.corrcoef(found.told, found.behind)[0, 1] == pytest.approx(0.9, abs=0.04)
    assert found.behind.std() == pytest.approx(1, abs=0.1)
