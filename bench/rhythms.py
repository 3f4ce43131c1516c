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
KINDS = {"at": "datetime", "b": "boolean", "label": "category", "text": "text", "state": "category", "sex": "category",
         "age": "integer", "episode": "integer"}  # fmt: skip
SCHEMA = Schema.model_validate({"tables": {
    "p": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "rate": {"kind": "number"},
          "age": {"kind": "integer"}}},
    "t": {"fields": {**{c: {"kind": k} for c, k in KINDS.items()}, "p": {"kind": "reference", "to": "p.id",
          "type": "int64"}, "zoned": {"kind": "datetime", "type": f"timestamp[us, tz={ZONE}]"}}},
}})  # fmt: skip
BEGIN = int(np.datetime64("2024-01-01", "us").astype(int))
FREE = np.array(["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-05-09", "2024-05-20", "2024-10-03",
                 "2024-12-25", "2024-12-26"], dtype="datetime64[D]").astype(int)  # fmt: skip
OPEN = {"opening": {"mon-fri": "09:00-12:30, 14:00-18:00", "sat": "10:00-14:00", "sun": "22:00-02:00"}}
HOURS, WEEK, MONTHS = {"8-18": 5, "18-22": 2}, {"sat": 0.5, "sun": 0.1}, {"nov-dec": 2, "feb": 0.5}
DAYS, SEASON = np.array([1, 1, 1, 1, 1, 0.5, 0.1]), np.array([1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
LENGTHS = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
Found = dict[str, np.ndarray]
Test = Callable[[Found, float], float]
"""Tests what was made; the number says how far off that is what it is held against: 0, or `OFF`."""
Check = tuple[str, Callable[[int], Found], Test]
"""What it is, what was declared, and what it is held against as a control, by ` | `; the draws; the test."""


def given(parents: int = PARENTS, rows: int = ROWS) -> Dataset:
    """Return parents with rates and ages, and rows with what rules look at: ten of each parent, in order."""
    rng, who = np.random.default_rng(0), np.arange(parents)
    seen = {"age": pa.array(rng.integers(0, 90, rows)), "p": pa.array(np.arange(rows) // 10),
            "sex": pa.array(np.array(["F", "M"])[rng.integers(0, 2, rows)]).cast(pa.large_string())}  # fmt: skip
    held = {ROW: who, "id": who, "rate": rng.gamma(2, 0.15, parents), "age": who % 90}
    return Dataset(SCHEMA, {**Dataset.blank(SCHEMA, {"t": rows}).with_columns("t", seen).tables, "p": pa.table(held)})


def plain(column: Any) -> np.ndarray:
    """Return a column as numbers or words; instants as whole numbers."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.Array) and pa.types.is_temporal(whole.type):
        whole = whole.cast(pa.int64())
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
        return {c: np.concatenate([plain(t.column(c)) for t in tables]) for c in (*names, "age", "sex")}

    return make


def unfolded(use: str, how: Mapping[str, Any], parents: int = PARENTS) -> Callable[[int], Found]:
    """Return what draws by a process: the columns it fills, whose each row is, and the parents' own columns."""
    process: Any = registry.find("processes", use).model_validate(how)
    assert not process.misused(SCHEMA, "t", "p"), use
    rate = plain((start := given(parents)).tables["p"].column("rate"))

    def make(seed: int) -> Found:
        whose, columns = process.unfold(start, "t", "p", Context(seed=seed))
        return {**{c: plain(v) for c, v in columns.items()}, "whose": whose, "rate": rate,
                "n": np.bincount(whose, minlength=parents)}  # fmt: skip

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


def histogram(counts: np.ndarray, chances: np.ndarray) -> float:
    """Test whole numbers from 0 on against their probabilities, the rest being those beyond; rare ones together."""
    expected = np.append(chances, max(1 - chances.sum(), 0.0)) * len(counts)
    _, groups = np.unique(np.minimum(np.cumsum(expected) // 10, len(counts) // 10 - 1).astype(int), return_inverse=True)
    seen = np.bincount(np.minimum(counts, len(chances)), minlength=len(expected))
    return chi(np.bincount(groups, seen), np.bincount(groups, expected), groups.max())


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
        at = found[column]
        assert ((at >= span.begins[0]) & (at < span.begins[-1] + HALF)).all(), "outside of the span"
        shares = np.bincount(key, span.mass * np.where(heavier, 1 + off, 1))
        place = np.searchsorted(span.begins, at, side="right") - 1
        return chi(np.bincount(key[place], minlength=len(shares)), shares / shares.sum() * len(at))

    return test


def rhythms() -> Iterator[Check]:
    """Yield the checks of the generator `instant`."""

    def one(says: str, how: Any, test: Test, column: str = "at", span: tuple[str, str] = YEAR) -> Check:
        return (f"instant, {says}", ruled("instant", column, {"between": span, "rhythm": how}), test)

    year, spring, long = calendar(*YEAR), calendar(*SPRING), calendar("2022-01-01", "2024-12-31")
    at = year.hours()
    yield one("hours | 8-18: 5, 18-22: 2 | 12-13 + 10%", {"hours": HOURS}, counted(at, at.half, at.half // 2 == 12))
    at = year.times(DAYS[year.weekday])
    yield one("weekdays | sat: 0.5, sun: 0.1 | sat + 10%", {"weekdays": WEEK}, counted(at, at.weekday, at.weekday == 5))
    at = year.times(SEASON[year.month])
    yield one("months | nov-dec: 2, feb: 0.5 | nov + 10%", {"months": MONTHS}, counted(at, at.month, at.month == 10))
    free = np.isin(spring.day, [*FREE, 19_873])  # and Corpus Christi
    at = spring.times(np.where(free, 0.3, 1))
    yield one("holidays | DE-BY: 0.3, each of six | all six + 10%", {"holidays": {"country": "DE", "region": "BY",
              "factor": 0.3}}, counted(at, np.where(free, at.day - at.day[0], 0), free), "at", SPRING)  # fmt: skip
    week, hour = (spring.day - spring.day[0]) // 7 == 2, (spring.begins - spring.begins[0]) // (2 * HALF)
    short = (hour >= 39 * 24 + 12) & (hour < 41 * 24 + 18)
    yield one("campaigns | a week: 3; Friday noon to Sunday 18:00: 2 | the week + 10%", {"campaigns": [
        {"from": "2024-04-08", "to": "2024-04-14", "factor": 3},
        {"from": "2024-05-03 12:00", "to": "2024-05-05 18:00", "factor": 2}]},
        counted(spring.times(1 + 2 * week + short), week + 2 * short, week), "at", SPRING)  # fmt: skip
    at = long.times(1.5 ** ((long.begins + HALF / 2 - long.begins[0]) / (365.2425 * DAY)))
    yield one("growth | +50% a year, 36 months | third year + 10%", {"growth": 0.5}, counted(
        at, (at.day - at.day[0]) // 366 * 12 + at.month, at.day >= 19_723), "at", ("2022-01-01", YEAR[1]))  # fmt: skip
    at = calendar(*WEEKS).opened()
    yield one("opening | two spans a day, Saturday, Sunday over midnight | sat + 10%", OPEN, counted(
        at, at.weekday * 48 + at.half, at.weekday == 5), "at", WEEKS)  # fmt: skip
    at = calendar(*YEAR, ZONE).hours()
    at = at.times(DAYS[at.weekday] * SEASON[at.month] * np.where(np.isin(at.day, FREE), 0.3, 1))
    at = at.times(1.5 ** ((at.begins - at.begins[0]) / (365.2425 * DAY)))
    yield one("all of it in Berlin | months × hours, 288 cells | 12-13 + 10%", {"hours": HOURS, "weekdays": WEEK,
              "months": MONTHS, "growth": 0.5, "holidays": {"country": "DE", "factor": 0.3}},
              counted(at, at.month * 24 + at.half // 2, at.half // 2 == 12, "zoned"), "zoned")  # fmt: skip


def arrivals() -> Iterator[Check]:
    """Yield the checks of the process `arrivals`."""

    def one(says: str, test: Test, parents: int = PARENTS, last: str = "2024-01-30", **how: Any) -> Check:
        said = {"at": "at", "between": ["2024-01-01", last], **how}
        return (f"arrivals, {says}", unfolded("arrivals", said, parents), test)

    k, poisson, span = np.arange(1, 30), stats.poisson, calendar(*YEAR).hours()
    yield one("Poisson counts | mean 6 | mean 6.6", lambda f, off: histogram(f["n"], poisson.pmf(k - 1, 6 + 6 * off)),
              per_day=0.2)  # fmt: skip
    yield one("Poisson instants | even in 30 days | 30.3 days",
              lambda f, off: even((f["at"] - BEGIN) / ((30 + 3 * off) * DAY)), per_day=0.2)  # fmt: skip
    span = span.times(np.where(np.isin(span.day, FREE), 0.5, 1) * DAYS[span.weekday] * SEASON[span.month])
    span = span.times(24 / (10 * 1 + 10 * 5 + 4 * 2) / DAYS.mean() / (SEASON @ LENGTHS / LENGTHS.sum()))
    rhythm = {"hours": HOURS, "weekdays": WEEK, "months": MONTHS, "holidays": {"country": "DE", "factor": 0.5}}
    varied: Any = {"per_day": "rate / 10", "rhythm": rhythm, "last": YEAR[1]}

    def rates(found: Found, off: float) -> float:
        expected = found["rate"] * span.mass.sum() / 10 * (1 + off)
        spread = np.random.default_rng(int(found["at"][0] % 2**32)).random(len(expected))
        return even(poisson.cdf(found["n"] - 1, expected) + spread * poisson.pmf(found["n"], expected))

    yield one("counts by rhythm | rate × mean days | rate + 10%", rates, **varied)
    yield one("instants by rhythm | hours × weekdays | 12-13 + 10%",
              counted(span, span.weekday * 24 + span.half // 2, span.half // 2 == 12), **varied)  # fmt: skip
    shop = calendar(*WEEKS).opened()
    shop = shop.times(0.3 * 364 / shop.mass.sum())
    for shape in (4.0, 0.3):

        def between(found: Found, off: float, k: float = shape) -> float:
            firsts = np.searchsorted(found["whose"], np.unique(found["whose"]))
            gaps = np.diff(shop.through(found["at"][firsts[:, None] + np.arange(16)])).ravel()
            return even(stats.gamma.cdf(gaps * k * (1 + off), k * (1 + off)))

        yield one(f"renewal gaps | gamma {shape:g}, while open | shape + 10%", between, 300, last=WEEKS[1],
                  kind="renewal", regularity=shape, per_day=0.3, rhythm=OPEN)  # fmt: skip

    def bursts(found: Found, off: float) -> float:  # they are more than 40 seconds apart
        begins = np.flatnonzero((np.diff(found["whose"]) != 0) | (np.diff(found["at"]) > 40e6)) + 1
        sizes = np.diff(np.concatenate([[0], begins, [len(found["at"])]]))
        return histogram(sizes - 1, poisson.pmf(k - 1, 0.4 * (1 + off) * k) / k)

    said: Any = {"kind": "hawkes", "excites": 0.4, "per_day": 0.2}
    left = 1 - 0.4 * 2 / 18 * (1 - np.exp(-18 / 2))
    yield one("Hawkes counts | 1 / (1 - 0.4) times, less those after the end | + 10%", lambda f, off: float(
        stats.ttest_1samp(f["n"], 0.2 * 30 / 0.6 * left * (1 + off)).pvalue), **said, decay="2d")  # fmt: skip
    yield one("Hawkes offspring | 0.4 of each event: bursts (Borel) | 0.44", bursts, **said, decay="1s")


def states() -> Iterator[Check]:
    """Yield the checks of the process `states`."""

    def one(says: str, test: Test, first: Any, **said: Any) -> Check:
        how = {"most": 9, "machines": {"m": {"begins": "2024-01-01", "first": first, "states": said}}}
        return (f"states, {says}", unfolded("states", how), test)

    ways = {"x": {"x": 5.0, "y": 3, "z": 2}, "y": {"x": 0.1, "y": 0, "z": 0.9}, "z": {"x": 3.0, "y": 1, "z": 4}}

    def walked(found: Found, off: float) -> float:
        shares = np.array([list(then.values()) for then in ways.values()]) * [[1 + off, 1, 1], [1, 1, 1], [1, 1, 1]]
        state = np.searchsorted(list("xyz"), found["state"].astype(str))
        seen = np.bincount((state[:-1] * 3 + state[1:])[np.diff(found["whose"]) == 0], minlength=9).reshape(3, 3)
        return chi(seen, shares / shares.sum(axis=1, keepdims=True) * seen.sum(axis=1, keepdims=True), 5)

    yield one("transitions | three states, 8 ways | x to x + 10%", walked, "x",
              **{w: {"then": then, "after": 1} for w, then in ways.items()})  # fmt: skip
    race = {"race": True, "then": {"x": {"after": {"exponential": 40}}, "y": {"after": {"exponential": 60}}}}
    for name, numbers, law in (
        ("exponential", 30, stats.expon(0, 30)), ("uniform", [1, 14], stats.uniform(1, 13)),
        ("lognormal", [20, 0.4], stats.lognorm(0.4, 0, 20)), ("weibull", [1.5, 90], stats.weibull_min(1.5, 0, 90)),
        ("normal", [5, 5], stats.truncnorm(-1, np.inf, 5, 5)), ("race of exponentials", [40, 60], stats.expon(0, 24)),
    ):  # fmt: skip

        def lasted(found: Found, off: float, law: Any = law) -> float:
            return even(law.cdf((found["at"][1::2] - BEGIN) / DAY / (1 + off)))

        on = race if name.startswith("race") else {"then": {"x": 1, "y": 1}, "after": {name: numbers}}
        yield one(f"delays | {name}: {numbers} | 10% longer", lasted, "on", on=on, x={}, y={})
    yield one("race, winner | exponential 40 against 60: 60% | odds + 10%", lambda f, off: shared(
        np.unique(f["state"][1::2], return_counts=True)[1], [3, 2], off), "on", on=race, x={}, y={})  # fmt: skip


def others() -> Iterator[Check]:
    """Yield the checks of `scenario`, `reference`, `template` and `bernoulli`."""
    both = {"a": {"rate": 0.023, "rows": {"between": [2, 6]}}, "b": {"rate": 0.011, "rows": {"poisson": {"mean": 3}}}}
    for name, rate in (("a", 0.023), ("b", 0.011)):

        def share(found: Found, off: float, name: str = name, rate: float = rate) -> float:
            each = (found["label"] == name).reshape(BATCH, -1).mean(axis=1)
            return float(stats.ttest_1samp(each, rate * (1 + off)).pvalue)

        yield (f"scenario, share of rows | {rate:.1%}, {BATCH} tables of 1,000 rows | + 10%", ruled(
            "scenario", "label", {"by": "p", "patterns": both}, shards=BATCH, rows=1_000), share)  # fmt: skip
    said = {"by": "p", "label": "label", "episode": "episode", "patterns": {"a": both["a"] | {"rate": 0.1}}}
    yield ("scenario, lengths | 2 to 6 rows | 2 rows + 20%", ruled("scenario", "label episode", said),
                lambda f, off: shared(np.unique(np.unique(f["episode"][f["label"] == "a"], return_counts=True)[1],
                                                return_counts=True)[1], np.ones(5), 2 * off))  # fmt: skip

    def ranked(found: Found, off: float) -> float:
        seen = np.array([np.bincount(shard, minlength=12) for shard in found["p"].reshape(-1, ROWS)])
        return shared(seen[0][np.argsort(-seen[1:].sum(axis=0))], 1 / np.arange(1, 13), off)

    yield ("reference, zipf | 12 ranks, as other shards have them | first + 10%",
                ruled("reference", "p", {"degrees": "zipf"}, shards=11, parents=12), ranked)  # fmt: skip
    yield ("reference, weight | 12 parents, 12 - age | first + 10%", ruled("reference", "p", {
        "weight": "12 - age"}, parents=12), lambda f, off: shared(
            np.bincount(f["p"]), 12 - np.arange(12), off))  # fmt: skip

    def texts(found: Found, off: float) -> float:
        _, seen = np.unique(np.char.add(found["sex"].astype(str), found["text"].astype(str)), return_counts=True)
        shares = [np.outer([3 + 3 * off, 1], second).ravel() for second in ([1, 0.5, 2], [1, 0.5])]
        expected = [w / w.sum() * n.sum() for w, n in zip(shares, (seen[:6], seen[6:]), strict=True)]
        return chi(seen, np.concatenate(expected), 8)

    yield ("template | two rules, one with a condition | first + 10%", ruled("template", "text", {"rules": {
        "s": "{a}{b}", "a": [{"text": "x", "weight": 3}, "y"], "b": ["1", {"text": "2", "weight": 0.5}, {
            "text": "3", "weight": 2, "when": "sex == 'F'"}]}}, rows=5_000), texts)  # fmt: skip

    def groups(found: Found, off: float) -> float:
        group, p = 2 * (found["sex"] == "F") + (found["age"] >= 30), np.array([0.3, 0.5, 0.1, 0.3]) * (1 + off)
        yes, of = np.bincount(group, found["b"]), np.bincount(group)
        return chi(np.append(yes, of - yes), np.append(of * p, of * (1 - p)), 4)

    yield ("bernoulli | by sex and age, four groups | + 10%", ruled("bernoulli", "b", {
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
    any_of = f"any of {len(checks)} in one of {1 / (LEVEL * len(checks)):,.0f}"
    spent, held = f"{time.process_time() - begun:.0f}", f"{len(checks) - bad} of {len(checks)}"
    said = f"""# Rhythms, arrivals, transitions and other rules against what was declared

Each drawn with {n} seeds, each draw tested against what `bench/rhythms.py` computes itself, by the calendar and by
textbook formulas. Expected are {n / 100:g} p-values below 0.01 and {n / 1000:g} below 0.001. A check fails where there
are more than {most[0]} or more than {most[1]}, or where all are not uniform at {LEVEL / 3:.1g} (Kolmogorov-Smirnov):
a right one in at most one run of {1 / LEVEL:,.0f}, {any_of}, as far as p-values are exact. Control: the same draws
held against something slightly wrong: in how many seeds p < 0.01, and whether the verdict refuses it, as it must.

| check | declared | p < 0.01 | p < 0.001 | uniform, p | holds | held against | p < 0.01 | refused |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

{held} checks hold and refuse what is slightly wrong.

{platform.machine()}, {os.cpu_count()} cores, one thread, {spent} CPU seconds.
Python {platform.python_version()}, {used}.
"""
    print(said)
    if asked.out:
        asked.out.write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
