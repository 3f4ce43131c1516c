"""What a dataset is made of: kinds of field, fields, tables, rules and the schema that holds them.

A schema is plain data (JSON-able, frozen) and may be released: it holds no value of any real row. `infer` writes one
from data; people correct it as YAML.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from pydantic import Field as Setting

from synthwright.core.types import parse_type, zone_of

ROW = "#row"
"""The column that a start dataset carries beside its fields: the row's number, int64, unique over the whole run."""


class Frozen(BaseModel):
    """A value that cannot be changed and refuses words it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def fingerprint(what: Any) -> str:
    """Return 32 hexadecimal digits that are equal exactly where the JSON form of `what` is equal."""
    said = json.dumps(what, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


class Kind(StrEnum):
    """What a field's values mean, which decides how they are modelled and compared."""

    KEY = "key"
    """Names the row: unique, without nulls, always made anew. Integers or text."""
    REFERENCE = "reference"
    """Holds a key of the table that `to` names."""
    INTEGER = "integer"
    """Whole numbers with an order and distances."""
    NUMBER = "number"
    """Real numbers; decimals too (`type: decimal128(10, 2)`)."""
    BOOLEAN = "boolean"
    """True or false, however it is spelled outside."""
    CATEGORY = "category"
    """One of a set of labels that repeat."""
    DATE = "date"
    """Calendar days."""
    TIME = "time"
    """Times of day."""
    DATETIME = "datetime"
    """Instants, with or without a time zone."""
    DURATION = "duration"
    """Lengths of time."""
    TEXT = "text"
    """Free or nearly unique text; made anew, never modelled from its values."""
    BYTES = "bytes"
    """Binary values; made anew."""


ORDERED = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION})
"""Kinds whose values have an order and distances."""
DISCRETE = frozenset({Kind.BOOLEAN, Kind.CATEGORY})
"""Kinds whose values are labels that repeat."""
ANEW = frozenset({Kind.KEY, Kind.TEXT, Kind.BYTES})
"""Kinds whose values are always made anew, never modelled from real values."""


class Field(Frozen):
    """One column: what it means, how it looks outside, and what its values keep to."""

    kind: Kind
    """What the values mean."""
    type: str | None = None
    """The Arrow type that the column has outside, as `str(pyarrow_type)` prints it; nothing: the canonical one."""
    form: str | None = None
    """How the value is spelled where it is text outside: `%d/%m/%Y`, `$1,234.50`, `yes|no`; see `core.forms`."""
    nulls: bool = True
    """Whether values may be missing."""
    nan: bool = False
    """Whether floats that are no number (NaN) are kept apart from missing values; else they are missing."""
    unique: bool = False
    """Whether no value may occur twice."""
    step: float | None = Setting(default=None, gt=0)
    """The lattice of an ordered column: every value is a multiple of it (0.01: cents; days, or microseconds, for
    dates and instants)."""
    sensitive: str | None = None
    """What personal data the column holds (`email`, `phone`, `name`, …, see `core.personal`): made anew."""
    to: str | None = None
    """The key a reference points to: `table.column`."""
    ordered: bool = False
    """Whether a category's labels have an order outside (Arrow and pandas ordered dictionaries)."""
    labels: tuple[str, ...] = ()
    """The labels of an ordered category in their order, as far as at least three rows share them."""

    @model_validator(mode="after")
    def _references_point(self) -> Field:
        if (self.kind is Kind.REFERENCE) != (self.to is not None):
            raise ValueError("'to' (table.column) goes with kind 'reference', and only with it")
        return self

    @property
    def anew(self) -> bool:
        """Whether values are made without looking at any real one."""
        return self.kind in ANEW or self.sensitive is not None


class Rule(Frozen):
    """A relation between the columns of one row, or of the whole table, that must hold in every row."""

    rule: str
    """The rule in the language of `core.rules`: `start <= end`, `total == net + tax`, `education -> education_num`."""
    why: str = ""
    """Where it comes from, for people."""


class Table(Frozen):
    """One table: its fields in order, its key, its rules."""

    fields: Annotated[dict[str, Field], Setting(min_length=1)]
    """The columns, in the order they have outside."""
    key: str | None = None
    """The column that names a row."""
    rules: tuple[Rule, ...] = ()
    """What must hold in every row; a bare text is a rule without a reason."""
    notes: tuple[str, ...] = ()
    """What was guessed about the table and why, for people."""

    @field_validator("rules", mode="before")
    @classmethod
    def _bare_rules(cls, rules: Any) -> Any:
        return [{"rule": r} if isinstance(r, str) else r for r in rules] if isinstance(rules, list | tuple) else rules

    @model_validator(mode="after")
    def _key_is_a_field(self) -> Table:
        if self.key is not None and self.key not in self.fields:
            raise ValueError(f"the key {self.key!r} is not one of the fields")
        if ROW in self.fields:
            raise ValueError(f"a field may not be called {ROW!r}: the name is used for row numbers")
        return self

    def where(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the fields of these kinds, in order."""
        return tuple(name for name, field in self.fields.items() if field.kind in kinds)


class Schema(Frozen):
    """The tables of a dataset."""

    tables: Annotated[dict[str, Table], Setting(min_length=1)]
    """The tables by name."""

    @model_validator(mode="after")
    def _references_exist(self) -> Schema:
        for name, table in self.tables.items():
            for column, field in table.fields.items():
                if field.to is None:
                    continue
                parent, _, key = field.to.rpartition(".")
                if parent not in self.tables or key not in self.tables[parent].fields:
                    raise ValueError(f"{name}.{column} points to {field.to!r}, which is no column of this schema")
        return self

    def field(self, column: str) -> Field:
        """Return the field that `table.column` names; a KeyError if there is none."""
        table, name = self.split(column)
        return self.tables[table].fields[name]

    def split(self, column: str) -> tuple[str, str]:
        """Return table and column of `table.column`; either may hold dots itself."""
        for table in sorted(self.tables, key=len, reverse=True):
            if column.startswith(table + ".") and column[len(table) + 1 :] in self.tables[table].fields:
                return table, column[len(table) + 1 :]
        raise KeyError(column)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every `table.column`, in order."""
        return tuple(f"{t}.{c}" for t, table in self.tables.items() for c in table.fields)

    @property
    def only(self) -> str:
        """The name of the single table; a ValueError where there are several."""
        if len(self.tables) != 1:
            raise ValueError(f"the schema has {len(self.tables)} tables: name one")
        return next(iter(self.tables))

    def fingerprint(self) -> str:
        """Return the identity of the schema; notes and the reasons of rules do not count."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        for table in said["tables"].values():
            table.pop("notes", None)
            table["rules"] = [r["rule"] for r in table.get("rules", ())]
            table["fields"] = list(table["fields"].items())
        return fingerprint(said)


def canonical(field: Field) -> pa.DataType:
    """Return the one Arrow type that a field's column has inside the house.

    Integers are int64 (uint64 where the type outside is), numbers float64 (decimals stay the decimals they are),
    text and labels large_string, instants and durations microseconds (nanoseconds where the type outside is).
    """
    outside = parse_type(field.type) if field.type else None
    if outside is not None and pa.types.is_dictionary(outside):
        outside = outside.value_type
    if field.kind in (Kind.KEY, Kind.REFERENCE):
        whole = (
            outside is not None
            and field.form is None
            and (
                pa.types.is_integer(outside) or pa.types.is_floating(outside)  # whole numbers with nulls in pandas
            )
        )
        return _whole(outside) if whole else pa.large_string()
    match field.kind:
        case Kind.INTEGER:
            return _whole(outside)
        case Kind.NUMBER:
            return _decimal(outside) if outside is not None and pa.types.is_decimal(outside) else pa.float64()
        case Kind.BOOLEAN:
            return pa.bool_()
        case Kind.DATE | Kind.TIME | Kind.DATETIME | Kind.DURATION:
            return _temporal(field.kind, outside, zone_of(field.form or ""))
        case Kind.BYTES:
            return pa.large_binary()
        case _:
            return pa.large_string()


def _decimal(outside: pa.DataType) -> pa.DataType:
    """Return the decimal type of at least 128 bits: Arrow computes little with narrower ones."""
    return outside if outside.bit_width >= 128 else pa.decimal128(outside.precision, outside.scale)


def _temporal(kind: Kind, outside: pa.DataType | None, zone: str | None) -> pa.DataType:
    unit = "ns" if getattr(outside, "unit", "us") == "ns" else "us"
    if kind is Kind.DATETIME:
        return pa.timestamp(unit, tz=getattr(outside, "tz", None) or zone)
    return {Kind.DATE: pa.date32(), Kind.TIME: pa.time64(unit), Kind.DURATION: pa.duration(unit)}[kind]


def _whole(outside: pa.DataType | None) -> pa.DataType:
    return pa.uint64() if outside == pa.uint64() else pa.int64()
