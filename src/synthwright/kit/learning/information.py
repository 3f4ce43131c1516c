"""How much one small code tells of others."""

from __future__ import annotations

import numpy as np

PIECE = 200_000
"""Values that are compared at a time."""


def cut_evenly(values: np.ndarray, parts: int = 8) -> np.ndarray:
    """Return for each value one of a few numbers, cut where equally many lie."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, parts + 1)[1:-1]))
    return np.searchsorted(edges, values)


def information(one: np.ndarray, two: np.ndarray) -> float:
    """Return the mutual information of two small codes, in nats, less what chance alone would show."""
    return float(informations(one, two[None])[0])


def informations(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the mutual information of a small code with each of others (codes × rows), less what chance would show."""
    most = others.max(axis=1).astype(np.int64) + 1
    height, width = int(one.max()) + 1, int(most.max())
    places = (np.arange(len(others))[:, None] * height + one) * width + others
    table = np.bincount(places.ravel(), minlength=len(others) * height * width).reshape(-1, height, width) / len(one)
    apart = table.sum(axis=2, keepdims=True) * table.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(table > 0, table * np.log(table / apart), 0.0)
    found: np.ndarray = parts.sum(axis=(1, 2)) - (height - 1) * (most - 1) / (2 * len(one))
    return found
