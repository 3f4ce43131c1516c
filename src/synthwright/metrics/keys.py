"""Whether keys name rows, references find them, and nothing is missing that may not be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Kind, Table
from synthwright.core.values import Column, nulls
from synthwright.kit.measuring.chance import LEVEL, excess
from synthwright.kit.measuring.stats import Estimate, wilson
from synthwright.kit.rows import Known, again, all_differ, value_hashes
from synthwright.metrics.comparing import Finding, label, scores, without

_LACKS = "the synthetic table lacks this column"


class Keys(Metric):
    """Share of synthetic rows whose keys and unique columns are, whose references resolve, and that miss nothing.

    Of rows that share a value which must be unique, the first is right and the others are wrong. A null is wrong where
    the field allows none, and in keys. A reference is right where its value is a key of the synthetic table it points
    to. Columns that name or refer to rows have a score each, others where something is missing. All rows are looked
    at. The reference is the same share of all real rows, each side by itself; but where no training row points to
    nothing, held-out rows may point to training rows. The interval is Wilson's; chance is Fisher's test, and of repeats
    counts pairs of rows, of which large tables have more.
    """

    name: ClassVar[str] = "keys"
    group: ClassVar[Literal["integrity"]] = "integrity"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "How many rows refer to each row, and whether they fit it, is for `cardinality` and `link-trend`."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        tables, parts, rows = {}, [], []
        failed: list[Score] = []
        looked = {t: [c for c in spec.fields if _checked(spec, c)] for t, spec in case.schema.tables.items()}
        many = sum(map(len, looked.values()))
        for table, spec in case.schema.tables.items():
            checked, made = looked[table], set(case.synthetic.columns(table))
            lacking = [c for c in checked if c not in made]
            failed += [Score(self.name, label(table, c), status="failed", problem=_LACKS) for c in lacking]
            count = case.synthetic.rows(table)
            if failed or not checked or not count:
                continue
            wrong, real = _wrong(case.synthetic, table, checked), _real(case, table, checked)
            found = {c: _Real.of([side[c] for side in real if c in side]) for c in checked}
            every = _Real.of([np.any(list(side.values()), axis=0) for side in real])
            whole = _right(np.any(list(wrong.values()), axis=0))
            tables[table] = Finding(table, whole, every.right, chance=every.chance(count, 1, repeats=False))
            parts += [Finding(label(table, c), _right(w), found[c].right,
                              chance=found[c].chance(count, many, repeats=_names(spec, c)))
                      for c, w in wrong.items() if w.any() or _names(spec, c) or spec.fields[c].to]  # fmt: skip
            rows.append(count)
        if failed:
            return [*without(self, f"incomplete: the synthetic data lacks {failed[0].about}", "failed"), *failed]
        if not tables:
            return without(self, "no table with rows has keys, unique columns, references or columns without nulls")
        told = scores(self, tables, parts, max(rows), share=True)
        # a gate that asks for the worst column finds the whole where no column has a score
        return told if parts else told + [s._replace(about="worst") for s in told if not s.about]


class _Real(NamedTuple):
    """How many real rows are wrong."""

    hits: int
    sizes: tuple[int, ...]
    """Rows of each side."""

    @staticmethod
    def of(sides: Sequence[np.ndarray]) -> _Real:
        return _Real(sum(int(s.sum()) for s in sides), tuple(len(s) for s in sides))

    @property
    def right(self) -> float | None:
        """The share of rows that are right; None where there are none."""
        return 1 - self.hits / sum(self.sizes) if self.sizes else None

    def chance(self, rows: int, parts: int, *, repeats: bool) -> float | None:
        """Return by how much more of so many rows may be wrong by chance alone, where that is the worst of parts."""
        if not self.sizes:
            return None
        allowed = _excess(self.hits, sum(self.sizes), rows, parts)
        return max(allowed, _repeating(self.hits, self.sizes, rows, parts)) if repeats else allowed


_excess = lru_cache(maxsize=1_000)(excess)
"""Most columns of a table have no wrong row, and the same allowance."""


def _repeating(hits: int, sizes: Sequence[int], rows: int, parts: int) -> float:
    """Return by how much more of so many rows may repeat a value by chance alone: it is pairs of rows that are equal.

    Given how many pairs there are in all, those among synthetic rows have a binomial distribution.
    """
    from scipy.stats import binom

    theirs, mine = sum(n * (n - 1) for n in sizes), rows * (rows - 1)
    share = mine / max(theirs + mine, 1)
    fine, refused = min(hits * mine // max(theirs, 1), rows), rows + 1
    while refused - fine > 1:
        count = (fine + refused) // 2
        odd = binom.sf(count - 1, hits + count, share) <= LEVEL / max(parts, 1)
        fine, refused = (fine, count) if odd else (count, refused)
    return max(0.0, fine / rows - hits / sum(sizes))


def _real(case: Case, table: str, columns: list[str]) -> list[dict[str, np.ndarray]]:
    """Return for training and for held-out rows, where there are any, which rows are wrong in each column."""
    found: list[dict[str, np.ndarray]] = []
    sound: set[str] = set()
    if case.train is not None and (trained := _wrong(case.train, table, columns)):
        found.append(trained)
        sound = {c for c, wrong in trained.items() if not wrong.any()}
    if case.holdout is not None and (unseen := _wrong(case.holdout, table, columns, case.train, sound)):
        found.append(unseen)
    return found


def _names(spec: Table, column: str) -> bool:
    """Return whether no two rows may share a value of the column."""
    field = spec.fields[column]
    return column == spec.key or field.kind is Kind.KEY or field.unique


def _checked(spec: Table, column: str) -> bool:
    return _names(spec, column) or spec.fields[column].to is not None or not spec.fields[column].nulls


def _wrong(data: Dataset, table: str, columns: list[str], other: Dataset | None = None,
           sound: Collection[str] = ()) -> dict[str, np.ndarray]:  # fmt: skip
    """Return for each column that the data has the rows that are wrong there; nothing where there are no rows.

    Args:
        data: the rows.
        table: of which table.
        columns: what is looked at.
        other: rows that references may point to, besides.
        sound: the columns that may do so.
    """
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
            if other is not None and column in sound and wrong.any():
                wrong &= missing | ~_resolved(held, other, field.to)
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
