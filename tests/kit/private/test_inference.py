"""Models of marginals agree with slow ones: every belief, every marginal, and the library of the method."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from synthwright.kit.private.conditionals import conditionals, marginal
from synthwright.kit.private.inference import Fitted, Measured, coarsely, fitted, total_of
from synthwright.kit.private.junctions import Clique, junction, spread, summed
from synthwright.kit.private.marginals import blocks

SIZES = (3, 4, 2, 5, 3)
CLIQUES: dict[str, list[Clique]] = {
    "alone": [(v,) for v in range(5)],
    "a tree": [(0, 1), (1, 2), (1, 3), (3, 4)],
    "a circle": [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)],
    "two parts": [(0, 1), (2, 3), (4,)],
    "three at once": [(0, 1, 2), (2, 3), (1, 4), (0, 1)],
}


def _whole(potentials: dict[Clique, np.ndarray], total: float) -> np.ndarray:
    """Return the whole table of rows, cell by cell: slow and plain."""
    every = tuple(range(len(SIZES)))
    logs = sum((spread(p, c, every) for c, p in potentials.items()), np.zeros(SIZES))
    table = np.exp(logs - logs.max())
    return table * (total / table.sum())


def _noisy(cliques: list[Clique], sigma: float = 2.0) -> tuple[np.ndarray, list[Measured]]:
    rng = np.random.default_rng(4)
    real = rng.dirichlet(np.full(int(np.prod(SIZES)), 0.3)).reshape(SIZES) * 1_000
    every = tuple(range(len(SIZES)))
    tables = [(c, summed(real, every, c)) for c in cliques]
    return real, [Measured(c, t + rng.normal(0, sigma, t.shape), np.array(sigma)) for c, t in tables]


@pytest.mark.parametrize("cliques", CLIQUES.values(), ids=CLIQUES)
def test_beliefs_are_those_of_the_whole_table(cliques: list[Clique]) -> None:
    """Beliefs along the tree, and any marginal, are the sums of the whole table, cell by cell."""
    rng = np.random.default_rng(1)
    tree = junction(SIZES, cliques)
    potentials = {c: rng.normal(0, 2, tree.shape(c)) for c in tree.cliques}
    whole, every = _whole(potentials, 700.0), tuple(range(len(SIZES)))
    tables = tree.beliefs([potentials[c] for c in tree.cliques], 700.0)
    for clique, table in zip(tree.cliques, tables, strict=True):
        np.testing.assert_allclose(table, summed(whole, every, clique), atol=1e-8)
    order = conditionals(Fitted(tree, {}, tables, 700.0))
    assert sorted(c.column for c in order) == list(every)
    for wanted in [(2,), *combinations(every, 2), (0, 3, 4)]:
        np.testing.assert_allclose(marginal(order, wanted, 700.0), summed(whole, every, wanted), atol=1e-8)


@pytest.mark.parametrize("cliques", CLIQUES.values(), ids=CLIQUES)
def test_fits_what_was_measured(cliques: list[Clique]) -> None:
    """Marginals of the model are nearer to the real ones than the noisy ones are."""
    real, measured = _noisy(cliques)
    found = fitted(SIZES, measured, 1_000.0, steps=1_000)
    every = tuple(range(len(SIZES)))
    ours = sum(float(((found.marginal(m.clique) - summed(real, every, m.clique)) ** 2).sum()) for m in measured)
    theirs = sum(float(((m.table - summed(real, every, m.clique)) ** 2).sum()) for m in measured)
    assert ours < theirs
    assert all((t >= 0).all() for t in found.tables)


def test_joined_cells_are_fitted_too() -> None:
    """What was counted in blocks of cells comes out right in blocks, beside finer counts of the same columns."""
    real, _ = _noisy([])
    every, join = tuple(range(len(SIZES))), (np.array([0, 1, 0, 2]), np.array([0, 0, 1, 1, 1]))
    fine = summed(real, every, (1, 4))
    coarse = summed(real, every, (1, 3))
    slow = np.zeros((3, 2))
    for (i, k), rows in np.ndenumerate(coarse):
        slow[join[0][i], join[1][k]] += rows
    np.testing.assert_allclose(coarsely(coarse, join), slow)
    measured = [Measured((1, 4), fine, np.array(1.0)), Measured((1, 3), slow, np.array(1.0), join)]
    found = fitted(SIZES, measured, 1_000.0, steps=2_000)
    np.testing.assert_allclose(coarsely(found.marginal((1, 3)), join), slow, atol=1.0)
    np.testing.assert_allclose(found.marginal((1, 4)), fine, atol=1.0)
    again = fitted(SIZES, measured, 1_000.0, steps=1, start=found)
    np.testing.assert_allclose(again.marginal((1, 3)), found.marginal((1, 3)), atol=0.5)


def test_blocks_hold_about_as_much() -> None:
    """Neighbours along a line are joined until they hold a share; a heavy cell stays alone; of labels the lightest."""
    held = np.array([10.0, 10, 10, 10, 90, -5, 20, 20, 30])
    assert blocks(held, 4, ordered=True).tolist() == [0, 0, 0, 0, 1, 2, 2, 2, 3]
    assert blocks(np.array([5.0, 50, 1, 40, 4]), 3, ordered=False).tolist() == [2, 0, 2, 1, 2]


def test_begins_where_it_was() -> None:
    """A model of fewer marginals is a good beginning for one of more, though its tree is another."""
    _, measured = _noisy(CLIQUES["a circle"])
    some = fitted(SIZES, measured[:4], 1_000.0, steps=300)
    slow = fitted(SIZES, measured, 1_000.0, steps=3_000)
    quick = fitted(SIZES, measured, 1_000.0, steps=200, start=some)
    for m in measured:
        np.testing.assert_allclose(quick.marginal(m.clique), slow.marginal(m.clique), atol=1.0)


def test_rows_are_told_by_what_is_surest() -> None:
    """The number of rows follows from all marginals, and hardly from those with much noise."""
    sure = Measured((0,), np.array([40.0, 60.0]), np.array(1.0))
    vague = Measured((1,), np.array([400.0, 60.0]), np.array(100.0))
    assert total_of([sure, vague]) == pytest.approx(100, abs=1)


@pytest.mark.slow
def test_agrees_with_mbi() -> None:
    """The library of the method's authors finds the same distribution."""
    pytest.importorskip("jax").config.update("jax_enable_x64", True)
    mbi = pytest.importorskip("mbi")
    _, measured = _noisy(CLIQUES["a circle"])
    ours = fitted(SIZES, measured, 1_000.0, steps=5_000)
    domain = mbi.Domain([str(v) for v in range(5)], SIZES)
    theirs = mbi.estimation.MirrorDescent().estimate(
        domain, [mbi.LinearMeasurement(m.table.ravel(), tuple(map(str, m.clique)), stddev=float(m.sigma))
                 for m in measured], known_total=1_000.0, iters=5_000)  # fmt: skip
    for m in measured:
        other = np.asarray(theirs.project(tuple(map(str, m.clique))).values)
        np.testing.assert_allclose(ours.marginal(m.clique), other, atol=1.0)
