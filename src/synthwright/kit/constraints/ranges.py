"""Between which ends columns lie that rules compute from others: what is left of a whole is not less than nothing.

The ends are blurred: an end is the value itself only where enough rows share it, else a mean of the outermost rows.
Rows beyond an end exchange values with other rows, so that no column changes; a row that nothing brings back stays as
it is, for what was given may lie outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.rule_nodes import Parsed
from synthwright.core.rules import parse, quoted
from synthwright.core.schema import Field, Kind, Table, canonical
from synthwright.core.values import nulls
from synthwright.kit.constraints.derived import SHARED
from synthwright.kit.constraints.expressions import holds
from synthwright.kit.constraints.repairs import Codec

LEAST = 20
"""Rows without which no end is believed."""
_SPELLED = {Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.DATETIME}
_REACH = 2**62


@dataclass(frozen=True)
class Range:
    """The ends of a column, as a rule that holds in most rows."""

    target: str
    rule: str
    """`c >= 0 and c <= 100`."""

    @property
    def parsed(self) -> Parsed:
        """The rule, understood."""
        return parse(self.rule)


def learn_ranges(held: pa.Table, targets: Iterable[str], spec: Table) -> tuple[Range, ...]:
    """Return the ends of those columns that have an order and rows enough."""
    out = []
    for target in dict.fromkeys(targets):
        field = spec.fields[target]
        ends = _ends(held.column(target), field) if field.kind in _SPELLED else None
        if ends is not None:
            out.append(Range(target, f"{quoted(target)} >= {ends[0]} and {quoted(target)} <= {ends[1]}"))
    return tuple(one for one in out if _readable(one))


def _readable(one: Range) -> bool:
    """Return whether rules can hold its ends: they know no numbers as small as 1e-60."""
    try:
        return bool(one.parsed)
    except ValueError:
        return False


def beyond(held: pa.Table, ranges: Iterable[Range], spec: Table) -> np.ndarray:
    """Return booleans: in which rows a column lies beyond its ends."""
    out = np.zeros(held.num_rows, dtype=bool)
    for one in ranges:
        out |= ~holds(held, one.parsed, spec)
    return out


def _ends(column: pa.ChunkedArray, field: Field) -> tuple[str, str] | None:
    """Return the blurred ends as rules write them; nothing where there are too few rows to tell."""
    codec = Codec(field)
    values = codec.read(column)[~nulls(column)]
    values = values[(np.abs(values) < _REACH) if codec.whole else np.isfinite(values)]
    if len(values) < LEAST:
        return None
    low = np.partition(values, SHARED - 1)[:SHARED]
    high = np.partition(values, len(values) - SHARED)[-SHARED:]
    ends = _inside(low.min(), low, codec), _inside(high.max(), high, codec)
    made = codec.write(np.array(ends), np.zeros(2, dtype=bool), field)
    low_end, high_end = (_written(v, field) for v in made)
    return low_end, high_end


def _inside(end: Any, values: np.ndarray, codec: Codec) -> Any:
    """Return the mean of the outermost values, on the lattice, moved from their end to the inside."""
    apart = float(np.mean(values - end))
    if codec.step:
        steps = apart / codec.step
        return end + type(end)((np.ceil(steps - 1e-9) if apart > 0 else np.floor(steps + 1e-9)) * codec.step)
    return end + type(end)(apart)


def _written(value: pa.Scalar, field: Field) -> str:
    """Return a value as rules write it."""
    kind = canonical(field)
    if field.kind is Kind.DATE:
        return f"'{value.as_py().isoformat()}'"
    if field.kind is Kind.DATETIME:
        instant = value.cast(pa.timestamp("us", "UTC" if kind.tz else None), safe=False).as_py()
        return f"'{instant.isoformat()}'"
    plain = pc.cast(value, pa.float64()).as_py() if pa.types.is_floating(kind) else value.as_py()
    return f"{Decimal(repr(plain) if isinstance(plain, float) else plain):f}"
