"""Values chosen before sampling are exactly what was asked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind
from synthwright.core.spec import Between, Shares
from synthwright.kit.learning.setting import chosen, frequent

CTX = Context(seed=3)
CATEGORY = Field(kind=Kind.CATEGORY)


def _chosen(how: Any, field: Field, rows: int, labels: pa.Array | None = None) -> list[Any]:
    return list(chosen(how, field, rows, labels, CTX, "t.c").to_pylist())


def test_one_value() -> None:
    """A value is every row's value, in the field's own type."""
    assert _chosen(">50K", CATEGORY, 3) == [">50K"] * 3
    assert _chosen("7", Field(kind=Kind.INTEGER), 2) == [7, 7]
    assert _chosen("2024-02-29", Field(kind=Kind.DATE), 1) == [dt.date(2024, 2, 29)]
    assert _chosen(True, Field(kind=Kind.BOOLEAN), 1) == [True]


def test_shares_are_dealt_exactly() -> None:
    """Counts are as near to the shares as whole rows can be, whatever the seed."""
    found = Counter(_chosen(Shares(shares={"a": 0.3, "b": 0.7}), CATEGORY, 1001))
    assert found == {"a": 300, "b": 701}


def test_balanced_looks_at_frequent_values_only() -> None:
    """Every value that three rows share comes equally often; a rarer one does not come."""
    labels = frequent(pa.chunked_array([["a"] * 900 + ["b"] * 3 + ["hermit"] * 2]))
    assert Counter(_chosen("balanced", CATEGORY, 10, labels)) == {"a": 5, "b": 5}


def test_between_stays_between_and_on_the_lattice() -> None:
    """Whole numbers and steps are kept, both ends can come, and nothing lies outside."""
    whole = _chosen(Between(between=(1, 3)), Field(kind=Kind.INTEGER), 300)
    assert Counter(whole).keys() == {1, 2, 3}
    steps = np.array(_chosen(Between(between=(0, 1)), Field(kind=Kind.NUMBER, step=0.25), 300))
    assert set(steps) == {0, 0.25, 0.5, 0.75, 1}
    days = _chosen(Between(between=("2024-01-01", "2024-01-03")), Field(kind=Kind.DATE), 99)
    assert set(days) == {dt.date(2024, 1, d) for d in (1, 2, 3)}


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ("much", Field(kind=Kind.INTEGER)),
        (Between(between=(3, 1)), Field(kind=Kind.INTEGER)),
        (Between(between=(0.1, 0.2)), Field(kind=Kind.NUMBER, step=1)),
        (Between(between=("a", "b")), CATEGORY),
        (Shares(shares={"a": 0}), CATEGORY),
        ("balanced", CATEGORY),
        ("yesterday", Field(kind=Kind.DATE, type="string", form="%d.%m.%Y")),
        ("perhaps", Field(kind=Kind.BOOLEAN, type="string", form="ja|nein")),
        (None, Field(kind=Kind.INTEGER, nulls=False)),
    ],
)
def test_what_cannot_be_set(how: Any, field: Field) -> None:
    """A value of another kind, ends in the wrong order, no weight, and no real rows are typed errors."""
    with pytest.raises(InputError):
        _chosen(how, field, 5)


def test_a_label_that_nobody_has_is_no_label() -> None:
    """A misspelled label is refused with the nearest one, so that nothing conditions on nonsense."""
    labels = pa.array(["<=50K", ">50K"], pa.large_string())
    assert _chosen(">50K", CATEGORY, 2, labels) == [">50K"] * 2
    with pytest.raises(InputError, match="did you mean '>50K'"):
        _chosen(">50k", CATEGORY, 2, labels)
    with pytest.raises(InputError, match="'<=50K'"):
        _chosen(Shares(shares={">50K": 1, "nonsense": 1}), CATEGORY, 2, labels)
