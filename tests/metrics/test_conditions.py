"""What was set is what is there, exactly; and whoever ignores it is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import INTEGRITY_GATES, parse
from synthwright.core.schema import Field, Kind
from synthwright.core.spec import Between, SetTo, Shares
from synthwright.kit.learning.setting import chosen, frequent
from synthwright.metrics.conditions import Conditions
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
GATE = next(g for g in map(parse, INTEGRITY_GATES) if g.metric == "conditions")
LABEL, WHOLE = Field(kind=Kind.CATEGORY), Field(kind=Kind.INTEGER)
REAL = ["a"] * 700 + ["b"] * 250 + ["c"] * 48 + ["d", "d"]
"""Labels, one of them too rare to be balanced."""


def held(field: Field, values: Any) -> Dataset:
    """Return a table of one column."""
    return toys.dataset({"t": {"x": (field, values)}})


def value(measure: Measure, how: SetTo, field: Field, values: Any, real: Any = None) -> float | None:
    """Return the score of a column of which something was asked."""
    train = None if real is None else held(field, real)
    return measure(Conditions(), Case(train, None, held(field, values), chosen={"t.x": how}))[""].value


ASKED: list[tuple[SetTo, Field]] = [
    ("balanced", LABEL),
    ("b", LABEL),
    (None, LABEL),
    (Shares(shares={"a": 1, "b": 2, "c": 0}), LABEL),
    (Shares(shares={"1": 0.2, "2": 0.3, "7": 0.5}), WHOLE),
    (True, Field(kind=Kind.BOOLEAN)),
    (Shares(shares={"2024-01-01": 1, "2024-02-29": 1}), Field(kind=Kind.DATE)),
    (Shares(shares={"0.10": 1, "9.99": 2}), Field(kind=Kind.NUMBER, type="decimal128(10, 2)", step=0.01)),
    (Between(between=(0, 1)), Field(kind=Kind.NUMBER)),
    (Between(between=(0.1, 0.7)), Field(kind=Kind.NUMBER, step=0.1)),
    (Between(between=(5, 27)), WHOLE),
    (Between(between=(5, 7)), WHOLE),
    (Between(between=(5, 5)), WHOLE),
    (Between(between=("2024-01-01", "2024-12-31")), Field(kind=Kind.DATE)),
    (Between(between=("2024-01-01", "2024-12-31")), Field(kind=Kind.DATETIME)),
]


@pytest.mark.parametrize("rows", [1, 10, 100, 1_001])
@pytest.mark.parametrize(("how", "field"), ASKED, ids=lambda x: str(getattr(x, "kind", x)))
def test_what_a_start_deals_holds(how: SetTo, field: Field, rows: int, measure: Measure) -> None:
    """Whatever can be asked, for however many rows, what the start deals out scores exactly 1."""
    real = held(field, REAL) if field is LABEL else None
    labels = frequent(real.column("t.x")) if real else None
    dealt = chosen(how, field, rows, labels, Context(seed=rows), "t.x")
    case = Case(real, None, Dataset(held(field, []).schema, {"t": pa.table({"x": dealt})}), chosen={"t.x": how})
    scores = measure(Conditions(), case)
    assert {s.value for s in scores.values()} == {1.0}, scores
    assert set(scores) == {"", "worst", "t.x"}
    assert scores[""].reference == 1.0


@pytest.mark.parametrize(
    ("how", "values", "wanted"),
    [
        ("balanced", REAL, 1 / 3 + 0.25 + 0.048),
        ("balanced", ["a"] * 300 + ["b"] * 300 + ["c"] * 300 + ["d"] * 100, 0.9),
        ("a", REAL, 0.7),
        (Shares(shares={"a": 3, "b": 1}), REAL, 0.95),
        (Shares(shares={"a": 1, "b": 1}), ["a"] * 500 + ["b"] * 490 + [None] * 10, 0.99),
        (None, ["a"] * 40 + [None] * 960, 0.96),
        (Shares(shares=dict.fromkeys("abc", 1)), ["a"] * 34 + ["b"] * 34 + ["c"] * 32, 0.99),  # one is a row short
        (Shares(shares=dict.fromkeys("abcdef", 1)), list("abcdef") * 16 + ["a"] * 4, 0.97),  # one has three too many
    ],
)
def test_what_is_off_is_counted(how: SetTo, values: list[str | None], wanted: float, measure: Measure) -> None:
    """The score is what the shares have in common with what was asked, and the gate refuses it."""
    found = value(measure, how, LABEL, values, REAL)
    assert found == pytest.approx(wanted, abs=0.002)
    assert not GATE.holds(found, 1.0)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.linspace(-5, 15, 1_001), 0.51),  # half of them outside
        (np.random.default_rng(1).exponential(1.5, 2_000).clip(0, 10), 0.8),  # inside, and uneven
        (np.full(500, 3.0), 0.3),
        (np.append(np.linspace(0, 10, 990), [np.nan] * 10), 0.991),
    ],
)
def test_between_is_everywhere_between(values: np.ndarray, most: float, measure: Measure) -> None:
    """Values beyond the ends, without a value, or heaped between the ends are seen."""
    found = value(measure, Between(between=(0, 10)), Field(kind=Kind.NUMBER), values)
    assert found is not None
    assert found <= most
    assert not GATE.holds(found, 1.0)


def test_chance_is_no_fault(measure: Measure) -> None:
    """Of 300 draws from even values none is called uneven, whatever their number."""
    rng = np.random.default_rng(2)
    for rows in (3, 40, 700):
        found = [value(measure, Between(between=(1, 23)), WHOLE, rng.integers(1, 24, rows)) for _ in range(100)]
        assert set(found) == {1.0}


def test_the_worst_column_is_the_whole(measure: Measure) -> None:
    """One column of two that is off is not averaged away."""
    fake = toys.dataset({"t": {"x": (LABEL, ["a"] * 50 + ["b"] * 50), "y": (LABEL, ["u"] * 96 + ["v"] * 4)}})
    asked: dict[str, SetTo] = {"t.x": Shares(shares={"a": 1, "b": 1}), "t.y": "u"}
    scores = measure(Conditions(), Case(None, None, fake, chosen=asked))
    assert (scores["t.x"].value, scores["t.y"].value, scores[""].value) == (1.0, 0.96, 0.96)
    assert scores["worst"].problem == "t.y"


def test_nothing_set(measure: Measure) -> None:
    """Where no column was set it is not applicable."""
    assert measure(Conditions(), Case(None, None, held(LABEL, REAL)))[""].status == "not-applicable"


@pytest.mark.parametrize(
    ("column", "how", "rows", "said"),
    [
        ("t.y", "a", 10, "no column of the schema"),
        ("t.x", "a", 0, "no rows"),
        ("t.x", "balanced", 10, "no real rows"),
        ("t.x", Between(between=(0, 1)), 10, "does not fit"),
        ("t.x", Shares(shares={"a": 0}), 10, "does not fit"),
    ],
)
def test_what_cannot_be_told_fails(column: str, how: SetTo, rows: int, said: str, measure: Measure) -> None:
    """A column that is not there, or cannot hold what was asked, is a failure, and so is the whole."""
    scores = measure(Conditions(), Case(None, None, held(LABEL, REAL[:rows]), chosen={column: how}))
    assert scores[""].status == scores[column].status == "failed"
    assert said in str(scores[column].problem)


def test_one_failure_fails_the_whole(measure: Measure) -> None:
    """A column that holds does not make up for one that cannot be told."""
    asked: dict[str, SetTo] = {"t.x": "a", "t.gone": "a"}
    scores = measure(Conditions(), Case(None, None, held(LABEL, ["a"] * 9), chosen=asked))
    assert scores["t.x"].value == 1.0
    assert scores[""].status == "failed"


def test_a_column_that_is_missing_fails(measure: Measure) -> None:
    """Synthetic rows without the column, or with another type of it, fail."""
    real = held(WHOLE, [1, 2, 3])
    for table in (pa.table({"y": [1]}), pa.table({"x": ["1"]})):
        scores = measure(Conditions(), Case(real, None, Dataset(real.schema, {"t": table}), chosen={"t.x": 1}))
        assert "lacks this column" in str(scores["t.x"].problem)
