"""The number behind a column's values, and a sum over the columns before it that tells this number.

Behind the column stands a standard normal number. Ridge regression (Hoerl and Kennard 1970) tells it from those behind
the columns before and from labels. Every row is told by the others alone (leave-one-out, in closed form), so that what
a sum misses of them is what it would miss of new rows. Where many rows share a value, the number behind it is drawn
within its bounds around what the sum tells (data augmentation; Albert and Chib 1993, Bayesian analysis of binary and
polychotomous response data).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.learning.coded import Coded

TELLS = 0.1
"""The share of the variance that a sum must tell, of rows that it was not learned from."""
PENALTIES = np.geomspace(0.1, 1000.0, 13)
"""How many rows stand against weights; what tells rows best that were not learned from is taken."""
COMMON = 16
"""Labels that have a weight of their own."""
SWEEPS = 8
"""How often numbers behind shared values are drawn anew."""
NARROW = 0.02
"""The share of the rows below which a value says well enough which number is behind it."""
BENT = 0.8
"""What a sum with squares may miss, as a share of what one without them misses, to be taken."""
MANY = 64
"""Columns from which on squares are not tried: it would take long."""
TALL = 8
"""How many times as many rows as what is weighted are far more."""
NULL = 255
"""The bin of no value."""
_OUT = 1e-4
"""The share beyond the outermost numbers."""


class Sum(NamedTuple):
    """A sum that tells the numbers behind a column's values."""

    points: np.ndarray
    """float32, columns before × 256: what each bin adds."""
    behind: np.ndarray
    """The number behind the value of each row."""
    told: np.ndarray
    """What the sum tells of it, as learned from all other rows."""


class Fit(NamedTuple):
    """Weights, and how well they do."""

    weights: np.ndarray
    start: float
    told: np.ndarray
    """What is told of each row, as learned from all others."""
    missed: float
    """The mean square of what is missed of them."""


def sum_for(
    column: Coded, places: np.ndarray, before: Sequence[Coded], bins: np.ndarray, ctx: Context
) -> Sum | None:  # fmt: skip
    """Return the sum that tells a column best; nothing where none tells much of it.

    Args:
        column: what is told.
        places: of it, all with a value.
        before: the columns that it is told from.
        bins: uint8, columns before × rows: theirs.
        ctx: the randomness.
    """
    best: tuple[list[np.ndarray], np.ndarray, Fit] | None = None
    for bent in (False, True) if len(before) < MANY else (False,):
        tables = [weighted(mine, ordered=c.ordered, bent=bent) for c, mine in zip(before, bins, strict=True)]
        matrix = np.concatenate([t[mine] for t, mine in zip(tables, bins, strict=True)], axis=1)
        ridge = Ridge.of(matrix)
        if ridge is None:
            return None
        behind, fit = _behind(column, places, ridge, ctx.at(bent).rng)
        if best is None or fit.missed < BENT * best[2].missed:
            best = tables, behind, fit
    if best is None or best[2].missed > 1 - TELLS:
        return None
    tables, behind, fit = best
    ends = np.cumsum([t.shape[1] for t in tables])
    points = np.array([t @ fit.weights[end - t.shape[1] : end] for t, end in zip(tables, ends, strict=True)])
    points[0] += fit.start
    return Sum(points.astype(np.float32), behind, fit.told)


class Ridge(NamedTuple):
    """Rows, ready for ridge regressions on them: the parts of their singular value decomposition."""

    mean: np.ndarray
    left: np.ndarray
    size: np.ndarray
    right: np.ndarray

    @staticmethod
    def of(matrix: np.ndarray) -> Ridge | None:
        """Return them (rows × what is weighted); nothing where all rows are alike."""
        if not matrix.size:
            return None
        mean = matrix.mean(axis=0)
        if len(matrix) > TALL * matrix.shape[1]:
            return Ridge._tall(mean, matrix - mean)
        left, size, right = np.linalg.svd(matrix - mean, full_matrices=False)
        keep = size > 1e-8 * max(float(size[0]), 1e-8)
        return Ridge(mean, left[:, keep], size[keep], right[keep]) if keep.any() else None

    @staticmethod
    def _tall(mean: np.ndarray, matrix: np.ndarray) -> Ridge | None:
        """Return them for far more rows than what is weighted: from its products, several times faster."""
        squares, right = np.linalg.eigh(matrix.T @ matrix)
        keep = squares > 1e-10 * max(float(squares[-1]), 1e-10)
        if not keep.any():
            return None
        size, right = np.sqrt(squares[keep]), right[:, keep]
        return Ridge(mean, matrix @ right / size, size, right.T)

    def fitted(self, target: np.ndarray) -> Fit:
        """Return the weights of that penalty which tells rows best that were not learned from."""
        start = float(target.mean())
        along = self.left.T @ (target - start)
        kept = self.size[:, None] ** 2 / (self.size[:, None] ** 2 + PENALTIES)
        lever = self.left**2 @ kept + 1 / len(target)
        missed = ((target - start)[:, None] - self.left @ (kept * along[:, None])) / np.maximum(1 - lever, 1e-6)
        error = (missed**2).mean(axis=0)
        best = int(np.argmin(error))
        weights = self.right.T @ (kept[:, best] / self.size * along)
        return Fit(weights, start - float(self.mean @ weights), target - missed[:, best], float(error[best]))


def _behind(column: Coded, places: np.ndarray, ridge: Ridge, rng: np.random.Generator) -> tuple[np.ndarray, Fit]:
    """Return the number behind each row's value, and what tells it."""
    from scipy.special import ndtr, ndtri

    shares = np.bincount(places, minlength=column.size) / len(places)
    ends = np.minimum(np.cumsum(shares), 1.0)
    low, high = (ends - shares)[places], ends[places]
    fit = ridge.fitted(ndtri(np.clip((low + high) / 2, _OUT, 1 - _OUT)))
    for _ in range(SWEEPS if shares.max() > NARROW else 1):
        spread = np.sqrt(max(fit.missed, 1e-6))
        first, last = (np.clip((ndtri(np.clip(at, 0, 1)) - fit.told) / spread, -8, 8) for at in (low, high))
        begin, end = ndtr(first), ndtr(last)
        at = ndtri(np.clip(begin + rng.random(len(places)) * (end - begin), 1e-12, 1 - 1e-12))
        behind = fit.told + spread * np.clip(at, first, last)
        fit = ridge.fitted(behind)
    return behind, fit


def weighted(bins: np.ndarray, *, ordered: bool, bent: bool) -> np.ndarray:
    """Return what each bin of a column says (256 × what is weighted), from its bin in every row.

    An order says where the bin stands, `bent` its square too; labels say which one it is, and no value that it is none.
    """
    from scipy.special import ndtri

    counts = np.bincount(bins, minlength=256).astype(np.float64)
    there = np.flatnonzero(counts[:NULL])
    parts = []
    if ordered and len(there):
        some, upto = counts[:NULL], np.cumsum(counts[:NULL])
        stand = ndtri(np.clip((upto - some / 2) / upto[-1], _OUT, 1 - _OUT))
        stand -= float(stand @ some) / upto[-1]
        stand /= np.sqrt(max(float(stand**2 @ some) / upto[-1], 1e-12))
        parts.append(np.append(stand, 0.0))
        if bent:
            parts.append(np.append(stand**2 - 1, 0.0))
    else:
        parts += [np.eye(256)[label] for label in there[np.argsort(-counts[there], kind="stable")][:COMMON]]
    if counts[NULL]:
        parts.append(np.eye(256)[NULL])
    return np.stack(parts, axis=1)
