"""Columns on lines: which of them the others are made of, and what is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.core.dataset import Dataset
from synthwright.core.relation_columns import round_lines


def test_lines_are_drawn_from_where_nothing_is_lost() -> None:
    """Of many columns on lines, each is made of one from which it follows as exactly as it did, not by a score."""
    rng = np.random.default_rng(1)
    net = np.where(rng.random(200) < 0.1, 0, rng.normal(50, 10, 200) * 1e9)
    score = (net - net.mean()) / net.std()
    table = pd.DataFrame({"net": net, "big": 1000 * net, "more": 1000 * net + 7, "far": net * 1.8 + 32,
                          "unit": net / 3.6, "score": score, "neg": -net})  # fmt: skip
    made = sw.fit(table, seed=1).sample(600, seed=2)
    assert (made["net"] == 0).sum() > 20
    for column, factor in (("unit", 1 / 3.6), ("big", 1000), ("neg", -1)):
        assert np.allclose(made[column], factor * made["net"], rtol=1e-12, atol=0), column


def test_what_follows_from_a_date_stays_the_root() -> None:
    """Of two columns on a line the one that is the year of a date is made of it, the other one of that year."""
    birth = pd.Timestamp("1940-01-01") + pd.to_timedelta(np.random.default_rng(5).integers(0, 22_000, 300), "D")
    table = pd.DataFrame({"birth": birth, "age": 2024 - birth.year, "year": birth.year})
    rules = [r.rule for r in Dataset.of(table).schema.tables["data"].rules]
    assert sorted(rules) == ["age == -1 * year + 2024", "year == year(birth)"]


def test_marks_are_never_above_the_full_ones() -> None:
    """Full marks may have but two values; what is never above them stays so."""
    rng = np.random.default_rng(7)
    full = rng.choice([50, 100], 300)
    table = pd.DataFrame({"full": full, "marks": np.rint(full * rng.beta(5, 2, 300)).astype(int),
                          "other": rng.integers(0, 110, 300)})  # fmt: skip
    model = sw.fit(table, seed=1)
    assert [r.rule for r in model.schema.tables["data"].rules] == ["marks <= full"]
    made = model.sample(600, seed=2)
    assert (made["marks"] <= made["full"]).all()


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
