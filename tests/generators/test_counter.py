"""Counters count the rows of the whole run, or those of each value."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from tests.generators.ruled_for_tests import made, seen, start, wrong

from synthwright.generators.counter import Counter


def test_counts_over_shards() -> None:
    """The number follows from the row's place in the run."""
    rule = Counter(start=10, step=5)
    found = [v for first in (0, 3) for v in made(rule, "id", start(3, first=first)).column("id").to_pylist()]
    assert found == [10, 15, 20, 25, 30, 35]
    assert made(rule, "number", start(2)).column("number").to_pylist() == [10.0, 15.0]


def test_text() -> None:
    """In text, something may stand before the number, and zeros."""
    rule = Counter(start=-1, prefix="INV-", width=3)
    assert made(rule, "code", start(3)).column("code").to_pylist() == ["INV--001", "INV-000", "INV-001"]
    assert made(Counter(start=99, width=2), "text", start(2)).column("text").to_pylist() == ["99", "100"]


def test_per() -> None:
    """Rows of one value are counted by themselves, in their order; those without a value together."""
    given = seen(500)
    table = made(Counter(per="shop.region"), "whole", start(500, given))
    region = np.array(["N", "S", "S"])[np.array(given["shop"]) - 1]
    for one in ("N", "S"):
        held = np.array(table.column("whole"))[region == one]
        assert np.array_equal(held, np.arange(1, len(held) + 1))


def test_misused() -> None:
    """What a column cannot hold, and what would not be unique, is told."""
    assert wrong(Counter(prefix="A", width=3), "whole")[0].startswith("prefix: column 'whole' holds numbers")
    assert wrong(Counter(per="sex"), "id")[0].startswith("per: column 'id' must differ in every row")
    assert wrong(Counter(per="sxe"), "whole")[0].startswith("per: ")
    with pytest.raises(ValidationError, match="other than 0"):
        Counter(step=0)
