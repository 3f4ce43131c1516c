"""How differently two columns depend on each other in held-out rows and in others: one measure for all kinds.

Two columns with an order: half the difference of their rank correlations (Spearman's, so that an outlier has no
weight), or the total variation distance of which of the two is null, whichever is larger. Other pairs: the total
variation distance of their contingency tables; columns with an order are cut into ten bins that hold equally many
held-out rows, labels beyond the twenty most frequent are one, and null is a label.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import Column, numbers
from synthwright.kit.measuring.replicas import Replicas
from synthwright.kit.measuring.stats import coarse, midranks, total_variation

_BINS = 10
_LABELS = 20


class Ranks(NamedTuple):
    """Where values stand, NaN where null."""

    real: np.ndarray
    """Among the held-out rows."""
    apart: np.ndarray
    """Of synthetic rows among these, of the second real sample among those."""
    pooled: np.ndarray
    """Of both among both."""


class Coded(NamedTuple):
    """A column of held-out and of other rows, as the distances need it."""

    codes: tuple[np.ndarray, np.ndarray]
    """Bins or labels; the last is null."""
    size: int
    ranks: Ranks | None
    """None for labels."""
    missing: bool
    """Whether any row has a null."""


def code(real: Column, other: Column, synthetic: int, field: Field) -> Coded:
    """Return a column as distances need it.

    Args:
        real: of held-out rows.
        other: of synthetic rows first, then of the second real sample.
        synthetic: how many of the other rows are synthetic.
        field: what the values mean; it has an order, or labels.
    """
    if field.kind not in ORDERED:
        one, two, size = coarse(real, other, _LABELS, ordered=False)
        return Coded((one, two), size, None, missing=False)
    one, two, size = coarse(real, other, _BINS, ordered=True)
    held, others = numbers(real), numbers(other)
    apart = np.concatenate([_ranked(others[:synthetic]), _ranked(others[synthetic:])])
    missing = bool(np.isnan(held).any() or np.isnan(others).any())
    return Coded((one, two), size, Ranks(_ranked(held), apart, _ranked(others)), missing)


def distance(a: Coded, b: Coded, replicas: Replicas, *, beyond: bool = False) -> np.ndarray:
    """Return the replicates of the distance of a pair.

    Args:
        a: one column.
        b: another.
        replicas: how the rows are dealt.
        beyond: whether of contingency tables only that counts which their margins do not say: the shares less those
            of independent columns. Where few rows decide the values of many, their margins stray far, and would drown
            what the columns have to do with each other.
    """
    if a.ranks is None or b.ranks is None:
        return _contingency((a.codes, b.codes), (a.size, b.size), replicas, beyond=beyond)
    found = replicas.correlated(*zip(a.ranks, b.ranks, strict=True))
    if not (a.missing or b.missing):
        return found
    nulls = [tuple((c == coded.size - 1).astype(np.int64) for c in coded.codes) for coded in (a, b)]
    return np.asarray(np.maximum(found, _contingency((nulls[0], nulls[1]), (2, 2), replicas, beyond=beyond)))


def _ranked(values: np.ndarray) -> np.ndarray:
    return midranks(values, np.sort(values[~np.isnan(values)]))


def _contingency(codes: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]], sizes: tuple[int, int],
                 replicas: Replicas, *, beyond: bool) -> np.ndarray:  # fmt: skip
    """Return the replicates of the total variation distance of two contingency tables."""
    one, two = (x * sizes[1] + y for x, y in zip(*codes, strict=True))
    if not beyond:
        return replicas.labelled(one, two, sizes[0] * sizes[1])

    def apart(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return total_variation(_beyond(left, sizes), _beyond(right, sizes))

    return replicas.counted(one, two, sizes[0] * sizes[1], apart)


def _beyond(shares: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """Return the shares of a table's cells (the last axis) less what they were if rows and columns were independent."""
    cells = shares.reshape(*shares.shape[:-1], *sizes)
    alone = cells.sum(axis=-1, keepdims=True) * cells.sum(axis=-2, keepdims=True)
    return np.asarray((cells - alone).reshape(shares.shape))
