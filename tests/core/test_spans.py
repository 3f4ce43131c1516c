"""Lengths of time by their units, weeks, quarters and what is owed: read as what they are, written as they were."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.forms import check, parse, recognise, spell
from synthwright.core.schema import Kind

MINUTES = np.random.default_rng(2).gamma(3, 30, 300).astype(int)
DAYS = [dt.date(2014, 12, 25) + dt.timedelta(int(d)) for d in np.random.default_rng(3).integers(0, 3600, 300)]


def _strings(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string()).unique()


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        ([f"{m // 60}h {m % 60:02d}m" for m in MINUTES], "%-Hh %Mm"),
        ([f"{m // 60}h{m % 60}" + "min" for m in MINUTES], "%-Hh%-Mmin"),
        ([f"{m // 60} h {m % 60} min" if m >= 60 else f"{m} min" for m in MINUTES], "[%-H h] %-M min"),
        (
            [" ".join(f"{n}{u}" for n, u in ((m // 60, "h"), (m % 60, "m")) if n) or "0m" for m in MINUTES],
            "[%-Hh] [%-Mm]",
        ),
        (
            ["PT" + "".join(f"{n}{u}" for n, u in ((m // 60, "H"), (m % 60, "M")) if n) for m in MINUTES + 1],
            "PT[%-HH][%-MM]",
        ),
        ([f"P{m // 60}DT{m % 23 + 1}H{m % 59 + 1}M" for m in MINUTES + 60], "P[%-DD]T[%-HH][%-MM]"),
        ([f"{m + 20}:{m % 60:02d}" for m in MINUTES], "%-H:%M"),
        ([f"{m // 3}:{m % 60:02d}:07" for m in MINUTES], "%-H:%M:%S"),
        ([f"{m // 60} Tage, {m % 24} Std." for m in MINUTES], "%-D Tage, %-H Std."),
        ([f"{m}'{m % 60:02d}\"" for m in MINUTES], "%-M'%S\""),
    ],
)
def test_lengths_of_time_are_recognised_by_their_units(texts: list[str], form: str) -> None:
    """What is written from what was read is what was there."""
    found = recognise(_strings(texts))
    assert found is not None
    assert (found.kind, found.form) == (Kind.DURATION, form)
    read = parse(_strings(texts), form, Kind.DURATION)
    assert spell(read, form, Kind.DURATION).to_pylist() == _strings(texts).to_pylist()


def test_units_are_counted_as_they_say() -> None:
    """An hour is sixty minutes, what is left out is zero, and what is no such length is null."""
    form = "[%-Hh] [%-Mm]"
    read = parse(pa.array(["2h 5m", "45m", "1h", "0m", "1h 2", "", None], pa.large_string()), form, Kind.DURATION)
    assert read.cast(pa.int64()).to_pylist() == [125 * 60_000_000, 45 * 60_000_000, 3_600_000_000, 0, None, None, None]
    odd = pa.array([-90_000_000, 3_599_000_000, None], pa.duration("us"))
    assert spell(odd, form, Kind.DURATION).to_pylist() == ["-2m", "1h", None]
    for wrong in ("%-Hh %-Hm", "%-Mm %-Hh", "[%-Hh", "hours"):
        with pytest.raises(ValueError, match="no form of lengths of time"):
            check(wrong, Kind.DURATION)


@pytest.mark.parametrize(
    ("write", "form"),
    [
        (lambda d: f"{d:%G-W%V}", "%G-W%V"),
        (lambda d: f"{d:%G-W%V-%u}", "%G-W%V-%u"),
        (lambda d: f"KW {d:%V}/{d:%G}", "KW %V/%G"),
        (lambda d: f"{d.year}Q{(d.month + 2) // 3}", "%YQ%q"),
        (lambda d: f"Q{(d.month + 2) // 3} {d.year}", "Q%q %Y"),
        (lambda d: f"{d.day}.{d.month}.{d:%y}", "%-d.%-m.%y"),
        (lambda d: f"{d:%d.%b.%Y}", "%d.%b.%Y"),
    ],
)
def test_weeks_quarters_and_short_dates_are_days(write: object, form: str) -> None:
    """They are read as the first day that is said, and made ones exist: there is no week 61."""
    texts = [write(d) for d in DAYS]  # type: ignore[operator]
    found = recognise(_strings(texts))
    assert found is not None
    assert (found.kind, found.form) == (Kind.DATE, form)
    made = sw.fit(pd.DataFrame({"when": texts, "n": MINUTES}), seed=1).sample(500, seed=2)["when"]
    possible = {write(dt.date(2014, 12, 1) + dt.timedelta(d)) for d in range(3700)}  # type: ignore[operator]
    assert set(made) <= possible


def test_weeks_that_a_year_does_not_have_are_none() -> None:
    """2021 has 52 weeks, 2020 has 53; the first of January may be in the last week of the year before."""
    read = parse(pa.array(["2021-W53", "2020-W53", "2021-W01", "2021-W00"], pa.large_string()), "%G-W%V", Kind.DATE)
    assert read.to_pylist() == [None, dt.date(2020, 12, 28), dt.date(2021, 1, 4), None]
    assert spell(pa.array([dt.date(2021, 1, 1), dt.date(2024, 12, 31)]), "%G-W%V", Kind.DATE).to_pylist() == [
        "2020-W53",
        "2025-W01",
    ]


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["12.50-", "1,300.00", "7.25-", "0.10"], "1,234.50;1,234.50-"),
        (["12.50 CR", "1,300.00 DR", "7.25 CR", "0.10 DR"], "1,234.50 CR;1,234.50 DR"),
        (["12,50 H", "1.300,00 S", "7,25 S", "0,10 H"], "1.234,50 H;1.234,50 S"),
    ],
)
def test_what_is_owed_is_negative(texts: list[str], form: str) -> None:
    """A minus behind the number, or the words of banks, say which side of zero it is on."""
    found = recognise(_strings(texts))
    assert found is not None
    assert (found.kind, found.form) == (Kind.NUMBER, form)
    owed = [v < 0 for v in parse(_strings(texts), form, Kind.NUMBER).to_pylist()]
    assert owed == [t.endswith(("-", "DR", "S")) for t in texts]


def test_numbers_that_count_from_1970_are_instants() -> None:
    """They are made at the hours of the real ones, as the numbers that they were, whole or with missing ones."""
    rng = np.random.default_rng(9)
    start = 18_600 * 86_400 + 86_400 * rng.integers(0, 700, 500) + (3_600 * rng.normal(12, 1.5, 500)).astype(int)
    length = rng.gamma(2, 400, 500).astype(int)
    frame = pd.DataFrame({
        "created_at": start, "end_time": np.where(length % 7 == 0, np.nan, start + length), "ts": start * 1000 + length,
        "amount": rng.integers(15 * 10**8, 17 * 10**8, 500), "seconds": length,
    })  # fmt: skip
    model = sw.fit(frame, seed=1)
    fields = model.schema.tables["data"].fields
    assert [(f.kind, f.form) for f in fields.values()][:4] == [
        (Kind.DATETIME, "%s"), (Kind.DATETIME, "%s"), (Kind.DATETIME, "%Q"), (Kind.INTEGER, None),
    ]  # fmt: skip
    made = model.sample(900, seed=2)
    assert dict(made.dtypes) == dict(frame.dtypes)
    hours = [(f["created_at"] % 86_400 / 3_600).std() for f in (frame, made)]
    assert hours[1] < 2.5 * hours[0]
    assert 0.05 < made["end_time"].isna().mean() < 0.3
    assert not (made["end_time"] < made["created_at"]).any()
    assert start.min() <= made["created_at"].min() < made["created_at"].max() <= start.max()
