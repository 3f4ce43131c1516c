"""Bands: labels each of which stands for one stretch of an ordered column, such as age groups, grades and brackets."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import numpy as np

SHARED = 3
"""Rows that must have a label before it is kept."""


class Bands(NamedTuple):
    """Labels in the order of the values they stand for, and where each but the first begins."""

    codes: np.ndarray
    begins: np.ndarray


def bands_of(values: np.ndarray, codes: np.ndarray) -> Bands | None:
    """Return the bands of labels (codes from 0 on) along values, none of them missing; nothing where there are none.

    Labels of too few rows are passed over. A band begins at the roundest number between its values and those before.
    """
    counts = np.bincount(codes)
    kept = counts[codes] >= SHARED
    order = np.argsort(values[kept], kind="stable")
    values, codes = values[kept][order], codes[kept][order]
    change = np.flatnonzero(codes[1:] != codes[:-1])
    labels = len(np.unique(codes))
    if labels < 2 or len(change) != labels - 1 or np.any(values[change] == values[change + 1]):
        return None
    begins = [_roundest(values[i], values[i + 1]) for i in change]
    return Bands(codes[np.append(0, change + 1)], np.array(begins))


def _roundest(low: float, high: float) -> float:
    """Return the number above one and not above another that has the fewest digits."""
    if low < 0 <= high:
        return 0.0
    for place in range(20, -20, -1):
        size = Decimal(1).scaleb(place)
        first = (Decimal(float(high)) // size) * size if high >= 0 else -(-Decimal(float(high)) // size + 1) * size
        for said in (float(first + size), float(first)):
            if low < said <= high:
                return said
    return float(high)
