"""Shape, trend and detection: a second real sample scores as the reference does, and what is planted is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.metrics import detection
from synthwright.metrics.detection import Detection
from synthwright.metrics.shape import Shape
from synthwright.metrics.trend import Trend
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def value(score: Score) -> float:
    """Return a score's value, which it has."""
    assert score.value is not None, score
    return score.value


@pytest.mark.parametrize("metric", [Shape(), Trend(), Detection()])
def test_second_real_sample(metric: Metric, second: Case, measure: Measure, alike: Callable[[Score], bool]) -> None:
    """A second real sample scores what the reference says."""
    scores = measure(metric, second)
    assert all(alike(s) for s in scores.values() if "." in s.about or not s.about)
    assert all(s.status == "ok" and (s.problem is None or s.about == "worst") for s in scores.values())
    assert scores["worst"].problem in scores if "worst" in scores else metric.name == "detection"
    assert all(value(s) <= (s.reference or 0.0) + (s.chance or 0.0) for s in scores.values())


@pytest.mark.parametrize("metric", [Trend(), Detection()])
def test_shuffled_columns_seen(
    metric: Metric, second: Case, measure: Measure, shuffled: Callable[..., Dataset]
) -> None:
    """Columns that no longer know each other are seen, by far."""
    whole = measure(metric, second._replace(synthetic=shuffled(second.synthetic)))[""]
    assert whole.low is not None
    assert whole.reference is not None
    assert whole.low > whole.reference + 0.1


def test_shuffled_columns_keep_their_shape(second: Case, measure: Measure, shuffled: Callable[..., Dataset]) -> None:
    """Shape looks at one column at a time: shuffling changes nothing."""
    spoiled = second._replace(synthetic=shuffled(second.synthetic))
    assert measure(Shape(), spoiled)[""].value == pytest.approx(value(measure(Shape(), second)[""]), abs=0.002)


def test_moved_column_is_the_worst(second: Case, measure: Measure) -> None:
    """A column that moved is told apart from those that did not, and is the worst."""
    held = second.synthetic.tables["thing"]
    moved = pa.compute.add(held.column("price"), 30.0)
    scores = measure(Shape(), second._replace(synthetic=second.synthetic.with_columns("thing", {"price": moved})))
    assert value(scores["thing.price"]) > 0.3
    assert scores["worst"].value == scores["thing.price"].value
    assert value(scores["thing.size"]) < 0.1
    assert value(scores[""]) == pytest.approx(np.mean([value(s) for a, s in scores.items() if "." in a]), abs=0.002)


def test_shape_of_labels_and_nulls(measure: Measure) -> None:
    """A share of rows that changed label, or lost it, is the distance."""
    real = toys.dataset({"t": {"c": (LABEL, list("ab") * 500)}})
    fake = toys.dataset({"t": {"c": (LABEL, (["a", "b", "b", None] * 250))}})
    assert measure(Shape(), Case(real, real, fake))["t.c"].value == pytest.approx(0.25)


def test_trend_takes_half_the_difference(measure: Measure) -> None:
    """Opposite dependence is distance 1, none where there was some is half."""
    up = np.arange(400.0)
    coin = np.tile([0.0, 1.0], 200)
    real = toys.dataset({"t": {"a": (NUMBER, up), "b": (NUMBER, up), "c": (NUMBER, coin)}})
    fake = toys.dataset({"t": {"a": (NUMBER, up), "b": (NUMBER, -up), "c": (NUMBER, coin)}})
    scores = measure(Trend(), Case(real, real, fake))
    assert scores["t.a ~ t.b"].value == scores["worst"].value == 1.0
    assert scores["t.a ~ t.c"].value == 0.0


def test_trend_sees_labels_and_nulls(measure: Measure, shuffled: Callable[..., Dataset]) -> None:
    """Two labels, a label and a number, and which numbers are missing, are dependences too."""
    rows = np.arange(800)
    holes = np.where(rows % 4 == 0, np.nan, rows.astype(float))
    real = toys.dataset({"t": {
        "label": (LABEL, np.array(["a", "b", "c", "d"])[rows % 4]),
        "same": (LABEL, np.array(["A", "B", "C", "D"])[rows % 4]),
        "number": (NUMBER, (rows % 4).astype(float)),
        "some": (NUMBER, [None if np.isnan(h) else h for h in holes]),
        "others": (NUMBER, [None if np.isnan(h) else float(h * 7 % 11) for h in holes]),
    }})  # fmt: skip
    scores = measure(Trend(), Case(real, real, shuffled(real)))
    for pair in ("t.label ~ t.same", "t.label ~ t.number"):
        assert value(scores[pair]) == pytest.approx(0.75, abs=0.05)
    assert value(scores["t.some ~ t.others"]) > 0.3
    assert value(scores["t.label ~ t.some"]) > 0.3


def test_trend_keeps_null_apart(measure: Measure) -> None:
    """Null is no rare label: which of the two goes with what is a dependence too."""
    labels = [f"label {i % 20}" for i in range(400)]
    coin = [i % 2 == 0 for i in range(400)]
    flag = Field(kind=Kind.BOOLEAN)
    rare, lost = ["rare"] * 10, [None] * 10
    real, fake = (
        toys.dataset({"t": {"c": (LABEL, labels + ends), "b": (flag, coin + [True] * 10 + [False] * 10)}})
        for ends in (rare + lost, lost + rare)
    )
    assert value(measure(Trend(), Case(real, real, fake))["t.c ~ t.b"]) == pytest.approx(20 / 420, abs=0.006)


def test_trend_of_one_column(measure: Measure) -> None:
    """A table of one column has no pairs to get wrong, and says so."""
    lone = toys.one_column()
    whole = measure(Trend(), Case(lone, lone, lone))[""]
    assert (whole.value, whole.status) == (0.0, "ok")
    assert "no pairs" in str(whole.problem)


def test_trend_draws_pairs(second: Case, measure: Measure) -> None:
    """Of more pairs than are wanted, some are drawn, and of more than are listed, the worst are."""
    whole = measure(Trend(pairs=4), second)[""]
    assert whole.problem == "measured on 4 of 6 pairs, drawn at random"
    every, few = measure(Trend(), second), measure(Trend(listed=2), second)
    pairs = sorted((value(s) for a, s in every.items() if "~" in a), reverse=True)
    assert [value(s) for a, s in few.items() if "~" in a] == pairs[:2]
    assert few["worst"].value == every["worst"].value == pairs[0]
    assert few[""] == every[""]


def test_detection_of_copies_is_none(second: Case, measure: Measure) -> None:
    """Synthetic rows that are real rows cannot be told from them, however they are dealt."""
    assert second.train is not None
    whole = measure(Detection(folds=3, rounds=50), second._replace(synthetic=second.train))[""]
    assert value(whole) == pytest.approx(0.5, abs=0.05)


def test_detection_of_one_trace(second: Case, measure: Measure) -> None:
    """A number that is finer than real ones gives everything away."""
    held = second.synthetic.tables["thing"]
    unlike = pa.compute.add(pa.compute.round(held.column("price"), 0), 1_000.5)
    fake = second.synthetic.with_columns("thing", {"price": unlike})
    assert value(measure(Detection(), second._replace(synthetic=fake))[""]) > 0.99


def test_detection_samples_wide_tables(second: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where trees would take minutes, fewer rows are looked at, and the score says so."""
    monkeypatch.setattr(detection, "_CELLS", 4)
    larger = second._replace(holdout=toys.plain(1_200, "holdout"))
    assert measure(Detection(), larger)[""].problem == "measured on 1,000 random rows of each side"


def test_detection_needs_rows(second: Case, measure: Measure) -> None:
    """Too few rows to learn from are no score, and no failure."""
    few = second._replace(holdout=toys.plain(11))
    whole = measure(Detection(), few)[""]
    assert (whole.status, whole.problem) == ("not-applicable", "too few rows: each side needs at least 20")
