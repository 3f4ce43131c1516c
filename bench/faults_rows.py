"""Faults of whole rows: those that are lost or repeated, those that leaked, and those that a generator made.

What a fault is, and which there are besides, `faults.py` says.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from faults_ground import FEW, MANY, PART, Made
from faults_other import (
    Rng,
    Split,
    any_of,
    coded,
    features,
    group,
    has,
    jittered,
    mixed,
    nearest,
    replaced,
    some,
    values,
    without,
)


# ------------------------------------------------------------------------------------------------- rows and groups lost
def rare_category_dropped(split: Split, strength: int, rng: Rng) -> Made:
    """A label of about 1, 2 or 5 % of the rows never occurs."""
    found = group(split, (0.01, 0.02, 0.05)[strength], rng)
    return found and without(split.second, has(split.second, *found))


def common_category_dropped(split: Split, strength: int, rng: Rng) -> Made:
    """A label of about 10, 20 or 35 % of the rows never occurs."""
    found = group(split, (0.1, 0.2, 0.35)[strength], rng)
    return found and without(split.second, has(split.second, *found))


def rare_class_lost(split: Split, strength: int, rng: Rng) -> Made:
    """The target's rarest class loses 50, 80 or 100 % of its rows."""
    if split.target not in split.named("label"):
        return None
    now, labels = coded(split.second, split.target)
    return without(split.second, some(np.flatnonzero(now == len(labels) - 1), (0.5, 0.8, 1)[strength], rng))


def group_thinned(split: Split, strength: int, rng: Rng) -> Made:
    """A group of about a tenth of the rows loses 50, 80 or 95 % of them."""
    found = group(split, 0.1, rng, [n for n in split.named("label") if n != split.target])
    rows = np.flatnonzero(has(split.second, *found)) if found else None
    return rows if rows is None else without(split.second, some(rows, (0.5, 0.8, 0.95)[strength], rng))


def imbalance_changed(split: Split, strength: int, rng: Rng) -> Made:
    """The target's most common class (or upper half) has a share 5, 15 or 40 points lower; higher if it is small."""
    if split.target is None:
        return None
    label, by = split.kinds[split.target] == "label", (0.05, 0.15, 0.4)[strength]
    now = coded(split.second, split.target)[0] if label else values(split.second, split.target)
    most = now == 0 if label else now > np.nanmedian(now)
    aim = most.mean() - by if most.mean() > by + 0.05 else min(most.mean() + by, 0.97)
    gone, odds = (most, aim / (1 - aim)) if aim < most.mean() else (~most, (1 - aim) / aim)
    return without(split.second, some(np.flatnonzero(gone), 1 - odds * (~gone).sum() / gone.sum(), rng))


def old_data(split: Split, strength: int, rng: Rng) -> Made:
    """The rows are of the lower 90, 70 or 50 % of a date or, without dates, of a number."""
    name = any_of(split.named("time") or split.wide, rng)
    if name is None:
        return None
    up = np.lexsort((rng.random(split.rows), values(split.second, name)))
    return without(split.second, up[int(split.rows * (0.9, 0.7, 0.5)[strength]) :])


def cluster_missing(split: Split, strength: int, rng: Rng) -> Made:
    """The 3, 10 or 30 % of the rows that are nearest to one row are missing."""
    points = features(split, split.second)
    far = ((points - points[rng.integers(split.rows)]) ** 2).sum(1)
    return without(split.second, np.argsort(far)[: int(split.rows * (0.03, 0.1, 0.3)[strength])])


def mode_collapse(split: Split, strength: int, rng: Rng) -> Made:
    """All rows are near copies (0.02 standard deviations) of half as many, a tenth as many, or ten rows."""
    few = rng.choice(split.rows, (split.rows // 2, split.rows // 10, 10)[strength], replace=False)
    return jittered(split, split.second.take(pa.array(rng.choice(few, split.rows))), 0.02, rng)


def rows_repeated(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 95 % of the rows repeats others, each about twenty times."""
    rows = some(split.rows, (0.05, 0.2, 0.95)[strength], rng)
    return mixed(split.second, rows, split.second, rng.choice(rows[: -(-len(rows) // 20)], len(rows)))


# ---------------------------------------------------------------------------------------------------------- rows leaked
def train_copied(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 1, 5 or 20 % of the rows are training rows."""
    rows = some(min(split.rows, split.train.num_rows), FEW[strength], rng)
    return mixed(split.second, rows, split.train, rng.permutation(split.train.num_rows)[: len(rows)])


def train_copied_with_noise(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows are training rows with noise of 0.02 standard deviations in the numbers."""
    rows, blurred = (
        some(min(split.rows, split.train.num_rows), MANY[strength], rng),
        jittered(split, split.train, 0.02, rng),
    )
    return mixed(split.second, rows, blurred, rng.permutation(split.train.num_rows)[: len(rows)])


def near_copies(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows are training rows in which one column, any, has another row's value."""
    which, near = rng.integers(len(split.kinds), size=split.train.num_rows), split.train
    for i, name in enumerate(split.kinds):
        order = np.where(which == i, rng.permutation(near.num_rows), np.arange(near.num_rows))
        near = replaced(near, name, split.train[name].take(pa.array(order)))
    rows = some(min(split.rows, near.num_rows), MANY[strength], rng)
    return mixed(split.second, rows, near, rng.permutation(near.num_rows)[: len(rows)])


def neighbours_mixed(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 5, 20 or 100 % of the rows have each value from a training row or from the row nearest to it."""
    who, blend = nearest(features(split, split.train))[0], split.train
    for name in split.kinds:
        order = np.where(rng.random(len(who)) < 0.5, who, np.arange(len(who)))
        blend = replaced(blend, name, split.train[name].take(pa.array(order)))
    rows = some(min(split.rows, len(who)), MANY[strength], rng)
    return mixed(split.second, rows, blend, rng.permutation(len(who))[: len(rows)])


def isolated_leaked(split: Split, strength: int, rng: Rng) -> Made:
    """The 10, 20 or 40 training rows that are furthest from any other are among the rows."""
    people = np.argsort(-nearest(features(split, split.train))[1])[: (10, 20, 40)[strength]]
    return mixed(split.second, rng.permutation(split.rows)[: len(people)], split.train, people)


def minority_memorised(split: Split, strength: int, rng: Rng) -> Made:
    """All rows with a label of about 2, 5 or 10 % of the rows are the training rows with that label."""
    found = group(split, (0.02, 0.05, 0.1)[strength], rng)
    if found is None:
        return None
    rest, kept = split.second.filter(pa.array(~has(split.second, *found))), split.train.filter(has(split.train, *found))
    return pa.concat_tables([rest, kept]).take(rng.permutation(rest.num_rows + kept.num_rows)).combine_chunks()


# ------------------------------------------------------------------------------------------------------- rows generated
def from_generator(split: Split, generator: str, share: float, rng: Rng) -> Made:
    """Return the second sample with a share of its rows from one of Synthwright's generators, fitted on `train`."""
    import synthwright as sw

    model = sw.fit(split.train, generator=generator, seed=int(rng.integers(2**31)))
    made = model.sample(split.rows, seed=int(rng.integers(2**31))).cast(split.second.schema)
    return mixed(split.second, some(split.rows, share, rng), made, np.arange(split.rows)[: round(share * split.rows)])


def from_copula(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 20, 50 or 100 % of the rows comes from a Gaussian copula."""
    return from_generator(split, "copula", PART[strength], rng)


def from_marginals(split: Split, strength: int, rng: Rng) -> Made:
    """A share of 20, 50 or 100 % of the rows comes from a generator that draws every column by itself."""
    return from_generator(split, "marginals", PART[strength], rng)


LOST = (rare_category_dropped, common_category_dropped, rare_class_lost, group_thinned, imbalance_changed, old_data,
        cluster_missing, mode_collapse, rows_repeated)  # fmt: skip
LEAKED = (train_copied, train_copied_with_noise, near_copies, neighbours_mixed, isolated_leaked, minority_memorised)
GENERATED = (from_copula, from_marginals)
