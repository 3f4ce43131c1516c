"""What must be unique is so among all rows of a sample, over pieces and tries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import synthwright as sw
from synthwright.core.dataset import SHARD
from synthwright.synthesizer import Synthesizer, _fresh


def _fitted(columns: dict[str, np.ndarray]) -> Synthesizer:
    return sw.fit(pa.table(columns), generator="marginals", seed=0)


def test_unique_together_over_shards() -> None:
    """Of more rows than a shard holds no two share a store and a week; of more than can differ none share more."""
    place = np.random.default_rng(0).permutation(250 * 400)[:6_000]
    model = _fitted({"store": np.char.add("s", (place // 400).astype(str)), "week": place % 400})
    assert [r.rule for r in model.schema.tables["data"].rules] == ["unique(store, week)"]
    for rows, most in ((SHARD + 9_000, 1), (110_000, 2)):
        made = model.sample(rows, seed=1)
        assert made.num_rows == rows
        assert max(made.group_by(["store", "week"]).aggregate([([], "count_all")])["count_all"].to_pylist()) == most


def test_unique_over_tries() -> None:
    """Rows that are tried again repeat nothing of those that are there; where there is no room, they may."""
    days = np.random.default_rng(1).permutation(3_000)[:2_000].astype("datetime64[D]")
    model = _fitted({"day": days, "seen": np.random.default_rng(2).normal(size=2_000)})
    assert [r.rule for r in model.schema.tables["data"].rules] == ["unique(day)"]
    across = [k.tables["data"] for _, k, _ in model.fitted]
    held = [pa.table({"day": pa.array(d, pa.date32()), "seen": [0.5] * len(d)}) for d in ([1, 2, 3], [4, 2, 5, 5, 6])]
    fresh, kept = _fresh(held[0], held[1], across)
    assert fresh.tolist() == [True, False, True, False, True]
    assert kept == across
    fresh, kept = _fresh(held[0], held[1].slice(1, 1), across)
    assert fresh.all()
    assert not any(r.across for r in kept)
    assert model.sample(20_000, seed=1).num_rows == 20_000
