"""Gradient-boosted trees over tables: features that several tables share, and LightGBM made silent and repeatable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.schema import ORDERED, Field
from synthwright.core.values import numbers
from synthwright.kit.measuring.stats import shared_codes

_STOP_SHARE = 0.1
"""Share of the rows that early stopping looks at."""
_STOP_ROWS = 200
"""Rows below which nothing is set aside, and all rounds are run."""
_WIDE = 200
"""Columns that each tree of a wider table looks at, drawn at random."""
_PATIENCE = 15
"""Rounds without gain after which training stops."""


class Features(NamedTuple):
    """Several tables as matrices that mean the same, ready for `boost`."""

    values: list[np.ndarray]
    """One float32 matrix (rows × columns) for each table, NaN where null."""
    discrete: tuple[int, ...]
    """Positions of the columns that hold labels."""


def encode(tables: Sequence[pa.Table], fields: Mapping[str, Field]) -> Features:
    """Return columns of several tables as numbers that are comparable between the tables.

    Values with an order become their place among the distinct values of all tables: trees only look at the order, and
    so no value is too large, too small or infinite for them. Labels become codes; one that a table never had has a
    code it never had.
    """
    rows = [t.num_rows for t in tables]
    whole = np.empty((sum(rows), len(fields)), dtype=np.float32)
    for i, (name, field) in enumerate(fields.items()):
        if field.kind in ORDERED:
            values = np.concatenate([numbers(t.column(name)) for t in tables])
            missing = np.isnan(values)
            places = np.unique(np.where(missing, 0.0, values), return_inverse=True)[1]
            whole[:, i] = np.where(missing, np.nan, places)
        else:
            codes, size = shared_codes([t.column(name) for t in tables])
            joined = np.concatenate(codes)
            whole[:, i] = np.where(joined == size - 1, np.nan, joined)
    labelled = tuple(i for i, field in enumerate(fields.values()) if field.kind not in ORDERED)
    return Features(np.split(whole, np.cumsum(rows)[:-1]), labelled)


class Boosted(NamedTuple):
    """Trees that predict; nothing where one answer fits all rows that were learned from."""

    trees: Any
    constant: np.ndarray
    """What is predicted without trees: the mean, or the share of each class."""

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return one number per row, or per row and class where there are more than two."""
        if self.trees is None:
            return np.repeat(self.constant[None, ...], len(values), axis=0)
        return np.asarray(self.trees.predict(values, num_threads=1))


def boost(values: np.ndarray, target: np.ndarray, ctx: Context, *, discrete: Sequence[int] = (), classes: int = 0,
          rounds: int = 200) -> Boosted:  # fmt: skip
    """Learn to predict `target` from `values`, one thread, the same trees for the same context.

    Where there are rows enough, a tenth is set aside to stop in time.

    Args:
        values: float32, rows × columns; NaN where null.
        target: numbers, or codes 0 … classes - 1.
        ctx: decides the rows that are set aside.
        discrete: positions of the columns that hold labels.
        classes: how many; 0 for a regression.
        rounds: boosting rounds at most.
    """
    constant = _constant(target, classes)
    if values.shape[1] == 0 or len(target) < 2 or (target == target[0]).all():
        return Boosted(None, constant)
    import lightgbm

    aside = np.zeros(len(target), dtype=bool)
    if len(target) >= _STOP_ROWS:
        aside[ctx.rng.permutation(len(target))[: int(len(target) * _STOP_SHARE)]] = True
    if (target[~aside] == target[~aside][0]).all():
        aside[:] = False
    settings = _settings(int((~aside).sum()), values.shape[1], classes, ctx)
    learn = lightgbm.Dataset(values[~aside], label=target[~aside], categorical_feature=list(discrete), params=settings)
    watch: dict[str, Any] = {}
    if aside.any():
        watched = lightgbm.Dataset(values[aside], label=target[aside], reference=learn, params=settings)
        stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
        watch = {"valid_sets": [watched], "callbacks": [stop]}
    return Boosted(lightgbm.train(settings, learn, num_boost_round=rounds, **watch), constant)


def _constant(target: np.ndarray, classes: int) -> np.ndarray:
    if classes > 2:
        return np.bincount(target.astype(np.int64), minlength=classes) / max(len(target), 1)
    return np.asarray(target.mean() if len(target) else 0.0)


def _settings(rows: int, columns: int, classes: int, ctx: Context) -> dict[str, Any]:
    objective: dict[str, Any] = {"objective": "regression"} if not classes else {"objective": "binary"}
    if classes > 2:
        objective = {"objective": "multiclass", "num_class": classes}
    small = max(1, min(20, rows // 20))  # leaves of twenty rows would leave a small table without a single split
    return {
        **objective,
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": small,
        "min_data_in_bin": min(3, small),
        "min_data_per_group": small,
        "feature_fraction": min(1.0, _WIDE / columns),
        "feature_pre_filter": False,
        "seed": int(ctx.at("seed").rng.integers(2**31)),
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
