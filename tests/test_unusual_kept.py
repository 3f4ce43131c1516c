"""What columns owe one another, and how their numbers are built, is found and kept by whole tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import synthwright as sw

N = 400
RNG = np.random.default_rng(12)
A = np.round(RNG.gamma(4, 10, N) + 1, 2)
BORN = pd.Timestamp("1940-01-01") + pd.to_timedelta(RNG.integers(0, 25_000, N), "D")
SEEN = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 1_200, N), "D")
DUE = pd.Timestamp("2023-01-01") + pd.to_timedelta(RNG.integers(0, 300, N), "D")
BACK = DUE + pd.to_timedelta(RNG.integers(-30, 30, N), "D")
HEIGHT, WEIGHT = RNG.integers(150, 200, N), np.round(RNG.normal(75, 12, N), 1)
DEBIT = np.where(RNG.random(N) < 0.5, np.round(RNG.gamma(3, 40, N) + 1, 2), 0.0)
CREDIT = np.where(DEBIT > 0, 0.0, np.round(RNG.gamma(3, 40, N) + 1, 2))
UTC = (pd.Timestamp("2023-10-27") + pd.to_timedelta(RNG.integers(0, 400, N) * 15, "min")).tz_localize("UTC")


def _age(late: Any, early: Any) -> Any:
    before = late.dt.month * 100 + late.dt.day < early.dt.month * 100 + early.dt.day
    return late.dt.year - early.dt.year - before


Whole = Callable[[pd.DataFrame], Any]
TIED: dict[str, tuple[dict[str, Any], Whole]] = {
    "a logarithm": ({"a": A, "b": np.log(A)}, lambda d: np.isclose(d.b, np.log(d.a), rtol=1e-12)),
    "a power of e": ({"a": A, "b": np.exp(A / 50)}, lambda d: np.isclose(d.b, np.exp(d.a / 50), rtol=1e-12)),
    "a root, rounded": ({"a": A, "b": np.round(np.sqrt(A), 3)}, lambda d: np.abs(d.b - np.sqrt(d.a)) < 5.1e-4),
    "a reciprocal": ({"a": A, "b": 1 / A}, lambda d: np.isclose(d.b * d.a, 1, rtol=1e-12)),
    "a standard score": (
        {"a": A, "z": (A - A.mean()) / A.std()}, lambda d: np.isclose(d.z, (d.a - A.mean()) / A.std(), atol=1e-9),
    ),
    "an age": (
        {"born": BORN, "seen": SEEN, "age": _age(pd.Series(SEEN), pd.Series(BORN))},
        lambda d: d.age == _age(d.seen, d.born),
    ),
    "days late": (
        {"due": DUE, "back": BACK, "late": np.maximum((BACK - DUE).days, 0)},
        lambda d: d.late == np.maximum((d.back - d.due).dt.days, 0),
    ),
    "a body mass index": (
        {"h": HEIGHT, "w": WEIGHT, "bmi": np.round(WEIGHT / (HEIGHT / 100) ** 2, 1)},
        lambda d: np.abs(d.bmi - d.w / (d.h / 100) ** 2) < 0.0501,
    ),
    "debit or credit": (
        {"debit": DEBIT, "credit": CREDIT, "balance": np.round(DEBIT - CREDIT, 2)},
        lambda d: ((d.debit == 0) != (d.credit == 0)) & (np.abs(d.debit - d.credit - d.balance) < 1e-6),
    ),
    "one instant on two clocks": (
        {"utc": UTC, "berlin": UTC.tz_convert("Europe/Berlin")}, lambda d: d.utc == d.berlin,
    ),
    "decimals by currency": (
        {"cur": (cur := RNG.choice(["EUR", "JPY", "KWD"], N)),
         "x": np.where(cur == "JPY", np.round(RNG.gamma(4, 4_000, N)),
                       np.where(cur == "EUR", np.round(A * 9, 2), np.round(A * 2.1234, 3)))},
        lambda d: np.abs(np.round(d.x * (f := d.cur.map({"EUR": 100, "JPY": 1, "KWD": 1000}))) / f - d.x) < 1e-9,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(TIED))
def test_what_holds_in_every_row_holds_in_every_made_row(name: str) -> None:
    """Curves, ages, scaled products, zeros, clocks and decimals are kept, where columns are drawn each for itself."""
    columns, holds = TIED[name]
    real = pd.DataFrame({**columns, "other": RNG.normal(size=N)})
    assert np.all(holds(real))
    made = sw.fit(real, "marginals", seed=1).sample(300, seed=2)
    assert np.all(holds(made)), made[~np.asarray(holds(made))].head(3)


def test_ones_that_are_zero_keep_their_share() -> None:
    """What is computed from others is not a column of which half is zero."""
    real = pd.DataFrame({"debit": DEBIT, "credit": CREDIT, "balance": np.round(DEBIT - CREDIT, 2)})
    made = sw.fit(real, seed=1).sample(N, seed=2)
    assert (made.debit == 0).mean() == pytest.approx((DEBIT == 0).mean(), abs=0.08)


@pytest.mark.parametrize("under", [3, 7, 12])
def test_parts_of_whole_numbers_stay_such(under: int) -> None:
    """Thirds, sevenths and twelfths are no decimal steps, and kept; so are they where they were rounded."""
    whole = RNG.integers(1, 250, N) / under
    real = pd.DataFrame({"x": whole, "rounded": np.round(RNG.permutation(whole), 3), "y": RNG.normal(size=N)})
    made = sw.fit(real, "marginals", seed=1).sample(600, seed=2)
    assert np.isin(made.x, np.arange(1, 251) / under).all()
    assert np.isin(made.rounded, np.round(np.arange(1, 251) / under, 3)).all()


def test_ratios_of_small_numbers_stay_such() -> None:
    """Hits per try are fractions of as small numbers as they were, also as percentages."""
    tries = RNG.integers(1, 16, N)
    rate = np.floor(RNG.random(N) * (tries + 1)) / tries
    real = pd.DataFrame({"rate": rate, "percent": 100 * RNG.permutation(rate), "y": RNG.normal(size=N)})
    made = sw.fit(real, "marginals", seed=1).sample(600, seed=2)
    fractions = np.unique([a / b for b in range(1, 16) for a in range(b + 1)])
    for values in (made.rate, made.percent / 100):
        assert np.min(np.abs(values.to_numpy()[:, None] - fractions), axis=1).max() < 1e-12


@pytest.mark.parametrize("digits", [(0, 2), (2, 4), (0, 2, 4)])
def test_numbers_of_several_precisions_keep_the_share_of_each(digits: tuple[int, ...]) -> None:
    """As many values have no, two or four decimals as had."""
    some = RNG.choice(digits, 600)
    values = np.array([round(float(v), int(k)) for v, k in zip(RNG.gamma(4, 90, 600), some, strict=True)])
    real = pd.DataFrame({"x": values, "y": RNG.normal(size=600)})
    made = sw.fit(real, "marginals", seed=1).sample(1_000, seed=2)
    for k in digits:
        shares = [np.mean(np.round(x, k) == x) for x in (values, made.x)]
        assert shares[1] == pytest.approx(shares[0], abs=0.08)


@pytest.mark.parametrize("library", ["arrow", "polars"])
def test_nan_and_null_are_two_things_where_a_frame_holds_both(library: str) -> None:
    """Each comes back as often as it was; where a frame has one only, the other does not come."""
    values = [
        None if i % 10 == 0 else float("nan") if i % 7 == 0 else float(v) for i, v in enumerate(RNG.normal(size=N))
    ]
    real = pa.table({"x": pa.array(values, pa.float64(), from_pandas=False), "y": RNG.normal(size=N)})
    frame = real if library == "arrow" else pl.from_arrow(real)
    made = sw.fit(frame, seed=1).sample(N, seed=2)
    found = made["x"] if library == "arrow" else made["x"].to_arrow()
    assert found.null_count == pytest.approx(real["x"].null_count, abs=20)
    nan = [pc.sum(pc.is_nan(c)).as_py() for c in (real["x"], found)]
    assert nan[1] == pytest.approx(nan[0], abs=25)
    plain = sw.fit(real.set_column(0, "x", pc.fill_null(real["x"], 1.0)), seed=1).sample(N, seed=2)
    assert plain["x"].null_count == 0


def test_whole_numbers_beyond_63_bits_in_a_column_of_objects() -> None:
    """Python's own whole numbers come in as unsigned ones where they must; what no type holds is refused."""
    large = [2**63 + int(k) for k in RNG.integers(0, 10**15, N)]
    real = pd.DataFrame({"u": pd.Series(large, dtype=object), "y": RNG.normal(size=N)})
    made = sw.fit(real, "marginals", seed=1).sample(200, seed=2)
    assert min(large) <= int(made.u.min()) <= int(made.u.max()) <= max(large)
    with pytest.raises(sw.SynthwrightError, match="values of one type"):
        sw.fit(real.assign(u=pd.Series([*large[:-1], -1], dtype=object)), seed=1)


def test_numbers_next_to_the_largest_stay_where_they_are() -> None:
    """Floats above 2**1023 are not all one."""
    real = pd.DataFrame({"h": RNG.uniform(1e308, 1.7e308, N), "y": RNG.normal(size=N)})
    made = sw.fit(real, "marginals", seed=1).sample(200, seed=2)
    assert made.h.min() >= real.h.min()
    assert made.h.nunique() > 150


@pytest.mark.parametrize("generator", ["marginals", "copula", "default"])
def test_pairs_that_occur_once_occur_once(generator: str) -> None:
    """Every store once in each week, with all pairs taken; in more rows than pairs none far more often than others."""
    pairs = pd.DataFrame([(s, w) for s in range(1, 11) for w in range(1, 31)], columns=["store", "week"])
    real = pairs.assign(sales=np.round(RNG.gamma(3, 100, len(pairs)), 2))
    model = sw.fit(real, generator, seed=1)
    assert "unique(store, week)" in [r.rule for r in model.schema.tables["data"].rules]
    for rows in (100, 300):
        assert not model.sample(rows, seed=2).duplicated(["store", "week"]).any()
    counted = model.sample(900, seed=2).groupby(["store", "week"]).size()
    assert (len(counted), counted.max()) == (300, 3)
