"""What tests of entities share: one table of any columns, made by a generator, in shards where they ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.kit.entities.roles import Roled
from synthwright.line import check

TEXT, LABEL, DAY, WHOLE, NUMBER, KEY = (Kind.TEXT, Kind.CATEGORY, Kind.DATE, Kind.INTEGER, Kind.NUMBER, Kind.KEY)
LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
Columns = Mapping[str, Kind | Field]


def schema_of(columns: Columns) -> Schema:
    """Return a schema of one table `t`."""
    fields = {c: k if isinstance(k, Field) else Field(kind=k) for c, k in columns.items()}
    return Schema(tables={"t": Table(fields=fields)})


def made(
    rule: Roled, columns: Columns, rows: int = 500, *, given: Mapping[str, pa.Array] | None = None, first: int = 0,
    seed: int = 0,
) -> pa.Table:  # fmt: skip
    """Return columns that a generator makes beside given ones; what it says is wrong with them fails the test."""
    beside = {c: Field(kind=DAY if pa.types.is_date(v.type) else LABEL) for c, v in (given or {}).items()}
    schema = schema_of({**columns, **beside})
    assert rule.misused(schema, "t", tuple(columns)) == []
    model = rule.fit(Dataset.empty(schema), Part(tuple(f"t.{c}" for c in columns)), Context(seed=seed))
    begun = Dataset.blank(schema, {"t": rows}, {"t": first}).with_columns("t", dict(given or {}))
    return model.sample(begun, Context(seed=seed).at("shard", first)).data.tables["t"]


def listed(rule: Roled, columns: Columns, rows: int = 500, **how: Any) -> dict[str, list[Any]]:
    """Return the same as lists."""
    return {c: v for c, v in made(rule, columns, rows, **how).to_pydict().items() if c in columns}


def words(*said: str) -> pa.Array:
    """Return a column of text."""
    return pa.array(said, pa.large_string())


def wrong(rule: Roled, columns: Columns, *beside: str) -> list[str]:
    """Return what a generator says is wrong with columns, each with its place."""
    schema = schema_of({**columns, **dict.fromkeys(beside, LABEL)})
    return [f"{'.'.join(map(str, place))}: {said}" for place, said in rule.misused(schema, "t", tuple(columns))]


def refused(folder: Path, columns: Columns, use: str, settings: str) -> list[str]:
    """Return what is said of a specification with one part, as `line:column: message`, before anything runs."""
    names = ", ".join(f"t.{c}" for c in columns)
    lines: Sequence[str] = ("synthwright: 1", "name: x", "schema: x.schema.yaml", "start: {rows: {t: 9}}", "parts:",
                            f"- make: [{names}]", f"  use: {use}", f"  with: {settings}")  # fmt: skip
    (folder / "x.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "x.schema.yaml").write_text(schema_of(columns).model_dump_json(exclude_defaults=True), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        check(load_spec(folder / "x.yaml"))
    return [f"{f.line}:{f.column}: {f.message}" for f in caught.value.faults]
