"""Noise has the correlations of the data, and groups of near rows are large enough."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.kit.learning import disclosure
from synthwright.kit.learning.disclosure import correlated, groups_of, middles, modes, spread

RNG = np.random.default_rng(4)


def test_noise_has_the_correlations_of_the_columns() -> None:
    """Also where values are missing, or a column never varies."""
    base = RNG.normal(size=(4_000, 1))
    values = np.hstack([base, 3 * base + RNG.normal(size=(4_000, 1)), np.full((4_000, 1), 2.0)])
    values[:100, 1] = np.nan
    noise = RNG.normal(size=(50_000, 3)) @ correlated(values).T
    found = np.corrcoef(noise.T)
    assert found[0, 1] == pytest.approx(np.corrcoef(values[100:, :2].T)[0, 1], abs=0.02)
    assert abs(found[0, 2]) < 0.02
    assert noise.std(axis=0) == pytest.approx(1, abs=0.02)
    assert spread(values).tolist() == pytest.approx([values[:, 0].std(), np.nanstd(values[:, 1]), 0.0])


@pytest.mark.parametrize("least", [2, 5, 17])
def test_every_group_weighs_enough(least: int) -> None:
    """Whatever rows weigh, no group weighs less than asked, and none much more unless a row does."""
    points, weights = RNG.normal(size=(500, 3)), RNG.integers(1, 4, 500).astype(float)
    weights[7] = 60
    sums = np.bincount(groups_of(points, weights, least), weights)
    assert sums.min() >= least
    assert np.sort(sums)[-2] < 2 * least + 4


def test_groups_are_near() -> None:
    """Clumps of five far apart are the groups of five."""
    points = np.repeat(RNG.normal(0, 100, (40, 2)), 5, axis=0) + RNG.normal(0, 0.01, (200, 2))
    order = RNG.permutation(200)
    group = groups_of(points[order], np.ones(200), 5)
    clump = (np.arange(200) // 5)[order]
    assert all(len(set(clump[group == g])) == 1 for g in range(40))


def test_large_tables_are_cut_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces change who is in a group, not how large it is at least."""
    monkeypatch.setattr(disclosure, "PIECE", 50)
    sums = np.bincount(groups_of(RNG.normal(size=(400, 2)), np.ones(400), 5))
    assert sums.min() >= 5
    assert sums.max() < 10


def test_few_rows_are_one_group() -> None:
    """Fewer rows than a group wants stay together, and no rows have none."""
    assert set(groups_of(RNG.normal(size=(3, 2)), np.ones(3), 5).tolist()) == {0}
    assert len(groups_of(np.zeros((0, 2)), np.zeros(0), 5)) == 0


def test_middles_and_modes() -> None:
    """Missing values count in no mean; of labels that are as frequent, the first is taken."""
    group = np.array([0, 0, 1, 1, 1, 2])
    assert middles(np.array([1.0, 3.0, np.nan, 4.0, 6.0, np.nan]), group).tolist()[:2] == [2.0, 5.0]
    assert np.isnan(middles(np.array([1.0, 3.0, np.nan, 4.0, 6.0, np.nan]), group)[2])
    assert modes(np.array([1, 0, 2, 2, 1, 3]), group).tolist() == [0, 2, 3]
