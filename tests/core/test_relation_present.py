"""What holds wherever a column is there is found, though it is missing more often than what it follows from."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.test_relations import CENTS, DATE, INTEGER, ROWS, Columns, found

from synthwright.core.schema import Field, Kind


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(11)


def hidden(values: np.ndarray, there: np.ndarray) -> list[object]:
    """Return values, nothing where they are not there."""
    return [v.item() if t else None for v, t in zip(values, there, strict=True)]


def test_a_debit_or_a_credit_is_the_signed_amount(rng: np.random.Generator) -> None:
    """Each holds where it is there, with its sign."""
    amount = np.round(rng.normal(0, 500, ROWS), 2)
    columns: Columns = {"amount": (CENTS, amount), "debit": (CENTS, hidden(-amount, amount < 0)),
                        "credit": (CENTS, hidden(amount, amount >= 0))}  # fmt: skip
    rules = found(columns)
    assert {"debit == -1 * amount", "credit == amount"} <= set(rules)


def test_the_column_that_is_missing_more_often_stands_on_the_left(rng: np.random.Generator) -> None:
    """A day of death is the day of discharge of those who died, whichever column comes first."""
    left = rng.integers(15_000, 19_000, ROWS)
    died = hidden(left, rng.random(ROWS) < 0.1)
    for columns in ({"left": (DATE, left), "died": (DATE, died)}, {"died": (DATE, died), "left": (DATE, left)}):
        assert "died == left" in found(columns)


def test_a_line_holds_where_it_is_there(rng: np.random.Generator) -> None:
    """A fee of a share of the amount, only where there was one."""
    amount = rng.integers(1, 9_000, ROWS)
    fee = hidden(np.round(amount * 0.35 + 2, 2), rng.random(ROWS) < 0.3)
    assert "fee == 0.35 * amount + 2" in found({"amount": (INTEGER, amount), "fee": (CENTS, fee)})


def test_few_rows_or_one_that_differs_say_nothing(rng: np.random.Generator) -> None:
    """Nineteen equal rows are too few; one other value is enough."""
    amount = rng.integers(1, 9_000, ROWS)
    wrong = amount.copy()
    wrong[3] += 1
    few = hidden(amount, np.arange(ROWS) < 19)
    there = rng.random(ROWS) < 0.5
    there[3] = True
    whole = Field(kind=Kind.INTEGER)
    assert found({"a": (whole, amount), "few": (whole, few), "other": (whole, hidden(wrong, there))}) == []


def test_all_rows_prove_what_some_suggest(rng: np.random.Generator) -> None:
    """Of a long table some rows are looked at first: one other value that they do not hold ends it all the same."""
    rows = 9_000
    amount = rng.integers(1, 9_000, rows)
    wrong = amount.copy()
    wrong[4_001] += 1
    there = rng.random(rows) < 0.9
    there[4_001] = True
    columns: Columns = {"a": (INTEGER, amount), "same": (INTEGER, hidden(amount, there))}
    assert "same == a" in found(columns)
    assert found({"a": (INTEGER, amount), "other": (INTEGER, hidden(wrong, there))}) == []
