"""Boosted trees as flat arrays, so that kernels can add them up row by row. LightGBM learns them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.learning.kernels import kernel

FOREVER = 1e30
"""Stands for a ratio by zero; beyond it float32 has little left."""

LITTLE = 0.0005
"""The share of the variance that eight more trees must explain."""


class Additive(NamedTuple):
    """Trees whose leaves are added up. A leaf is its own left child: so many steps from the root, and one is there."""

    feature: np.ndarray
    """int16: what a node splits on."""
    cut: np.ndarray
    """float32: the last value that goes left; `FOREVER` in leaves."""
    left: np.ndarray
    """int32: the left child; the right one is next to it."""
    value: np.ndarray
    """float32: what a leaf adds."""
    roots: np.ndarray
    """int32: the first node of each tree."""
    depths: np.ndarray
    """int32: steps from each root to its deepest leaf."""


def is_sound(trees: Additive, features: int) -> bool:
    """Return whether kernels may walk trees that were read from a file: nothing points anywhere else."""
    size = len(trees.feature)
    return bool(
        len({len(trees.cut), len(trees.left), len(trees.value), size}) == 1
        and ((trees.feature >= 0) & (trees.feature < features)).all()
        and ((trees.left >= 0) & (trees.left < size)).all()
        and (trees.left[trees.cut < FOREVER] < size - 1).all()
        and len(trees.roots) == len(trees.depths)
        and ((trees.roots >= 0) & (trees.roots < size)).all()
        and ((trees.depths >= 0) & (trees.depths < size)).all()
    )


class Scores(NamedTuple):
    """Points of each bin of each column, which are added up: what `scores.py` learns."""

    points: np.ndarray
    """float32, columns × 256."""


def points_are_sound(scores: Scores, features: int) -> bool:
    """Return whether points that were read from a file are those of so many columns."""
    return scores.points.shape == (features, 256) and bool(np.isfinite(scores.points).all())


class Learned(NamedTuple):
    """Trees, and by how much they help on rows that were set aside (nats a row; 0 where nothing was)."""

    trees: Additive
    gain: float


def settings(rows: int, ctx: Context, **more: Any) -> dict[str, Any]:
    """Return LightGBM's parameters: one thread, the same trees for the same context."""
    return {
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "seed": int(ctx.at("seed").rng.integers(2**31)),
        "feature_pre_filter": False,
        "bin_construct_sample_cnt": 10_000,
        "max_depth": 7,
        "min_data_in_leaf": max(5, min(50, rows // 50)),
        **more,
    }


def regressed(
    matrix: np.ndarray, target: np.ndarray, aside: tuple[np.ndarray, np.ndarray], rounds: int, ctx: Context,
    *, deep: bool = False,
) -> Additive:  # fmt: skip
    """Learn to predict numbers, until more trees help no more on rows that are set aside.

    Args:
        matrix: float32, rows × features.
        target: one number per row.
        aside: matrix and target of the rows that say when to stop.
        rounds: how many trees at most.
        ctx: the randomness.
        deep: whether trees are larger: for what holds of few rows each, as of every hour of every day.
    """
    import lightgbm

    more = {"learning_rate": 0.1, "num_leaves": 127, "max_depth": 12} if deep else {}
    how = settings(len(matrix), ctx, **{"objective": "regression", "learning_rate": 0.15, "num_leaves": 31, **more})
    learn = lightgbm.Dataset(matrix, target, params=how)
    watch = lightgbm.Dataset(aside[0], aside[1], params=how, reference=learn)
    stop = lightgbm.early_stopping(8, verbose=False, min_delta=LITTLE * float(np.var(aside[1])))
    booster = lightgbm.train(how, learn, num_boost_round=rounds, valid_sets=[watch], callbacks=[stop])
    return flattened(booster, booster.best_iteration)


def contrasted(
    real: np.ndarray, drawn: np.ndarray, aside: tuple[np.ndarray, np.ndarray], rounds: int, ctx: Context
) -> Learned:
    """Learn the log of how much likelier rows are to be real than drawn.

    Training stops when the rows that were set aside gain no more.

    Args:
        real: float32, rows × features.
        drawn: the same.
        aside: booleans, the rows of both that are set aside.
        rounds: how many trees at most.
        ctx: the randomness.
    """
    import lightgbm

    how = settings(len(real), ctx, objective="binary", learning_rate=0.15, num_leaves=16, lambda_l2=5.0)
    off, out = aside
    sides: list[Any] = []
    for mine, other in ((~off, ~out), (off, out)):
        weight = np.repeat([1.0, mine.sum() / max(other.sum(), 1)], [mine.sum(), other.sum()])
        label = np.repeat([1.0, 0.0], [mine.sum(), other.sum()])
        held = np.concatenate([real[mine], drawn[other]])
        sides.append(lightgbm.Dataset(held, label, weight=weight, params=how, reference=sides[0] if sides else None))
    stop = lightgbm.early_stopping(8, verbose=False)
    booster = lightgbm.train(how, sides[0], num_boost_round=rounds, valid_sets=[sides[1]], callbacks=[stop])
    loss = booster.best_score["valid_0"]["binary_logloss"]
    return Learned(flattened(booster, booster.best_iteration), float(np.log(2) - loss))


def flattened(booster: Any, rounds: int) -> Additive:
    """Return the first trees of a LightGBM booster that has no nominal features, read from its own text."""
    blocks = booster.model_to_string(num_iteration=rounds).split("Tree=")[1:]
    trees = [_one(dict(line.split("=", 1) for line in block.splitlines() if "=" in line)) for block in blocks]
    roots = np.cumsum([0, *(len(t.feature) for t in trees)])[:-1]
    moved = [t._replace(left=t.left + root, roots=t.roots + root) for t, root in zip(trees, roots, strict=True)]
    feature, cut, left, value, roots, depths = (np.concatenate(part) for part in zip(*moved, strict=True))
    return Additive(feature.astype(np.int16), cut.astype(np.float32), left.astype(np.int32), value.astype(np.float32),
                    roots.astype(np.int32), depths.astype(np.int32))  # fmt: skip


def _one(said: dict[str, str]) -> Additive:
    """Return one tree: the root, then the children of one node after another."""
    value = np.array(said["leaf_value"].split(), dtype=np.float64)
    inner, size = len(value) - 1, 2 * len(value) - 1
    feature, cut, added = np.zeros(size), np.full(size, FOREVER), np.zeros(size)
    left, depth = np.arange(size), np.zeros(size)
    names = ("split_feature", "threshold", "left_child", "right_child")
    held = [np.array(said[name].split(), dtype=np.float64) for name in names] if inner else []
    waiting, used = [(0 if inner else -1, 0)], 1
    while waiting:  # a few dozen nodes
        theirs, mine = waiting.pop()
        if theirs < 0:
            added[mine] = value[-theirs - 1]
            continue
        feature[mine], cut[mine], left[mine] = held[0][theirs], held[1][theirs], used
        waiting += [(int(held[2][theirs]), used), (int(held[3][theirs]), used + 1)]
        depth[used : used + 2] = depth[mine] + 1
        used += 2
    return Additive(feature, cut, left, added, np.zeros(1), depth.max(keepdims=True))


@kernel
def total(trees, row):
    """Return what the trees add up to for one row (float32, below `FOREVER`)."""
    found = 0.0
    for k in range(len(trees.roots)):
        node = trees.roots[k]
        for _ in range(trees.depths[k]):
            node = trees.left[node] + (row[trees.feature[node]] > trees.cut[node])
        found += trees.value[node]
    return found


@kernel
def predicted(trees, matrix):
    """Return what the trees add up to for every row of a matrix (float32)."""
    found = np.zeros(len(matrix), np.float64)
    for k in range(len(trees.roots)):
        for i in range(len(matrix)):
            node = trees.roots[k]
            for _ in range(trees.depths[k]):
                node = trees.left[node] + (matrix[i, trees.feature[node]] > trees.cut[node])
            found[i] += trees.value[node]
    return found


@kernel
def scored(trees, matrix, classes):
    """Return for every row what the trees of each class add up to; trees are of one class after another."""
    found = np.zeros((len(matrix), classes), np.float64)
    for k in range(len(trees.roots)):
        for i in range(len(matrix)):
            node = trees.roots[k]
            for _ in range(trees.depths[k]):
                node = trees.left[node] + (matrix[i, trees.feature[node]] > trees.cut[node])
            found[i, k % classes] += trees.value[node]
    return found


@kernel
def added(points, bins):
    """Return the points of every row (bins: uint8, columns × rows)."""
    found = np.zeros(bins.shape[1], np.float64)
    for k in range(len(points)):
        for i in range(bins.shape[1]):
            found[i] += points[k, bins[k, i]]
    return found
