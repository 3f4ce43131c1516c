"""Cases are looked up as a person would read the table: by value, by band, from the outside in."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.formula.cases import Band, Cases, Column, band, wrong_cases

AGE = Column("age", Field(kind=Kind.INTEGER))
SIZE = Column("size", Field(kind=Kind.NUMBER))
SEX = Column("sex", Field(kind=Kind.CATEGORY))
DAY = Column("day", Field(kind=Kind.DATE))
WELL = Column("well", Field(kind=Kind.BOOLEAN))


@pytest.mark.parametrize(("key", "inside", "outside"), [
    ("18", [18], [17, 19]), ("18-64", [18, 64], [17, 65]), ("18 – 64", [18, 64], [17, 65]), ("65+", [65, 1000], [64]),
    ("..17", [-5, 17], [18]), ("18..", [18, 99], [17]), ("-5..-1", [-5, -1], [-6, 0]), ("<18", [17], [18]),
    ("<=17", [17], [18]), (">64", [65], [64]), (">= 65", [65], [64]), ("1e3..2e3", [1000, 2000], [999, 2001]),
])  # fmt: skip
def test_bands(key: str, inside: list[int], outside: list[int]) -> None:
    """A key means the numbers that it reads as."""
    low, high = band(key, AGE.field)
    assert all(low <= n < high for n in inside)
    assert not any(low <= n < high for n in outside)


@cache
def cached(key: str, column: Column) -> Band:
    """Return the stretch that a key means, worked out once."""
    return band(key, column.field)


def reference(tree: Any, by: list[Column], values: list[Any]) -> Any:
    """Return what holds for one row, the slow way."""
    for column, value in zip(by, values, strict=True):
        found = None
        for key, below in tree.items():
            if value is None:
                continue
            if column is SEX:
                hit = key == value
            elif column is WELL:
                hit = key == str(value).lower()
            else:
                low, high = cached(key, column)
                number = (value - date(1970, 1, 1)).days if isinstance(value, date) else value
                hit = low <= number < high
            if hit:
                found = below
        if found is None:
            return None
        tree = found
    return tree


def test_lookup() -> None:
    """Whole columns are looked up as single rows would be, nulls and values without an entry included."""
    tree = {"F": {"0-17": {"2024-01-01..2024-06-30": "a", "2024-07-01..": "b"}, "18+": {"..2023-12-31": "c"}},
            "M": {"<40": {"2024-02-20..2024-03-20": "d"}, "40-50": {"..": "e"}}}  # fmt: skip
    rng = np.random.default_rng(3)
    rows = 1500
    sex = [["F", "M", "X", None][i] for i in rng.integers(0, 4, rows)]
    age = [None if i > 60 else int(i) for i in rng.integers(0, 63, rows)]
    begin = date(2023, 6, 1).toordinal()
    day = [None if i > 700 else date.fromordinal(begin + int(i)) for i in rng.integers(0, 710, rows)]
    cases = Cases(tree, [SEX, AGE, DAY])
    columns = [pa.chunked_array([pa.array(sex, pa.large_string())]), pa.chunked_array([pa.array(age, pa.int64())]),
               pa.chunked_array([pa.array(day, pa.date32())])]  # fmt: skip
    which = cases.which(columns)
    found = [None if w < 0 else cases.values[w] for w in which.tolist()]
    assert found == [reference(tree, [SEX, AGE, DAY], list(row)) for row in zip(sex, age, day, strict=True)]
    assert set(found) == {None, "a", "b", "c", "d", "e"}
    dense = [pa.chunked_array([pa.array(np.arange(60))])]
    ages = Cases({"0-17": "x", "30": "y"}, [AGE]).which(dense)
    assert ages.tolist() == [0 if n < 18 else 1 if n == 30 else -1 for n in range(60)]


def told(tree: Any, *by: Column, closed: bool = True) -> str:
    """Return what is wrong with a table."""
    return " ".join(f"{'.'.join(map(str, p))}: {s}" for p, s in wrong_cases(tree, list(by), closed=closed))


def test_wrong() -> None:
    """Overlaps, gaps, keys that mean nothing and missing levels are found, with their place."""
    assert told({"0-17": 1, "18+": 2}, AGE) == ""
    assert told({"0-17": 1, "19+": 2}, AGE).startswith("19+: nothing is said between '0-17' and '19+'")
    assert told({"0-17": 1, "19+": 2}, AGE, closed=False) == ""
    assert told({"0-17": 1, "18+": 2}, SIZE).startswith("18+: nothing is said between")
    assert told({"<18": 1, "18+": 2}, SIZE) == ""
    assert told({"0-18": 1, "18+": 2}, AGE).startswith("18+: '0-18' and '18+' overlap")
    assert told({"old": 1}, AGE).startswith("old: 'old' is no value of kind 'integer'")
    assert told({"9-3": 1}, AGE).startswith("9-3: '9-3': the first end is above the second")
    assert told({"2024-01-01": 1, "2024-13-01": 2}, DAY, closed=False).startswith("2024-13-01")
    assert told({"F": 5}, SEX, AGE).startswith(": F: wanted a mapping")
    assert told({}, SEX).startswith(": the table: wanted a mapping")
    assert told({"F": {"0-9": 1, "5+": 2}}, SEX, AGE).startswith("F.5+: ")
    assert told({"true": 1}, WELL).endswith("no entry for 'well' 'false', and no `otherwise`")
    assert told({"true": 1, "no": 2}, WELL, closed=False).startswith("no: 'no' is no value of 'well'")
    few = Column("grade", Field(kind=Kind.CATEGORY, ordered=True, labels=("low", "high")))
    assert "'high'" in told({"low": 1}, few)


def test_too_large() -> None:
    """A table with more combinations than fit is refused."""
    tree = {str(i): {str(j): 1 for j in range(3)} for i in range(3)}
    assert len(Cases(tree, [AGE, AGE]).values) == 9
    wide = {str(i): {str(i): {str(i): 1}} for i in range(400)}
    with pytest.raises(ValueError, match="combinations"):
        Cases(wide, [AGE, AGE, AGE])
