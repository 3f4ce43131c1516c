"""Columns that are counted or picked from several others: how many are not zero or there, their mean, the best of them.

A total score, the average of marks, the number of products that a customer has, the best of three attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from synthwright.core.relation_columns import Columns, turned
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import nulls

MOST = 60
"""Columns among which others are counted or picked."""
SAMPLE = 400
"""Rows on which coefficients are estimated."""
LEAST = 20
"""Rows that would break the relation, at least, if the column had another row's value."""
_CLOSE = 1e-6


def counted_or_picked(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the columns that are counts, means, amounts without sign, or the greatest or least of others.

    Args:
        columns: the table.
        names: the ordered columns that follow from no others.
    """
    able = [n for n in names if columns.family(n) == "number" and columns.exact(n)][:MOST]
    present = {n: ~np.isnan(columns.numbers(n)) for n in able}
    whole = [n for n in able if present[n].all()]
    out: list[Relation] = []
    for target in able:
        made = {r.column for r in out}
        rest = [n for n in able if n != target and n not in made]
        tries = (_without_sign, _picked, _mean) if columns.spec.fields[target].kind is not Kind.INTEGER else (
            _without_sign, _picked, _nonzero, _there)  # fmt: skip
        if target not in whole or not _varied(columns.numbers(target)):
            continue
        found = (r for attempt in tries for r in attempt(columns, target, rest))
        out += [r for r in islice(found, 1) if not _used(r.column, out)]
    return out


def _used(column: str, found: list[Relation]) -> bool:
    """Return whether others are made of a column: it is then none that is made of them."""
    return any(column in r.others for r in found)


def _varied(values: np.ndarray) -> bool:
    return len(values) >= LEAST and float(np.ptp(values)) > 0


def _without_sign(columns: Columns, target: str, names: list[str]) -> Iterator[Relation]:
    """Yield the target as another column without its sign."""
    own = columns.numbers(target)
    for name in names if (own >= 0).all() else ():
        other = columns.numbers(name)
        if (other < 0).sum() >= LEAST and np.array_equal(np.abs(other), own):
            yield Relation(f"{quoted(target)} == abs({quoted(name)})", target, (name,), len(own))


def _picked(columns: Columns, target: str, names: list[str]) -> Iterator[Relation]:
    """Yield the target as the greatest or the least of others, of those that are there."""
    own = columns.numbers(target)
    for function, beyond in (("max", np.less_equal), ("min", np.greater_equal)):
        able = [n for n in names if _always(beyond, columns.numbers(n), own)]
        parts = _needed(columns, able, own)
        if len(parts) < 2:
            continue
        best = _extreme(function, [columns.numbers(n) for n in parts])
        others = _extreme(function, [turned(columns.numbers(n)) for n in parts])
        if np.array_equal(best, own) and (others != own).sum() >= LEAST:
            said = ", ".join(map(quoted, parts))
            yield Relation(f"{quoted(target)} == {function}({said})", target, tuple(parts), len(own))


def _always(beyond: Callable[..., np.ndarray], values: np.ndarray, own: np.ndarray) -> bool:
    return bool(np.all(beyond(values, own) | np.isnan(values)))


def _extreme(function: str, values: list[np.ndarray]) -> np.ndarray:
    return np.asarray((np.fmax if function == "max" else np.fmin).reduce(values))


def _needed(columns: Columns, able: list[str], own: np.ndarray) -> list[str]:
    """Return the columns that say the value of the target in enough rows in which no other one does."""
    equal = {n: columns.numbers(n) == own for n in able}
    times = np.sum(list(equal.values()), axis=0) if equal else np.zeros(len(own))
    return [n for n in able if (equal[n] & (times == 1)).sum() >= max(3, 0.01 * len(own))]


def _mean(columns: Columns, target: str, names: list[str]) -> Iterator[Relation]:
    """Yield the target as the rounded mean of others."""
    own, rounding = columns.numbers(target), columns.rounding(target)
    low, high = float(own.min()), float(own.max())
    able = [n for n in names if _overlaps(columns.numbers(n), low, high)]
    if not rounding or len(able) < 2:
        return
    matrix = np.stack([columns.numbers(n) for n in able], axis=1)
    weights = np.linalg.lstsq(*_sampled(matrix, own), rcond=None)[0]
    parts = [n for n, w in zip(able, weights, strict=True) if w > 0.5 * weights.max()]
    if len(parts) < 2:
        return
    mean = np.sum([columns.numbers(n) for n in parts], axis=0) / len(parts)
    allowed = rounding * (1 + 1e-9) + 1e-12 * np.abs(own)
    if np.all(np.abs(mean - own) <= allowed) and (np.abs(turned(mean) - own) > allowed).sum() >= LEAST:
        said = " + ".join(map(quoted, parts))
        yield Relation(f"{quoted(target)} == ({said}) / {len(parts)}", target, tuple(parts), len(own))


def _overlaps(values: np.ndarray, low: float, high: float) -> bool:
    return bool(not np.isnan(values).any() and values.min() <= high and values.max() >= low and np.ptp(values) > 0)


def _sampled(matrix: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.unique(np.linspace(0, len(own) - 1, min(len(own), SAMPLE)).astype(np.int64))
    return matrix[rows].astype(np.float64), own[rows]


def _nonzero(columns: Columns, target: str, names: list[str]) -> Iterator[Relation]:
    """Yield the target as how many of others are not zero."""
    marks = {}
    for name in names:
        values = columns.numbers(name)
        if not np.isnan(values).any() and _both(values != 0):
            marks[f"({quoted(name)} {'!=' if (values < 0).any() else '>'} 0)"] = (name, values != 0)
    yield from _summed(columns, target, marks)


def _there(columns: Columns, target: str, _: list[str]) -> Iterator[Relation]:
    """Yield the target as how many of others, of any kind, have a value, or have none."""
    own, held = columns.numbers(target), columns.held
    if own.min() < 0 or own.max() > MOST:
        return
    gaps = (n for n, column in zip(held.column_names, held.columns, strict=True) if column.null_count)
    missing = {n: nulls(held.column(n)) for n in islice((n for n in gaps if n in columns.spec.fields), MOST)}
    missing = {n: m for n, m in missing.items() if _both(m)}
    for said, there in (("is not null", True), ("is null", False)):
        yield from _summed(columns, target, {f"({quoted(n)} {said})": (n, m ^ there) for n, m in missing.items()})


def _both(marks: np.ndarray) -> bool:
    """Return whether something is true in some rows and false in others."""
    return 3 <= int(marks.sum()) <= len(marks) - 3


def _summed(columns: Columns, target: str, marks: dict[str, tuple[str, np.ndarray]]) -> Iterator[Relation]:
    """Yield the target as the number of marks that are true, where it is that in every row."""
    own = columns.numbers(target)
    if len(marks) < 2 or own.min() < 0 or own.max() > len(marks):
        return
    matrix = np.stack([m for _, m in marks.values()], axis=1)
    weights = np.linalg.lstsq(*_sampled(matrix, own), rcond=None)[0]
    if np.abs(weights - np.rint(weights)).max() > _CLOSE or not set(np.rint(weights)) <= {0.0, 1.0}:
        return
    parts = [said for said, w in zip(marks, weights, strict=True) if w > 0.5]
    counts = np.sum([marks[said][1] for said in parts], axis=0)
    if len(parts) > 1 and np.array_equal(counts, own) and (counts != turned(own)).sum() >= LEAST:
        rule = f"{quoted(target)} == {' + '.join(parts)}"
        yield Relation(rule, target, tuple(marks[said][0] for said in parts), len(own))
