"""Every generator's output keeps the rules."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.kit.constraints.keeping_for_tests import (
    CATEGORY,
    CENTS,
    CITIES,
    CITY,
    DATE,
    INTEGER,
    MONEY,
    NET,
    NUMBER,
    OHLC,
    RNG,
    ROWS,
    START,
    TAX,
    Fields,
    Shuffled,
    check,
    dataset,
    kept,
    prices,
)

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.constraints.keeping import UNREACHABLE, Keeper
from synthwright.kit.measuring.stats import kolmogorov_smirnov


@pytest.fixture(autouse=True)
def same_stream() -> None:
    """Let every test begin with the same randomness, whatever ran before."""
    RNG.bit_generator.state = START


def test_without_rules_the_model_is_left_alone() -> None:
    """A table without rules passes through unchanged."""
    data = dataset({"a": (NUMBER, NET), "b": (NUMBER, TAX)})
    keeper, found = kept(data)
    assert keeper.part == keeper.full
    assert keeper.reduce(data) is data
    assert (found.redrawn, found.repaired, found.sample.problems) == (0, 0, ())


def loose_prices() -> Fields:
    """Return prices of a day that are far apart."""
    four = np.sort(np.round(RNG.lognormal(3, 0.7, (ROWS, 4)), 2), axis=1)
    swap = RNG.random(ROWS) < 0.5
    four[swap, 1], four[swap, 2] = four[swap, 2], four[swap, 1]
    return {n: (CENTS, four[:, i]) for i, n in enumerate(("low", "open", "close", "high"))}


@pytest.mark.parametrize("step", [0.01, None])
def test_prices_close_together_hold_in_every_row(step: float | None) -> None:
    """Four prices of a day are made as distances: in order, on their lattice, spread as they were."""
    data = dataset(prices(step), *OHLC)
    _, found = kept(data)
    made = check(data, found)
    assert found.repaired == 0
    assert found.redrawn < 0.05 * ROWS  # for a distance drawn by itself may lead beyond the highest prices
    for name in ("low", "open", "close", "high"):
        values, real = made.column(name).to_numpy(), data.tables["t"].column(name).to_numpy()
        assert np.allclose(values * 100, np.rint(values * 100), atol=1e-6)
        assert np.median(values) == pytest.approx(np.median(real), rel=0.15)


def test_prices_far_apart_hold_in_every_row_and_keep_their_values() -> None:
    """Four prices drawn each for itself are exchanged between rows: nearly every value stays, now in order."""
    data = dataset(loose_prices(), *OHLC)
    keeper, found = kept(data)
    made = check(data, found)
    assert found.repaired > ROWS / 4
    drawn = Shuffled(data, keeper.part).sample(Dataset.blank(data.schema, {"t": ROWS}), Context(seed=3).at("sample"))
    for name in ("low", "open", "close", "high"):
        one, other = (t.column(name).to_numpy() for t in (made, drawn.data.tables["t"]))
        assert kolmogorov_smirnov(one, other) < 0.05
    assert np.mean(made.column("open").to_numpy() < made.column("close").to_numpy()) == pytest.approx(0.5, abs=0.15)


def test_a_single_row_holds_too() -> None:
    """Without other rows to exchange values with a row is mended by itself."""
    data = dataset(loose_prices(), *OHLC)
    for seed in range(5):
        check(data, kept(data, Dataset.blank(data.schema, {"t": 1}), seed=seed)[1])


def test_a_strict_chain_of_whole_numbers_holds() -> None:
    """`a < b < c` holds even where ties must be broken."""
    values = np.sort(RNG.integers(0, 3, (ROWS, 3)), axis=1) + np.arange(3)
    data = dataset({n: (INTEGER, values[:, i]) for i, n in enumerate("abc")}, "a < b < c")
    check(data, kept(data)[1])


def test_dates_hold_their_order_with_nulls() -> None:
    """Dates are mended as dates; a missing end breaks nothing and stays missing."""
    days = [date(2020, 1, 1) + timedelta(days=int(d)) for d in RNG.integers(0, 900, ROWS)]
    ends = [None if i % 3 == 0 else d + timedelta(days=i % 50) for i, d in enumerate(days)]
    data = dataset({"start": (DATE, days), "end": (DATE, ends)}, "start <= end", "end <= '2023-01-01'")
    made = check(data, kept(data)[1])
    assert made.column("end").null_count == pytest.approx(ROWS / 3, abs=50)


def test_given_values_are_never_changed() -> None:
    """Beside a given column only the produced one is moved."""
    data = dataset(loose_prices(), *OHLC)
    start = data.select("t", ["high"])
    _, found = kept(data, start, given=("t.high",))
    made = check(data, found)
    assert made.column("high").equals(start.tables["t"].column("high"))


def test_sums_are_derived_and_not_modelled() -> None:
    """The total is left out of the part and computed, exactly, on its lattice and as decimals."""
    for field in (CENTS, MONEY):
        values = [[Decimal(str(round(float(v), 2))) if field is MONEY else round(float(v), 2) for v in column]
                  for column in (NET, TAX, NET + TAX)]  # fmt: skip
        columns = {n: (field, v) for n, v in zip(("net", "tax", "total"), values, strict=True)}
        data = dataset(columns, "total == net + tax")
        keeper, found = kept(data)
        assert keeper.part.produce == ("t.net", "t.tax")
        assert keeper.reduce(data).columns("t") == ("net", "tax")
        check(data, found)
        assert (found.redrawn, found.repaired) == (0, 0)


def test_a_given_total_is_met_by_its_parts() -> None:
    """Where the total is given, one of its parts is computed from it and the other."""
    data = dataset({"net": (CENTS, NET), "tax": (CENTS, TAX), "total": (CENTS, np.round(NET + TAX, 2))},
                   "total == net + tax", "net >= 0")  # fmt: skip
    start = data.select("t", ["total"])
    keeper, found = kept(data, start, given=("t.total",))
    assert keeper.part.produce == ("t.tax",)
    made = check(data, found)
    assert made.column("total").equals(start.tables["t"].column("total"))


@pytest.mark.parametrize(
    ("rule", "derived"),
    [("b == a", "t.b"), ("a == b", "t.a"), ("b == 1.8 * a + 32", "t.b"), ("b - a == 3", "t.b"), ("abs(a) == b", "t.b")],
)
def test_equal_and_affine_columns_are_derived(rule: str, derived: str) -> None:
    """The column that stands alone in an equation is computed."""
    data = dataset({"a": (INTEGER, RNG.integers(0, 9, ROWS) * 5), "b": (INTEGER, RNG.integers(0, 9, ROWS) * 5)}, rule)
    keeper, found = kept(data)
    assert derived not in keeper.part.produce or "b - a" in rule
    assert len(keeper.part.produce) == 1
    check(data, found)


def test_a_formula_whose_nulls_differ_only_corrects_values() -> None:
    """A column that is missing on its own is still modelled; what is there is corrected."""
    b = [None if i % 4 == 0 else int(v) for i, v in enumerate(NET)]
    data = dataset({"a": (INTEGER, NET.astype(np.int64)), "b": (INTEGER, b)}, "b == a")
    keeper, found = kept(data)
    assert keeper.part.produce == ("t.a", "t.b")
    made = check(data, found)
    assert made.column("b").null_count == pytest.approx(ROWS / 4, abs=40)


def test_rows_that_break_a_condition_are_drawn_again() -> None:
    """Conditions that cannot be mended are met by drawing again; the numbers say how often."""
    data = dataset({"a": (INTEGER, RNG.integers(0, 9, ROWS)), "c": (CATEGORY, CITIES[CITY])},
                   "a != 3 and (c != 'Ulm' or a > 2)")  # fmt: skip
    _, found = kept(data)
    made = check(data, found)
    assert found.redrawn > 20
    assert made.column("a").null_count == 0


def test_redrawing_makes_no_more_missing_values() -> None:
    """A missing value breaks nothing, and yet drawing again does not favour it."""
    b = [None if i % 2 else int(v) for i, v in enumerate(RNG.integers(0, 9, ROWS))]
    data = dataset({"a": (INTEGER, CITY), "b": (INTEGER, b)}, "b >= 3 and b <= 5")
    _, found = kept(data)
    made = check(data, found)
    assert found.redrawn > 50
    assert made.column("b").null_count == pytest.approx(ROWS / 2, abs=40)


def test_bounds_are_met_by_moving() -> None:
    """A bound that few draws meet is met by moving the value onto it: numbers, dates, decimals, strict or not."""
    days = [date(2020, 1, 1) + timedelta(days=i) for i in range(ROWS)]
    money = [Decimal(i) / 100 for i in range(ROWS)]
    columns: Fields = {"n": (NUMBER, NET), "i": (INTEGER, np.arange(ROWS)), "d": (DATE, days), "m": (MONEY, money)}
    data = dataset(columns, "n > 500.5", "i <= 1.5 and i > -0.5", "d < '2019-12-31'", "m >= 0.015 * i + 10")
    _, found = kept(data)
    made = check(data, found)
    assert found.repaired > ROWS / 2
    assert set(made.column("i").to_pylist()) <= {0, 1}
    assert max(made.column("d").to_pylist()) == date(2019, 12, 30)


def test_what_cannot_be_reached_is_ruled_out() -> None:
    """Rows that no draw and no mending makes hold are ruled out with a reason, and counted neither way."""
    data = dataset({"a": (INTEGER, RNG.integers(0, 9, ROWS)), "c": (CATEGORY, CITIES[CITY])}, "a >= 0 and c in ['Rom']")
    _, found = kept(data)
    check(data, found, unreachable=ROWS)
    assert found.sample.problems[0].reason.to_pylist()[0] == UNREACHABLE
    assert (found.redrawn, found.repaired) == (0, 0)


def test_contradicting_given_values_are_ruled_out_row_by_row() -> None:
    """Only rows whose given values leave no room are lost."""
    low, high = [1, 2, 3, 4] * 9, [6, 7, 8, 9] * 9
    data = dataset({"low": (INTEGER, low), "mid": (INTEGER, [5] * 36), "high": (INTEGER, high)}, "low <= mid <= high")
    start = dataset({"low": (INTEGER, [9, 1, 5]), "mid": (INTEGER, [None] * 3), "high": (INTEGER, [3, 3, 5])})
    _, found = kept(data, start.select("t", ["low", "high"]), given=("t.low", "t.high"))
    made = check(data, found, unreachable=1)
    assert made.column("mid").to_pylist()[1:] == [3, 5]


def test_filling_changes_only_what_was_missing() -> None:
    """In mode fill nulls are made so that the rules hold, and every given value stays."""
    low, high = np.sort(RNG.integers(0, 100, (2, ROWS)), axis=0)
    total = low + high
    hole = RNG.integers(0, 4, ROWS)
    columns: Fields = {
        n: (INTEGER, [None if hole[i] == k else int(v) for i, v in enumerate(values)])
        for k, (n, values) in enumerate({"low": low, "high": high, "total": total}.items())
    }
    data = dataset(columns, "low <= high", "total == low + high")
    keeper, found = kept(data, data, mode="fill")
    assert keeper.part.produce == keeper.full.produce
    made = check(data, found)
    for name in columns:
        now, before = made.column(name).to_pylist(), data.tables["t"].column(name).to_pylist()
        assert None not in now
        assert all(b is None or b == n for n, b in zip(now, before, strict=True))


def test_replacing_starts_from_the_present_values() -> None:
    """In mode replace derived columns are restored over the present ones."""
    data = dataset(
        {"net": (CENTS, NET), "tax": (CENTS, TAX), "total": (CENTS, np.round(NET + TAX, 2))}, "total == net + tax"
    )
    _, found = kept(data, data, mode="replace")
    check(data, found)


def test_unique_rows_are_drawn_again() -> None:
    """Rows that repeat a combination that must be unique are drawn again."""
    data = dataset({"a": (INTEGER, np.arange(ROWS) % 40), "b": (INTEGER, np.arange(ROWS) // 4)}, "unique(a, b)")
    _, found = kept(data)
    check(data, found)
    assert found.redrawn > 0


def test_keys_and_pseudonyms_survive_redrawing() -> None:
    """A redrawn row keeps its key."""
    key = Field(kind=Kind.KEY, type="int64", unique=True)
    number = Field(kind=Kind.INTEGER, unique=True)
    columns: Fields = {"k": (key, np.arange(ROWS)), "n": (number, np.arange(ROWS)), "a": (INTEGER, CITY)}
    data = dataset(columns | {"b": (INTEGER, CITY)}, "a != 3 and a + b != 4")
    part = Part(data.schema.columns)
    keeper = Keeper.learn(data, part, Context())
    model, start = Shuffled(data, keeper.part), Dataset.blank(data.schema, {"t": ROWS})
    first = model.sample(start, Context(seed=1)).data
    found = keeper.sample(model, start, Context(seed=1))
    assert found.redrawn > 0
    for name in ("t.k", "t.n"):
        assert found.sample.data.column(name).combine_chunks().equals(first.column(name).combine_chunks())


def test_a_models_own_problems_pass_through() -> None:
    """Rows that the model gave up stay ruled out, for its reason."""
    data = dataset(prices(), *OHLC)
    _, found = kept(data, fails=True)
    assert found.sample.problems[0].reason.to_pylist()[:2] == ["broken-reply", None]


def test_columns_of_other_parts_are_not_touched() -> None:
    """A rule about a column the part neither makes nor is given is left to others."""
    data = dataset(
        {"net": (CENTS, NET), "tax": (CENTS, TAX), "total": (CENTS, np.round(NET + TAX, 2))}, "total == net + tax"
    )
    keeper = Keeper.learn(data, Part(("t.total",), ("t.net",)), Context())
    assert keeper.tables["t"].rules == ()
    assert Keeper.learn(data, Part(("t.total",), ("t.net", "t.tax")), Context()).part.produce == ("t.total",)


def test_the_same_context_gives_the_same_rows() -> None:
    """Same seed, same rows; another seed, others."""
    data = dataset(prices(), *OHLC)
    one, two, other = (kept(data, seed=s)[1].sample.data.fingerprint() for s in (1, 1, 2))
    assert one == two != other


def test_a_saved_keeper_does_the_same(tmp_path: Path) -> None:
    """Saving and loading changes nothing, and saving twice writes the same bytes."""
    money = [Decimal(int(c)) for c in CITY]
    days = pa.array(CITY, pa.int32()).cast(pa.date32())
    data = dataset({"id": (INTEGER, CITY), "city": (CATEGORY, CITIES[CITY]), "eu": (Field(kind=Kind.BOOLEAN), CITY > 1),
                    "fee": (MONEY, money), "share": (NUMBER, CITY / 7), "day": (DATE, days),
                    "a": (INTEGER, CITY), "b": (INTEGER, CITY + 1)},
                   "id -> (city, eu, fee, share, day)", "city -> id", "a <= b", "b == a + 1")  # fmt: skip
    keeper, found = kept(data)
    check(data, found)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        keeper.save(tmp_path / name)
    files = [sorted((f.name, f.read_bytes()) for f in (tmp_path / n).iterdir()) for n in ("one", "two")]
    assert files[0] == files[1]
    loaded = Keeper.load(tmp_path / "one")
    assert loaded.part == keeper.part
    model, start = Shuffled(keeper.reduce(data), keeper.part), Dataset.blank(data.schema, {"t": ROWS})
    again = loaded.sample(model, start, Context(seed=3).at("sample"))
    assert again.sample.data.fingerprint() == found.sample.data.fingerprint()
