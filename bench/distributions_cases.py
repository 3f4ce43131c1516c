"""The cases of `bench/distributions.py`: every rule for single values, with what was declared and its test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from synthwright.core.schema import Schema

ROWS = 10_000
FIELDS = {"n": "number", "m": "number", "i": "integer", "c": "category", "b": "boolean", "s": "text", "age": "integer",
          "sex": "category"}  # fmt: skip
SCHEMA = Schema.model_validate({"tables": {"t": {"fields": {n: {"kind": k} for n, k in FIELDS.items()}}}})
Test = Callable[[pa.Table, float], float]
"""Tests a table; the number says how far shares are tilted: the least values more often, the greatest less."""
Case = tuple[str, str, dict[str, Any], Test]
"""The rule, the columns it makes, its parameters, and its test."""


def ks(cdf: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Test:
    """Return the test of numbers against their distribution function, which may depend on the ages."""

    def test(table: pa.Table, tilt: float) -> float:
        share = cdf(np.array(table.column("n"), dtype=float), np.array(table.column("age"), dtype=float))
        return float(stats.kstest(share + tilt * share * (1 - share), "uniform").pvalue)

    return test


def cut(truth: Any, low: float, high: float) -> Test:
    """Return the test of numbers between two ends, exact in the upper tail."""
    if low > truth.median():
        return ks(lambda x, _: 1 - (truth.sf(x) - truth.sf(high)) / (truth.sf(low) - truth.sf(high)))
    return ks(lambda x, _: (truth.cdf(x) - truth.cdf(low)) / (truth.cdf(high) - truth.cdf(low)))


def tilted(shares: Any, tilt: float) -> np.ndarray:
    """Return shares that sum to one, the first of them larger and the last smaller by a tilt."""
    made = np.asarray(shares, dtype=float) / np.sum(shares)
    return made * (1 + tilt * (1 - 2 * np.cumsum(made) + made))


def chi(column: str, values: Any, shares: Any, *, above: bool = False) -> Test:
    """Return the test of a column's counts against shares; `above`: the last value stands for all larger ones."""
    keys = list(values)

    def test(table: pa.Table, tilt: float) -> float:
        held = table.column(column).to_numpy()
        found, counted = np.unique(np.minimum(held, keys[-1]) if above else held, return_counts=True)
        place = dict(zip(found.tolist(), counted.tolist(), strict=True))
        assert set(place) <= set(keys), "a value that was not declared"
        expected = tilted(shares, tilt) * len(held)
        groups = np.minimum(np.cumsum(expected) // 10, expected.sum() // 10 - 1).astype(int)
        _, groups = np.unique(groups, return_inverse=True)
        seen = np.bincount(groups, [place.get(k, 0) for k in keys])
        return float(stats.chisquare(seen, np.bincount(groups, expected)).pvalue)

    return test


def counts(truth: Any, low: int, high: int) -> Test:
    """Return the test of whole numbers against a reference, all from the highest on taken together."""
    k = np.arange(low, high + 1)
    return chi("i", k, np.append(truth.pmf(k[:-1]), truth.sf(high - 1)), above=True)


def z(score: Callable[[pa.Table, float], float]) -> Test:
    """Return the two-sided test of a standardised number."""
    return lambda table, tilt: float(2 * stats.norm.sf(abs(score(table, tilt))))


def poisson_by_age(table: pa.Table, tilt: float) -> float:
    """Test counts with a mean of their own each, spread evenly over their stretch of shares."""
    k, mean = np.array(table.column("i")), np.array(table.column("age")) + 1.0
    spread = np.random.default_rng(int(k.sum())).random(len(k))
    share = stats.poisson.cdf(k - 1, mean) + spread * stats.poisson.pmf(k, mean)
    return float(stats.kstest(share + tilt * share * (1 - share), "uniform").pvalue)


TABLE = {"F": {"0-17": {"a": 1, "b": 4}, "18+": {"b": 2, "c": 3, "d": 1}}, "M": {"0+": {"a": 5, "c": 1, "d": 5}}}


def by_sex(table: pa.Table, tilt: float) -> float:
    """Test the labels of each case against its weights, all cases in one statistic."""
    total, free = 0.0, 0
    sex, age, label = (table.column(c).to_numpy() for c in ("sex", "age", "c"))
    for who, low, high, band in (("F", 0, 17, "0-17"), ("F", 18, 99, "18+"), ("M", 0, 99, "0+")):
        held, weights = label[(sex == who) & (age >= low) & (age <= high)], TABLE[who][band]
        expected = tilted(list(weights.values()), tilt) * len(held)
        total += sum((np.sum(held == k) - e) ** 2 / e for k, e in zip(weights, expected, strict=True))
        free += len(weights) - 1
    return float(stats.chi2.sf(total, free))


def characters(table: pa.Table, tilt: float) -> float:
    """Test that every character of every class is as likely."""
    codes = np.array(table.column("s").to_pylist(), dtype=np.str_).view(np.uint32).reshape(-1, 7)
    total, free = 0.0, 0
    for place, first, size in ((0, "A", 26), (1, "A", 26), *((i, "0", 10) for i in range(3, 7))):
        seen, expected = np.bincount(codes[:, place] - ord(first), minlength=size), tilted(np.ones(size), tilt) * ROWS
        total, free = total + ((seen - expected) ** 2 / expected).sum(), free + size - 1
    return float(stats.chi2.sf(total, free))


def happened(yes: np.ndarray, chance: np.ndarray) -> float:
    """Return how far the number of events is from what the probabilities of all rows say."""
    return float((yes - chance).sum() / np.sqrt((chance * (1 - chance)).sum()))


def ill(table: pa.Table, tilt: float) -> float:
    """Return how far the number of yes is from what was declared."""
    return happened(np.array(table.column("b")), (0.1 + 0.008 * np.array(table.column("age"))) * (1 - tilt))


def empty(table: pa.Table, tilt: float) -> float:
    """Return how far the number of rows without a value is from what was declared."""
    rate = np.where(np.array(table.column("age")) < 18, 0.9, 0.05)
    return happened(table.column("n").is_null().to_numpy(), rate * (1 - tilt))


def tied(table: pa.Table, tilt: float) -> float:
    """Return how far the correlation of normal scores is from the one that was said (Fisher)."""
    other = stats.norm.ppf(stats.lognorm(0.6, scale=30).cdf(np.array(table.column("m"))))
    found = np.corrcoef(np.array(table.column("n")), other)[0, 1]
    return float((np.arctanh(found) - np.arctanh(0.4 * (1 - tilt))) * np.sqrt(ROWS - 3))


def distributions() -> dict[str, Case]:
    """Return every family of distributions, whole and cut off."""
    s = stats
    found: dict[str, Case] = {}
    for name, p, truth, low, high in (
        ("normal", {"mean": 5, "sd": 2}, s.norm(5, 2), 9, None), ("uniform", {"high": 6}, s.uniform(0, 6), 1, 3),
        ("lognormal", {"median": 8, "sigma": 1.2}, s.lognorm(1.2, scale=8), 20, 200),
        ("exponential", {"mean": 3}, s.expon(scale=3), 6, None), ("pareto", {"shape": 1.7}, s.pareto(1.7), 3, 50),
        ("weibull", {"shape": 0.8}, s.weibull_min(0.8), 0.1, 3), ("student-t", {"df": 2.5}, s.t(2.5), 2, None),
        ("triangular", {"mode": 0.2}, s.triang(0.2), 0.1, 0.6), ("gamma", {"shape": 0.6}, s.gamma(0.6), 0.5, 4),
        ("beta", {"a": 0.7, "b": 2.5}, s.beta(0.7, 2.5), 0.1, 0.4),
    ):  # fmt: skip
        found[name] = ("distribution", "n", {name: p}, ks(lambda x, _, t=truth: t.cdf(x)))  # type: ignore[misc]
        found[f"{name}, cut off"] = ("distribution", "n", {name: p, "between": [low, high]},
                                     cut(truth, low, np.inf if high is None else high))  # fmt: skip
    for title, name, whole, test in (
        ("poisson", "poisson", {"mean": 4.2}, counts(s.poisson(4.2), 0, 15)),
        ("binomial", "binomial", {"trials": 12, "probability": 0.3}, counts(s.binom(12, 0.3), 0, 12)),
        ("negative-binomial", "negative-binomial", {"mean": 5, "size": 0.6}, counts(s.nbinom(0.6, 0.6 / 5.6), 0, 60)),
        ("geometric", "geometric", {"probability": 0.15}, counts(s.geom(0.15), 1, 50)),
        ("zipf", "zipf", {"exponent": 2.2}, counts(s.zipf(2.2), 1, 60)),
        ("zipf, 50 ranks", "zipf", {"exponent": 0.8, "ranks": 50}, counts(s.zipfian(0.8, 50), 1, 50)),
    ):  # fmt: skip
        found[title] = ("distribution", "i", {name: whole}, test)
    return found


def others() -> dict[str, Case]:
    """Return every other rule, and distributions that are rounded, mixed, or follow other columns."""
    k, cells, die = np.arange(2, 8), np.diff(stats.norm(6, 3).cdf(np.arange(0, 12) - 0.5)), np.arange(1, 7)
    mixture = [{"weight": 1, "normal": {}}, {"weight": 3, "exponential": {"mean": 5}}]
    by_age = {"normal": {"mean": "20 + 0.5 * age", "sd": "1 + age / 10"}}
    letters = {"pattern": "[A-Z]{2}-[0-9]{4}"}
    margins = {"n": {"normal": {}}, "m": {"lognormal": {"median": 30, "sigma": 0.6}}}
    edges, logs = [0, 18, 65, 100], {"edges": [1, 10, 1000], "counts": [1, 1], "inside": "log-uniform"}
    d, said = "distribution", {"n~m": 0.4}
    return {
        "poisson, cut off": (d, "i", {"poisson": {"mean": 9}, "between": [2, 7]}, chi("i", k, stats.poisson(9).pmf(k))),
        "normal, whole numbers, cut off": (d, "i", {"normal": {"mean": 6, "sd": 3}, "between": [0, 10]},
                                           chi("i", range(11), cells)),
        "uniform, whole numbers": (d, "i", {"uniform": {"low": 1, "high": 6}}, chi("i", die, np.ones(6))),
        "mixture": (d, "n", {"mixture": mixture},
                    ks(lambda x, _: (stats.norm.cdf(x) + 3 * stats.expon(scale=5).cdf(x)) / 4)),
        "normal by age": (d, "n", by_age, ks(lambda x, age: stats.norm.cdf(x, 20 + 0.5 * age, 1 + age / 10))),
        "poisson by age": (d, "i", {"poisson": {"mean": "age + 1"}}, poisson_by_age),
        "nulls by age": (d, "n", {"normal": {}, "nulls": "if(age < 18, 0.9, 0.05)"}, z(empty)),
        "choice": ("choice", "c", {"values": {"w": 6, "x": 3, "y": 1, "z": 0.2}}, chi("c", "wxyz", [6, 3, 1, 0.2])),
        "choice by sex and age": ("choice", "c", {"by": ["sex", "age"], "table": TABLE}, by_sex),
        "bernoulli by age": ("bernoulli", "b", {"probability": "0.1 + 0.008 * age"}, z(ill)),
        "empirical": ("empirical", "n", {"edges": edges, "counts": [21, 60, 19]},
                      ks(lambda x, _: np.interp(x, edges, [0, 0.21, 0.81, 1]))),
        "empirical, log-uniform": ("empirical", "n", logs,
                                   ks(lambda x, _: np.interp(np.log10(x), [0, 1, 3], [0, 0.5, 1]))),
        "correlated": ("correlated", "n m", {"columns": margins, "correlations": said, "of": "scores"}, z(tied)),
        "pattern": ("pattern", "s", letters, characters),
    }  # fmt: skip
