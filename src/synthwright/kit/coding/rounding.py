"""Numbers of which some are rounder than others: which steps people round to, how often, and values rounded so.

Values that enough rows share are kept exactly, and with them how round they are. All others are drawn anew along a
line, where hardly any is round by chance. So the shares of rows are learned that are multiples of 1000, 100, 10 … of
those that are drawn, in bands of magnitude, for small numbers are rounded otherwise than large ones. Kept are shares
of at least `protect` rows, never a value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from synthwright.core.schema import Kind, canonical
from synthwright.kit.coding.marginal import Blocks
from synthwright.kit.coding.rulers import Ruler
from synthwright.kit.sampling.dice import Dice

ROWS = 100
"""Drawn rows below which nothing is learned."""
BANDS = 16
"""Bands of magnitude, at most; each of at least `ROWS` rows."""
FACTORS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5))
"""Steps are one of these times a power of ten: a step says nothing about any value."""
FARTHEST = 300
"""The largest power of ten, and the smallest."""
DEEP = 6
"""From how many powers of ten steps are tried, from the spread of the values downwards."""
NARROW = 10
"""A band is at least so many times as wide as the steps that its values are rounded to."""
FEWEST, LEAST = 20, 0.005
"""Rows, and the share of the drawn rows, that a step must explain."""
TRIED = 4_000
"""Values that are rounded to see what comes of it."""
FREE = 0.2
"""The share of a step's multiples that are taken to be free, at least."""
SURE = 4.0
"""How many standard deviations of chance it must explain."""
SIGNIFICANT = 4
"""Values may have no more digits than so many, wherever the point stands: `0.0123`, `4.57`, `81200`."""
_CLOSE, _FLOAT, _APART = 1e-6, 4e-16, 0.01
_EXACT = 2.0**53
_TINY = 1e-290
_KEY = 0x726F756E64


@dataclass(frozen=True)
class Rounding:
    """The steps that drawn values are rounded to."""

    steps: np.ndarray
    """int16, ascending: which of the steps that there are (`step_of`)."""
    begins: np.ndarray
    """int64: the first block of each band."""
    shares: np.ndarray
    """float64, bands × steps: how many of the drawn rows are rounded to each step."""
    digits: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))
    """int16: how many significant digits all drawn values have, where they have few; else nothing."""

    def __post_init__(self) -> None:
        sound = self.shares.shape == (len(self.begins), len(self.steps)) and len(self.begins) > 0
        if not (sound and (self.shares >= 0).all() and (np.abs(self.steps) <= FARTHEST * len(FACTORS)).all()):
            raise ValueError("these are no steps and shares")

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save, by name."""
        digits = {"digits": self.digits} if len(self.digits) else {}
        return {"steps": self.steps, "begins": self.begins, "shares": self.shares, **digits}

    def rounded(
        self, at: np.ndarray, block: np.ndarray, within: np.ndarray, ruler: Ruler, masses: np.ndarray,
        ends: tuple[float, float],
    ) -> np.ndarray:  # fmt: skip
        """Return positions, some of them rounded; never to zero, to a point mass, or beyond the ends of the column.

        Args:
            at: the positions.
            block: the block of each.
            within: where in its block each was drawn: which ones are rounded follows from it.
            ruler: of the column.
            masses: the positions of its point masses, ascending.
            ends: its lowest and its highest position.
        """
        if len(self.digits):
            return _shortened(at, int(self.digits[0]), ruler, ends)
        band = np.maximum(np.searchsorted(self.begins, block, side="right") - 1, 0)
        ids = np.ascontiguousarray(within, dtype=np.float64).view(np.uint64) + block.astype(np.uint64)
        point = Dice(ids, _KEY).uniform()
        found = at.copy()
        upto = np.zeros(len(at))
        for k, step in enumerate(self.steps.tolist()):
            low, upto = upto, upto + self.shares[band, k]
            mine = np.flatnonzero((point >= low) & (point < upto))
            found[mine] = _onto(at[mine], step_of(step) / _unit(ruler), ruler, masses, ends)
        return found


class Drawn(NamedTuple):
    """Where a column draws values, and between what."""

    ruler: Ruler
    blocks: Blocks
    rows: np.ndarray
    """How many rows are drawn in each block."""
    masses: np.ndarray
    """The positions of the point masses, ascending."""


def rounding_of(column: Drawn, at: np.ndarray, drawn: np.ndarray, protect: int) -> Rounding | None:
    """Return how the values of a column that are drawn are rounded; nothing where they are not.

    Args:
        column: where values are drawn.
        at: the positions of its distinct values.
        drawn: the rows of each that point masses do not give back; below zero, where they give back more than there
            are.
        protect: how many rows at least every kept share stands for.
    """
    if float(column.rows.sum()) < ROWS or not _able(column.ruler):
        return None
    some = (drawn != 0) & (np.abs(_counts(at, column.ruler)) < _EXACT)
    at, drawn = at[some], drawn[some]
    if float(drawn.sum()) < ROWS:
        return None
    counts = _counts(at, column.ruler)
    digits = _significant(counts * float(_unit(column.ruler)))
    if digits:
        nothing = np.zeros((1, 0))
        return Rounding(np.zeros(0, np.int16), np.zeros(1, np.int64), nothing, np.array([digits], np.int16))
    borders, begins, widths = _bands(column)
    steps, levels, tried = _levels(column, counts, drawn, _spread(column, begins))
    if not steps:
        return None
    found = _found(np.searchsorted(borders, at), _coarsest(levels, counts), (len(begins), len(levels)), drawn)
    kept = (found >= protect) & (np.array([float(level) for level in levels]) * NARROW <= widths[:, None])
    for k in range(len(levels) - 1, 0, -1):  # who may not be rounded so far is rounded less
        finer = max(i for i in range(k) if not i or levels[k] % levels[i] == 0)
        found[:, finer] += np.where(kept[:, k], 0, found[:, k])
        found[~kept[:, k], k] = 0
    bands = np.repeat(np.arange(len(begins)), len(tried[0]) // len(begins))
    weights = _weights(found, _shares(levels, tried, bands, len(begins)))
    shares = (weights * kept)[:, 1:] / np.maximum(np.add.reduceat(column.rows, begins), weights.sum(axis=1))[:, None]
    used = (shares > 0).any(axis=0)
    return Rounding(np.array(steps, np.int16)[used], begins, shares[:, used]) if used.any() else None


# -------------------------------------------------------------------------------------------------------- which steps
def _able(ruler: Ruler) -> bool:
    """Return whether the values are numbers whose decimal digits can be told."""
    return ruler.field.kind in (Kind.NUMBER, Kind.INTEGER) and ruler.scale == 1.0 and ruler.calendar is None


def _counts(at: np.ndarray, ruler: Ruler) -> np.ndarray:
    """Return positions as numbers: the values, or how many units of the lattice they are."""
    return at * ruler.step + ruler.anchor if ruler.stepped else at


def _unit(ruler: Ruler) -> Fraction:
    """Return what one count is worth."""
    if ruler.lattice is not None:
        return ruler.lattice
    return Fraction(10) ** -getattr(canonical(ruler.field), "scale", 0) if ruler.whole else Fraction(1)


def step_of(which: int) -> Fraction:
    """Return a step by its number: 1, 2, 2.5, 5, 10, … from 0 upwards, 0.5, 0.25, 0.2, 0.1, … from -1 downwards."""
    return FACTORS[which % len(FACTORS)] * Fraction(10) ** (which // len(FACTORS))


def _candidates(ruler: Ruler, counts: np.ndarray) -> list[int]:
    """Return the numbers of the steps that values may be rounded to, the finest first."""
    low, high = np.quantile(counts, (0.05, 0.95))
    span = float(high - low) * float(_unit(ruler))
    top = math.floor(math.log10(span)) if span > 0 else -FARTHEST - DEEP
    if top - DEEP < -FARTHEST or top >= FARTHEST:
        return []
    every = range((top - DEEP + 1) * len(FACTORS), (top + 1) * len(FACTORS))
    return [which for which in every if float(step_of(which)) <= span and _fits(step_of(which) / _unit(ruler), ruler)]


def _fits(step: Fraction, ruler: Ruler) -> bool:
    """Return whether a step (in counts) leads from one value that a column may hold to another."""
    if not ruler.stepped:
        return True
    return step > ruler.step and step % ruler.step == 0 and ruler.anchor % ruler.step == 0


def _levels(
    column: Drawn, counts: np.ndarray, drawn: np.ndarray, spread: np.ndarray
) -> tuple[list[int], list[Fraction], list[np.ndarray]]:
    """Return the numbers of the steps that more rows keep to than chance explains.

    Beside them the same steps in counts, and before them the column's own (0: it has none). And, for each of these,
    what becomes of positions that are spread as drawn values are, when they are rounded to it: where point masses are
    close to each other, many multiples are not free, and chance is seen by trying.
    """
    ruler, whole = column.ruler, float(drawn.sum())
    steps: list[int] = []
    levels, tried, weights = [Fraction(ruler.step if ruler.stepped else 0)], [_counts(spread, ruler)], np.array([whole])
    least, ends = max(FEWEST, LEAST * whole), span_of(column.masses, column.blocks)
    for which in _candidates(ruler, counts):
        step = step_of(which) / _unit(ruler)
        there = float(drawn[_multiple(counts, step)].sum())
        expected = sum(w * float(_multiple(t, step).mean()) for w, t in zip(weights, tried, strict=True))
        if there - expected > max(least, SURE * math.sqrt(max(there, 0) + expected)):
            steps.append(which)
            levels.append(step)
            tried.append(_counts(_onto(spread, step, ruler, column.masses, ends), ruler))
            found = _found(None, _coarsest(levels, counts), (1, len(levels)), drawn)
            weights = _weights(found, _shares(levels, tried, None, 1))[0]
    kept = [k for k in range(1, len(levels)) if weights[k] >= least]
    return [steps[k - 1] for k in kept], [levels[k] for k in (0, *kept)], [tried[k] for k in (0, *kept)]


def _multiple(counts: np.ndarray, step: Fraction) -> np.ndarray:
    """Return which numbers are multiples of a step, but for what floats cannot tell."""
    with np.errstate(over="ignore"):
        times = np.clip(counts / float(step), -_EXACT, _EXACT)
    near = np.minimum(_CLOSE + _FLOAT * np.abs(times), _APART)
    return np.asarray(np.abs(times - np.rint(times)) <= near)


def _met(step: Fraction, level: Fraction) -> float:
    """Return the share of the multiples of a level that are multiples of a step too."""
    if not level:
        return 0.0
    common = math.lcm(step.denominator, level.denominator)
    one, two = int(step * common), int(level * common)
    return two / math.lcm(one, two)


def _coarsest(levels: list[Fraction], counts: np.ndarray) -> np.ndarray:
    """Return the coarsest level that each number is a multiple of."""
    which = np.zeros(len(counts), dtype=np.int64)
    for k, level in enumerate(levels[1:], 1):
        which[_multiple(counts, level)] = k
    return which


def _found(
    bands: np.ndarray | None, which: np.ndarray, shape: tuple[int, int], rows: np.ndarray | None = None
) -> np.ndarray:
    """Return how many rows each band has of each level (bands × levels); of one band, where none is told."""
    place = which if bands is None else bands * shape[1] + which
    return np.bincount(place, rows, shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _shares(levels: list[Fraction], tried: list[np.ndarray], bands: np.ndarray | None, many: int) -> np.ndarray:
    """Return which share of what is rounded to a level (last axis) has each as its coarsest (bands × levels × …)."""
    found = [_found(bands, _coarsest(levels, t), (many, len(levels))) for t in tried]
    return np.stack(found, axis=-1) * many / len(tried[0])


def _spread(column: Drawn, begins: np.ndarray) -> np.ndarray:
    """Return positions that are spread as drawn values are, band by band, as many in each."""
    rows, each = column.rows, TRIED // len(begins)
    ends = np.cumsum(rows)
    first = np.append(0.0, ends)[begins]
    wide = np.append(first[1:], ends[-1]) - first
    point = (first[:, None] + wide[:, None] * (np.arange(each) + 0.5) / each).ravel()
    block = np.minimum(np.searchsorted(ends, point, side="right"), len(rows) - 1)
    within = np.clip((point - ends[block] + rows[block]) / np.maximum(rows[block], 1), 0, 1)
    return column.blocks.draw(block, within, column.masses, stepped=column.ruler.stepped)


def span_of(masses: np.ndarray, blocks: Blocks) -> tuple[float, float]:
    """Return the lowest and the highest position that there may be."""
    ends = np.concatenate([masses, blocks.low, blocks.high])
    return float(ends.min()), float(ends.max())


def _weights(found: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return how many rows must be rounded to each level, that so many have it as their coarsest (… × levels)."""
    weights = np.zeros(found.shape)
    for k in range(found.shape[-1]):
        left = found[..., k] - (chances[..., k, :k] * weights[..., :k]).sum(axis=-1)
        weights[..., k] = np.maximum(left, 0) / np.maximum(chances[..., k, k], FREE)
    return weights


def _bands(column: Drawn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the positions between bands, the first block of each, and its width in counts."""
    blocks, rows = column.blocks, column.rows
    many = int(np.clip(rows.sum() // ROWS, 1, min(BANDS, len(rows))))
    place = np.floor((np.cumsum(rows) - rows / 2) / rows.sum() * many)
    begins = np.flatnonzero(np.append(True, np.diff(place) > 0))
    borders = (blocks.high[begins[1:] - 1] + blocks.low[begins[1:]]) / 2
    last = np.append(begins[1:], len(rows)) - 1
    widths = (blocks.high[last] - blocks.low[begins]) * (column.ruler.step if column.ruler.stepped else 1)
    return borders, begins, widths


def _significant(values: np.ndarray) -> int:
    """Return how many significant digits values of very different size have at most; 0 where that says nothing."""
    size = np.abs(values[values != 0])
    if len(size) < ROWS // 2 or size.max() < 1e3 * size.min() or not (size.min() > _TINY and size.max() < 1 / _TINY):
        return 0  # of one size, or so small or large that floats have fewer digits
    power = np.floor(np.log10(size))
    for digits in range(1, SIGNIFICANT + 1):
        times = size / 10.0 ** (power - digits + 1)
        if np.all(np.abs(times - np.rint(times)) <= _CLOSE):
            below = np.mean(size < 10.0 ** (power.max() - 1))  # where one step for all would not do
            return digits if below >= FREE and np.mean(power < power.max() - digits) > 0 else 0
    return 0


def _shortened(at: np.ndarray, digits: int, ruler: Ruler, ends: tuple[float, float]) -> np.ndarray:
    """Return positions with so many significant digits; those that would lie beyond the ends as they were."""
    unit = float(_unit(ruler))
    values = _counts(at, ruler) * unit
    with np.errstate(divide="ignore"):
        power = np.where(values == 0, 0.0, np.floor(np.log10(np.abs(values)))) - digits + 1
    # divided by whole powers of ten where there are any, so that 0.3 is the float that a person types
    times = np.rint(np.where(power < 0, values * 10.0**-power, values / 10.0**power))
    value = np.where(power < 0, times / 10.0**-power, times * 10.0**power) / unit
    place = (value - ruler.anchor) / ruler.step if ruler.stepped else value
    near = np.rint(place)
    place = np.where(np.abs(place - near) <= _CLOSE, near, place) if ruler.stepped else place
    good = (place >= ends[0]) & (place <= ends[1]) & (values != 0)
    if ruler.stepped:
        good &= place == near
    return np.where(good, place, at)


# ---------------------------------------------------------------------------------------------------------- rounding
def _onto(at: np.ndarray, step: Fraction, ruler: Ruler, masses: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Return positions on the nearest multiple of a step that may be given, of the four around each; else as it was."""
    with np.errstate(over="ignore"):
        times = np.clip(_counts(at, ruler) * step.denominator / step.numerator, -_EXACT, _EXACT)
    near = np.rint(times)
    side = np.where(times > near, 1, -1)
    found, open_ = at.copy(), np.abs(times) < _EXACT
    for number in (near, near + side, near - side, near + 2 * side):
        value = number * step.numerator / step.denominator
        place = (value - ruler.anchor) / ruler.step if ruler.stepped else value
        good = open_ & (number != 0) & (place >= ends[0]) & (place <= ends[1]) & ~_among(place, masses)
        found[good] = place[good]
        open_ &= ~good
    return found


def _among(place: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Return which positions are those of point masses."""
    if not len(masses):
        return np.zeros(len(place), dtype=bool)
    found: np.ndarray = masses[np.minimum(np.searchsorted(masses, place), len(masses) - 1)] == place
    return found
