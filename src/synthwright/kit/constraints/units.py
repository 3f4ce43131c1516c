"""Sums without rounding: numbers as whole units of their last digit, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, canonical
from synthwright.core.values import from_numbers, numbers

_DIGITS = 9
"""Digits behind the point, at most."""
_NEAR = 1e-6
"""How far from a whole unit a float may be that stands for one."""
_EXACT = 2.0**53
LARGEST = 2**62
"""What whole units must stay below."""


@dataclass(frozen=True)
class Units:
    """What numbers are counted in.

    Attributes:
        digits: units are tenths to this power, and numbers are int64; None: numbers are floats.
    """

    digits: int | None

    @staticmethod
    def fit(steps: Iterable[float | None], values: pa.Array) -> Units:
        """Return the units of columns that keep to these steps (None: to none), if values are whole in them, too."""
        known = [decimals(s) for s in steps if s is not None]
        if pa.types.is_decimal(values.type):
            known.append(values.type.scale)
        if not known or max(known) > _DIGITS:
            return Units(None)
        if pa.types.is_floating(values.type):
            scaled = numbers(values) * 10.0 ** max(known)
            with np.errstate(invalid="ignore"):
                off = (np.abs(scaled - np.rint(scaled)) > _NEAR) | (np.abs(scaled) > _EXACT)
            if off.any():
                return Units(None)
        return Units(max(known))

    def count(self, values: pa.Array) -> np.ndarray:
        """Return numbers as units, int64 or float64; nothing is 0.

        Raises:
            SampleError: one has too many digits.
        """
        if self.digits is None:
            return np.nan_to_num(numbers(values), posinf=np.inf, neginf=-np.inf)
        if pa.types.is_decimal(values.type) and values.type.scale <= self.digits:
            return _words(values, self.digits)
        scaled = np.rint(np.nan_to_num(numbers(values), posinf=np.inf, neginf=-np.inf) * 10.0**self.digits)
        if (np.abs(scaled) >= LARGEST).any():
            raise _too_large()
        if pa.types.is_integer(values.type):
            return pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False) * 10**self.digits
        return scaled.astype(np.int64)

    def grain(self, step: float | None) -> int:
        """Return how many units a step has; 0 where there are no units, or no step."""
        return 0 if step is None or self.digits is None else int(decimal(step).scaleb(self.digits))

    def column(self, units: np.ndarray, missing: np.ndarray, field: Field) -> pa.Array:
        """Return units as a column of a field, without values where they are missing."""
        kind = canonical(field)
        if self.digits is None or self.digits == 0:
            return from_numbers(units, missing, field)
        if pa.types.is_decimal128(kind) and kind.scale == self.digits:
            if len(units) and max(-int(units.min()), int(units.max())) >= 10**kind.precision:
                raise _too_large()
            words = np.stack([units, units >> 63], axis=1)
            held = pa.Array.from_buffers(kind, len(units), [None, pa.py_buffer(words)])
            return pc.if_else(pa.array(missing), pa.scalar(None, kind), held)
        return from_numbers(units / 10**self.digits, missing, field)


def decimal(step: float) -> Decimal:
    """Return a step as the decimal it is written as."""
    return Decimal(repr(step))


def decimals(step: float) -> int:
    """Return how many digits behind the point multiples of a step have."""
    return max(0, -int(decimal(step).normalize().as_tuple().exponent))


def _words(values: pa.Array, digits: int) -> np.ndarray:
    """Return decimals as units, by the words they are kept in: the low one, and the high one that only has the sign."""
    try:
        held = pc.fill_null(values.cast(pa.decimal128(38, digits)), Decimal(0))
    except pa.ArrowInvalid:
        raise _too_large() from None
    words = np.frombuffer(held.buffers()[1], np.int64).reshape(-1, 2)[held.offset : held.offset + len(held)]
    if (words[:, 1] != words[:, 0] >> 63).any():
        raise _too_large()
    return words[:, 0].copy()


def _too_large() -> SampleError:
    return SampleError("sums", "a number", wanted="as many digits as its column has room for, and no more than 18",
                       got="more", remedy="see what is summed up, or declare a wider type")  # fmt: skip
