"""Trees are repeatable and silent, whatever the table, and tables share their codes."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.learning.boosting import boost, encode

NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def test_encode_shares_codes() -> None:
    """Equal labels and values are equal in every table, a new label has a code of its own, and null is NaN."""
    one = pa.table({"x": [1.0, math.inf, None], "c": ["a", "b", None]})
    two = pa.table({"x": [math.inf, -1e308, 1.0], "c": ["b", "new", "a"]})
    known = encode([one, two], {"x": NUMBER, "c": LABEL})
    left, right = known.values
    assert known.discrete == (1,)
    assert (left[1, 0], left[0, 0]) == (right[0, 0], right[2, 0])
    assert right[1, 0] < left[0, 0] < left[1, 0]
    assert (left[0, 1], left[1, 1]) == (right[2, 1], right[0, 1])
    assert right[1, 1] not in left[:, 1]
    assert np.isnan(left[2]).all()


def noisy(rows: int, columns: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return features, and a number that follows the first."""
    rng = Context(seed=8).rng
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    return values, values[:, 0] + rng.normal(size=rows) / 4


def test_same_context_same_trees() -> None:
    """The same context gives the same trees; another gives others."""
    values, target = noisy(500)
    said = [boost(values, target, Context(seed=s)).predict(values) for s in (1, 1, 2)]
    assert (said[0] == said[1]).all()
    assert (said[0] != said[2]).any()


def test_learns_numbers_and_classes() -> None:
    """Trees find what there is to find: a number, two classes, three classes."""
    values, target = noisy(600)
    assert np.corrcoef(boost(values, target, Context()).predict(values), target)[0, 1] > 0.9
    two = (target > 0).astype(float)
    assert ((boost(values, two, Context(), classes=2).predict(values) > 0.5) == two).mean() > 0.9
    three = np.digitize(target, [-0.5, 0.5]).astype(float)
    assert (boost(values, three, Context(), classes=3).predict(values).argmax(axis=1) == three).mean() > 0.8


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 250])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_few_rows(rows: int, classes: int) -> None:
    """A handful of rows, or a class that is absent, is no reason to stop."""
    values, target = noisy(rows)
    coded = target if not classes else (target > 0).astype(float) * (classes - 1)
    said = boost(values, coded, Context(), classes=classes).predict(values)
    assert said.shape == ((rows, 3) if classes == 3 else (rows,))
    assert np.isfinite(said).all()


def test_one_answer() -> None:
    """Where one answer fits all, or there is nothing to look at, that answer is given."""
    values, _ = noisy(50)
    assert (boost(values, np.full(50, 7.0), Context()).predict(values) == 7).all()
    alone = boost(values, np.zeros(50), Context(), classes=3).predict(values)
    assert (alone == [1.0, 0.0, 0.0]).all()
    blind = boost(values[:, :0], np.repeat([0.0, 1.0], 25), Context(), classes=2)
    assert (blind.predict(values[:10, :0]) == 0.5).all()


def test_awkward_columns() -> None:
    """Constants, nulls and labels that are nearly all different are let through without a word."""
    rows = 400
    held = pa.table({
        "same": [1.5] * rows,
        "none": pa.nulls(rows, pa.float64()),
        "label": [f"label {i // 2}" for i in range(rows)],
        "nothing": pa.nulls(rows, pa.large_string()),
    })  # fmt: skip
    known = encode([held], {"same": NUMBER, "none": NUMBER, "label": LABEL, "nothing": LABEL})
    target = np.arange(rows) % 2.0
    said = boost(known.values[0], target, Context(), discrete=known.discrete, classes=2).predict(known.values[0])
    assert np.isfinite(said).all()


def test_wide_table() -> None:
    """A table of many columns is learned from too."""
    values, target = noisy(200, 1_000)
    assert np.corrcoef(boost(values, target, Context()).predict(values), target)[0, 1] > 0.5
