"""What all comparisons share: sampling, halves, tables, columns that are missing, and numbers anybody may see."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Rule
from synthwright.metrics import comparing
from synthwright.metrics.coverage import Coverage
from synthwright.metrics.detection import Detection
from synthwright.metrics.shape import Shape
from synthwright.metrics.trend import Trend
from synthwright.testing import toys
from synthwright.testing.strategies import datasets, schemas

Measure = Callable[..., dict[str, Score]]
COMPARISONS = [Shape(), Trend(), Detection(), Coverage()]
OURS = ("coverage", "dcr-share", "detection", "exact-copies", "keys", "rows", "rules", "shape", "trend", "tstr")


def ours() -> list[Metric]:
    """Return a recipe of every metric that Synthwright brings."""
    made = [registry.find("metrics", name).model_validate({}) for name in OURS]
    return [m for m in made if isinstance(m, Metric)]


@pytest.mark.parametrize("metric", COMPARISONS)
def test_sampling_is_said(metric: Metric, second: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit rows are sampled, the score says so, and it stays a score."""
    monkeypatch.setattr(comparing, "MOST_ROWS", 1_000)
    whole = measure(metric, second)[""]
    assert whole.status == "ok"
    assert whole.problem == "measured on a random sample: 1,000 of 1,500 training rows, 1,000 of 1,500 synthetic rows"


def test_wide_tables_are_sampled_sooner(second: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of cells is bounded too, down to a thousand rows."""
    monkeypatch.setattr(comparing, "MOST_CELLS", 4 * 1_200)
    assert "1,200 of 1,500 training rows" in str(measure(Shape(), second)[""].problem)
    monkeypatch.setattr(comparing, "MOST_CELLS", 4)
    assert "1,000 of 1,500 training rows" in str(measure(Shape(), second)[""].problem)


@pytest.mark.parametrize("metric", COMPARISONS)
def test_without_holdout(metric: Metric, second: Case, measure: Measure, shuffled: Callable[..., Dataset]) -> None:
    """Without held-out rows, training rows are compared with, their halves give the reference, and faults are seen."""
    alone = second._replace(holdout=None)
    good = measure(metric, alone)[""]
    assert good.value == pytest.approx(good.reference, abs=0.05)
    if isinstance(metric, Trend | Detection):
        bad = measure(metric, alone._replace(synthetic=shuffled(alone.synthetic)))[""]
        assert (bad.value or 0.0) > (good.reference or 1.0) + 0.1


def test_larger_is_not_better(measure: Measure) -> None:
    """Both samples are cut to the smaller: few rows are held against as few real rows, many against no more."""
    train, holdout = toys.plain(20_000, "train"), toys.plain(20_000, "holdout")
    few = measure(Shape(), Case(train, holdout, toys.plain(100, "synthetic")))[""]
    many = measure(Shape(), Case(train, holdout, toys.plain(40_000, "synthetic")))[""]
    assert min(few.value or 0.0, few.reference or 0.0) > 0.03
    assert max(many.value or 1.0, many.reference or 1.0) < 0.02


@pytest.mark.parametrize("metric", COMPARISONS)
def test_tables_are_averaged(metric: Metric, second: Case, measure: Measure) -> None:
    """Every table has a score, and the whole is their mean; one without modelled columns is left out."""
    assert second.train is not None
    assert second.holdout is not None
    fake = two_tables(second.synthetic, 60.0)
    scores = measure(metric, Case(two_tables(second.train, 0.0), two_tables(second.holdout, 30.0), fake))
    values = [scores[t].value for t in ("thing", "moved")]
    assert scores[""].value == pytest.approx(np.mean([v for v in values if v is not None]), abs=0.002)
    assert "keys" not in scores
    assert scores[""].problem is None or metric.name == "detection"  # it tells what gives the rows away


def two_tables(data: Dataset, shift: float) -> Dataset:
    """Return data with a copy of its table, one column moved, and a table of nothing but keys."""
    held = data.tables["thing"]
    moved = held.set_column(2, "price", pa.compute.add(held.column("price"), shift))
    keys = pa.table({"id": pa.array(np.arange(20).astype(str), pa.large_string())})
    spec = data.schema.tables["thing"]
    lone = spec.model_copy(update={"fields": {"id": Field(kind=Kind.KEY)}})
    schema = data.schema.model_copy(update={"tables": {"thing": spec, "moved": spec, "keys": lone}})
    return Dataset(schema, {"thing": held, "moved": moved, "keys": keys})


@pytest.mark.parametrize("metric", COMPARISONS)
def test_missing_column_fails(metric: Metric, second: Case, measure: Measure) -> None:
    """A column that the synthetic table lacks, or holds in another type, is a failure, and so is the whole."""
    lacking = second.synthetic.select("thing", ["colour", "size", "flag"])
    other = second.synthetic.with_columns("thing", {"price": second.synthetic.tables["thing"].column("colour")})
    for fake in (lacking, other):
        scores = measure(metric, second._replace(synthetic=fake))
        assert scores["thing.price"].status == scores[""].status == "failed"
        assert scores[""].problem == "incomplete: 1 could not be measured, first thing.price"


@pytest.mark.parametrize("metric", COMPARISONS)
def test_nothing_to_compare(metric: Metric, second: Case, measure: Measure) -> None:
    """No real rows, or nothing but keys: not applicable. No synthetic rows: a failure."""
    assert measure(metric, second._replace(train=None, holdout=None))[""].status == "not-applicable"
    keys = toys.keys()
    assert measure(metric, Case(keys, keys, keys))[""].status == "not-applicable"
    empty = measure(metric, second._replace(synthetic=toys.plain(0)))
    assert empty[""].status == empty["thing"].status == "failed"


@pytest.mark.parametrize("name", OURS)
def test_repeatable(name: str, second: Case) -> None:
    """The same seed gives the same scores, to the last digit."""
    metric = registry.find("metrics", name)()
    assert isinstance(metric, Metric)
    case = second._replace(rules=(("thing", Rule(rule="size >= 0")),))
    one, two = (metric.measure(case, Context(seed=3)) for _ in range(2))
    assert one == two


def awkward(rows: int, seed: int) -> dict[str, tuple[Field, object]]:
    """Return columns that hold what columns should not."""
    rng = Context(seed=seed).rng
    number, label, whole = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY), Field(kind=Kind.INTEGER)
    return {
        "same": (number, np.full(rows, 1.5)),
        "none": (number, [None] * rows),
        "huge": (number, rng.choice([-1e308, 1e308], rows)),
        "tiny": (number, np.full(rows, 5e-324)),
        "endless": (number, rng.choice([-math.inf, 0.0, math.inf], rows)),
        "holes": (number, [None if rng.random() < 0.5 else rng.normal() for _ in range(rows)]),
        "wide": (whole, rng.integers(-(2**63), 2**63 - 1, rows)),
        "unsigned": (Field(kind=Kind.INTEGER, type="uint64"), rng.integers(2**63, 2**64 - 1, rows, dtype=np.uint64)),
        "one": (label, ["x"] * rows),
        "no": (label, [None] * rows),
        "many": (label, [f"v{i}" for i in rng.integers(0, max(rows, 1), rows)]),
        "coin": (Field(kind=Kind.BOOLEAN), rng.random(rows) < 0.5),
    }


def check(scores: list[Score], bounds: tuple[float, float]) -> None:
    """Fail unless every score is a number in its interval, or says why not."""
    for score in scores:
        if score.status == "ok":
            assert score.value is not None
            assert score.low is not None
            assert score.high is not None
            assert bounds[0] <= score.low <= score.value <= score.high <= bounds[1]
        else:
            assert score.problem
            assert score.value is None


@pytest.mark.parametrize("rows", [(10, 2, 10), (10, None, 10), (2, 1, 1), (60, 30, 40)])
@pytest.mark.parametrize("target", ["t.coin", "t.endless", "t.no"])
def test_awkward_columns(rows: tuple[int, int | None, int], target: str) -> None:
    """Constants, nulls, infinities, huge and tiny numbers, in few rows: a score or a reason, never an exception."""
    train, holdout, synthetic = (
        None if n is None else toys.dataset({"t": awkward(n, seed)}) for seed, n in enumerate(rows)
    )
    assert synthetic is not None
    rules = (("t", Rule(rule="tiny >= 0")),)
    for metric in ours():
        case = Case(train, holdout, synthetic, target=target, rules=rules, asked={"t": rows[2]})
        check(metric.measure(case, Context()), metric.bounds)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_data(data: st.DataObject) -> None:
    """Whatever the kinds and values: a score or a reason, never an exception."""
    schema = data.draw(schemas())
    train, holdout, synthetic = (data.draw(datasets(schema)) for _ in range(3))
    target = data.draw(st.none() | st.sampled_from(schema.columns))
    asked = dict.fromkeys(schema.tables, 7)
    for metric in ours():
        check(metric.measure(Case(train, holdout, synthetic, target=target, asked=asked), Context()), metric.bounds)


@pytest.mark.slow
def test_two_thousand_columns() -> None:
    """Two thousand columns end, and each has its score."""
    rng = Context(seed=5).rng
    kinds = [Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)]
    labels = np.array(list("abcd"))

    def part() -> Dataset:
        columns = {}
        for i in range(2_000):
            values = rng.normal(size=60) if i % 2 == 0 else labels[rng.integers(0, 4, 60)]
            columns[f"c{i}"] = (kinds[i % 2], values)
        return toys.dataset({"t": columns})

    case = Case(part(), part(), part(), target="t.c1", asked={"t": 60})
    for metric in ours():
        scores = metric.measure(case, Context())
        check(scores, metric.bounds)
        if isinstance(metric, Shape | Coverage):
            assert len(scores) == 2_002
        if isinstance(metric, Trend):
            assert len(scores) == 502
