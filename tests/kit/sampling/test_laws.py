"""Every family of distributions is what its name says: drawn, cut off, told from both ends, for one number or many.

Statistical tests are at a false-alarm level of 1e-6 each, with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from synthwright.core.context import Context
from synthwright.core.errors import SampleError
from synthwright.kit.sampling.families import (
    Exponential,
    Family,
    Lognormal,
    Normal,
    Pareto,
    Triangular,
    Uniform,
    Weibull,
)
from synthwright.kit.sampling.families_special import Beta, Gamma, StudentT
from synthwright.kit.sampling.families_whole import Binomial, Geometric, NegativeBinomial, Poisson, Zipf
from synthwright.kit.sampling.laws import Cut, Law, Mixed, Single

LEVEL = 1e-6
ROWS = 20_000

CASES: list[tuple[type[Family], dict[str, float], Any, tuple[float, float]]] = [
    (Normal, {"mean": 5, "sd": 2}, stats.norm(5, 2), (6.5, 9)),
    (Lognormal, {"mu": 1, "sigma": 0.7}, stats.lognorm(0.7, scale=np.e), (0.5, 2)),
    (Lognormal, {"median": 8, "sigma": 1.2}, stats.lognorm(1.2, scale=8), (20, 200)),
    (Uniform, {"low": -2, "high": 6}, stats.uniform(-2, 8), (1, 3)),
    (Exponential, {"mean": 3}, stats.expon(scale=3), (1, 12)),
    (Pareto, {"minimum": 2, "shape": 1.7}, stats.pareto(1.7, scale=2), (3, 50)),
    (Weibull, {"shape": 0.8, "scale": 4}, stats.weibull_min(0.8, scale=4), (0.1, 3)),
    (Triangular, {"low": 1, "mode": 2, "high": 6}, stats.triang(0.2, 1, 5), (1.5, 4)),
    (Triangular, {"low": 1, "mode": 6, "high": 6}, stats.triang(1, 1, 5), (1.5, 4)),
    (Beta, {"a": 0.7, "b": 2.5, "low": 10, "high": 30}, stats.beta(0.7, 2.5, 10, 20), (12, 18)),
    (Gamma, {"shape": 0.6, "scale": 3}, stats.gamma(0.6, scale=3), (0.5, 4)),
    (Gamma, {"shape": 9, "scale": 2}, stats.gamma(9, scale=2), (25, 60)),
    (StudentT, {"df": 2.5, "center": 1, "scale": 3}, stats.t(2.5, 1, 3), (4, 40)),
    (Poisson, {"mean": 4.2}, stats.poisson(4.2), (2.5, 6)),
    (Poisson, {"mean": 3000}, stats.poisson(3000), (3050, 3100)),
    (Binomial, {"trials": 12, "probability": 0.3}, stats.binom(12, 0.3), (5, 12)),
    (NegativeBinomial, {"mean": 5, "size": 0.6}, stats.nbinom(0.6, 0.6 / 5.6), (10, 40)),
    (Geometric, {"probability": 0.15}, stats.geom(0.15), (4, 9)),
    (Zipf, {"exponent": 2.2}, stats.zipf(2.2), (2, 30)),
    (Zipf, {"exponent": 0.8, "ranks": 50}, stats.zipfian(0.8, 50), (3, 20)),
]
NAMES = [f"{family.label} {','.join(map(str, p.values()))}" for family, p, _, _ in CASES]


def rng(*place: str) -> np.random.Generator:
    """Return the randomness of a test."""
    return Context(seed=5).at(*place).rng


def many(p: Mapping[str, float], rows: int) -> dict[str, float | np.ndarray]:
    """Return the parameters as one number a row, all alike; where there are ranks they are one number always."""
    return {n: v if "ranks" in p else np.full(rows, float(v)) for n, v in p.items()}


def cut(truth: Any, low: float, high: float, *, whole: bool) -> Any:
    """Return the distribution function of what lies between two ends."""
    below = truth.cdf(np.ceil(low) - 1 if whole else low)
    return lambda x: np.clip((truth.cdf(x) - below) / (truth.cdf(high) - below), 0, 1)


def fits(values: np.ndarray, cdf: Any, *, whole: bool) -> float:
    """Return the chance of values as far from a distribution function (Kolmogorov–Smirnov, or chi-square of counts)."""
    if not whole:
        return float(stats.kstest(values, cdf).pvalue)
    least, most = int(values.min()), int(values.max())
    k = np.arange(least, most + 1)
    ends = np.append(cdf(k[:-1]), 1.0)
    expected = np.diff(ends, prepend=0.0) * len(values)
    seen = np.bincount((values - least).astype(int), minlength=len(k))
    groups = np.minimum(np.cumsum(expected) // 20, expected.sum() // 20 - 1).astype(int)
    pooled, counts = (np.bincount(groups, v) for v in (expected, seen))
    return float(stats.chisquare(counts[pooled > 0], pooled[pooled > 0]).pvalue)


@pytest.mark.parametrize(("family", "p", "truth", "ends"), CASES, ids=NAMES)
@pytest.mark.parametrize("rowwise", [False, True])
def test_drawn(family: type[Family], p: dict[str, float], truth: Any, ends: tuple[float, float], rowwise: bool) -> None:  # noqa: FBT001
    """What is drawn, whole and cut off, follows the distribution that the name stands for."""
    law = Single(family, many(p, ROWS) if rowwise else p)
    whole = law.draw(rng("whole", family.label), ROWS)
    assert fits(whole, truth.cdf, whole=family.whole) > LEVEL
    if np.isfinite(truth.var()):
        assert abs(whole.mean() - truth.mean()) < stats.norm.isf(LEVEL / 2) * truth.std() / np.sqrt(ROWS)
    inside = Cut(law, *ends).draw(rng("cut", family.label), ROWS)
    assert ends[0] <= inside.min() <= inside.max() <= ends[1]
    assert fits(inside, cut(truth, *ends, whole=family.whole), whole=family.whole) > LEVEL
    if family.whole:
        assert np.array_equal(inside, np.rint(inside))


@pytest.mark.parametrize(("family", "p", "truth", "ends"), CASES, ids=NAMES)
@pytest.mark.parametrize("rowwise", [False, True])
def test_tails(family: type[Family], p: dict[str, float], truth: Any, ends: tuple[float, float], rowwise: bool) -> None:  # noqa: FBT001
    """Shares below and above, and the values at shares, are those of a reference, far out in the tails too."""
    shares = np.array([1e-12, 1e-5, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-5])
    x = truth.ppf(shares)
    law = Single(family, many(p, len(x)) if rowwise else p)
    below, above = law.tails(x)
    assert below == pytest.approx(truth.cdf(x), rel=1e-6, abs=1e-15)
    assert above == pytest.approx(truth.sf(x), rel=1e-6, abs=1e-15)
    if family.whole:
        assert law.quantile(shares, 1 - shares) == pytest.approx(x)
    else:
        found = law.quantile(shares, 1 - shares)
        assert truth.cdf(found) == pytest.approx(shares, rel=1e-6)
        far = law.quantile(1 - shares * 1e-6, shares * 1e-6)
        assert truth.sf(far) == pytest.approx(shares * 1e-6, rel=1e-5)
    for end, sides in ((-np.inf, (0, 1)), (np.inf, (1, 0))):
        assert [float(np.ravel(s)[0]) for s in law.tails(np.full(len(x), end))] == pytest.approx(sides)
    strictly = truth.cdf(np.ceil(ends[0]) - 1 if family.whole else ends[0])
    assert law.under(np.float64(ends[0]))[0] == pytest.approx(strictly)


def test_far_tail() -> None:
    """A stretch far out is drawn from as exactly as the middle."""
    law = Cut(Single(Normal, {"mean": 0.0, "sd": 1.0}), 9.0, np.inf)
    found = law.draw(rng("far"), ROWS)
    assert stats.kstest(found, lambda x: 1 - stats.norm.sf(x) / stats.norm.sf(9.0)).pvalue > LEVEL
    counted = Cut(Single(Poisson, {"mean": 10.0}), 60, np.inf).draw(rng("counted"), ROWS)
    shares = stats.poisson(10).pmf([60, 61, 62])
    seen = np.bincount(counted.astype(int))[60:63]
    assert seen[1] / seen[0] == pytest.approx(shares[1] / shares[0], rel=0.1)
    low = Cut(Single(Poisson, {"mean": 1000.0}), 0, 581).draw(rng("low"), ROWS)
    below, whole = stats.poisson(1000).cdf([579, 581])
    assert stats.binomtest(int((low < 580).sum()), ROWS, below / whole).pvalue > LEVEL


def test_each_row_its_own() -> None:
    """Parameters and ends that differ from row to row count for their own row."""
    mean, low = np.repeat([0.0, 100.0], ROWS), np.repeat([1.0, 99.0], ROWS)
    law = Cut(Single(Normal, {"mean": mean, "sd": 1.0}), low, low + 2)
    found = law.draw(rng("rows"), 2 * ROWS)
    for part, middle, end in ((found[:ROWS], 0, 1), (found[ROWS:], 100, 99)):
        assert fits(part, cut(stats.norm(middle, 1), end, end + 2, whole=False), whole=False) > LEVEL
    gamma = Cut(Single(Gamma, {"shape": np.repeat([2.0, 50.0], ROWS), "scale": 1.0}), np.repeat([0.0, 70.0], ROWS), 80)
    found = gamma.draw(rng("gammas"), 2 * ROWS)
    assert fits(found[:ROWS], cut(stats.gamma(2), 0, 80, whole=False), whole=False) > LEVEL
    assert fits(found[ROWS:], cut(stats.gamma(50), 70, 80, whole=False), whole=False) > LEVEL


MIXED = Mixed([Single(Normal, {"mean": 0.0, "sd": 1.0}), Single(Exponential, {"mean": 5.0})], [1, 3])


def mixed_cdf(x: Any) -> Any:
    """Return the distribution function of the mixture."""
    return 0.25 * stats.norm.cdf(x) + 0.75 * stats.expon(scale=5).cdf(x)


def test_mixture() -> None:
    """A mixture has each part in its share, also where it is cut off, and its quantiles are those of the whole."""
    assert stats.kstest(MIXED.draw(rng("mixed"), ROWS), mixed_cdf).pvalue > LEVEL
    low, high = -0.5, 2.0
    found = Cut(MIXED, low, high).draw(rng("mixed cut"), ROWS)
    below, above = mixed_cdf(low), mixed_cdf(high)
    assert stats.kstest(found, lambda x: (mixed_cdf(x) - below) / (above - below)).pvalue > LEVEL
    shares = np.array([0.001, 0.2, 0.9, 0.999])
    assert mixed_cdf(MIXED.quantile(shares, 1 - shares)) == pytest.approx(shares)
    rowwise = Cut(MIXED, np.full(ROWS, low), np.full(ROWS, high)).draw(rng("mixed rows"), ROWS)
    assert stats.kstest(rowwise, lambda x: (mixed_cdf(x) - below) / (above - below)).pvalue > LEVEL


@pytest.mark.parametrize("law", [Single(Normal, {"mean": 2.0, "sd": 1.5}), Single(Gamma, {"shape": 3.0, "scale": 1.0}),
                                 Single(Poisson, {"mean": 4.0}), MIXED])  # fmt: skip
def test_cut_tails(law: Law) -> None:
    """What is cut off knows its own shares: they run from 0 to 1 between its ends, and lead back to the values."""
    held = Cut(law, 1.0, 6.0)
    below, above = held.tails(np.array([0.5, 6.0, 7.0]))
    assert below == pytest.approx([0, 1, 1])
    assert above == pytest.approx([1, 0, 0])
    shares = np.array([0.1, 0.5, 0.93])
    back = held.tails(held.quantile(shares, 1 - shares))[0]
    assert (back >= shares - 1e-9).all() if law.whole else back == pytest.approx(shares)


EMPTY: list[Law] = [Single(Uniform, {"low": 0.0, "high": 1.0}), Single(Binomial, {"trials": 3.0, "probability": 0.5}),
                    Single(Beta, {"a": 2.0, "b": 2.0, "low": 0.0, "high": 1.0}), MIXED]  # fmt: skip


@pytest.mark.parametrize("law", EMPTY)
def test_nothing_between(law: Law) -> None:
    """Ends with nothing of the distribution between them are refused, and how many rows that concerns is said."""
    ends = (-90.0, -80.0)
    assert not law.within(*ends) > 0
    with pytest.raises(SampleError, match="none in"):
        Cut(law, *ends).draw(rng("none"), 10)
    with pytest.raises(SampleError, match="none in 3 rows"):
        Cut(law, np.where(np.arange(10) < 3, -90, 0.0), np.where(np.arange(10) < 3, -80, 1.0)).draw(rng("some"), 10)
