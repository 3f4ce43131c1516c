"""Columns that are never greater than others: starts and ends, lows and highs, parts and wholes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from synthwright.core.relation_columns import Columns
from synthwright.core.relation_equal import Relation
from synthwright.core.rules import quoted
from synthwright.core.schema import Kind

FIRST = 64
"""Rows on which all pairs are tried."""
PAIRS = 20_000
"""Pairs that are looked at more closely."""
PROVED = 500
"""Pairs that are proved on all rows."""
EXPECTED = 16.0
"""Rows in which two unrelated columns would break the order, at least, for it to mean something."""
SHARE = 0.03
"""The least share of such rows."""
RELATED = 8.0
"""The same where names or kinds say that the columns belong together."""
RELATED_SHARE = 0.01
"""The least share of such rows, there."""
NAMED, NAMED_SHARE = 2.0, 0.001
"""The same where names say which comes first: `born` and `died`, `start` and `end`."""
FIRST_AND_LAST = (
    ({"born", "birth", "dob"}, {"died", "death", "dod", "deceased"}),
    ({"start", "started", "begin", "begins", "began", "from", "since"}, {"end", "ended", "ends", "finish", "finished",
                                                                        "stop", "stopped", "until", "till", "to"}),
    ({"open", "opened", "opens"}, {"close", "closed", "closes"}),
    ({"created", "creation"}, {"updated", "modified", "changed", "deleted", "closed", "resolved"}),
    ({"admission", "admitted", "arrival", "arrived"}, {"discharge", "discharged", "departure", "departed", "left"}),
    ({"ordered", "order"}, {"shipped", "delivered", "delivery", "paid", "returned"}),
    ({"hired", "joined"}, {"left", "fired", "terminated", "resigned"}),
    ({"min", "minimum", "lo", "low", "lower", "least"}, {"max", "maximum", "hi", "high", "upper", "most"}),
    ({"first"}, {"last"}), ({"issued"}, {"expires", "expired", "expiry", "due"}),
)  # fmt: skip
"""Words of names, of which those on the left come first or are less."""
CLOSE = 8
"""Rows in which two columns come as close as can be, at least, for it to mean something that they never are equal."""
_CLOSER = 1024
_QUANTILES = 33
_WORDS = re.compile(r"[a-z]+|[0-9]+")
_WEAK = frozenset(
    {"a", "an", "the", "of", "in", "on", "at", "to", "is", "no", "num", "number", "n", "id", "col", "column"}
)


def never_greater(columns: Columns, names: list[str]) -> list[tuple[Relation, bool]]:
    """Return pairs of columns of which the first is never greater than the second, and whether it is always less.

    Only pairs whose values would often stand the other way round if the columns had nothing to do with each other; none
    that follows from two others.
    """
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(columns.family(name), []).append(name)
    edges: dict[tuple[str, str], int] = {}
    for family in families.values():
        for low, high in _plausible(columns, family):
            rows = _holds(columns, low, high)
            if rows:
                edges[low, high] = rows
    return [_said(columns, low, high, rows) for (low, high), rows in reduced(edges).items()]


def reduced(edges: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Return the pairs without those that follow from others: a before c, where a before b and b before c."""
    above: dict[str, set[str]] = {}
    for low, high in edges:
        above.setdefault(low, set()).add(high)
    return {(low, high): rows for (low, high), rows in edges.items()
            if not any(high in above.get(middle, ()) for middle in above[low] - {high})}  # fmt: skip


def _plausible(columns: Columns, names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs that hold on the sample and would not hold there by chance, the clearest first."""
    names = [n for n in names if columns.exact(n) and _distinct(columns.sampled(n)) >= 2]
    if len(names) < 2:
        return []
    sample = np.stack([columns.sampled(n) for n in names])
    pairs = _first_pairs(sample)
    several = np.array([_distinct(values) > 2 for values in sample])  # full marks may be 50 or 100, but not both sides
    pairs = pairs[several[pairs].any(axis=1)]
    low, high = pairs[:, 0], pairs[:, 1]
    with np.errstate(invalid="ignore"):
        for start in range(0, sample.shape[1], 512):
            part = sample[:, start : start + 512]
            good = np.concatenate([~np.any(part[low[i : i + 4096]] > part[high[i : i + 4096]], axis=1)
                                   for i in range(0, len(low), 4096)] or [np.zeros(0, dtype=bool)])  # fmt: skip
            low, high = low[good], high[good]
    low, high = low[:PAIRS], high[:PAIRS]
    chance, share = chances(sample, low, high)
    related = np.array([_related(columns, names[i], names[j]) for i, j in zip(low, high, strict=True)], dtype=bool)
    expected = chance * share * columns.rows
    least, often = np.where(related, RELATED_SHARE, SHARE), np.where(related, RELATED, EXPECTED)
    named = np.array([_named(names[i], names[j]) for i, j in zip(low, high, strict=True)], dtype=bool)
    least, often = np.where(named, NAMED_SHARE, least), np.where(named, NAMED, often)
    clear = (chance >= least) & (expected >= often)
    order = np.argsort(-expected[clear], kind="stable")[:PROVED]
    return [(names[i], names[j]) for i, j in zip(low[clear][order], high[clear][order], strict=True)]


def _distinct(values: np.ndarray) -> int:
    return len(np.unique(values[~np.isnan(values)][:512]))


def _first_pairs(sample: np.ndarray) -> np.ndarray:
    """Return the pairs that hold in the first rows and whose values overlap."""
    count = len(sample)
    breaks, above = np.eye(count, dtype=bool), np.empty((count, count), dtype=bool)
    with np.errstate(invalid="ignore"):
        for row in sample.T[:: max(1, sample.shape[1] // FIRST)][:FIRST]:
            breaks |= np.greater(row[:, None], row[None, :], out=above)
    with np.errstate(all="ignore"):
        bottom, top = np.nanquantile(sample, [0.002, 0.998], axis=1)
    breaks |= ~(top[:, None] > bottom[None, :])
    return np.argwhere(~breaks)


def chances(sample: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often a value of one column exceeds an unrelated value of the other, and the share of rows this is of.

    Rows in which both are equal do not count: where all of a table's numbers are 0 together, nothing is ordered.
    """
    sample = sample[:, :: max(1, sample.shape[1] // _CLOSER)]
    share = np.zeros(len(low))
    chance = np.zeros(len(low))
    at = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    for start in range(0, len(low), 1024):
        part = slice(start, start + 1024)
        one, other = sample[low[part]], sample[high[part]]
        here = ~(np.isnan(one) | np.isnan(other) | (one == other))
        share[part] = here.mean(axis=1)
        one, other = (_quantiles(np.where(here, side, np.nan), at) for side in (one, other))
        chance[part] = np.mean(one[:, :, None] > other[:, None, :], axis=(1, 2))
    return chance, share


def _quantiles(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return quantiles row by row, of the values that are there; NaN where there are none."""
    values = np.sort(values, axis=1)  # NaN last
    count = np.sum(~np.isnan(values), axis=1)
    position = np.minimum((at[None, :] * count[:, None]).astype(np.int64), np.maximum(count - 1, 0)[:, None])
    return np.take_along_axis(values, position, axis=1)


def _related(columns: Columns, one: str, other: str) -> bool:
    """Return whether kinds or names say that two columns belong together."""
    return columns.family(one) != "number" or bool(_words(one) & _words(other))


def _named(low: str, high: str) -> bool:
    """Return whether names say by themselves which of two columns comes first, and in no other words differ."""
    one, other = (set(_WORDS.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", n).lower())) for n in (low, high))
    dates = {"date", "day", "time", "at", "on", "of", "ts", "timestamp"}
    return any(one & first and other & last and (one - first - dates) == (other - last - dates)
               for first, last in FIRST_AND_LAST)  # fmt: skip


def _words(name: str) -> set[str]:
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()
    return {w for w in _WORDS.findall(split) if not w.isdigit()} - _WEAK


def _holds(columns: Columns, low: str, high: str) -> int:
    """Return in how many rows both have values, if the order holds in all of them; else 0."""
    one, other = columns.numbers(low), columns.numbers(high)
    if np.any(one > other):
        return 0
    return int(np.sum(~np.isnan(one) & ~np.isnan(other)))


def _said(columns: Columns, low: str, high: str, rows: int) -> tuple[Relation, bool]:
    """Say `<` only where many values come as close as can be and none is equal."""
    apart = columns.numbers(high) - columns.numbers(low)
    least = float(np.nanmin(apart))
    step = _step(columns, low, high)
    strict = least > 0 and step is not None and int(np.sum(apart <= step * (1 + 1e-6))) >= CLOSE
    sign = "<" if strict else "<="
    return Relation(f"{quoted(low)} {sign} {quoted(high)}", high, (low,), rows), strict


def _step(columns: Columns, low: str, high: str) -> float | None:
    """Return the least distance that two columns can have without being equal; nothing where there is none."""
    fields = columns.spec.fields[low], columns.spec.fields[high]
    if fields[0].step != fields[1].step:
        return None
    whole = all(f.kind in (Kind.INTEGER, Kind.DATE) for f in fields)
    return fields[0].step or (1.0 if whole else None)
