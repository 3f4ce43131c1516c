"""Columns on a line with others: what is looked at, and what an outlier may not hide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.relation_columns import round_lines


def rules(**columns: np.ndarray) -> list[str]:
    """Return the rules that are found."""
    return [r.rule for r in Dataset.of(pd.DataFrame(columns), name="t").schema.tables["t"].rules]


def test_columns_that_go_together_are_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded columns of one cause are looked at once each pair, not number by number; an outlier hides no line."""
    rng, tried = np.random.default_rng(7), []

    def counted(*given: Any) -> Any:
        tried.append(1)
        return round_lines(*given)

    monkeypatch.setattr("synthwright.core.relation_equal.round_lines", counted)
    cause = rng.normal(100, 10, 60)
    assert rules(**{f"c{i}": np.round(cause + rng.normal(0, 0.5, 60), 2) for i in range(12)}) == []
    assert not tried
    net = np.round(rng.normal(100, 3, 1_000), 2)
    net[7] = 9e6
    assert rules(net=net, tax=np.round(net * 0.19 + 4, 2)) == ["tax == 0.19 * net + 4"]
    assert tried
