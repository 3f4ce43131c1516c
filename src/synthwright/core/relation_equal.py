"""Columns that equal others: as they are, shifted and stretched, or as parts of a date."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.relation_columns import DAY, Columns, round_lines, unlike
from synthwright.core.rules import quoted
from synthwright.core.schema import DISCRETE, Kind
from synthwright.core.values import numbers, part_of

DIFFERENT = 10
"""Rows in which two columns of the same values would differ by chance, at least, for their equality to mean much."""
DISTINCT = 5
"""Different values that both columns of a line have, at least."""
DIGITS, MOST_DIGITS = 8, 16
"""Significant digits that a factor may have; the latter where the column keeps to no lattice: a standard score."""
EXACT, CLOSE = 1e-13, 1e-9
"""Relative errors: those of a few roundings of floats, and what rules take to be equal."""
_PLACES = 6
_LONG = 7
"""Signs of a factor that is rather divided by a short number, where that holds: a third."""
_NEAR = 1 - 1e-5
"""Correlation from which on two columns may be on a line."""
_ROUGH = 0.97
"""The same where one of them is rounded."""
_TRIED = 12
"""Columns on a line with one that are tried, at least, where there are so many."""
_LACKING, _ADDING, _ROUGHLY = 80, 15, 60
"""Signs of a rule that weigh as much as a column that is not made, a sum, what holds but roughly."""
_MOST = 400
"""Columns among which lines are looked for all at once."""
_PARTS = ("year", "month", "day", "weekday", "week", "quarter", "hour", "minute")
"""What of a date and time other columns may say; Monday is 1, and in some tables 0."""


class Relation(NamedTuple):
    """A rule that holds, the column it makes superfluous, and the rows it was seen in."""

    rule: str
    column: str
    others: tuple[str, ...]
    rows: int
    rough: bool = False
    """Whether it holds only because the column is rounded: tax of 19 % in cents."""


def equal_columns(columns: Columns) -> list[Relation]:
    """Return the columns that equal an earlier one, missing values included."""
    seen: dict[tuple[str, bytes], list[str]] = {}
    out = []
    for name in columns.held.column_names:
        spec = columns.spec.fields.get(name)
        if spec is None or spec.anew or spec.kind is Kind.REFERENCE:
            continue
        discrete = spec.kind in DISCRETE
        family = f"{spec.kind}" if discrete else columns.family(name)
        sample = columns.sampled_codes(name) if discrete else columns.sampled(name) + 0.0
        if spec.kind is Kind.DATETIME:  # the same instants on the clocks of two zones, in two units
            family = f"{spec.kind} {columns.held.column(name).type.tz is None}"
            sample = numbers(_instants(columns.held.column(name).take(pa.array(columns.at))))
        for first in seen.setdefault((family, sample.tobytes()), []):
            if _alike(columns.held.column(first), columns.held.column(name)) and varies(
                columns.sampled_codes(name), columns.rows
            ):
                present = columns.rows - columns.held.column(name).null_count
                out.append(Relation(f"{quoted(name)} == {quoted(first)}", name, (first,), present))
                break
        else:
            seen[family, sample.tobytes()].append(name)
    return out


def _alike(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    if one.type != other.type and pa.types.is_timestamp(one.type):
        one, other = _instants(one), _instants(other)
    elif one.type != other.type:
        one, other = one.cast(pa.float64(), safe=False), other.cast(pa.float64(), safe=False)
    missing = pc.equal(one.is_null(nan_is_null=True), other.is_null(nan_is_null=True))
    same = pc.or_kleene(pc.equal(one, other), one.is_null(nan_is_null=True))
    return bool(pc.all(missing).as_py()) and bool(pc.all(same, skip_nulls=True).as_py())


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return instants of any zone and unit in one, where nothing is lost by it; else as they are."""
    plain = pa.timestamp("us", "UTC" if column.type.tz else None)
    try:
        return column.cast(plain)
    except pa.ArrowInvalid:
        return column


def varies(sample: np.ndarray, rows: int) -> bool:
    """Return whether two columns with these values would differ in enough rows if they had nothing to do with it."""
    present = sample[~np.isnan(sample)] if sample.dtype.kind == "f" else sample[sample >= 0]
    return rows * len(present) / max(len(sample), 1) * unlike(present) >= DIFFERENT


def lines(columns: Columns, names: list[str], dated: Collection[str] = ()) -> list[Relation]:
    """Return the columns that are another one times a number plus a number, in every row.

    Of two columns the other one is rather said to be made if one is `dated`: it follows from dates.
    """
    able: list[Relation] = []
    of = Counter[str]()
    for one, other in candidates(columns, names):
        if min(of[one], of[other]) >= _TRIED:
            continue
        found = [r for r in (line(columns, one, other), line(columns, other, one)) if r is not None]
        of.update((one, other) if found else ())
        able += found
    out: list[Relation] = []
    made: dict[str, str] = {}
    while able:
        sources: dict[str, list[Relation]] = {}
        for relation in able:
            sources.setdefault(relation.others[0], []).append(relation)
        most = max(map(len, sources.values()))
        root = min(sources, key=lambda s: (s not in dated, _cost(sources[s]) + _LACKING * (most - len(sources[s]))))
        out += sources[root]
        made |= {r.column: root for r in sources[root]}
        able = [r for r in able if r.column not in made and not _leads(made, r.others[0], r.column)]
    return out


def _leads(made: Mapping[str, str], column: str, end: str) -> bool:
    """Return whether a column is made of another one in the end."""
    while column in made and column != end:
        column = made[column]
    return column == end


def _cost(found: list[Relation]) -> int:
    """Return how bad it is that all these are made of one column: long numbers, and sums, in which digits are lost."""
    sums = sum(re.search(r" [+-] [0-9.e-]+$", r.rule) is not None for r in found)
    return sum(len(r.rule) for r in found) + _ADDING * sums + _ROUGHLY * sum(r.rough for r in found)


def candidates(columns: Columns, names: list[str]) -> Iterable[tuple[str, str]]:
    """Yield pairs of columns that are missing together and nearly on a line."""
    groups: dict[tuple[str, bytes], list[tuple[str, np.ndarray]]] = {}
    for name in names:
        values = columns.sampled(name)
        present = values[~np.isnan(values)]
        if len(present) and columns.exact(name) and len(np.unique(present)) >= DISTINCT:
            groups.setdefault((columns.family(name), np.isnan(values).tobytes()), []).append((name, present))
    for group in groups.values():
        for start in range(0, len(group), _MOST):
            block = group[start : start + _MOST]
            matrix = np.stack([v for _, v in block])
            matrix = matrix / np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-300)
            matrix = matrix - matrix.mean(axis=1, keepdims=True)
            matrix /= np.maximum(np.sqrt(np.sum(matrix**2, axis=1, keepdims=True)), 1e-300)
            rough = np.array([columns.rounding(n) > 0 for n, _ in block])
            near = np.where(rough[:, None] | rough[None, :], _ROUGH, _NEAR)
            for i, j in np.argwhere(np.triu(np.abs(matrix @ matrix.T) >= near, 1)):
                yield block[i][0], block[j][0]


def line(columns: Columns, source: str, target: str) -> Relation | None:
    """Return the target as a line of the source, with the roundest numbers that hold in all rows."""
    x, y = columns.sampled(source), columns.sampled(target)
    keep = ~np.isnan(x)
    x, y = x[keep], y[keep]
    if columns.family(target) != "number":
        return _shift(columns, source, target)
    low, high = int(np.argmin(x)), int(np.argmax(x))
    middle = x - x.mean()
    slope = float(middle @ (y - y.mean()) / (middle @ middle))
    exact = (y[high] - y[low]) / (x[high] - x[low])
    off = float(np.abs(y - y.mean() - slope * middle).max())
    if off > _at_most(columns, target, y):
        return None
    free = not columns.rounding(source) and not np.array_equal(np.round(x, _PLACES), x)  # on no lattice at all
    if free and _met_exactly(columns, target, off):
        return None
    real = columns.spec.fields[target].kind is Kind.NUMBER and not columns.rounding(target)
    first: tuple[float, float] | None = None
    for error in (EXACT, CLOSE) if real else (CLOSE,):
        for factor, constant in round_lines(x, y, (exact, slope), MOST_DIGITS if real else DIGITS):
            if _on_line(columns, (x, y), factor, constant, target, error):
                if not columns.rounding(target) or not _rough(columns, (x, y), factor, constant, target):
                    return _proved(columns, source, target, factor, constant)
                first = first or (factor, constant)
    if first is None or len(plain(first[0])) >= _LONG:
        shorter = _divided(columns, source, target, exact if first is None else first[0])
        if shorter is not None:
            return shorter
    return None if first is None else _proved(columns, source, target, *first)


def _at_most(columns: Columns, target: str, values: np.ndarray) -> float:
    """Return how far off a least-squares line may be where another is off by no more than a rounding anywhere.

    Its error at a row is a mean of all errors with weights whose squares add up to one at most.
    """
    real = columns.spec.fields[target].kind is Kind.NUMBER
    room = max(columns.rounding(target), 0.0 if real else 0.5, CLOSE * float(np.abs(values).max()))
    return 1.01 * (1 + float(np.sqrt(len(values)))) * room


def _divided(columns: Columns, source: str, target: str, factor: float) -> Relation | None:
    """Return the target as the source divided by a round number, rounded: a month's share of a year's premium."""
    x, y, rounding = columns.numbers(source), columns.numbers(target), columns.rounding(target)
    keep = ~np.isnan(x)
    if not rounding or not factor or not np.array_equal(keep, ~np.isnan(y)):
        return None
    x, y = x[keep], y[keep]
    for digits in range(3):
        under = float(f"{1 / factor:.{digits}e}")
        if np.all(np.abs(y - x / under) <= rounding * (1 + 1e-9) + 1e-15 * np.abs(x)):
            rule = f"{quoted(target)} == {quoted(source)} / {plain(under)}"
            return Relation(rule, target, (source,), len(x), rough=True)
    return None


def _met_exactly(columns: Columns, target: str, off: float) -> bool:
    """Return whether values on a lattice are met by what was not rounded to it: then it is the source that is made."""
    rounding = columns.rounding(target) if columns.spec.fields[target].kind is Kind.NUMBER else 0.5
    return off < 1e-3 * rounding


def _on_line(
    columns: Columns, both: tuple[np.ndarray, np.ndarray], factor: float, constant: float, target: str,
    close: float = CLOSE,
) -> bool:  # fmt: skip
    x, y = both
    error = np.abs(y - (factor * x + constant))
    size = np.abs(y) + np.abs(factor * x) + abs(constant)
    rounding = columns.rounding(target)
    real = columns.spec.fields[target].kind is Kind.NUMBER  # how far numbers are from zero excuses no more than 1e-13
    room = np.minimum(close * size, close * np.ptp(y) if real else 0.5)
    room = np.maximum(EXACT * size, room) if real else room
    return bool(np.all(error <= (rounding * (1 + 1e-9) + 1e-15 * size if rounding else room)))


def _proved(columns: Columns, source: str, target: str, factor: float, constant: float) -> Relation | None:
    x, y = columns.numbers(source), columns.numbers(target)
    keep = ~np.isnan(x)
    if not np.array_equal(keep, ~np.isnan(y)) or not _on_line(columns, (x[keep], y[keep]), factor, constant, target):
        return None
    said = f"{plain(factor)} * {quoted(source)}" if factor != 1 else quoted(source)
    said += f" {'+' if constant > 0 else '-'} {plain(abs(constant))}" if constant else ""
    rough = _rough(columns, (x[keep], y[keep]), factor, constant, target)
    if rough and factor == 1 and not constant:
        said = f"1 * {said}"  # what is computed is compared by steps, a bare column exactly
    return Relation(f"{quoted(target)} == {said}", target, (source,), int(keep.sum()), rough)


def _rough(columns: Columns, both: tuple[np.ndarray, np.ndarray], factor: float, constant: float, target: str) -> bool:
    """Return whether values are on a line only because they were rounded to it."""
    x, y = both
    error, size = np.abs(y - (factor * x + constant)), np.abs(y) + abs(constant)
    rounding = columns.rounding(target)
    return bool(np.any(error > 0.01 * rounding + 1e-15 * size))


def _shift(columns: Columns, source: str, target: str) -> Relation | None:
    """Return the target as the source and a fixed number of days."""
    x, y = columns.numbers(source), columns.numbers(target)
    keep = ~np.isnan(x)
    if not np.array_equal(keep, ~np.isnan(y)) or columns.spec.fields[source].kind not in (Kind.DATE, Kind.DATETIME):
        return None
    apart = np.unique(y[keep] - x[keep])
    unit = DAY.get(getattr(columns.held.column(source).type, "unit", ""), 1)
    if len(apart) != 1 or not apart[0]:
        return None
    days = float(f"{apart[0] / unit:.12g}")
    if round(days * unit) != apart[0]:
        return None
    said = f"{quoted(source)} {'+' if days > 0 else '-'} {plain(abs(days))}"
    return Relation(f"{quoted(target)} == {said}", target, (source,), int(keep.sum()))


def plain(number: float) -> str:
    """Return a number as rules write it: the shortest digits that mean it, without an exponent where that is short."""
    said = repr(float(number))
    fixed = f"{Decimal(said):f}"
    return (fixed if len(fixed) <= 24 else said).removesuffix(".0")


def date_parts(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the numbers that are the year, month, weekday, hour … of a date, or the days between two dates."""
    whole: dict[bytes, str] = {}
    for name in names:
        if columns.family(name) == "number" or columns.spec.fields[name].kind is Kind.DURATION:
            values = _in_days(columns, name, columns.sampled(name))
            if varies(values, columns.rows):
                whole.setdefault(values.tobytes(), name)
    dates = [c for c in names if columns.spec.fields[c].kind in (Kind.DATE, Kind.DATETIME)]
    out: list[Relation] = []
    for name in dates:
        clock = columns.spec.fields[name].kind is Kind.DATETIME
        for part in _PARTS if clock else _PARTS[:6]:
            sample = _part(columns.held.column(name).take(pa.array(columns.at)), part)
            for less in (0, 1) if part == "weekday" else (0,):
                target = whole.get((sample - less + 0.0).tobytes())
                if target is not None and _same(_part(columns.held.column(name), part) - less, columns, target):
                    rule = f"{quoted(target)} == {part}({quoted(name)}){' - 1' if less else ''}"
                    out.append(Relation(rule, target, (name,), int(np.sum(~np.isnan(columns.numbers(target))))))
    for i, one in enumerate(dates[:20]):
        for other in dates[:20][:i]:
            out += _between(columns, whole, one, other) or _between(columns, whole, other, one)
    return out


def _between(columns: Columns, whole: dict[bytes, str], late: str, early: str) -> list[Relation]:
    if columns.family(late) != columns.family(early):
        return []
    sample = columns.sampled(late) - columns.sampled(early)
    for beyond in (False, True):  # what is late by, 0 where it is early
        target = whole.get(_in_days(columns, late, np.maximum(sample, 0) if beyond else sample).tobytes())
        if target is None or target in (late, early):
            continue
        apart = columns.numbers(late) - columns.numbers(early)
        if _same(_in_days(columns, late, np.maximum(apart, 0) if beyond else apart), columns, target):
            rule = f"{quoted(late)} - {quoted(early)}"
            rule = f"({rule}) * ({quoted(late)} > {quoted(early)})" if beyond else rule
            rows = int(np.sum(~np.isnan(columns.numbers(target))))
            return [Relation(f"{quoted(target)} == {rule}", target, (late, early), rows)]
    return []


def _part(column: pa.ChunkedArray, part: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.cast(part_of(column, part), pa.float64()), float("nan")).to_numpy()) + 0.0


def _in_days(columns: Columns, name: str, values: np.ndarray) -> np.ndarray:
    unit = DAY.get(getattr(columns.held.column(name).type, "unit", ""), 1)
    return np.where(np.isnan(values), np.nan, values / unit + 0.0)


def _same(values: np.ndarray, columns: Columns, target: str) -> bool:
    return bool(np.array_equal(values, _in_days(columns, target, columns.numbers(target)), equal_nan=True))
