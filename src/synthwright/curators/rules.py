"""The curator that holds rows to their schema: nulls, lattices, rules, references, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.rule_nodes import Parsed
from synthwright.core.rules import faults, parse, unknown_columns
from synthwright.core.schema import ORDERED, Field, Schema, Table
from synthwright.core.values import nulls, numbers
from synthwright.kit.coding.rulers import integers, is_whole
from synthwright.kit.constraints.expressions import holds, understood
from synthwright.kit.rows import Known, again, all_differ, row_hashes

NULL, LATTICE, BROKEN = "null-not-allowed", "off-lattice", "rule-broken"
MISSING, REPEATED = "reference-missing", "not-unique"
CODES = ("", NULL, LATTICE, BROKEN, MISSING, REPEATED)
"""Reasons by number: a row has the number of the first that was found, 0 where it may stay."""


@dataclass(frozen=True)
class Found:
    """What was found over all rows of one table."""

    repeated: np.ndarray
    """Numbers of rows that repeat what must be unique, sorted."""
    broken: np.ndarray
    """Numbers of rows that break a dependency, sorted."""
    keys: Mapping[str, Known]
    """For each reference the keys that exist."""


@dataclass(frozen=True)
class RulesJudge(Judge):
    """Holds rows to a schema and to rules."""

    rules: Mapping[str, tuple[Parsed, ...]]
    found: Mapping[str, Found]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table; of several reasons the first is given."""
        out = []
        for table, held in data.tables.items():
            spec, found = data.schema.tables[table], self.found.get(table)
            reason = by_row(held, spec, self.rules.get(table, ()), found)
            if found is not None:
                row = data.row_numbers(table)
                for numbers_, code in ((found.broken, BROKEN), (found.repeated, REPEATED)):
                    if len(numbers_):
                        _also(reason, np.isin(row, numbers_), code)
            out.append(Verdict(table, reason == 0, _said(reason)))
        return out


class Rules(Curator):
    """Drops rows that break the schema: missing values, lattices, rules, references, keys.

    Every rule of the schema is held, and those of the parameter `rules`. Of rows that repeat what must be unique the
    one with the lowest number stays.
    """

    name: ClassVar[str] = "rules"
    reasons: ClassVar[dict[str, str]] = {
        NULL: "A value is missing in a column that allows no missing values, or in the key.",
        LATTICE: "A number is no multiple of the step that its column keeps to.",
        BROKEN: "A rule of the schema or the specification does not hold in the row.",
        MISSING: "A reference names a key that no row of the other table has.",
        REPEATED: "The row repeats the key, or other values that must be unique, of an earlier row.",
    }

    rules: tuple[str, ...] | dict[str, tuple[str, ...]] = Setting(default=())
    """Rules beside those of the schema, such as `start <= end`; for several tables, by table."""

    @field_validator("rules")
    @classmethod
    def _can_be_parsed(cls, rules: tuple[str, ...] | dict[str, tuple[str, ...]]) -> object:
        for text in rules if isinstance(rules, tuple) else [r for named in rules.values() for r in named]:
            parse(text)
        return rules

    def faults(self, schema: Schema) -> list[str]:
        named = self.rules if isinstance(self.rules, dict) else dict.fromkeys(schema.tables, self.rules)
        if not isinstance(self.rules, dict) and self.rules and len(schema.tables) > 1:
            return ["rules: there are several tables: say rules by table, {table: [...]}"]
        found = [f"rules: no table is called {t!r}" for t in named if t not in schema.tables]
        for table, texts in named.items():
            for text in texts if table in schema.tables else ():
                parsed, spec = parse(text), schema.tables[table]
                for column, near in unknown_columns(parsed, spec):
                    hint = f": did you mean {near!r}?" if near else ""
                    found.append(f"rule {text!r}: table {table!r} has no column {column!r}{hint}")
                found += faults(parsed, spec)
        return found

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> RulesJudge:
        """Learn which keys exist and which rows repeat what must be unique.

        Raises:
            InputError: a rule names a table or a column that there is not, or means nothing for its columns.
        """
        rules = {t: self._of(data, t) for t in data.schema.tables}
        if isinstance(self.rules, dict) and (strange := sorted(set(self.rules) - set(data.schema.tables))):
            raise InputError("curator 'rules'", f"table {strange[0]!r}", wanted="a table of the schema", got="none",
                             remedy=f"the tables are {', '.join(data.schema.tables)}")  # fmt: skip
        found: dict[str, Found] = {}
        for table, held in data.tables.items():
            found[table] = over_all(data, table, held, rules[table])
        return RulesJudge(rules, found)

    def _of(self, data: Dataset, table: str) -> tuple[Parsed, ...]:
        if isinstance(self.rules, dict):
            mine: Sequence[str] = self.rules.get(table, ())
        elif self.rules and len(data.schema.tables) != 1:
            raise InputError("curator 'rules'", "parameter 'rules'", wanted="rules by table, as there are several",
                             got="a plain list", remedy=f"write {{{table}: [...]}}")  # fmt: skip
        else:
            mine = self.rules
        spec, present = data.schema.tables[table], set(data.columns(table))
        every = [understood(text, spec) for text in (*(r.rule for r in spec.rules), *mine)]
        return tuple(parsed for parsed in every if set(parsed.columns) <= present)


def by_row(held: pa.Table, spec: Table, rules: Sequence[Parsed], found: Found | None) -> np.ndarray:
    """Return for each row the number of the first reason why it goes, of those that a row can be told alone."""
    reason = np.zeros(held.num_rows, dtype=np.int8)
    there = {*held.column_names}
    fields = {n: f for n, f in spec.fields.items() if n in there}
    for name, field in fields.items():
        if (not field.nulls or name == spec.key) and _may_lack(held.column(name)):
            _also(reason, nulls(held.column(name)), NULL)
    for name, field in fields.items():
        if field.step is not None and field.kind in ORDERED:
            _also(reason, off_lattice(held.column(name), field), LATTICE)
    for parsed in rules:
        if parsed.form == "row":
            _also(reason, ~holds(held, parsed, spec), BROKEN)
    for name, keys in found.keys.items() if found is not None else ():
        column = held.column(name)
        _also(reason, ~nulls(column) & ~keys.has(column), MISSING)
    return reason


def over_all(data: Dataset, table: str, held: pa.Table, rules: Sequence[Parsed]) -> Found:
    """Return what only all rows together tell; rows that go anyway do not count."""
    spec = data.schema.tables[table]
    keys = {}
    for name, field in spec.fields.items():
        if field.to is not None and name in held.column_names and data.has(field.to):
            keys[name] = Known(data.column(field.to))
    none = np.zeros(0, dtype=np.int64)
    unique = [c for c in _unique(spec, rules) if set(c) <= set(held.column_names)]
    unique = [c for c in unique if not any(all_differ(held.column(n)) for n in c)]
    dependencies = [parsed for parsed in rules if parsed.form == "dependency"]
    if not (unique or dependencies):
        return Found(none, none, keys)
    good = by_row(held, spec, rules, Found(none, none, keys)) == 0
    row = data.row_numbers(table)
    breaks = np.zeros(len(row), dtype=bool)
    rows = np.flatnonzero(good)
    rest = held.take(pa.array(rows)) if dependencies else held
    for parsed in dependencies:
        breaks[rows] |= ~holds(rest, parsed, spec)
    good &= ~breaks
    repeats = np.zeros(len(row), dtype=bool)
    for columns in unique:
        repeats |= _repeats(held, columns, row, good & ~repeats)
    return Found(np.sort(row[repeats]), np.sort(row[breaks]), keys)


def off_lattice(column: pa.ChunkedArray, field: Field) -> np.ndarray:
    """Return booleans: which values are no multiple of their field's step; missing and infinite ones are."""
    lattice = Fraction(repr(field.step))
    missing = nulls(column)
    if is_whole(field):
        whole = integers(column.combine_chunks().drop_null())
        scale = 10**column.type.scale if pa.types.is_decimal(column.type) else 1
        step = max(1, round(lattice * scale))
        out = missing.copy()
        out[~missing] = whole % np.asarray(step, dtype=whole.dtype) != 0
        return out & ~missing
    values = numbers(column)
    finite = np.isfinite(values)
    at = np.where(finite, values, 0) * lattice.denominator / lattice.numerator
    near = np.rint(at)
    return np.asarray(finite & (np.abs(at - near) > 1e-6 * np.maximum(np.abs(near), 1)))


def _unique(spec: Table, rules: Sequence[Parsed]) -> list[tuple[str, ...]]:
    alone = [(n,) for n, f in spec.fields.items() if f.unique or n == spec.key]
    return alone + [parsed.left for parsed in rules if parsed.form == "unique"]


def _repeats(held: pa.Table, columns: tuple[str, ...], row: np.ndarray, good: np.ndarray) -> np.ndarray:
    counts = good.copy()
    for name in columns:
        counts &= ~nulls(held.column(name))
    rows = np.flatnonzero(counts)
    out = np.zeros(held.num_rows, dtype=bool)
    out[rows] = again(row_hashes(held, columns)[rows], row[rows])
    return out


def _may_lack(column: pa.ChunkedArray) -> bool:
    """Return whether a value may be missing: numbers that are not finite count as missing, too."""
    return bool(column.null_count or pa.types.is_floating(column.type))


def _also(reason: np.ndarray, drop: np.ndarray, code: str) -> None:
    """Give the rows that are to go, and have no reason yet, this one."""
    if drop.any():
        reason[drop & (reason == 0)] = CODES.index(code)


def _said(reason: np.ndarray) -> pa.Array:
    """Return reasons as text, null where a row may stay."""
    if not reason.any():
        return pa.nulls(len(reason), pa.string())
    return pa.array([None, *CODES[1:]], pa.string()).take(pa.array(reason))
