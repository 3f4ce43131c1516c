"""Train on synthetic, test on real: a second real sample teaches as well, noise does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.metrics.predicting import Judged, Task, paired, strays, task_of, widened
from synthwright.metrics.tstr import Tstr
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]


def whole(case: Case, target: str | None = None) -> Score:
    """Return the score about the whole."""
    found = Tstr().measure(case if target is None else case._replace(target=target), Context())
    return next(s for s in found if not s.about)


@pytest.mark.parametrize("target", ["thing.colour", "thing.price", "thing.flag", "thing.size"])
def test_second_real_sample(target: str, second: Case, alike: Callable[[Score], bool]) -> None:
    """A second real sample teaches as well as the training rows, whatever the target."""
    assert alike(whole(second, target))


def test_learns_what_there_is(second: Case) -> None:
    """What follows from other columns is predicted, a coin is not."""
    colour, price, flag = (whole(second, f"thing.{c}").value for c in ("colour", "price", "flag"))
    assert colour == pytest.approx(1, abs=0.02)
    assert price == pytest.approx(0.95, abs=0.05)
    assert flag == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("target", ["thing.colour", "thing.price"])
def test_noise_seen(target: str, second: Case) -> None:
    """Labels, or numbers, that no longer belong to their rows teach less, and nothing when all are so."""
    name = target.removeprefix("thing.")
    rng = Context(seed=2).rng
    held = second.synthetic.tables["thing"].column(name)
    order = np.arange(len(held))
    most = rng.permutation(len(held))[: len(held) * 9 // 10]
    scores = []
    for some in (most, order):
        mixed = order.copy()
        mixed[some] = rng.permutation(some)
        fake = second.synthetic.with_columns("thing", {name: held.take(pa.array(mixed))})
        scores.append(whole(second._replace(synthetic=fake), target))
    for score in scores:
        assert score.high is not None
        assert score.reference is not None
        assert score.high < score.reference
    assert scores[1].value is not None
    assert scores[0].value is not None
    assert scores[1].value < min(scores[0].value, 0.7)


def test_absent_class_counts_as_guessed(second: Case) -> None:
    """A class that synthetic rows lack is guessed, and a single class teaches nothing: numbers, not errors."""
    colours = second.synthetic.tables["thing"].column("colour").to_numpy()
    without_blue = whole(second._replace(synthetic=second.synthetic.filter("thing", colours != "blue")))
    only_blue = whole(second._replace(synthetic=second.synthetic.filter("thing", colours == "blue")))
    assert without_blue.value is not None
    assert 0.6 < without_blue.value < 0.95
    assert only_blue.value == 0.5


def test_regression_is_not_below_zero(second: Case) -> None:
    """Numbers that are all wrong score 0, not less."""
    wrong = pa.array(np.full(1_500, 1e308))
    score = whole(second._replace(synthetic=second.synthetic.with_columns("thing", {"price": wrong})), "thing.price")
    assert (score.value, score.status) == (0.0, "ok")


def test_outlier_has_no_weight(second: Case) -> None:
    """One absurd number among held-out rows changes next to nothing."""
    assert second.holdout is not None
    price = second.holdout.tables["thing"].column("price").to_numpy().copy()
    price[3] = np.inf
    spoiled = second._replace(holdout=second.holdout.with_columns("thing", {"price": pa.array(price)}))
    before, after = whole(second, "thing.price").value, whole(spoiled, "thing.price").value
    assert before is not None
    assert after == pytest.approx(before, abs=0.02)


def test_without_holdout(second: Case, alike: Callable[[Score], bool], shuffled: Callable[[Dataset], Dataset]) -> None:
    """Without held-out rows, training rows test, and the reference learns from one half of them."""
    alone = second._replace(holdout=None)
    assert alike(whole(alone))
    noise = whole(alone._replace(synthetic=shuffled(second.synthetic)))
    assert noise.value == pytest.approx(0.5, abs=0.15)
    assert noise.reference == whole(alone).reference


def test_many_labels_are_pooled() -> None:
    """Of more labels than can be told apart, the rare ones are one class, and null is no class at all."""
    rng = Context(seed=4).rng
    which = np.minimum(rng.geometric(0.08, 1_500), 60)
    columns = {
        "label": (Field(kind=Kind.CATEGORY), [None if w == 5 else f"l{w}" for w in which]),
        "clue": (Field(kind=Kind.NUMBER), which + rng.normal(size=1_500)),
    }
    data = toys.dataset({"t": columns})
    score = whole(Case(data, data, data, target="t.label"))
    assert score.status == "ok"
    assert score.value is not None
    assert score.value > 0.8


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"target": None}, "not-applicable", "no target is named"),
        ({"target": "thing.weight"}, "failed", "no column of the schema"),
        ({"train": None, "holdout": None}, "not-applicable", "no real rows"),
        ({"holdout": toys.plain(3)}, "not-applicable", "too few rows with a target: 3"),
        ({"synthetic": toys.plain(0)}, "failed", "no rows"),
        ({"synthetic": toys.plain(50).select("thing", ["colour", "size"])}, "failed", "lacks 2 columns, first 'price'"),
    ],
)
def test_no_number(change: dict[str, object], status: str, problem: str, second: Case) -> None:
    """What cannot be measured says why."""
    score = whole(second._replace(**change))  # type: ignore[arg-type]  # each change has the right type
    assert (score.status, score.value) == (status, None)
    assert problem in str(score.problem)


@pytest.mark.parametrize(
    ("data", "target", "problem"),
    [
        (toys.one_column(), "lone.amount", "no other modelled column"),
        (toys.constant(), "same.label", "does not vary"),
        (toys.constant(), "same.number", "does not vary"),
        (toys.keys(), "", "made anew"),
    ],
)
def test_no_such_question(data: Dataset, target: str, problem: str) -> None:
    """A target that is alone, never varies or is made anew cannot be predicted, which is no failure."""
    score = whole(Case(data, data, data, target=target or data.schema.columns[0]))
    assert score.status == "not-applicable"
    assert problem in str(score.problem)


@pytest.mark.parametrize("target", ["thing.colour", "thing.price", "thing.flag"])
def test_chance(target: str, second: Case, shuffled: Callable[[Dataset], Dataset]) -> None:
    """A second real sample is worse than the reference by chance at most; noise by more, if there is what to find."""
    for holdout in (second.holdout, None):
        case = second._replace(holdout=holdout)
        score = whole(case, target)
        assert score.value is not None
        assert score.reference is not None
        assert score.chance is not None
        assert score.value >= score.reference - score.chance
        assert 0 < score.chance < 0.3
        noise = whole(case._replace(synthetic=shuffled(second.synthetic)), target)
        assert noise.value is not None
        assert noise.chance is not None
        assert noise.reference == score.reference
        assert (noise.value < score.reference - noise.chance) == (target != "thing.flag")


def test_chance_falls_with_rows() -> None:
    """More rows, less chance."""
    chances = []
    for rows in (100, 400, 2_000):
        train, holdout, synthetic = (toys.plain(rows, s) for s in ("train", "holdout", "synthetic"))
        case = Case(train, holdout, synthetic, target="thing.price")
        chances.append(whole(case).chance or 0.0)
    assert chances == sorted(chances, reverse=True)
    assert chances[2] < chances[0] / 3


def test_few_synthetic_rows(second: Case) -> None:
    """Where there are few synthetic rows, as many training rows teach the reference: it does not ask for more."""
    scores = [whole(second._replace(synthetic=toys.plain(n, "few")), "thing.price") for n in (20, 60, 1_500)]
    references = [s.reference or 0.0 for s in scores]
    assert references == sorted(references)
    assert references[0] < references[2] - 0.02
    for score in scores:
        assert score.value is not None
        assert score.value >= (score.reference or 0.0) - (score.chance or 0.0)


@pytest.mark.parametrize("rows", [60, 1_000, 8_000, 20_000])
def test_strays_of_a_mean(rows: int, second: Case) -> None:
    """Of a mean, where the answer is known, the estimated error of a difference is right for few and many rows."""
    task = task_of(Tstr(), second, Context())
    assert isinstance(task, Task)
    found = []
    for seed in range(40):
        ctx = Context(seed=seed)
        values = ctx.at("values").rng.normal(0, 3, rows)

        def mean(some: np.ndarray, _: Context, values: np.ndarray = values) -> np.ndarray:
            return np.array([values[some].mean(), 5.0])

        found.append(strays(task._replace(second=np.arange(rows)), ctx, mean))
    squares = np.mean(np.square(found), axis=0)
    assert squares[0] == pytest.approx(2 * 9 / rows, rel=0.4)
    assert squares[1] == 0


def test_paired_rows(second: Case) -> None:
    """Rows that both predict alike add nothing to the error; rows that only one predicts add what they do."""
    task = task_of(Tstr(), second._replace(target="thing.flag"), Context())
    assert isinstance(task, Task)
    rows = len(task.test)
    one = Judged(np.array([0.5]), np.full((1, rows), 2 / rows))
    assert paired(task, one, one) == pytest.approx(0)
    none = one._replace(influences=np.zeros((1, rows)))
    assert paired(task, one, none) == pytest.approx(2 / np.sqrt(rows), rel=0.02)
    assert paired(task, none, one) == paired(task, one, none)


def test_few_held_out_rows_of_a_class_widen_chance() -> None:
    """The error that a dozen rows of a class tell is itself a guess: Student's distribution, not the normal one."""
    assert widened(10) == pytest.approx(1.6, abs=0.1)
    assert widened(1e9) == pytest.approx(1.0, abs=1e-4)
    assert float(widened(0.0)) > 100
