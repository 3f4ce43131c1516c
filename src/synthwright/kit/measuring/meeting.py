"""Real rows that meet the conditions of a start: what it takes, and what the rows made from them are held against."""

from __future__ import annotations

from collections.abc import Mapping

from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.part_order import parents_first
from synthwright.kit.constraints.expressions import evaluated, understood
from synthwright.kit.measuring.matching import FEWEST, NOTHING_COMPARED, Matched, followed

_SIDES = ("training", "held-out")


def meeting(data: Dataset, where: Mapping[str, str]) -> Dataset:
    """Return the rows that meet conditions, by table, and the rows of other tables that refer to no other row.

    A condition that cannot be told, because a value is missing, is not met.
    """
    found, touched = data, set[str]()
    for table in parents_first(data.schema) if where else ():
        before = found.rows(table)
        found = followed(found, data, table, touched)
        if table in where:
            spec, held = data.schema.tables[table], found.tables[table]
            tree = understood(where[table], spec).tree
            assert tree is not None  # noqa: S101  the plan takes conditions on one row alone
            found = found.filter(table, evaluated(held, tree, spec).fill_null(value=False).to_numpy().astype(bool))
        if found.rows(table) < before:
            touched.add(table)
    return found


def met(case: Case, where: Mapping[str, str]) -> Matched:
    """Return the case with the real rows alone that meet the conditions of its start."""
    if not where or case.train is None:
        return Matched(case)
    whole = [d for d in (case.train, case.holdout) if d is not None]
    sides = [meeting(d, where) for d in whole]
    notes = []
    for table, text in where.items():
        rows = [(s.rows(table), w.rows(table), word) for s, w, word in zip(sides, whole, _SIDES, strict=False)]
        real = " and ".join(f"{now:,} of {every:,} {word}" for now, every, word in rows)
        few = [word for now, every, word in rows if every and now < FEWEST]
        if few:
            problem = f"too few {few[0]} rows of {table!r} meet {text!r}: {NOTHING_COMPARED}"
            return Matched(case, (problem,), problem)
        notes.append(f"likeness was held against the rows of {table!r} that meet {text!r}: {real} rows")
    return Matched(case._replace(train=sides[0], holdout=sides[1] if sides[1:] else None), tuple(notes))
