"""Which cells a column has: from the specification, or paid for; never from real rows for free.

What audits find first is a domain that was read from the data (arXiv 2405.10994): a value that one row alone has then
shows in the cells. Here a column that the specification says nothing of is measured with noise, within the budget:

- numbers and dates by counts of powers of two, which are the same for every table;
- labels by a threshold that those of single rows do not reach but by a chance that is part of delta.

Bins that turn out to hold much are cut finer, and counted again: where most rows share one value, or lie in a corner
of a long tail, bins of equal width say little.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import NamedTuple

import numpy as np

from synthwright.core.errors import FitError
from synthwright.core.schema import ORDERED, Field, Frozen, Kind, canonical
from synthwright.core.values import Column, time_ends
from synthwright.kit.coding.rulers import Ruler, tidy
from synthwright.kit.formula.stated import Said, stated
from synthwright.kit.private.accounting import Purse
from synthwright.kit.private.cells import Axis, Bins, Words, found, positions, ruler_of, spread
from synthwright.kit.private.noise import frequent, noisy

ROUNDS = 3
"""How often bins are counted, to cut those that hold much."""
PIECES = 64
"""Into how many a bin is cut."""
SURE = 4.0
"""Standard deviations of noise above which a count is not noise alone."""
LEAST, MOST = -40, 100
"""Powers of two that are told apart, of numbers without a lattice."""
DIGITS = 62
"""Powers of two that are told apart on a lattice."""


class Known(Frozen):
    """What is known of a column without looking at real rows: its ends, or its values."""

    between: tuple[Said, Said] | None = None
    """The least and the greatest value of numbers and dates; what is beyond them counts as the nearest bin."""
    values: tuple[Said, ...] | None = None
    """The values that there are; others are made as one of these."""


class Want(NamedTuple):
    """A column, and what is known of it."""

    name: str
    field: Field
    known: Known

    @property
    def free(self) -> bool:
        """Whether its cells need no look at real rows."""
        return self.known.values is not None or self.field.kind is Kind.BOOLEAN or bool(self.field.labels)

    @property
    def labelled(self) -> bool:
        """Whether its labels are to be found."""
        return self.field.kind is Kind.CATEGORY and not self.free

    @property
    def ends(self) -> tuple[float, float] | None:
        """The first and the last position, where they are known."""
        ruler, between = ruler_of(self.field), self.known.between
        if between is not None:
            low, high = ruler.positions(stated(between, self.field))
            return float(low), float(high)
        if self.field.kind is Kind.TIME:
            low, high = time_ends(canonical(self.field))
            return 0.0, float((high - low) // ruler.step)
        return None


def misfits(known: Known, field: Field) -> list[tuple[str, str]]:
    """Return what is said of a column that cannot be: which parameter, and a sentence."""
    if (known.between is None) == (known.values is None):
        return [("", "say either `between: [lowest, highest]` or `values: [...]`")]
    if known.values is not None:
        said = stated(known.values, field)
        if not len(said) or said.null_count or len(said.unique()) < len(said):
            return [("values", f"wanted different values of kind {field.kind.value!r}, at least one")]
        return []
    if field.kind not in ORDERED:
        return [("between", f"a column of kind {field.kind.value!r} has no ends: say its values")]
    ends = stated(known.between or (), field)
    if ends.null_count or not ends[0].as_py() <= ends[1].as_py():
        return [("between", f"wanted two values of kind {field.kind.value!r}, the lower one first")]
    return []


def settled(wants: list[Want], columns: Mapping[str, Column], *, rho: float, bins: int, purse: Purse) -> list[Axis]:
    """Return the cells of every column, some of them paid for.

    Args:
        wants: the columns.
        columns: real rows, by name.
        rho: what all columns together may cost.
        bins: about how many bins an ordered column has.
        purse: who pays.
    """
    paid = sum(not w.free for w in wants)
    return [_settled(w, columns[w.name], rho=rho / max(paid, 1), bins=bins, purse=purse) for w in wants]


def _settled(want: Want, column: Column, *, rho: float, bins: int, purse: Purse) -> Axis:
    field, known = want.field, want.known
    if field.kind is Kind.BOOLEAN:
        return Words(field, (False, True))
    if field.kind in ORDERED:
        if known.values is not None:
            at = np.unique(ruler_of(field).positions(stated(known.values, field)))
            return Bins(field, at, at)
        return _binned(want, column, rho=rho, bins=bins, purse=purse)
    if want.free:
        return Words(field, tuple(stated(known.values, field).to_pylist()) if known.values else field.labels)
    whole = tidy(column).drop_null().value_counts()
    counts = dict(zip(whole.field(0).to_pylist(), whole.field(1).to_pylist(), strict=True))
    labels = sorted(frequent(counts, rho=rho, delta=purse.chance, purse=purse))
    if not labels and not field.nulls and not purse.rehearsing:
        raise FitError(purse.owner, f"column {want.name!r}", wanted="a label that many rows have", got="none found",
                       remedy="say its values under 'domain', let it have nulls, or raise epsilon")  # fmt: skip
    return Words(field, tuple(labels))


def _binned(want: Want, column: Column, *, rho: float, bins: int, purse: Purse) -> Bins:
    """Return the bins of an ordered column, counted with noise until those that hold much are fine."""
    ruler, ends = ruler_of(want.field), want.ends
    at, missing = positions(ruler, column)
    at = at[~missing]
    rounds = ROUNDS + (ends is None)
    if ends is not None:
        low, high = spread(*ends, bins, stepped=ruler.stepped)
        if ruler.stepped and ends[1] - ends[0] < bins:
            return Bins(want.field, low, high)  # every value has its bin
    else:
        low, high = _within(*_powers(ruler), want.field)
    root = np.arange(len(low))
    for left in reversed(range(rounds)):
        counts, sigma = noisy(np.bincount(found(low, high, at), minlength=len(low)), rho=rho / rounds, purse=purse)
        if ends is None and left == rounds - 1:
            kept = _kept(counts, sigma)
            low, high, counts, root = low[kept], high[kept], counts[kept], root[kept]
        total = max(float(counts.sum()), 1.0)
        if not left:
            return Bins(want.field, *_joined(low, high, counts, root, total / bins))
        heavy = (counts > 2 * total / bins) & (counts > SURE * sigma) & (high > low)
        low, high, root = _cut(low, high, root, heavy, stepped=ruler.stepped)
    raise AssertionError  # the last round returns


def _powers(ruler: Ruler) -> tuple[np.ndarray, np.ndarray]:
    """Return bins between powers of two, of either sign, and one for zero: the same for every table."""
    least, most = (0, DIGITS) if ruler.stepped else (LEAST, MOST)
    begin = 2.0 ** np.arange(least, most + 1)
    end = np.append(begin[1:] - (1 if ruler.stepped else 0), 2 * begin[-1])
    small = 0.0 if ruler.stepped else begin[0]
    return np.concatenate([-end[::-1], [-small], begin]), np.concatenate([-begin[::-1], [small], end])


def _within(low: np.ndarray, high: np.ndarray, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Return bins without what the type of a field cannot hold: days after the year 9999, too many digits."""
    import pyarrow as pa

    kind = canonical(field)
    if pa.types.is_date32(kind):
        ends = pa.array(time_ends(kind), pa.int32()).cast(kind)
    elif pa.types.is_decimal(kind):
        most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, Context(kind.precision))
        ends = pa.array([most.copy_negate(), most], kind)
    else:
        return low, high  # rulers hold values of other types to their ends
    first, last = ruler_of(field).positions(ends).tolist()
    able = (low <= last) & (high >= first)
    return np.maximum(low[able], first), np.minimum(high[able], last)


def _kept(counts: np.ndarray, sigma: float) -> slice:
    """Return the bins from the first that surely holds rows to the last; the fullest, if none does."""
    sure = np.flatnonzero(counts > SURE * sigma)
    if not len(sure):
        sure = np.array([int(np.argmax(counts))])
    return slice(int(sure[0]), int(sure[-1]) + 1)


def _cut(
    low: np.ndarray, high: np.ndarray, root: np.ndarray, heavy: np.ndarray, *, stepped: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bins, the heavy ones of them cut."""
    lows, highs, roots = [], [], []
    for a, b, of, much in zip(low.tolist(), high.tolist(), root.tolist(), heavy.tolist(), strict=True):
        first, last = spread(a, b, PIECES, stepped=stepped) if much else (np.array([a]), np.array([b]))
        lows.append(first)
        highs.append(last)
        roots.append(np.full(len(first), of))
    return np.concatenate(lows), np.concatenate(highs), np.concatenate(roots)


def _joined(
    low: np.ndarray, high: np.ndarray, counts: np.ndarray, root: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return bins, neighbours of one origin joined until they hold about as much as a bin should."""
    begins, held = [0], float(counts[0])
    for i in range(1, len(low)):
        if root[i] != root[i - 1] or held + counts[i] > least:
            begins.append(i)
            held = 0.0
        held += float(counts[i])
    ends = np.array([*begins[1:], len(low)]) - 1
    return low[begins], high[ends]
