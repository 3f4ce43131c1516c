"""The best split of a node: which feature, and where, tells most about the target. Kernels compiled by numba.

A split is worth how much the entropy of the target falls, counted over groups of tokens that the node itself shows: a
node of many rows tells fine groups apart, one of few rows coarse ones. Under chance alone the gain times two has a
chi-squared distribution (Wilks 1938, The large-sample distribution of the likelihood ratio, Ann. Math. Statist. 9); a
split must gain so many of its standard deviations more (`Growth.evidence`). This holds memorisation down where there
is nothing to learn, and lets leaves be small where there is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.kernels import kernel

BINS = 256
"""What a uint8 tells apart."""
MOST = 250
"""Groups of a node's target, at most."""
DEALT = 50
"""Groups among which labels are dealt that are too many to be told apart."""


class Features(NamedTuple):
    """What is split on."""

    bins: np.ndarray
    """uint8, features × rows."""
    nominal: np.ndarray
    """Booleans: the features whose bins have no order."""


DEAR = 3.0
"""Nats that a split must gain more where a leaf of it has fewer rows than others must have."""


class Target(NamedTuple):
    """What is told apart."""

    tokens: np.ndarray
    """uint16, one per row: 0 … size - 1, and `size` for no value."""
    size: int
    ordered: bool


class Growth(NamedTuple):
    """How a tree grows."""

    leaf: int
    """The fewest rows of a leaf, but for those that stand out."""
    evidence: float
    """Standard deviations that a split must gain over chance."""
    groups: int
    """The most groups of tokens that a node tells apart."""
    per_group: float
    """Rows of a node for each of its groups."""
    share: float
    """Features that each node looks at, drawn at random."""
    most: int
    """Rows of a node that are looked at, at most."""
    tries: int
    """Orders of labels that are tried for each nominal feature of a nominal target."""
    outstanding: float = 1.0
    """The share of `leaf` that a leaf must have where its split gains much more than it must (`DEAR`)."""
    guided: bool = False
    """Whether the last feature is one that every node looks at."""


class Split(NamedTuple):
    """A split that was found; `feature` is -1 where none is good enough."""

    feature: int
    cut: int
    """Rows with bins up to here go left; of nominal features, those with their bit in the mask."""
    gain: float
    """In nats."""


@kernel
def draw(state):
    """Return a number from 0 to 1, and move the state on (Steele et al. 2014, Fast splittable generators)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def _neighbours(counts, tokens, least, group):
    """Number ordered tokens: neighbours share a number until they have their share of rows; a heavy one is alone."""
    found, held = 0, 0.0
    for t in range(tokens):
        c = counts[t]
        if c == 0:
            continue
        if held > 0 and held + 0.5 * c >= least:
            found += 1
            held = 0.0
        group[t] = found
        held += c
        if held >= least:
            found += 1
            held = 0.0
    return found + (1 if held > 0 else 0)


@kernel
def _labels(counts, tokens, least, group):
    """Number the labels that are frequent in the node; all others share a number.

    Where most rows have labels that are not frequent, many labels get a number, and the others are dealt among some.
    """
    whole, rare = 0, 0
    for t in range(tokens):
        whole += counts[t]
        rare += counts[t] if counts[t] < 0.25 * least else 0
    fine = 2 * rare > whole
    floor, alone, shared = (2.0, MOST - DEALT, DEALT) if fine else (0.25 * least, MOST, 1)
    found, rest = 0, False
    for t in range(tokens):
        if counts[t] > 0 and counts[t] >= floor and found < alone:
            group[t] = found
            found += 1
        elif counts[t] > 0:
            rest = True
    if not rest:
        return found
    for t in range(tokens):
        if counts[t] > 0 and group[t] < 0:
            group[t] = found + t % shared
    return found + shared


@kernel
def grouped(target, rows, growth, counts, group):
    """Number the tokens of a node's rows; return how many numbers there are, 255 at most."""
    for t in range(len(counts)):
        counts[t], group[t] = 0, -1
    for row in rows:
        counts[target.tokens[row]] += 1
    most = min(float(growth.groups), max(2.0, len(rows) / growth.per_group))
    least = len(rows) / most
    if target.ordered:
        found = _neighbours(counts, target.size, least, group)
    else:
        found = _labels(counts, target.size, least, group)
    if counts[target.size] > 0:
        group[target.size] = found
        found += 1
    return found


@kernel
def _dealt(column, rows, group_of, order, used, sorted_groups, ends):
    """Sort the groups of rows by bin, in the order given; `ends` says where each bin's rows end."""
    at = 0
    place = np.zeros(BINS, np.int64)
    for i in range(used):
        place[order[i]] = at
        at += ends[order[i]]
    for i in range(len(rows)):
        v = column[rows[i]]
        sorted_groups[place[v]] = group_of[i]
        place[v] += 1
    for v in range(BINS):
        ends[v] = place[v]


@kernel
def _swept(sorted_groups, order, used, ends, total, least, fewest, logs):
    """Return the best cut along an order of bins: how many bins go left, and the gain in nats."""
    rows, best, cut = len(sorted_groups), 0.0, -1
    left, right = np.zeros(len(total), np.int64), np.empty(len(total), np.int64)
    inside, outside = 0.0, 0.0
    for k in range(len(total)):
        right[k] = total[k]
        outside += total[k] * np.log(total[k]) if total[k] > 0 else 0.0
    base = outside - rows * np.log(rows)
    i = 0
    for q in range(used - 1):
        for at in range(i, ends[order[q]]):
            k = sorted_groups[at]
            inside += logs[left[k]]
            left[k] += 1
            right[k] -= 1
            outside -= logs[right[k]]
        i = ends[order[q]]
        fewer = min(i, rows - i)
        if fewer < fewest:
            continue
        gain = inside - i * np.log(i) + outside - (rows - i) * np.log(rows - i) - base
        if fewer < least:
            gain -= DEAR
        if gain > best:
            best, cut = gain, q
    return cut, best


@kernel
def _by_score(column, rows, group_of, scores, counts, order, used):
    """Sort the used bins of a nominal feature by the mean score of their rows' groups (insertion: they are few)."""
    mean = np.zeros(BINS)
    for i in range(len(rows)):
        mean[column[rows[i]]] += scores[group_of[i]]
    for v in range(BINS):
        if counts[v] > 0:
            mean[v] /= counts[v]
    for i in range(1, used):
        v, j = order[i], i
        while j > 0 and mean[order[j - 1]] > mean[v]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = v


@kernel
def _counted(column, rows, counts, order):
    """Count rows by bin, and list the bins that have some; return how many."""
    for v in range(BINS):
        counts[v] = 0
    for row in rows:
        counts[column[row]] += 1
    used = 0
    for v in range(BINS):
        if counts[v] > 0:
            order[used] = v
            used += 1
    return used


@kernel
def _mask(order, used, upto, left, mask):
    """Set the bits of the bins that go left; bins that the node has no rows of go where most of its rows go."""
    for k in range(4):
        mask[k] = ~np.uint64(0) if left else np.uint64(0)
    for i in range(used):
        bit = np.uint64(1) << np.uint64(order[i] & 63)
        if i <= upto:
            mask[order[i] >> 6] |= bit
        else:
            mask[order[i] >> 6] &= ~bit


@kernel
def _needed(growth, groups, used, nominal):
    """Return the gain that a split of a feature of so many bins must exceed, in nats.

    Chance alone gains half a nat for each degree of freedom. The best of many cuts gains more; where bins were sorted
    by the target itself, it gets the part of their variance that two halves of a normal distribution explain, 2/pi.
    """
    chance = 0.5 * (groups - 1)
    if used > 2:
        chance += (used - 1) / np.pi if nominal else 1.0
    return chance + growth.evidence * np.sqrt(chance)


@kernel
def best_split(features, rows, group_of, total, growth, least, logs, state, pick, mask):
    """Return the split of a node's rows that gains most, `mask` being set where its feature is nominal.

    Args:
        features: what can be split on.
        rows: the rows that are looked at.
        group_of: uint8, the group of each of these rows.
        total: rows of each group.
        growth: how the tree grows.
        least: the fewest of these rows on each side.
        logs: x ln x, differences of: entry i is what counting one row more than i adds.
        state: of the random numbers.
        pick: the numbers of all features, shuffled here.
        mask: uint64, 4.
    """
    best, beyond = Split(-1, 0, 0.0), 0.0
    counts, order = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    scores, sorted_groups = np.zeros(len(total)), np.empty(len(rows), np.uint8)
    wanted = max(1, int(np.ceil(growth.share * len(pick))))
    for j in range(wanted):
        chosen = j + int(draw(state) * (len(pick) - j))
        if j == 0 and growth.guided:
            chosen = np.argmax(pick)
        pick[j], pick[chosen] = pick[chosen], pick[j]
        feature = pick[j]
        nominal = features.nominal[feature]
        plain = growth.tries == 0 or not nominal or len(total) == 2
        for _ in range(1 if plain else growth.tries):
            used = _counted(features.bins[feature], rows, counts, order)
            if nominal:
                for k in range(len(total)):
                    scores[k] = k if plain else draw(state)
                _by_score(features.bins[feature], rows, group_of, scores, counts, order, used)
            _dealt(features.bins[feature], rows, group_of, order, used, sorted_groups, counts)
            fewest = max(1.0, growth.outstanding * least)
            cut, gain = _swept(sorted_groups, order, used, counts, total, least, fewest, logs)
            more = gain - _needed(growth, len(total), used, nominal)
            if cut >= 0 and more > beyond:
                beyond = more
                best = Split(feature, order[cut], gain)
                if nominal:
                    _mask(order, used, cut, 2 * counts[order[cut]] > len(rows), mask)
    return best
