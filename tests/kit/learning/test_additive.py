"""Boosted trees as flat arrays: they say what LightGBM says, and learn what there is to tell apart."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.kit.learning.additive import contrasted, flattened, predicted, regressed, settings, total

RNG = np.random.default_rng(1)
ASIDE = np.arange(3_000) % 5 == 0


def _matrix(rows: int = 2_000) -> np.ndarray:
    """Return features with few values, many, zeros, huge ones and a constant."""
    return np.column_stack([
        RNG.integers(0, 9, rows), RNG.normal(size=rows), np.where(RNG.random(rows) < 0.5, 0, RNG.normal(size=rows)),
        RNG.choice([-1e30, -1, 0, 1e-20, 5, 1e30], rows), np.full(rows, 7),
    ]).astype(np.float32)  # fmt: skip


@pytest.mark.parametrize("objective", ["regression", "binary"])
@pytest.mark.parametrize("rounds", [1, 12, 40])
def test_it_says_what_lightgbm_says(objective: str, rounds: int) -> None:
    """Added up row by row, the trees predict what LightGBM predicts with as many rounds, on rows it never saw."""
    matrix, asked = _matrix(), _matrix(700)
    target = matrix[:, 0] + np.sin(3 * matrix[:, 1]) + (matrix[:, 2] == 0) + (matrix[:, 3] > 1)
    label: Any = target > 5 if objective == "binary" else target
    how = settings(len(matrix), Context(seed=1), objective=objective, num_leaves=13)
    booster = lightgbm.train(how, lightgbm.Dataset(matrix, label, params=how), num_boost_round=40)
    trees = flattened(booster, rounds)
    assert len(trees.roots) == rounds
    said = booster.predict(asked, num_iteration=rounds, raw_score=True)
    assert predicted(trees, asked) == pytest.approx(said, abs=1e-4)
    assert [total(trees, row) for row in asked[:20]] == predicted(trees, asked[:20]).tolist()


def test_nothing_to_learn() -> None:
    """A target of one value, or features of one value, predict the mean."""
    same = np.zeros((100, 2), np.float32)
    for matrix, target in ((_matrix(100), np.full(100, 4.5)), (same, np.arange(100.0)), (same[:12], np.arange(12.0))):
        trees = regressed(matrix, target, (matrix, target), 5, Context())
        assert predicted(trees, matrix) == pytest.approx(np.full(len(matrix), target.mean()))


def test_numbers_are_learned() -> None:
    """A smooth function is found; the same context gives the same trees."""
    matrix = RNG.normal(size=(2_000, 3)).astype(np.float32)
    truth = np.sin(3 * matrix[:, 0]) + matrix[:, 1] ** 2
    trees = regressed(matrix, truth + RNG.normal(0, 0.1, 2_000), (matrix, truth), 100, Context(seed=2))
    fresh = RNG.normal(size=(500, 3)).astype(np.float32)
    missed = predicted(trees, fresh) - np.sin(3 * fresh[:, 0]) - fresh[:, 1] ** 2
    assert np.sqrt((missed**2).mean()) < 0.35
    again = tuple(regressed(matrix, truth, (matrix, truth), 10, Context(seed=2)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(*again, strict=True))


def test_the_log_of_the_ratio_of_densities() -> None:
    """Of two normal distributions a step apart, the trees learn the line that the theory gives."""
    real, drawn = RNG.normal(0.5, 1, (3_000, 1)), RNG.normal(-0.5, 1, (3_000, 1))
    found = contrasted(real.astype(np.float32), drawn.astype(np.float32), (ASIDE, ASIDE), 100, Context())
    at = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    assert np.abs(predicted(found.trees, at) - at[:, 0]).max() < 0.45
    truth = float(np.mean([np.log(2) - np.log1p(np.exp(-s * x)).mean() for s, x in ((1, real), (-1, drawn))]))
    assert found.gain == pytest.approx(truth, abs=0.04)


def test_more_draws_than_real_rows() -> None:
    """Three times as many drawn rows as real ones weigh as much as these: nothing seems likelier for being more."""
    real, drawn = RNG.normal(size=(1_000, 1)), RNG.normal(size=(3_000, 1))
    found = contrasted(real.astype(np.float32), drawn.astype(np.float32), (ASIDE[:1_000], ASIDE), 30, Context())
    said = predicted(found.trees, real.astype(np.float32))
    assert abs(said.mean()) < 0.15


def test_nothing_to_tell_apart() -> None:
    """Rows of the same distribution gain nothing, and training stops early."""
    real, drawn = RNG.normal(size=(2, 3_000, 4)).astype(np.float32)
    found = contrasted(real, drawn, (ASIDE, ASIDE), 300, Context())
    assert found.gain < 0.003
    assert len(found.trees.roots) < 60


def test_what_the_rows_aside_say_counts() -> None:
    """A difference that only the rows to learn from show is no gain."""
    real, drawn = RNG.normal(size=(2, 3_000, 1)).astype(np.float32)
    real[~ASIDE] += 3
    assert contrasted(real, drawn, (ASIDE, ASIDE), 50, Context()).gain <= 0
