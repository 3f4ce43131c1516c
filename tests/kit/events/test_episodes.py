"""Episodes over rows: how many, how long, where; and what is looked up for a few rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats

from synthwright.core.context import Context
from synthwright.kit.events.episode_rows import replaced
from synthwright.kit.events.episodes import Draw, Ground, Laid, Wish, lay
from synthwright.kit.lookups import gathered, picked

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""


def rng(*place: str | int) -> np.random.Generator:
    """Return a stream of randomness."""
    return Context(seed=1).at("episodes", *place).rng


def ground(*sizes: int) -> Ground:
    """Return ground where entities have so many rows."""
    return Ground.of(sum(sizes), pa.chunked_array([np.repeat(np.arange(len(sizes)), sizes)]))


def even(low: int, high: int) -> Draw:
    """Return what draws lengths between two ends, each as likely."""
    return lambda stream, many: stream.integers(low, high + 1, many)


def runs(on: Ground, wish: Wish, times: int) -> list[Laid]:
    """Return what is laid by so many seeds; nothing overlaps, or leaves its entity."""
    found = []
    for i in range(times):
        taken = np.zeros(len(on), dtype=bool)
        laid = lay(on, wish, taken, rng(i))
        assert len({*laid.places}) == len(laid.places) == taken.sum()
        assert (on.left[laid.begins] >= laid.lengths).all()
        found.append(laid)
    return found


def far(values: list[int], wanted: float) -> float:
    """Return how likely it is that independent values of this mean lie as far from it as these."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return float(2 * stats.norm.sf(abs(np.mean(values) - wanted) / error))


@pytest.mark.parametrize("rows", [0.05, 0.4, 3.0, 7.5, 20.0])
def test_rows_are_met_in_expectation_and_lengths_are_as_drawn(rows: float) -> None:
    """Where less than an episode is wanted too; long and short ones are as likely."""
    found = runs(ground(*[20] * 20), Wish(rows, even(2, 12)), 3000)
    assert far([int(laid.lengths.sum()) for laid in found], rows) > LEVEL
    assert max(int(laid.lengths.sum()) for laid in found) <= rows + 12
    lengths = np.bincount(np.concatenate([laid.lengths for laid in found]), minlength=13)[2:13]
    assert stats.chisquare(lengths).pvalue > LEVEL


@pytest.mark.parametrize("condition", [False, True])
def test_episodes_begin_anywhere_with_room(*, condition: bool) -> None:
    """Every place that may begin an episode and has enough rows of its entity behind it is as likely."""
    on = ground(7, 3, 12)
    may = (lambda places: places % 2 == 0) if condition else None
    begins = np.concatenate([laid.begins for laid in runs(on, Wish(3.3, even(4, 4), None, may), 4000)])
    wanted = [p for p in (*range(4), *range(10, 19)) if may is None or p % 2 == 0]
    seen = np.bincount(begins, minlength=22)
    assert np.flatnonzero(seen).tolist() == wanted
    assert stats.chisquare(seen[wanted]).pvalue > LEVEL


def test_a_rare_condition_is_looked_for_everywhere() -> None:
    """Among many places, one in a thousand may begin an episode: all are found, and are as likely."""
    on = ground(*[10] * 3000)
    asked: list[int] = []

    def may(places: np.ndarray) -> np.ndarray:
        asked.append(len(places))
        return places % 1000 == 0

    found = runs(on, Wish(20.0, even(2, 2), None, may), 300)
    assert {len(laid.begins) for laid in found} == {10}
    assert stats.chisquare(np.bincount(np.concatenate([laid.begins for laid in found]) // 1000)).pvalue > LEVEL
    assert max(asked) == 30_000


def test_where_many_may_begin_not_all_are_asked() -> None:
    """What a place must meet is told for some thousands of them, if these are enough."""
    asked: list[int] = []

    def may(places: np.ndarray) -> np.ndarray:
        asked.append(len(places))
        return places % 2 == 0

    runs(ground(*[10] * 3000), Wish(20.0, even(2, 2), None, may), 3)
    assert max(asked) < 5000


def test_cut_short_at_the_end_of_an_entity() -> None:
    """Episodes may end with their entity, but not below the least number of rows; rows are met all the same."""
    found = runs(ground(5, 5, 5, 12), Wish(2.5, even(8, 8), 3), 3000)
    assert far([int(laid.lengths.sum()) for laid in found], 2.5) > LEVEL
    # from the first two rows of small entities 5 and 4 are left, from the third 3; the large one has all lengths
    seen = np.bincount(np.concatenate([laid.lengths for laid in found]), minlength=9)
    wanted = np.array([0, 0, 0, 4, 4, 4, 1, 1, 5]) / 19 * seen.sum()
    assert stats.chisquare(seen[3:], wanted[3:]).pvalue > LEVEL


def test_as_many_as_there_is_room_for() -> None:
    """Too many rows: long episodes give way to short ones, and what is left has no room for any."""
    for laid in runs(ground(*[9] * 40), Wish(360.0, even(3, 5)), 20):
        taken = np.zeros(360, dtype=bool)
        taken[laid.places] = True
        assert all((row.sum() > 0) and "000" not in "".join("01"[int(x)] for x in row) for row in taken.reshape(40, 9))
    assert runs(ground(4, 4), Wish(3.0, even(5, 5)), 1)[0].lengths.sum() == 0
    assert runs(ground(4, 4), Wish(8.0, even(1, 1)), 1)[0].lengths.sum() == 8
    assert runs(Ground.of(0), Wish(0.0, even(1, 1)), 1)[0].lengths.sum() == 0
    assert runs(ground(4), Wish(1.0, even(1, 1), None, lambda p: p < 0), 1)[0].lengths.sum() == 0


def test_later_ones_keep_off_what_is_taken() -> None:
    """Several wishes share no row."""
    on = ground(*[30] * 20)
    taken = np.zeros(600, dtype=bool)
    every = np.concatenate([lay(on, Wish(150.0, even(2, 9)), taken, rng(i)).places for i in range(3)])
    assert len({*every}) == len(every)
    assert abs(len(every) - 450) < 27


@pytest.mark.parametrize("texts", [False, True])
def test_ground_is_entities_in_order(*, texts: bool) -> None:
    """The same as sorting by entity and order, whether rows stand together or not; nulls are of no entity."""
    for seed in range(30):
        stream = rng("ground", seed)
        whose = stream.integers(0, 8, 40) if seed % 2 else np.repeat(np.arange(8), 5)
        when = stream.integers(-3, 4, 40)
        missing = stream.random(40) < 0.1 if seed % 3 else np.zeros(40, dtype=bool)
        named = pa.array(whose, mask=missing)
        named = named.cast(pa.large_string()) if texts else named
        on = Ground.of(40, pa.chunked_array([named[:7], named[7:]]), pa.chunked_array([pa.array(when)]))
        rows = on.rows(np.arange(40))
        assert sorted(rows) == list(range(40))
        groups = [tuple(rows[i : i + on.left[i]]) for i in range(40)
                  if on.left[i] and (i == 0 or on.left[i] != on.left[i - 1] - 1)]  # fmt: skip
        wanted = [tuple(sorted(np.flatnonzero((whose == g) & ~missing), key=lambda r: (when[r], r))) for g in range(8)]
        assert sorted(groups) == sorted(w for w in wanted if w)


@pytest.mark.parametrize("kind", ["timestamp[ns]", "date32[day]", "double", "uint64", "decimal128(9, 2)"])
def test_order_of_every_kind(kind: str) -> None:
    """Whatever type the order has, rows are sorted by it, nulls last."""
    said = {"timestamp[ns]": pa.timestamp("ns"), "date32[day]": pa.date32(), "double": pa.float64(),
            "uint64": pa.uint64(), "decimal128(9, 2)": pa.decimal128(9, 2)}[kind]  # fmt: skip
    whole = pa.array([3, None, 1, 2], pa.int32() if kind == "date32[day]" else pa.int64())
    values = whole.cast(pa.decimal128(19, 0)).cast(said) if "decimal" in kind else whole.cast(said)
    on = Ground.of(4, pa.chunked_array([[1, 1, 1, 1]]), pa.chunked_array([values]))
    assert on.rows(np.arange(4)).tolist() == [2, 3, 0, 1]


def test_a_few_values_of_many() -> None:
    """Taken and looked up as Arrow would of the whole column, however it is cut."""
    for seed in range(40):
        stream = rng("few", seed)
        keys = stream.permutation(60)[:40] if seed % 2 else np.arange(0, 120, 3)
        ends = sorted({0, 40, *stream.integers(0, 40, seed % 5)})
        texts = [f"value {k}" if k % 5 else None for k in keys]
        cut = list(pairwise(ends))
        held = pa.chunked_array([keys[a:b] for a, b in cut])
        values = pa.chunked_array([pa.array(texts[a:b], pa.large_string()) for a, b in cut])
        wanted = pa.array(stream.integers(0, 130, 25), mask=stream.random(25) < 0.2)
        expected = values.take(pc.index_in(wanted, value_set=held)).combine_chunks()
        assert gathered(held, values, wanted).equals(expected)
        rows = stream.integers(0, 40, 17)
        assert picked(values, rows).equals(values.take(pa.array(rows)).combine_chunks())
    assert picked(values, np.zeros(0, dtype=np.int64)).equals(pa.array([], pa.large_string()))


def test_replaced_in_any_order() -> None:
    """Values are put into their rows, whatever order these are said in; an empty list changes nothing."""
    for values in (pa.array([1, None, 3, 4]), pa.array(["a", None, "c", "d"], pa.large_string()),
                   pa.array([True, None, False, True])):  # fmt: skip
        others = pa.array([None, values[0].as_py()], values.type)
        assert replaced(values, np.array([3, 1]), others).to_pylist() == [
            values[0].as_py(), values[0].as_py(), values[2].as_py(), None]  # fmt: skip
        assert replaced(values, np.zeros(0, dtype=np.int64), others[:0]) is values
