"""Draws from trees, and the choice among draws by how real they look. Kernels compiled by numba.

Draws are stratified: rows that fall into one leaf divide its distribution among them, so that a sample is nearer to
the distribution than independent draws would be (systematic sampling; Carpenter et al. 1999, Improved particle filter
for nonlinear problems). Where a correction was learned, each row gets several draws and keeps one, in proportion to the
ratio of the densities of real and drawn values (sampling–importance–resampling, Rubin 1987).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.additive import FOREVER, total
from synthwright.kit.learning.kernels import kernel
from synthwright.kit.learning.splits import draw
from synthwright.kit.learning.trees import leaf_of, sure_leaf

STEEPEST = 4.0
"""A draw counts at most e to the power of this."""
GAP = 4.0
"""Between neighbours of a leaf, values are drawn where they are so many times its mean distance apart at most."""
REACH = 1.5
"""With more, heavy codes come too seldom; with less, too often."""


class Line(NamedTuple):
    """Where codes with an order stand; empty for others."""

    middle: np.ndarray
    """float64: the share of the column below the middle of each code."""
    ends: np.ndarray
    """float64: the share of the column up to the end of each code."""


class Looks(NamedTuple):
    """What a correction looks at besides the features: the drawn value, alone and against columns made before."""

    rank: np.ndarray
    """float32: where each code stands among the others."""
    level: np.ndarray
    """float32: the value of each code, 0 for none."""
    others: np.ndarray
    """float32, columns × rows: values of columns made before."""


@kernel
def _leaves(features, forest, which):
    """Return the leaf of every row in the tree that is chosen for it.

    Tree by tree: the nodes of one fit into a core's own cache, those of all do not, which takes a third longer.
    """
    found = np.empty(len(which), np.int32)
    for tree in range(len(forest.roots)):
        for i in range(len(which)):
            if which[i] == tree:
                found[i] = leaf_of(features, forest.tree, forest.roots[tree], i)
    return found


@kernel
def strata(leaf, nodes, order, state):
    """Return for every row a number from 0 to 1, such that those of the rows of one leaf are spread evenly.

    Args:
        leaf: the leaf of every row.
        nodes: how many nodes there are.
        order: the rows in random order: who comes first gets the lowest number.
        state: of the random numbers.
    """
    count, met = np.zeros(nodes, np.int32), np.zeros(nodes, np.int32)
    for node in leaf:
        count[node] += 1
    found = np.empty(len(leaf), np.float64)
    for row in order:
        node = leaf[row]
        found[row] = (met[node] + draw(state)) / count[node]
        met[node] += 1
    return found


@kernel
def _first(held, low, high, least):
    """Return the first place of ascending numbers that holds so much or more; `high` if none does."""
    while low < high:
        middle = (low + high) // 2
        if held[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _reached(ends, at):
    """Return the first code whose end lies at or beyond a place."""
    return _first(ends, 0, len(ends) - 1, at)


@kernel
def picked(forest, line, node, at):
    """Return the code at a place (0 to 1) of a leaf's distribution.

    Where the codes have an order, what lies around a code of the leaf is as possible: a leaf is a sample. Half of a
    code's share reaches towards either neighbour; where that is far farther than is usual in the leaf, or there is
    none, as far as is usual. A code that the leaf holds `k` times reaches about as near to either end of its own
    share as the outermost of `k` random places in it do: the k + `REACH`th part of it is left.
    """
    start, stop = forest.tree.start[node], forest.tree.stop[node]
    place = min(at, 0.9999999999999999) * (stop - start)
    code = forest.held[start + int(place)]
    inner = forest.tree.feature[node] >= 0  # what it holds is sorted in its leaves only
    if inner or code >= len(line.middle):
        return code
    stop = _first(forest.held, start, stop, len(line.middle))
    if stop - start < 2:
        return code
    usual = (line.middle[forest.held[stop - 1]] - line.middle[forest.held[start]]) / (stop - 1 - start)
    place -= 0.5
    before = start + int(np.floor(place))
    part = place - np.floor(place)
    low, high = -1.0, 2.0
    if before >= start:
        code = forest.held[before]
        if before + 1 < stop and code == forest.held[before + 1]:
            return code
        many = before + 1 - _first(forest.held, start, before, code)
        low = line.ends[code] - 2 * (line.ends[code] - line.middle[code]) / (many + REACH)
    if before + 1 < stop:
        after = forest.held[before + 1]
        many = _first(forest.held, before + 1, stop, after + 1) - before - 1
        high = 2 * line.middle[after] - line.ends[after] + 2 * (line.ends[after] - line.middle[after]) / (many + REACH)
    if before >= start and before + 1 < stop and line.middle[after] - line.middle[code] <= GAP * usual:
        return _reached(line.ends, low + (high - low) * part)
    upwards = before + 1 >= stop or (before >= start and part < 0.5)
    place = low + part * usual if upwards else high - (1.0 - part) * usual
    return _reached(line.ends, min(abs(place), 2 * line.ends[-1] - place))  # turned back at the ends of the column


@kernel
def _valued(forest, line, node):
    """Return the share of a leaf that has a value; all of it where codes have no order, or the leaf is none."""
    start, stop = forest.tree.start[node], forest.tree.stop[node]
    if not len(line.middle) or forest.tree.feature[node] >= 0:
        return 1.0
    return (_first(forest.held, start, stop, len(line.middle)) - start) / (stop - start)


@kernel
def drawn(features, forest, line, which, order, seed):
    """Return a code for every row, drawn from its leaf in the tree that is chosen for it.

    Args:
        features: what trees split on.
        forest: the trees.
        line: where the codes stand.
        which: the tree of each row.
        order: int64, 1 or 2 × rows: the rows in the order in which they share out their leaf. Where there are two,
            the second says which of them have no value, and the first how the values are shared out.
        seed: an unsigned 64-bit number.
    """
    state = np.array([seed], np.uint64)
    leaf = _leaves(features, forest, which)
    at = strata(leaf, len(forest.tree.feature), order[0], state)
    if len(order) > 1:
        chance = strata(leaf, len(forest.tree.feature), order[1], state)
        for i in range(len(leaf)):
            share = _valued(forest, line, leaf[i])
            at[i] = at[i] * share if chance[i] < share else chance[i]
    found = np.empty(len(leaf), np.uint32)
    for i in range(len(leaf)):
        found[i] = picked(forest, line, leaf[i], at[i])
    return found


@kernel
def held(forest, line, leaf, order, seed):
    """Return a code for every row, drawn from a leaf that is known."""
    state = np.array([seed], np.uint64)
    at = strata(leaf, len(forest.tree.feature), order, state)
    found = np.empty(len(leaf), np.uint32)
    for i in range(len(leaf)):
        found[i] = picked(forest, line, leaf[i], at[i])
    return found


@kernel
def looked(looks, code, row, into, at):
    """Write what a correction looks at for one row and code into a row of features."""
    into[at] = looks.rank[code]
    value = looks.level[code]
    for k in range(len(looks.others)):
        other = looks.others[k, row]
        into[at + 1] = value - other
        into[at + 2] = value / other if other != 0 else (np.float32(0) if value == 0 else np.float32(FOREVER))
        at += 2


@kernel
def matrix(base, looks, rows, codes):
    """Return what a correction looks at, for these rows and a code for each.

    Args:
        base: float32, all rows × features.
        looks: `Looks`; `others` of all rows.
        rows: which rows.
        codes: one for each of them.
    """
    width = base.shape[1]
    found = np.empty((len(rows), width + 1 + 2 * len(looks.others)), np.float32)
    for i in range(len(rows)):
        for k in range(width):
            found[i, k] = base[rows[i], k]
        looked(looks, codes[i], rows[i], found[i], width)
    return found


@kernel
def _candidates(features, forest, line, row, found, state):
    """Draw several codes for one row, spread over its leaves in all trees, in ascending order."""
    size, trees = len(found), len(forest.roots)
    first = int(draw(state) * trees)
    for t in range(min(trees, size)):
        node = leaf_of(features, forest.tree, forest.roots[(first + t) % trees], row)
        for r in range(t, size, trees):
            found[r] = picked(forest, line, node, (r + draw(state)) / size)
    for i in range(1, size):
        code, j = found[i], i
        while j > 0 and found[j - 1] > code:
            found[j] = found[j - 1]
            j -= 1
        found[j] = code


@kernel
def _chosen(codes, weights, whole, at):
    """Return the code at a share of the total weight."""
    left = at * whole
    for r in range(len(codes) - 1):
        if left < weights[r]:
            return codes[r]
        left -= weights[r]
    return codes[-1]


@kernel
def _of_values(codes, weights, size, at, chance):
    """Return the place among draws, nulls last, of a row at a place among those with a value; chance may say null."""
    valued = whole = 0.0
    for r in range(len(codes)):
        whole += weights[r]
        valued += weights[r] if codes[r] < size else 0.0
    if at == chance or valued == 0.0:
        return at
    return at * valued / whole if chance * whole < valued else chance


@kernel
def corrected(features, forest, line, order, seed, base, looks, trees, size):
    """Return a code for every row: one of `size` draws, in proportion to how real they look.

    Args:
        features: what trees split on.
        forest: the trees that propose.
        line: where the codes stand.
        order: int64, 1 or 2 × rows, as of `drawn`.
        seed: an unsigned 64-bit number.
        base: float32, rows × features: what the correction looks at.
        looks: what else it looks at.
        trees: the correction.
        size: how many draws.
    """
    state = np.array([seed], np.uint64)
    rows = order.shape[1]
    leaf = _leaves(features, forest, np.zeros(rows, np.int8))
    at = strata(leaf, len(forest.tree.feature), order[0], state)
    chance = strata(leaf, len(forest.tree.feature), order[1], state) if len(order) > 1 else at
    codes, weights = np.empty(size, np.uint32), np.empty(size)
    into = np.empty(base.shape[1] + 1 + 2 * len(looks.others), np.float32)
    found = np.empty(rows, np.uint32)
    for i in range(rows):
        _candidates(features, forest, line, i, codes, state)
        for k in range(base.shape[1]):
            into[k] = base[i, k]
        whole = 0.0
        for r in range(size):
            if r and codes[r] == codes[r - 1]:
                weights[r] = weights[r - 1]
            else:
                looked(looks, codes[r], i, into, base.shape[1])
                weights[r] = np.exp(min(total(trees, into), STEEPEST))
            whole += weights[r]
        found[i] = _chosen(codes, weights, whole, _of_values(codes, weights, len(line.middle), at[i], chance[i]))
    return found


@kernel
def _below(forest, node, groups, group):
    """Return how many codes of a leaf are of groups below this one."""
    low, high = forest.tree.start[node], forest.tree.stop[node]
    while low < high:
        middle = (low + high) // 2
        if groups[forest.held[middle]] < group:
            low = middle + 1
        else:
            high = middle
    return low - forest.tree.start[node]


@kernel
def likelihoods(features, forest, groups, shares, group, weight):
    """Return for every row how likely its group of codes is: a mean over trees, with a prior of `weight` rows.

    Args:
        features: what trees split on.
        forest: the trees.
        groups: int32, the group of each code, ascending.
        shares: how likely each group is on the whole.
        group: the group of each row; -1: not known, and likely.
        weight: rows that the prior counts for.
    """
    found = np.ones(len(group))
    for i in range(len(group)):
        if group[i] < 0:
            continue
        mean = 0.0
        for root in forest.roots:
            node = sure_leaf(features, forest.tree, root, i)
            count = _below(forest, node, groups, group[i] + 1) - _below(forest, node, groups, group[i])
            size = forest.tree.stop[node] - forest.tree.start[node]
            mean += (count + weight * shares[group[i]]) / (size + weight)
        found[i] = mean / len(forest.roots)
    return found


@kernel
def below(features, forest, ends, at):
    """Return for every row how likely a draw is to lie below a place of the whole column: a mean over trees.

    Args:
        features: what trees split on.
        forest: the trees.
        ends: the share of the column up to the end of each code.
        at: the place (0 to 1), one for each row.
    """
    found, own = np.zeros(len(at)), np.arange(len(ends) + 1)
    for i in range(len(at)):
        if at[i] <= 0.0 or at[i] >= ends[-1]:
            found[i] = 1.0 if at[i] > 0.0 else 0.0
            continue
        code = _reached(ends, at[i])
        begin = ends[code - 1] if code > 0 else 0.0
        inside = (at[i] - begin) / (ends[code] - begin)
        for root in forest.roots:
            node = sure_leaf(features, forest.tree, root, i)
            low, high = _below(forest, node, own, code), _below(forest, node, own, code + 1)
            whole = _below(forest, node, own, len(ends))
            found[i] += (low + inside * (high - low)) / max(whole, 1) / len(forest.roots)
    return found
