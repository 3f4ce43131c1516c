"""Distances counted by group agree with plain ones, and what they say of chance is what chance does."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.kit.measuring import replicas, stats
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.replicas import EXCHANGES, Replicas, told
from synthwright.kit.measuring.stats import GROUPS

FEW = st.sampled_from([-math.inf, -1e308, -1.0, 0.0, 5e-324, 1.0, 2.0, 1e308, math.inf, math.nan])
NUMBERS = st.lists(FEW, min_size=1, max_size=30)
CODES = st.lists(st.integers(0, 3), min_size=1, max_size=50)


def dealt(real: int, synthetic: int, second: int, seed: int = 3) -> Replicas:
    """Return how three samples are dealt."""
    return replicas.dealt(real, synthetic, second, Context(seed=seed).rng)


def variation(left: list[int], right: list[int]) -> float:
    """Return the total variation distance, one code after the other."""
    one, other = Counter(left), Counter(right)
    return sum(abs(one[k] / max(len(left), 1) - other[k] / max(len(right), 1)) for k in range(4)) / 2


@settings(deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_ordered_is_kolmogorov_smirnov(real: list[float], synthetic: list[float], second: list[float]) -> None:
    """Value and reference are the exact distances."""
    columns = [np.array(v) for v in (real, synthetic, second)]
    found = dealt(len(real), len(synthetic), len(second)).ordered(columns[0], np.concatenate(columns[1:]))
    assert found[0] == pytest.approx(stats.kolmogorov_smirnov(columns[0], columns[1]))
    assert found[1] == pytest.approx(stats.kolmogorov_smirnov(columns[0], columns[2]))


@settings(deadline=None)
@given(CODES, CODES, CODES)
def test_labelled_twin(real: list[int], synthetic: list[int], second: list[int]) -> None:
    """Every replicate is the distance of the rows whose groups count; exchanges are halves that make up the whole."""
    how = dealt(len(real), len(synthetic), len(second))
    found = how.labelled(np.array(real), np.array(synthetic + second), 4)
    assert found[0] == pytest.approx(variation(real, synthetic))
    assert found[1] == pytest.approx(variation(real, second))
    for g in range(GROUPS):
        less = [c for c, at in zip(real, how.real, strict=True) if at != g]
        theirs = [c for c, at in zip(synthetic, how.other, strict=False) if at != g]
        assert found[2 + g] == pytest.approx(variation(less, theirs))
    first, last = how.chosen[2 + GROUPS], how.chosen[2 + GROUPS + EXCHANGES]
    assert (first + last == 1).all()
    assert first[:GROUPS].sum() == first[GROUPS:].sum() == GROUPS // 2
    half = [c for c, at in zip(synthetic + second, how.other, strict=True) if first[at]]
    assert found[2 + GROUPS] == pytest.approx(variation(real, half))


def test_correlations_are_spearmans() -> None:
    """Half the difference of Spearman's correlations, also where some are missing; 0 where nothing varies."""
    from scipy.stats import spearmanr

    rng = Context(seed=5).rng
    left = [rng.normal(size=200).round(1) for _ in range(3)]
    right = [v * s + rng.normal(size=200).round(1) for v, s in zip(left, (1, -1, 0.5), strict=True)]
    ranks = [[stats.midranks(v, np.sort(v)) for v in side] for side in (left, right)]
    real = ranks[0][0], ranks[1][0]
    apart = np.concatenate(ranks[0][1:]), np.concatenate(ranks[1][1:])
    how = dealt(200, 200, 200)
    found = how.correlated(real, apart, apart)
    wanted = [spearmanr(x, y).statistic for x, y in zip(left, right, strict=True)]
    assert found[0] == pytest.approx(abs(wanted[0] - wanted[1]) / 2)
    assert found[1] == pytest.approx(abs(wanted[0] - wanted[2]) / 2)
    flat = np.full(400, 0.5)
    assert how.correlated(real, (flat, apart[1]), (flat, apart[1]))[0] == pytest.approx(abs(wanted[0]) / 2)
    holed = np.where(np.arange(400) % 4 > 0, apart[0], np.nan)
    kept = np.arange(200) % 4 > 0
    some = np.corrcoef(apart[0][:200][kept], apart[1][:200][kept])[0, 1]
    assert how.correlated(real, (holed, apart[1]), (holed, apart[1]))[0] == pytest.approx(abs(wanted[0] - some) / 2)


def test_intervals_hold_what_varies() -> None:
    """The interval is about as wide as the distance varies from sample to sample."""
    rng, found = Context(seed=2).rng, []
    for i in range(200):
        real, other = rng.normal(size=400), rng.normal(0.5, 1, size=300)
        found.append(told(dealt(400, 300, 1, seed=i).ordered(real, np.append(other, 0.0))).estimate)
    spread = float(np.std([e.value for e in found]))
    assert np.mean([e.high - e.low for e in found]) == pytest.approx(2 * 2.09 * spread, rel=0.25)


@pytest.mark.parametrize("labelled", [False, True])
def test_chance_is_what_chance_does(labelled: bool) -> None:  # noqa: FBT001
    """The error of value less reference is what it is among second real samples, and what is moved exceeds chance."""
    rng, errors = Context(seed=4).rng, []
    found: list[float] = []
    moved: list[float] = []
    for i in range(300):
        columns = [rng.normal(size=n) for n in (200, 400, 400)]
        how = dealt(200, 400, 400, seed=i)
        for shift, out in ((0.0, found), (1.0, moved)):
            other = np.concatenate([columns[1] + shift, columns[2]])
            if labelled:
                codes = [np.clip(v + 2, 0, 3).astype(np.int64) for v in (columns[0], other)]
                said = told(how.labelled(codes[0], codes[1], 4))
            else:
                said = told(how.ordered(columns[0], other))
            out.append((said.estimate.value - said.reference) / (allowance(said.error) if shift else 1.0))
            if not shift:
                errors.append(said.error)
    assert float(np.std(found)) == pytest.approx(float(np.mean(errors)), rel=0.15)
    assert abs(float(np.mean(found))) < 3 * float(np.std(found)) / math.sqrt(300)
    assert min(moved) > 1
