"""What the tests of generators share that make a table column by column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.kit.learning import artefacts
from synthwright.testing import toys
from synthwright.testing.stored import contents

NUMBER, CATEGORY, BOOLEAN = (Field(kind=k) for k in (Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN))


def table(**columns: Any) -> Dataset:
    """Return a table: text is a category, booleans and numbers are what they are, None is null."""

    def kind(values: Any) -> Field:
        one = next((v for v in values if v is not None), 0.0)
        return CATEGORY if isinstance(one, str) else BOOLEAN if isinstance(one, bool | np.bool_) else NUMBER

    return toys.dataset({"t": {n: (kind(v), v) for n, v in columns.items()}})


def mixed(rows: int) -> Dataset:
    """Return a table of numbers and labels that go together, with nulls and point masses in it."""
    rng = np.random.default_rng(7)
    hidden = rng.normal(size=rows)
    bill = np.round(np.exp(5 + hidden), 1)
    missing = hidden + rng.normal(size=rows) > 1.5
    blood = np.array(["zero", "a", "b", "ab"])[np.searchsorted([-1, 0, 1], hidden + 0.3 * rng.normal(size=rows))]
    income = np.exp(hidden + 0.3 * rng.normal(size=rows)).tolist()
    return table(
        bill=bill,
        paid=np.where(rng.random(rows) < 0.5, bill, 0.0),
        blood=blood.tolist(),
        income=[None if gone else v for v, gone in zip(income, missing, strict=True)],
        rich=hidden > 1,
    )


def hollow(rows: int) -> Dataset:
    """Return a number, and a label that says its sign and is nearly always missing."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=rows)
    said = [None if gone else "above" if v > 0 else "below" for v, gone in zip(x, rng.random(rows) < 0.95, strict=True)]
    return table(x=x, label=["above" if x[0] > 0 else "below", *said[1:]])


def agreeing(data: Dataset) -> float:
    """Return how often the label of `hollow` says the sign."""
    x, label = numbers(data.column("t.x")), np.array(data.column("t.label").to_pylist())
    return float(((x > 0) == (label == "above")).mean())


def fitted(recipe: Generator, data: Dataset, part: Part | None = None, seed: int = 1) -> Any:
    """Return the model that a recipe learns of a table's columns."""
    return recipe.fit(data, part or Part(data.schema.columns), Context(seed=seed))


def made(model: Any, data: Dataset, rows: int, seed: int = 2, **there: Any) -> pa.Table:
    """Return rows made around columns that are there."""
    start = Dataset.blank(data.schema, {"t": rows}).with_columns("t", {n: pa.array(v) for n, v in there.items()})
    return model.sample(start, Context(seed=seed)).data.tables["t"]


def bytes_and_rows(recipe: Generator, data: Dataset, folder: Path, seed: int = 1) -> tuple[Any, pa.Table]:
    """Return what the saved model holds, and the rows of the loaded one, which must be those of the fitted one."""
    folder.mkdir()
    model = fitted(recipe, data, seed=seed)
    model.save(folder)
    rows = made(model, data, 500, seed).combine_chunks()
    assert made(type(model).load(folder), data, 500, seed).combine_chunks().equals(rows)
    return contents(folder), rows


def forge(folder: Path, array: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change the longest array of a saved model that has this name; the hashes fit."""
    head, arrays = artefacts.load(folder)
    name = max((n for n in sorted(arrays) if n.partition(".")[2] == array), key=lambda n: arrays[n].size)
    arrays[name] = change(arrays[name])
    artefacts.save(folder, head, arrays)
