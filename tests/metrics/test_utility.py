"""Calibration, importance, augmentation and the ranking of models: a second real sample serves, noise does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.metrics.augmentation import Augmentation
from synthwright.metrics.calibration import Calibration, _error
from synthwright.metrics.importance import Importance
from synthwright.metrics.model_ranking import KINDS, ModelRanking
from synthwright.metrics.predicting import Task, judged, lacking, task_of
from synthwright.metrics.trts import Trts
from synthwright.metrics.tstr import Tstr
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
Shuffle = Callable[[Dataset], Dataset]
EVERY = (Calibration, Importance, Augmentation, ModelRanking, Trts)


def moons(rows: int, seed: int, *, answer: str = "ring") -> Dataset:
    """Return points and a column of noise: the inner ones are of one class, or those to the right (`line`) …."""
    rng = Context(seed=seed).rng
    x, y, noise = rng.normal(size=(3, rows))
    inside = {"ring": x**2 + y**2 < 1.4, "line": x > 0, "noise": noise > 0, "both": (x > 0) ^ (y > 0),
              "slab": np.abs(x) < 0.8}[answer]  # fmt: skip
    inside ^= rng.random(rows) < 0.05
    number, kind = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)
    label = np.where(inside, "in", "out")
    return toys.dataset({"t": {"x": (number, x), "y": (number, y), "noise": (number, noise), "label": (kind, label)}})


def ring(rows: int = 800, **synthetic: str) -> Case:
    """Return a case about points in a ring, whose synthetic rows may answer otherwise."""
    return Case(moons(rows, 1), moons(600, 2), moons(rows, 3, **synthetic), target="t.label")


def value_of(score: Score) -> tuple[float, float]:
    """Return value and reference, which are there."""
    assert score.value is not None, score
    assert score.reference is not None, score
    return score.value, score.reference


@pytest.mark.parametrize("metric", EVERY, ids=lambda m: m.name)
def test_same_refusals_as_tstr(metric: type[Metric], second: Case, measure: Measure) -> None:
    """What cannot be asked is refused in the words of `tstr`."""
    changes: list[dict[str, object]] = [
        {"target": None}, {"target": "thing.weight"}, {"train": None, "holdout": None}, {"holdout": toys.plain(3)},
        {"synthetic": toys.plain(0)}, {"synthetic": toys.plain(50).select("thing", ["colour", "size"])},
    ]  # fmt: skip
    for change in changes:
        case = second._replace(**change)  # type: ignore[arg-type]  # each change has the right type
        mine, theirs = (measure(m, case)[""] for m in (metric(), Tstr()))
        assert mine == theirs._replace(metric=metric.name)
        assert mine.value is None


@pytest.mark.parametrize("target", ["thing.colour", "thing.price"])
def test_second_real_sample_is_calibrated(target: str, second: Case, measure: Measure) -> None:
    """A second real sample is as calibrated as the training rows, but for chance."""
    score = measure(Calibration(), second._replace(target=target))[""]
    value, reference = value_of(score)
    assert score.chance is not None
    assert abs(value - reference) <= score.chance
    assert value < 0.08


def test_wrong_shares_are_not_calibrated(measure: Measure) -> None:
    """Where most rows of a class are gone, everything is expected to be of the other class."""
    case = ring(2_000)
    inner = case.synthetic.tables["t"].column("label").to_numpy() == "in"
    keep = ~inner | (np.arange(len(inner)) % 8 == 0)
    score = measure(Calibration(), case._replace(synthetic=case.synthetic.filter("t", keep)))[""]
    value, reference = value_of(score)
    assert score.chance is not None
    assert value > reference + score.chance
    assert score.low is not None
    assert score.low > reference


def test_calibration_error_by_hand() -> None:
    """The error is that of a loop over bins, and its replicates that of the rows that are left."""
    rng = Context(seed=5).rng
    said = rng.permutation(np.arange(200) / 200)
    truth, groups = (rng.random(200) < said**2).astype(np.float64), np.arange(200) % 20
    found = _error(said, truth, groups, 4)

    def slow(rows: np.ndarray) -> float:
        bins = np.minimum(np.ceil(said * 200).astype(int) // 50, 3)
        return sum(abs(sum(said[i] - truth[i] for i in rows if bins[i] == b)) for b in range(4)) / len(rows)

    assert found[0] == pytest.approx(slow(np.arange(200)), abs=0.02)  # bins differ by the row at their edge
    assert found[1:] == pytest.approx([slow(np.flatnonzero(groups != g)) for g in range(20)], abs=0.02)


def test_importance_of_the_same_columns(measure: Measure) -> None:
    """A second real sample finds the same columns important; where one of two no longer matters, half is shared."""
    same, half, none = (measure(Importance(), ring(answer=a)) for a in ("ring", "slab", "noise"))
    value, reference = value_of(same[""])
    assert min(value, reference) > 0.75
    assert value_of(half[""])[0] == pytest.approx(0.5, abs=0.2)
    assert value_of(half["t.y"])[0] < 0.7
    assert min(value_of(found["t.noise"])[0] for found in (same, half)) > 0.9
    assert none[""].value == 0
    assert "no better than a guess" in str(none[""].problem)


def test_importance_of_columns_that_say_the_same(measure: Measure, second: Case) -> None:
    """Where two columns say the same, trees may look at either: both are important all the same."""
    found = measure(Importance(), second)
    for about in ("", "thing.size", "thing.price"):
        assert value_of(found[about])[0] > 0.75, about


def test_importance_of_columns_that_matter_together(measure: Measure) -> None:
    """Columns of which each alone says nothing are important where the other is there."""
    train, holdout, synthetic = (moons(900, i, answer="both") for i in (1, 2, 3))
    case = Case(train, holdout, synthetic, target="t.label")
    found = measure(Importance(), case)
    value, reference = value_of(found[""])
    assert min(value, reference) > 0.75
    noise = case._replace(synthetic=moons(900, 3, answer="noise"))
    nothing = measure(Importance(), noise)[""]
    assert nothing.value == 0
    assert "no better than a guess" in str(nothing.problem)


@pytest.mark.parametrize("metric", [Importance, ModelRanking], ids=lambda m: m.name)
def test_nothing_to_find(metric: type[Metric], second: Case, measure: Measure) -> None:
    """Nothing follows from noise, so nothing is compared."""
    score = measure(metric(), second._replace(target="thing.flag"))[""]
    assert score.status == "not-applicable"
    assert "beyond chance" in str(score.problem)


def test_ranking_kept_and_lost(measure: Measure) -> None:
    """Trees beat lines on a ring; where synthetic rows are of a line, they do not."""
    same, wrong = measure(ModelRanking(), ring()), measure(ModelRanking(), ring(answer="line"))
    assert value_of(same[""])[0] > 0.8
    assert value_of(same[""])[1] > 0.8
    assert value_of(wrong[""])[0] < 0.7
    assert {"linear model", "boosted trees"} <= set(same)
    assert "from training rows" in str(same["boosted trees"].problem)


@pytest.mark.parametrize(("target", "worse"), [("thing.colour", 0.5), ("thing.price", 0.0)])
def test_kinds_of_models_learn(target: str, worse: float, second: Case) -> None:
    """Every kind but the constant predicts what follows, and none needs more than it was given."""
    ctx = Context()
    task = task_of(ModelRanking(), second._replace(target=target), ctx)
    assert isinstance(task, Task)
    for name, learn in KINDS.items():
        said = learn(task, task.train, task.test, ctx)
        value = judged(said, task.target[task.test], task.classes).values[0]
        assert value == pytest.approx(worse, abs=0.01) if name == "constant" else value > 0.8, name


def test_absent_class_is_never_said(second: Case) -> None:
    """No kind of model gives a likelihood to a class that it never saw."""
    ctx = Context()
    colours = second.synthetic.tables["thing"].column("colour").to_numpy()
    case = second._replace(synthetic=second.synthetic.filter("thing", colours != "blue"))
    task = task_of(ModelRanking(), case, ctx)
    assert isinstance(task, Task)
    (gone,) = np.flatnonzero(lacking(task, task.synthetic))
    for learn in KINDS.values():
        assert not learn(task, task.synthetic, task.test, ctx)[:, gone].any()


def test_augmentation_of_few_rows(measure: Measure) -> None:
    """Few real rows gain by more of the same sort, and lose by rows of another."""
    few = ring()._replace(train=moons(50, 1))
    good = measure(Augmentation(), few)[""]
    bad = measure(Augmentation(), few._replace(synthetic=moons(800, 3, answer="noise")))[""]
    assert value_of(good)[0] > 0.02
    assert "beside the real ones predict better" in str(good.problem)
    assert value_of(bad)[0] < -0.02
    assert "real rows alone predict better" in str(bad.problem)
    assert good.reference == bad.reference == 0.0


def test_augmentation_uses_all_training_rows(measure: Measure) -> None:
    """A handful of synthetic rows beside many real ones changes little: the real ones are all there."""
    score = measure(Augmentation(), ring(1_500)._replace(synthetic=moons(20, 3)))[""]
    assert value_of(score)[0] == pytest.approx(0, abs=0.01)


def test_without_holdout(measure: Measure, shuffled: Shuffle) -> None:
    """Without held-out rows half of the training rows test, but not what was made from them and is added to them."""
    alone = ring(1_200)._replace(holdout=None)
    assert measure(Augmentation(), alone)[""].status == "not-applicable"
    assert "have seen" in str(measure(Augmentation(), alone)[""].problem)
    noise = alone._replace(synthetic=shuffled(alone.synthetic))
    for metric in (Calibration(), Importance(), ModelRanking()):
        good, bad = measure(metric, alone)[""], measure(metric, noise)[""]
        assert good.reference == bad.reference
        better = value_of(good)[0] - value_of(bad)[0]
        assert better > 0.05 if metric.goal == "higher" else better < -0.05


@pytest.mark.parametrize("metric", [Tstr, Calibration, Augmentation], ids=lambda m: m.name)
def test_classes_by_number(metric: type[Metric], measure: Measure) -> None:
    """More than two classes have a score each, called by how frequent they are, and never by their label."""
    rng = Context(seed=8).rng

    def part(rows: int) -> Dataset:
        which = rng.choice(3, rows, p=[0.15, 0.6, 0.25])
        size = np.where(which == 1, 9, which / 2) + rng.normal(0, 1, rows)
        kind = Field(kind=Kind.CATEGORY)
        return toys.dataset({"t": {"which": (kind, np.array(["rare", "most", "some"])[which]),
                                   "size": (Field(kind=Kind.NUMBER), size)}})  # fmt: skip

    found = measure(metric(), Case(part(600), part(600), part(600), target="t.which"))
    assert list(found) == ["", "worst", "class 1", "class 2", "class 3"]
    assert "numbered" in str(found[""].problem)
    assert not any(word in str(found) for word in ("rare", "most'", "some"))
    if metric is Tstr:
        assert found["class 1"].value == 1.0  # far from all others
        assert found["worst"].problem != "class 1"


@pytest.mark.parametrize("metric", EVERY, ids=lambda m: m.name)
def test_odd_numbers(metric: type[Metric], measure: Measure) -> None:
    """Infinite and huge numbers, nulls everywhere and one class in synthetic rows give scores, not errors."""
    case = ring(200)
    assert case.holdout is not None
    wild = pa.array([np.inf, -np.inf, 1e308, None] * 50, pa.float64())
    one = case.synthetic.tables["t"].column("label").take(pa.array(np.zeros(200, np.int64)))
    for columns in ({"x": wild}, {"label": one}, {"x": pa.nulls(200, pa.float64()), "y": wild}):
        spoiled = case._replace(synthetic=case.synthetic.with_columns("t", columns))
        assert measure(metric(), spoiled)[""].status in ("ok", "not-applicable")
        assert measure(metric(), spoiled._replace(train=spoiled.synthetic))[""].metric == metric.name


def test_trts_sees_labels_that_follow_something_else(measure: Measure) -> None:
    """Trees that know the real ring are no better than a guess where labels follow another column, by hand and all."""
    same, wrong = measure(Trts(), ring())[""], measure(Trts(), ring(answer="noise"))[""]
    value, reference = value_of(same)
    assert min(value, reference) > 0.85
    assert abs(value - reference) < (same.chance or 0)
    assert value_of(wrong)[0] < 0.6
    assert value_of(wrong)[1] == reference
    assert reference - value_of(wrong)[0] > 3 * (wrong.chance or 1)


def test_trts_of_numbers_is_about_their_median(measure: Measure) -> None:
    """A number that follows another is predicted; shuffled it is not; rows with one answer are worth a guess."""

    def rows(seed: int, *, kept: bool = True, constant: bool = False) -> Dataset:
        rng = Context(seed=seed).rng
        x, noise = rng.normal(size=(2, 600))
        y = x + 0.3 * noise
        y = np.full(600, 9.0) if constant else y if kept else rng.permutation(y)
        number = Field(kind=Kind.NUMBER)
        return toys.dataset({"t": {"x": (number, x), "y": (number, y)}})

    case = Case(rows(1), rows(2), rows(3), target="t.y")
    assert min(value_of(measure(Trts(), case)[""])) > 0.9
    assert value_of(measure(Trts(), case._replace(synthetic=rows(3, kept=False)))[""])[0] < 0.6
    one = measure(Trts(), case._replace(synthetic=rows(3, constant=True)))[""]
    assert (one.value, one.reference, one.chance) == (0.5, 1.0, 0.0)


def test_trts_of_three_classes_has_a_score_for_each(measure: Measure) -> None:
    """Classes are numbered by how frequent they are; the whole is their mean."""

    def rows(seed: int) -> Dataset:
        x = Context(seed=seed).rng.normal(size=900)
        label = np.where(x < 0.2, "a", np.where(x < 1, "b", "c"))
        return toys.dataset({"t": {"x": (Field(kind=Kind.NUMBER), x), "y": (Field(kind=Kind.CATEGORY), label)}})

    found = measure(Trts(), Case(rows(1), rows(2), rows(3), target="t.y"))
    parts = [value_of(found[f"class {i}"])[0] for i in (1, 2, 3)]
    assert value_of(found[""])[0] == pytest.approx(np.mean(parts), abs=2e-3)
    assert min(parts) > 0.95
