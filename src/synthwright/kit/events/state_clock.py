"""The clock of state machines: microseconds since 1970 within, and what a column of dates or instants shows of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import from_numbers
from synthwright.kit.formula.formulas import column, read
from synthwright.kit.formula.stated import is_iso, stated
from synthwright.kit.ruled import Ask, as_field

DAY = 86_400 * 10**6
"""Microseconds."""
NEVER = np.iinfo(np.int64).max
"""The moment of what does not happen."""
LAST = 2_932_897 * DAY - 1
"""The end of the year 9999."""


class Clock:
    """Instants as a column of dates or instants understands them."""

    def __init__(self, field: Field) -> None:
        kind = canonical(field)
        self.field, self.dates = field, field.kind is Kind.DATE
        zone = getattr(kind, "tz", None)
        self.instant = Field(kind=Kind.DATETIME, type=f"timestamp[us, tz={zone}]" if zone else None)
        """What formulas and ISO texts are read as."""
        self._unit = DAY if self.dates else 1
        self._ticks = 1000 if getattr(kind, "unit", "us") == "ns" else 1
        step = int(field.step) if field.step is not None and field.step >= 1 else 1
        self._step = step * DAY if self.dates else max(step // self._ticks, 1)

    def moments(self, said: str, ask: Ask) -> np.ndarray:
        """Return the instant that a text or a formula gives for each row; NEVER where there is none."""
        if is_iso(said):
            found = pa.repeat(stated([said], self.instant)[0], ask.rows)
        else:
            values = column(read(said), ask, self.instant)
            kind = values.type if isinstance(values, pa.Array | pa.ChunkedArray) else None
            if self.dates and kind is not None and pa.types.is_timestamp(kind) and kind.tz is not None:
                values = pc.local_timestamp(values)  # the day that the clock of its zone shows
            found = as_field(values, self.instant, "states", said)
        ticks = found.cast(pa.timestamp("us", tz=found.type.tz)).cast(pa.int64())
        return np.asarray(pc.fill_null(ticks, NEVER).to_numpy(zero_copy_only=False))

    def fixed(self, said: str) -> int | None:
        """Return the instant that an ISO text writes; None for formulas and for what it does not."""
        one = stated([said], self.instant) if is_iso(said) else pa.nulls(1, pa.int64())
        found = one.cast(pa.int64())[0].as_py()
        return None if found is None else int(found)

    def shown(self, moments: np.ndarray) -> np.ndarray:
        """Return instants as the column counts them: on its lattice, the last multiple that is not later."""
        if self._step > 1:
            moments = moments // self._step * self._step
        return moments // self._unit * self._ticks

    def values(self, moments: np.ndarray) -> pa.Array:
        """Return instants as the column would hold them."""
        return from_numbers(self.shown(moments), None, self.field)

    def end(self, moments: np.ndarray) -> np.ndarray:
        """Return the last instants that count as no later: those of the same day in a column of dates."""
        return np.minimum(moments // DAY * DAY + DAY - 1 if self.dates else moments, LAST)
