"""How values of a column may be spelled inside texts of another: `2023-12-04` as `231204`, 7 as `007`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Field, Kind
from synthwright.core.values import nulls
from synthwright.kit.coding.patterns import padded

DATES = ("Ymd", "ymd", "dmY", "dmy", "mdY", "mdy", "Ym", "ym", "Yj", "yj", "Y", "y", "m", "d", "j")
"""Of days: years (Y: four digits, y: two), months, days, days of the year, each with its leading zeros."""
WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "j": 3}
WIDEST = 12
"""Digits that a number is filled up to with zeros, at most."""
MANY = 64
"""Columns that texts are compared with, at most."""


class Said(NamedTuple):
    """A column and how its values are spelled."""

    column: str
    form: str = ""
    """Nothing: as they are; `Ymd` and the like: a day; a number: so many digits, with leading zeros."""


def sayings(fields: Mapping[str, Field], held: pa.Table) -> list[Said]:
    """Return how the values of some columns may be spelled, those first that say most."""
    plain, numbers, days = [], [], []
    for name, field in list(fields.items())[:MANY]:
        if field.kind is Kind.CATEGORY:
            plain.append(Said(name))
        elif field.kind in (Kind.DATE, Kind.DATETIME):
            days += [Said(name, form) for form in DATES]
        elif field.kind is Kind.INTEGER or (field.kind is Kind.NUMBER and field.step == 1):
            ends = pc.min_max(held.column(name)).as_py()
            if ends["min"] is None or ends["min"] < 0 or ends["max"] >= 10**WIDEST:
                continue
            digits = len(str(int(ends["max"])))
            widths = dict.fromkeys((0, *range(2, max(digits, 6) + 1)))
            numbers += [Said(name, f"{w}") for w in widths if w == 0 or w >= digits]
    return [*plain, *sorted(days, key=lambda s: -_wide(s.form)), *numbers]


def spelled(held: pa.Table, said: Said) -> pa.Array:
    """Return the values of a column as texts; null where there is none, or where they do not fit."""
    if said.column not in held.column_names:
        return pa.nulls(held.num_rows, pa.large_string())
    column = held.column(said.column)
    if not said.form:
        return pc.cast(column, pa.large_string()).combine_chunks()
    missing = nulls(column)
    if said.form.isdigit():
        there = pc.cast(column, pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
        values = np.where(missing, 0, np.nan_to_num(there)).astype(np.int64)
        return pa.array(padded(values, int(said.form)), pa.large_string(), mask=missing | (values < 0))
    counted = pc.cast(pc.cast(column, pa.date32(), safe=False), pa.int32()).fill_null(0)
    days = counted.to_numpy().astype("datetime64[D]")
    out = np.full(len(days), "", dtype=np.str_)
    for sign in said.form:
        out = np.char.add(out, padded(_part(days, sign), WIDTHS[sign]))
    return pa.array(out, pa.large_string(), mask=missing)


def _wide(form: str) -> int:
    return sum(WIDTHS[sign] for sign in form)


def _part(days: np.ndarray, sign: str) -> np.ndarray:
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    if sign in "Yy":
        year = years.astype(np.int64) + 1970
        return np.mod(year, 100) if sign == "y" else np.clip(year, 0, 9999)
    if sign == "m":
        return (months - years.astype("datetime64[M]")).astype(np.int64) + 1
    if sign == "d":
        return (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    found: np.ndarray = (days - years.astype("datetime64[D]")).astype(np.int64) + 1
    return found
