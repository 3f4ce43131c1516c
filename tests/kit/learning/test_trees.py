"""Trees: what goes where, what leaves hold, and that growing finds what there is."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.kit.learning.splits import Features, Growth, Target
from synthwright.kit.learning.trees import Tree, filled, grown, joined, leaf_of, leaves, logs_for

GROWTH = Growth(leaf=10, evidence=3.0, groups=32, per_group=12.0, share=1.0, most=20_000, tries=2)


def _some(rows: int = 1_200, seed: int = 1) -> tuple[Features, Target, np.ndarray]:
    """Return ordered and nominal features, a target that follows from two of them, and codes (uint16)."""
    rng = np.random.default_rng(seed)
    bins = np.array([rng.integers(0, 254, rows), rng.integers(0, 9, rows), rng.integers(0, 200, rows)])
    bins[1] *= 31  # so that the nominal bins are spread over all four words of a mask
    mean = bins[0] / 4 + np.array([0, 30, 0, 30, 60, 0, 60, 0, 30])[bins[1] // 31]
    tokens = np.clip(mean + rng.normal(0, 8, rows), 0, 149).astype(np.int64)
    tokens[rng.random(rows) < 0.05] = 150  # no value
    features = Features(bins.astype(np.uint8), np.array([False, True, False]))
    return features, Target(tokens.astype(np.uint16), 150, True), tokens.astype(np.uint16)


def _grown(
    features: Features, target: Target, growth: Growth = GROWTH, seed: int = 3, rows: np.ndarray | None = None
) -> Tree:
    mine = np.random.default_rng(0).permutation(len(target.tokens)) if rows is None else rows
    return grown(features, target, growth, mine.astype(np.int32), seed)


def _left(tree: Tree, node: int, value: int, *, nominal: bool) -> bool:
    """Return whether a bin goes left: the slow twin."""
    return bool(int(tree.mask[node, value // 64]) >> (value % 64) & 1) if nominal else value <= int(tree.cut[node])


def _below(tree: Tree, features: Features, rows: list[int], node: int = 0) -> dict[int, list[int]]:
    """Return the rows of every node at or below one, by recursion: the slow twin of `leaf_of`."""
    found = {node: rows}
    if tree.feature[node] >= 0:
        column, nominal = features.bins[tree.feature[node]], bool(features.nominal[tree.feature[node]])
        goes = [_left(tree, node, int(column[r]), nominal=nominal) for r in rows]
        for side in (True, False):
            mine = [r for r, left in zip(rows, goes, strict=True) if left is side]
            found |= _below(tree, features, mine, int(tree.left[node]) + (0 if side else 1))
    return found


def test_logs_add_up() -> None:
    """What counting one more row adds, added up, is x ln x."""
    found, counts = np.cumsum(logs_for(50)), np.arange(1, 52)
    assert np.allclose(found, counts * np.log(counts))


def test_every_row_has_its_leaf() -> None:
    """Rows fall into the leaves that following every split by hand leads to; parents come before their children."""
    features, target, _ = _some()
    tree = _grown(features, target)
    below = _below(tree, features, list(range(1_200)))
    by_hand = {r: n for n, rows in below.items() if tree.feature[n] < 0 for r in rows}
    every = np.arange(1_200, dtype=np.int32)
    assert leaves(features, tree, every).tolist() == [by_hand[r] for r in range(1_200)]
    assert leaf_of(features, tree, np.int64(0), 17) == by_hand[17]
    inner = np.flatnonzero(tree.feature >= 0)
    assert len(inner) > 20
    assert {0, 1} <= set(tree.feature[inner].tolist())
    assert (tree.left[inner] > inner).all()
    assert sorted([0, *tree.left[inner], *(tree.left[inner] + 1)]) == list(range(len(tree.feature)))


@pytest.mark.parametrize("leaf", [2, 10, 60])
def test_leaves_have_enough_rows(leaf: int) -> None:
    """No leaf has fewer of the rows that a tree was grown on than it must have; larger leaves are fewer."""
    features, target, _ = _some()
    rows = np.random.default_rng(4).permutation(1_200)[:700]
    tree = _grown(features, target, GROWTH._replace(leaf=leaf), rows=rows)
    count = np.bincount(leaves(features, tree, rows.astype(np.int32)), minlength=len(tree.feature))
    assert count[tree.feature < 0].min() >= leaf
    assert count[tree.feature >= 0].sum() == 0


def test_leaves_have_enough_rows_where_a_node_looks_at_some() -> None:
    """A leaf has as many rows as it must where splits are sought among a sample of the rows, too."""
    features, target, _ = _some(6_000)
    growth = GROWTH._replace(leaf=20, most=300, evidence=1.0)
    for seed in range(4):
        tree = _grown(features, target, growth, seed)
        count = np.bincount(leaves(features, tree, np.arange(6_000, dtype=np.int32)), minlength=len(tree.feature))
        assert count[tree.feature < 0].min() >= 10


def test_leaves_hold_the_codes_of_their_rows() -> None:
    """Every node's range holds the codes of exactly its rows, those of leaves in ascending order."""
    features, target, codes = _some()
    tree = _grown(features, target, rows=np.arange(0, 1_200, 2))
    by_code = np.argsort(codes, kind="stable").astype(np.int32)
    full, held = filled(tree, leaves(features, tree, by_code), codes[by_code])
    assert len(held) == 1_200
    for node, rows in _below(tree, features, list(range(1_200))).items():
        mine = held[full.start[node] : full.stop[node]]
        assert sorted(mine.tolist()) == sorted(codes[rows].tolist()), node
        assert tree.feature[node] >= 0 or (np.diff(mine.astype(int)) >= 0).all()


def test_trees_are_joined() -> None:
    """Joined trees lead where each leads alone, and their leaves hold the same."""
    features, target, codes = _some()
    by_code = np.argsort(codes, kind="stable").astype(np.int32)
    trees = [_grown(features, target, seed=s, rows=np.arange(s, 1_200, 3)) for s in range(3)]
    alone = [filled(t, leaves(features, t, by_code), codes[by_code]) for t in trees]
    forest = joined(alone)
    assert len(forest.held) == 3_600
    for (tree, held), root in zip(alone, forest.roots, strict=True):
        for row in range(0, 1_200, 7):
            one, all_ = leaf_of(features, tree, np.int64(0), row), leaf_of(features, forest.tree, root, row)
            mine = forest.held[forest.tree.start[all_] : forest.tree.stop[all_]]
            assert mine.tolist() == held[tree.start[one] : tree.stop[one]].tolist()


def test_growing_is_repeatable() -> None:
    """The same seed grows the same tree, another one, where not every feature is looked at, another."""
    features, target, _ = _some()
    growth = GROWTH._replace(share=0.4)
    one, two, three = (_grown(features, target, growth, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one.cut, three.cut)


def test_what_two_features_say_together() -> None:
    """Where two features only say something together, a third that says a little opens the way to them."""
    rng = np.random.default_rng(6)
    one, two = rng.integers(0, 2, (2, 3_000))
    features = Features(np.array([one, two, rng.integers(0, 100, 3_000)], dtype=np.uint8), np.zeros(3, bool))
    tokens = np.where(rng.random(3_000) < 0.9, one * 2 + two, rng.integers(0, 4, 3_000))
    tree = _grown(features, Target(tokens.astype(np.uint16), 4, False))
    leaf = leaves(features, tree, np.arange(3_000, dtype=np.int32))
    assert len(np.unique(np.array([leaf, one * 2 + two]), axis=1).T) == len(np.unique(leaf)) == 4


def test_a_target_of_one_value() -> None:
    """Where there is nothing to tell apart, the root is the only leaf."""
    features, _, _ = _some(300)
    tree = _grown(features, Target(np.zeros(300, np.uint16), 1, True))
    assert tree.feature.tolist() == [-1]
    assert (tree.start[0], tree.stop[0]) == (0, 300)
