"""Copies in disguise: rows that equal a training row after the same shift, or in all columns but a few.

A row is one number: a sum over its columns, weighed at random, of its numbers and of a random number for each of its
labels and for null. Two rows then differ by the same amount, but for rounding, wherever they differ by the same shift
in numbers and by the same exchange of labels; other rows differ by the same amount hardly ever. So copies that were all
moved alike, however far, show as one difference that many pairs of synthetic and training rows have. The difference is
looked for among some of the synthetic rows, and proven on the others, where it was not looked for: there it must turn
up more often than among real rows that are strangers to the training rows, and more often than synthetic rows differ so
from each other, for what is typical repeats without anybody being copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import numbers
from synthwright.kit.measuring.natural import Seen, Verdict, judged, repeated, told
from synthwright.kit.measuring.repeats import share_met_again
from synthwright.kit.rows import mix, row_hashes, value_hashes

PAIRS = 8_000_000
"""Pairs of rows whose differences are looked at, at most."""
_MOST = 200
"""Differences that most pairs have, which are looked at more closely."""
_TRIED = 3
"""Differences that are proven."""
_CLOSER = 1_000
"""Rows by which differences are looked at more closely."""
_FEWEST = 20
"""Synthetic rows, and strangers, below which nothing can be proven."""
_ROUNDING = 4 * float(np.finfo(np.float64).eps)
_RARE = 0.03
"""The share of real rows that equal a training row in some columns, beyond which equal rows are no copies."""
_LEFT_OUT = 0.5
"""The share of the columns that are left out at most, when rows are compared by the others."""
_CELLS = 60_000_000
"""Rows × choices of columns that are compared."""


class Sides(NamedTuple):
    """Three samples of one table, with the same columns in the same types."""

    mine: pa.Table
    """The rows that are judged."""
    train: pa.Table
    strangers: pa.Table
    """Real rows that the generator never saw; there may be none."""


class Line(NamedTuple):
    """Rows as one number each, for the three samples."""

    mine: np.ndarray
    train: np.ndarray
    strangers: np.ndarray
    rounding: float
    """By how much equal differences may differ."""


# -------------------------------------------------------------------------------------------------- the same shift
def shifted(sides: Sides, fields: Mapping[str, Field], rng: np.random.Generator, parts: int) -> list[Verdict]:
    """Return how many rows equal a training row after one and the same shift, beside how many do by nature.

    Rows are compared by all columns, and then by the numbers alone, so that copies are seen whose labels were changed.
    Without strangers, a random half of the training rows takes their place.

    Args:
        sides: the rows.
        fields: what the columns are; at least one.
        rng: the randomness.
        parts: how many ways of looking share the level.
    """
    if not sides.strangers.num_rows:
        half, order = sides.train.num_rows // 2, pa.array(rng.permutation(sides.train.num_rows))
        mixed = sides.train.take(order)
        sides = sides._replace(train=mixed.slice(half), strangers=mixed.slice(0, half))
    if min(s.num_rows for s in sides) < _FEWEST:
        return []
    ordered = [c for c, f in fields.items() if f.kind in ORDERED]
    views = [list(fields), *([ordered] if 2 < len(ordered) < len(fields) else [])] if ordered else []
    among = parts * len(views) * _TRIED
    return [v for view in views for v in _proven(sides, view, set(ordered), rng, among)]


def _proven(sides: Sides, view: Sequence[str], ordered: set[str], rng: np.random.Generator, among: int
            ) -> list[Verdict]:  # fmt: skip
    line = _line(sides, view, ordered, rng)
    first, rest = np.split(rng.permutation(len(line.mine)), [len(line.mine) // 2])
    labels = [c for c in view if c not in ordered]
    found = _promising(line, first, [row_hashes(t, labels) for t in (sides.mine, sides.train)], rng)
    known, others, judge = np.sort(line.train), np.sort(line.mine[first]), line.mine[rest]
    verdicts = []
    for difference in found:
        hits = int(_meet(judge, known, difference, line.rounding).sum())
        natural = float(_meet(line.strangers, known, difference, line.rounding).sum())
        if natural > _RARE * len(line.strangers):
            continue
        among_them = max(float(_meet(judge, others, d, line.rounding).mean()) for d in (difference, -difference))
        typical = min(1.0, among_them * max(1.0, len(known) / len(others)))
        verdicts.append(judged(hits, len(rest), Seen(natural, float(len(line.strangers))), among, typical))
    return verdicts


def _line(sides: Sides, view: Sequence[str], ordered: set[str], rng: np.random.Generator) -> Line:
    """Return every row as one number."""
    found = [np.zeros(t.num_rows) for t in sides]
    for column, weight in zip(view, rng.uniform(0.5, 1.0, len(view)), strict=True):
        salt = np.uint64(rng.integers(2**63))
        if column not in ordered:
            found = [line + _dice(value_hashes(t.column(column)) ^ salt) for line, t in zip(found, sides, strict=True)]
            continue
        values = [numbers(t.column(column)) for t in sides]
        finite = np.abs(values[1][np.isfinite(values[1])])
        size = float(finite.max()) if len(finite) and finite.max() > 0 else 1.0
        missing = float(_dice(np.array([salt]))[0])
        with np.errstate(over="ignore", invalid="ignore"):
            ratios = [weight * (v / size) for v in values]
        found = [line + np.where(np.isfinite(r), r, missing) for line, r in zip(found, ratios, strict=True)]
    return Line(found[0], found[1], found[2], _ROUNDING * len(view) ** 2)


def _dice(hashes: np.ndarray) -> np.ndarray:
    """Return random numbers from 0 to 1, equal where hashes are."""
    return np.asarray((mix(hashes) >> np.uint64(11)).astype(np.float64) / 2.0**53)


def _promising(line: Line, first: np.ndarray, blocks: Sequence[np.ndarray], rng: np.random.Generator) -> list[float]:
    """Return the differences that some synthetic rows have to training rows more often than training rows have."""
    differences = _differences(line, first, blocks)
    differences.sort()
    begins = np.flatnonzero(np.diff(differences, prepend=-np.inf) > line.rounding)
    counts = np.diff(begins, append=len(differences))
    several = np.flatnonzero(counts > 1)
    most = several[np.argsort(-counts[several], kind="stable")[:_MOST]]
    known = np.sort(line.train)
    some = [line.mine[first[:_CLOSER]], line.train[rng.permutation(len(line.train))[:_CLOSER]]]
    excess = []
    for at in begins[most]:
        one, other = (float(_meet(v, known, differences[at], line.rounding, itself=i == 1).mean())
                      for i, v in enumerate(some))  # fmt: skip
        excess.append(one - other)
    best = np.argsort(-np.array(excess), kind="stable")[:_TRIED]
    return [float(differences[begins[most[i]]]) for i in best]


def _differences(line: Line, first: np.ndarray, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the differences of so many pairs, synthetic less training rows, that have all labels in common."""
    mine, others = blocks
    order = np.argsort(others, kind="stable")
    others, values = others[order], line.train[order]
    low, high = (np.searchsorted(others, mine[first], side=s) for s in ("left", "right"))
    many = np.minimum(high - low, PAIRS)
    upto = int(np.searchsorted(np.cumsum(many), PAIRS, side="right"))
    first, low, many = first[:upto], low[:upto], many[:upto]
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return np.asarray(np.repeat(line.mine[first], many) - values[np.repeat(low, many) + within])


def _meet(rows: np.ndarray, known: np.ndarray, difference: float, rounding: float, *, itself: bool = False
          ) -> np.ndarray:  # fmt: skip
    """Return which rows have this difference to one of those known, which are sorted; not to `itself`."""
    begin = np.searchsorted(known, rows - difference - 2 * rounding, side="left")
    end = np.searchsorted(known, rows - difference + 2 * rounding, side="right")
    own = 1 if itself and abs(difference) <= 2 * rounding else 0
    return np.asarray(end - begin > own)


# ------------------------------------------------------------------------------------------- all columns but a few
def partly(sides: Sides, fields: Mapping[str, Field], parts: int) -> list[Verdict]:
    """Return how many rows equal a training row in all columns but a few, for several choices of these.

    Left out are one column at a time, and then, together, the two, three … columns that tell rows apart the most, up to
    half of the columns. What more than a few real rows have in common is left aside.

    Args:
        sides: the rows.
        fields: what the columns are.
        parts: how many ways of looking share the level.
    """
    names = list(fields)
    if len(names) < 3 or not all(s.num_rows for s in (sides.mine, sides.train)):
        return []
    hashes = [{c: mix(value_hashes(t.column(c)) ^ np.uint64(i)) for i, c in enumerate(names)} for t in sides]
    whole = [np.sum(list(h.values()), axis=0, dtype=np.uint64) for h in hashes]
    telling = sorted(names, key=lambda c: -_information(hashes[1][c]))
    gone = [{c} for c in telling] + [set(telling[:k]) for k in range(2, int(_LEFT_OUT * len(names)) + 1)]
    gone = gone[: max(1, _CELLS // max(1, sum(t.num_rows for t in sides)))]
    verdicts = []
    for left in gone:
        mine, known, strangers = (
            np.sort(w - np.sum([h[c] for c in sorted(left)], axis=0, dtype=np.uint64))
            for w, h in zip(whole, hashes, strict=True)
        )
        real = told(Seen(float(_among(strangers, known)), float(len(strangers))), repeated(known))
        if real.hits > _RARE * real.rows:
            continue
        typical = min(1.0, share_met_again(mine) * max(1.0, len(known) / len(mine)))
        verdicts.append(
            judged(_among(mine, known), len(mine), real, parts * len(gone) * (2 if len(strangers) else 1), typical)
        )
    return verdicts


def _among(hashes: np.ndarray, known: np.ndarray) -> int:
    """Return how many of some hashes are among others, all of them sorted."""
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return int((known[at] == hashes).sum())


def _information(hashes: np.ndarray) -> float:
    """Return the entropy of a column's values."""
    shares = np.unique(hashes, return_counts=True)[1] / len(hashes)
    return float(-(shares * np.log(shares)).sum())
