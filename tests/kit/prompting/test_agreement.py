"""Agreement beyond chance: published values, plain twins, intervals that hold the truth, honest thresholds."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.kit.prompting import agreement
from synthwright.kit.prompting.agreement import alpha_estimate, cohen_kappa, kappa_estimate, krippendorff_alpha

NAN = math.nan
COHEN = ((88, 14, 18), (10, 40, 10), (2, 6, 12))
"""Rulings of two judges on 200 patients: Cohen (1960), table 2."""
KRIPPENDORFF = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]).T  # fmt: skip
"""Four observers, twelve units, missing values: Krippendorff (2011), section C."""


def rng(*place: str) -> np.random.Generator:
    """Return a stream of randomness."""
    return Context(seed=4, place=place).rng


def spread_out(table: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the two columns of rulings that a table counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])


def plain_kappa(one: list[float], other: list[float], power: float) -> float:
    """Return kappa, one pair after another."""

    def apart(a: float, b: float) -> float:
        return abs(a - b) ** power if power else float(a != b)

    seen = sum(apart(a, b) for a, b in zip(one, other, strict=True)) / len(one)
    chance = sum(apart(a, b) for a in one for b in other) / len(one) ** 2
    return 1 - seen / chance if chance else NAN


def plain_alpha(units: list[list[float]], level: str) -> float:
    """Return alpha from all pairs of ratings, as it is defined."""
    rated = [known for u in units if len(known := [v for v in u if not math.isnan(v)]) > 1]
    every = [v for u in rated for v in u]

    def far(a: float, b: float) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        return (sum(low <= v <= high for v in every) - (every.count(a) + every.count(b)) / 2) ** 2

    seen = sum(far(a, b) / (len(u) - 1) for u in rated for a, b in permutations(u, 2)) / len(every)
    chance = sum(far(a, b) for a, b in permutations(every, 2)) / len(every) / (len(every) - 1)
    return 1 - seen / chance if chance else NAN


def test_published_values() -> None:
    """The examples of Cohen (1960) and Krippendorff (2011) come out as they are printed."""
    assert cohen_kappa(*spread_out(COHEN)) == pytest.approx(0.492, abs=5e-4)
    assert cohen_kappa(*spread_out(((25, 13, 12), (12, 2, 16), (3, 15, 2)))) == pytest.approx(-0.09, abs=5e-3)
    printed = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}
    found = {level: krippendorff_alpha(KRIPPENDORFF, level=level) for level in printed}  # type: ignore[arg-type]
    assert found == pytest.approx(printed, abs=5e-4)


def test_by_hand() -> None:
    """Weighted kappa of a table small enough for pencil and paper: 3 of 4 agree, one is two steps off."""
    one, other = np.array([1, 2, 3, 1]), np.array([1, 2, 3, 3])
    assert cohen_kappa(one, other) == pytest.approx(1 - (1 / 4) / (11 / 16))
    assert cohen_kappa(one, other, weights="linear") == pytest.approx(1 - (2 / 4) / (16 / 16))
    assert cohen_kappa(one, other, weights="quadratic") == pytest.approx(1 - (4 / 4) / (26 / 16))


@pytest.mark.parametrize("trial", range(8))
def test_twins(trial: int) -> None:
    """Kappa and alpha agree with plain Python on random ratings, and are the values of their estimates."""
    draw = rng("twins", str(trial))
    one, other = draw.integers(1, 6, (2, 25))
    for power, weights in ((0, "none"), (1, "linear"), (2, "quadratic")):
        twin = pytest.approx(plain_kappa(one.tolist(), other.tolist(), power))
        assert cohen_kappa(one, other, weights=weights) == twin  # type: ignore[arg-type]
        assert kappa_estimate(one, other, draw, weights=weights).value == twin  # type: ignore[arg-type]
    ratings = np.where(draw.random((12, 4)) < 0.3, NAN, draw.integers(1, 5, (12, 4)).astype(float))
    for level in ("nominal", "ordinal", "interval"):
        twin = pytest.approx(plain_alpha(ratings.tolist(), level))
        assert krippendorff_alpha(ratings, level=level) == twin
        assert alpha_estimate(ratings, draw, level=level).value == twin


def test_nothing_to_disagree_about() -> None:
    """Where all say the same, or nobody rated twice, there is no value, and no interval."""
    same, nobody = np.ones(9), np.array([[1.0, NAN], [NAN, 2.0]])
    assert math.isnan(cohen_kappa(same, same))
    assert all(map(math.isnan, kappa_estimate(same, same, rng())))
    assert all(map(math.isnan, kappa_estimate(same[:0], same[:0], rng())))
    assert math.isnan(krippendorff_alpha(nobody))
    assert all(map(math.isnan, alpha_estimate(nobody, rng())))
    assert math.isnan(krippendorff_alpha(np.ones((5, 2))))
    assert cohen_kappa(np.array([0, 1]), np.array([0, 1])) == 1


def test_intervals_hold_the_truth() -> None:
    """About 95 of 100 intervals hold the kappa and alpha of the population; both follow from their stream alone."""
    held = {"kappa": 0, "alpha": 0}
    for trial in range(100):
        draw = rng("held", str(trial))
        truth = draw.random(80) < 0.5
        one, other = (np.where(draw.random(80) < 0.85, truth, ~truth).astype(float) for _ in range(2))
        kappa, alpha = kappa_estimate(one, other, draw), alpha_estimate(np.column_stack([one, other]), draw)
        held["kappa"] += kappa.low <= 0.49 <= kappa.high  # agree in 0.85² + 0.15² = 0.745: 2 × 0.745 - 1
        held["alpha"] += alpha.low <= 0.49 <= alpha.high
    assert min(held.values()) >= 87, held
    assert max(held.values()) <= 100
    assert kappa_estimate(one, other, rng("x")) == kappa_estimate(one, other, rng("x"))


def test_threshold() -> None:
    """The threshold is where people cut; of several the nearest to the stated one; what has no score never stays."""
    scores, places = np.array([1.0, 2, 2, 3, 4, 4, 5, NAN]), np.arange(2, 6)
    for by in ("kappa", "youden"):
        assert agreement.best_threshold(scores, scores >= 4, places, by, 3) == 4
    few = np.array([1.0, 1, 5, 5])
    assert [agreement.best_threshold(few, few > 3, places, "kappa", near) for near in (2, 3, 5)] == [2, 3, 5]
    rare = np.array([True] + [False] * 9 + [True] * 3 + [False] * 2)
    given = np.array([2.0] + [1.0] * 9 + [3.0] * 3 + [2.0] * 2)
    assert agreement.best_threshold(given, rare, places, "kappa", 3) == 3
    assert agreement.best_threshold(given, rare, places, "youden", 3) == 2


def test_cross_fitting_is_honest() -> None:
    """Where scores say nothing, thresholds fitted to the same rows seem to agree, and cross-fitted ones do not."""
    fitted, honest = [], []
    for trial in range(150):
        draw = rng("honest", str(trial))
        scores, keep = draw.integers(1, 11, 30).astype(float), draw.random(30) < 0.5
        best = agreement.best_threshold(scores, keep, np.arange(2, 11), "kappa", 5)
        fitted.append(cohen_kappa(scores >= best, keep))
        honest.append(cohen_kappa(agreement.cross_fitted(scores, keep, np.arange(2, 11), "kappa", 5, draw), keep))
    assert np.nanmean(fitted) > 0.15
    assert np.nanmean(honest) < 0.05
