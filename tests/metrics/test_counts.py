"""Metrics that count rows see what they say they see, and nothing where a second real sample is judged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.metrics.holdout_copies import HoldoutCopies
from synthwright.metrics.lost import Lost
from synthwright.metrics.marginals import Marginals
from synthwright.metrics.missingness import Missingness
from synthwright.metrics.shares import Shares
from synthwright.metrics.support import Support
from synthwright.metrics.tails import Tails

Measure = Callable[..., dict[str, Score]]
METRICS = (HoldoutCopies(), Lost(), Marginals(), Missingness(), Shares(), Support(), Tails())


def table(name: str, rows: int = 1_600) -> pa.Table:
    """Return rows whose sign of the product of two numbers says the third label, and whose nulls follow the label."""
    rng = Context(seed=5, place=(name,)).rng
    one, two, wide = rng.normal(size=(3, rows))
    side = np.where(one * two > 0, "same", "other")
    town = rng.choice(["Aix", "Bonn", "Cork", "Delft"], size=rows, p=[0.5, 0.3, 0.16, 0.04])
    gone = (rng.random(rows) < 0.6) & (side == "same")
    return pa.table({"one": one, "two": two, "wide": pa.array(wide, mask=gone), "side": side, "town": town})


@pytest.fixture(scope="module")
def honest() -> Case:
    """Return a case where the synthetic rows are a second real sample."""
    train = Dataset.of(table("train"), name="thing")
    holdout, made = (Dataset.of(table(name, rows), train.schema) for name, rows in (("holdout", 800), ("made", 1_600)))
    return Case(train, holdout, made)


def spoiled(case: Case, **columns: np.ndarray | pa.Array) -> Case:
    """Return the case with other synthetic columns."""
    held = case.synthetic.tables["thing"]
    for name, column in columns.items():
        held = held.set_column(held.column_names.index(name), name, pa.array(column).cast(held.column(name).type))
    return case._replace(synthetic=Dataset(case.schema, {"thing": held}))


def over(score: Score, goal: str = "lower") -> float:
    """Return by how much a score is worse than its reference, beyond chance."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return (score.value - score.reference) * (1 if goal == "lower" else -1) - score.chance


@pytest.mark.parametrize("metric", METRICS)
def test_a_second_real_sample_is_within_chance(metric: Metric, honest: Case, measure: Measure) -> None:
    """Nothing is worse than the reference by more than chance explains."""
    scores = measure(metric, honest)
    assert all(s.status == "ok" for s in scores.values())
    assert max(over(s) for s in scores.values()) <= 0


def test_marginals_see_what_pairs_do_not(honest: Case, measure: Measure) -> None:
    """A label that depends on two numbers together is shuffled: no pair of columns changes."""
    held = honest.synthetic.tables["thing"]
    order = Context(seed=1).rng.permutation(held.num_rows)
    bad = spoiled(
        honest, side=held.column("side").take(pa.array(order)), wide=held.column("wide").take(pa.array(order))
    )
    worst = measure(Marginals(), bad)["worst"]
    assert over(worst) > 0.1
    assert {"thing.one", "thing.two", "thing.side"} <= set((worst.problem or "").split(" ~ "))


def test_marginals_find_the_three_of_a_wide_table(measure: Measure) -> None:
    """Of ten thousand threes of columns, the one in which a label says whether two others agree is looked at."""

    def wide(name: str, rows: int, *, lost: bool = False) -> pa.Table:
        rng = Context(seed=6, place=(name,)).rng
        left, right, any_ = rng.random((3, rows)) < 0.5
        return pa.table({**{f"n{i}": rng.normal(size=rows) for i in range(37)}, "left": left,
                         "right": right, "agree": any_ if lost else left == right})  # fmt: skip

    train = Dataset.of(wide("train", 1_000), name="t")
    holdout, honest = (Dataset.of(wide(n, 800), train.schema, name="t") for n in ("holdout", "made"))
    good = measure(Marginals(choices=20), Case(train, holdout, honest))["worst"]
    lost = Dataset.of(wide("made", 800, lost=True), train.schema, name="t")
    bad = measure(Marginals(choices=20), Case(train, holdout, lost))["worst"]
    assert over(good) <= 0
    assert over(bad) > 0.2
    assert bad.problem == "t.left ~ t.right ~ t.agree"


def test_missingness_sees_where_nulls_are(honest: Case, measure: Measure) -> None:
    """As many nulls, but at random: the pair with what they followed is the worst."""
    held = honest.synthetic.tables["thing"].column("wide")
    gone = Context(seed=2).rng.permutation(np.asarray(held.is_null()))
    scores = measure(Missingness(), spoiled(honest, wide=pa.array(np.zeros(len(held)), mask=gone)))
    assert scores["worst"].problem == "thing.wide ~ thing.side"
    assert over(scores["worst"]) > 0.1
    assert over(scores["thing.wide"]) <= 0
    full = measure(Missingness(), spoiled(honest, wide=np.zeros(len(held))))
    assert over(full["thing.wide"]) > 0.2


def test_missingness_of_full_tables(measure: Measure) -> None:
    """Where nothing is missing there is nothing to measure."""
    full = Dataset.of(pa.table({"x": np.arange(50.0), "y": np.arange(50.0) % 7}), name="thing")
    score = measure(Missingness(), Case(full, full, full))[""]
    assert score.status == "not-applicable"


def test_tails_see_what_shape_does_not(honest: Case, measure: Measure) -> None:
    """Both tails are drawn in to the 5 % ends: the column's tails are out of place."""
    one = honest.synthetic.tables["thing"].column("one").to_numpy()
    scores = measure(Tails(), spoiled(honest, one=np.clip(one, *np.quantile(one, [0.05, 0.95]))))
    assert scores["worst"].problem == "thing.one"
    assert over(scores["worst"]) > 0.2


def test_support_sees_strangers(honest: Case, measure: Measure) -> None:
    """Sentinels in two rows of a hundred, and a label that no training row has."""
    one = honest.synthetic.tables["thing"].column("one").to_numpy().copy()
    one[::50] = -999
    assert over(measure(Support(), spoiled(honest, one=one))["thing.one"]) > 0
    town = np.asarray(honest.synthetic.tables["thing"].column("town").to_pylist(), dtype=object)
    town[::40] = "bonn "
    scores = measure(Support(), spoiled(honest, town=pa.array(town, pa.large_string())))
    assert scores["worst"].problem == "thing.town"
    assert scores["thing.town"].value == pytest.approx(0.025)


def test_support_sees_what_lies_far_out(measure: Measure) -> None:
    """Half a percent of absurd ages is less than the tolerance of strange values, and has none of its own."""

    def people(name: str, rows: int, absurd: int = 0) -> pa.Table:
        rng = Context(seed=8, place=(name,)).rng
        age = rng.integers(18, 90, rows)
        age[:absurd] = -40
        return pa.table({"age": age, "debt": rng.standard_cauchy(rows), "town": rng.choice(["Aix", "Bonn"], rows)})

    train = Dataset.of(people("train", 6_000), name="thing")
    holdout = Dataset.of(people("holdout", 3_000), train.schema, name="thing")
    honest, spoilt = (Dataset.of(people("made", 6_000, n), train.schema, name="thing") for n in (0, 30))
    good, bad = (measure(Support(), Case(train, holdout, made)) for made in (honest, spoilt))
    assert over(good["far"]) < 0 < over(bad["far"])
    assert bad["far"].value == pytest.approx(0.005, abs=0.0005)
    assert bad["far"].problem == "thing.age"
    assert (bad["worst"].value or 0) < (bad["worst"].reference or 0) + 0.01


@pytest.mark.parametrize(
    "tail",
    [lambda rng, n: rng.standard_cauchy(n), lambda rng, n: rng.pareto(1.2, n), lambda rng, n: rng.lognormal(0, 3, n),
     lambda rng, n: np.where(rng.random(n) < 0.002, -999.0, rng.normal(size=n))],
    ids=["cauchy", "pareto", "lognormal", "a rare sentinel"],
)  # fmt: skip
def test_heavy_tails_are_not_far_out(measure: Measure, tail: Callable[..., np.ndarray]) -> None:
    """A second real sample of a column with heavy tails, or with a code that is rare, is within chance."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        train, holdout, made = (Dataset.of(pa.table({"x": tail(rng, n)}), name="t") for n in (800, 400, 800))
        score = measure(Support(), Case(train, holdout, made), seed)["far"]
        assert over(score) <= 0


def test_lost_sees_what_is_gone(honest: Case, measure: Measure) -> None:
    """A label of four rows in a hundred, which no distance of a whole column would notice."""
    town = np.asarray(honest.synthetic.tables["thing"].column("town").to_pylist(), dtype=object)
    scores = measure(Lost(), spoiled(honest, town=pa.array(np.where(town == "Delft", "Aix", town), pa.large_string())))
    assert scores["worst"].problem == "thing.town"
    assert scores["worst"].value == pytest.approx(0.04, abs=0.02)
    assert over(scores["worst"]) > 0.01


@pytest.mark.parametrize("rows", [(400, 200, 400), (400, 200, 100), (30, 10, 30)])
def test_few_rows_lose_no_range_by_chance(rows: tuple[int, int, int], measure: Measure) -> None:
    """Ranges are as fine as rows can tell: of forty columns of a second real sample none lacks one; a gap is seen."""
    sides = [
        pa.table({f"x{i}": v for i, v in enumerate(np.random.default_rng(n).normal(size=(40, count)))})
        for n, count in enumerate(rows)
    ]
    train, holdout, made = (Dataset.of(side, name="t") for side in sides)
    assert measure(Lost(), Case(train, holdout, made))["worst"].value == 0
    lower = made.with_columns("t", {"x0": pa.array(-np.abs(sides[2]["x0"].to_numpy()))})
    if rows[0] > 30:  # too few rows can tell nothing
        assert over(measure(Lost(), Case(train, holdout, lower))["t.x0"]) > 0.2


def test_holdout_copies_are_counted(honest: Case, measure: Measure) -> None:
    """Held-out rows among the synthetic ones, and what is said where there are none to be copied."""
    assert honest.holdout is not None
    leaked = pa.concat_tables([honest.holdout.tables["thing"].slice(0, 32), honest.synthetic.tables["thing"].slice(32)])
    bad = honest._replace(synthetic=Dataset(honest.schema, {"thing": leaked}))
    score = measure(HoldoutCopies(), bad)[""]
    assert score.value == pytest.approx(0.02)
    assert over(score) > 0
    assert measure(HoldoutCopies(), bad._replace(holdout=None))[""].status == "not-applicable"


def test_shares_sees_a_thinned_group_and_a_point_that_grew(honest: Case, measure: Measure) -> None:
    """A label of a sixth of the rows that is nearly gone, and a number that a tenth of the rows suddenly share."""
    held = honest.synthetic.tables["thing"]
    town, wide = held.column("town").to_numpy().copy(), held.column("wide").to_pandas()
    cork = np.flatnonzero(town == "Cork")
    town[cork[20:]] = "Bonn"
    wide[::10] = 0.25
    found = measure(Shares(), spoiled(honest, town=town, wide=pa.array(wide, from_pandas=True)))
    assert over(found["thing.town"]) > 0.05
    assert over(found["thing.wide"]) > 0.03
    assert found["worst"].problem == "thing.town"
    assert over(found["thing.side"]) < 0 < over(found["worst"])
    assert "thing.one" not in found  # no value of it repeats


def test_shares_by_hand(measure: Measure) -> None:
    """The difference of two shares, and the mean and the 99.995 % point of what two samples differ by."""

    def rows(yes: int, no: int) -> Dataset:
        return Dataset.of(pa.table({"a": ["y"] * yes + ["n"] * no}), name="t")

    found = measure(Shares(), Case(rows(300, 300), rows(100, 100), rows(450, 150)))[""]
    error = np.sqrt(850 / 1400 * 550 / 1400 * (1 / 600 + 1 / 800))
    assert found.value == pytest.approx(0.25)
    assert found.reference == pytest.approx(np.sqrt(2 / np.pi) * error, abs=1e-3)
    assert (found.reference or 0) + (found.chance or 0) == pytest.approx(4.056 * error, abs=2e-3)  # two values share it
