"""Every rhythm, arrival, transition, scenario, reference and template against what was declared, over many seeds.

Each draw is tested: a p-value for each seed. What is expected is computed here, by plain arithmetic over the calendar
and textbook formulas, with nothing of the product's own. A check fails where too many p-values are small (binomial), or
where they are not uniform (Kolmogorov-Smirnov). The same draws held against something slightly wrong must be refused.

    OMP_NUM_THREADS=1 python bench/rhythms.py [--seeds 200] [--out bench/rhythms.md]
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from scipy import stats

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Schema

ROWS, PARENTS, BATCH, LEVEL, OFF = 20_000, 2_000, 16, 1e-4, 0.1
HALF, DAY, ZONE = 1_800 * 10**6, 86_400 * 10**6, "Europe/Berlin"
YEAR, SPRING, WEEKS = ("2024-01-01", "2024-12-31"), ("2024-03-25", "2024-06-02"), ("2024-01-01", "2024-12-29")
KINDS = {"at": "datetime", "day": "date", "clock": "time", "b": "boolean", "label": "category", "text": "text",
         "state": "category", "sex": "category", "age": "integer", "opened": "date", "episode": "integer"}  # fmt: skip
SCHEMA = Schema.model_validate({"tables": {
    "p": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "rate": {"kind": "number"},
          "age": {"kind": "integer"}}},
    "t": {"fields": {**{c: {"kind": k} for c, k in KINDS.items()}, "p": {"kind": "reference", "to": "p.id",
          "type": "int64"}, "zoned": {"kind": "datetime", "type": f"timestamp[us, tz={ZONE}]"}}},
}})  # fmt: skip
BEGIN = int(np.datetime64("2024-01-01", "us").astype(int))
FREE = np.array(["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-05-09", "2024-05-20", "2024-10-03",
                 "2024-12-25", "2024-12-26"], dtype="datetime64[D]").astype(int)  # fmt: skip
"""Public holidays of all Germany in 2024."""
OPEN = {"opening": {"mon-fri": "09:00-12:30, 14:00-18:00", "sat": "10:00-14:00", "sun": "22:00-02:00"}}
HOURS, WEEK, MONTHS = {"8-18": 5, "18-22": 2}, {"sat": 0.5, "sun": 0.1}, {"nov-dec": 2, "feb": 0.5}
DAYS, SEASON = np.array([1, 1, 1, 1, 1, 0.5, 0.1]), np.array([1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
LENGTHS = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
Found = dict[str, np.ndarray]
Test = Callable[[Found, float], float]
"""Tests what was made; the number says how far off that is what it is held against: 0, or `OFF`."""


class Check(NamedTuple):
    """What it is, what was declared, and what it is held against as a control, by ` | `; the draws, and the test."""

    says: str
    make: Callable[[int], Found]
    test: Test


def given(parents: int = PARENTS, rows: int = ROWS) -> Dataset:
    """Return parents with rates and ages, and rows with what rules look at: ten of each parent, in order."""
    rng, who = np.random.default_rng(0), np.arange(parents)
    opened = pa.array(rng.integers(19_723, 20_000, rows).astype(np.int32)).cast(pa.date32())
    seen = {"age": pa.array(rng.integers(0, 90, rows)), "opened": opened, "p": pa.array(np.arange(rows) // 10),
            "sex": pa.array(np.array(["F", "M"])[rng.integers(0, 2, rows)]).cast(pa.large_string())}  # fmt: skip
    held = {ROW: who, "id": who, "rate": rng.gamma(2, 0.15, parents), "age": who % 90}
    return Dataset(SCHEMA, {**Dataset.blank(SCHEMA, {"t": rows}).with_columns("t", seen).tables, "p": pa.table(held)})


def plain(column: Any) -> np.ndarray:
    """Return a column as numbers or words; instants, days and times of day as whole numbers."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.Array) and pa.types.is_temporal(whole.type):
        whole = whole.cast(pa.int32() if whole.type.bit_width == 32 else pa.int64()).cast(pa.int64())
    return np.asarray(whole.to_numpy(zero_copy_only=False) if isinstance(whole, pa.Array) else whole)


def ruled(use: str, columns: str, how: Mapping[str, Any], *, shards: int = 1, **size: int) -> Callable[[int], Found]:
    """Return what draws by a generator; of several shards, all rows one behind the other."""
    names, full = columns.split(), given(**size)
    start = full.select("t", [c for c in full.columns("t") if c not in columns.split()])
    rule: Any = registry.find("generators", use).model_validate(how)
    assert not rule.misused(SCHEMA, "t", tuple(names)), use
    model = rule.fit(start, Part(tuple(f"t.{c}" for c in names)), Context())

    def make(seed: int) -> Found:
        places = [Context(seed=seed).at("shard", i) for i in range(shards)]
        tables = [model.sample(start, place).data.tables["t"] for place in places]
        return {c: np.concatenate([plain(t.column(c)) for t in tables]) for c in (*names, "age", "sex", "opened")}

    return make


def unfolded(use: str, how: Mapping[str, Any], parents: int = PARENTS) -> Callable[[int], Found]:
    """Return what draws by a process: the columns it fills, whose each row is, and the parents' own columns."""
    process: Any = registry.find("processes", use).model_validate(how)
    assert not process.misused(SCHEMA, "t", "p"), use
    start = given(parents)
    own = {c: plain(start.tables["p"].column(c)) for c in ("rate", "age")}

    def make(seed: int) -> Found:
        whose, columns = process.unfold(start, "t", "p", Context(seed=seed))
        return {**{c: plain(v) for c, v in columns.items()}, "whose": whose, **own}

    return make


def chi(seen: np.ndarray, expected: np.ndarray, free: int | None = None) -> float:
    """Return the p-value of counts, chi-square; 0 where there is something in a cell that cannot have any."""
    kept = expected > 0
    total = ((seen - expected)[kept] ** 2 / expected[kept]).sum()
    return 0.0 if seen[~kept].any() else float(stats.chi2.sf(total, kept.sum() - 1 if free is None else free))


def shared(seen: np.ndarray, shares: Any, off: float) -> float:
    """Test counts against shares, of which the first is larger by so much."""
    weights = np.asarray(shares, dtype=float) * np.append(1 + off, np.ones(len(seen) - 1))
    return chi(seen, weights / weights.sum() * seen.sum())


def histogram(counts: np.ndarray, chances: np.ndarray, lost: int = 1) -> float:
    """Test whole numbers from 0 on against their probabilities, the rest being those beyond; rare ones together."""
    expected = np.append(chances, max(1 - chances.sum(), 0.0)) * len(counts)
    _, groups = np.unique(np.minimum(np.cumsum(expected) // 10, len(counts) // 10 - 1).astype(int), return_inverse=True)
    seen = np.bincount(np.minimum(counts, len(chances)), minlength=len(expected))
    return chi(np.bincount(groups, seen), np.bincount(groups, expected), groups.max() + 1 - lost)


def happened(yes: np.ndarray, chance: Any) -> float:
    """Return the p-value of how many yes there are, from the probability of each."""
    chances = np.broadcast_to(chance, len(yes))
    return float(2 * stats.norm.sf(abs((yes - chances).sum()) / np.sqrt((chances * (1 - chances)).sum())))


def even(shares: np.ndarray) -> float:
    """Return the p-value of numbers that should be uniform from 0 to 1, Kolmogorov-Smirnov."""
    return float(stats.kstest(shares, "uniform").pvalue)


class Calendar(NamedTuple):
    """Half-hours: when they begin; day since 1970, half-hour of it, weekday, month of the clock; what happens then."""

    begins: np.ndarray
    day: np.ndarray
    half: np.ndarray
    weekday: np.ndarray
    month: np.ndarray
    mass: np.ndarray

    def times(self, factors: Any) -> Calendar:
        """Return the same with so many times as much."""
        return self._replace(mass=self.mass * factors)

    def through(self, at: np.ndarray) -> np.ndarray:
        """Return how much there is up to instants."""
        return np.interp(at, np.append(self.begins, self.begins[-1] + HALF), np.append(0, np.cumsum(self.mass)))

    def hours(self) -> Calendar:
        """Return the same as `HOURS` has it."""
        return self.times(np.select([self.half < 16, self.half < 36, self.half < 44], [1, 5, 2], 1))

    def opened(self) -> Calendar:
        """Return the same with something only while it is open, as `OPEN` has it."""
        half, day = self.half, self.weekday
        shop = (day < 5) & (((half >= 18) & (half < 25)) | ((half >= 28) & (half < 36)))
        late = ((day == 6) & (half >= 44)) | ((day == 0) & (half < 4))
        return self.times(shop | ((day == 5) & (half >= 20) & (half < 28)) | late)


def calendar(first: str, last: str, zone: str | None = None) -> Calendar:
    """Return the half-hours from the first day to the end of the last one, each with its part of a day."""
    low, high = (int(np.datetime64(d, "D").astype(int)) * DAY for d in (first, last))
    begins = np.arange(low - (DAY if zone else 0), high + DAY, HALF)  # east of Greenwich a day begins the day before
    clock = begins
    if zone:
        shown = [datetime.fromtimestamp(b / 1e6, ZoneInfo(zone)).replace(tzinfo=UTC) for b in begins.tolist()]
        clock = np.array([round(s.timestamp()) * 10**6 for s in shown])
    begins, clock = (v[(clock >= low) & (clock < high + DAY)] for v in (begins, clock))
    day, half = clock // DAY, clock % DAY // HALF
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    return Calendar(begins, day, half, (day + 3) % 7, month, np.full(len(begins), 1 / 48))  # 1970 began on a Thursday


def counted(span: Calendar, key: np.ndarray, heavier: np.ndarray, column: str = "at") -> Test:
    """Return the test of how many there are in each group of half-hours, some of which may be said to be heavier."""

    def test(found: Found, off: float) -> float:
        at = found[column] * (DAY if column == "day" else 1)
        assert ((at >= span.begins[0]) & (at < span.begins[-1] + HALF)).all(), "outside of the span"
        shares = np.bincount(key, span.mass * np.where(heavier, 1 + off, 1))
        place = np.searchsorted(span.begins, at, side="right") - 1
        return chi(np.bincount(key[place], minlength=len(shares)), shares / shares.sum() * len(at))

    return test


def rhythms() -> Iterator[Check]:
    """Yield the checks of the generator `instant`."""

    def one(says: str, how: Any, test: Test, column: str = "at", span: tuple[str, str] = YEAR) -> Check:
        return Check(f"instant, {says}", ruled("instant", column, {"between": span, "rhythm": how}), test)

    year, spring, long = calendar(*YEAR), calendar(*SPRING), calendar("2022-01-01", "2024-12-31")
    at, clock = year.hours(), calendar("1970-01-01", "1970-01-01").hours()
    yield one("hours | 8-18: 5, 18-22: 2 | 12-13", {"hours": HOURS}, counted(at, at.half // 2, at.half // 2 == 12))
    yield one("times of day | the same | 12-13", {"hours": HOURS}, counted(
        clock, clock.half // 2, clock.half // 2 == 12, "clock"), "clock", ("00:00", "24:00"))  # fmt: skip
    at = year.times(DAYS[year.weekday])
    yield one("weekdays | sat: 0.5, sun: 0.1 | sat", {"weekdays": WEEK}, counted(at, at.weekday, at.weekday == 5))
    yield one("weekdays, dates | the same | sat", {"weekdays": WEEK},
              counted(at, at.weekday, at.weekday == 5, "day"), "day")  # fmt: skip
    at = year.times(SEASON[year.month])
    yield one("months | nov-dec: 2, feb: 0.5 | nov", {"months": MONTHS}, counted(at, at.month, at.month == 10))
    free = np.isin(spring.day, [*FREE, 19_873])  # and Corpus Christi
    at = spring.times(np.where(free, 0.3, 1))
    yield one("holidays | DE-BY: 0.3, each of six | all six", {"holidays": {"country": "DE", "region": "BY",
              "factor": 0.3}}, counted(at, np.where(free, at.day - at.day[0], 0), free), "at", SPRING)  # fmt: skip
    week, hour = (spring.day - spring.day[0]) // 7 == 2, (spring.begins - spring.begins[0]) // (2 * HALF)
    short = (hour >= 39 * 24 + 12) & (hour < 41 * 24 + 18)
    yield one("campaigns | a week: 3; Friday noon to Sunday 18:00: 2 | the week", {"campaigns": [
        {"from": "2024-04-08", "to": "2024-04-14", "factor": 3},
        {"from": "2024-05-03 12:00", "to": "2024-05-05 18:00", "factor": 2}]},
        counted(spring.times(1 + 2 * week + short), week + 2 * short, week), "at", SPRING)  # fmt: skip

    def grown(found: Found, off: float) -> float:
        span = long.times((1.5 + off) ** ((long.begins + HALF / 2 - long.begins[0]) / (365.2425 * DAY)))
        return even(span.through(found["at"]) / span.mass.sum())

    yield one("growth | +50% a year, 3 years | +60% a year", {"growth": 0.5}, grown, "at", ("2022-01-01", YEAR[1]))
    at = calendar(*WEEKS).opened()
    yield one("opening | two spans a day, Saturday, Sunday over midnight | sat", OPEN, counted(
        at, at.weekday * 48 + at.half, at.weekday == 5), "at", WEEKS)  # fmt: skip
    at = calendar(*YEAR, ZONE).hours()
    at = at.times(DAYS[at.weekday] * SEASON[at.month] * np.where(np.isin(at.day, FREE), 0.3, 1))
    at = at.times(1.5 ** ((at.begins - at.begins[0]) / (365.2425 * DAY)))
    yield one("all of it in Berlin | months × hours, 288 cells | 12-13", {"hours": HOURS, "weekdays": WEEK,
              "months": MONTHS, "growth": 0.5, "holidays": {"country": "DE", "factor": 0.3}},
              counted(at, at.month * 24 + at.half // 2, at.half // 2 == 12, "zoned"), "zoned")  # fmt: skip
    both = calendar("2024-01-01", "2025-12-31")
    both = both.times(DAYS[both.weekday])

    def spans(found: Found, off: float) -> float:
        low, high = (both.through((found["opened"] + days) * DAY) for days in (0, 28 + 10 * off))
        return even((both.through(found["at"]) - low) / (high - low))

    yield one("spans of rows | 28 days, by weekdays | 29 days", {"weekdays": WEEK}, spans, "at",
              ("opened", "opened + days(27)"))  # fmt: skip


def each(found: Found) -> np.ndarray:
    """Return how many events each parent has."""
    return np.bincount(found["whose"], minlength=len(found["rate"]))


def gaps(found: Found, span: Calendar, many: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the first event of each parent is, and the gaps between its first ones, so many."""
    firsts = np.searchsorted(found["whose"], np.unique(found["whose"]))
    at = span.through(found["at"][firsts[:, None] + np.arange(many + 1)])
    return at[:, 0], np.diff(at, axis=1).ravel()


def bursts(found: Found) -> tuple[np.ndarray, np.ndarray]:
    """Return the sizes of bursts, and the gaps in those of two, in seconds: between bursts are more than 40 seconds."""
    gap = np.diff(found["at"]) / 1e6
    begins = np.append(0, np.flatnonzero((np.diff(found["whose"]) != 0) | (gap > 40)) + 1)
    sizes = np.diff(np.append(begins, len(found["at"])))
    return sizes, gap[begins[sizes == 2]]


def arrivals() -> Iterator[Check]:
    """Yield the checks of the process `arrivals`."""

    def one(says: str, test: Test, parents: int = PARENTS, last: str = "2024-01-30", **how: Any) -> Check:
        said = {"at": "at", "between": ["2024-01-01", last], **how}
        return Check(f"arrivals, {says}", unfolded("arrivals", said, parents), test)

    k, poisson, span = np.arange(1, 30), stats.poisson, calendar(*YEAR).hours()
    yield one("Poisson counts | mean 6 | 6.6", lambda f, off: histogram(each(f), poisson.pmf(k - 1, 6 + 6 * off)),
              per_day=0.2)  # fmt: skip
    yield one("Poisson instants | even in 30 days | 30.3 days",
              lambda f, off: even((f["at"] - BEGIN) / ((30 + 3 * off) * DAY)), per_day=0.2)  # fmt: skip
    span = span.times(np.where(np.isin(span.day, FREE), 0.5, 1) * DAYS[span.weekday] * SEASON[span.month])
    span = span.times(24 / (10 * 1 + 10 * 5 + 4 * 2) / DAYS.mean() / (SEASON @ LENGTHS / LENGTHS.sum()))
    rhythm = {"hours": HOURS, "weekdays": WEEK, "months": MONTHS, "holidays": {"country": "DE", "factor": 0.5}}
    varied = {"per_day": "rate / 10", "rhythm": rhythm, "last": "2024-12-31"}

    def rates(found: Found, off: float) -> float:
        expected = found["rate"] * span.mass.sum() / 10 * (1 + off)
        spread = np.random.default_rng(int(found["at"][0] % 2**32)).random(len(expected))
        return even(poisson.cdf(each(found) - 1, expected) + spread * poisson.pmf(each(found), expected))

    yield one("counts by rhythm | rate × mean days | rate + 10%", rates, **varied)
    yield one("instants by rhythm | hours × weekdays | 12-13",
              counted(span, span.weekday * 24 + span.half // 2, span.half // 2 == 12), **varied)  # fmt: skip
    shop = calendar(*WEEKS).opened()
    shop = shop.times(0.3 * 364 / shop.mass.sum())
    for shape in (4.0, 0.3):

        def between(found: Found, off: float, k: float = shape) -> float:
            return even(stats.gamma.cdf(gaps(found, shop, 15)[1], k * (1 + off), scale=1 / k / (1 + off)))

        def rest(found: Found, off: float, k: float = shape) -> float:
            x, k = gaps(found, shop, 1)[0], k * (1 + 5 * off)
            return even(x * stats.gamma.sf(k * x, k) + stats.gamma.cdf(k * x, k + 1))

        said: dict[str, Any] = {
            "kind": "renewal",
            "regularity": shape,
            "per_day": 0.3,
            "last": WEEKS[1],
            "rhythm": OPEN,
        }
        yield one(f"renewal gaps | gamma {shape:g}, while open | shape + 10%", between, 300, **said)
        yield one(f"renewal, first event | the rest of a gap, gamma {shape:g} | shape + 50%", rest, 1000, **said)
    said, left = {"kind": "hawkes", "excites": 0.4, "per_day": 0.2}, 1 - 0.4 * 2 / 18 * (1 - np.exp(-18 / 2))
    yield one("Hawkes counts | 1 / (1 - 0.4) times, less those after the end | + 10%", lambda f, off: float(
        stats.ttest_1samp(each(f), 0.2 * 30 / 0.6 * left * (1 + off)).pvalue), **said, decay="2d")  # fmt: skip
    yield one("Hawkes offspring | 0.4 of each event: bursts (Borel) | 0.44", lambda f, off: histogram(
        bursts(f)[0] - 1, poisson.pmf(k - 1, 0.4 * (1 + off) * k) / k), **said, decay="1s")  # fmt: skip
    yield one("Hawkes delays | exponential, 1 s | 1.1 s", lambda f, off: even(
        -np.expm1(-bursts(f)[1] / (1 + off))), **said, decay="1s")  # fmt: skip


def states() -> Iterator[Check]:
    """Yield the checks of the process `states`."""

    def one(says: str, test: Test, first: Any, **said: Any) -> Check:
        how = {"most": 9, "machines": {"m": {"begins": "2024-01-01", "first": first, "states": said}}}
        return Check(f"states, {says}", unfolded("states", how), test)

    def days(found: Found) -> np.ndarray:
        return (found["at"][found["state"] != "on"] - BEGIN) / DAY

    ways = {"x": {"x": 0.5, "y": 0.3, "z": 0.2}, "y": {"x": 0.1, "z": 0.9}, "z": {"x": 3, "y": 1, "z": 4}}

    def walked(found: Found, off: float) -> float:
        shares = np.array([[0.5, 0.3, 0.2], [0.1, 0, 0.9], [3 + 3 * off, 1, 4]])
        state = np.searchsorted(list("xyz"), found["state"].astype(str))
        seen = np.bincount((state[:-1] * 3 + state[1:])[np.diff(found["whose"]) == 0], minlength=9).reshape(3, 3)
        return chi(seen, shares / shares.sum(axis=1, keepdims=True) * seen.sum(axis=1, keepdims=True), 5)

    def chosen(found: Found, off: float) -> float:
        odds = (0.1 + found["age"] / 50) * (1 + off)
        return happened(found["state"] == "x", odds / (odds + 1 + 2 * (found["age"] >= 45)))

    yield one("transitions | three states, 8 ways | z to x + 10%", walked, "x",
              **{w: {"then": then, "after": 1} for w, then in ways.items()})  # fmt: skip
    yield one("weights | by a formula of age and a condition | + 10%", chosen, [{"to": "x", "weight": "0.1 + age / 50"},
              "y", {"to": "z", "weight": 2, "when": "age >= 45"}], x={}, y={}, z={})  # fmt: skip
    s, race = stats, {w: {"after": {"exponential": m}} for w, m in (("x", 40), ("y", 60))}
    for name, said, law in (
        ("exponential", 30, s.expon(0, 30)), ("uniform", [1, 14], s.uniform(1, 13)), ("gamma", [4, 15], s.gamma(4, 0, 15)),
        ("lognormal", [20, 0.4], s.lognorm(0.4, 0, 20)), ("weibull", [1.5, 90], s.weibull_min(1.5, 0, 90)),
        ("normal", [5, 5], s.truncnorm(-1, np.inf, 5, 5)),
    ):  # fmt: skip
        yield one(f"delays | {name}: {said} | 10% longer", lambda f, off, t=law: even(t.cdf(days(f) / (1 + off))),
                  "on", on={"then": "x", "after": {name: said}}, x={})  # fmt: skip
    yield one("race, winner | exponential 40 against 60: 60% | 66%", lambda f, off: happened(
        f["state"][1::2] == "x", 0.6 + 0.6 * off), "on", on={"race": True, "then": race}, x={}, y={})  # fmt: skip
    yield one("race, delay | exponential: 24 | 26.4", lambda f, off: even(-np.expm1(-days(f) / 24 / (1 + off))),
              "on", on={"race": True, "then": race}, x={}, y={})  # fmt: skip


def others() -> Iterator[Check]:
    """Yield the checks of `scenario`, `reference`, `template` and `bernoulli`."""
    both = {"a": {"rate": 0.023, "rows": {"between": [2, 6]}}, "b": {"rate": 0.011, "rows": {"poisson": {"mean": 3}}}}
    for name, rate in (("a", 0.023), ("b", 0.011)):
        yield Check(f"scenario, share of rows | {rate:.1%}, {BATCH} tables of 1,000 rows | + 10%",
                    ruled("scenario", "label", {"by": "p", "patterns": both}, shards=BATCH, rows=1_000),
                    lambda f, off, n=name, r=rate: float(stats.ttest_1samp(
                        (f["label"] == n).reshape(BATCH, -1).mean(axis=1), r * (1 + off)).pvalue))  # fmt: skip
    for what, rate, rows, test in (
        ("lengths | 2 to 6 rows | 2 rows + 20%", 0.1, {"between": [2, 6]}, lambda f, off: shared(np.bincount(
            np.unique(f["episode"][f["label"] == "a"], return_counts=True)[1])[2:], np.ones(5), 2 * off)),
        ("places | wherever 4 of 10 rows are left | the first + 50%", 0.02, 4, lambda f, off: shared(np.bincount(
            np.flatnonzero(f["label"] == "a")[::4] % 10, minlength=7), np.ones(7), 5 * off)),
    ):  # fmt: skip
        said = {"by": "p", "label": "label", "episode": "episode", "patterns": {"a": {"rate": rate, "rows": rows}}}
        yield Check(f"scenario, {what}", ruled("scenario", "label episode", said), test)

    def ranked(found: Found, off: float) -> float:
        seen = np.array([np.bincount(shard, minlength=12) for shard in found["p"].reshape(-1, ROWS)])
        return shared(seen[0][np.argsort(-seen[1:].sum(axis=0))], 1 / np.arange(1, 13), off)

    yield Check("reference, zipf | 12 ranks, as other shards have them | first + 10%",
                ruled("reference", "p", {"degrees": "zipf"}, shards=11, parents=12), ranked)  # fmt: skip
    yield Check("reference, weight | 12 parents, 12 - age | first + 10%", ruled("reference", "p", {
        "weight": "12 - age"}, parents=12), lambda f, off: shared(np.bincount(f["p"]), 12 - np.arange(12), off))  # fmt: skip

    def texts(found: Found, off: float) -> float:
        _, seen = np.unique(np.char.add(found["sex"].astype(str), found["text"].astype(str)), return_counts=True)
        first = [3 + 3 * off, 1]
        shares = [np.outer(first, second).ravel() for second in ([1, 0.5, 2], [1, 0.5])]
        expected = [w / w.sum() * n.sum() for w, n in zip(shares, (seen[:6], seen[6:]), strict=True)]
        return chi(seen, np.concatenate(expected), 8)

    yield Check("template | two rules, one with a condition | first + 10%", ruled("template", "text", {"rules": {
        "s": "{a}{b}", "a": [{"text": "x", "weight": 3}, "y"], "b": ["1", {"text": "2", "weight": 0.5}, {
            "text": "3", "weight": 2, "when": "sex == 'F'"}]}}, rows=5_000), texts)  # fmt: skip

    def groups(found: Found, off: float) -> float:
        group, p = 2 * (found["sex"] == "F") + (found["age"] >= 30), np.array([0.3, 0.5, 0.1, 0.3]) * (1 + off)
        yes, of = np.bincount(group, found["b"]), np.bincount(group)
        return chi(np.append(yes, of - yes), np.append(of * p, of * (1 - p)), 4)

    yield Check("bernoulli | by sex and age, four groups | + 10%", ruled("bernoulli", "b", {
        "probability": "if(sex == 'F', 0.1, 0.3) + if(age < 30, 0, 0.2)"}), groups)  # fmt: skip


def alarms(p: np.ndarray) -> tuple[float, bool]:
    """Return how uniform p-values are, and whether that or the number of small ones is an alarm: three looks."""
    few = [stats.binom.sf((p < small).sum() - 1, len(p), small) for small in (0.01, 0.001)]
    return even(p), min(even(p), *few) < LEVEL / 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    begun, lines, bad, n = time.process_time(), [], 0, asked.seeds
    for i, (says, make, test) in enumerate(checks := [*rhythms(), *arrivals(), *states(), *others()]):
        drawn = (make(seed) for seed in range(i * n, (i + 1) * n))
        right, off = np.array([[test(found, wrong) for wrong in (0.0, OFF)] for found in drawn]).T
        (p, alarm), (_, refused), (head, _, wrong) = alarms(right), alarms(off), says.rpartition(" | ")
        bad += alarm or not refused
        few = " | ".join(str((right < small).sum()) for small in (0.01, 0.001))
        lines.append(f"| {head} | {few} | {p:.2g} | {'**no**' if alarm else 'yes'} | {wrong} | "
                     f"{np.mean(off < 0.01):.0%} | {'yes' if refused else '**no**'} |")  # fmt: skip
    most = [int(stats.binom.isf(LEVEL / 3, n, small)) for small in (0.01, 0.001)]
    used = ", ".join(f"{p} {version(p)}" for p in ("synthwright", "numpy", "scipy", "pyarrow"))
    said = f"""# Rhythms, arrivals, transitions and other rules against what was declared

Each drawn with {n} seeds, each draw tested against what `bench/rhythms.py` computes itself, by the calendar and by
textbook formulas. {n * 0.01:g} p-values are expected below 0.01, {n * 0.001:g} below 0.001; a check fails where there are more than
{most[0]}, more than {most[1]}, or where all are not uniform at {LEVEL / 3:.1g} (Kolmogorov-Smirnov): a right one in one run of {1 / LEVEL:,.0f},
any of {len(checks)} in one of {1 / (LEVEL * len(checks)):,.0f}, as far as the tests' own p-values are exact. Control: the same draws held against
something slightly wrong; in how many seeds p < 0.01, and whether the verdict refuses it, as it must.

| check | declared | p < 0.01 | p < 0.001 | uniform, p | holds | held against | p < 0.01 | refused |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

{len(checks) - bad} of {len(checks)} checks hold and refuse what is slightly wrong.

{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread, {time.process_time() - begun:.0f} CPU seconds;
Python {platform.python_version()}, {used}.
"""
    print(said)
    if asked.out:
        asked.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
