"""What room the type of a column has for numbers: those beyond it are told, never cut silently."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.contracts import Verdict
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, canonical
from synthwright.core.types import parse_type
from synthwright.core.values import time_ends

BEYOND = "beyond-type"
"""The reason of rows that hold a drawn number which their column has no room for."""
Made: TypeAlias = "pa.Array | pa.ChunkedArray | np.ndarray"
"""What a rule made: numpy numbers (NaN is null), or Arrow values."""


def beyond(values: Made, field: Field) -> np.ndarray | None:
    """Return booleans: which drawn numbers a column has no room for; None where there are none, and for what is typed.

    Numbers are rounded first; infinities fit into floats.
    """
    room = room_of(outside(field))
    if room is None or not drawn(values) or not len(values):
        return None
    held = values if isinstance(values, np.ndarray) else values.to_numpy(zero_copy_only=False)
    low, high = room
    wrong: np.ndarray
    if pa.types.is_floating(outside(field)):
        wrong = np.isfinite(held) & (np.abs(held) > float(high))
    else:  # halves are rounded up
        wrong = (held < float(low)) | (held >= float(high))
    return wrong if wrong.any() else None


def refuse(values: Made, field: Field, owner: str, column: str) -> None:
    """Raise a SampleError where a column has no room for a number."""
    kind = outside(field)
    room, (least, most) = room_of(kind), _ends(values)
    if room is None or least is None or most is None:
        return
    if drawn(values):
        if beyond(values, field) is None:
            return
    elif room[0] <= least and most <= room[1]:
        return
    wanted, got = f"numbers that type {kind} has room for", f"{least:.12g} to {most:.12g}"
    remedy = "declare a wider type, or bound the numbers"
    if pa.types.is_temporal(kind):
        wanted = "times of one day" if pa.types.is_time(kind) else "the years 1 to 9999"
        got, remedy = "earlier or later ones", "bound the values"
    raise SampleError(owner, f"column {column!r}", wanted=wanted, got=got, remedy=remedy)


def refuse_rows(problems: Sequence[Verdict], owner: str, column: str) -> None:
    """Raise a SampleError where rows would go that belong to something larger."""
    lost = sum(int((~ruling.keep).sum()) for ruling in problems)
    if lost:
        raise SampleError(owner, f"column {column!r}", wanted="values that its type has room for",
                          got=f"others in {lost:,} rows",
                          remedy="declare a wider type, or bound the values")  # fmt: skip


def at_an_end(column: pa.ChunkedArray, field: Field) -> np.ndarray:
    """Return booleans: where a column holds the least or the greatest number that it has room for."""
    room, kind = room_of(outside(field)), column.type
    if room is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return np.zeros(len(column), dtype=bool)
    held = column.cast(pa.float64()).to_numpy()
    return np.asarray((held <= float(room[0]) + 1) | (held >= float(room[1]) - 1))


def drawn(values: Made) -> bool:
    """Return whether values are floats."""
    return values.dtype.kind == "f" if isinstance(values, np.ndarray) else pa.types.is_floating(values.type)


def outside(field: Field) -> pa.DataType:
    """Return the type that numbers of a column are counted in: the one outside, and of time the canonical one."""
    plain = field.type is None or field.form is not None or pa.types.is_temporal(canonical(field))
    return canonical(field) if plain else parse_type(cast(str, field.type))


def room_of(kind: pa.DataType) -> tuple[Decimal, Decimal] | None:
    """Return what numbers of a type lie between, half a unit beyond the least and the greatest; None: they have no end.

    Rounded, all numbers between are numbers of the type.
    """
    half = Decimal("0.5")
    if pa.types.is_integer(kind):
        unsigned = pa.types.is_unsigned_integer(kind)
        low = 0 if unsigned else -(2 ** (kind.bit_width - 1))
        return low - half, 2 ** (kind.bit_width - (0 if unsigned else 1)) - 1 + half
    if pa.types.is_decimal(kind):
        unit = Decimal(1).scaleb(-kind.scale)
        high = 10 ** (kind.precision - kind.scale) - unit / 2
        return -high, high
    if pa.types.is_floating(kind) and kind.bit_width < 64:
        high = Decimal(float(np.finfo(np.dtype(f"f{kind.bit_width // 8}")).max))
        return -high, high
    if pa.types.is_temporal(kind):
        first, last = time_ends(kind)
        return first - half, last + half
    return None


def _ends(values: Made) -> tuple[float | int | None, float | int | None]:
    """Return the least and the greatest number, none where there is none."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind not in "fiu" or not len(values):
            return None, None
        held = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        return (held.min().item(), held.max().item()) if len(held) else (None, None)
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)):
        return None, None
    found = pc.min_max(values).as_py()
    return found["min"], found["max"]
