"""What metrics count with agrees with plain twins, and intervals are as wide as the truth varies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.kit.measuring import stats
from synthwright.kit.measuring.stats import Estimate

FEW = st.sampled_from([-math.inf, -1e308, -1.0, 0.0, 5e-324, 1.0, 2.0, 1e308, math.inf])
SAMPLES = st.lists(st.none() | FEW, min_size=1, max_size=30)


def floats(values: Sequence[float | None]) -> np.ndarray:
    """Return numbers with NaN where there is none."""
    return np.array([math.nan if v is None else v for v in values])


def plain_distance(left: list[float | None], right: list[float | None]) -> float:
    """Return the Kolmogorov-Smirnov distance, one point and one place of nulls after the other."""
    farthest = 0.0
    for nulls_first in (True, False):
        for at in [x for x in left + right if x is not None] + [-math.inf]:
            up_to = [
                sum((v is None and nulls_first) or (v is not None and v <= at) for v in side) / len(side)
                for side in (left, right)
            ]
            farthest = max(farthest, abs(up_to[0] - up_to[1]))
        only_nulls = [sum(v is None for v in side) / len(side) for side in (left, right)]
        farthest = max(farthest, abs(only_nulls[0] - only_nulls[1]))
    return farthest


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_kolmogorov_smirnov_twin(left: list[float | None], right: list[float | None]) -> None:
    """The distance is the largest difference of shares up to any point, nulls below or above."""
    wanted = plain_distance(left, right)
    assert stats.kolmogorov_smirnov(floats(left), floats(right)) == pytest.approx(wanted)


def test_kolmogorov_smirnov_nulls() -> None:
    """A difference in nulls alone is the distance, also where the values are alike."""
    values = np.arange(100.0)
    holey = values.copy()
    holey[::4] = np.nan
    assert stats.kolmogorov_smirnov(values, holey) == pytest.approx(0.25, abs=0.01)
    assert stats.kolmogorov_smirnov(values, np.full(7, np.nan)) == 1.0
    assert stats.kolmogorov_smirnov(np.full(3, np.nan), np.full(7, np.nan)) == 0.0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_twin(rows: list[tuple[int, bool]]) -> None:
    """The area under the curve is how often a positive scores above a negative, ties half."""
    ups = [s for s, positive in rows if positive]
    downs = [s for s, positive in rows if not positive]
    if not ups or not downs:
        return
    wanted = sum((u > d) + (u == d) / 2 for u in ups for d in downs) / (len(ups) * len(downs))
    value, influence = stats.auc(np.array([s for s, _ in rows], dtype=float), np.array([p for _, p in rows]))
    assert value == pytest.approx(wanted)
    assert influence.sum() == pytest.approx(0, abs=1e-9)


def test_auc_interval_true() -> None:
    """The interval of the area is as wide as the area varies from sample to sample."""
    rng = Context(seed=1).rng
    found = []
    for _ in range(300):
        truth = np.repeat([True, False], [40, 60])
        found.append(stats.from_influence(*stats.auc(rng.normal(size=100) + truth, truth)))
    spread = float(np.std([e.value for e in found]))
    assert np.mean([e.high - e.low for e in found]) == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_deal_even() -> None:
    """Groups are equal in size as far as they can be, and random."""
    counts = np.bincount(stats.deal(1_005, Context().rng), minlength=stats.GROUPS)
    assert set(counts) == {50, 51}


def test_wilson() -> None:
    """The interval of a share is right at its ends: none of ten may be a quarter."""
    assert stats.wilson(0, 10) == pytest.approx((0, 0, 0.2775), abs=1e-4)
    assert stats.wilson(10, 10) == pytest.approx((1, 0.7225, 1), abs=1e-4)
    assert stats.wilson(5, 10) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.data())
def test_single_row_shows(rows: int, data: st.DataObject) -> None:
    """Rounding a share of rows never makes a fault disappear."""
    wrong = data.draw(st.integers(1, min(rows, 5)))
    digits = stats.decimals(rows, share=True)
    assert round((rows - wrong) / rows, digits) < 1
    assert round(wrong / rows, digits) > 0


def test_decimals_follow_sample() -> None:
    """A small sample tells two decimals, a large one more; never more than six."""
    assert [stats.decimals(n) for n in (0, 1, 100, 10_000, 50_000, 10**12)] == [2, 2, 2, 3, 4, 6]


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_midranks_twin(values: list[float | None], among: list[float | None]) -> None:
    """A value's rank is the share of the sample below it, and half of that equal to it."""
    known = sorted(a for a in among if a is not None)
    found = stats.midranks(floats(values), np.array(known))
    for value, rank in zip(values, found, strict=True):
        if value is None:
            assert math.isnan(rank)
        else:
            wanted = sum((a < value) + (a == value) / 2 for a in known) / max(len(known), 1)
            assert rank == pytest.approx(wanted)


@settings(deadline=None)
@given(SAMPLES, st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_bins_hold_their_edges(values: list[float | None], at: list[float]) -> None:
    """Edges are values of the sample; a bin reaches up to its edge; nulls have the last bin."""
    held = floats(values)
    edges = stats.quantiles(held, np.array(sorted(at)))
    assert set(edges) <= {v for v in values if v is not None}
    for value, code in zip(values, stats.binned(held, edges), strict=True):
        wanted = len(edges) + 1 if value is None else sum(e < value for e in edges)
        assert code == wanted


def test_shared_codes() -> None:
    """Labels have the same code in every column, and null is the last."""
    one = pa.array(["a", None, "b"], pa.large_string())
    two = pa.chunked_array([["b"], ["c", None]], pa.large_string())
    (left, right), size = stats.shared_codes([one, two])
    assert size == 4
    assert left[2] == right[0]
    assert left[1] == right[2] == size - 1
    assert len({*left, *right}) == 4
    (empty, _), size = stats.shared_codes([one.slice(0, 0), two.slice(0, 0)])
    assert (len(empty), size) == (0, 1)


def test_estimates() -> None:
    """Estimates are averaged end by end, clipped to their bounds, and rounded without a minus before zero."""
    both = stats.mean([Estimate(0.0, -0.2, 0.2), Estimate(1.0, 0.9, 1.3)])
    assert both == pytest.approx((0.5, 0.35, 0.75))
    assert Estimate(0.5, -0.2, 1.3).within((0, 1)) == (0.5, 0, 1)
    assert str(Estimate(-0.0001, -0.2, 0.0).rounded(2)) == "Estimate(value=0.0, low=-0.2, high=0.0)"
