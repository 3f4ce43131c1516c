"""Cycles of the calendar and the clock: which week day, day of the month, month, hour and minute values lie on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.chance import allowance

_HOUR, _DAY = 3_600, 86_400
_EARLIEST, _LATEST = -719_162, 2_932_896
"""The days of the years 1 and 9999, counted from 1970."""
_DRAWS = 200
"""How often rows change samples, to learn what chance does: its standard error is then known to a twentieth."""


class Cycle(NamedTuple):
    """Something that comes again and again, and where several samples lie in it."""

    said: str
    """What its places are, for people."""
    size: int
    """How many places it has."""
    places: list[np.ndarray]
    """int64, one array for each sample: 0 … size - 1."""


class Overlap(NamedTuple):
    """How much of two samples, held-out and synthetic rows, lies where training rows lie, and as often."""

    real: float
    synthetic: float
    chance: float
    """How far a second real sample falls behind by chance: a mean, and a standard error."""
    error: float

    def allowed(self, parts: int) -> float:
        """Return by how much the second may fall behind the first, where it is the worst of some parts."""
        return max(0.0, self.chance + allowance(self.error, parts))


def cycles(values: Sequence[np.ndarray], field: Field, per_second: float | None, widths: int) -> Iterator[Cycle]:
    """Yield the cycles of a column of dates, instants or times that the first sample spans several times.

    Args:
        values: finite numbers of several samples; none is empty.
        field: what they are; other kinds have no cycles.
        per_second: how many units a second has; None where a unit is a day.
        widths: how often the middle nine tenths of the first sample span a cycle, at least; the year twice is enough.
    """
    if field.kind not in (Kind.DATE, Kind.DATETIME, Kind.TIME):
        return
    low, high = np.quantile(values[0], (0.05, 0.95))
    a_day = _DAY * per_second if per_second else 1.0
    days = (high - low) / a_day
    dated = [np.clip(np.floor(v / a_day), _EARLIEST, _LATEST).astype(np.int64) for v in values]
    if field.kind is not Kind.TIME:
        months = [d.astype("M8[D]").astype("M8[M]") for d in dated]
        known = (("week days", 7, 7, [(d + 3) % 7 for d in dated]),
                 ("days of the month", 31, 31, [d - m.astype("M8[D]").astype(np.int64)
                                               for d, m in zip(dated, months, strict=True)]))  # fmt: skip
        yield from (Cycle(said, size, held) for said, size, long, held in known if days >= widths * long)
        if days >= 2 * 365:
            yield Cycle("months", 12, [m.astype(np.int64) % 12 for m in months])
    if per_second:
        seconds = [np.floor(v / per_second) % _DAY for v in values]
        if days >= widths:
            yield Cycle("hours", 24, [(s // _HOUR).astype(np.int64) for s in seconds])
        if days * _DAY >= widths * _HOUR:
            yield Cycle("minutes", 60, [(s // 60 % 60).astype(np.int64) for s in seconds])


def overlap(cycle: Cycle, rng: np.random.Generator) -> Overlap:
    """Return how much of the second and third sample of a cycle lies where the first lies, and as often.

    The overlap of two samples is 1 less their total variation distance. What chance does is told by rows of the second
    and the third that change places at random.
    """
    learned, *others = (np.bincount(p, minlength=cycle.size) for p in cycle.places)
    counts = np.stack(others)
    rows = counts.sum(axis=1)
    pooled = counts.sum(axis=0)
    drawn = rng.multivariate_hypergeometric(pooled, int(rows[1]), size=_DRAWS)
    shares = learned / learned.sum()
    real, synthetic = (np.minimum(c / n, shares).sum() for c, n in zip(counts, rows, strict=True))
    behind = np.minimum((pooled - drawn) / rows[0], shares).sum(axis=1)
    behind = behind - np.minimum(drawn / rows[1], shares).sum(axis=1)
    return Overlap(float(real), float(synthetic), float(behind.mean()), float(behind.std()))
