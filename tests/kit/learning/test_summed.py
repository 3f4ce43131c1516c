"""Columns by sums: where rows are few, dependence stays as close as it was, and nobody is remembered for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Conditional, Dials, Known
from synthwright.kit.learning.summed import SMALL, Summed, chosen

DIALS = Dials(leaf=30, evidence=2.5, trees=4, rounds=100, candidates=12, refine=True)
NOBODY = np.zeros((0, 0), np.float32)


def _known(*columns: Any) -> Known:
    """Return columns as rows to learn from; text is a category, NaN is null."""
    coded, places = [], []
    for i, values in enumerate(map(np.asarray, columns)):
        label = values.dtype.kind == "U"
        held = pa.array(values.tolist()) if label else pa.array(values.astype(np.float64), from_pandas=True)
        field = Field(kind=Kind.CATEGORY if label else Kind.NUMBER)
        coded.append(Coded(str(i), settle(field, observe(held), Context(seed=i).rng)))
        places.append(coded[-1].places(held))
    return Known.of(coded, places)


def _chosen(known: Known, dials: Dials = DIALS) -> Conditional | Summed:
    return chosen(known, len(known.columns) - 1, dials, Context(seed=1))


def _summed(known: Known, dials: Dials = DIALS) -> Summed:
    found = _chosen(known, dials)
    assert isinstance(found, Summed)
    return found


def _drawn(known: Known, made: Summed, times: int = 1) -> np.ndarray:
    """Return the places of the last column, drawn for the rows that were learned from, so often."""
    bins = np.tile(known.bins, times)
    features = made.features(bins, known.nominal)
    return made.draw(known.columns[-1], features, NOBODY, np.random.default_rng(5), 12).astype(np.int64)


def _close(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return two columns that go together, by 0.97."""
    rng = np.random.default_rng(seed)
    one = rng.normal(size=rows)
    return one, 0.97 * one + np.sqrt(1 - 0.97**2) * rng.normal(size=rows)


@pytest.mark.parametrize("rows", [30, 60, 120, 300])
def test_close_dependence_stays_close(rows: int) -> None:
    """Two numbers that go together do so in what is drawn, whatever the number of rows, and are spread as they were."""
    known = _known(*_close(rows))
    places = _drawn(known, _summed(known), 20)
    column = known.columns[-1]
    assert np.corrcoef(np.tile(known.columns[0].rank[known.places[0]], 20), column.rank[places])[0, 1] > 0.92
    shares = np.bincount(places, minlength=column.size) / len(places)
    assert np.abs(np.cumsum(shares) - np.cumsum(column.codec.shares)).max() < 0.05


def test_trees_keep_what_they_tell_better() -> None:
    """A step, a wave and chance are left to trees, and so are labels of three kinds, and tables of many rows."""
    rng = np.random.default_rng(2)
    one, noise = rng.uniform(-2, 2, 400), 0.1 * rng.normal(size=400)
    for other in (np.sin(3 * one) + noise, 3.0 * (np.abs(one) < 1) + noise, noise):
        assert isinstance(_chosen(_known(one, other)), Conditional)
    labels = np.array(["a", "b", "c"])[np.digitize(one, [-0.5, 0.5])]
    assert isinstance(_chosen(_known(one, labels)), Conditional)
    assert isinstance(_chosen(_known(*_close(SMALL + 1))), Conditional)
    assert isinstance(_chosen(_known(np.arange(9.0), np.arange(9.0))), Conditional)


def test_two_labels_and_counts_stay_what_they_are() -> None:
    """Of two labels, and of whole numbers, only those that there were are drawn, as often as they were."""
    one, two = _close(40)
    for other in (np.where(two > 0, "yes", "no"), np.round(2 * two)):
        known = _known(one, other)
        places = _drawn(known, _summed(known), 20)
        shares = np.bincount(places, minlength=known.columns[-1].size) / len(places)
        assert np.abs(shares - known.columns[-1].codec.shares).max() < 0.06


def test_values_are_missing_where_they_were() -> None:
    """A value is missing as often as it was, and where it was; elsewhere dependence stays close."""
    one, two = _close(300)
    gone = np.random.default_rng(3).random(300) < np.where(one > 0, 0.5, 0.02)
    known = _known(one, np.where(gone, np.nan, two))
    made = _summed(known)
    places, nothing = _drawn(known, made, 10), known.columns[-1].size
    often = np.tile(one > 0, 10)
    assert (places[often] == nothing).mean() == pytest.approx(gone[one > 0].mean(), abs=0.12)
    assert (places[~often] == nothing).mean() < 0.12
    there = places < nothing
    assert np.corrcoef(np.tile(one, 10)[there], places[there])[0, 1] > 0.9
    assert (_drawn(known, _summed(known, DIALS._replace(valued=True))) < nothing).all()


def test_likelihoods_are_shares_of_draws() -> None:
    """How likely a group is said to be, is how often it is drawn; likelihoods of all groups add up to one."""
    one, two = _close(200)
    known = _known(one, np.where(np.random.default_rng(4).random(200) < 0.2, np.nan, two))
    made, column = _summed(known), known.columns[-1]
    features = made.features(known.bins, known.nominal)
    first = np.append(np.unique(column.groups[:-2], return_index=True)[1], column.size)
    likely = np.stack([made.likelihood(column, features, np.full(200, at)) for at in first])
    assert np.allclose(likely.sum(axis=0), 1)
    drawn = column.groups[_drawn(known, made, 200)].reshape(200, 200)
    for group in (3, len(first) // 2, len(first) - 1):
        assert np.abs((drawn == group).mean(axis=0) - likely[group]).mean() < 0.03
    assert (made.likelihood(column, features, np.full(200, column.size + 1)) == 1).all()


def test_what_is_kept_is_checked_and_coarse() -> None:
    """What was saved draws the same; what cannot be drawn from is refused; `protect` decides how fine blocks are."""
    known = _known(*_close(200))
    made = _summed(known)
    again = Summed.of_arrays(made.arrays())
    assert (_drawn(known, again) == _drawn(known, made)).all()
    places = known.columns[-1].size + 1
    assert again.is_sound(1, places)
    assert not again.is_sound(0, places)
    held = made.arrays()
    for name, wrong in (("turn", held["turn"][::-1]), ("missed-low", np.full_like(held["missed-low"], np.nan)),
                        ("missed-shares", held["missed-shares"][1:]), ("held", held["held"] + 1_000)):  # fmt: skip
        assert not Summed.of_arrays({**held, name: wrong}).is_sound(1, places), name
    assert not replace(made, inner=replace(made.inner, guide=None)).is_sound(1, places)
    for protect in (3, 20):
        assert _summed(known, DIALS._replace(protect=protect)).missed.size <= 200 / protect


def test_the_context_decides() -> None:
    """The same context gives the same arrays."""
    known = _known(*_close(100))
    one, two = (_summed(known).arrays() for _ in range(2))
    assert all((one[n] == two[n]).all() for n in one)
