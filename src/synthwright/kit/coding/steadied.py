"""How often each kept value of a column is given, without what chance alone did to the counts of its rows.

Of 880 weights of five rows each some have two and others ten, by chance. Drawn as often as they are there, all such
accidents come back, and tell who was there. So counts that differ from those around them no more than chance explains
are moved toward these (James and Stein's shrinkage of Poisson counts; Clevenson and Zidek 1975). And values that are
kept because three rows happened to share them would be shared by fewer of other rows: what they would lose goes to
the rare values beside them (Good, The population frequencies of species, Biometrika 40, 1953).
"""

from __future__ import annotations

import numpy as np

from synthwright.core.schema import Kind
from synthwright.kit.coding.rulers import Ruler

AROUND = 12
"""Numbers on either side that say what is usual, of those that are as round."""
ALONE = 4.0
"""A count that is so many standard deviations above the usual is a number that people prefer: it stays."""
PLAIN = 1.5
"""A neighbourhood whose counts vary so many times as much as chance has them vary has a form of its own: it stays."""
SEVERAL, HEAVY = 50, 30
"""Different values that tell how often such values come again, and rows from which on values do."""
FALLS = 4.0
"""Standard deviations that chance explains."""
_FACTORS = (2, 5, 10)
_POWERS, _TENS = 6, 3
_EXACT = 2.0**53


def steadied(ruler: Ruler, at: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how many rows each point mass stands for, as many in all.

    Args:
        ruler: of the column; of others than numbers on a lattice, rows are returned as they are.
        at: the positions of the point masses, ascending.
        rows: how many rows each has.
    """
    able = ruler.stepped and ruler.scale == 1.0 and ruler.calendar is None
    if not able or ruler.field.kind not in (Kind.NUMBER, Kind.INTEGER) or len(at) <= 2 * AROUND:
        return rows
    out = rows.astype(np.float64)
    units = at * ruler.step + ruler.anchor
    level = _roundness(units)
    for which in np.unique(level):
        mine = np.flatnonzero(level == which)
        if len(mine) > 2 * AROUND:
            out[mine] = _shrunk(out[mine])
    return out * (rows.sum() / out.sum())


def returning(ruler: Ruler, at: np.ndarray, counts: np.ndarray, protect: int) -> np.ndarray:
    """Return which share of its rows each value would have again among other rows of the same source: 1 where unknown.

    Numbers that are as round are told together: people prefer them alike. Multiples of ten come again: there are few of
    them, and beside them none as round.

    Args:
        ruler: of the column; all of the rows of others than numbers come again.
        at: the positions of the different values.
        counts: how many rows hold each.
        protect: how many rows a kept value has at least.
    """
    found = np.ones(len(at))
    if ruler.field.kind not in (Kind.NUMBER, Kind.INTEGER) or ruler.calendar is not None:
        return found
    level = _roundness(at * ruler.step + ruler.anchor) if ruler.stepped else _roundness(at)
    level = np.where((at == np.rint(at)) | ruler.stepped, level, -1)
    for which in np.unique(level[level < _TENS]):
        mine = level == which
        found[mine] = _returning(counts[mine], protect)
    return found


def _returning(counts: np.ndarray, protect: int) -> np.ndarray:
    """Return Good's estimate: values with `k` rows come again (k + 1) N(k + 1) / N(k) times, if N(k) values have k.

    Classes of few values are told together. It is told only where values are the rarer the more rows they have, up to
    `protect`, and where the estimate never falls: however different values are, it rises with `k` (Cauchy and Schwarz).
    What rows share by design, as the four quarters of a year, comes again.
    """
    found = np.ones(len(counts))
    number = np.bincount(np.minimum(counts, HEAVY + 1), minlength=HEAVY + 2)[: HEAVY + 1]
    rows, many = number * np.arange(HEAVY + 1), np.cumsum(number)
    if many[protect - 1] < SEVERAL or (np.diff(number[1 : protect + 1]) > 0).any() or _falls(number):
        return found
    first = protect
    for k in range(protect, HEAVY):
        if many[k] - many[first - 1] >= SEVERAL:
            share = rows[first + 1 : k + 2].sum() / rows[first : k + 1].sum()
            found[(counts >= first) & (counts <= k)] = min(share, 1.0)
            first = k + 1
    return found


def _falls(number: np.ndarray) -> bool:
    """Return whether values with more rows come again less often than those with fewer, by more than chance explains.

    Args:
        number: how many values have 0, 1, 2 … rows.
    """
    rows = np.flatnonzero(number[:-1] >= SEVERAL)
    rows = rows[rows > 0]
    if len(rows) < 2:
        return False
    size, after = number[rows].astype(np.float64), number[rows + 1].astype(np.float64)
    again = (rows + 1) * after / size
    error = (rows + 1) / size * np.sqrt(after + after**2 / size + 1)
    fall = (again[:, None] - again) / np.hypot(error[:, None], error)
    return bool((np.triu(fall, 1) > FALLS).any())


def _roundness(units: np.ndarray) -> np.ndarray:
    """Return how round numbers are: which of 1, 2, 5, 10, 20, 50 … is the largest that divides them."""
    found = np.zeros(len(units), dtype=np.int64)
    whole = np.where(np.abs(units) < _EXACT, np.rint(units), 1.0)
    for step in range(_POWERS * len(_FACTORS)):
        size = 10.0 ** (step // len(_FACTORS)) * _FACTORS[step % len(_FACTORS)]
        found[np.mod(whole, size) == 0] = step + 1
    return found


def _shrunk(rows: np.ndarray) -> np.ndarray:
    """Return counts moved toward the mean of those around them, where these vary as chance has them vary."""
    preferred = np.zeros(len(rows), dtype=bool)
    for _ in range(2):
        usual = _around(np.where(preferred, 0.0, rows)) / np.maximum(_around(~preferred * 1.0), 1e-9)
        preferred = rows > usual + ALONE * np.sqrt(usual)
    plain = np.where(preferred, usual, rows)
    varies = _around((plain - usual) ** 2) / np.maximum(usual, 1e-9)
    kept = np.where(varies > PLAIN, 1.0, np.clip(1 - 1 / np.maximum(varies, 1e-9), 0.0, 1.0))
    return np.where(preferred, rows, usual + kept * (rows - usual))


def _around(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value and those on both sides of it."""
    ends = np.concatenate([[0.0], np.cumsum(values)])
    low = np.clip(np.arange(len(values)) - AROUND, 0, len(values) - 2 * AROUND - 1)
    return np.asarray((ends[low + 2 * AROUND + 1] - ends[low]) / (2 * AROUND + 1))
