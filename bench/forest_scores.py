"""What a synthetic table scores: Synthwright's own metrics, and two measures beside them, the same for all."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.values import numbers
from synthwright.kit.learning.boosting import encode
from synthwright.metrics.comparing import modelled
from synthwright.metrics.dcr_share import DcrShare
from synthwright.metrics.detection import Detection
from synthwright.metrics.exact_copies import ExactCopies
from synthwright.metrics.shape import Shape
from synthwright.metrics.trend import Trend
from synthwright.metrics.tstr import Tstr

DRAWS = 3
"""How often detection and nearness draw among the synthetic rows, which outnumber the held-out ones."""
DEPENDENT = {"adult": ("education", "education_num")}
"""Columns of which each decides the other."""
ROUNDS = 200
"""Boosting rounds of the regression, on real and on synthetic rows alike."""


class Table(NamedTuple):
    """One table of the benchmark: what was trained on, and what was held out."""

    name: str
    train: Dataset
    test: Dataset
    target: str
    regression: bool

    @staticmethod
    def load(folder: Path) -> Table:
        """Read a table; its schema is inferred from all real rows."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        train, test = (pq.read_table(folder / f"{part}.parquet") for part in ("train", "test"))
        every = Dataset.of(pa.concat_tables([train, test]), name="rows")
        halves = np.split(np.arange(every.rows()), [train.num_rows])
        known = [every.take("rows", half) for half in halves]
        return Table(meta["name"], known[0], known[1], meta["target"], meta["task"] == "regression")

    def read(self, path: Path) -> Dataset:
        """Read synthetic rows of this table."""
        return Dataset.of(pq.read_table(path), self.train.schema)

    @property
    def about(self) -> dict[str, Any]:
        """What it is, for people."""
        return {
            "train": self.train.rows(),
            "test": self.test.rows(),
            "columns": len(self.train.columns("rows")),
            "target": self.target,
            "regression": self.regression,
        }


def score(table: Table, made: Dataset, seed: int) -> dict[str, float | None]:
    """Return every measure of synthetic rows; none of them looks at how they were made."""
    near = against_training(table, made)
    far = Case(table.train, table.test, made, f"rows.{table.target}")
    ctx = Context(seed=seed)
    copies = whole(ExactCopies(), far, ctx)
    found: dict[str, float | None] = {
        "shape": mean_of_parts(Shape(), near, ctx),
        "trend": mean_of_parts(Trend(listed=2_000), near, ctx),
        "detection": drawn(Detection(), far, seed),
        "nearer": drawn(DcrShare(), far, seed),
        "copies": copies.value,
        "copies_holdout": copies.reference,
        "broken": broken(table, made),
    }
    if table.regression:
        real, synthetic = (regression_error(table, rows) for rows in (table.train, made))
        return {**found, "utility": synthetic / real, "utility_real": real}
    used = whole(Tstr(), far, ctx)
    assert used.value is not None
    assert used.reference is not None
    return {**found, "utility": used.value / used.reference, "utility_real": used.reference}


def floor(table: Table, seed: int) -> dict[str, float | None]:
    """Return what real rows score: training rows drawn again with replacement."""
    rows = table.train.rows()
    again = np.sort(Context(seed=seed).at("again").rng.integers(0, rows, rows))
    made = table.train.take("rows", again)
    near, halved = against_training(table, made), Case(table.train, None, made)
    ctx = Context(seed=seed)
    return {"shape": mean_of_parts(Shape(), near, ctx), "trend": mean_of_parts(Trend(listed=2_000), near, ctx),
            "shape_half": halves(Shape(), halved, ctx), "trend_half": halves(Trend(), halved, ctx)}  # fmt: skip


def against_training(table: Table, made: Dataset) -> Case:
    """Return the case in which rows are held against all training rows; without others, halves of them would be."""
    return Case(table.train, table.train, made)


def whole(metric: Metric, case: Case, ctx: Context) -> Score:
    """Return the score about the whole; it must be there."""
    found = next(s for s in metric.measure(case, ctx.at(type(metric).name)) if not s.about)
    assert found.status == "ok", found
    return found


def mean_of_parts(metric: Metric, case: Case, ctx: Context) -> float:
    """Return the mean over columns or pairs: the whole, less rounded."""
    scores = metric.measure(case, ctx.at(type(metric).name))
    parts = [s.value for s in scores if s.about not in ("", "worst") and s.value is not None]
    assert len(parts) == len(scores) - 2, scores[0]  # less the whole and the worst: no part may be missing
    return float(np.mean(parts))


def halves(metric: Metric, case: Case, ctx: Context) -> float:
    """Return the distance of two independent samples of the training size.

    It is guessed from two halves, whose distance is larger by the root of two.
    """
    reference = whole(metric, case, ctx).reference
    assert reference is not None
    return reference / math.sqrt(2)


def drawn(metric: Metric, case: Case, seed: int) -> float:
    """Return the mean over draws of the synthetic rows that are looked at."""
    values = [whole(metric, case, Context(seed=seed * DRAWS + i)).value for i in range(DRAWS)]
    return float(np.mean([v for v in values if v is not None]))


def broken(table: Table, made: Dataset) -> float | None:
    """Return the share of rows with a pair of values that no real row has, in columns that decide each other."""
    if table.name not in DEPENDENT:
        return None
    names = DEPENDENT[table.name]
    known = {p for side in (table.train, table.test) for p in _together(side, names)}
    assert len(known) == len({a for a, _ in known}) == len({b for _, b in known})
    pairs = _together(made, names)
    return sum(p not in known for p in pairs) / len(pairs)


def _together(data: Dataset, names: Sequence[str]) -> list[tuple[Any, ...]]:
    columns = [data.tables["rows"].column(c).to_pylist() for c in names]
    return list(zip(*columns, strict=True))


def regression_error(table: Table, learn: Dataset) -> float:
    """Return the error (RMSE) on the logarithm of a target, one added, of held-out rows."""
    fields = {c: f for c, f in modelled(table.train.schema.tables["rows"].fields).items() if c != table.target}
    sides = [d.tables["rows"] for d in (learn, table.test)]
    features = encode(sides, fields)
    answers = [np.log1p(np.maximum(np.nan_to_num(numbers(t.column(table.target))), 0.0)) for t in sides]
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1, "deterministic": True,
                "force_row_wise": True, "seed": 0}  # fmt: skip
    rows = lightgbm.Dataset(features.values[0], label=answers[0], categorical_feature=list(features.discrete),
                            params=settings)  # fmt: skip
    trees = lightgbm.train(settings, rows, num_boost_round=ROUNDS)
    said = np.asarray(trees.predict(features.values[1], num_threads=1))
    return float(np.sqrt(np.mean((said - answers[1]) ** 2)))
