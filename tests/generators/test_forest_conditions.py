"""A real table made by forests: what is kept, and what is asked for comes out exactly, the rest as it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.values import numbers
from synthwright.generators.forest import Forest

ROWS = 3_000


@pytest.fixture(scope="module")
def adult(checkout: Path) -> pa.Table:
    """Return three thousand rows of the example."""
    return pq.read_table(checkout / "examples" / "adult" / "adult.parquet").slice(0, ROWS)


@pytest.fixture(scope="module")
def learned(adult: pa.Table) -> Any:
    """Return the model of the example, learned with nothing given."""
    return sw.fit(adult, "forest", seed=1)


# ------------------------------------------------------------------------------------------------------ what is kept
def _age(table: pa.Table) -> np.ndarray:
    return numbers(table.column("age"))


def _share(table: pa.Table, column: str, value: str) -> float:
    return float(np.mean(table.column(column).to_numpy(zero_copy_only=False).astype(str) == value))


def _facts(table: pa.Table) -> dict[str, float]:
    """Return what shows a table's single columns and how they go together, each on a scale of about one."""
    married = table.column("marital_status").to_numpy(zero_copy_only=False).astype(str) == "Married-civ-spouse"
    rich = table.column("income").to_numpy(zero_copy_only=False).astype(str) == ">50K"
    return {
        "age": float(_age(table).mean()) / 14,
        "hours": float(numbers(table.column("hours_per_week")).mean()) / 12,
        "schooling": float(numbers(table.column("education_num")).mean()) / 2.6,
        "gains": float((numbers(table.column("capital_gain")) > 0).mean()),
        "married": float(married.mean()),
        "rich": float(rich.mean()),
        "rich and married": float((rich & married).mean()),
        "single": _share(table, "marital_status", "Never-married"),
        "women": _share(table, "sex", "Female"),
        "private": _share(table, "workclass", "Private"),
        "managers": _share(table, "occupation", "Exec-managerial"),
    }


def _near(made: pa.Table, real: pa.Table, within: float = 5.0) -> None:
    """Fail unless the facts of made rows are within so many standard errors of those of the real ones."""
    error = np.sqrt(1 / made.num_rows + 1 / real.num_rows)
    found, wanted = _facts(made), _facts(real)
    for name, value in wanted.items():
        spread = 1.0 if name in ("age", "hours", "schooling") else np.sqrt(max(value * (1 - value), 0.02))
        assert found[name] == pytest.approx(value, abs=within * spread * error + 0.01), name


def test_adult_is_kept(adult: pa.Table, learned: Any) -> None:
    """Shares, means and pairs of the example are those of the real rows; what a column decides stays decided."""
    made = learned.sample(ROWS, seed=3)
    _near(made, adult, 2.0)
    decides = {tuple(p.values()) for p in adult.select(["education", "education_num"]).to_pylist()}
    broken = [p for p in made.select(["education", "education_num"]).to_pylist() if tuple(p.values()) not in decides]
    assert len(broken) < 0.003 * ROWS
    _near(_are(made, income=">50K"), _are(adult, income=">50K"))


def test_weak_dependence_is_kept(adult: pa.Table, learned: Any) -> None:
    """The rich work longer hours than all do, by most of what they really do."""
    hours = [numbers(t.column("hours_per_week")).mean() - numbers(whole.column("hours_per_week")).mean()
             for whole in (adult, learned.sample(4 * ROWS, seed=3)) for t in [_are(whole, income=">50K")]]  # fmt: skip
    assert hours[0] > 5
    assert hours[1] > 0.6 * hours[0]


def _in(table: pa.Table, column: str, low: float, high: float) -> pa.Table:
    return table.filter(pc.and_(pc.greater_equal(table.column(column), low), pc.less_equal(table.column(column), high)))


def _are(table: pa.Table, **values: str) -> pa.Table:
    for column, value in values.items():
        table = table.filter(pc.equal(pc.cast(table.column(column), pa.string()), value))
    return table


@pytest.mark.parametrize(("column", "value"), [("sex", "Female"), ("income", ">50K"), ("relationship", "Own-child"),
                                               ("marital_status", "Never-married")])  # fmt: skip
def test_one_column_is_set(adult: pa.Table, learned: Any, column: str, value: str) -> None:
    """Every row has the value that was asked for, and the rest is as in the real rows that have it."""
    made = learned.sample(1_500, set={column: value})
    assert made.column(column).unique().to_pylist() == [value]
    _near(made, _are(adult, **{column: value}))


def test_a_late_column_is_set(adult: pa.Table, learned: Any) -> None:
    """A column that is made after most others can be set to a range: all values lie in it, and the others follow."""
    made = learned.sample(1_500, set={"age": {"between": [20, 24]}})
    assert set(_age(made).tolist()) == {20, 21, 22, 23, 24}
    _near(made, _in(adult, "age", 20, 24))


def test_three_columns_are_set(adult: pa.Table, learned: Any) -> None:
    """Early, middle and late columns are set together: exactly these values, and the rest as such real rows have it."""
    made = learned.sample(
        1_200, set={"sex": "Male", "marital_status": "Married-civ-spouse", "age": {"between": [30, 45]}}
    )
    assert _are(made, sex="Male", marital_status="Married-civ-spouse").num_rows == 1_200
    assert (_age(made).min(), _age(made).max()) == (30, 45)
    _near(made, _in(_are(adult, sex="Male", marital_status="Married-civ-spouse"), "age", 30, 45))


def test_shares_and_balance(adult: pa.Table, learned: Any) -> None:
    """Shares come out to the row, a balanced column has each value as often, and each part is like its real rows."""
    made = learned.sample(1_600, set={"income": {"shares": {">50K": 3, "<=50K": 1}}, "sex": "balanced"})
    assert _are(made, income=">50K").num_rows == 1_200
    assert _are(made, sex="Female").num_rows == 800
    for sex in ("Male", "Female"):
        for income in (">50K", "<=50K"):
            _near(_are(made, sex=sex, income=income), _are(adult, sex=sex, income=income))


def test_given_at_fit(adult: pa.Table) -> None:
    """Columns that are given when learning is done come first, and are followed as well when they are set."""
    few = adult.select(["age", "sex", "marital_status", "income"])
    model = sw.fit(few, "forest", given=["age", "income"], trees=2, rounds=0)
    made = model.sample(1_500, set={"age": {"between": [20, 24]}})
    assert set(_age(made).tolist()) == {20, 21, 22, 23, 24}
    real = _in(adult, "age", 20, 24)
    for column, value in (("marital_status", "Never-married"), ("income", ">50K")):
        assert _share(made, column, value) == pytest.approx(_share(real, column, value), abs=0.06)


def test_missing_values_are_filled(adult: pa.Table) -> None:
    """Only nulls are replaced, none is left, and what others determine is met far better than by mode or median."""
    rng = np.random.default_rng(1)
    names = ["sex", "education", "education_num", "relationship", "age"]
    whole = Dataset.of({"t": adult.select([*names, "marital_status", "hours_per_week"])})
    gaps = {n: rng.random(ROWS) < 0.2 for n in names}
    held = {n: pc.if_else(pa.array(gaps[n]), None, whole.column(f"t.{n}")) for n in names}
    holed = Dataset.of({"t": whole.tables["t"].select([*names, "marital_status", "hours_per_week"])})
    holed = holed.with_columns("t", held)
    model = Forest().fit(holed, Part(tuple(f"t.{n}" for n in names), ("t.marital_status", "t.hours_per_week"), "fill"),
                         Context(seed=1))  # fmt: skip
    filled = model.sample(holed, Context(seed=2)).data
    for name in names:
        column, real = filled.column(f"t.{name}"), whole.column(f"t.{name}")
        assert column.null_count == 0, name
        there = pa.array(~gaps[name])
        assert column.filter(there).equals(real.filter(there)), name
    for name, by_mode in (("relationship", 0.2), ("education_num", 0.3)):
        gap = pa.array(gaps[name])
        right = pc.equal(filled.column(f"t.{name}").filter(gap), whole.column(f"t.{name}").filter(gap))
        most = pc.value_counts(whole.column(f"t.{name}")).field("counts").to_numpy().max() / ROWS
        assert np.mean(right.to_numpy(zero_copy_only=False)) > most + by_mode, name
    gap = gaps["age"]
    real_age, made_age = (numbers(d.column("t.age"))[gap] for d in (whole, filled))
    assert np.corrcoef(real_age, made_age)[0, 1] > 0.25
    assert abs(made_age.mean() - real_age.mean()) < 2


def test_a_rare_class_keeps_what_tells_it_apart() -> None:
    """Twenty-three rows of two thousand are fewer than a leaf has by default, and stand out all the same."""
    dice = np.random.default_rng(1)
    rare = dice.permutation(2_000) < 23
    held = pa.table({"x": dice.normal(size=2_000) + 3 * rare, "y": rare.astype(np.int64)})
    model = sw.fit(held, "forest", seed=1)
    made = model.sample(20_000, seed=2)
    x, y = made.column("x").to_numpy(), made.column("y").to_numpy()
    assert 100 < int((y == 1).sum()) < 400
    assert x[y == 1].mean() > 2.4
