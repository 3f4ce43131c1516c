"""One table for rules that make single values: columns of every kind to make, and some to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.kit.ruled import Ruled
from synthwright.line import check

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "shop": {"key": "id", "fields": {"id": KEY, "region": {"kind": "category"}, "opened": {"kind": "date"}}},
    "t": {"fields": {
        "number": {"kind": "number"}, "whole": {"kind": "integer"}, "cents": {"kind": "number", "step": 0.01},
        "money": {"kind": "number", "type": "decimal128(10, 2)"}, "label": {"kind": "category"},
        "flag": {"kind": "boolean"}, "day": {"kind": "date"}, "moment": {"kind": "datetime"},
        "zoned": {"kind": "datetime", "type": "timestamp[ns, tz=Europe/Paris]"}, "clock": {"kind": "time"},
        "spell": {"kind": "duration"}, "text": {"kind": "text"}, "raw": {"kind": "bytes"},
        "full": {"kind": "number", "nulls": False}, "code": {"kind": "key", "nulls": False, "unique": True},
        "id": {**KEY, "unique": True}, "sex": {"kind": "category"}, "age": {"kind": "integer"},
        "born": {"kind": "date"}, "shop": {"kind": "reference", "to": "shop.id", "type": "int64"},
        "weight": {"kind": "number"}, "well": {"kind": "boolean"},
    }},
}})  # fmt: skip
"""What tests make, and what they look at: `sex`, `age`, `born`, `shop`, `weight`, `well`."""


def seen(rows: int, seed: int = 1) -> dict[str, pa.Array]:
    """Return the columns that rules look at."""
    rng = Context(seed=seed).at("seen").rng
    return {"sex": pa.array(["F", "M"], pa.large_string()).take(pa.array(rng.integers(0, 2, rows))),
            "age": pa.array(rng.integers(0, 90, rows)), "shop": pa.array(rng.integers(1, 4, rows)),
            "born": pa.array(rng.integers(0, 10_000, rows).astype(np.int32)).cast(pa.date32()),
            "weight": pa.array(rng.normal(60, 15, rows)), "well": pa.array(rng.random(rows) < 0.5)}  # fmt: skip


def start(rows: int, given: Mapping[str, pa.Array] | None = None, *, first: int = 0) -> Dataset:
    """Return rows that hold nothing but what is given, and three shops."""
    begun = Dataset.blank(SCHEMA, {"t": rows}, {"t": first}).with_columns("t", dict(given or {}))
    shops = pa.table({"id": pa.array([1, 2, 3]), "region": pa.array(["N", "S", "S"], pa.large_string()),
                      "opened": pa.array([0, 20_000, 10_000], pa.int32()).cast(pa.date32())})  # fmt: skip
    return Dataset(SCHEMA, {**begun.tables, "shop": shops})


def made(rule: Ruled, columns: str | Sequence[str], given: Dataset, *, seed: int = 0, mode: Any = "make") -> pa.Table:
    """Return the table with the columns that a rule makes; what it says is wrong with them fails the test."""
    names = [columns] if isinstance(columns, str) else list(columns)
    assert rule.misused(SCHEMA, "t", tuple(names)) == []
    model = rule.fit(Dataset.empty(SCHEMA), Part(tuple(f"t.{c}" for c in names), (), mode), Context(seed=seed))
    return model.sample(given, Context(seed=seed).at("shard", 0)).data.tables["t"]


def wrong(rule: Ruled, *columns: str) -> list[str]:
    """Return what a rule says is wrong with columns, each with its place."""
    return [f"{'.'.join(map(str, place))}: {said}" for place, said in rule.misused(SCHEMA, "t", columns)]


def refused(folder: Path, part: str) -> list[str]:
    """Return what is said of a specification with one part, as `written at that place: message`."""
    lines = ["synthwright: 1", "name: x", "schema: x.schema.yaml", "start: {rows: {t: 9, shop: 3}}", "parts:",
             "- {make: [shop.*], use: constant}", "- {make: [t.shop], use: reference}",
             *(f"- {line}" if i == 0 else f"  {line}" for i, line in enumerate(part.strip().splitlines()))]  # fmt: skip
    (folder / "x.yaml").write_text("\n".join(lines) + "\n")
    (folder / "x.schema.yaml").write_text(SCHEMA.model_dump_json(exclude_defaults=True))
    with pytest.raises(SpecError) as caught:
        check(load_spec(folder / "x.yaml"))
    return [f"{lines[f.line - 1][f.column - 1:]} ← {f.message}" for f in caught.value.faults
            if "no part makes" not in f.message and "of kind 'key'" not in f.message]  # fmt: skip
