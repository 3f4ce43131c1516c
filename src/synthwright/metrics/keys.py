"""Whether keys name rows, references find them, and nothing is missing that may not be."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Kind, Table
from synthwright.core.values import Column, nulls
from synthwright.kit.chance import excess
from synthwright.kit.rows import Known, again, all_differ, value_hashes
from synthwright.kit.stats import Estimate, wilson
from synthwright.metrics.comparing import Finding, label, scores, without

_LACKS = "the synthetic table lacks this column"


class Keys(Metric):
    """Share of synthetic rows whose keys and unique columns are, whose references resolve, and that miss nothing.

    Of rows that share a value which must be unique, the first is right and the others are wrong. A null is wrong where
    the field allows none, and in keys. A reference is right where its value is a key of the synthetic table it points
    to. Columns that name or refer to rows have a score each, others where something is missing. All rows are looked
    at. The reference is the same share of held-out rows, or of training rows where there are none; the interval is
    Wilson's.
    """

    name: ClassVar[str] = "keys"
    group: ClassVar[Literal["integrity"]] = "integrity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "How many rows refer to each row, and whether they fit it, is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        tables, parts, rows = {}, [], []
        failed: list[Score] = []
        for table, spec in case.schema.tables.items():
            checked = [c for c in spec.fields if _checked(spec, c)]
            made = set(case.synthetic.columns(table))
            lacking = [c for c in checked if c not in made]
            failed += [Score(self.name, label(table, c), status="failed", problem=_LACKS) for c in lacking]
            count = case.synthetic.rows(table)
            if failed or not checked or not count:
                continue
            wrong = _wrong(case.synthetic, table, checked)
            real = next((d for d in (case.holdout, case.train) if d is not None and d.rows(table)), None)
            found = _wrong(real, table, checked) if real is not None else {}
            second, every = _shares(found), _right(np.any(list(wrong.values()), axis=0))
            chance = excess(int(np.any(list(found.values()), axis=0).sum()), real.rows(table), count) \
                if real is not None and found else None  # fmt: skip
            tables[table] = Finding(table, every, second.get(""), chance=chance)
            parts += [Finding(label(table, c), _right(w), second.get(c)) for c, w in wrong.items()
                      if w.any() or _names(spec, c) or spec.fields[c].to]  # fmt: skip
            rows.append(count)
        if failed:
            return [*without(self, f"incomplete: the synthetic data lacks {failed[0].about}", "failed"), *failed]
        if not tables:
            return without(self, "no table with rows has keys, unique columns, references or columns without nulls")
        return scores(self, tables, parts, max(rows), share=True)


def _names(spec: Table, column: str) -> bool:
    """Return whether no two rows may share a value of the column."""
    field = spec.fields[column]
    return column == spec.key or field.kind is Kind.KEY or field.unique


def _checked(spec: Table, column: str) -> bool:
    return _names(spec, column) or spec.fields[column].to is not None or not spec.fields[column].nulls


def _wrong(data: Dataset, table: str, columns: list[str]) -> dict[str, np.ndarray]:
    """Return for each column that the data has the rows that are wrong there; nothing where there are no rows."""
    spec, present = data.schema.tables[table], set(data.columns(table))
    found = {}
    for column in columns if data.rows(table) else []:
        if column not in present:
            continue
        held, field = data.tables[table].column(column), spec.fields[column]
        missing = nulls(held)
        wrong = missing & (not field.nulls or column == spec.key or field.kind is Kind.KEY)
        if _names(spec, column) and not all_differ(held):
            wrong |= ~missing & again(value_hashes(held), np.arange(len(held)))
        if field.to is not None:
            wrong |= ~missing & ~_resolved(held, data, field.to)
        found[column] = wrong
    return found


def _resolved(held: Column, data: Dataset, to: str) -> np.ndarray:
    """Return which values are keys of the column that `to` names; none where the data lacks it."""
    if not data.has(to):
        return np.zeros(len(held), dtype=bool)
    keys = data.column(to)
    if keys.type != held.type:  # equal values hash alike only in one type
        keys, held = keys.cast(pa.large_string()), held.cast(pa.large_string())
    return Known(keys).has(held)


def _right(wrong: np.ndarray) -> Estimate:
    return wilson(float((~wrong).sum()), len(wrong))


def _shares(wrong: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the share of rows that are right in each column and, under "", in all."""
    every = {"": np.any(list(wrong.values()), axis=0)} if wrong else {}
    return {c: float((~w).mean()) for c, w in {**wrong, **every}.items()}
