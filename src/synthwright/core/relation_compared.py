"""Labels that say which of two columns is larger: late where it came after it was due, home or away by the goals."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.relation_nulls import literal, ways
from synthwright.core.rules import quoted
from synthwright.core.values import labels

SURE = 60.0
"""Bits: in how many ways as many rows could have had the labels, at least."""
LEAST = 5
"""Rows of each label."""
MOST = 40
"""Columns of each sort that are compared."""
_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "==": "!="}


def compared(columns: Columns, ordered: list[str], targets: list[str]) -> list[Relation]:
    """Return which labels follow from a comparison of two columns, `late == (arrived > due)`, each from one pair.

    Labels are two, or three where values may be equal. Rows that lack one of the values say nothing.

    Args:
        columns: the table.
        ordered: the columns that may be compared, those of one family with each other.
        targets: the columns of labels.
    """
    pairs = [(a, b) for a, b in combinations(ordered[:MOST], 2) if columns.family(a) == columns.family(b)]
    out: list[Relation] = []
    for target in targets[:MOST]:
        sampled = columns.sampled_codes(target)
        if not 2 <= len(np.unique(sampled[sampled >= 0])) <= 3:
            continue
        for one, other in pairs:
            if target in (one, other) or _decided(columns.sampled(one), columns.sampled(other), sampled) is None:
                continue
            codes = labels(columns.held.column(target))
            found = _decided(columns.numbers(one), columns.numbers(other), codes[0])
            if found is not None:
                out += _relations(columns, target, (one, other), found)
                break
    return out


def _decided(one: np.ndarray, other: np.ndarray, codes: np.ndarray) -> tuple[int | None, int | None, int | None] | None:
    """Return the code where one is smaller, as large and larger, each if it occurs; None where that decides nothing."""
    there = ~np.isnan(one) & ~np.isnan(other) & (codes >= 0)
    if not there.any():
        return None
    one, other, codes = one[there], other[there], codes[there]
    sign = (one > other) * 1 - (one < other)
    found: list[int | None] = []
    for side in (-1, 0, 1):
        mine = codes[sign == side]
        if len(mine) and mine.min() != mine.max():
            return None
        found.append(int(mine[0]) if len(mine) else None)
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    rarest = int(counts.min())
    if len(counts) < 2 or rarest < LEAST or float(ways(len(codes), rarest)) < SURE:
        return None
    return found[0], found[1], found[2]


def _relations(
    columns: Columns, target: str, pair: tuple[str, str], found: tuple[int | None, int | None, int | None]
) -> list[Relation]:  # fmt: skip
    """Return the rules that say which label stands where."""
    low, same, high = found
    sides: list[tuple[str, int | None]]
    if len({low, same, high} - {None}) > 2:
        sides = [(">", high), ("<", low), ("==", same)]
    elif low == high:
        sides = [("==", same)]
    else:
        sides = [("<", low)] if high is None or same == high else [(">", high)]
    distinct = labels(columns.held.column(target))[1].to_pylist()
    there = ~np.isnan(columns.numbers(pair[0])) & ~np.isnan(columns.numbers(pair[1])) & (columns.codes(target) >= 0)
    said = [_said(target, pair, sign, distinct[code]) for sign, code in sides if code is not None]
    return [Relation(rule, target, pair, int(there.sum())) for rule in said if rule]


def _said(target: str, pair: tuple[str, str], sign: str, label: object) -> str | None:
    """Return the rule that a label stands just where a comparison holds; nothing for what no rule spells."""
    one, other = map(quoted, pair)
    if isinstance(label, bool):  # it is the comparison, and computed
        return f"{quoted(target)} == ({one} {sign if label else _OPPOSITE[sign]} {other})"
    spelled = str(int(label)) if isinstance(label, float) and label.is_integer() else literal(label)
    return None if spelled is None else f"({one} {sign} {other}) == ({quoted(target)} == {spelled})"
