"""Columns that are another one times the rate of a class: tax by kind of goods, a price by product, a fee by plan."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from synthwright.core.relation_columns import Columns, turned
from synthwright.core.relation_equal import Relation, plain
from synthwright.core.relation_fits import Fit, through
from synthwright.core.relation_nulls import literal
from synthwright.core.relation_products import room_of
from synthwright.core.rule_tokens import LONGEST
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind
from synthwright.core.values import labels

CLASSES = 40
"""Classes that a rate may follow, at most."""
SHARED = 3
"""Rows of a class, at least: what is said about it is no secret of fewer."""
TOLD = 5
"""Rows of a class that tell its rate, on average, at least."""
LEAST = 20
"""Rows that would break the relation, at least, if the class, or the amount, were another row's."""
MOST, SEEN = 16, 200
"""Columns of each sort that are tried; columns among which classes are looked for."""
SAMPLE = 300
"""Rows on which all are tried."""


class _Class(NamedTuple):
    """A column that rates may follow."""

    name: str
    codes: np.ndarray
    words: list[str]
    """Its values as rules write them."""


def by_class(columns: Columns, targets: list[str], amounts: list[str], found: list[Relation]) -> list[Relation]:
    """Return the columns that are another one times a number, plus a number, that both follow from a class.

    Args:
        columns: the table.
        targets: the ordered columns that follow from no others.
        amounts: the ordered columns that they may be made of.
        found: what is known already: columns that stand in it together are not tried.
    """
    able = (n for n in amounts if columns.family(n) == "number" and columns.exact(n))
    spread = [*islice((n for n in able if len(np.unique(columns.sampled(n))) > CLASSES), MOST)]
    classes = [*islice((c for n in _few(columns) if (c := _class(columns, n)) is not None), MOST)] if spread else []
    known = {frozenset((one, other)) for r in found for one in (r.column, *r.others) for other in r.others}
    tries = ((t, s, c) for t in spread if t in targets for s in spread if s != t for c in classes
             if c.name not in (s, t) and frozenset((s, t)) not in known)  # fmt: skip
    with np.errstate(all="ignore"):  # what overflows fits nothing
        rated = [r for t, s, c in tries if (r := _rated(columns, t, s, c)) is not None]
    out: list[Relation] = []
    for best in sorted(rated, key=lambda r: len(r.rule)):  # of two directions the one with rounder numbers
        if not any(best.column in (r.column, *r.others) or r.column in best.others for r in out):
            out.append(best)
    return out


def _few(columns: Columns) -> list[str]:
    kinds = (Kind.CATEGORY, Kind.BOOLEAN, Kind.INTEGER)
    names = [n for n in columns.discrete() if columns.spec.fields[n].kind in kinds][:SEEN]
    return [n for n in names if 2 <= len(np.unique(columns.sampled_codes(n))) <= CLASSES + 1]


def _class(columns: Columns, name: str) -> _Class | None:
    codes, distinct = labels(columns.held.column(name))
    words = [literal(v) for v in distinct.to_pylist()]
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    if not 2 <= len(words) <= CLASSES or any(w is None for w in words) or counts.min() < SHARED:
        return None
    return _Class(name, codes, [w for w in words if w is not None])


def _rated(columns: Columns, target: str, source: str, by: _Class) -> Relation | None:
    """Return the relation of a target to an amount and a class, if it holds in every row and both matter."""
    some = np.unique(np.linspace(0, columns.rows - 1, min(columns.rows, SAMPLE)).astype(np.int64))
    if not _near(columns, target, source, by, some):
        return None
    if len(some) < columns.rows and _fits(columns, target, source, by, some) is None:
        return None
    found = _fits(columns, target, source, by, np.arange(columns.rows))
    if found is None or len(found) != len(by.words) or len({*found.values()}) < 2:
        return None
    factors = np.array([found[k].factor for k in range(len(found))])
    constants = np.array([found[k].constant for k in range(len(found))])
    x, y, codes = columns.numbers(source), columns.numbers(target), by.codes
    there = ~np.isnan(x) & ~np.isnan(y) & (codes >= 0)
    x, y, codes = x[there], y[there], codes[there]
    room = room_of(columns, target, y) * (1 + 1e-6) + 1e-9 * np.abs(y)
    others = turned(np.arange(len(y)))

    def broken(amount: np.ndarray, of: np.ndarray) -> int:
        return int(np.sum(np.abs(factors[of] * amount + constants[of] - y) > room))

    if broken(x, codes) or min(broken(x[others], codes), broken(x, codes[others])) < LEAST:
        return None
    rule = f"{quoted(target)} == {_said(source, by, factors, constants)}"
    return Relation(rule, target, (source, by.name), len(y)) if len(rule) <= LONGEST else None


def _near(columns: Columns, target: str, source: str, by: _Class, rows: np.ndarray) -> bool:
    """Return whether the lines of least squares of all classes are about as near to some rows as they must be."""
    x, y, codes = columns.numbers(source)[rows], columns.numbers(target)[rows], by.codes[rows]
    there = ~np.isnan(x) & ~np.isnan(y) & (codes >= 0)
    if there.sum() < LEAST:
        return False
    x, y, codes = x[there], y[there], codes[there]
    room = room_of(columns, target, y)
    counts = np.maximum(np.bincount(codes), 1)
    x, y = (v - (np.bincount(codes, v) / counts)[codes] for v in (x, y))
    slopes = np.bincount(codes, x * y) / np.maximum(np.bincount(codes, x * x), 1e-300)
    return bool(np.all(np.abs(y - slopes[codes] * x) <= 3 * room + 1e-6 * np.abs(slopes[codes] * x) + 1e-9))


def _fits(columns: Columns, target: str, source: str, by: _Class, rows: np.ndarray) -> dict[int, Fit] | None:
    """Return the line of each class in some rows; None where a class has none, or where there are too few rows."""
    x, y, codes = columns.numbers(source)[rows], columns.numbers(target)[rows], by.codes[rows]
    there = ~np.isnan(x) & ~np.isnan(y) & (codes >= 0)
    x, y, codes = x[there], y[there], codes[there]
    known = np.unique(codes)
    if len(y) < max(LEAST, TOLD * len(known)):
        return None
    room = room_of(columns, target, y)
    found: dict[int, Fit] = {}
    for constant in (False, True):
        for k in np.flatnonzero(np.bincount(codes)).tolist():
            mine = codes == k
            line = through(x[mine], y[mine], room[mine], constant=constant and mine.sum() > TOLD, divided=False)
            if line is None:
                found.clear()
                break
            found[k] = line
        if found:
            return found
    return None


def _said(source: str, by: _Class, factors: np.ndarray, constants: np.ndarray) -> str:
    """Return what rules write of amounts, classes and their numbers."""
    rates = _sum(by, factors)
    said = (
        f"{quoted(source)} * {rates}" if len({*factors.tolist()}) > 1 else Fit(float(factors[0])).said(quoted(source))
    )
    return f"{said} + {_sum(by, constants)}" if np.any(constants) else said


def _sum(by: _Class, numbers: np.ndarray) -> str:
    """Return the number of a class as a sum over all of them, in which one term is not zero."""
    ordered = sorted(zip(by.words, numbers.tolist(), strict=True))
    terms = ((n, f"({quoted(by.name)} == {w})") for w, n in ordered)
    return "(" + " + ".join(said if n == 1 else f"{plain(n)} * {said}" for n, said in terms if n) + ")"
