"""Density and recall: balls are counted as by hand, an honest sample passes, and rows off, or left out, are seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring import manifold
from synthwright.kit.measuring.manifold import around, inside, radii
from synthwright.kit.measuring.neighbours import Points, nearest, points
from synthwright.metrics.density import Density
from synthwright.metrics.recall import Recall
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
FIELDS = {"n": Field(kind=Kind.NUMBER), "m": Field(kind=Kind.INTEGER), "c": Field(kind=Kind.CATEGORY)}


def beyond(score: Score) -> float:
    """Return by how much a score is below its reference beyond what chance does."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.reference - score.chance - score.value


def table(rows: int, seed: int) -> pa.Table:
    """Return rows of two numbers and a label, some of them missing."""
    rng = np.random.default_rng(seed)
    numbers = [None if i % 7 == 0 else float(v) for i, v in enumerate(rng.normal(0, 1, rows))]
    return pa.table({"n": pa.array(numbers, pa.float64()), "m": rng.integers(0, 6, rows),
                     "c": pa.array(rng.choice(list("xyz"), rows), pa.large_string())})  # fmt: skip


def by_hand(rows: Points, others: Points) -> np.ndarray:
    """Return all distances, from the nearest rows in their places."""
    distance, place = nearest(rows, others, others.rows)
    out = np.empty_like(distance)
    np.put_along_axis(out, place, distance, axis=1)
    return out


@pytest.mark.parametrize("cells", [400_000, 50])
@pytest.mark.parametrize("crowd", [40, 3])
def test_balls_as_by_hand(monkeypatch: pytest.MonkeyPatch, cells: int, crowd: int) -> None:
    """Radii, counts and pairs are those of all distances, however the blocks fall."""
    monkeypatch.setattr(manifold, "_CELLS", cells)
    monkeypatch.setattr(manifold, "CROWD", crowd)
    centres, others = points([table(40, 1), table(50, 2)], FIELDS, among=(0,))
    own = np.sort(by_hand(centres, centres), axis=1)
    assert np.array_equal(radii(centres, 3), own[:, 3])
    assert np.array_equal(radii(centres, 500), own[:, -1])
    reach = radii(centres, 3)
    held = by_hand(centres, others) <= reach[:, None]
    found = inside(centres, reach, others, 20)
    assert np.array_equal(found.balls, held.sum(axis=0))
    assert np.array_equal(found.rows, [held[:, :20].sum(axis=1), held[:, 20:].sum(axis=1)])
    few = held & (held.sum(axis=1) < crowd)[:, None]
    assert set(zip(found.ball.tolist(), found.row.tolist(), strict=True)) == set(
        zip(*map(list, np.nonzero(few)), strict=True)
    )


def test_ranks_are_those_of_real_rows() -> None:
    """Both samples are looked at alike: exchanging them exchanges what is found, and no more."""
    real, one, other = table(60, 1), table(30, 2), table(30, 3)
    there, back = around(real, (one, other), FIELDS, 3), around(real, (other, one), FIELDS, 3)
    assert np.array_equal(there.rows, back.rows[::-1])
    assert np.array_equal(there.balls, np.roll(back.balls, 30))


def test_exchange_of_two_rows() -> None:
    """Of one ball with one row inside, one sample reaches it and the other does not: the difference is always 1."""
    found = manifold.Inside(np.array([1, 0]), np.array([[1], [0]]), np.array([0]), np.array([0]))
    assert found.exchanged(1, 20, np.random.default_rng(1)) == 1.0
    none = manifold.Inside(np.array([0, 0]), np.zeros((2, 1), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert none.exchanged(1, 20, np.random.default_rng(1)) == 0.0


@pytest.mark.parametrize("metric", [Density(), Recall()])
def test_second_sample_passes(second: Case, measure: Measure, metric: Metric) -> None:
    """An honest sample is behind by no more than chance, with held-out rows and without."""
    for case in (second, second._replace(holdout=None)):
        whole = measure(metric, case)[""]
        assert beyond(whole) <= 0
        assert 0.5 < (whole.reference or 0) <= 1.0
        assert 0 < (whole.chance or 0) < 0.1


def test_rows_far_off_are_seen(second: Case, measure: Measure, shuffled: Callable[[Dataset], Dataset]) -> None:
    """Rows where no real row is lie shallow, although they reach many places."""
    spoiled = second._replace(synthetic=shuffled(second.synthetic))
    assert beyond(measure(Density(), spoiled)[""]) > 0.2


def test_places_left_out_are_seen(second: Case, measure: Measure) -> None:
    """A fifth of the real rows' places that no synthetic row reaches is missed; the rows that are left lie well."""
    kept = np.asarray(pa.compute.not_equal(second.synthetic.tables["thing"]["colour"], "blue"))
    left = second._replace(synthetic=second.synthetic.filter("thing", kept))
    assert beyond(measure(Recall(), left)[""]) > 0.2
    assert beyond(measure(Density(), left)[""]) < 0.05


def test_density_as_defined(measure: Measure) -> None:
    """A row in three balls of five scores 0.6, one in five or more scores 1, one in none 0."""
    real = toys.dataset({"t": {"x": (FIELDS["n"], np.arange(100.0))}})
    # the first and the last row are in fewer balls; a value beyond all real ones is half a rank behind the last: in the
    # balls of the last three, and of no other
    beyond_all, absent = pa.array(np.full(100, 1_000.0)), pa.nulls(100, pa.float64())
    for fake, wanted in ((real.tables["t"]["x"], 0.99), (beyond_all, 0.6), (absent, 0.0)):
        whole = measure(Density(), Case(real, real, real.with_columns("t", {"x": fake})))[""]
        assert whole.value == pytest.approx(wanted)


@pytest.mark.parametrize("metric", [Density(), Recall()])
def test_large_and_wide_tables(monkeypatch: pytest.MonkeyPatch, second: Case, measure: Measure, metric: Metric) -> None:
    """No more rows are looked at than are wanted, or than there is time for; the score says so."""
    few = metric.model_copy(update={"rows": 200})
    assert measure(few, second)[""].problem == "measured on 200 random rows of each side"
    monkeypatch.setattr(manifold, "_WORK", 1_000)
    assert measure(metric, second)[""].problem == "measured on 100 random rows of each side"


@pytest.mark.parametrize("metric", [Density(), Recall()])
def test_what_cannot_be_measured(second: Case, measure: Measure, metric: Metric) -> None:
    """A column that the synthetic table lacks is a failure; few rows are no score."""
    tables = {"thing": second.synthetic.tables["thing"].drop_columns(["size"])}
    lacking = measure(metric, second._replace(synthetic=Dataset(second.synthetic.schema, tables)))[""]
    assert (lacking.status, "thing.size" in str(lacking.problem)) == ("failed", True)
    few = measure(metric, second._replace(holdout=toys.plain(40)))[""]
    assert (few.status, few.problem) == ("not-applicable", "too few rows: each side needs at least 50")
