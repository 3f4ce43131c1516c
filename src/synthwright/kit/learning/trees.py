"""Trees whose leaves hold the distribution of a column, as flat arrays. Kernels compiled by numba.

Splits are learned in `splits`. What a leaf holds is a range of one array of codes, sorted within the leaf: a draw is
one random place of the range.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.coded import UNHEARD
from synthwright.kit.learning.kernels import kernel
from synthwright.kit.learning.splits import Features, Growth, Target, best_split, grouped

DEEPEST = 48


class Tree(NamedTuple):
    """The nodes of one or several trees, parents before children."""

    feature: np.ndarray
    """int16: what a node splits on, -1 in leaves."""
    cut: np.ndarray
    """uint8: the last bin that goes left."""
    mask: np.ndarray
    """uint64, nodes × 4: the bins of a nominal feature that go left."""
    left: np.ndarray
    """int32: the left child; the right one is next to it."""
    start: np.ndarray
    """int64: where the codes of a node begin."""
    stop: np.ndarray
    """int64: where they end."""


class Forest(NamedTuple):
    """Several trees for one column, with what their leaves hold."""

    tree: Tree
    roots: np.ndarray
    """int32: the first node of each tree."""
    held: np.ndarray
    """uint32: the codes, by leaf."""


def is_sound(forest: Forest, features: int, places: int) -> bool:
    """Return whether kernels may walk a forest that was read from a file: nothing points anywhere else or back.

    Args:
        forest: the forest.
        features: how many there are to split on.
        places: how many places the column has.
    """
    tree, nodes = forest.tree, np.arange(len(forest.tree.feature))
    inner = tree.feature >= 0
    same = all(len(part) == len(nodes) for part in tree) and tree.mask.shape == (len(nodes), 4)
    return bool(
        same
        and len(forest.roots)
        and (tree.feature < features).all()
        and (tree.left[inner] > nodes[inner]).all()
        and (tree.left[inner] < len(nodes) - 1).all()
        and ((forest.roots >= 0) & (forest.roots < len(nodes))).all()
        and ((tree.start >= 0) & (tree.start < tree.stop) & (tree.stop <= len(forest.held))).all()
        and (forest.held < places).all()
    )


def logs_for(rows: int) -> np.ndarray:
    """Return what counting one more row adds to x ln x, for every count up to `rows`."""
    counts = np.arange(rows + 2, dtype=np.float64)
    found: np.ndarray = np.diff(np.where(counts > 0, counts * np.log(np.maximum(counts, 1)), 0.0))
    return found


def blank(size: int) -> Tree:
    """Return a tree with room for so many nodes, all of them leaves that hold nothing."""
    return Tree(np.full(size, -1, np.int16), np.zeros(size, np.uint8), np.zeros((size, 4), np.uint64),
                np.zeros(size, np.int32), np.zeros(size, np.int64), np.zeros(size, np.int64))  # fmt: skip


def grown(features: Features, target: Target, growth: Growth, rows: np.ndarray, seed: int) -> Tree:
    """Return a tree grown on some rows; nothing is held yet.

    Args:
        features: of all rows.
        target: of all rows.
        growth: how it grows.
        rows: int32, the rows to learn from, in random order; they are sorted by leaf here.
        seed: up to 64 bits.
    """
    if target.ordered:  # the order of the target itself sorts labels
        growth = growth._replace(tries=0)
    tree = blank(max(2 * (len(rows) // max(2, int(growth.outstanding * growth.leaf))) + 3, 3))
    room = (np.zeros(target.size + 1, np.int64), np.zeros(target.size + 1, np.int16), logs_for(len(rows)),
            np.array([seed], np.uint64), np.arange(len(features.nominal)))  # fmt: skip
    used = _grow(features, target, growth, rows, room, tree)
    return Tree(*(np.ascontiguousarray(part[:used]) for part in tree))


@kernel
def goes_left(tree, node, bins, nominal):
    """Return whether a bin goes left at a node."""
    if nominal:
        return (tree.mask[node, bins >> 6] >> np.uint64(bins & 63)) & np.uint64(1) == np.uint64(1)
    return bins <= tree.cut[node]


@kernel
def _parted(features, tree, node, rows, spare):
    """Move the rows of a node that go left to the front, both sides in their order; return how many they are."""
    feature = tree.feature[node]
    column, nominal = features.bins[feature], features.nominal[feature]
    left, right = 0, 0
    for row in rows:
        if goes_left(tree, node, column[row], nominal):
            rows[left] = row
            left += 1
        else:
            spare[right] = row
            right += 1
    for i in range(right):
        rows[left + i] = spare[i]
    return left


@kernel
def _split_of(features, target, growth, rows, room, tree, node):
    """Find the split of a node and note it; return whether there is one."""
    counts, group, logs, state, pick = room
    seen = rows[: growth.most]
    found = grouped(target, seen, growth, counts, group)
    if found < 2:
        return False
    group_of = np.empty(len(seen), np.uint8)
    total = np.zeros(found, np.int64)
    for i in range(len(seen)):
        group_of[i] = group[target.tokens[seen[i]]]
        total[group_of[i]] += 1
    least = max(1.0, growth.leaf * len(seen) / len(rows))
    split = best_split(features, seen, group_of, total, growth, least, logs, state, pick, tree.mask[node])
    tree.feature[node], tree.cut[node] = split.feature, split.cut
    return split.feature >= 0


@kernel
def _grow(features, target, growth, rows, room, tree):
    """Grow a tree; return how many of its nodes are used."""
    size = len(tree.feature)
    spare, depth = np.empty(len(rows), np.int32), np.zeros(size, np.int32)
    tree.stop[0] = len(rows)
    used, todo, waiting = 1, np.zeros(size, np.int32), 1
    while waiting > 0:
        waiting -= 1
        node = todo[waiting]
        begin, end = tree.start[node], tree.stop[node]
        if end - begin < 2 * growth.leaf or depth[node] >= DEEPEST or used + 2 > size:
            continue
        mine = rows[begin:end]
        if not _split_of(features, target, growth, mine, room, tree, node):
            continue
        middle = begin + _parted(features, tree, node, mine, spare)
        if middle in (begin, end):
            tree.feature[node] = -1
            continue
        tree.left[node] = used
        tree.start[used], tree.stop[used], tree.start[used + 1], tree.stop[used + 1] = begin, middle, middle, end
        depth[used] = depth[used + 1] = depth[node] + 1
        todo[waiting], todo[waiting + 1] = used + 1, used
        waiting, used = waiting + 2, used + 2
    return used


@kernel
def leaf_of(features, tree, node, row):
    """Return the leaf that a row falls into from a node on, or the node that would split on a label never heard of."""
    while tree.feature[node] >= 0:
        feature = tree.feature[node]
        bins, nominal = features.bins[feature, row], features.nominal[feature]
        if nominal and bins == UNHEARD:
            return node
        node = tree.left[node] if goes_left(tree, node, bins, nominal) else tree.left[node] + 1
    return node


@kernel
def sure_leaf(features, tree, node, row):
    """Return the leaf that a row falls into from a node on; labels never heard of go with most."""
    while tree.feature[node] >= 0:
        feature = tree.feature[node]
        left = goes_left(tree, node, features.bins[feature, row], features.nominal[feature])
        node = tree.left[node] if left else tree.left[node] + 1
    return node


@kernel
def leaves(features, tree, rows):
    """Return the leaf of each of these rows."""
    found = np.empty(len(rows), np.int32)
    for i in range(len(rows)):
        found[i] = sure_leaf(features, tree, 0, rows[i])
    return found


@kernel
def filled(tree, leaf, codes):
    """Return the tree with ranges, and beside it what they are of: codes (uint32) of rows, in ascending order."""
    count = np.zeros(len(tree.feature), np.int64)
    for node in leaf:
        count[node] += 1
    for node in range(len(count) - 1, -1, -1):
        if tree.feature[node] >= 0:
            count[node] = count[tree.left[node]] + count[tree.left[node] + 1]
    start = np.zeros(len(count), np.int64)
    for node in range(len(count)):
        if tree.feature[node] >= 0:
            start[tree.left[node]] = start[node]
            start[tree.left[node] + 1] = start[node] + count[tree.left[node]]
    place, held = np.empty(len(count), np.int64), np.empty(len(leaf), np.uint32)
    for node in range(len(count)):
        place[node] = start[node]
    for i in range(len(leaf)):
        held[place[leaf[i]]] = codes[i]
        place[leaf[i]] += 1
    return Tree(tree.feature, tree.cut, tree.mask, tree.left, start, start + count), held


def joined(trees: list[tuple[Tree, np.ndarray]]) -> Forest:
    """Return filled trees as one."""
    nodes = np.cumsum([0, *(len(t.feature) for t, _ in trees)])
    codes = np.cumsum([0, *(len(h) for _, h in trees)])
    moved = [
        t._replace(left=(t.left + n).astype(np.int32), start=t.start + c, stop=t.stop + c)
        for (t, _), n, c in zip(trees, nodes[:-1], codes[:-1], strict=True)
    ]
    tree = Tree(*(np.concatenate(part) for part in zip(*moved, strict=True)))
    return Forest(tree, nodes[:-1].astype(np.int32), np.concatenate([h for _, h in trees]))
