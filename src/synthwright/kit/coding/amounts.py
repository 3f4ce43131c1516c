"""How texts that are put together of numbers are made: each number is learned as one, and keeps to the others' side.

Of `119/74` the second number is never above the first. It is learned as how far it is below, so it never is; which
rows are far apart follows from the columns beside the text, as each number does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.compound_ways import Numbered, Way
from synthwright.core.compounds import LEAST, ways_of
from synthwright.core.lattice import step_of
from synthwright.core.numerals import read_form, spell_numerals
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.coding.composed import MOMENTS, Amount, Composed, Piece
from synthwright.kit.coding.composing import OTHER, Asked, Found
from synthwright.kit.coding.shapes import knots
from synthwright.kit.coding.skeletons import Slot
from synthwright.kit.coding.spelled import Said, spelled

_FINEST = (("f", 1), ("%S", 1_000_000), ("%M", 60_000_000))
"""What forms of times can spell at all, in microseconds."""
_BEYOND = 1
"""Rows that would be on the other side of the number of another row, at least, where an order says something."""


def amounts_of(asked: Asked, texts: pa.Array, beside: pa.Table, said: list[Said]) -> Found | None:
    """Return how texts are put together of numbers; nothing where they are not, or where none may occur twice.

    Args:
        asked: what is asked about the column.
        texts: the column, a row each.
        beside: the rows of the columns that numbers may be copied from.
        said: how values of these are spelled in texts.
    """
    rows = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    if asked.unique or len(rows) < LEAST:
        return None
    ways = ways_of(texts.take(pa.array(rows)), np.ones(len(rows)), asked.protect)
    if ways is None:
        return None
    label, built = np.full(len(texts), OTHER, dtype=object), []
    label[~texts.is_valid().to_numpy(zero_copy_only=False)] = None
    hidden: dict[str, tuple[Field, pa.Array]] = {}
    for i, way in enumerate(ways):
        mine = rows[way.rows]
        label[mine] = str(i)
        pieces = [_word(way.words[0])]
        parts = _parts(way, beside.take(pa.array(mine)), said, asked.protect)
        for part, word in zip(parts, way.words[1:], strict=True):
            name = "" if part.copied else f"#{asked.name}.{i}.{len(pieces)}"
            if name:
                hidden[name] = part.field, _spread(part.values, mine, len(texts), part.field)
            pieces += [Piece(Slot((), (), ()), part.copied, name, amount=part.amount), _word(word)]
        built.append(tuple(pieces))
    counts = np.array([way.rows.sum() for way in ways], dtype=np.float64)
    shares = tuple((counts / counts.sum()).tolist())
    return Found(Composed(tuple(built), shares), pa.array(label, pa.large_string()), hidden)


class _Part(NamedTuple):
    """One number of a way."""

    amount: Amount
    copied: Said | None
    field: Field
    values: np.ndarray
    """What is learned: the numbers, or how far they are from the part that they are counted from."""


def _parts(way: Way, held: pa.Table, said: list[Said], protect: int) -> list[_Part]:
    """Return the numbers of a way; what others are counted from is first what is copied, then what varies least."""
    found: dict[int, _Part] = {}
    copied = [_copied(number, held, said) for number in way.numbers]
    order = sorted(range(len(copied)), key=lambda k: (copied[k] is None, len(np.unique(way.numbers[k].values))))
    for i, number in ((i, way.numbers[i]) for i in order):
        others = {k: way.numbers[k].values for k in found if _alike(way.numbers[k].kind, number.kind)}
        base, sign = _base(others, number.values)
        step = _step(number, number.values)
        values = number.values if base < 0 else np.abs(number.values - way.numbers[base].values)
        finest = step if base < 0 else min(step, found[base].amount.step)
        values = np.rint(values / finest) * finest
        kind = Kind.INTEGER if finest % 1 == 0 else Kind.NUMBER
        kind = number.kind if base < 0 and number.kind in MOMENTS else kind
        field = Field(kind=kind, step=_step(number, values))
        means = knots(values, np.ones(len(values), dtype=np.int64), protect)
        at = 2 * base + 1 if base >= 0 else -1
        amount = Amount(number.form, step, tuple(means.tolist()), at, sign, number.kind)
        found[i] = _Part(amount, copied[i], field, values)
    return [found[i] for i in range(len(copied))]


def _alike(one: Kind, other: Kind) -> bool:
    """Return whether one may be counted from the other: both are numbers, or moments of one kind."""
    return one is other or not {one, other} & set(MOMENTS)


def _step(number: Numbered, values: np.ndarray) -> float:
    """Return what numbers, or how far they are apart, are multiples of: at least what their form can spell."""
    if number.kind in MOMENTS:
        clock = pa.array(values.astype(np.int64), pa.duration("us") if number.kind is not Kind.DATE else pa.int64())
        unit = next((size for sign, size in _FINEST if sign in number.form), 1)
        return max(step_of(clock, clock.type) or 0.0, float(unit if number.kind is not Kind.DATE else 1))
    numeral = read_form(number.form)
    finest = 10.0 ** -(numeral.least if not numeral.more else 9)
    return max(step_of(pa.array(values), pa.float64()) or 0.0, finest)


def _base(before: dict[int, np.ndarray], values: np.ndarray) -> tuple[int, int]:
    """Return which of other numbers these are always on one side of, the nearest, and the side; -1: of none."""
    best, found = np.inf, (-1, 1)
    for i, other in before.items():
        apart = values - other
        sign = 1 if (apart >= 0).all() else -1 if (apart <= 0).all() else 0
        if sign == 0 or np.abs(apart).mean() >= best:
            continue
        ordered = np.sort(other)
        below = float(np.searchsorted(ordered, values, "left" if sign < 0 else "right").mean())
        if (below if sign < 0 else len(values) - below) >= _BEYOND:
            best, found = float(np.abs(apart).mean()), (i, sign)
    return found


def _copied(number: Numbered, held: pa.Table, said: list[Said]) -> Said | None:
    """Return the column that says these numbers in every row."""
    if number.kind in MOMENTS:
        return None
    own = spell_numerals(pa.array(number.values), number.form)
    for one in said:
        if not one.form or one.form.isdigit():
            if pc.all(pc.equal(own.slice(0, LEAST), spelled(held.slice(0, LEAST), one))).as_py() is not True:
                continue
            if pc.all(pc.equal(own, spelled(held, one)), skip_nulls=False).as_py():
                return one
    return None


def _spread(values: np.ndarray, rows: np.ndarray, total: int, field: Field) -> pa.Array:
    """Return values at their rows, null in the others."""
    out = np.full(total, np.nan)
    out[rows] = values
    found = pa.array(out, mask=np.isnan(out))
    if field.kind is Kind.NUMBER:
        return found
    return (found.cast(pa.int32()) if field.kind is Kind.DATE else found.cast(pa.int64())).cast(canonical(field))


def _word(said: str) -> Piece:
    return Piece(Slot((said,), (), (1.0,)))
