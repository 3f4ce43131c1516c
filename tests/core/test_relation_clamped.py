"""Charges that are nothing below a threshold, also where some are missing; no such rule among unrelated columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.core.relation_clamped import clamped
from synthwright.core.relation_columns import Columns

RNG = np.random.default_rng(9)
LATE, PAID = RNG.integers(-30, 30, 400), RNG.gamma(3, 300, 400).round(2)


@pytest.mark.parametrize(
    ("fine", "rule"),
    [
        (0.25 * np.maximum(0, LATE), "fine == max(0, late / 4)"),
        ((0.2 * np.maximum(0, PAID - 800)).round(2), "fine == max(0, paid / 5 - 160)"),
        (np.maximum(5, 0.01 * PAID).round(2), "fine == max(5, 0.01 * paid)"),
    ],
)
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_excess_is_charged(fine: np.ndarray, rule: str, missing: float) -> None:
    """A rate is charged of what is beyond a threshold, in all rows that have a charge."""
    gone = RNG.random(len(fine)) < missing
    table = pa.table({"late": LATE, "paid": PAID, "fine": pa.array(np.where(gone, np.nan, fine), from_pandas=True)})
    assert rule in [r.rule for r in infer({"t": table}).schema.tables["t"].rules]


def test_nothing_among_unrelated_columns() -> None:
    """A hundred ordinary tables have no such rule, gaps or not."""
    rng = np.random.default_rng(2)
    for _ in range(100):
        rows = int(rng.integers(40, 300))
        held = {
            "a": rng.integers(-20, 60, rows),
            "b": rng.gamma(2, 40, rows).round(2),
            "c": rng.poisson(1.5, rows),
            "d": np.maximum(0, rng.normal(0, 30, rows)).round(1),
            "e": rng.choice([0.0, 5.0, 10.0, 20.0], rows),
        }
        gaps = {n: pa.array(np.where(rng.random(rows) < 0.1, np.nan, v), from_pandas=True) for n, v in held.items()}
        data = Dataset.of(pa.table(gaps), name="t")
        names = list(held)
        assert clamped(Columns.of(data.tables["t"], data.schema.tables["t"]), names, names) == []
