"""Times of day and days that are kept as whole numbers: 930, 93015, 20240131."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.forms import clock_of
from synthwright.core.infer import infer
from synthwright.core.schema import Kind

RNG = np.random.default_rng(5)
HOURS, MINUTES, SECONDS = (RNG.integers(0, most, 300) for most in (24, 60, 60))
CLOCK = HOURS * 100 + MINUTES


@pytest.mark.parametrize(
    ("codes", "form"),
    [
        (CLOCK, "%H%M"),
        (CLOCK * 100 + SECONDS, "%H%M%S"),
        (HOURS * 100 + MINUTES // 15 * 15, "%H%M"),
        (np.where(HOURS > 20, np.nan, CLOCK), "%H%M"),
    ],
)
@pytest.mark.parametrize("text", [False, True])
def test_times_come_back(codes: np.ndarray, form: str, *, text: bool) -> None:
    """They are times of day inside, and numbers as they were outside, also where some are missing or cells are text."""
    table = pa.table({"at": pa.array(codes, from_pandas=True), "b": ["x", "y", "z"] * 100})
    spelled = table.set_column(0, "at", table["at"].cast(pa.string())) if text else table
    schema = infer({"t": spelled}, text=text).schema
    field = schema.tables["t"].fields["at"]
    assert (field.kind, field.form, field.nulls) == (Kind.TIME, form, bool(table["at"].null_count))
    held = Dataset.of({"t": spelled}, schema, text=text)
    assert held.to_arrow("t")["at"].cast(pa.float64()).equals(table["at"].cast(pa.float64()))


def test_days_with_gaps() -> None:
    """Days as whole numbers are days in floats too, which they are where some are missing."""
    days = np.where(np.arange(400) % 7 == 0, np.nan, 20240101 + np.arange(400) // 31 * 100 + np.arange(400) % 28)
    days = np.where(days < 20241232, days, np.nan)
    field = infer({"t": pa.table({"day": pa.array(days, from_pandas=True)})}).schema.tables["t"].fields["day"]
    assert (field.kind, field.form, field.type) == (Kind.DATE, "%Y%m%d", "double")


def test_text_of_four_digits() -> None:
    """Digits that are times are times where they are text, too; codes are not."""
    at = pa.array([f"{c:04d}" for c in CLOCK])
    codes = pa.array([f"{c:04d}" for c in RNG.integers(0, 10_000, 300)])
    fields = infer({"t": pa.table({"at": at, "code": codes})}).schema.tables["t"].fields
    assert (fields["at"].kind, fields["at"].form) == (Kind.TIME, "%H%M")
    assert fields["code"].kind is not Kind.TIME


def test_ordinary_numbers_are_no_times() -> None:
    """Amounts, rooms, small counts, years and round numbers are not taken for times."""
    rng = np.random.default_rng(1)
    for _ in range(100):
        rows = int(rng.integers(20, 400))
        most = int(rng.choice([60, 100, 1_000, 2_360, 9_999, 235_960]))
        for numbers in (
            rng.integers(0, most, rows), rng.integers(0, 24, rows) * 100, rng.integers(0, 48, rows) * 50,
            rng.gamma(2, 300, rows).astype(np.int64), rng.integers(1_900, 2_025, rows),
            rng.integers(1, 23, rows) * 100 + rng.integers(1, 31, rows), rng.integers(-50, 60, rows),
        ):  # fmt: skip
            assert clock_of(numbers) is None
