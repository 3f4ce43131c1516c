"""Amounts of which one is zero where another is not: debit or credit, import or export, paid only if billed."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted

EXPECTED = 25.0
"""Rows that would break the rule by chance, at least."""
MOST = 60
"""Columns that are compared."""
RARE = 0.01
"""The share of rows that are zero, and of those that are not, at least."""


def zeros(columns: Columns, names: list[str], ordered: set[frozenset[str]]) -> list[Relation]:
    """Return which columns of numbers are never zero together, which never both something else, and which follow.

    Args:
        columns: the table.
        names: the columns.
        ordered: pairs of which one is never greater: where it is not zero, nor is the other, which says nothing new.
    """
    some = {n: columns.sampled(n) for n in names if columns.family(n) == "number"}
    able = [n for n, v in some.items() if np.mean(v == 0) >= RARE and np.mean((v != 0) & ~np.isnan(v)) >= RARE]
    out: list[Relation] = []
    for one, other in combinations(able[:MOST], 2):
        sides = [(columns.numbers(n) == 0, ~np.isnan(columns.numbers(n))) for n in (one, other)]
        there = sides[0][1] & sides[1][1]
        a, b = sides[0][0][there], sides[1][0][there]
        never = {(p, q): _never(a == p, b == q) for p in (True, False) for q in (True, False)}
        if frozenset((one, other)) in ordered:
            never[True, False] = never[False, True] = False
        said = _said(quoted(one), quoted(other), never)
        if said:
            out.append(Relation(said, other, (one,), int(there.sum())))
    return out


def _never(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two things never are in the same row, though they would often be by chance."""
    return not np.any(one & other) and len(one) * float(one.mean() * other.mean()) >= EXPECTED if len(one) else False


def _said(one: str, other: str, never: dict[tuple[bool, bool], bool]) -> str:
    """Return what never is (both zero, neither, the one alone) as a rule."""
    if never[True, True] and never[False, False]:
        return f"({one} == 0) == ({other} != 0)"
    if never[True, False] and never[False, True]:
        return f"({one} == 0) == ({other} == 0)"
    if never[False, False]:
        return f"{one} == 0 or {other} == 0"
    if never[True, True]:
        return f"{one} != 0 or {other} != 0"
    if never[False, True]:
        return f"{one} == 0 or {other} != 0"
    return f"{one} != 0 or {other} == 0" if never[True, False] else ""
