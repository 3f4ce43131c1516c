"""Columns of Python objects come back as such: scalars of numpy, mixed numbers, truth values beside nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthwright as sw

RNG = np.random.default_rng(4)
ROWS = 150


def _some(make: Any, missing: Any = ...) -> list[Any]:
    gone = RNG.random(ROWS) < (0 if missing is ... else 0.2)
    return [missing if g else make(v) for g, v in zip(gone, RNG.integers(0, 40, ROWS).tolist(), strict=True)]


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (_some(np.int64), {np.int64}),
        (_some(np.int16, None), {np.int16, type(None)}),
        (_some(lambda v: np.float64(v / 7), np.nan), {np.float64, float}),
        (_some(lambda v: np.float32(v / 8)), {np.float32}),
        (_some(lambda v: np.bool_(v % 2 == 0)), {np.bool_}),
        (_some(lambda v: v % 2 == 0, None), {bool, type(None)}),
        (_some(lambda v: v % 2 == 0, np.nan), {bool, float}),
        (_some(lambda v: v if v % 3 else v / 8 + 0.01), {int, float}),
        (_some(lambda v: np.int64(v) if v % 3 else np.float64(v / 8 + 0.01), None), {int, float, type(None)}),
        (_some(float), {float}),
    ],
    ids=["int64", "int16", "float64", "float32", "bool_", "None", "NaN", "mixed", "mixed scalars", "float"],
)
def test_objects_stay_what_they_are(values: list[Any], kinds: set[type]) -> None:
    """The column is one of objects again, and they are of the kinds that went in."""
    real = pd.DataFrame({"o": pd.Series(values, dtype=object), "x": RNG.normal(size=ROWS)})
    made = sw.fit(real, seed=1).sample(300, seed=2)
    assert made["o"].dtype == object
    assert {type(v) for v in made["o"]} == kinds
    assert made["o"].isna().any() == real["o"].isna().any()


def test_whole_floats_stay_as_frequent() -> None:
    """Of ints among floats, some of which are whole too, as many come back as ints, and as many as whole floats."""
    values = [v if v % 3 else float(v) if v % 2 else v / 8 + 0.01 for v in RNG.integers(1, 60, 600).tolist()]
    real = pd.DataFrame({"o": pd.Series(values, dtype=object), "x": RNG.normal(size=600)})
    made = sw.fit(real, "marginals", seed=2).sample(3_000, seed=1)
    ints, wholes = ([sum(map(test, f["o"])) / len(f) for test in (lambda v: isinstance(v, int),
                     lambda v: isinstance(v, float) and v.is_integer())] for f in (made, real))  # fmt: skip
    assert ints == pytest.approx(wholes, abs=0.03)
