"""What a report may show of a column: shares over few bins, in which no single real row can be seen.

A bin or label that one or two real rows share is not drawn, and labels that rare are not named. The ends of an axis
come from the bulk of the values and are rounded, so that the extremes of a table stay at home.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import DISCRETE, ORDERED, Field, Kind
from synthwright.core.values import Column, labels, nulls, numbers

FEWEST = 3
"""Real rows that a bin or label needs to be shown."""
MOST_BINS = 40
MOST_LABELS = 16
RARE = "bins of fewer than three real rows are not drawn"
"""What is remarked of a column with bins that are held back."""
ROWS = 100_000
"""Rows that are counted; of longer tables, so many evenly spaced ones."""
_TAIL = 0.005
"""The share of real values that may lie beyond each end of an axis."""
_MASS = 0.6
"""The share of rows with one and the same value above which that value is told apart from the chart."""
_SPAN, _SKEW = 1000, 10
"""An axis is logarithmic where it would span so many times its beginning, and end so many times beyond the median."""
_SPELLED = 60
"""Characters of a label that are shown."""
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


Axis = Literal["number", "powers", "days", "seconds"]


class Bins(NamedTuple):
    """Bins of equal width along an axis."""

    first: float
    """Where the axis begins, in units of `axis`."""
    width: float
    real: np.ndarray | None
    """Shares of real values, one per bin."""
    synthetic: np.ndarray
    axis: Axis
    """number: as they are; powers: of ten; days or seconds: since 1970, or midnight."""


class Labels(NamedTuple):
    """Labels and their shares; the last may stand for all others."""

    names: tuple[str, ...]
    real: np.ndarray | None
    synthetic: np.ndarray


@dataclass(frozen=True)
class Shown:
    """One column as the report shows it."""

    column: str
    kind: Kind
    counts: Bins | Labels | None
    missing: tuple[str, str]
    """Shares without a value, real and synthetic, as text."""
    distance: float
    """Half the summed difference of the shares, 0 to 1; nulls count."""
    remarks: tuple[str, ...] = ()


def show_column(column: str, field: Field, real: Column | None, synthetic: Column) -> Shown:
    """Return what may be shown of a column; `real` is None where there are no real rows."""
    absent = nulls(synthetic)
    present = synthetic.filter(pa.array(~absent))
    if real is None:
        counts, remarks = _counts(field, None, present)
        return Shown(column, field.kind, counts, ("", _missing(absent, 0)), 0.0, remarks)
    lost = nulls(real)
    counts, remarks = _counts(field, real.filter(pa.array(~lost)), present)
    distance = abs(float(lost.mean()) - float(absent.mean())) if len(lost) and len(absent) else 0.0
    if counts is not None and counts.real is not None:
        distance = max(distance, float(np.abs(counts.real - counts.synthetic).sum()) / 2)
    return Shown(column, field.kind, counts, (_missing(lost, FEWEST), _missing(absent, 0)), distance, remarks)


def thin(column: Column, most: int = ROWS) -> Column:
    """Return a column, or so many evenly spaced values of it."""
    if len(column) <= most:
        return column
    return column.take(pa.array(np.linspace(0, len(column) - 1, most).astype(np.int64)))


def spelled(label: object, most: int = _SPELLED) -> str:
    """Return a name or label as one line that can be printed: no control characters, not too long."""
    text = "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else _UNPRINTABLE
                   for c in str(label)[: most + 1])  # fmt: skip
    return text[: most - 1] + "…" if len(text) > most else text or "(empty)"


def portion(share: float) -> str:
    """Return a share of rows as it is shown: in per cent, with one decimal."""
    return f"{100 * share:.1f} %"


def _missing(absent: np.ndarray, fewest: int) -> str:
    count = int(absent.sum())
    if not len(absent):
        return "no rows"
    if 0 < count < fewest:
        return f"under {fewest} rows"
    return portion(count / len(absent))


def _counts(field: Field, real: Column | None, synthetic: Column) -> tuple[Bins | Labels | None, tuple[str, ...]]:
    """Return the counts of the values that are there, and what the reader must know about them."""
    if field.kind in (Kind.KEY, Kind.REFERENCE):
        return None, ("keys are made anew: there are no values to compare",)
    if len(synthetic) == 0 and (real is None or len(real) == 0):
        return None, ("there are no values",)
    if field.anew and field.kind in (Kind.TEXT, Kind.BYTES, Kind.CATEGORY):
        lengths = (None if real is None else _lengths(real), _lengths(synthetic))
        return _ordered(Field(kind=Kind.INTEGER), *lengths, ("made anew: shown is how long the values are",))
    if field.anew:
        return None, ("personal data, made anew: there are no values to compare",)
    if field.kind in ORDERED:
        return _ordered(field, real, synthetic, ())
    if field.kind in DISCRETE:
        return _labelled(real, synthetic, ordered=False)
    return None, ()


def _lengths(column: Column) -> Column:
    binary = pa.types.is_large_binary(column.type)
    measured: Column = (pc.binary_length(column) if binary else pc.utf8_length(column)).cast(pa.int64())
    return measured


def _ordered(field: Field, real: Column | None, synthetic: Column, remarks: tuple[str, ...]
             ) -> tuple[Bins | Labels | None, tuple[str, ...]]:  # fmt: skip
    """Count an ordered column: by value where few values repeat, else in bins."""
    main = real if real is not None and len(real) else synthetic
    distinct = len(pc.unique(main))
    if distinct > MOST_LABELS or len(main) < FEWEST * distinct:
        for found in (_without_mass(field, real, synthetic), _binned(field, real, synthetic)):
            if found is not None:
                return found[0], remarks + found[1]
    counts, more = _labelled(real, synthetic, ordered=True)
    return counts, remarks + more


def _without_mass(field: Field, real: Column | None, synthetic: Column) -> tuple[Bins, tuple[str, ...]] | None:
    """Count the rest in bins where most rows have one and the same value; None where no value is that frequent."""
    main = real if real is not None and len(real) else synthetic
    counted = pc.value_counts(main)
    most = int(np.argmax(counted.field("counts").to_numpy()))
    if counted.field("counts")[most].as_py() < max(FEWEST, _MASS * len(main)):
        return None
    value = counted.field("values").slice(most, 1)
    same = [None if c is None else np.asarray(pc.is_in(c, value_set=value), dtype=bool) for c in (real, synthetic)]
    rest = [None if c is None or s is None else c.filter(pa.array(~s))
            for c, s in zip((real, synthetic), same, strict=True)]  # fmt: skip
    found = None if rest[1] is None else _binned(field, rest[0], rest[1])
    if found is None:
        return None
    shares = [f"{portion(float(s.mean()))} {side}" for s, side in zip(same, ("real", "synthetic"), strict=True)
              if s is not None and len(s)]  # fmt: skip
    return found[0], (f"left out is the value {_words(value)[0]}: {', '.join(shares)}", *found[1])


def _labelled(real: Column | None, synthetic: Column, *, ordered: bool) -> tuple[Labels, tuple[str, ...]]:
    """Count labels, most frequent first (or in their order); what is rare or beyond `MOST_LABELS` is one label."""
    main = synthetic if real is None else real
    codes, distinct = labels(main)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    often = np.flatnonzero(counts >= (FEWEST if real is not None else 1))
    chosen = often[np.argsort(-counts[often], kind="stable")][:MOST_LABELS]
    if ordered and len(chosen):
        chosen = chosen[np.argsort(numbers(distinct.take(pa.array(chosen))), kind="stable")]
    named = distinct.take(pa.array(chosen, pa.int64()))
    shares = [None if real is None else _label_shares(real, named, FEWEST), _label_shares(synthetic, named, 0)]
    names = [spelled(v) for v in _words(named)]
    others = any(s is not None and s[-1] > 0 for s in shares)
    if others:
        rest = len(distinct) - len(chosen)
        names.append(f"others ({rest:,} label{'' if rest == 1 else 's'})" if rest else "others")
    kept = [None if s is None else s[: len(names)] for s in shares]
    synthetic_shares = kept[1] if kept[1] is not None else np.zeros(len(names))
    remark = ("rare labels are counted together",) if others and real is not None else ()
    return Labels(_unique(names), kept[0], synthetic_shares), remark


def _words(values: pa.Array) -> list[str]:
    """Return values as words; instants without their zone (Python has no nanoseconds, and not every zone)."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.int64()).cast(pa.timestamp(kind.unit))
    if pa.types.is_duration(kind):
        return [f"{v:.10g} s" for v in numbers(values) * (1e-9 if kind.unit == "ns" else 1e-6)]
    if pa.types.is_floating(kind):
        return [f"{v:.10g}" for v in values.to_pylist()]
    return [str(v) for v in values.cast(pa.large_string()).to_pylist()]


def _label_shares(column: Column, named: pa.Array, fewest: int) -> np.ndarray:
    """Return each named label's share of the values, and last that of all others (0 where too few have them)."""
    at = pc.fill_null(pc.index_in(column, value_set=named), len(named))
    counts = np.bincount(np.asarray(at), minlength=len(named) + 1).astype(np.float64)
    shares = counts / max(len(column), 1)
    return np.where(counts < fewest, 0.0, shares)


def _unique(names: list[str]) -> tuple[str, ...]:
    """Return the names with a number added to those that look the same."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(out)


def _binned(field: Field, real: Column | None, synthetic: Column) -> tuple[Bins, tuple[str, ...]] | None:
    """Count values in bins of a round width over the bulk of the real values; None where they have no width."""
    main = real if real is not None and len(real) else synthetic
    factor, axis, unit = _unit(field, main)
    values = [None if c is None else _scaled(numbers(c), factor) for c in (real, synthetic)]
    bulk = _scaled(numbers(main), factor)
    finite = np.sort(bulk[np.isfinite(bulk)])
    beyond = max(FEWEST, math.ceil(_TAIL * len(finite)))
    if len(finite) < 2 * beyond:
        return None
    low, high = float(finite[beyond - 1]), float(finite[-beyond])
    lattice = float(_scaled(np.array([_lattice(field)]), factor)[0])
    if axis == "number" and low > 0 and high > _SPAN * low and high > _SKEW * finite[len(finite) // 2]:
        values = [None if v is None else _powers(v) for v in values]
        low, high, lattice, axis = math.log10(low), math.log10(high), 0.0, "powers"
    bins = int(min(MOST_BINS - 2, max(5, 2 * len(finite) ** (1 / 3))))
    width = _round_width((high - low) / bins, lattice)
    if not width > 1e-12 * max(abs(low), abs(high)):
        return None
    first = math.floor(low / width) * width
    size = int(min(MOST_BINS, max(1, math.floor((high - first) / width + 1e-9) + 1)))
    shares = [None if v is None else _bin_shares(v, first, width, size) for v in values]
    remarks: tuple[str, ...] = (unit,) if unit else ()
    drawn = None
    if shares[0] is not None and real is not None:
        thinly = (shares[0] > 0) & (shares[0] * len(real) < FEWEST - 0.5)
        drawn = np.where(thinly, 0.0, shares[0])
        remarks += (RARE,) if thinly.any() else ()
    if any(v is not None and bool(((v < first) | (v >= first + size * width)).any()) for v in values):
        remarks += ("values beyond the axis are in its first and last bin",)
    return Bins(first, width, drawn, shares[1] if shares[1] is not None else np.zeros(size), axis), remarks


def _powers(values: np.ndarray) -> np.ndarray:
    """Return the logarithms to base ten; what has none is minus infinity."""
    out = np.full(len(values), -np.inf)
    np.log10(values, out=out, where=values > 0)
    return out


def _bin_shares(values: np.ndarray, first: float, width: float, size: int) -> np.ndarray:
    at = np.clip(np.floor((values - first) / width + 1e-9), 0, size - 1)  # infinities go to the ends
    return np.bincount(at.astype(np.int64), minlength=size) / max(len(values), 1)


def _scaled(values: np.ndarray, factor: tuple[float, float]) -> np.ndarray:
    """Multiply by two factors one after the other: their product may be beyond what a float holds."""
    with np.errstate(over="ignore", under="ignore"):
        return values * factor[0] * factor[1]


def _lattice(field: Field) -> float:
    """Return the least width a bin may have, in the units of the column."""
    return field.step or (1.0 if field.kind in (Kind.INTEGER, Kind.DATE) else 0.0)


def _round_width(least: float, lattice: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten; on a lattice, the next such multiple of its step."""
    if not math.isfinite(least) or least <= 0:
        return max(lattice, 0.0)
    unit = lattice if lattice > 0 else 1.0
    wanted = max(least / unit, 1.0) if lattice > 0 else least
    power = 10.0 ** math.floor(math.log10(wanted))
    for step in (1, 2, 5, 10):
        if step * power >= wanted * (1 - 1e-9):
            return step * power * unit
    return 10 * power * unit


class _Unit(NamedTuple):
    """What numbers are multiplied with, the axis they go on, and what to tell the reader."""

    factor: tuple[float, float]
    axis: Axis
    said: str = ""


def _unit(field: Field, main: Column) -> _Unit:
    """Return the unit in which a column is shown, so that the numbers of an axis are short."""
    if field.kind is Kind.DATE:
        return _Unit((1.0, 1.0), "days")
    values = np.abs(numbers(main))
    values = values[np.isfinite(values)]
    # one absurd value does not set the unit
    largest = float(np.quantile(values, 0.99, method="lower")) if len(values) else 0.0
    if field.kind in (Kind.DATETIME, Kind.TIME, Kind.DURATION):
        per_second = 1e-9 if main.type.unit == "ns" else 1e-6
        if field.kind is Kind.DURATION:
            return _duration(largest, per_second)
        return _Unit((per_second, 1.0), "seconds", "in UTC" if getattr(main.type, "tz", None) else "")
    if largest > 0 and not 1e-4 <= largest < 1e12:
        power = math.floor(math.log10(largest))
        return _Unit((10.0 ** -(power // 2), 10.0 ** (power // 2 - power)), "number", f"in units of 1e{power}")
    return _Unit((1.0, 1.0), "number")


def _duration(largest: float, per_second: float) -> _Unit:
    for name, seconds in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if largest * per_second >= 2 * seconds:
            return _Unit((per_second, 1 / seconds), "number", f"in {name}")
    return _Unit((per_second, 1.0), "number", "in seconds")
