"""Ordered columns as positions on a line and back, exact where a float alone would not be.

Positions are float64. Whole numbers, dates, instants, durations and decimals of up to 18 digits are measured from an
anchor in steps of their lattice, so that nanoseconds and 64-bit numbers keep their last digits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.door import without_nan
from synthwright.core.schema import Field, canonical
from synthwright.core.values import from_numbers, numbers
from synthwright.kit.coding.calendars import Calendar, calendar_of
from synthwright.kit.coding.ratios import lattice_of

DIGITS = 18
"""The most digits of a decimal whose unscaled value surely fits 64 bits."""
TELLING = 20
"""Distinct values that have no common distance by accident: the chance is two to the power of minus twenty."""
_EXACT = 2.0**53
_REACH = 2.0**62
_HUGE = 2.0**900
_ROOM = 2.0**64
"""What keeps sums of huge numbers finite, and does not make nothing of tiny ones beside them."""
INFINITE = 2.0**1000
"""Where positive infinity stands."""
NAN = 2.0**1001
"""Where NaN stands, where it is a value."""


@dataclass(frozen=True)
class Ruler:
    """How the values of one ordered field become positions.

    `whole` fields: position = (integer - anchor) / step, where a calendar may count the integers. Others: position =
    (value / lattice - anchor) / step, or value / scale.
    """

    field: Field
    whole: bool
    anchor: int = 0
    step: int = 1
    """From one possible value to the next: integers (days, units of time, last digits of a decimal), or lattices."""
    lattice: Fraction | None = None
    """Of other fields: the distance between possible values, or nothing."""
    scale: float = 1.0
    """Of other fields: a power of two that keeps sums finite."""
    calendar: Calendar | None = None
    """Of dates and instants: which there may be; their integers are then what it counts."""

    @property
    def stepped(self) -> bool:
        """Whether only whole positions are possible values."""
        return self.whole or self.lattice is not None

    def positions(self, values: pa.Array) -> np.ndarray:
        """Return the positions of values of the canonical type, none of them null.

        Infinities stand at ±`INFINITE`, NaN at `NAN`.
        """
        if self.calendar is not None:
            counted, good = self.calendar.count(integers(values))
            return _offsets(counted, self.anchor, self.step) - np.where(good, 0, 0.5 / self.step)
        if self.whole:
            return _offsets(integers(values), self.anchor, self.step)
        floats = numbers(values)
        finite = np.where(np.isfinite(floats), floats, 0.0)
        at = finite / self.scale
        if self.lattice is not None:
            at = (_per(finite, self.lattice) - self.anchor) / self.step
        found = np.where(np.isfinite(floats), np.clip(at, -INFINITE, INFINITE), np.sign(floats) * INFINITE)
        return np.where(np.isnan(floats), NAN, found)

    def values(self, positions: np.ndarray) -> pa.Array:
        """Return positions as values of the canonical type, on the lattice if there is one."""
        if not self.whole:
            if self.lattice is not None:
                steps = np.rint(positions) * self.step + self.anchor
                return from_numbers(_times(steps, self.lattice), None, self.field)
            most = float(np.finfo(np.float64).max)
            bound = most / self.scale
            return from_numbers(np.clip(positions, -bound, bound) * self.scale, None, self.field)
        steps = np.rint(positions)
        far = np.abs(steps) * self.step >= _REACH
        near = np.where(far, 0, steps).astype(np.int64)
        whole = (near * np.int64(self.step)).view(np.uint64) + np.uint64(self.anchor % 2**64)
        out = whole if canonical(self.field) == pa.uint64() else whole.view(np.int64)
        if far.any():
            out = np.where(far, _clipped(steps * float(self.step) + float(self.anchor), out.dtype), out)
        return from_integers(out if self.calendar is None else self.calendar.moment(out), self.field)

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same ruler from."""
        lattice = None if self.lattice is None else str(self.lattice)
        field = self.field.model_dump(mode="json", exclude_defaults=True)
        calendar = None if self.calendar is None else asdict(self.calendar)
        return {"field": field, "whole": self.whole, "anchor": str(self.anchor), "step": str(self.step),
                "lattice": lattice, "scale": self.scale, "calendar": calendar}  # fmt: skip

    @staticmethod
    def of_json(said: dict[str, Any]) -> Ruler:
        """Rebuild a ruler."""
        lattice = None if said["lattice"] is None else Fraction(said["lattice"])
        calendar = None if said["calendar"] is None else Calendar.of_json(said["calendar"])
        return Ruler(Field.model_validate(said["field"]), said["whole"], int(said["anchor"]), int(said["step"]),
                     lattice, float(said["scale"]), calendar)  # fmt: skip


def ruler_for(field: Field, values: pa.Array) -> Ruler:
    """Return the ruler that fits these distinct values (canonical type, no nulls) of a field."""
    if is_whole(field):
        held, step = integers(values), _whole_step(field)
        calendar = calendar_of(field, held)
        if calendar is not None:
            counted, good = calendar.count(held)
            held, step = counted[good], 1
        anchor, step = _scale_of(held, step)
        return Ruler(field, whole=True, anchor=anchor, step=step, calendar=calendar)
    floats = numbers(values)
    finite = floats[np.isfinite(floats)]
    most = float(np.abs(finite).max(initial=0.0))
    stated = Fraction(repr(field.step)) if field.step is not None else None
    lattice = stated or lattice_of(finite, narrow=is_narrow(field))  # thirds, twelfths: no decimal step
    if lattice is not None and most / float(lattice) < _EXACT:
        steps = np.rint(_per(finite, lattice)).astype(np.int64)
        wider = _common_step(steps) if len(steps) >= TELLING else 1  # 0.1, 0.35, 0.6: an offset too
        rest = int(steps[0]) % wider if wider > 1 else 0
        return Ruler(field, whole=False, anchor=rest, step=max(wider, 1), lattice=lattice)
    return Ruler(field, whole=False, scale=_ROOM if most > _HUGE else 1.0)


def is_narrow(field: Field) -> bool:
    """Return whether a field's numbers are floats of at most 32 bits outside."""
    return field.type in ("float", "halffloat")


def _scale_of(held: np.ndarray, step: int) -> tuple[int, int]:
    """Return the anchor and the step of whole numbers whose lattice is known."""
    if len(held) >= TELLING and (wider := _common_step(held)) > step:  # odd numbers, 5 past the hour: an offset too
        rest = int(held.min()) % wider
        return int(np.median(held)) // (wider * 2**20) * wider * 2**20 + rest, wider
    if not len(held) or max(abs(int(held.min())), abs(int(held.max()))) < _EXACT:
        return 0, step
    coarse = step * 2**20 if step < 2**40 else step  # an anchor that is nobody's value
    return int(held.astype(np.float64).mean()) // coarse * coarse, step


def _common_step(held: np.ndarray) -> int:
    """Return the greatest number that divides the distance of every value from the least."""
    return int(np.gcd.reduce(held.view(np.uint64) - held.min().view(np.uint64)))


def is_whole(field: Field) -> bool:
    """Return whether the canonical type of a field is an integer of at most 64 bits at heart."""
    kind = canonical(field)
    if pa.types.is_decimal(kind):
        return bool(kind.precision <= DIGITS)
    return bool(pa.types.is_integer(kind) or pa.types.is_temporal(kind))


def integers(values: pa.Array) -> np.ndarray:
    """Return whole values without nulls as int64 (uint64 where the type is); decimals as their unscaled digits."""
    kind = values.type
    if pa.types.is_date32(kind):
        return np.asarray(values.cast(pa.int32()).to_numpy(zero_copy_only=False), dtype=np.int64)
    if pa.types.is_decimal(kind):
        wide = values.cast(pa.decimal128(38, kind.scale))
        buffer, count = wide.buffers()[1], 2 * (wide.offset + len(wide))
        pairs = np.frombuffer(buffer, dtype="<i8", count=count) if count else np.empty(0, dtype="<i8")
        return np.ascontiguousarray(pairs[2 * wide.offset :: 2], dtype=np.int64)
    plain = values if pa.types.is_integer(kind) else values.cast(pa.int64())
    return np.asarray(plain.to_numpy(zero_copy_only=False))


def from_integers(whole: np.ndarray, field: Field) -> pa.Array:
    """Return whole numbers as values of the field's canonical type: the way back of `integers`."""
    kind = canonical(field)
    if pa.types.is_decimal(kind):
        pairs = np.empty((len(whole), 2), dtype="<i8")
        pairs[:, 0], pairs[:, 1] = whole, np.where(whole < 0, -1, 0)
        wide = pa.decimal128(38, kind.scale)
        return pa.Array.from_buffers(wide, len(whole), [None, pa.py_buffer(pairs.tobytes())]).cast(kind)
    if pa.types.is_date32(kind):
        return pa.array(whole.astype(np.int32)).view(kind)
    return pa.array(whole) if pa.types.is_integer(kind) else pa.array(whole).view(kind)


def tidy(column: pa.ChunkedArray | pa.Array, *, nan: bool = False) -> pa.Array:
    """Return a column in one piece, negative zero as zero and NaN as null, so that equal values are counted as one.

    With `nan`, NaN stays a value of its own.
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    if pa.types.is_floating(whole.type):
        plain = pc.add(whole, 0.0)
        whole = plain if nan else without_nan(plain)
    return whole


def _whole_step(field: Field) -> int:
    """Return the lattice of a whole field in its own integers."""
    kind = canonical(field)
    if field.step is None:
        return 1
    factor = Fraction(10) ** kind.scale if pa.types.is_decimal(kind) else 1
    return max(1, round(Fraction(repr(field.step)) * factor))


def _offsets(held: np.ndarray, anchor: int, step: int) -> np.ndarray:
    rough = held.astype(np.float64) - float(anchor)
    exact = (held.astype(held.dtype, copy=False).view(np.uint64) - np.uint64(anchor % 2**64)).view(np.int64)
    whole, rest = np.divmod(exact, np.int64(step))
    return np.where(np.abs(rough) < _REACH, whole + rest / step, rough / step)


def _per(floats: np.ndarray, lattice: Fraction) -> np.ndarray:
    with np.errstate(over="ignore"):
        at = np.clip(floats * lattice.denominator / lattice.numerator, -INFINITE, INFINITE)
    near = np.rint(at)
    return np.where(np.abs(at - near) < 1e-6 * np.maximum(np.abs(near), 1), near, at)


def _times(steps: np.ndarray, lattice: Fraction) -> np.ndarray:
    """Return steps of a lattice as the floats that a person would have typed: one division, rounded once."""
    found: np.ndarray = steps * lattice.numerator / lattice.denominator
    return found


def _clipped(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    ends = np.iinfo(dtype)
    inside = np.clip(values, np.nextafter(float(ends.min), 0), np.nextafter(float(ends.max), 0))
    return inside.astype(dtype)
