"""Values and quantities as a specification writes them: labels, numbers, ISO dates, formulas.

Rules reckon with plain numbers, as formulas do: dates and instants are days since 1970, times of day and lengths of
time parts of days. ISO texts stand for such numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from synthwright.core.casting import from_text
from synthwright.core.errors import InputError, SampleError
from synthwright.core.schema import Field, Kind, Schema, canonical
from synthwright.core.values import numbers, on_lattice
from synthwright.kit.formula.amounts import amount
from synthwright.kit.formula.formula_compiled import NAMED
from synthwright.kit.formula.formulas import Formula, faults, read, type_of
from synthwright.kit.ruled import Ask, hops

Said: TypeAlias = bool | int | float | str | None
"""A value as a specification writes it."""
Number: TypeAlias = float | np.ndarray
"""One number for all rows, or one for each."""

TEMPORAL = frozenset({Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION})
"""Kinds that ISO texts write."""
_SECONDS = 86_400
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?|-?P[0-9T].*"
)


def _quantity(said: float | str) -> float | str:
    if isinstance(said, str):
        if not is_iso(said):
            read(said)
    elif not np.isfinite(said):
        raise ValueError("wanted a finite number")
    return said


Quantity = Annotated[float | str, AfterValidator(_quantity)]
"""A number, an ISO date, instant, time or length of time, or a formula such as `20 + 0.5 * age`."""


_LENGTH = Field(kind=Kind.DURATION)


def is_iso(said: str) -> bool:
    """Return whether a text is written like a date, an instant, a time of day or a length of time."""
    return _ISO.fullmatch(said) is not None


def stated(values: Sequence[Said], field: Field) -> pa.Array:
    """Return values as a column of a field's canonical type; null for those that the field cannot hold."""
    texts = pa.array([spelled(v) for v in values], pa.large_string())
    found = from_text(texts, canonical(field))
    if field.form is None or found.null_count == texts.null_count:
        return found
    from synthwright.core.forms import parse

    try:
        parsed = parse(pa.chunked_array([texts]), field.form, field.kind)
        parsed = parsed.combine_chunks() if isinstance(parsed, pa.ChunkedArray) else parsed
        return pc.coalesce(found, parsed.cast(canonical(field)))
    except (pa.ArrowException, ValueError, InputError):
        return found


def unfit(values: Sequence[Said], field: Field) -> list[int]:
    """Return which values a field cannot hold, by position; nothing is fit where nulls may be."""
    missing = stated(values, field).is_null()
    return [i for i, (v, none) in enumerate(zip(values, missing.to_pylist(), strict=True))
            if none and (v is not None or not field.nulls)]  # fmt: skip


def spelled(value: Said) -> str | None:
    """Return a value as a specification writes it, None for no value."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def unit_of(field: Field) -> float:
    """Return how many of its own units a column has for each unit of a rule: microseconds in a day."""
    if field.kind in TEMPORAL - {Kind.DATE}:
        return _SECONDS * (1e9 if canonical(field).unit == "ns" else 1e6)
    return 1.0


def lattice(field: Field) -> float | None:
    """Return the step that all values of a column are multiples of, in units of a rule; None where there is none."""
    if field.step is not None:
        return field.step / unit_of(field)
    kind = canonical(field)
    if pa.types.is_integer(kind) or pa.types.is_date32(kind):
        return 1.0
    if pa.types.is_decimal(kind):
        return float(Decimal(1).scaleb(-kind.scale))
    return None


def on_step(values: np.ndarray, step: float | None, field: Field) -> np.ndarray:
    """Return numbers of a rule in the column's own unit, rounded to a step; of time, rounded as seconds: exactly."""
    unit = unit_of(field)
    if unit == 1.0:
        return values if step is None else on_lattice(values, step)
    if step is None:
        return values * unit
    return on_lattice(values * _SECONDS, round(step * _SECONDS, 9)) * (unit / _SECONDS)


def fixed(said: float | str, field: Field) -> float | None:
    """Return the number that a quantity is for every row; None for a formula, and for an ISO text that does not fit."""
    if not isinstance(said, str):
        return float(said)
    if not is_iso(said) or field.kind not in TEMPORAL:
        return None
    read_as = _LENGTH if said.lstrip("-").startswith("P") else field
    found = stated([said], read_as)
    return float(numbers(found)[0]) / unit_of(read_as) if found.null_count == 0 else None


def quantity(ask: Ask, said: float | str, field: Field) -> Number:
    """Return a quantity for the rows of a column: one number, or a float64 for each row (NaN: it has no value).

    Raises:
        SampleError: an ISO text that the column's kind does not write.
    """
    known = fixed(said, field)
    if known is not None:
        return known
    if isinstance(said, str) and is_iso(said):
        raise SampleError("rule", f"{said!r}", wanted=f"a value of kind {field.kind.value!r}", got="another")
    return amount(ask, said)


def misfit(said: float | str, field: Field, schema: Schema, table: str, produce: Sequence[str]) -> list[str]:
    """Return what a quantity cannot mean for a column, a sentence each."""
    if not isinstance(said, str) or fixed(said, field) is not None:
        return []
    if is_iso(said):
        return [f"{said!r} is no value of kind {field.kind.value!r}"]
    return wrong_amount(said, schema, table, produce, days=field.kind in (Kind.DATE, Kind.DATETIME))


def wrong_amount(
    said: float | str, schema: Schema, table: str, produce: Sequence[str], *, days: bool = False
) -> list[str]:
    """Return why a formula gives no number, a sentence each; nothing where it does, and for a number.

    Args:
        said: the number or formula.
        schema: of all tables.
        table: whose rows it is for.
        produce: the columns that are made by it: it cannot look at them.
        days: whether dates and instants are numbers too.
    """
    if not isinstance(said, str):
        return []
    formula = read(said)
    found = _summing(formula) or faults(formula, schema, table)
    found = found or [f for p in formula.paths for f in lost(p, schema, table, produce)]
    if found:
        return found
    gives = type_of(formula, schema, table)
    if gives in ("number", "boolean", "duration", "nothing", None) or (days and gives in ("date", "datetime")):
        return []
    return [f"formula {said!r} gives {NAMED[gives]}, wanted a number"]


def wrong_condition(said: str, schema: Schema, table: str, produce: Sequence[str]) -> list[str]:
    """Return why a formula is no condition that a rule can look at, a sentence each; nothing where it is one."""
    formula = read(said)
    found = _summing(formula) or faults(formula, schema, table, wanted="boolean")
    return found or [f for p in formula.paths for f in lost(p, schema, table, produce)]


def _summing(formula: Formula) -> list[str]:
    if not formula.aggregates:
        return []
    said = f"formula {formula.text!r} sums up rows of another table"
    return [f"{said}: make a column of it with `use: formula`, and name that"]


def lost(path: str, schema: Schema, table: str, produce: Sequence[str]) -> list[str]:
    """Return why a path leads nowhere, or to what is made itself; nothing where it leads to a column."""
    try:
        first = hops(schema, table, path)[0].column
    except SampleError as error:
        return [str(error)]
    return [f"{path!r} is a column that it makes itself"] if first in produce else []


def formulas(said: Sequence[float | str]) -> tuple[str, ...]:
    """Return the columns and paths that quantities name."""
    texts = [s for s in said if isinstance(s, str) and not is_iso(s)]
    return tuple(dict.fromkeys(p for t in texts for p in read(t).paths))


def is_moment(said: str) -> bool:
    """Return whether a text is a date or an instant."""
    return not said.lstrip("-").startswith("P") and is_iso(said) and fixed(said, Field(kind=Kind.DATETIME)) is not None


def no_moment(path: str, schema: Schema, table: str, produce: Sequence[str]) -> list[str]:
    """Return why a path leads to no column of dates or instants; nothing where it does."""
    if found := lost(path, schema, table, produce):
        return found
    last = hops(schema, table, path)[-1]
    kind = schema.tables[last.table].fields[last.column].kind
    if kind in (Kind.DATE, Kind.DATETIME):
        return []
    return [f"{path!r} is of kind {kind.value!r}: wanted dates or instants"]
