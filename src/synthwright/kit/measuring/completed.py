"""Real rows that rows whose nulls were filled can be held against: those that had no nulls there, and are like them.

Filled rows have no nulls where real ones do, and who leaves a field empty is seldom like everybody else. So real rows
that had nulls are left out, and the others are drawn such that they would have left the field empty as often as the
filled rows would: by strata of the propensity to be complete, told from the columns that stay (Rosenbaum and Rubin,
Reducing bias in observational studies using subclassification on the propensity score, JASA 79, 1984: five strata take
away nine tenths of the bias). What cannot be told from these columns stays a difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.part_order import parents_first
from synthwright.core.schema import DISCRETE, ORDERED, Field
from synthwright.kit.learning.boosting import boost, encode
from synthwright.kit.measuring.matching import NOTHING_COMPARED, Matched, followed, staying
from synthwright.kit.measuring.stats import quantiles
from synthwright.kit.rows import row_hashes

STRATA = (5, 3, 1)
"""Strata of the propensity that are tried, the most first."""
_ROUNDS = 60
_ROWS = 20_000
"""Real rows, at most, that the propensity of each half is learned from."""


def completed(case: Case, ctx: Context) -> Matched:
    """Return the case with real rows that had no nulls in what was filled, drawn to be like the filled rows."""
    if case.train is None:
        return Matched(case)
    whole = [case.synthetic, case.train, *([case.holdout] if case.holdout is not None else [])]
    sides, notes, touched = whole, list[str](), set[str]()
    for table in parents_first(case.schema):
        sides = [followed(s, w, table, touched) for s, w in zip(sides, whole, strict=True)]
        columns = _filled(case, table, sides)
        if not columns:
            continue
        stay = _staying(sides, table, columns, ctx.at(table))
        named = ", ".join(f"{table}.{c}" for c in columns)
        if stay is None:
            problem = f"too few real rows have no nulls in what was filled ({named}): {NOTHING_COMPARED}"
            return Matched(case, (problem,), problem)
        touched.add(table)
        sides = [s.filter(table, k) for s, k in zip(sides, stay, strict=True)]
        real = " and ".join(f"{s.rows(table):,} of {w.rows(table):,} {word} rows" for s, w, word in
                            zip(sides[1:], whole[1:], ("training", "held-out"), strict=False))  # fmt: skip
        notes.append(f"nulls of {named} were filled: likeness was held against {real} of {table!r} that have none")
    return Matched(case._replace(synthetic=sides[0], train=sides[1], holdout=sides[2] if sides[2:] else None),
                   tuple(notes))  # fmt: skip


def _filled(case: Case, table: str, sides: Sequence[Dataset]) -> list[str]:
    """Return the columns of a table whose nulls were filled."""
    made = [c for c in case.schema.tables[table].fields if f"{table}.{c}" in case.produced]
    made = [c for c in made if all(s.has(f"{table}.{c}") for s in sides)]
    return [c for c in made if not sides[0].tables[table].column(c).null_count
            and any(s.tables[table].column(c).null_count for s in sides[1:])]  # fmt: skip


def _staying(sides: Sequence[Dataset], table: str, columns: Sequence[str], ctx: Context) -> list[np.ndarray] | None:
    """Return which rows of each side stay, synthetic ones first; None where too few real rows have no nulls."""
    held = [s.tables[table] for s in sides]
    whole = [np.ones(held[0].num_rows, dtype=bool), *(_complete(t, columns) for t in held[1:])]
    known = sides[0].schema.tables[table].fields
    fields = {n: f for n, f in known.items() if n not in columns and f.kind in ORDERED | DISCRETE}
    common = set.intersection(*({*t.column_names} for t in held))
    fields = {n: f for n, f in fields.items() if n in common}
    tendency = _propensity(held, fields, whole[1], ctx)
    for strata in STRATA:
        ends = np.unique(quantiles(tendency[0], np.arange(1, strata) / strata))
        cells = [np.where(w, np.searchsorted(ends, t), -1) for w, t in zip(whole, tendency, strict=True)]
        stay = staying(cells, ctx.at(strata)) if all((c >= 0).any() for c in cells[1:] if len(c)) else None
        if stay is not None:
            return stay
    return None


def _complete(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Return which rows have no null in columns."""
    there = np.ones(table.num_rows, dtype=bool)
    for name in columns:
        there &= np.asarray(pc.is_valid(table.column(name)).to_numpy())
    return there


def _propensity(
    held: Sequence[pa.Table], fields: dict[str, Field], whole: np.ndarray, ctx: Context
) -> list[np.ndarray]:
    """Return for each row of each table how probably it is complete, told from the real rows of the second one.

    Filled rows are training rows: whoever learned from a row would know how it ended, not how probable that was. So
    rows fall into two halves by what stays of them, and each half is told from the training rows of the other.
    """
    if not fields or whole.all() or not whole.any():
        return [np.zeros(t.num_rows) for t in held]
    features = encode(held, fields)
    half = [(row_hashes(t, list(fields)) & np.uint64(1)).astype(bool) for t in held]
    found = [np.zeros(t.num_rows) for t in held]
    for i, other in enumerate((True, False)):
        learn = np.flatnonzero(half[1] == other)
        learn = learn[ctx.at("rows", i).rng.permutation(len(learn))[:_ROWS]]
        told = boost(features.values[1][learn], whole[learn].astype(np.int64), ctx.at("learn", i),
                     discrete=features.discrete, classes=2, rounds=_ROUNDS)  # fmt: skip
        for values, mine, out in zip(features.values, half, found, strict=True):
            out[mine != other] = told.predict(values[mine != other])
    return found
