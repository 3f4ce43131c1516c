"""What tests of keeping rules share: a generator that breaks whatever it can, and small tables with rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Part, Sample, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Rule, Schema, Table, canonical
from synthwright.kit.constraints.expressions import holds
from synthwright.kit.constraints.keeping import UNREACHABLE, Keeper, Kept

ROWS = 400


@dataclass
class Shuffled(Model):
    """Draws every column from the real one, each for itself: breaks whatever columns owe each other."""

    data: Dataset
    part: Part
    fails: bool = False

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        """Fill the columns with real values in random order."""
        table = given.schema.only
        rows = given.rows(table)
        made = {}
        for column in self.part.produce:
            name = column.removeprefix(f"{table}.")
            assert self.data.has(column)
            held = self.data.column(column).combine_chunks()
            held = held.drop_null() if self.part.mode == "fill" else held
            drawn = held.take(pa.array(ctx.rng.integers(0, len(held), rows)))
            if self.part.mode == "fill":
                now = given.column(column).combine_chunks()
                drawn = pa.compute.if_else(now.is_null(), drawn, now)
            made[name] = drawn
        problems = (Verdict.of(table, np.arange(rows) % 2 == 0, "broken-reply"),) if self.fails else ()
        return Sample(given.with_columns(table, made), problems)

    def save(self, folder: Path) -> None:
        """Nothing is saved."""

    @classmethod
    def load(cls, folder: Path) -> Shuffled:
        """Nothing is loaded."""
        raise NotImplementedError


Fields = dict[str, tuple[Field, Any]]
NUMBER, INTEGER, CATEGORY, DATE = (Field(kind=k) for k in (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.DATE))
CENTS = Field(kind=Kind.NUMBER, step=0.01)
MONEY = Field(kind=Kind.NUMBER, type="decimal128(10, 2)")


def dataset(columns: Fields, *rules: str) -> Dataset:
    """Return one table with rules."""
    table = Table(fields={n: f for n, (f, _) in columns.items()}, rules=tuple(Rule(rule=r) for r in rules))
    held = pa.table({n: v if isinstance(v, pa.Array) else pa.array(v, canonical(f)) for n, (f, v) in columns.items()})
    return Dataset(Schema(tables={"t": table}), {"t": held})


def kept(data: Dataset, start: Dataset | None = None, *, given: tuple[str, ...] = (), fails: bool = False,
         mode: Literal["make", "fill", "replace"] = "make", seed: int = 3) -> tuple[Keeper, Kept]:  # fmt: skip
    """Fit and sample the shuffling generator under a keeper."""
    part = Part(tuple(c for c in data.schema.columns if c not in given), given, mode)
    ctx = Context(seed=seed)
    keeper = Keeper.learn(data, part, ctx)
    model = Shuffled(keeper.reduce(data), keeper.part, fails)
    start = start if start is not None else Dataset.blank(data.schema, {"t": ROWS})
    return keeper, keeper.sample(model, start, ctx.at("sample"))


def check(data: Dataset, found: Kept, *, unreachable: int = 0) -> pa.Table:
    """Assert that all rows but so many hold every rule; return the table."""
    spec, made = data.schema.tables["t"], found.sample.data.tables["t"]
    gone = np.zeros(made.num_rows, dtype=bool)
    for verdict in found.sample.problems:
        if UNREACHABLE in verdict.reason.to_pylist():
            gone |= ~verdict.keep
    assert int(gone.sum()) == unreachable
    for rule in spec.rules:
        assert holds(made.filter(pa.array(~gone)), rule.rule, spec).all(), rule.rule
    for name, field in spec.fields.items():
        assert made.column(name).type == canonical(field)
    return made


RNG = np.random.default_rng(0)
NET = np.round(RNG.lognormal(3, 1, ROWS), 2)
TAX = np.round(NET * 0.19, 2)
BILL: Fields = {"net": (CENTS, NET), "tax": (CENTS, TAX), "total": (CENTS, np.round(NET + TAX, 2))}
CITIES = np.array(["Bonn", "Ulm", "Graz", "Linz", "Wien"])
LANDS = np.array(["DE", "DE", "AT", "AT", "AT"])
CITY = RNG.integers(0, 5, ROWS)


def prices(step: float | None = 0.01) -> Fields:
    """Return low, open, close and high prices of a day."""
    four = np.sort(np.round(RNG.lognormal(3, 0.5, (ROWS, 1)) + RNG.normal(0, 3, (ROWS, 4)), 2), axis=1)
    swap = RNG.random(ROWS) < 0.5
    four[swap, 1], four[swap, 2] = four[swap, 2], four[swap, 1]
    field = Field(kind=Kind.NUMBER, step=step)
    return {n: (field, four[:, i]) for i, n in enumerate(("low", "open", "close", "high"))}


OHLC = ("low <= open", "low <= close", "open <= high", "close <= high")


START = RNG.bit_generator.state
"""Where the stream stands before a test."""
