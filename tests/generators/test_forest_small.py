"""Forests of few rows: dependence stays as close as it was, and nobody is remembered for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.generators.forest import Forest, ForestModel
from synthwright.testing import toys
from synthwright.testing.stored import stored_numbers


def _table(**columns: Any) -> Dataset:
    """Return a table of numbers and booleans."""
    kinds = {n: Kind.BOOLEAN if np.asarray(v).dtype == bool else Kind.NUMBER for n, v in columns.items()}
    return toys.dataset({"t": {n: (Field(kind=kinds[n]), v) for n, v in columns.items()}})


def _fitted(data: Dataset) -> ForestModel:
    return Forest().fit(data, Part(data.schema.columns), Context(seed=1))


def _made(data: Dataset, rows: int, **settings: Any) -> pa.Table:
    """Return rows made from nothing but these columns."""
    start = Dataset.blank(data.schema, {"t": rows})
    start = start.with_columns("t", settings) if settings else start
    return _fitted(data).sample(start, Context(seed=2)).data.tables["t"]


@pytest.mark.parametrize(("rows", "kept"), [(40, 0.86), (60, 0.88), (120, 0.9), (200, 0.92)])
def test_small_tables_keep_what_depends_closely(rows: int, kept: float) -> None:
    """Few rows are enough to see that neighbours are nearly the same (0.96): trees alone kept 0.45 of sixty."""
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(0, 0.3, (rows, 8)), axis=1) + rng.normal(0, 1, (rows, 1))
    made = _made(_table(**{f"c{i}": walk[:, i].tolist() for i in range(8)}), 2_000)
    held = np.stack([made.column(f"c{i}").to_numpy() for i in range(8)])
    assert np.diag(np.corrcoef(held), 1).mean() > kept


def test_few_rows_are_remembered_by_nobody(tmp_path: Path) -> None:
    """Sums of few rows keep no number that a row has, give none back, load again, and keep to what is set."""
    rng = np.random.default_rng(11)
    one = rng.normal(size=90)
    real = {"one": np.exp(one), "two": one + 0.1 * rng.normal(size=90), "three": 5 + one + 0.2 * rng.normal(size=90)}
    data = _table(**real, flag=one + 0.2 * rng.normal(size=90) > 0)
    model = _fitted(data)
    assert any("turn" in c.arrays() for c in model.conditionals if c is not None)
    model.save(tmp_path)
    secret = np.concatenate(list(real.values()))
    assert not np.isin(secret, stored_numbers(tmp_path)).any()
    start = Dataset.blank(data.schema, {"t": 2_000})
    made = model.sample(start, Context(seed=4)).data.tables["t"]
    assert ForestModel.load(tmp_path).sample(start, Context(seed=4)).data.tables["t"].equals(made)
    assert not any(np.isin(numbers(made.column(n)), values).any() for n, values in real.items())
    assert len(made.column("two").unique()) > 1_900
    three = _made(data, 500, three=pa.array([6.0] * 500))
    assert set(three.column("three").to_pylist()) == {6.0}
    assert numbers(three.column("two")).mean() == pytest.approx(1, abs=0.25)
