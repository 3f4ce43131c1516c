"""Whole numbers below or above what others are divided by: minutes begun, boxes needed, the decade of a year."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from synthwright.core.relation_columns import Columns, turned
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.rules import quoted

MOST = 30
"""Columns of each sort that are compared."""
LEVELS = 4
"""Different numbers that a column of steps has, at least."""
NEAR = 0.8
"""Correlation from which on two columns are looked at."""
LEAST = 20
"""Rows that would break the relation, at least, if they had another row's value."""
DIGITS = 3
"""Significant digits of what is divided by."""
_WIDE = 1.3
_CLOSE, _TINY, _SMALL = 1e-9, 1e-6, 1e-30
_SIDES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"floor": np.floor, "ceil": np.ceil}


def stepped(columns: Columns, names: list[str], targets: list[str]) -> list[Relation]:
    """Return the columns that are whole steps of another one: `minutes == ceil(seconds / 60)`, in every row.

    Args:
        columns: the table.
        names: the ordered columns that steps may be counted in.
        targets: the ordered columns that follow from no others.
    """
    able = {n: columns.sampled(n) for n in names if columns.family(n) == "number" and columns.exact(n)}
    many = {n: len(np.unique(v[~np.isnan(v)])) for n, v in able.items()}
    out: dict[str, Relation] = {}
    for target in [n for n in targets if many.get(n, 0) >= LEVELS][:MOST]:
        finer = sorted((n for n in able if many[n] > many[target] and n not in out), key=lambda n: -many[n])
        for source in finer[:MOST]:
            found = _steps(columns, source, target)
            if found is not None:
                out[target] = found
                break
    return list(out.values())


def _steps(columns: Columns, source: str, target: str) -> Relation | None:
    """Return the target as whole steps of the source, if it is, and could not be by chance."""
    x, y = columns.sampled(source), columns.sampled(target)
    there = ~np.isnan(x)
    if there.sum() < LEAST or not np.array_equal(there, ~np.isnan(y)):
        return None
    x, y = x[there], y[there]
    size = float(f"{np.diff(np.unique(y)).min():.9g}")
    with np.errstate(all="ignore"):  # numbers too large, or too small, for squares
        apart = (y - y.min()) / size
        alike = abs(float(np.corrcoef(x, y)[0, 1]))
        slope = float(np.cov(x, y)[0, 1] / np.var(x, ddof=1)) / size
    if not alike >= NEAR or not _SMALL < abs(slope) < 1 / _SMALL or np.any(np.abs(apart - np.rint(apart)) > _TINY):
        return None
    whole, steps = columns.numbers(source), columns.numbers(target)
    keep = ~np.isnan(whole)
    if not np.array_equal(keep, ~np.isnan(steps)):
        return None
    for side, wide in ((s, float(np.copysign(w, slope))) for w in _widths(abs(1 / slope)) for s in _SIDES):
        added = _added(side, x, y, wide, size)
        if added is None or _added(side, whole[keep], steps[keep], wide, size) != added:
            continue
        line = wide, size, added
        if _broken(side, whole[keep], steps[keep], line) < LEAST:
            return None
        return Relation(_said(quoted(target), quoted(source), side, line), target, (source,), int(keep.sum()))
    return None


def _widths(about: float) -> Iterator[float]:
    """Yield numbers near to one, the roundest first."""
    seen: set[float] = set()
    for digits in range(DIGITS):
        unit = 10.0 ** (np.floor(np.log10(about)) - digits)
        numbers = np.arange(np.ceil(about / _WIDE / unit), np.floor(about * _WIDE / unit) + 1)
        for number in sorted(numbers, key=lambda n: abs(n * unit - about)):
            wide = float(f"{number * unit:.{digits + 1}e}")
            if wide not in seen:
                seen.add(wide)
                yield wide


def _made(side: str, x: np.ndarray, wide: float) -> np.ndarray:
    """Return the whole number of steps, as rules count them."""
    steps = x / wide
    near = np.rint(steps)
    return np.where(np.abs(steps - near) <= _CLOSE * np.maximum(np.abs(near), 1), near, _SIDES[side](steps))


def _added(side: str, x: np.ndarray, y: np.ndarray, wide: float, size: float) -> float | None:
    """Return what must be added to steps in every row; None where it is not the same."""
    left = y - size * _made(side, x, wide)
    return float(f"{left[0]:.9g}") if np.all(np.abs(left - left[0]) <= _TINY * size) else None


def _broken(side: str, x: np.ndarray, y: np.ndarray, line: tuple[float, float, float]) -> int:
    wide, size, added = line
    return int(np.sum(np.abs(size * _made(side, turned(x), wide) + added - y) > _TINY * size))


def _said(target: str, source: str, side: str, line: tuple[float, float, float]) -> str:
    wide, size, added = line
    steps = f"{side}({source})" if wide == 1 else f"{side}({source} / {plain(wide)})"
    steps = steps if size == 1 else f"{plain(size)} * {steps}"
    return f"{target} == {steps}" + (f" {'+' if added > 0 else '-'} {plain(abs(added))}" if added else "")
