"""What labels say of numbers: which are above zero, which are beyond a limit; and labels that are never the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.relation_nulls import literal, ways
from synthwright.core.rules import quoted
from synthwright.core.schema import ORDERED, Kind
from synthwright.core.values import labels

SURE = 60.0
"""Bits: in how many ways as many rows could be on one side, at least."""
LEAST = 5
"""Rows on each side, and of each label."""
MOST = 24
"""Columns of each sort that are tried."""
FEW, LIMITS = 6, 12
"""Labels of a column that may tell limits; columns that may be limits of each other."""
ALIKE = 0.8
"""The share of their values that two columns have in common, at least, where they are of one sort."""
EXPECTED = 30.0
"""Rows in which two columns would be the same by chance, at least, for it to mean something that none is."""


def signs(columns: Columns, ordered: list[str], targets: list[str]) -> list[Relation]:
    """Return which labels stand for numbers above zero: `(amount > 0) == (type in ("salary", "refund"))`.

    Args:
        columns: the table.
        ordered: the columns of numbers.
        targets: the columns that follow from nothing yet; those of labels are looked at.
    """
    able = [n for n in ordered if columns.family(n) == "number" and _mixed(columns.sampled(n))][:MOST]
    out: list[Relation] = []
    plain = [n for n in targets if columns.spec.fields[n].kind not in ORDERED]
    for target in plain[:MOST] if able else ():
        codes, distinct = labels(columns.held.column(target))
        if len(distinct) > MOST:
            continue
        words = distinct.to_pylist()
        for name in (n for n in able if n != target):
            values = columns.numbers(name)
            there = ~np.isnan(values) & (codes >= 0)
            sides = ((s, _side(up[there], codes[there], words)) for s, up in ((">", values > 0), (">=", values >= 0)))
            found = next(((sign, said) for sign, said in sides if said), None)
            if found is not None:
                rule = f"({quoted(name)} {found[0]} 0) == ({quoted(target)} {found[1]})"
                out.append(Relation(rule, target, (name,), int(there.sum())))
                break
    return out


def limits(columns: Columns, ordered: list[str], targets: list[str]) -> list[Relation]:
    """Return which of several labels each say that one column is beyond another: `(x < low) == (flag == "L")`.

    Args:
        columns: the table.
        ordered: the columns that may be compared, those of one family with each other.
        targets: the columns of labels that follow from nothing yet.
    """
    pairs = [(a, b) for a, b in combinations(ordered[:LIMITS], 2) if columns.family(a) == columns.family(b)]
    out: list[Relation] = []
    plain = [n for n in targets if columns.spec.fields[n].kind not in ORDERED]
    for target in plain[:MOST] if pairs else ():
        codes, distinct = labels(columns.held.column(target))
        counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
        if not 3 <= len(distinct) <= FEW:
            continue
        for code in np.flatnonzero(counts >= LEAST):
            word = literal(distinct[int(code)].as_py())
            found = next((f for p in pairs if target not in p and (f := _beyond(columns, p, codes, int(code)))), None)
            if found is not None and word is not None:
                one, sign, other, rows = found
                rule = f"({quoted(one)} {sign} {quoted(other)}) == ({quoted(target)} == {word})"
                out.append(Relation(rule, target, (one, other), rows))
    return out


def unequal(columns: Columns, names: list[str]) -> list[Relation]:
    """Return which columns of few values never have the same one: `home != away`."""
    able = [n for n in names if columns.spec.fields[n].kind is not Kind.BOOLEAN][:MOST]
    out = []
    for one, other in combinations(able, 2):
        if columns.family(one) != columns.family(other):
            continue
        (a, first), (b, second) = (labels(columns.held.column(n)) for n in (one, other))
        place = {v: i for i, v in enumerate(first.to_pylist())}
        turn = np.array([place.get(v, -1) for v in second.to_pylist()] or [-1])
        there = (a >= 0) & (b >= 0)
        if len(first) < 3 or np.sum(turn >= 0) < ALIKE * max(len(first), len(second)):
            continue
        mine, its = a[there], turn[b[there]]
        shares = np.bincount(mine, minlength=len(first)) * np.bincount(its[its >= 0], minlength=len(first))
        if shares.sum() >= EXPECTED * max(len(mine), 1) and not np.any(mine == its):
            out.append(Relation(f"{quoted(one)} != {quoted(other)}", other, (one,), len(mine)))
    return out


def _mixed(values: np.ndarray) -> bool:
    """Return whether some are above zero and some not, or some below and some not: a motor stands, or runs."""
    there = values[~np.isnan(values)]
    return any(LEAST <= np.sum(side) <= len(there) - LEAST for side in (there > 0, there < 0))


def _divides(side: np.ndarray) -> bool:
    """Return whether so many rows stand on either side that the same ones do not by chance."""
    few = int(min(side.sum(), (~side).sum()))
    return few >= LEAST and float(ways(len(side), few)) >= SURE


def _side(up: np.ndarray, codes: np.ndarray, words: list[object]) -> str:
    """Return what a rule says of the labels that stand on one side, if each stands on one; else nothing."""
    if not _divides(up):
        return ""
    counts, above = np.bincount(codes, minlength=len(words)), np.bincount(codes, up, len(words))
    if np.any((above > 0) & (above < counts)):
        return ""
    said = [literal(words[i]) for i in np.flatnonzero(above > 0)]
    if None in said or counts[counts > 0].min() < LEAST:
        return ""
    return f"== {said[0]}" if len(said) == 1 else f"in ({', '.join(str(s) for s in said)})"


def _beyond(columns: Columns, pair: tuple[str, str], codes: np.ndarray, code: int) -> tuple[str, str, str, int] | None:
    """Return how two columns compare just where a label stands, and in how many rows both are there."""
    one, other = (columns.numbers(n) for n in pair)
    there = ~np.isnan(one) & ~np.isnan(other) & (codes >= 0)
    one, other, mine = one[there], other[there], codes[there] == code
    if not _divides(mine):
        return None
    for sign, holds in _compared(one, other):
        if np.array_equal(holds, mine):
            return pair[0], sign, pair[1], len(mine)
    return None


def _compared(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield from ((">", one > other), ("<", one < other), (">=", one >= other), ("<=", one <= other))
