"""One table of payments for scenarios, with cards, shops and banks; what a scenario makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.generators.scenario import Scenario

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "bank": {"key": "id", "fields": {"id": KEY, "land": {"kind": "category"}}},
    "card": {"key": "id", "fields": {
        "id": KEY, "bank": {"kind": "reference", "to": "bank.id", "type": "int64"}, "active": {"kind": "boolean"},
        "mule": {"kind": "text"}, "limit": {"kind": "number"},
    }},
    "shop": {"key": "id", "fields": {"id": KEY, "online": {"kind": "boolean"}}},
    "payment": {"fields": {
        "id": {**KEY, "unique": True}, "card": {"kind": "reference", "to": "card.id", "type": "int64"},
        "at": {"kind": "datetime"}, "amount": {"kind": "number"},
        "money": {"kind": "number", "type": "decimal128(9, 2)"},
        "shop": {"kind": "reference", "to": "shop.id", "type": "int64"}, "to": {"kind": "text"},
        "count": {"kind": "integer"}, "day": {"kind": "date"}, "chip": {"kind": "boolean"}, "raw": {"kind": "bytes"},
        "fraud": {"kind": "category"}, "is_fraud": {"kind": "boolean"}, "flag": {"kind": "integer", "nulls": False},
        "episode": {"kind": "integer"}, "refunded": {"kind": "date"}, "full": {"kind": "number", "nulls": False},
    }},
}})  # fmt: skip


def payments(sizes: np.ndarray, seed: int = 0, *, chunks: int = 1) -> Dataset:
    """Return cards with so many payments each, the payments of a card together and in the order of time."""
    rng = Context(seed=seed).at("payments").rng
    rows, cards = int(sizes.sum()), len(sizes)
    whose = np.repeat(np.arange(cards), sizes)
    at = 1_700_000_000_000_000 + whose * 10**9 + np.arange(rows) * 10**6
    amount = rng.lognormal(3, 1, rows)
    texts = pa.array([f"payee {i}" if i % 7 else None for i in range(rows)], pa.large_string())
    payment = pa.table({
        "id": np.arange(rows), "card": 5 + 2 * whose, "at": pa.array(at).cast(pa.timestamp("us")),
        "amount": pa.array(amount, mask=rng.random(rows) < 0.05),
        "money": pa.array(np.rint(amount * 100).astype(np.int64)).cast(pa.decimal128(19, 0)).cast(pa.decimal128(9, 2)),
        "shop": rng.integers(0, 20, rows), "to": texts, "count": rng.integers(0, 9, rows),
        "day": pa.array(rng.integers(0, 20_000, rows).astype(np.int32)).cast(pa.date32()),
        "chip": rng.random(rows) < 0.5, "raw": pa.array([bytes([i % 251]) for i in range(rows)], pa.large_binary()),
        "#row": 1000 + np.arange(rows),
    })  # fmt: skip
    card = pa.table({"id": 5 + 2 * np.arange(cards), "bank": rng.integers(0, 3, cards),
                     "active": rng.random(cards) < 0.3, "limit": rng.random(cards),
                     "mule": pa.array([f"mule {i}" for i in range(cards)], pa.large_string())})  # fmt: skip
    size = -(-cards // chunks)
    card = pa.concat_tables([card.slice(i * size, size) for i in range(chunks)])
    bank = pa.table({"id": [0, 1, 2], "land": pa.array(["DE", "FR", "PL"], pa.large_string())})
    shop = pa.table({"id": np.arange(20), "online": np.arange(20) < 5})
    return Dataset(SCHEMA, {"bank": bank, "card": card, "shop": shop, "payment": payment})


def made(said: Mapping[str, Any], produce: str, data: Dataset, seed: int = 0) -> pa.Table:
    """Return payments with the columns that a scenario makes or changes; what it says is wrong fails the test."""
    recipe = Scenario.model_validate(said)
    names = tuple(produce.split())
    assert recipe.misused(SCHEMA, "payment", names) == []
    looked = {c.removeprefix("payment.") for c in recipe.looks_at(SCHEMA, "payment") if c.startswith("payment.")}
    data = data.select(
        "payment", [c for c in data.columns("payment") if c in {*looked, *names}]
    )  # all that a run would hand over
    part = Part(tuple(f"payment.{c}" for c in names), (), "replace")
    model = recipe.fit(Dataset.empty(SCHEMA), part, Context(seed=seed))
    return model.sample(data, Context(seed=seed).at("shard", 0)).data.tables["payment"]


def column(table: pa.Table, name: str) -> np.ndarray:
    """Return a column as numpy."""
    return table.column(name).to_numpy()


def one(pattern: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
    """Return parameters with one pattern, called `odd`."""
    return {"patterns": {"odd": pattern}, **rest}


def sizes(cards: int, mean: float, seed: int = 0) -> np.ndarray:
    """Return how many payments each card has."""
    return Context(seed=seed).at("sizes").rng.poisson(mean, cards)


def far(values: np.ndarray, wanted: float) -> float:
    """Return how likely it is that independent values of this mean lie as far from it as these."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(2 * stats.norm.sf(abs(values.mean() - wanted) / error)) if error else float(values.mean() == wanted)
