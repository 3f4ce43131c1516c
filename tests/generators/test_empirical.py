"""Values come from a histogram as often as it counts, and lie inside bins as it says."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, made, refused, start, wrong

from synthwright.generators.empirical import Empirical

ROWS = 30_000
EDGES, COUNTS = [0, 18, 65, 100], [21, 60, 19]


def drawn(column: str, **how: Any) -> list[Any]:
    """Return the values of a column."""
    found: list[Any] = made(Empirical.model_validate(how), column, start(ROWS)).column(column).to_pylist()
    return found


def test_numbers() -> None:
    """Each bin has its share, and inside every number is as likely."""
    found = np.array(drawn("number", edges=EDGES, counts=COUNTS))
    ends = np.append(0, np.cumsum(COUNTS)) / 100
    assert stats.kstest(found, lambda x: np.interp(x, EDGES, ends)).pvalue > LEVEL


def test_whole_numbers() -> None:
    """A bin holds its lower edge and not its upper one, and every whole number inside is as likely."""
    counts = Counter(drawn("whole", edges=[0.5, 3, 4, 9], counts=[4, 0, 5]))
    assert set(counts) == {1, 2, 4, 5, 6, 7, 8}
    assert stats.chisquare([counts[k] for k in sorted(counts)], [ROWS * 2 / 9] * 2 + [ROWS / 9] * 5).pvalue > LEVEL
    days = Counter(drawn("day", edges=["2024-02-28", "2024-03-02"], counts=[1]))
    assert sorted(days) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert stats.chisquare(list(days.values())).pvalue > LEVEL


def test_logarithms() -> None:
    """Inside a bin numbers may be even on a scale of logarithms; whole numbers in proportion to their stretch of it."""
    found = np.array(drawn("number", edges=[1, 10, 1000], counts=[1, 1], inside="log-uniform"))
    ends = np.log([1, 10, 1000])
    assert stats.kstest(np.log(found), lambda x: np.interp(x, ends, [0, 0.5, 1])).pvalue > LEVEL
    counts = Counter(drawn("whole", edges=[1, 5], counts=[1], inside="log-uniform"))
    masses = np.diff(np.log(np.arange(1, 6) - 0.5))
    assert stats.chisquare([counts[k] for k in range(1, 5)], ROWS * masses / masses.sum()).pvalue > LEVEL


def test_labels() -> None:
    """Labels come as often as they were counted."""
    counts = Counter(drawn("label", labels=["a", "b", "c"], counts=[1, 0, 3]))
    assert set(counts) == {"a", "c"}
    assert stats.binomtest(counts["a"], ROWS, 0.25).pvalue > LEVEL
    assert set(drawn("flag", labels=[True, False], counts=[1, 1])) == {True, False}


def test_misused(tmp_path: Path) -> None:
    """Edges and counts that do not fit together, or not the column, are told with their place."""

    def told(column: str = "number", **how: Any) -> str:
        return " ".join(wrong(Empirical.model_validate(how), column))

    assert "say 'edges' or 'labels'" in told()
    assert told(edges=[0, 1, 2], counts=[1]).startswith("counts: wanted 2 counts, one for each bin, got 1")
    assert told("whole", edges=[0.2, 0.8, 3], counts=[1, 1]).startswith(
        "edges.0: column 'whole' holds no value from 0.2"
    )
    assert told("whole", edges=[0.2, 0.8, 3], counts=[0, 1]) == ""
    assert told("label", edges=[0, 1], counts=[1]).startswith("edges: column 'label'")
    assert told("whole", labels=["1", "x"], counts=[1, 1]).startswith("labels.1: column 'whole' cannot hold 'x'")
    assert told("day", edges=["2024-01-01", "09:30"], counts=[1]).startswith("edges.1: '09:30'")
    assert told("day", edges=["2024-01-01", "2023-01-01"], counts=[1]) == "edges: wanted ascending edges"
    for how, said in (({"edges": [0, 0]}, "ascending"), ({"counts": [0]}, "above 0"),
                      ({"counts": [-1]}, "greater than"), ({"edges": ["a", "b"]}, "no ISO"),
                      ({"edges": [0, 1], "inside": "log-uniform"}, "above 0")):  # fmt: skip
        with pytest.raises(ValidationError, match=said):
            Empirical.model_validate(how)
    part = "make: [t.number]\nuse: empirical\nwith: {edges: [0, 1], counts: [-3]}"
    assert refused(tmp_path, part)[0].startswith("-3]} ← empirical.counts.0: wanted at least 0")
