"""Matrices of correlations are checked, and the nearest possible one is found for those that are none."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.kit.sampling.correlations import advice, matrix, nearest, pair, possible, root

NAMES = ["a", "b~c", "d"]


def test_pairs() -> None:
    """Pairs name two columns, whatever they are called."""
    assert pair("a~d", NAMES) == (0, 2)
    assert pair(" d ~ b~c ", NAMES) == (2, 1)
    assert pair("b~c~a", NAMES) == (1, 0)
    assert [pair(p, NAMES) for p in ("a", "a~a", "a~x", "")] == [None] * 4


def test_matrix() -> None:
    """Correlations of ranks become those of normal scores; pairs that are not said have none."""
    found = matrix({"a~d": 0.5}, NAMES, ranks=True)
    assert found[0, 2] == found[2, 0] == pytest.approx(2 * np.sin(np.pi / 12))
    assert found[0, 1] == 0
    assert matrix({"a~d": 0.5}, NAMES, ranks=False)[0, 2] == 0.5
    assert root(found) @ root(found).T == pytest.approx(found)


@pytest.mark.parametrize("size", [3, 6])
@pytest.mark.parametrize("ranks", [False, True])
def test_nearest(size: int, ranks: bool) -> None:  # noqa: FBT001
    """The nearest matrix is possible, is as near as a reference's, and the advice of it is possible too."""
    rng = np.random.default_rng(7)
    held = np.triu(rng.choice([-0.9, 0.9], (size, size)), 1)
    held[0, 1:3], held[1, 2] = 0.9, -0.9  # one goes with two that go against each other
    wrong = held + held.T + np.eye(size)
    assert not possible(wrong)
    found = nearest(wrong)
    assert possible(found)
    assert np.diag(found) == pytest.approx(np.ones(size))
    values, vectors = np.linalg.eigh(wrong)
    simple = (vectors * np.maximum(values, 1e-4)) @ vectors.T  # cut off once, and scaled back: further away
    simple /= np.sqrt(np.outer(np.diag(simple), np.diag(simple)))
    assert np.linalg.norm(found - wrong) < np.linalg.norm(simple - wrong) + 1e-3
    names = [f"c{i}" for i in range(size)]
    said = advice(wrong, names, ranks=ranks)
    assert possible(matrix(said, names, ranks=ranks))
    assert np.abs(matrix(said, names, ranks=ranks) - found).max() < 0.2


def test_nearest_known() -> None:
    """A matrix whose nearest is known (Higham 2002, section 4) is brought there, but for the margin inside."""
    found = nearest(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    assert found[np.triu_indices(3, 1)] == pytest.approx([0.7607, 0.1573, 0.7607], abs=1e-3)


def test_possible() -> None:
    """No columns at all are possible, and perfect correlation is not."""
    assert possible(np.eye(0))
    assert possible(np.eye(4))
    assert not possible(np.ones((2, 2)))
