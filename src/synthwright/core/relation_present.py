"""Columns that equal others, or are on a line with them, wherever they are there: a death, a debit, a refund."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from synthwright.core.relation_columns import SAMPLE, Columns
from synthwright.core.relation_equal import Relation, candidates, equal_columns, line
from synthwright.core.rules import quoted
from synthwright.core.values import nulls

PATTERNS, MOST = 20, 200
"""Ways to be missing, and columns, that are looked at, at most."""
LEAST = 20
"""Rows that have the values, at least, and different values of what is on a line."""


def where_present(columns: Columns, names: list[str], gone: set[str]) -> list[Relation]:
    """Return what columns equal, or are a line of, where they are there; the others are there in more rows.

    Args:
        columns: the table.
        names: the ordered columns that follow from no others.
        gone: columns that follow from others, missing values included.
    """
    out: list[Relation] = []
    for missing, own, beside in _patterns(columns, gone):
        there = np.flatnonzero(~missing)
        some = there[:: -(-len(there) // SAMPLE)]
        for relation in _found(columns, some, names, own, beside):
            mine, theirs = [relation.column], list(relation.others)
            proved = [relation] if len(some) == len(there) else _found(columns, there, names, mine, theirs)
            out += [r for r in proved if r.rule == relation.rule]
    return out


def _found(columns: Columns, rows: np.ndarray, names: list[str], own: list[str], beside: list[str]) -> list[Relation]:
    """Return what holds in these rows, in all of which the columns are there: each of `own` from one of `beside`."""
    part = Columns.of(columns.held.select([*beside, *own]).take(pa.array(rows)), columns.spec)
    found = {r.column: r for r in _equal(part, own, beside)}
    free = [n for n in names if n in own or n in beside]
    for one, other in candidates(part, [n for n in free if n not in found]):
        for source, target in ((one, other), (other, one)):
            if target in own and source in beside and target not in found and _several(part, target):
                made = line(part, source, target)
                found |= {target: made} if made is not None else {}
    return list(found.values())


def _patterns(columns: Columns, gone: set[str]) -> Iterator[tuple[np.ndarray, list[str], list[str]]]:
    """Yield where columns are missing, which are missing there, and which others never are but there."""
    fields = columns.spec.fields
    names = [n for n in columns.held.column_names if n in fields and not fields[n].anew and n not in gone]
    patterns: dict[bytes, tuple[np.ndarray, list[str]]] = {}
    for name in names[:MOST]:
        missing = nulls(columns.held.column(name))
        patterns.setdefault(missing.tobytes(), (missing, []))[1].append(name)
    for missing, own in list(patterns.values())[:PATTERNS]:
        if missing.any() and len(missing) - missing.sum() >= LEAST:
            beside = [n for m, g in patterns.values() if g is not own and not (m & ~missing).any() for n in g]
            yield from [(missing, own, beside)] if beside else []


def _equal(part: Columns, own: list[str], beside: list[str]) -> Iterator[Relation]:
    """Yield the columns that equal one that is there more often, the one that is there less often on the left."""
    for relation in equal_columns(part):
        other = relation.others[0]
        mine, theirs = (relation.column, other) if relation.column in own else (other, relation.column)
        if mine in own and theirs in beside:
            yield relation._replace(rule=f"{quoted(mine)} == {quoted(theirs)}", column=mine, others=(theirs,))


def _several(part: Columns, name: str) -> bool:
    return len(np.unique(part.sampled(name))) >= LEAST
