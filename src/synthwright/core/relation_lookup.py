"""Columns that follow from others: the country from the city."""

from __future__ import annotations

import numpy as np

from synthwright.core.relation_columns import Columns, unlike
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted

EXPECTED, FEWEST = 30.0, 12.0
"""Rows in which an unrelated column would differ within a group, at least, for a dependency to mean something: of many
columns, and of two. Or so unlikely (as a natural logarithm) that it differs in none."""
GROUP = 3.0
"""Rows that share a determining value, on average."""
GROUPS = 5_000
"""Different values that a determining column may have."""
FIRST = 256
"""Rows on which all pairs are tried."""
PAIRS = 20_000
"""Pairs that are looked at more closely."""


def dependencies(columns: Columns, names: list[str]) -> list[Relation]:
    """Return which columns follow from which, without those that follow through a third."""
    follows: dict[tuple[str, str], int] = {}
    names = [n for n in names if len(np.unique(_present(columns.sampled_codes(n)))) > 1]
    expected = min(EXPECTED, FEWEST + 2 * float(np.log(max(len(names) * (len(names) - 1), 1))))
    for left, right in _candidates(columns, names):
        rows = _proved(columns, left, right, expected)
        if rows:
            follows[left, right] = rows
    return _reduced(follows, names)


def _present(codes: np.ndarray) -> np.ndarray:
    return codes[codes >= 0]


def _candidates(columns: Columns, names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of which the second follows from the first in the sample, whether that means much or not."""
    if not names:
        return []
    sample = np.stack([columns.sampled_codes(n) for n in names], axis=1).astype(np.int32)
    first = sample[:FIRST]
    out: list[tuple[str, str]] = []
    for i, name in enumerate(names):
        able = _holds(first, i, np.arange(len(names)))
        able = able[able != i]
        if len(able):
            able = _holds(sample, i, able)
        out += [(name, names[j]) for j in able]
        if len(out) >= PAIRS:
            break
    return out[:PAIRS]


def determined(sample: np.ndarray, lefts: int) -> list[tuple[int, int]]:
    """Return the pairs of which the second column has one code for each of the first's, in sampled rows.

    Args:
        sample: codes, -1 where there is no value; rows by columns.
        lefts: how many columns, from the first on, may determine; the others may be determined.
    """
    out: list[tuple[int, int]] = []
    rights = np.arange(lefts, sample.shape[1])
    for i in range(lefts):
        able = _holds(sample[:FIRST], i, rights)
        if len(able):
            out += [(i, int(j)) for j in _holds(sample, i, able)]
        if len(out) >= PAIRS:
            break
    return out[:PAIRS]


def _holds(sample: np.ndarray, left: int, right: np.ndarray) -> np.ndarray:
    """Return which of the columns `right` have one value for each of the column `left`, nulls aside."""
    codes = sample[:, left]
    rows = np.flatnonzero(codes >= 0)
    if not len(rows):
        return right[:0]
    order = rows[np.argsort(codes[rows], kind="stable")]
    good = np.ones(len(right), dtype=bool)
    same = codes[order][1:] == codes[order][:-1]
    for start in range(0, len(right), 256):
        block = sample[order][:, right[start : start + 256]]
        differs = (block[1:] != block[:-1]) & (block[1:] >= 0) & (block[:-1] >= 0)
        good[start : start + 256] = ~np.any(differs & same[:, None], axis=0)
    return right[good]


def _proved(columns: Columns, left: str, right: str, expected: float) -> int:
    """Return in how many rows both have values, if one follows from the other in all and chance would not do it."""
    one, other = columns.codes(left), columns.codes(right)
    keep = (one >= 0) & (other >= 0)
    one, other = one[keep], other[keep]
    rows = len(one)
    if not rows:
        return 0
    size = int(one.max()) + 1
    value = np.zeros(size, dtype=np.int64)
    value[one] = other
    if not np.array_equal(value[one], other):
        return 0
    groups = int(np.count_nonzero(np.bincount(one, minlength=size)))
    if groups > min(GROUPS, rows / GROUP) or (rows - groups) * _telling(other) < expected:
        return 0
    return rows


def _telling(codes: np.ndarray) -> float:
    """Return how much a row tells whose value is that of another: how rarely it differs, or how rare its value is."""
    return max(unlike(codes), -float(np.log(np.bincount(codes).max() / len(codes))))


def _reduced(follows: dict[tuple[str, str], int], names: list[str]) -> list[Relation]:
    """Return the dependencies that are left when columns that name each other speak through the first of them."""
    leader = {n: n for n in names}
    for one, other in follows:
        if names.index(one) < names.index(other) and (other, one) in follows and leader[one] == one:
            leader[other] = one if leader[other] == other else leader[other]
    rights: dict[str, set[str]] = {}
    for left, right in follows:
        if leader[left] == left and leader[right] == right:
            rights.setdefault(left, set()).add(right)
    kept = []
    for left, right in follows:
        if leader[left] == leader[right]:
            direct = leader[left] in (left, right)
        else:
            through = rights.get(left, set()) - {right}
            direct = right in rights.get(left, ()) and not any(right in rights.get(m, ()) for m in through)
        if direct:
            kept.append((left, right))
    return [
        _said(left, right, follows[left, right])
        for left, right in sorted(kept, key=lambda p: tuple(map(names.index, p)))
    ]


def _said(left: str, right: str, rows: int) -> Relation:
    return Relation(f"{quoted(left)} -> {quoted(right)}", right, (left,), rows)
