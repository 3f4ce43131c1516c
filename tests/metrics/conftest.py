"""What tests of metrics share: a case where the synthetic rows are a second real sample, and a way to spoil it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
Shuffle = Callable[[Dataset], Dataset]


@pytest.fixture(scope="session")
def second() -> Case:
    """Return training and held-out rows, and another real sample in the place of synthetic rows."""
    synthetic, train, holdout = (
        toys.plain(n, s) for n, s in ((1_500, "synthetic"), (1_500, "train"), (800, "holdout"))
    )
    return Case(train, holdout, synthetic, target="thing.colour", asked={"thing": 1_500})


@pytest.fixture(scope="session")
def measure() -> Measure:
    """Return a function that gives a metric's scores by what they are about, each about one thing."""

    def scores(metric: Metric, case: Case, seed: int = 0) -> dict[str, Score]:
        found = metric.measure(case, Context(seed=seed))
        assert len({s.about for s in found}) == len(found)
        assert {s.metric for s in found} == {metric.name}
        return {s.about: s for s in found}

    return scores


@pytest.fixture(scope="session")
def shuffled() -> Shuffle:
    """Return a function that shuffles every column by itself: columns stay, what joins them goes."""

    def shuffle(data: Dataset) -> Dataset:
        rng = Context(seed=9).rng
        tables = {}
        for name, held in data.tables.items():
            orders = [pa.array(rng.permutation(held.num_rows)) for _ in held.column_names]
            taken = {c: held.column(c).take(o) for c, o in zip(held.column_names, orders, strict=True)}
            tables[name] = pa.table(taken)
        return Dataset(data.schema, tables)

    return shuffle


@pytest.fixture(scope="session")
def alike() -> Callable[[Score], bool]:
    """Return a function that says whether a second real sample scores what the reference says, within its interval."""

    def close(score: Score) -> bool:
        numbers = score.value, score.reference, score.low, score.high
        assert all(isinstance(n, float) and np.isfinite(n) for n in numbers), score
        value, reference, low, high = (float(n) for n in numbers if n is not None)
        return low <= value <= high and low - 0.02 <= reference <= high + 0.02

    return close
