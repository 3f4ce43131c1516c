"""Hidden normal numbers: regions of labels, valid correlations, what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from synthwright.kit.coding.latent import Line, halved, partition_of, scores
from synthwright.kit.learning.gaussian import FLOOR, PATTERNS, Normal, repaired

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("axes", [1, 2, 4])
def test_boxes_are_as_probable_as_labels(axes: int) -> None:
    """Every label has a box of exactly its share, and every point lies in the box that it is found in."""
    shares = RNG.dirichlet(np.ones(9))
    partition = halved(shares, RNG.normal(size=(9, axes)))
    low, high = partition.boxes
    assert np.allclose((high - low).prod(axis=1), shares)
    points = RNG.random((2_000, axes))
    leaf = partition.find(points)
    assert ((points >= low[leaf]) & (points <= high[leaf])).all()
    again = partition_of({n: np.ascontiguousarray(a) for n, a in partition.arrays().items()})
    assert (again.find(points) == leaf).all()


def test_labels_that_lie_close_are_cut_apart_last() -> None:
    """The first cut separates the two groups that differ most."""
    partition = halved(np.full(4, 0.25), np.array([[0.0, 0], [0, 0.1], [9, 0], [9, 0.1]]))
    low, high = partition.boxes
    assert high[:2, 0].max() <= low[2:, 0].min()


def test_scores_are_means_of_pieces() -> None:
    """The score of a piece of the axis is the mean of a normal number within it."""
    line = Line.of(np.array([0.2, 0.5, 0.3]))
    low, high = line.boxes
    z = norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000)
    expected = [z[(norm.cdf(z) >= a) & (norm.cdf(z) < b)].mean() for a, b in zip(low[:, 0], high[:, 0], strict=True)]
    assert scores(low, high)[:, 0] == pytest.approx(expected, abs=1e-4)


def test_repaired_is_valid_and_near() -> None:
    """A correlation that is none becomes one, columns stay uncorrelated within themselves, a valid one stays."""
    column = np.repeat(np.arange(4), 3)
    same = column[:, None] == column[None, :]
    wanted = np.clip(RNG.normal(0, 0.6, (12, 12)), -1, 1)
    found = repaired(wanted, same, rounds=20)
    assert np.allclose(found, found.T)
    assert np.linalg.eigvalsh(found)[0] > FLOOR / 10
    assert np.array_equal(found[same], np.eye(12)[same])
    mild = np.where(same, np.eye(12), 0.05)
    assert np.allclose(repaired(mild, same, rounds=20), mild)


def test_given_numbers_move_the_others() -> None:
    """What is known about one number shows in another as much as their correlation says."""
    normal = Normal(np.array([[1, 0.8], [0.8, 1]]))
    low, high = np.full((20_000, 2), -np.inf), np.full((20_000, 2), np.inf)
    low[:, 0] = 1.0
    found = normal.complete(low, high, np.arange(2), RNG)
    assert found[:, 0].min() >= 1
    assert found[:, 1].mean() == pytest.approx(0.8 * norm.pdf(1) / norm.sf(1), abs=0.02)


def test_rows_of_many_patterns() -> None:
    """Where nearly every row knows something else, bounds hold in all of them and dependence is kept."""
    size, rows = 10, 4_000
    normal = Normal(0.6 + 0.4 * np.eye(size))
    true = normal.draw(rows, RNG)
    known = RNG.random((rows, size)) < 0.5
    assert len(np.unique(known, axis=0)) > PATTERNS
    low, high = np.where(known, true - 0.01, -np.inf), np.where(known, true + 0.01, np.inf)
    found = normal.complete(low, high, np.arange(size), RNG)
    assert ((found >= low - 1e-9) & (found <= high + 1e-9)).all()
    correlation = np.corrcoef(found.T)
    assert np.abs(correlation - normal.correlation).max() < 0.05
    assert np.corrcoef(found[~known], true[~known])[0, 1] > 0.48  # a draw: the variance that is explained
