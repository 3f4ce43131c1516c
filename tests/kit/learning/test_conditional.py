"""One column given those before it: what is looked at, guided, corrected, drawn and saved."""

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
from synthwright.kit.learning.conditional import WIDE, Conditional, Dials, Known, learned, levels
from synthwright.kit.learning.guides import as_matrix
from synthwright.kit.learning.information import cut_evenly

DIALS = Dials(leaf=30, evidence=4.0, trees=4, rounds=100, candidates=12, refine=True)
NUMBER, CATEGORY = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)
RNG = np.random.default_rng(1)
ROWS = 3_000


def _known(*columns: Any) -> Known:
    """Return columns as rows to learn from; text is a category, NaN is null."""
    coded, places = [], []
    for i, values in enumerate(map(np.asarray, columns)):
        label = values.dtype.kind == "U"
        held = pa.array(values.tolist(), pa.large_string()) if label else pa.array(values, from_pandas=True)
        held = held if label else held.cast(pa.float64())
        field = CATEGORY if label else NUMBER
        coded.append(Coded(str(i), settle(field, observe(held), Context(seed=i).rng)))
        places.append(coded[-1].places(held))
    return Known.of(coded, places)


def _learned(known: Known, dials: Dials = DIALS, seed: int = 1) -> Conditional:
    return learned(known, len(known.columns) - 1, dials, Context(seed=seed))


def _drawn(known: Known, made: Conditional, size: int = 12) -> np.ndarray:
    """Return the places of the last column, drawn for the rows that were learned from."""
    near = made.correction.near if made.correction is not None else np.zeros(0, np.int64)
    features = made.features(known.bins, known.nominal)
    return made.draw(
        known.columns[-1], features, levels(known.columns, known.places, near), np.random.default_rng(5), size
    )


def _values(known: Known, places: np.ndarray) -> np.ndarray:
    return known.columns[-1].level[places]


def test_a_smooth_function_is_guided() -> None:
    """Where a smooth function of two columns rules, a guide is learned, and draws lie closer to it than without."""
    one, two = RNG.normal(size=(2, ROWS))
    truth = np.sin(2 * one) + two
    known = _known(one, two, truth + RNG.normal(0, 0.1, ROWS))
    missed = {}
    for refine in (True, False):
        made = _learned(known, DIALS._replace(refine=refine))
        assert (made.guide is not None) is refine
        missed[refine] = float(np.sqrt(((_values(known, _drawn(known, made)) - truth) ** 2).mean()))
    assert missed[True] < 0.75 * missed[False]
    assert missed[True] < 0.35


def test_noise_is_neither_guided_nor_corrected() -> None:
    """A column that follows from nothing has one leaf, no guide and no correction, and is drawn as it is."""
    known = _known(RNG.normal(size=ROWS), RNG.integers(0, 5, ROWS).astype(str), RNG.normal(size=ROWS))
    made = _learned(known, DIALS._replace(evidence=8.0))
    assert (made.guide, made.correction) == (None, None)
    assert len(made.forest.roots) == 1
    assert made.forest.tree.feature.tolist() == [-1]
    assert np.abs(np.sort(_drawn(known, made)) - np.sort(known.places[-1])).max() <= 5


def test_more_evidence_is_coarser() -> None:
    """The dial for evidence, and that for the size of leaves, make trees smaller."""
    one = RNG.normal(size=ROWS)
    known = _known(one, one + RNG.normal(size=ROWS))
    dials = DIALS._replace(refine=False)
    turned = (dials, dials._replace(evidence=12.0), dials._replace(leaf=200), dials._replace(evidence=900.0))
    nodes = [len(_learned(known, d).forest.tree.feature) for d in turned]
    assert nodes[0] > nodes[1] > nodes[3] == 1
    assert nodes[0] > nodes[2] > 1


def test_a_correction_sees_what_bins_do_not() -> None:
    """Of values that are often the same as in another column, up to a cent, draws are so as often as the real ones."""
    one = np.round(np.exp(RNG.normal(5, 1, ROWS)) / 10) * 10
    two = np.where(RNG.random(ROWS) < 0.5, one, np.round(one * np.exp(RNG.normal(0, 0.5, ROWS)) / 10) * 10)
    known = _known(one, two)
    made = _learned(known)
    assert made.correction is not None
    assert made.correction.near.tolist() == [0]
    first = levels(known.columns, known.places, np.array([0]))[0]
    same = [float((_values(known, p) == first).mean())
            for p in (known.places[-1], _drawn(known, made), _drawn(known, made, 1))]  # fmt: skip
    assert same[0] > 0.45
    assert abs(same[1] - same[0]) < 0.6 * abs(same[2] - same[0])


def test_labels_follow_from_labels() -> None:
    """A label that another label decides is drawn as it decides, in every tree."""
    one = RNG.integers(0, 20, ROWS)
    known = _known(one.astype(str), ((one * 7 + 3) % 20).astype(str))
    made = _learned(known)
    assert (_drawn(known, made) == known.places[-1]).mean() > 0.99
    assert (_drawn(known, made, 1) == known.places[-1]).mean() > 0.99


def test_nulls_follow_from_other_columns() -> None:
    """Where a column is null as another one says, draws are null in the same rows."""
    one = RNG.normal(size=ROWS)
    two = np.where(one > 0.8, np.nan, one + RNG.normal(size=ROWS))
    known = _known(one, two)
    null = known.places[-1] == known.columns[-1].size
    made = _drawn(known, _learned(known)) == known.columns[-1].size
    assert null.mean() > 0.15
    assert (null == made).mean() > 0.97


def test_values_that_may_not_be_kept_are_not_learned() -> None:
    """Rows whose label is held by no code teach nothing, and no such place is drawn."""
    one = RNG.integers(0, 4, ROWS)
    labels = np.where(np.arange(ROWS) % 50 == 0, [f"own{i}" for i in range(ROWS)], one.astype(str))
    known = _known(one.astype(str), labels)
    assert (known.places[-1] == known.columns[-1].size + 1).sum() == ROWS // 50
    assert _drawn(known, _learned(known)).max() < known.columns[-1].size


def test_likelihood_knows_what_fits() -> None:
    """What a row has is likelier than what another row has; what is not known is as likely as can be."""
    one = RNG.normal(size=ROWS)
    known = _known(one, one + RNG.normal(0, 0.3, ROWS))
    made, column, places = _learned(known), known.columns[-1], known.places[-1]
    features = made.features(known.bins, known.nominal)
    mine = made.likelihood(column, features, places)
    other = made.likelihood(column, features, np.roll(places, 1))
    assert np.log(mine).mean() > np.log(other).mean() + 1.5
    assert (mine > 0).all()
    assert (made.likelihood(column, features, np.full(ROWS, column.size + 1)) == 1).all()
    every = np.array([np.flatnonzero(column.groups[:-1] == g)[0] for g in range(len(column.group_shares))])
    whole = sum(made.likelihood(column, features, np.full(ROWS, p)) for p in every)
    assert whole == pytest.approx(np.ones(ROWS))


def test_of_many_columns_those_that_tell_are_seen() -> None:
    """Of more columns than are looked at, those that the column follows from are; of few, all are."""
    noise = RNG.normal(size=(WIDE + 20, 600))
    last = noise[3] + (noise[70] > 0) + 0.3 * RNG.normal(size=600)
    made = _learned(_known(*noise, last))
    assert len(made.seen) == WIDE
    assert (np.diff(made.seen) > 0).all()
    assert {3, 70} <= set(made.seen.tolist())
    assert _learned(_known(*noise[:5], last)).seen.tolist() == list(range(5))


def test_few_rows_are_not_split() -> None:
    """Fewer rows than two leaves need are one leaf, whatever they show."""
    one = np.arange(50) // 5
    made = _learned(_known(one, one))
    assert made.forest.tree.feature.tolist() == [-1]
    assert made.forest.held.tolist() == np.repeat(np.arange(10), 5).tolist()


def test_the_same_context_learns_the_same() -> None:
    """The same context gives the same arrays, bit for bit, and these rebuild what draws the same."""
    one = RNG.normal(size=ROWS)
    known = _known(one, RNG.integers(0, 4, ROWS).astype(str), np.round(one, 1) + RNG.normal(0, 0.1, ROWS).round(1))
    made, again, other = (_learned(known, seed=s) for s in (1, 1, 2))
    assert made.guide is not None
    arrays = made.arrays()
    assert {k: v.tobytes() for k, v in arrays.items()} == {k: v.tobytes() for k, v in again.arrays().items()}
    assert arrays["held"].tobytes() != other.arrays()["held"].tobytes()
    rebuilt = Conditional.of_arrays(arrays)
    assert (rebuilt.correction is None) == (made.correction is None)
    assert np.array_equal(_drawn(known, rebuilt), _drawn(known, made))


def test_draws_choose_among_all_trees() -> None:
    """Draws that are not corrected come from every tree alike, and in the shares of the column."""
    one = RNG.integers(0, 6, ROWS)
    known = _known(one, one + RNG.integers(0, 3, ROWS))
    made = _learned(known, DIALS._replace(refine=False))
    real, drawn = (np.bincount(p, minlength=8) / ROWS for p in (known.places[-1], _drawn(known, made)))
    assert len(made.forest.roots) == 4
    assert np.abs(real - drawn).max() < 0.006
    told = made.forest._replace(held=np.repeat(np.arange(4, dtype=np.uint16), ROWS))  # each tree holds its own number
    assert np.bincount(_drawn(known, replace(made, forest=told))).tolist() == [ROWS // 4] * 4


def test_values_are_cut_evenly() -> None:
    """Values are cut where equally many lie, equal ones stay together, and rows become features."""
    assert np.bincount(cut_evenly(np.arange(800.0))).tolist() == pytest.approx([100] * 8, abs=1)
    few = cut_evenly(np.array([5.0] * 90 + [7.0] * 10))
    assert len(set(few[:90].tolist())) == 1
    assert as_matrix(np.array([[1, 2], [3, 255]], np.uint8)).tolist() == [[1, 3], [2, 255]]
