"""Weighted draws are exact, for one law or many, few labels or very many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthwright.core.context import Context
from synthwright.kit.sampling.guide import Guide

LEVEL = 1e-6
ROWS = 200_000


def rng(*place: str) -> np.random.Generator:
    """Return the randomness of a test."""
    return Context(seed=2).at(*place).rng


@pytest.mark.parametrize("weights", [[1], [1, 3], [0, 5, 0, 1, 0], [1e-9, 1], list(range(1, 1200)), [1 / 3] * 3])
def test_one_law(weights: list[float]) -> None:
    """Labels come in proportion to their weights, those without weight never."""
    law = np.array(weights, dtype=float)
    counts = np.bincount(Guide(law).draw(rng("one"), ROWS), minlength=len(law))
    assert counts[law == 0].sum() == 0
    expected = law / law.sum() * ROWS
    often = expected > 5
    if often.sum() > 1:
        seen, meant = counts[often], expected[often]
        assert stats.chisquare(seen, meant / meant.sum() * seen.sum()).pvalue > LEVEL


def test_borders_are_exact() -> None:
    """A slot that two labels share is shared in the right proportion, not given to one of them."""
    share = 1 / 65_536
    weights = np.array([0.5 * share, 0.25 * share, 1 - 0.75 * share])
    counts = np.bincount(Guide(weights).draw(rng("borders"), 8_000_000), minlength=3)
    assert LEVEL < stats.poisson(8_000_000 * 0.5 * share).cdf(counts[0]) < 1 - LEVEL
    assert stats.binomtest(int(counts[0]), int(counts[0] + counts[1]), 2 / 3).pvalue > LEVEL


@pytest.mark.parametrize("laws", [2, 300])
def test_many_laws(laws: int) -> None:
    """Each row's label comes from the row's own law."""
    weights = rng("weights").random((laws, 5)) * (rng("zeros").random((laws, 5)) < 0.7) + np.eye(laws, 5)
    weights[:, 4] += weights.sum(axis=1) == 0
    which = rng("which").integers(0, laws, ROWS)
    labels = Guide(weights).draw(rng("labels"), ROWS, which)
    counts = np.bincount(which * 5 + labels, minlength=laws * 5).reshape(laws, 5)
    assert counts[weights == 0].sum() == 0
    expected = weights / weights.sum(axis=1, keepdims=True) * np.bincount(which, minlength=laws)[:, None]
    off = np.where(expected > 0, (counts - expected) ** 2 / np.where(expected > 0, expected, 1), 0).sum()
    assert stats.chi2((weights > 0).sum() - laws).sf(off) > LEVEL


def test_at() -> None:
    """A point from 0 to 1 has the label in whose stretch it lies, the ends included."""
    guide = Guide(np.array([[1.0, 0.0, 3.0, 0.0], [0.0, 1.0, 1.0, 2.0]]))
    assert guide.at(np.array([0.0, 0.24, 0.25, 1.0]), np.zeros(4, dtype=int)).tolist() == [0, 0, 2, 2]
    assert guide.at(np.array([0.0, 0.24, 0.25, 0.5, 1.0]), np.ones(5, dtype=int)).tolist() == [1, 1, 2, 3, 3]
    assert Guide(np.array([1.0, 3.0])).at(np.array([0.0, 0.25, 1.0])).tolist() == [0, 1, 1]
