"""What the tests of private generators share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spend import Release, Spend
from synthwright.kit.private.model import PrivateModel
from synthwright.kit.private.recipe import Marginal

ROWS = 4_000
BUDGET = Spend(3.0, 1e-6)
DOMAIN = {"town": {"values": ["north", "south", "west"]}, "age": {"between": [0, 99]},
          "job": {"values": ["none", "clerk", "cook"]}}  # fmt: skip
SCHEMA = Schema(tables={"people": Table(fields={
    "town": Field(kind=Kind.CATEGORY, nulls=False), "age": Field(kind=Kind.INTEGER), "ill": Field(kind=Kind.BOOLEAN),
    "job": Field(kind=Kind.CATEGORY),
})})  # fmt: skip
PART = Part(("people.town", "people.age", "people.ill", "people.job"))


def people(rows: int = ROWS, **more: object) -> Dataset:
    """Return rows in which jobs follow towns, age follows jobs, and a fifth of the ages is not known."""
    rng = np.random.default_rng(5)
    town = rng.integers(0, 3, rows)
    job = np.where(rng.random(rows) < 0.9, town, rng.integers(0, 3, rows))
    age = np.clip(np.rint(rng.normal(20 + 25 * job, 5)), 0, 99)
    columns = {
        "town": pa.array(np.array(["north", "south", "west"])[town], pa.large_string()),
        "age": pa.array(age.astype(np.int64), mask=np.arange(rows) % 5 == 0),
        "ill": pa.array(rng.random(rows) < 0.1),
        "job": pa.array(np.array(["none", "clerk", "cook"])[job], pa.large_string()),
    }
    table = pa.table(columns)
    if more:
        row = {n: [more.get(n, columns[n][0].as_py())] for n in columns}
        table = pa.concat_tables([table, pa.table(row, schema=table.schema)])
    return Dataset(SCHEMA, {"people": table})


def measured(maker: Marginal, data: Dataset | None = None, budget: Spend = BUDGET) -> Release:
    """Return a noisy release."""
    return maker.measure(data or people(), PART, budget=budget, ctx=Context())


def model_of(maker: Marginal, release: Release) -> PrivateModel:
    """Return the model that follows from a release."""
    return maker.learned(release, PART, SCHEMA, Context())


def made(model: PrivateModel, rows: int = ROWS, seed: int = 1) -> pa.Table:
    """Return rows of a model."""
    given = Dataset.blank(SCHEMA, {"people": rows})
    return model.sample(given, Context(seed=seed)).data.tables["people"]


def saved(model: PrivateModel, folder: Path) -> dict[str, bytes]:
    """Return the files of a model."""
    folder.mkdir()
    model.save(folder)
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def cells(release: Release) -> list[object]:
    """Return what a release says of domains."""
    head = [c["axis"] for c in release.head["columns"]]
    return [head, {n: a.tolist() for n, a in release.arrays.items() if n.endswith(("low", "high"))}]


def follows(table: pa.Table) -> float:
    """Return how often the job is that of the town."""
    jobs = {"north": "none", "south": "clerk", "west": "cook"}
    pairs = zip(table["town"].to_pylist(), table["job"].to_pylist(), strict=True)
    return float(np.mean([jobs[town] == job for town, job in pairs]))
