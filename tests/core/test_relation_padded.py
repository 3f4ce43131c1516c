"""Sums in which a missing part counts as nothing, and sums beside numbers beyond all measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.core.test_relations import CENTS, INTEGER, ROWS, found

import synthwright as sw


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(12)


def some(values: np.ndarray, there: np.ndarray) -> list[object]:
    """Return values, nothing where they are not there."""
    return [v.item() if t else None for v, t in zip(values, there, strict=True)]


def test_a_missing_part_adds_nothing(rng: np.random.Generator) -> None:
    """Pay is the base with the bonus and the tips of who has any."""
    base, bonus, tips = (rng.integers(1, 500, ROWS) for _ in range(3))
    has, got = rng.random(ROWS) < 0.4, rng.random(ROWS) < 0.7
    pay = base + bonus * has + tips * got
    columns = {"base": (INTEGER, base), "bonus": (INTEGER, some(bonus, has)), "tips": (INTEGER, some(tips, got)),
               "pay": (INTEGER, pay)}  # fmt: skip
    rules = found(columns)
    assert "pay == base + max(0, bonus) + max(0, tips)" in rules
    pay[int(np.flatnonzero(~has)[0])] += 1
    assert not any("max" in r for r in found(columns))


def test_a_part_below_zero_is_not_padded(rng: np.random.Generator) -> None:
    """The larger of it and zero would be another sum."""
    base, change = rng.integers(1, 500, ROWS), rng.integers(-90, 90, ROWS)
    has = rng.random(ROWS) < 0.5
    columns = {"base": (INTEGER, base), "change": (INTEGER, some(change, has)), "end": (INTEGER, base + change * has)}
    assert not any("max" in r for r in found(columns))


def test_made_rows_keep_a_sum_whose_part_is_missing(rng: np.random.Generator) -> None:
    """No made row has a total of its own where the part is missing."""
    base, bonus = rng.integers(1, 50, 600), np.where(rng.random(600) < 0.3, np.nan, rng.integers(1, 50, 600))
    made = sw.fit(pd.DataFrame({"base": base, "bonus": bonus, "total": base + np.nan_to_num(bonus)})).sample(900)
    assert (made["base"] + made["bonus"].fillna(0) == made["total"]).all()
    assert 0.2 < made["bonus"].isna().mean() < 0.4


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12])
def test_a_number_beyond_all_measure_hides_no_sum(far: float, rng: np.random.Generator) -> None:
    """One absurd amount is in the table; the total holds it too."""
    one, other = (np.round(rng.gamma(2, 10, ROWS), 2) for _ in range(2))
    one[4] = far
    assert "s == a + b" in found({"a": (CENTS, one), "b": (CENTS, other), "s": (CENTS, np.round(one + other, 2))})
