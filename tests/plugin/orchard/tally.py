"""A generator with a privacy budget in one file: shares of true and false, counted with noise."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from random import SystemRandom
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.private import PrivateGenerator
from synthwright.core.schema import Kind, Schema
from synthwright.core.spend import Release, Spend
from synthwright.core.values import nulls

WAIT, FAIL = "ORCHARD_WAIT", "ORCHARD_FAIL"
"""Variables of the environment: seconds to take while measuring, and whether to fail then."""


class TallyModel(Model):
    """The share of true values of each column."""

    def __init__(self, shares: dict[str, float], spend: Spend) -> None:
        self.shares, self.spend = shares, spend

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        data = given
        for column, share in self.shares.items():
            table, name = given.schema.split(column)
            made = ctx.at(column).rng.random(given.rows(table)) < share
            data = data.with_columns(table, {name: pa.array(made)})
        return Sample(data)

    def save(self, folder: Path) -> None:
        said = {"shares": self.shares, "spend": list(self.spend)}
        (folder / "tally.json").write_text(json.dumps(said), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        said = json.loads((folder / "tally.json").read_bytes())
        return cls(said["shares"], Spend(*said["spend"]))


class Tally(PrivateGenerator):
    """Draw every column by itself, by shares of true and false that were counted with Laplace noise.

    A toy: noise in floating point is no guarantee (Mironov 2012).
    """

    name: ClassVar[str] = "tally"
    model: ClassVar[type[Model]] = TallyModel
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset({Kind.BOOLEAN}), private=True)
    entities: ClassVar[bool] = True

    least: float = Setting(default=0.0, ge=0, le=1)
    """The least share that is made, whatever was counted."""

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        del ctx
        time.sleep(float(os.environ.get(WAIT, "0")))
        if FAIL in os.environ:
            raise RuntimeError("told to")
        dice, scale = SystemRandom(), 2 * budget.rows * len(part.produce) / budget.epsilon
        counts = []
        for column in part.produce:
            held = data.column(column)
            true = int(pa.compute.sum(held.cast(pa.int64())).as_py() or 0)
            false = int((~nulls(held)).sum()) - true
            counts.append([n + scale * math.log(dice.random() / dice.random()) for n in (false, true)])
        spend = budget._replace(delta=0.0)
        return Release({"columns": list(part.produce)}, {"counts": np.array(counts).reshape(-1, 2)}, spend)

    def learned(self, release: Release, part: Part, schema: Schema, ctx: Context) -> TallyModel:
        del part, schema, ctx
        counts = np.clip(release.arrays["counts"], 0.5, None)
        shares = np.maximum(counts[:, 1] / counts.sum(axis=1), self.least)
        return TallyModel(dict(zip(release.head["columns"], shares.tolist(), strict=True)), release.spend)
