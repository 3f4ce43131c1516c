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
from synthwright.metrics.comparing import MOST_ROWS, Finding, draw, numeric, produced, scores, unmade, without

_RANGES = 50
"""Ranges of equally many rows that a number is in, where a predicate does not ask for the very value."""
_SETS = 8
"""Random sets of columns of each size."""
_CELLS = 2_000_000
"""Rows × columns of each sample that are looked at: wide tables are sampled sooner."""
_DEALS = 256
"""How often it is dealt anew which rows were trained on, to learn what chance does."""
_AT_ONCE = 32
"""Deals that are counted at once: bounds memory."""
_MANY = 64
"""Matching rows beyond which no deal leaves a single one on a side."""


class SinglingOut(Metric):
    """How much oftener what a synthetic row says is true of one training row alone than of one held-out row: 0 no gain.

    Predicates are made from synthetic rows: the values of a row in one column (with `at least` the greatest and `at
    most` the least value of a column), or in 2, 3, a quarter, half, three quarters or all of the columns, drawn at
    random; of the larger ones there are also such that ask only in which of 50 equally filled ranges a number, date or
    time is (`near`). Those that match exactly one synthetic row are guesses. A guess singles out where it matches
    exactly one training row; as control, exactly one of as many held-out rows. The risk is (trained - control) / (1 -
    control), of the shares of guesses; where there are fewer held-out rows, some training rows are left out, and the
    risk is divided by the share that is looked at. The whole is the kind of predicate whose risk exceeds chance by
    most. The modelled columns that were produced are looked at. The reference is 0: of new real rows, as many single
    out the ones as the others. The interval follows from Wilson's for both shares. Chance comes from dealing anew which
    real rows were trained on, and is shared among the kinds. References: Giomi et al., A unified framework for
    quantifying privacy risk in synthetic data, PoPETs 2023; Cohen and Nissim, Towards formalizing the GDPR's notion of
    singling out, PNAS 117 (2020).
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
            most = (min(wide, MOST_ROWS), same, same)
            cut = [draw(t, n, ctx.at(table, side)) for t, n, side in zip(held, most, SIDES, strict=True)]
            share = same / held[1].num_rows
            found += [o._replace(share=share) for o in _attack(table, cut, fields, ctx.at(table))]
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
    """What predicates are made from and held against: synthetic rows, then training rows, then held-out rows."""

    exact: np.ndarray
    """uint64, columns × rows: equal where values are."""
    near: np.ndarray
    """uint64, columns × rows: equal where ranges are."""
    ordered: tuple[np.ndarray, ...]
    """The columns with an order, as numbers; NaN where null."""
    made: int
    """Synthetic rows."""
    deals: np.ndarray
    """int8, deals × real rows: 1 where a deal has a row among those that were trained on."""


class Matches(NamedTuple):
    """Which real rows each of some guesses matches: `order[left:right]`, positions among the real rows."""

    order: np.ndarray
    left: np.ndarray
    right: np.ndarray


class Count(NamedTuple):
    """What guesses of one kind came to."""

    guesses: int
    trained: int
    control: int
    gains: np.ndarray
    """How many more training rows than held-out rows were singled out, in every deal."""
    tried: int = 0
    lucky: int = 0
    """Predicates of values that stand together by accident, and those that single out a training row."""


def _attack(table: str, cut: list[pa.Table], fields: Mapping[str, Field], ctx: Context) -> list[Outcome]:
    """Return what every kind of predicate came to, of those that make guesses."""
    ground, outcomes = _ground(cut, fields, ctx), []
    for kind in _kinds(len(fields), some_ordered=bool(ground.ordered)):
        counts = list(_counts(ground, kind, ctx.at(kind.name)))
        guesses, trained, control, gains, tried, lucky = (sum(c) for c in zip(*counts, strict=True))
        if guesses:
            deviation = float(np.sqrt(np.mean(np.square(gains))))
            outcomes.append(Outcome(f"{table}: {kind.name}", int(trained), int(guesses), int(control), int(guesses),
                                    float(lucky / max(tried, 1)), deviation))  # fmt: skip
    return outcomes


def _kinds(columns: int, *, some_ordered: bool) -> list[_Kind]:
    """Return the kinds of predicates that so many columns allow."""
    some = sorted({columns // 2, columns * 3 // 4, columns} - {0, 1})
    every = sorted({1, *(n for n in (2, 3, columns // 4) if n < columns), *some} - {0})
    name = {columns: "all columns", 1: "1 column"}
    kinds = [_Kind(name.get(n, f"{n} columns"), n, near=False) for n in every]
    return kinds + [_Kind(f"{name.get(n, f'{n} columns')}, near", n, near=True) for n in some if some_ordered]


def _ground(cut: list[pa.Table], fields: Mapping[str, Field], ctx: Context) -> _Ground:
    whole, made, same = pa.concat_tables(cut), cut[0].num_rows, cut[1].num_rows
    exact = np.stack([value_hashes(whole.column(c)) for c in fields])
    near, ordered = exact.copy(), []
    for place, (column, field) in enumerate(fields.items()):
        if numeric(field):
            values = numbers(whole.column(column))
            edges = quantiles(values, np.arange(1, _RANGES) / _RANGES)
            near[place] = mix(binned(values, edges).astype(np.uint64))
            ordered.append(values)
    # Each training row changes places with one held-out row, or does not: were the two alike, nobody could tell.
    coins = ctx.at("deals").rng.integers(0, 2, (_DEALS, same), dtype=np.int8)
    return _Ground(exact, near, tuple(ordered), made, np.concatenate([coins, 1 - coins], axis=1))


def _counts(ground: _Ground, kind: _Kind, ctx: Context) -> Iterator[Count]:
    """Yield what the guesses of one kind came to, set of columns by set of columns; every row guesses once a column."""
    codes, made = ground.near if kind.near else ground.exact, ground.made
    random, columns = ctx.rng, len(codes)
    yield Count(0, 0, 0, np.zeros(_DEALS))
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
        count = counted(matching(order, real, values[(times == 1) & asks[first]]), ground.deals)
        guess = _cells(np.stack([codes[c, random.integers(0, made, int(asks.sum()))] for c in chosen]))
        lucky = counted(matching(order, real, guess), ground.deals[:0]).trained
        yield count._replace(tried=len(guess), lucky=lucky)
    if kind.size == 1:
        for values in ground.ordered:
            yield counted(extremes(values[:made], values[made:]), ground.deals)


def _cells(codes: np.ndarray) -> np.ndarray:
    """Return a number for every row that is equal where rows are equal in all of the columns."""
    out = np.zeros(codes.shape[1], dtype=np.uint64)
    for code in codes:
        out = mix(out * np.uint64(3) + code)
    return out


def matching(order: np.ndarray, real: np.ndarray, wanted: np.ndarray) -> Matches:
    """Return which real rows have the wanted numbers; `real` is sorted, by `order`."""
    return Matches(order, np.searchsorted(real, wanted), np.searchsorted(real, wanted, side="right"))


def extremes(made: np.ndarray, real: np.ndarray) -> Matches:
    """Return which real rows are at least the greatest, and at most the least synthetic value, where one row has it."""
    order = np.argsort(real, kind="stable")  # NaN is last
    known = real[order][: int((~np.isnan(real)).sum())]
    made = np.sort(made[~np.isnan(made)])
    low = made[:1] if len(made) > 1 and made[0] < made[1] else made[:0]
    high = made[-1:] if len(made) > 1 and made[-2] < made[-1] else made[:0]
    left = np.concatenate([np.zeros(len(low), dtype=np.int64), np.searchsorted(known, high)])
    right = np.concatenate([np.searchsorted(known, low, side="right"), np.full(len(high), len(known))])
    return Matches(order, left, right)


def counted(matches: Matches, deals: np.ndarray) -> Count:
    """Count the guesses that match one row of a side alone, as it is and as it is dealt."""
    order, left, right = matches
    before = np.concatenate([[0], np.cumsum(order < len(order) // 2)])
    times = right - left
    trained = before[right] - before[left]
    gains = np.zeros(len(deals))
    few = (times > 0) & (times <= _MANY) & (times != 2)  # of two, one on either side or none
    if len(deals) and few.any():
        times_, ends = times[few], np.cumsum(times[few])
        begins = ends - times_
        rows = order[np.repeat(left[few] - begins, times_) + np.arange(ends[-1])]
        for i in range(0, len(deals), _AT_ONCE):
            mine = np.add.reduceat(deals[i : i + _AT_ONCE, rows], begins, axis=1, dtype=np.int8)
            gains[i : i + _AT_ONCE] = (mine == 1).sum(axis=1) - (mine == times_ - 1).sum(axis=1)
    alone = int((trained == 1).sum()), int((times - trained == 1).sum())
    return Count(len(times), *alone, gains)
