"""A generator in one file: each column by itself, numbers as a histogram, labels by their shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Field, Kind
from synthwright.core.values import Column, from_numbers, labels, nulls, numbers

FEWEST = 10
SHARED = 3
"""Rows that must share a value before it may be kept."""


class HistogramModel(Model):
    """Shares of bins and labels, column by column."""

    def __init__(self, columns: dict[str, dict[str, Any]], mode: str) -> None:
        self.columns, self.mode = columns, mode

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        data = given
        for column, learned in self.columns.items():
            table, name = given.schema.split(column)
            made = _draw(learned, given.schema.field(column), given.rows(table), ctx.at(column).rng)
            if self.mode == "fill":  # what is there stays
                made = pc.coalesce(given.column(column), made)
            data = data.with_columns(table, {name: made})
        return Sample(data)

    def save(self, folder: Path) -> None:
        said = {"columns": self.columns, "mode": self.mode}
        (folder / "histogram.json").write_text(json.dumps(said), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        said = json.loads((folder / "histogram.json").read_bytes())
        return cls(said["columns"], said["mode"])


class Histogram(Generator):
    """Draw every column by itself: numbers from a histogram, labels by their shares."""

    name: ClassVar[str] = "histogram"
    model: ClassVar[type[Model]] = HistogramModel
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.CATEGORY, Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER}), given="none"
    )

    bins: int = Setting(default=20, ge=1, le=1000)
    """Bins of a number's histogram; more follow the shape closer, and need more rows."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        columns = {}
        for column in part.produce:
            table, _ = data.schema.split(column)
            rows = data.rows(table)
            if rows < FEWEST:
                raise FitError(self.name, f"table {table!r}", wanted=f"at least {FEWEST} rows", got=str(rows))
            field, values = data.schema.field(column), data.column(column)
            learned = _labels(values) if field.kind is Kind.CATEGORY else _bins(numbers(values), self.bins)
            columns[column] = {**learned, "null": float(nulls(values).mean())}
        return HistogramModel(columns, part.mode)


def _labels(values: Column) -> dict[str, Any]:
    """Return the labels that enough rows share, with their counts."""
    codes, distinct = labels(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    kept = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= SHARED]
    return {"labels": [distinct[int(i)].as_py() for i in kept], "counts": counts[kept].tolist()}


def _bins(values: np.ndarray, bins: int) -> dict[str, Any]:
    """Return the edges of bins, none of which is a real row's value, with their counts."""
    present = values[np.isfinite(values)]
    if not len(present):
        return {"edges": [], "counts": []}
    low, high = np.quantile(present, [0.01, 0.99])
    if low == high:  # one value that nearly all rows share
        return {"edges": [low, high], "counts": [len(present)]}
    grid = 10.0 ** np.floor(np.log10(high - low) - 1)
    edges = np.linspace(np.floor(low / grid) * grid, np.ceil(high / grid) * grid, bins + 1)
    counts, _ = np.histogram(np.clip(present, edges[0], edges[-1]), edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _draw(learned: dict[str, Any], field: Field, rows: int, rng: np.random.Generator) -> pa.Array:
    counts = np.asarray(learned["counts"], dtype=float)
    if not counts.sum():
        missing = np.ones(rows, dtype=bool)
        none = pa.nulls(rows, pa.large_string())
        return none if field.kind is Kind.CATEGORY else from_numbers(np.zeros(rows), missing, field)
    absent = (rng.random(rows) < learned["null"]) & field.nulls
    which = rng.choice(len(counts), size=rows, p=counts / counts.sum())
    if field.kind is Kind.CATEGORY:
        return pa.array(learned["labels"], pa.large_string()).take(pa.array(which, mask=absent))
    edges = np.asarray(learned["edges"])
    if field.kind is Kind.BOOLEAN:  # 0 and 1 are the only values
        return from_numbers(np.rint(edges[which] + rng.random(rows) * (edges[which + 1] - edges[which])), absent, field)
    return from_numbers(edges[which] + rng.random(rows) * (edges[which + 1] - edges[which]), absent, field)
