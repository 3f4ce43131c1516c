"""What labels say of each other in few rows, and of numbers above zero."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.test_relations import CATEGORY, INTEGER, ROWS, Columns, found


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(7)


def test_few_rows_are_enough_for_many_labels() -> None:
    """In twenty rows four countries have four names; two of each flag would be chance."""
    at = np.arange(20) % 4
    columns: Columns = {"code": (CATEGORY, np.array(["DE", "FR", "IT", "ES"])[at]),
                        "name": (CATEGORY, np.array(["Germany", "France", "Italy", "Spain"])[at])}  # fmt: skip
    assert {"code -> name", "name -> code"} <= set(found(columns))
    assert found({"code": columns["code"], "flag": (CATEGORY, np.where(at < 2, "x", "y"))}) == []


def test_a_label_says_which_numbers_are_above_zero(rng: np.random.Generator) -> None:
    """Nothing turns where a motor stands, though how warm it is tells its state by the way."""
    state = rng.choice(["run", "idle", "fault"], ROWS)
    turns = np.where(state == "run", np.rint(rng.normal(1450, 20, ROWS)), 0)
    warm = np.select([state == "run", state == "idle"], [rng.integers(60, 90, ROWS), rng.integers(20, 50, ROWS)], 95)
    columns: Columns = {"state": (CATEGORY, state), "turns": (INTEGER, turns), "warm": (INTEGER, warm)}
    assert '(turns > 0) == (state == "run")' in found(columns)
    few: Columns = {"alive": (CATEGORY, np.where(state == "run", "yes", "no")), "flag": (INTEGER, turns > 0)}
    assert not any("> 0" in r for r in found(few)), "that one follows from the other says it all"
