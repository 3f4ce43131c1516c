"""Filled rows are held against real rows that had no nulls there, drawn to be like the filled ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.completed import completed
from synthwright.testing import toys

CTX = Context(seed=5)
NUMBER = Field(kind=Kind.NUMBER)


def rows(old: np.ndarray, income: Any) -> Dataset:
    """Return people: whether they are old, what they earn, and who they are."""
    columns = {"old": (NUMBER, old), "income": (NUMBER, income), "number": (NUMBER, np.arange(float(len(old))))}
    return toys.dataset({"t": columns})


def surveyed(size: int, seed: int, *, filled: bool = False, given: float = 1.0) -> Dataset:
    """Return a survey that half of the old leave out (nobody else, or all but a few), filled or with its nulls."""
    rng = np.random.default_rng(seed)
    old = rng.integers(0, 2, size).astype(float)
    income = 10 + 50 * old + rng.normal(size=size)
    silent = (rng.random(size) < 0.8 * old) | (rng.random(size) > given)
    return rows(old, income if filled else [None if s else float(v) for s, v in zip(silent, income, strict=True)])


def case(**how: float) -> Case:
    """Return a filled survey with the real one."""
    return Case(surveyed(3_000, 1, given=how.get("given", 1.0)), surveyed(1_500, 2, given=how.get("given", 1.0)),
                surveyed(3_000, 1, filled=True), produced=("t.income",))  # fmt: skip


def old(data: Dataset | None) -> float:
    """Return the share of the old."""
    assert data is not None
    return float(np.mean(data.column("t.old").to_numpy()))


def test_real_rows_stand_for_those_that_were_filled() -> None:
    """The old are silent four times out of five: complete rows show few of them, and as many are drawn as are filled.

    A sixth of the complete rows are old, and half of all: strata leave a tenth of the difference, and chance 0.06.
    """
    found = completed(case(), CTX)
    assert not found.problem
    for side in (found.case.train, found.case.holdout):
        assert side is not None
        assert side.column("t.income").null_count == 0
        assert abs(old(side) - old(found.case.synthetic)) < 0.1
    said = "nulls of t.income were filled: likeness was held against"
    assert found.notes[0].startswith(said)
    assert found.case.synthetic.rows() == 3_000


def test_what_has_no_nulls_is_left_alone() -> None:
    """Rows without nulls before, and rows that nothing was made of, are held against all real rows."""
    whole = case()._replace(train=surveyed(3_000, 1, filled=True), holdout=surveyed(1_500, 2, filled=True))
    assert completed(whole, CTX) == (whole, (), "")
    nothing = case()._replace(produced=())
    assert completed(nothing, CTX) == (nothing, (), "")
    unreal = case()._replace(train=None, holdout=None)
    assert completed(unreal, CTX).case == unreal


def test_too_few_complete_rows_are_told() -> None:
    """Where hardly a real row is complete nothing is compared, and the report says so."""
    found = completed(case(given=0.005), CTX)
    assert "too few real rows have no nulls in what was filled (t.income)" in found.problem


def test_the_same_rows_are_drawn_every_time() -> None:
    """Every metric sees the same rows, and notes tell of them."""
    one, two = completed(case(), CTX).case, completed(case(), CTX).case
    assert one.train is not None
    assert two.train is not None
    assert one.train.fingerprint() == two.train.fingerprint()
