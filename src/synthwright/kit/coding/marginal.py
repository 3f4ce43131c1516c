"""One ordered column as cells along a line: point masses kept exactly, everything else blurred.

A *cell* is a point mass (a value that enough rows share) or a block: neighbouring rows, of which only means of at
least `protect` rows are kept. Blocks do not reach across gaps, a stray value far from everything is nobody's
neighbour and lends its share to the nearest cell, and on a sparse lattice a block keeps clear of its real values.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

WINDOW = 5
"""How many distances on either side say what is usual around a gap."""
SOFT, HARD = 10.0, 50.0
"""A gap so many times the usual distance is not drawn across; one of `HARD` makes what lies behind it a stray."""
CROWDED = 4
"""A block that spans more than so many times its own rows in point masses is no neighbourhood."""
COMMON, CROWD = 0.25, 30
"""Where at least so many of the values that a lattice has are point masses it is dense, and a block may span more."""
RULED = 3
"""Where point masses have so many times the rows of all others, the nearest stands for rare values between them."""
WIDE = 16
"""How many lattice values for each real one, between the quartiles, make a column sparse."""
_TRIED = 16
_LATTICE_END = 2.0**52


@dataclass(frozen=True)
class Blocks:
    """Blocks of a column, sorted: where each begins, its mean, where it ends, and which lattice values it may give."""

    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    stride: np.ndarray
    offset: np.ndarray

    def draw(self, block: np.ndarray, within: np.ndarray, masses: np.ndarray, *, stepped: bool) -> np.ndarray:
        """Return positions inside blocks; `within` (0 to 1) runs from where the block begins to where it ends.

        On a lattice none of the point masses (ascending positions) is given, where a block holds another value: they
        have shares of their own.
        """
        low, middle, high = self.low[block], self.middle[block], self.high[block]
        first = 2 * within < 1
        at = np.where(first, low + (middle - low) * (2 * within), middle + (high - middle) * (2 * within - 1))
        if not stepped:
            return np.clip(at, low, high)
        first, last = np.ceil(low), np.floor(high)
        inside = np.where(first <= last, np.clip(np.rint(at), first, last), np.rint(at))
        stride = self.stride[block]
        moved = inside + np.mod(self.offset[block] - inside, stride)
        found = np.where((moved > last) & (stride > 1), moved - stride, moved)
        begin, end = np.searchsorted(masses, first, "left"), np.searchsorted(masses, last, "right")
        free = last - first + 1 - (end - begin)
        mine = np.flatnonzero((stride == 1) & (end > begin) & (free > 0) & (np.abs(last) < _LATTICE_END))
        share = np.clip((at - low)[mine] / np.maximum(high - low, 1e-300)[mine], 0, 1 - 1e-12)
        nth = first[mine] - begin[mine] + np.floor(share * free[mine])
        found[mine] = nth + np.searchsorted(masses - np.arange(len(masses)), nth, "right")
        return found

    def find(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each position the nearest block and the distance to it (0 inside)."""
        if not len(self.low):
            return np.zeros(len(at), np.int64), np.full(len(at), np.inf)
        after = np.searchsorted(self.low, at, side="right")
        left = np.maximum(after - 1, 0)
        right = np.minimum(after, len(self.low) - 1)
        apart_left = np.maximum(np.maximum(self.low[left] - at, at - self.high[left]), 0)
        apart_right = np.maximum(self.low[right] - at, 0)
        nearer = apart_right < apart_left
        return np.where(nearer, right, left), np.where(nearer, apart_right, apart_left)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def point_masses(counts: np.ndarray, protect: int, most: int) -> np.ndarray:
    """Return which distinct values are kept exactly: those that enough rows share, the heaviest `most` at most."""
    able = counts >= protect
    if int(able.sum()) > most:
        least = np.sort(counts[able])[-most]
        able = counts > least
    found: np.ndarray = able
    return found


def blocks_of(  # noqa: PLR0913  one call, keyword-only
    at: np.ndarray, counts: np.ndarray, exact: np.ndarray, *, protect: int, most: int, stepped: bool,
    rng: np.random.Generator,
) -> Blocks:  # fmt: skip
    """Return the blocks that the values outside point masses make.

    Args:
        at: the positions of the distinct values, ascending.
        counts: how many rows hold each.
        exact: which of them are point masses.
        protect: how many rows at least every kept number is a mean of.
        most: about how many blocks at most.
        stepped: whether only whole positions are possible values.
        rng: chooses which lattice values a block may give.
    """
    if counts[~exact].sum() < protect:
        return Blocks(*(np.empty(0) for _ in fields(Blocks)))
    run = _runs(at, counts, exact, protect, most)
    taken = run >= 0
    rows = np.repeat(at[taken], counts[taken])
    of = np.repeat(run[taken], counts[taken])
    if not len(rows):
        return Blocks(*(np.empty(0) for _ in fields(Blocks)))
    starts, run_of = _cut(of, protect, most)
    ends = np.append(starts[1:], len(rows))
    begin, final = np.searchsorted(at, rows[starts], "left"), np.searchsorted(at, rows[ends - 1], "right")
    masses = np.append(0, np.cumsum(np.where(exact, counts, 0)))
    spanned = masses[final] - masses[begin]
    common = stepped & _common(at, exact, begin, final)
    good = spanned <= np.where(common, CROWD, CROWDED) * (ends - starts)
    low, middle, high = (knot[good] for knot in _knots(rows, starts, run_of, good, protect))
    if not stepped:
        return Blocks(low, middle, high, np.ones(len(low)), np.zeros(len(low)))
    stride, offset, dense = _kept_clear(low, high, at[~exact], rng)
    stride, dense = np.where(common[good], 1.0, stride), dense | common[good]
    ruled = counts[exact].sum() >= RULED * counts[~exact].sum()
    good = ~dense | common[good] | (~ruled & (spanned < ends - starts)[good])  # else point masses stand for the block
    return Blocks(*(knot[good] for knot in (low, middle, high, stride, offset)))


def _common(at: np.ndarray, exact: np.ndarray, begin: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Return which blocks of a lattice (from a distinct value up to another) lie where point masses are common.

    They are inside the block, or right beside it: in a hole between them a few values are somebody's.
    """
    many, held = np.append(0, np.cumsum(exact)), at[exact]
    low, high = np.maximum(begin - WINDOW, 0), np.minimum(final + WINDOW, len(at))
    inside = many[final] - many[begin] >= COMMON * (at[final - 1] - at[begin] + 1)
    beside = many[high] - many[low] >= COMMON * (at[high - 1] - at[low] + 1)
    ends = np.concatenate([[-np.inf], held, [np.inf]])
    near = ends[many[final] + 1] - ends[many[begin]] <= 1 + 1 / COMMON
    return np.asarray(inside | (beside & near))


def _runs(at: np.ndarray, counts: np.ndarray, exact: np.ndarray, protect: int, most: int) -> np.ndarray:
    """Return the run of each distinct value: neighbours without a gap between them; -1 for what makes no block."""
    soft, hard = _gaps(at, counts, protect, most)
    side = np.append(0, np.cumsum(hard))[: len(at)]
    live = np.bincount(side, counts)[side] >= protect
    if not live.any():
        live[:] = True
    run = np.append(0, np.cumsum(soft))[: len(at)]
    rare = live & ~exact
    while True:
        _, run[live] = np.unique(run[live], return_inverse=True)
        size = int(run[live].max()) + 1
        rows = np.bincount(run[rare], counts[rare], minlength=size)
        few = (rows > 0) & (rows < protect)
        masses = np.bincount(run[live & exact], minlength=size) > 0
        rare &= ~(few & masses)[np.where(live, run, 0)]  # next to point masses: the nearest of them stands for it
        few &= ~masses
        if not few.any() or size == 1:
            return np.where(rare & ~few[np.where(live, run, 0)], run, -1)
        run[live] = _joined(at[live], run[live], few)[run[live]]


def _joined(at: np.ndarray, run: np.ndarray, few: np.ndarray) -> np.ndarray:
    """Return new numbers for runs, where each run of too few rows is one with its nearer neighbour."""
    change = np.flatnonzero(np.diff(run))
    gap = np.concatenate([[np.inf], at[change + 1] - at[change], [np.inf]])
    kept = np.ones(len(gap), dtype=bool)
    which = np.flatnonzero(few)
    kept[np.where(gap[which] <= gap[which + 1], which, which + 1)] = False
    kept[0] = True
    found: np.ndarray = np.cumsum(kept[:-1]) - 1
    return found


def _gaps(at: np.ndarray, counts: np.ndarray, protect: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each distance between neighbours whether it is a gap, and whether what is behind it may be a stray.

    What is usual is told by the distances on one side, where at least `protect` rows stand.
    """
    last = len(at) - 1
    if last < 1:
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    i = np.arange(last)
    gap = np.diff(at)
    rows = np.cumsum(counts)
    first, final = np.maximum(i - WINDOW, 0), np.minimum(i + 1 + WINDOW, last)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where((i > first) & (rows[:-1] >= protect), (at[i] - at[first]) / (i - first), np.inf)
        right = np.where((final > i + 1) & (rows[-1] - rows[:-1] >= protect),
                         (at[final] - at[i + 1]) / (final - i - 1), np.inf)  # fmt: skip
    usual = np.maximum(np.minimum(left, right), np.spacing(np.abs(at[:-1])))
    soft = gap > SOFT * usual
    if int(soft.sum()) > most:
        soft &= gap >= np.sort(gap[soft])[-most]
    hard = gap > HARD * usual
    return soft | hard, hard


def _cut(of: np.ndarray, protect: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where blocks start among the sorted rows, and the run of each; finer toward both ends of the column."""
    size = max(protect, -(-len(of) // most))
    begin = np.flatnonzero(np.append(True, np.diff(of) != 0))
    length = np.diff(np.append(begin, len(of)))
    pieces = np.maximum(1, length // size)
    inside = np.arange(len(of)) - np.repeat(begin, length)
    piece = inside * np.repeat(pieces, length) // np.repeat(length, length)
    starts = np.flatnonzero(np.append(True, (np.diff(piece) != 0) | (np.diff(of) != 0)))
    finer = []
    head = int(starts[1]) if len(starts) > 1 else len(of)
    tail = len(of) - int(starts[-1])
    share = head // 2
    while share >= protect:
        finer.append(share)
        share //= 2
    share = tail // 2
    while share >= protect and len(starts) > 1:
        finer.append(len(of) - share)
        share //= 2
    starts = np.union1d(starts, np.array(finer, dtype=starts.dtype))
    return starts, of[starts]


def _knots(
    rows: np.ndarray, starts: np.ndarray, run: np.ndarray, good: np.ndarray, protect: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where blocks begin, their means, and where they end; every number a mean of at least `protect` rows."""
    ends = np.append(starts[1:], len(rows))
    size = ends - starts
    base = rows[starts]
    middle = np.clip(base + np.add.reduceat(rows - np.repeat(base, size), starts) / size, base, rows[ends - 1])
    spread = np.add.reduceat(np.abs(rows - np.repeat(middle, size)), starts) / size
    wide = size >= 2 * protect
    k = np.arange(protect)
    lowest = np.mean(rows[np.minimum(starts[:, None] + k, len(rows) - 1)] - base[:, None], axis=1) + base
    top = rows[ends - 1]
    highest = np.mean(rows[np.maximum(ends[:, None] - 1 - k, 0)] - top[:, None], axis=1) + top
    low = np.where(wide, lowest, middle - spread / 2)
    high = np.where(wide, highest, middle + spread / 2)
    joined = (run[1:] == run[:-1]) & good[1:] & good[:-1]
    border = middle[:-1] + (middle[1:] - middle[:-1]) * (size[:-1] / (size[:-1] + size[1:]))
    low[1:] = np.where(joined, border, low[1:])
    high[:-1] = np.where(joined, border, high[:-1])
    return np.minimum(low, middle), middle, np.maximum(high, middle)


def _kept_clear(
    low: np.ndarray, high: np.ndarray, real: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each block a stride and a residue that none of its rare real values has, and which may meet one.

    The stride is the smallest that there is, so that many values are left to give. A lattice is sparse where these are
    still twice as many as the block holds, for fewer would come again and again; in a column that is sparse as a whole,
    a narrow block needs only about as many. On a dense lattice no residue is chosen, and coincidence is chance, as it
    is among real rows.
    """
    stride, offset, sparse = np.ones(len(low)), np.zeros(len(low)), np.zeros(len(low), dtype=bool)
    first, last = np.ceil(low), np.floor(high)
    begin, end = np.searchsorted(real, first, "left"), np.searchsorted(real, last, "right")
    held, span = end - begin, last - first + 1
    within = np.maximum(np.abs(low), np.abs(high)) < _LATTICE_END
    middle = real[len(real) // 4 : len(real) - len(real) // 4]
    wide = len(middle) > 0 and middle[-1] - middle[0] >= WIDE * len(middle)
    left = np.maximum(held - 4, 2) if wide else 2 * held
    for b in np.flatnonzero((held > 0) & within & (span >= 2 * left)):
        values, most = np.rint(real[begin[b] : end[b]]), span[b] / left[b]
        for size in (*range(2, min(held[b], _TRIED) + 1), held[b] + 1):  # more residues than values: one is free
            free = np.setdiff1d(np.arange(size), np.mod(values, size)) if size <= most else ()
            if len(free):
                stride[b], offset[b], sparse[b] = size, rng.choice(free), True
                break
    return stride, offset, ~sparse & ~((held == 0) & (first <= last))
