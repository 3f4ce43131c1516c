"""Columns that are another one bent: its logarithm, root, square, power of e or reciprocal, times and plus a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from synthwright.core.relation_columns import Columns, round_lines
from synthwright.core.relation_equal import CLOSE, DISTINCT, EXACT, Relation, plain
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

MOST = 40
"""Columns among which curves are looked for."""
LEAST = 20
"""Rows that hold it, at least, and different values."""
DIGITS = 16
"""Significant digits that a factor may have."""
_NEAR, _ROUGH = 1 - 1e-5, 0.97


class Curve(NamedTuple):
    """A function of one column."""

    said: str
    """As rules write it, with `{}` for the column."""
    make: Callable[[np.ndarray], np.ndarray]
    whole: bool = False
    """Whether it makes whole numbers of whole numbers."""
    power: bool = False
    """Whether the line is what e is raised to: `exp(0.02 * a)`."""


CURVES = (
    Curve("{0} * {0}", lambda v: v * v, whole=True),
    Curve("{0} * {0} * {0}", lambda v: v * v * v, whole=True),
    Curve("sqrt({0})", np.sqrt),
    Curve("log({0})", np.log),
    Curve("log10({0})", np.log10),
    Curve("log(1 + {0})", lambda v: np.log(1 + v)),
    Curve("{0}", lambda v: v, power=True),
    Curve("1 / {0}", lambda v: 1 / v),
    Curve("1 / ({0} * {0})", lambda v: 1 / (v * v)),
)


class Pair(NamedTuple):
    """A column that may be a curve of another one."""

    curve: Curve
    source: str
    target: str


def curves(columns: Columns, names: list[str]) -> list[Relation]:
    """Return the columns that are a curve of another one in every row, each of one column; the shortest rule of each.

    Names are columns none of which is a line of another.
    """
    able = [n for n in names if columns.family(n) == "number" and columns.exact(n) and _varies(columns, n)][:MOST]
    found: dict[tuple[str, str], Relation] = {}
    for pair in _candidates(columns, able):
        with np.errstate(all="ignore"):
            one = _curve(columns, pair)
        key = (pair.source, pair.target)
        if one is not None and (key not in found or len(one.rule) < len(found[key].rule)):
            found[key] = one
    out: list[Relation] = []
    for (source, target), one in sorted(found.items(), key=lambda p: (len(p[1].rule), able.index(p[0][1]))):
        if target not in {r.column for r in out} and not _reversed(out, source, target):
            out.append(one)
    return out


def _reversed(found: list[Relation], source: str, target: str) -> bool:
    """Return whether the source is made of the target, through others too."""
    made = {r.column: r.others[0] for r in found}
    while source in made:
        source = made[source]
        if source == target:
            return True
    return False


def _varies(columns: Columns, name: str) -> bool:
    values = columns.sampled(name)
    return len(np.unique(values[~np.isnan(values)])) >= max(LEAST, DISTINCT)


def _bent(curve: Curve, values: np.ndarray) -> np.ndarray | None:
    """Return the values of a curve; None where it has none somewhere."""
    with np.errstate(all="ignore"):
        made = curve.make(values)
    return made if np.isfinite(made[~np.isnan(values)]).all() else None


def _candidates(columns: Columns, names: list[str]) -> list[Pair]:
    """Return pairs of columns that are missing together, the second nearly on a line with a curve of the first."""
    groups: dict[bytes, list[str]] = {}
    for name in names:
        groups.setdefault(np.isnan(columns.sampled(name)).tobytes(), []).append(name)
    out = []
    for group in (g for g in groups.values() if len(g) > 1):
        held = [columns.sampled(n) for n in group]
        there = ~np.isnan(held[0])
        if there.sum() < LEAST:
            continue
        plain_, logs = _standard([h[there] for h in held]), _standard([_log(h[there]) for h in held])
        for curve in CURVES:
            bent = {n: b[there] for n, h in zip(group, held, strict=True) if (b := _bent(curve, h)) is not None}
            if not bent:
                continue
            near = np.abs(_standard(list(bent.values())) @ (logs if curve.power else plain_).T)
            for i, source in enumerate(bent):
                for j, target in enumerate(group):
                    if source != target and near[i, j] >= (_ROUGH if _rounding(columns, target) else _NEAR):
                        out.append(Pair(curve, source, target))
    return out


def _rounding(columns: Columns, name: str) -> float:
    """Return how far a computed value may be from the column's; 0: floats' own error alone."""
    return columns.rounding(name) if columns.spec.fields[name].kind is Kind.NUMBER else 0.5


def _log(values: np.ndarray) -> np.ndarray:
    """Return logarithms; zeros where there is one that has none."""
    return np.log(values) if (values > 0).all() else np.zeros(len(values))


def _standard(values: list[np.ndarray]) -> np.ndarray:
    matrix = np.stack(values)
    matrix = matrix / np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-300)
    matrix = matrix - matrix.mean(axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(np.sqrt(np.sum(matrix**2, axis=1, keepdims=True)), 1e-300))


def _curve(columns: Columns, pair: Pair) -> Relation | None:
    """Return the target as a curve of the source, with the roundest numbers that hold in all rows.

    Where a target on a lattice is met exactly by what is on none, it is the other way round: of `b == log(a)`, `a` has
    two decimals because it was so, and not as the power of `b`.
    """
    x, y = _bent(pair.curve, columns.sampled(pair.source)), columns.sampled(pair.target)
    assert x is not None  # noqa: S101  it is a candidate
    keep = ~np.isnan(x)
    x, y = x[keep], y[keep]
    on = np.log(y) if pair.curve.power else y
    middle = x - x.mean()
    slope = float(middle @ (on - on.mean()) / max(float(middle @ middle), 1e-300))
    best = (slope, float(np.mean(on - slope * x)))
    rounding = _rounding(columns, pair.target)
    steps = _rounding(columns, pair.source) > 0
    room = max(3 * rounding, 1e-7 * float(np.abs(y).max()))
    if not np.all(np.abs(y - _line(pair.curve, x, *best)) <= room):
        return None
    rounded = bool(np.any(np.abs(y - _line(pair.curve, x, *best)) > 1e-3 * rounding))
    if rounding and not (rounded or (pair.curve.whole and steps)):
        return None
    exact = float((on[np.argmax(x)] - on[np.argmin(x)]) / (x.max() - x.min()))
    for error in (EXACT, CLOSE) if not rounding else (EXACT,):
        for line in round_lines(x, on, (exact, slope), DIGITS):
            if _fits((pair.curve, x, y), *line, rounding, error):
                return _proved(columns, pair, line, error)
    return None


def _line(curve: Curve, x: np.ndarray, factor: float, constant: float) -> np.ndarray:
    with np.errstate(over="ignore"):
        made = factor * x + constant
        return np.exp(made) if curve.power else made


def _fits(
    curve: tuple[Curve, np.ndarray, np.ndarray], factor: float, constant: float, rounding: float, error: float
) -> bool:
    """Return whether all rows lie on a curve, as near as rounding leaves them, or floats do."""
    kind, x, y = curve
    made = _line(kind, x, factor, constant)
    size = np.abs(y) + np.abs(made) + (0.0 if kind.power else np.abs(factor * x) + abs(constant))
    room = rounding * (1 + 1e-9) + 1e-15 * size if rounding else error * size
    return bool(np.all(np.abs(y - made) <= room))


def _proved(columns: Columns, pair: Pair, line: tuple[float, float], error: float) -> Relation | None:
    """Return the relation, if it holds in all rows."""
    curve, source, target = pair
    whole, y = _bent(curve, columns.numbers(source)), columns.numbers(target)
    if whole is None or not np.array_equal(np.isnan(whole), np.isnan(y)):
        return None
    keep = ~np.isnan(y)
    if not _fits((curve, whole[keep], y[keep]), *line, _rounding(columns, target), error):
        return None
    factor, constant = line
    said = curve.said.format(quoted(source))
    if factor != 1:
        said = f"{plain(factor)} * {f'({said})' if '/' in said else said}"
    said += f" {'+' if constant > 0 else '-'} {plain(abs(constant))}" if constant else ""
    said = f"exp({said})" if curve.power else said
    return Relation(f"{quoted(target)} == {said}", target, (source,), int(keep.sum()))
