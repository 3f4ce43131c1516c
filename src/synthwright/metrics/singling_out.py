"""Whether what a synthetic row says singles out one training row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.schema import Field
from synthwright.core.values import numbers
from synthwright.kit.measuring.risks import SIDES, Outcome, attackable, lacking, risks, sampled, too_small
from synthwright.kit.measuring.stats import Estimate, binned, quantiles
from synthwright.kit.rows import mix, value_hashes
from synthwright.metrics.comparing import MOST_ROWS, Finding, divided, draw, numeric, produced, scores, unmade, without

_RANGES = 50
"""Ranges of equally many rows that a number is in, where a predicate does not ask for the very value."""
_SETS = 8
"""Random sets of columns of each size."""
_CELLS = 2_000_000
"""Rows × columns of each sample that are looked at: wide tables are sampled sooner."""


class SinglingOut(Metric):
    """How much oftener what a synthetic row says is true of one training row alone than of one held-out row: 0 no gain.

    Predicates are made from synthetic rows: the values of a row in one column (with `at least` the greatest and `at
    most` the least value of a column), or in 2, 3, a quarter, half, three quarters or all of the columns, drawn at
    random; of the larger ones there are also such that ask only in which of 50 equally filled ranges a number, date or
    time is (`near`). Those that match exactly one synthetic row are guesses. A guess singles out a person where it
    matches exactly one real row: a training row, or as control one of as many held-out rows. The risk is (trained -
    control) / (1 - control), of the shares of guesses; where there are fewer held-out rows, training rows that are left
    over count for neither, and the risk is divided by the share that is looked at. The whole is the kind of predicate
    whose risk exceeds chance by most. The modelled columns that were produced are looked at. The reference is 0: of new
    real rows, as many single out the ones as the others. The interval follows from Wilson's for both shares. Chance
    is what it would come to were it random which real rows were trained on, and is shared among the kinds. References:
    Giomi et al., A unified framework for quantifying privacy risk in synthetic data, PoPETs 2023; Cohen and Nissim,
    Towards formalizing the GDPR's notion of singling out, PNAS 117 (2020).
    """

    name: ClassVar[str] = "singling-out"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Who knows how rows were made can ask better questions; that a person is singled out does not say who it is."
    )

    rows: int = Setting(default=50_000, ge=100, le=100_000)
    """Training rows that are looked at, at most, and as many held-out rows."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if missing := lacking(case):
            return without(self, missing)
        if failed := unmade(self, case):
            return failed
        found: list[Outcome] = []
        notes: list[str] = []
        rows: list[int] = []
        for table, held in attackable(case, produced, 1):
            fields = {c: case.schema.tables[table].fields[c] for c in held[0].column_names}
            wide = max(1_000, _CELLS // len(fields))
            same = min(wide, self.rows, held[1].num_rows, held[2].num_rows)
            made = draw(held[0], min(wide, MOST_ROWS), ctx.at(table, SIDES[0]))
            sides = [divided(t, same, ctx.at(table, side)) for t, side in zip(held[1:], SIDES[1:], strict=True)]
            cut, rest = [made, *(s[0] for s in sides)], [s[1].slice(0, wide) for s in sides]
            share = same / held[1].num_rows
            found += [o._replace(share=share) for o in _attack(table, [*cut, *rest], fields, ctx.at(table))]
            notes += sampled(held, cut)
            rows.append(same)
        if not rows:
            return without(self, too_small(1))
        each = risks(found)
        if not each:
            none = Finding("", Estimate(0.0, 0.0, 0.0), 0.0, "nothing a synthetic row says is true of it alone", 0.0)
            return scores(self, {"": none}, [], max(rows), share=True)
        worst = max(each, key=lambda r: r.badness)
        note = worst.note("{trained} of guesses single out a training row, {control} a held-out row; by accident "
                          "{guessed} would")  # fmt: skip
        whole = Finding(worst.outcome.about, worst.estimate, 0.0, "; ".join([note, *notes]), worst.chance)
        parts = [Finding(r.outcome.about, r.estimate, 0.0, chance=r.chance) for r in each]
        return scores(self, {"": whole}, parts, max(rows), share=True)


class _Kind(NamedTuple):
    """A kind of predicate."""

    name: str
    size: int
    """Columns it asks about."""
    near: bool
    """Whether it asks for ranges in place of values."""


class _Ground(NamedTuple):
    """What predicates are made from and held against: synthetic, training and held-out rows, then other real ones."""

    exact: np.ndarray
    """uint64, columns × rows: equal where values are."""
    near: np.ndarray
    """uint64, columns × rows: equal where ranges are."""
    ordered: tuple[np.ndarray, ...]
    """The columns with an order, as numbers; NaN where null."""
    made: int
    """Synthetic rows."""
    same: int
    """Training rows, and held-out rows, that may be singled out."""


class Count(NamedTuple):
    """What guesses of one kind came to."""

    guesses: int
    alone: np.ndarray
    """The real rows that a guess matches alone, by position, one for every such guess."""
    tried: int = 0
    lucky: int = 0
    """Predicates of values that stand together by accident, and those that single out a training row."""


def _attack(table: str, held: list[pa.Table], fields: Mapping[str, Field], ctx: Context) -> list[Outcome]:
    """Return what every kind of predicate came to, of those that make guesses."""
    ground, outcomes = _ground(held, fields), []
    for kind in _kinds(len(fields), some_ordered=bool(ground.ordered)):
        counts = list(_counts(ground, kind, ctx.at(kind.name)))
        guesses, tried, lucky = (sum(c) for c in zip(*((c.guesses, c.tried, c.lucky) for c in counts), strict=True))
        if guesses:
            hits = np.bincount(np.concatenate([c.alone for c in counts]), minlength=2 * ground.same)
            trained, control = hits[: ground.same], hits[ground.same : 2 * ground.same]
            # Each row is singled out by as many guesses whichever side it is on: were the sides alike, by coin.
            deviation = float(np.sqrt(np.square(trained).sum() + np.square(control).sum()))
            outcomes.append(Outcome(f"{table}: {kind.name}", int(trained.sum()), guesses, int(control.sum()), guesses,
                                    lucky / max(tried, 1), deviation))  # fmt: skip
    return outcomes


def _kinds(columns: int, *, some_ordered: bool) -> list[_Kind]:
    """Return the kinds of predicates that so many columns allow."""
    some = sorted({columns // 2, columns * 3 // 4, columns} - {0, 1})
    every = sorted({1, *(n for n in (2, 3, columns // 4) if n < columns), *some} - {0})
    name = {columns: "all columns", 1: "1 column"}
    kinds = [_Kind(name.get(n, f"{n} columns"), n, near=False) for n in every]
    return kinds + [_Kind(f"{name.get(n, f'{n} columns')}, near", n, near=True) for n in some if some_ordered]


def _ground(held: list[pa.Table], fields: Mapping[str, Field]) -> _Ground:
    whole = pa.concat_tables(held)
    exact = np.stack([value_hashes(whole.column(c)) for c in fields])
    near, ordered = exact.copy(), []
    for place, (column, field) in enumerate(fields.items()):
        if numeric(field):
            values = numbers(whole.column(column))
            edges = quantiles(values, np.arange(1, _RANGES) / _RANGES)
            near[place] = mix(binned(values, edges).astype(np.uint64))
            ordered.append(values)
    return _Ground(exact, near, tuple(ordered), held[0].num_rows, held[1].num_rows)


def _counts(ground: _Ground, kind: _Kind, ctx: Context) -> Iterator[Count]:
    """Yield what the guesses of one kind came to, set of columns by set of columns; every row guesses once a column."""
    codes, made = ground.near if kind.near else ground.exact, ground.made
    random, columns = ctx.rng, len(codes)
    if kind.size in (1, columns):
        sets = [np.array([c]) for c in range(columns)] if kind.size == 1 else [np.arange(columns)]
        turns = [np.ones(made, dtype=bool)] * len(sets)
    else:
        sets = [np.sort(random.permutation(columns)[: kind.size]) for _ in range(_SETS)]
        turn = random.integers(0, _SETS, made)
        turns = [turn == i for i in range(_SETS)]
    for chosen, asks in zip(sets, turns, strict=True):
        cells = _cells(codes[chosen])
        order = np.argsort(cells[made:], kind="stable")
        real = cells[made:][order]
        values, first, times = np.unique(cells[:made], return_index=True, return_counts=True)
        wanted = values[(times == 1) & asks[first]]
        guess = _cells(np.stack([codes[c, random.integers(0, made, int(asks.sum()))] for c in chosen]))
        lucky = int((matched(order, real, guess) < ground.same).sum())
        yield Count(len(wanted), matched(order, real, wanted), len(guess), lucky)
    if kind.size == 1:
        for values in ground.ordered:
            yield extremes(values[:made], values[made:])


def _cells(codes: np.ndarray) -> np.ndarray:
    """Return a number for every row that is equal where rows are equal in all of the columns."""
    out = np.zeros(codes.shape[1], dtype=np.uint64)
    for code in codes:
        out = mix(out * np.uint64(3) + code)
    return out


def matched(order: np.ndarray, real: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the positions of the real rows that a wanted number matches alone; `real` is sorted, by `order`."""
    left, right = np.searchsorted(real, wanted), np.searchsorted(real, wanted, side="right")
    found: np.ndarray = order[left[right - left == 1]]
    return found


def extremes(made: np.ndarray, real: np.ndarray) -> Count:
    """Count `at least` the greatest and `at most` the least synthetic value, where one row has it."""
    order = np.argsort(real, kind="stable")  # NaN is last
    known = real[order][: int((~np.isnan(real)).sum())]
    made = np.sort(made[~np.isnan(made)])
    low = made[:1] if len(made) > 1 and made[0] < made[1] else made[:0]
    high = made[-1:] if len(made) > 1 and made[-2] < made[-1] else made[:0]
    left = np.concatenate([np.zeros(len(low), dtype=np.int64), np.searchsorted(known, high)])
    right = np.concatenate([np.searchsorted(known, low, side="right"), np.full(len(high), len(known))])
    return Count(len(left), order[left[right - left == 1]])
