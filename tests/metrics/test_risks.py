"""The three risks: what synthetic rows give away of training rows, beyond what they say of people in general."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import hypergeom

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.neighbours import Points, nearest, points
from synthwright.kit.measuring.risks import Outcome, by_chance, estimate, most_hits, sizes
from synthwright.metrics import linkability, singling_out
from synthwright.metrics.attribute_inference import AttributeInference, told_by
from synthwright.metrics.linkability import Linkability
from synthwright.metrics.singling_out import SinglingOut
from synthwright.testing import toys

Measure = Callable[..., dict[str, Any]]
METRICS: tuple[Metric, ...] = (SinglingOut(), Linkability(), AttributeInference())
NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def people(rows: int, seed: str) -> Dataset:
    """Return rows whose columns hardly know each other."""
    rng = Context(seed=6, place=(seed,)).rng
    return toys.dataset({"person": {
        "age": (Field(kind=Kind.INTEGER), rng.integers(18, 90, rows)),
        "pay": (NUMBER, np.round(rng.lognormal(8, 0.5, rows), 2)),
        "town": (LABEL, rng.choice([f"town {i}" for i in range(20)], rows)),
        "job": (LABEL, rng.choice([f"job {i}" for i in range(12)], rows)),
        "weight": (NUMBER, np.round(rng.normal(70, 12, rows), 1)),
        "member": (Field(kind=Kind.BOOLEAN), rng.random(rows) < 0.4),
    }})  # fmt: skip


@pytest.fixture(scope="module")
def even() -> Case:
    """Return as many synthetic, training and held-out rows, all of one population."""
    synthetic, train, holdout = (people(1_500, s) for s in ("synthetic", "train", "holdout"))
    return Case(train, holdout, synthetic)


def copying(case: Case, rows: int) -> Case:
    """Return a case where so many synthetic rows are training rows."""
    assert case.train is not None
    rest = case.synthetic.take("person", np.arange(case.synthetic.rows() - rows))
    return case._replace(synthetic=case.train.take("person", np.arange(rows)).joined(rest))


def drawn(rows: int, seed: str, columns: int = 5) -> Dataset:
    """Return rows of numbers and labels with many equal values."""
    rng = Context(seed=4, place=(seed,)).rng
    numbers = {f"n{i}": (NUMBER, rng.integers(0, 8, rows) / 2.0) for i in range(columns // 2)}
    labels = {f"l{i}": (LABEL, rng.choice(list("abc"), rows)) for i in range(columns - columns // 2)}
    return toys.dataset({"t": {**numbers, **labels}})


# ---------------------------------------------------------------------------------------------------- what they say


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_new_rows_give_nothing_away(metric: Metric, even: Case, measure: Measure) -> None:
    """A second real sample stays within chance, as a whole and in every part."""
    for score in measure(metric, even).values():
        assert score.reference == 0.0
        assert score.low <= score.value <= score.high
        assert score.value <= score.chance


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_copies_give_away_their_share(metric: Metric, even: Case, measure: Measure) -> None:
    """A tenth copied is a risk of a tenth, far beyond chance; all copied is a risk of nearly one."""
    some = measure(metric, copying(even, 150))[""]
    assert some.value == pytest.approx(0.1, abs=0.03)
    assert some.low > 0.05
    assert some.value > some.chance
    assert measure(metric, copying(even, 1_500))[""].value > 0.95


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_few_copies_are_seen(metric: Metric, measure: Measure) -> None:
    """Forty copied rows among four thousand are more than chance."""
    synthetic, train, holdout = (people(4_000, s) for s in ("synthetic", "train", "holdout"))
    score = measure(metric, copying(Case(train, holdout, synthetic), 40))[""]
    assert score.value == pytest.approx(0.01, abs=0.004)
    assert score.value > score.chance


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_small_holdout_does_not_shrink_the_risk(metric: Metric, even: Case, measure: Measure) -> None:
    """Where few rows are held out, the risk of copied rows is what it is with many."""
    few = copying(even, 1_500)._replace(holdout=people(300, "holdout"))
    assert measure(metric, few)[""].value > 0.9


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_what_is_true_of_everybody_is_no_risk(metric: Metric, measure: Measure) -> None:
    """Rows that repeat in the whole population say nothing about those that were trained on."""
    data = toys.dataset({"t": {"a": (LABEL, list("xy") * 100), "b": (LABEL, list("pq") * 100)}})
    score = measure(metric, Case(data, data, data))[""]
    assert score.value == 0.0


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_what_is_needed(metric: Metric, even: Case, measure: Measure) -> None:
    """Without held-out rows, or with few rows, there is nothing to say; without synthetic rows it fails."""
    for lacking, word in (
        (even._replace(holdout=None), "held-out rows"),
        (even._replace(train=None, holdout=None), "no real rows"),
        (even._replace(holdout=people(49, "few")), "50 rows"),
        (even._replace(produced=("person.none",)), "produced column"),
    ):
        score = measure(metric, lacking)[""]
        assert score.status == "not-applicable"
        assert word in score.problem
    assert measure(metric, even._replace(synthetic=people(0, "none")))[""].status == "failed"


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_only_produced_columns_are_attacked(metric: Metric, even: Case, measure: Measure) -> None:
    """Columns that were kept, not produced, give nothing away."""
    assert even.train is not None
    kept = {c: even.train.tables["person"].column(c) for c in ("age", "pay", "town", "job", "weight")}
    partial = even._replace(synthetic=even.synthetic.with_columns("person", kept))
    assert measure(metric, partial)[""].value > 0.5
    score = measure(metric, partial._replace(produced=("person.member", "person.label")))[""]
    assert score.value in (0.0, None)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_the_whole_is_the_worst_table(metric: Metric, measure: Measure) -> None:
    """Of several tables, the one that gives most away is the whole."""

    def both(seed: str, copied: Dataset | None = None) -> Dataset:
        tables = [people(600, f"{seed}{i}").tables["person"] for i in range(2)]
        tables[1] = tables[1] if copied is None else copied.tables["b"]
        person = people(1, "x").schema.tables["person"]
        schema = people(1, "x").schema.model_copy(update={"tables": {"a": person, "b": person}})
        return Dataset(schema, dict(zip("ab", tables, strict=True)))

    train = both("train")
    found = measure(metric, Case(train, both("holdout"), both("synthetic", train)))
    assert found[""].value > 0.9
    assert found[""].problem.startswith("b")
    assert all(s.value <= s.chance for about, s in found.items() if about.startswith("a"))


def test_sampling_is_said(even: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are looked at are sampled, which the score says."""
    said = "measured on a random sample: 100 of 1,500 training rows, 100 of 1,500 held-out rows"
    assert said in measure(SinglingOut(rows=100), even)[""].problem
    monkeypatch.setattr(linkability, "_WORK", 6 * 2_000 * 1_200)
    assert "1,200 of 1,500 synthetic rows, 1,000 of" in measure(Linkability(), even)[""].problem
    assert sizes([even.synthetic.tables["person"]] * 3, 10**9, 800, 2_400) == (800, 1_200, 1_200)


def test_secrets_that_are_sensitive_come_first(even: Case, measure: Measure) -> None:
    """Every column is a secret in turn; those that the case calls sensitive are listed first."""
    found = measure(AttributeInference(), even._replace(sensitive=("person.member",)))
    parts = [about for about in found if about.startswith("person.")]
    assert parts[0] == "person.member"
    assert set(parts) == {f"person.{c}" for c in ("age", "pay", "town", "job", "weight", "member")}


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_columns_that_differ_are_left_out(metric: Metric, even: Case, measure: Measure) -> None:
    """A column that held-out rows lack, or hold in another type, is not attacked."""
    assert even.holdout is not None
    held = even.holdout.tables["person"]
    other = held.drop_columns(["job"]).set_column(1, "pay", held.column("pay").cast("float32"))
    found = measure(metric, even._replace(holdout=Dataset(even.holdout.schema, {"person": other})))
    assert found[""].status == "ok"
    assert not {"person.pay", "person.job"} & set(found)


# ------------------------------------------------------------------------------------------------------ how they count
def test_risk_and_chance_follow_their_formulas() -> None:
    """The risk is the gain over what could be gained; chance is Fisher's exact test to the row."""
    told = estimate(Outcome("", 60, 100, 20, 100, 0.0))
    assert told.value == pytest.approx(0.5)
    assert 0.3 < told.low < 0.5 < told.high < 0.65
    assert estimate(Outcome("", 100, 100, 100, 100, 0.0)) == (0.0, 0.0, 0.0)
    half = Outcome("", 40, 100, 20, 100, 0.0, share=0.5)
    assert estimate(half).value == pytest.approx(0.5)
    for hits, trials, among, parts in ((0, 800, 800, 1), (3, 500, 1_700, 7), (790, 800, 800, 2), (5, 60, 55, 1)):
        most = most_hits(hits, trials, among, parts)
        later = (hypergeom.sf(m - 1, trials + among, hits + m, among) for m in (most, most + 1))
        likely, unlikely = later
        assert likely > LEVEL / parts
        assert unlikely <= LEVEL / parts or most == among
    chance = by_chance(Outcome("", 0, 800, 8, 800, 0.0), 3)
    assert chance == pytest.approx((most_hits(8, 800, 800, 3) - 8) / 800 / 0.99)


def test_the_nearest_without_a_column() -> None:
    """For every column, the nearest row by the others is found, as a plain loop finds it."""
    tables = [drawn(n, s).tables["t"] for n, s in ((40, "rows"), (60, "among"))]
    rows, among = points(tables, drawn(1, "x").schema.tables["t"].fields, among=(0, 1))
    found = told_by(rows, among)

    def apart(i: int, j: int) -> np.ndarray:
        numbers = np.abs(rows.ordered[:, i].astype(float) - among.ordered[:, j])
        return np.concatenate([numbers, rows.discrete[:, i] != among.discrete[:, j]])

    parts = np.array([[apart(i, j) for j in range(60)] for i in range(40)])
    for column in range(rows.columns):
        left = parts.sum(axis=2) - parts[:, :, column]
        wanted = [int(np.flatnonzero(row <= row.min() + 1e-6)[0]) for row in left]
        assert found[column].tolist() == wanted


@pytest.mark.parametrize("count", [1, 3])
def test_links_are_found(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row stands where fewer than so many others are nearer than its neighbour, however they are tried."""
    monkeypatch.setattr(linkability, "_RIVALS", 4)
    tables = [drawn(n, s).tables["t"] for n, s in ((80, "rows"), (70, "among"))]
    rows, near = points(tables, drawn(1, "x").schema.tables["t"].fields, among=(0, 1))
    rng = Context(seed=3).rng
    neighbour, order = rng.integers(0, 70, 80), rng.permutation(70)
    neighbour[:40] = nearest(rows, near)[1][:40, 0]

    def apart(i: int, j: int) -> float:
        numbers = np.abs(rows.ordered[:, i] - near.ordered[:, j]).sum(dtype=np.float64)
        return float(numbers + (rows.discrete[:, i] != near.discrete[:, j]).sum())

    wanted = [i for i in range(80) if sum(apart(i, j) < apart(i, neighbour[i]) - 1e-6 for j in range(70)) < count]
    assert linkability.standing(rows, near, neighbour, order, count).tolist() == wanted
    assert 40 <= len(wanted) < 80


def test_only_some_linked_records_are_tried_again(
    even: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many records are linked at once, a random part of all rows is tried in the other splits."""
    whole = measure(Linkability(), copying(even, 300))["person: every split"]
    monkeypatch.setattr(linkability, "_LINKED", 100)
    part = measure(Linkability(), copying(even, 300))["person: every split"]
    assert part.value == pytest.approx(whole.value, abs=0.08)
    assert part.high - part.low > 1.3 * (whole.high - whole.low)


def test_guesses_match_one_real_row() -> None:
    """What a guess matches alone is found, as a loop finds it."""
    rng = Context(seed=8).rng
    real = rng.integers(0, 40, 60).astype(np.uint64)
    wanted = np.arange(50, dtype=np.uint64)
    order = np.argsort(real, kind="stable")
    found = singling_out.matched(order, real[order], wanted)
    assert found.tolist() == [int(np.flatnonzero(real == w)[0]) for w in wanted if (real == w).sum() == 1]
    assert len(found) > 5


def test_extremes_are_guesses() -> None:
    """The greatest and the least value of a column are guesses where one row has them; nulls match nothing."""
    real = np.array([1.0, 5.0, np.nan, 9.0, 3.0, 6.0])
    found = singling_out.extremes(np.array([2.0, 7.0, np.nan, 4.0]), real)
    assert (found.guesses, sorted(found.alone.tolist())) == (2, [0, 3])
    found = singling_out.extremes(np.array([2.0, 5.5, np.nan, 4.0]), real)
    assert (found.guesses, found.alone.tolist()) == (2, [0])  # two rows have at least as much
    assert not singling_out.extremes(np.array([2.0, 2.0, 7.0, 7.0]), real).guesses


def test_nobody_is_singled_out_of_a_sample(measure: Measure) -> None:
    """A value that many training rows share singles none of them out, though most are left over."""
    values = np.arange(400) * 1.0
    train = toys.dataset({"t": {"v": (NUMBER, np.repeat(values, 5))}})
    holdout, alone = (toys.dataset({"t": {"v": (NUMBER, values + s)}}) for s in (1_000.0, 0.0))
    found = measure(SinglingOut(), Case(train, holdout, alone))
    assert found["t: 1 column"].value == 0.0
    once = Case(toys.dataset({"t": {"v": (NUMBER, np.append(values, np.repeat(values + 5_000, 4)))}}), holdout, alone)
    assert measure(SinglingOut(), once)["t: 1 column"].value > 0.9


def test_predicates_come_from_unique_synthetic_rows(measure: Measure) -> None:
    """A value that two synthetic rows share is no guess; one that is unique and copied is."""
    values = np.arange(200) * 1.0
    train, holdout = (toys.dataset({"t": {"v": (NUMBER, values + s)}}) for s in (0.0, 1_000.0))
    twice = toys.dataset({"t": {"v": (NUMBER, np.repeat(values[:100], 2))}})
    once = toys.dataset({"t": {"v": (NUMBER, np.concatenate([values[:100], values[:100] + 0.5]))}})
    assert measure(SinglingOut(), Case(train, holdout, twice))[""].value == 0.0
    found = measure(SinglingOut(), Case(train, holdout, once))["t: 1 column"]
    assert found.value == pytest.approx(0.5, abs=0.01)


def test_a_mere_gain_of_chance_is_rare() -> None:
    """Where the training rows are a random half of the real rows, no attack exceeds chance."""
    for seed, metric in product(range(15), METRICS):
        train, holdout, fake = (drawn(120, f"{s}{seed}") for s in ("train", "holdout", "fake"))
        whole = metric.measure(Case(train, holdout, fake), Context(seed=seed))[0]
        assert whole.value is not None
        assert whole.chance is not None
        assert whole.value <= whole.chance


def test_equal_rows_are_at_no_distance() -> None:
    """The distance of rows side by side is to the last bit the one by which neighbours are found."""
    tables = [toys.every_kind(90).tables[t] for t in toys.every_kind(90).tables] * 2
    fields = {c: f for c, f in toys.every_kind(1).schema.tables[next(iter(toys.every_kind(1).tables))].fields.items()
              if c in ("amount", "price", "flag", "level", "day", "hour")}  # fmt: skip
    rows, near = points([tables[0], tables[1].slice(10)], fields, among=(0,))
    other = Points(near.ordered[:, :80], near.discrete[:, :80], near.gaps)
    mine = Points(rows.ordered[:, :80], rows.discrete[:, :80], rows.gaps)
    beside = linkability.apart(mine, other)
    for i in range(80):
        one, two = (Points(p.ordered[:, i : i + 1], p.discrete[:, i : i + 1], p.gaps) for p in (mine, other))
        assert nearest(one, two)[0][0, 0] == beside[i]
