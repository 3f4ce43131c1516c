"""Tools of statistical disclosure control: correlated noise, and groups of near rows (microaggregation)."""

from __future__ import annotations

import numpy as np

PIECE = 10_000
"""Rows that are grouped together at most: larger tables are cut along their widest direction first."""


def spread(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column of finite values; NaN is left out, and no spread is 0."""
    there = ~np.isnan(values)
    many = np.maximum(there.sum(axis=0), 1)
    middle = np.where(there, values, 0.0).sum(axis=0) / many
    return np.asarray(np.sqrt((np.where(there, values - middle, 0.0) ** 2).sum(axis=0) / many))


def correlated(values: np.ndarray) -> np.ndarray:
    """Return a matrix that gives columns of independent noise the correlations of columns of values (NaN: the mean)."""
    there = ~np.isnan(values)
    middle = np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    apart = np.where(there, values - middle, 0.0)
    size = np.sqrt((apart**2).sum(axis=0))
    unit = apart / np.where(size > 0, size, 1.0)
    found = unit.T @ unit
    np.fill_diagonal(found, 1.0)
    weights, vectors = np.linalg.eigh(found)
    root = vectors * np.sqrt(np.maximum(weights, 0.0))
    return np.asarray(root / np.maximum(np.sqrt((root**2).sum(axis=1, keepdims=True)), 1e-12))


def groups_of(points: np.ndarray, weights: np.ndarray, least: int) -> np.ndarray:
    """Return the group of each point, such that those of a group are near and weigh at least so much.

    Maximum distance to average vector: the point farthest from the middle and the point farthest from that one each
    gather their nearest, until few are left. Reference: Domingo-Ferrer and Mateo-Sanz, Practical data-oriented
    microaggregation for statistical disclosure control, IEEE TKDE 14 (2002).

    Args:
        points: float64, points × coordinates.
        weights: how many rows each point stands for.
        least: what a group must weigh.
    """
    out = np.full(len(points), -1, dtype=np.int64)
    made = 0
    for piece in _pieces(points, weights, least):
        found = _grouped(points[piece], weights[piece], least)
        out[piece] = found + made
        made += int(found.max(initial=-1)) + 1
    return out


def _pieces(points: np.ndarray, weights: np.ndarray, least: int) -> list[np.ndarray]:
    """Return positions of points, cut in halves along the coordinate with the widest spread while there are many."""
    waiting, done = [np.arange(len(points))], list[np.ndarray]()
    while waiting:
        one = waiting.pop()
        if len(one) <= PIECE or weights[one].sum() < 4 * least:
            done.append(one)
            continue
        widest = int(np.argmax(points[one].std(axis=0)))
        order = one[np.argsort(points[one, widest], kind="stable")]
        waiting += [np.sort(order[: len(one) // 2]), np.sort(order[len(one) // 2 :])]
    return done


def _grouped(points: np.ndarray, weights: np.ndarray, least: int) -> np.ndarray:
    """Return the groups of a piece; a loop over groups, each step over the points that are left."""
    out = np.zeros(len(points), dtype=np.int64)
    left, made, last = np.arange(len(points)), 0, None
    while weights[left].sum() >= 2 * least:
        middle = np.average(points[left], axis=0, weights=weights[left]) if last is None else points[last]
        seed = left[int(np.argmax(_apart(points[left], middle)))]
        taken = _nearest(_apart(points[left], points[seed]), weights[left], least)
        out[left[taken]] = made
        made, last = made + 1, seed if last is None else None
        left = np.delete(left, taken)
    if weights[left].sum() >= least or made == 0:
        out[left] = made
    elif len(left):  # too few for a group of their own: each joins that of the nearest point
        others = np.delete(np.arange(len(points)), left)
        out[left] = [out[others[int(np.argmin(_apart(points[others], points[at])))]] for at in left]
    return out


def _apart(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    return np.asarray(((points - middle) ** 2).sum(axis=1))


def _nearest(far: np.ndarray, weights: np.ndarray, least: int) -> np.ndarray:
    """Return the nearest points that together weigh enough."""
    few = min(len(far), max(least, 1))
    near = np.argpartition(far, few - 1)[:few] if few < len(far) else np.arange(len(far))
    near = near[np.lexsort((near, far[near]))]
    many = int(np.searchsorted(np.cumsum(weights[near]), least)) + 1
    return near[:many]


def middles(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the mean of the rows of each group, NaN where none has a value."""
    there = ~np.isnan(values)
    size = int(group.max(initial=-1)) + 1
    many = np.bincount(group[there], minlength=size)
    sums = np.bincount(group[there], values[there], minlength=size)
    return np.where(many > 0, sums / np.maximum(many, 1), np.nan)


def modes(labels: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the most frequent label of each group, of several the least."""
    size, width = int(group.max(initial=-1)) + 1, int(labels.max(initial=0)) + 1
    pairs, counts = np.unique(group * width + labels, return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // width))
    first = order[np.searchsorted(pairs[order] // width, np.arange(size))]
    return np.asarray(pairs[first] % width)
