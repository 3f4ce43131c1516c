"""Pairs of rows of two tables: that agree in some columns, and that differ from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import labels, nulls
from synthwright.kit.sampling.degrees import Targets

_ROUNDS = 12
"""How often all rows that met a target which their owner has already draw again, before the slow way is taken."""
_CELLS = 2**20
"""Owners times targets that are looked at together."""


def agreeing(theirs: Sequence[pa.ChunkedArray], mine: Sequence[pa.ChunkedArray]) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers (0, 1, 2 …) for the rows of two tables, equal where all these columns are equal.

    Rows without a value have -1; rows of the second table whose values no row of the first has have -2.
    """
    one, two = np.zeros(len(theirs[0]), np.int64), np.zeros(len(mine[0]), np.int64)
    none, without, strange = (np.zeros(len(a), dtype=bool) for a in (one, two, two))
    for i, (there, here) in enumerate(zip(theirs, mine, strict=True)):
        codes, distinct = labels(there)
        found = pc.fill_null(pc.index_in(here, value_set=distinct).cast(pa.int64()), -1).to_numpy()
        none, without, strange = none | (codes < 0), without | nulls(here), strange | (found < 0)
        one, two = one * len(distinct) + codes, two * len(distinct) + found
        if i:  # small numbers again, so that those of many columns stay small enough
            known = np.unique(one[~none])
            strange |= ~_among(two, known)
            one, two = np.searchsorted(known, one), np.searchsorted(known, two)
    return np.where(none, -1, one), np.where(without, -1, np.where(strange, -2, two))


def in_groups(groups: np.ndarray) -> np.ndarray:
    """Return the rows of the groups 0, 1, 2 …, each in the order they stand in; those of -1 not at all."""
    small = groups.astype(np.int16) if groups.max(initial=0) < 2**15 else groups  # which numpy sorts far faster
    return np.argsort(small, kind="stable")[int(np.count_nonzero(groups < 0)) :]


def crowded(owner: np.ndarray, group: np.ndarray, targets: Targets, taken: np.ndarray) -> np.ndarray:
    """Return for each row how many targets its owner lacks in the row's group; see `differing`."""
    both = owner * (len(targets.begins) - 1) + group
    codes, which, wanted = np.unique(both, return_inverse=True, return_counts=True)
    there = targets.able()[codes % (len(targets.begins) - 1)]
    spoilt = np.unique(taken)
    spoilt = spoilt[targets.weights[spoilt % targets.size] > 0]
    where = np.searchsorted(targets.begins, spoilt % targets.size, side="right") - 1
    mine = spoilt // targets.size * (len(targets.begins) - 1) + where
    at = np.minimum(np.searchsorted(codes, mine), len(codes) - 1)
    there = there - np.bincount(at[codes[at] == mine], minlength=len(codes))
    lacking: np.ndarray = np.maximum(wanted - there, 0)[which]
    return lacking


def differing(
    rng: np.random.Generator, owner: np.ndarray, group: np.ndarray, targets: Targets, taken: np.ndarray
) -> np.ndarray:
    """Return a target for each row, int64, so that no owner gets one twice.

    For each owner they are drawn one after the other, each in proportion to the weights of those it does not have yet
    (successive sampling). That is what drawing again gives wherever a target comes up a second time, whatever the order
    of the rows. Where many draws would be in vain, because an owner gets nearly all, the rest is drawn as a race: who
    arrives first, at exponential times with the weights as speeds, has the same law (Efraimidis and Spirakis 2006).

    Args:
        rng: the randomness.
        owner: whose each row is: int64 from 0.
        group: from which group of the targets each row's comes: int64.
        targets: enough of them: `crowded` is 0 in every row.
        taken: pairs that are out of the question, as owner × number of targets + target.
    """
    found = np.empty(len(owner), dtype=np.int64)
    todo, held = np.arange(len(owner)), np.unique(taken)
    for _ in range(_ROUNDS):
        if not len(todo):
            return found
        drawn = targets.draw(rng, group[todo], len(todo))
        pairs, first = np.unique(owner[todo] * targets.size + drawn, return_index=True)
        fresh = ~_among(pairs, held)
        rows = first[fresh]
        found[todo[rows]] = drawn[rows]
        held = np.sort(np.concatenate([held, pairs[fresh]]))
        todo = np.delete(todo, rows)
    for one in np.unique(group[todo]):
        rows = todo[group[todo] == one]
        rows = rows[np.argsort(owner[rows], kind="stable")]
        found[rows] = _race(rng, owner[rows], targets, int(one), held)
    return found


def _race(rng: np.random.Generator, owner: np.ndarray, targets: Targets, group: int, held: np.ndarray) -> np.ndarray:
    """Return for each row, sorted by owner, one of the targets of a group that arrive first and its owner lacks."""
    first, stop = int(targets.begins[group]), int(targets.begins[group + 1])
    weights = targets.weights[first:stop]
    owners, counts = np.unique(owner, return_counts=True)
    block = max(1, _CELLS // (stop - first))
    found = []
    for low in range(0, len(owners), block):
        mine, many = owners[low : low + block], counts[low : low + block]
        with np.errstate(divide="ignore"):
            times = rng.standard_exponential((len(mine), stop - first)) / weights
        pairs = mine[:, None] * targets.size + np.arange(first, stop)
        times[_among(pairs.ravel(), held).reshape(pairs.shape)] = np.inf
        order = np.argsort(times, axis=1, kind="stable")
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        found.append(first + order[np.repeat(np.arange(len(mine)), many), within])
    return np.concatenate(found)


def _among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return which values are among others, which are sorted."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    same: np.ndarray = known[at] == values
    return same
