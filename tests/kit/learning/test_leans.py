"""Rows lean within their leaf by what it misses of the columns before; its distribution stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import ndtri

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning.additive import Scores
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Conditional, Dials, Known, learned
from synthwright.kit.learning.leans import Within, leaning, lined_up
from synthwright.kit.learning.splits import Features

ROWS = 3_000
DIALS = Dials(leaf=30, evidence=4.0, trees=4, rounds=0, candidates=12, refine=True)


def coded(values: np.ndarray) -> tuple[Coded, np.ndarray]:
    """Return a column and the place of every row; NaN is null."""
    held = pa.array(values, from_pandas=True)
    kind = Kind.CATEGORY if values.dtype.kind in "UO" else Kind.NUMBER
    column = Coded("x", settle(Field(kind=kind), observe(held), Context(seed=1).rng))
    return column, column.places(held)


def weak(rows: int = ROWS, columns: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Return columns that each tell a little of one more, and that one."""
    rng = np.random.default_rng(3)
    before = rng.normal(size=(columns, rows))
    return before, before.sum(axis=0) / columns + rng.normal(size=rows)


def features_of(before: np.ndarray) -> Features:
    """Return numbers as trees see them."""
    return Features(np.array([c.bins[p] for c, p in map(coded, before)]), np.zeros(len(before), bool))


@pytest.mark.parametrize("labels", [False, True])
def test_one_leaf_leans_as_the_rows_do(*, labels: bool) -> None:
    """Of rows that one leaf holds, those stand high which the columns before say should: as closely as they do."""
    before, y = weak()
    features = features_of(before)
    column, places = coded(np.where(y > 0.3, "yes", "no") if labels else y)
    lean = leaning(column, places, features, [(np.arange(ROWS), np.zeros(ROWS, np.int32))], np.random.default_rng(1))
    assert lean is not None
    order = lined_up(lean, features.bins, np.random.default_rng(2))[0]
    made = np.empty(ROWS, np.int64)
    made[order] = np.sort(places)
    for one in before:
        assert abs(np.corrcoef(one, made)[0, 1] - np.corrcoef(one, places)[0, 1]) < 0.05
    told = before.sum(axis=0)
    assert abs(np.corrcoef(told, made)[0, 1] - np.corrcoef(told, places)[0, 1]) < 0.04


def test_chance_does_not_lean() -> None:
    """Columns that tell nothing make no row lean, and neither do two labels beside which some are missing."""
    rng = np.random.default_rng(4)
    features = features_of(rng.normal(size=(6, ROWS)))
    parts = [(np.arange(ROWS), rng.integers(0, 40, ROWS).astype(np.int32))]
    assert leaning(*coded(rng.normal(size=ROWS)), features, parts, np.random.default_rng(1)) is None
    before, y = weak()
    label = np.where(y > 0, "yes", "no").astype(object)
    label[::50] = None
    whole = [(np.arange(ROWS), np.zeros(ROWS, np.int32))]
    assert leaning(*coded(label), features_of(before), whole, np.random.default_rng(1)) is None


def test_what_leaves_tell_already_is_left_out() -> None:
    """What differs between leaves makes no row lean: the leaves have it."""
    rng = np.random.default_rng(5)
    leaf = np.repeat(np.arange(30), 100)
    level = rng.normal(0, 5, 30)[leaf]
    features = features_of(np.array([level, rng.normal(size=ROWS)]))
    column, places = coded(level + rng.normal(size=ROWS))
    assert leaning(column, places, features, [(np.arange(ROWS), leaf.astype(np.int32))], rng) is None


def test_standing_is_counted_leaf_by_leaf() -> None:
    """A row stands where the rows of its leaf would, were they normal: those that are level share their mean."""
    rng = np.random.default_rng(6)
    rows, leaf = rng.permutation(200), rng.integers(0, 30, 200)
    within = Within.of(rows, leaf)
    sizes = np.bincount(leaf, minlength=30)
    assert sorted(within.rows) == sorted(rows[sizes[leaf] >= 4])
    places = rng.integers(0, 6, len(within.rows))
    normal = ndtri((np.arange(100_000) + 0.5) / 100_000)
    stand = np.empty(len(places))
    for i, place in enumerate(places):
        mine = places[within.leaf == within.leaf[i]]
        low, high = (round(100_000 * float(share.mean())) for share in (mine < place, mine <= place))
        stand[i] = normal[low:high].mean()
    np.testing.assert_allclose(within.stand(places), stand, atol=1e-3)


def test_leaves_keep_what_they_hold() -> None:
    """With a lean each leaf gives the values it holds as often as without one; only which rows get them differs."""
    before, y = weak()
    columns, places = zip(*(coded(values) for values in (*before, y)), strict=True)
    known = Known.of(columns, places)
    made = learned(known, len(before), DIALS._replace(evidence=1e9), Context(seed=1))
    assert made.lean is not None
    features = made.features(known.bins, known.nominal)
    drawn = {}
    for lean in (made.lean, None):
        one = replace(made, lean=lean)
        drawn[lean is None] = one.draw(columns[-1], features, np.zeros((0, ROWS)), np.random.default_rng(5), 1)
    assert np.abs(np.sort(drawn[True]).astype(int) - np.sort(drawn[False]).astype(int)).max() <= 5
    told = before.sum(axis=0)
    real = np.corrcoef(told, places[-1])[0, 1]
    assert abs(np.corrcoef(told, drawn[True])[0, 1]) < 0.1
    assert abs(np.corrcoef(told, drawn[False])[0, 1] - real) < 0.05


def test_chance_says_who_has_no_value() -> None:
    """Where values are missing, those that are there lean as closely as without, and no row is emptier for it."""
    before, y = weak()
    gaps = np.where(np.random.default_rng(9).random(ROWS) < 0.3, np.nan, y)
    columns, places = zip(*(coded(values) for values in (*before, gaps)), strict=True)
    known = Known.of(columns, places)
    made = learned(known, len(before), DIALS._replace(evidence=1e9), Context(seed=1))
    assert made.lean is not None
    features = made.features(known.bins, known.nominal)
    drawn = made.draw(columns[-1], features, np.zeros((0, ROWS)), np.random.default_rng(5), 1)
    told, missing = before.sum(axis=0), drawn == columns[-1].size
    assert abs(missing.mean() - 0.3) < 0.02
    assert abs(np.corrcoef(told, missing)[0, 1]) < 0.05
    there = ~np.isnan(gaps)
    real = np.corrcoef(told[there], places[-1][there])[0, 1]
    assert abs(np.corrcoef(told[~missing], drawn[~missing])[0, 1] - real) < 0.05


def test_a_lean_is_saved_and_checked(tmp_path: Path) -> None:
    """A saved model leans as it did; points for another number of columns are not taken."""
    before, y = weak(2_500, 8)
    real = pd.DataFrame({**{f"x{i}": x for i, x in enumerate(before)}, "y": y})
    model = sw.fit(real, seed=1)
    model.save(tmp_path / "rows.model")
    again = sw.load(tmp_path / "rows.model")
    pd.testing.assert_frame_equal(again.sample(500, seed=3), model.sample(500, seed=3))
    columns, places = zip(*(coded(values) for values in (*before, y)), strict=True)
    made = learned(Known.of(columns, places), len(before), DIALS, Context(seed=1))
    assert made.lean is not None
    kept = Conditional.of_arrays(made.arrays())
    assert kept.lean is not None
    np.testing.assert_array_equal(kept.lean.points, made.lean.points)
    assert kept.is_sound(len(before), columns[-1].size + 2)
    assert not replace(kept, lean=Scores(made.lean.points[:-1])).is_sound(len(before), columns[-1].size + 2)


def test_many_weak_columns_are_kept() -> None:
    """A table in which many columns tell a little of each keeps these correlations; leaves alone lose a good part."""
    rng = np.random.default_rng(7)
    hidden = rng.normal(size=4_000)
    real = pd.DataFrame({f"x{i}": 0.45 * hidden + rng.normal(size=4_000) for i in range(14)})
    fake = sw.fit(real, seed=1).sample(4_000, seed=2)
    pairs = np.triu_indices(14, 1)
    kept = fake.corr(method="spearman").to_numpy()[pairs].mean() / real.corr(method="spearman").to_numpy()[pairs].mean()
    assert kept > 0.9
