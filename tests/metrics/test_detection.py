"""Detection: what chance does is allowed for, and what gives synthetic rows away is named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.metrics import detection
from synthwright.metrics.detection import Detection
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]


def beyond(score: Score) -> float:
    """Return by how much an area is above its reference beyond what chance does."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.value - score.reference - score.chance


def test_second_sample_passes(measure: Measure) -> None:
    """Honest samples stay within what chance does, with held-out rows and without; nothing gives them away."""
    ratios = []
    for seed in range(6):
        train, holdout, synthetic = (toys.plain(400, f"{part} {seed}") for part in ("train", "holdout", "synthetic"))
        for unseen in (holdout, None):
            whole = measure(Detection(), Case(train, unseen, synthetic), seed)[""]
            assert beyond(whole) < 0
            assert whole.problem is None
            ratios.append(1 + beyond(whole) / (whole.chance or 1.0))
    assert np.std(ratios) < 1.5 / 3.89  # the allowance is 3.89 standard deviations


def test_chance_is_that_of_both_areas(second: Case, measure: Measure) -> None:
    """The allowance is the errors of value and reference together, a quarter wider, 3.89 times."""
    whole = measure(Detection(), second)[""]
    error = np.sqrt(2 / (6 * 800))  # of an area of 0.5, 800 rows of each side, twice
    assert whole.chance == pytest.approx(1.25 * 3.8906 * error, rel=0.03)


def test_one_column_gives_it_away(second: Case, measure: Measure) -> None:
    """A column that moved is the part that gives most away, and the note names it, and where."""
    held = second.synthetic.tables["thing"]
    price = held.column("price").to_numpy()
    high = price > np.quantile(price, 0.8)
    moved = pa.array(np.where(high, price + 40, price))
    scores = measure(Detection(), second._replace(synthetic=second.synthetic.with_columns("thing", {"price": moved})))
    assert beyond(scores[""]) > 0
    assert str(scores["worst"].problem).startswith("thing.price")
    assert (scores["thing.price"].value or 0) > (scores["thing.flag"].value or 0) + 0.03
    assert str(scores[""].problem).startswith("told apart most by thing.price")
    assert "most easily where thing.price is in its top tenth" in str(scores[""].problem)


def test_what_columns_give_away_together(
    second: Case, measure: Measure, shuffled: Callable[[Dataset], Dataset]
) -> None:
    """Where columns no longer know each other, they are the ones; a coin that nothing knew is not."""
    scores = measure(Detection(), second._replace(synthetic=shuffled(second.synthetic)))
    given = {about: s.value or 0.0 for about, s in scores.items() if about.startswith("thing.")}
    assert min(given["thing.size"], given["thing.price"]) > 0.6
    assert given["thing.flag"] < 0.53
    assert all(abs((s.reference or 0) - 0.5) < 0.05 for about, s in scores.items() if about in given)


def test_place_of_nulls_and_labels(measure: Measure) -> None:
    """Nulls and labels that give rows away are said to, and no label is shown."""
    real = toys.plain(600, "train"), toys.plain(600, "holdout")
    fake = toys.plain(600, "fake")
    few = pa.array(np.arange(600) % 2 == 0)
    lost = pa.compute.if_else(few, None, fake.tables["thing"]["price"])
    whole = measure(Detection(), Case(*real, fake.with_columns("thing", {"price": lost})))[""]
    assert "most easily where thing.price is null" in str(whole.problem)
    other = pa.compute.if_else(few, "zebra", fake.tables["thing"]["colour"]).cast(pa.large_string())
    whole = measure(Detection(), Case(*real, fake.with_columns("thing", {"colour": other})))[""]
    assert "most easily where thing.colour has one of its labels" in str(whole.problem)
    assert "zebra" not in str(whole.problem)


def test_columns_listed(second: Case, measure: Measure) -> None:
    """Of more columns than are wanted, those that give most away are told."""
    scores = measure(Detection(listed=1), second)
    every = measure(Detection(), second)
    assert set(scores) == {"", "worst", str(every["worst"].problem)}


def test_no_more_columns_than_there_is_time_for(
    second: Case, measure: Measure, shuffled: Callable[[Dataset], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In wide tables only the columns that helped the trees most are taken from them; the others gave nothing away."""
    monkeypatch.setattr(detection, "_LOOKED", 1)
    scores = measure(Detection(folds=2), second._replace(synthetic=shuffled(second.synthetic)))
    assert sum(s.value != 0.5 for about, s in scores.items() if about.startswith("thing.")) <= 2
