"""Correlation matrices from pairs: whether there are such correlations, and if not, which are the nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

_LEAST = 1e-8
"""The least eigenvalue that a matrix must have."""
_MARGIN = 1e-4
_ROUNDS = 200


def pair(said: str, names: Sequence[str]) -> tuple[int, int] | None:
    """Return which two columns `age~income` names, by position; None where it names no two."""
    place = {name: i for i, name in enumerate(names)}
    parts = said.split("~")
    for i in range(1, len(parts)):
        one, other = "~".join(parts[:i]).strip(), "~".join(parts[i:]).strip()
        if one in place and other in place and one != other:
            return place[one], place[other]
    return None


def matrix(said: Mapping[str, float], names: Sequence[str], *, ranks: bool) -> np.ndarray:
    """Return the correlations of normal scores; pairs that are not said have none.

    Args:
        said: correlations of pairs, `{age~income: 0.4}`.
        names: the columns.
        ranks: whether they are Spearman's, of ranks; else those of the normal scores themselves.
    """
    found = np.eye(len(names))
    for words, value in said.items():
        places = pair(words, names)
        if places is not None:
            scores = 2 * np.sin(np.pi / 6 * value) if ranks else value
            found[places], found[places[::-1]] = scores, scores
    return found


def possible(correlations: np.ndarray) -> bool:
    """Return whether a matrix can be one of correlations: positive definite."""
    return not len(correlations) or bool(np.linalg.eigvalsh(correlations)[0] > _LEAST)


def root(correlations: np.ndarray) -> np.ndarray:
    """Return the lower triangle that makes correlated scores from independent ones."""
    return np.linalg.cholesky(correlations)


def nearest(correlations: np.ndarray) -> np.ndarray:
    """Return the nearest matrix of correlations to one that is none, a little inside of what is possible.

    By alternating projections (Higham 2002, Computing the nearest correlation matrix).
    """
    found, change = correlations.copy(), np.zeros_like(correlations)
    for _ in range(_ROUNDS):
        start = found - change
        values, vectors = np.linalg.eigh(start)
        inside = (vectors * np.maximum(values, _MARGIN)) @ vectors.T
        change = inside - start
        found = inside.copy()
        np.fill_diagonal(found, 1.0)
    return found


def advice(correlations: np.ndarray, names: Sequence[str], *, ranks: bool) -> dict[str, float]:
    """Return pairs and correlations, to two decimals, that are possible and as near as may be to those that are not."""
    near = nearest(correlations)
    for shrink in (1.0, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5):
        said: dict[str, float] = {}
        for i, j in combinations(range(len(names)), 2):
            scores = np.clip(near[i, j] * shrink, -1, 1)
            value = round(float(np.arcsin(scores / 2) * 6 / np.pi if ranks else scores), 2)
            if value:
                said[f"{names[i]}~{names[j]}"] = value
        if possible(matrix(said, names, ranks=ranks)):
            return said
    return {}
