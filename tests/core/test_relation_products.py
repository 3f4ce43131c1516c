"""Products, spans of time and bands are found where they hold in every row, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.bands import bands_of
from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.kit.constraints.expressions import holds

RNG = np.random.default_rng(6)
ROWS = 400
ITEMS, PRICE = RNG.integers(1, 30, ROWS), RNG.gamma(3, 9, ROWS).round(2)
RATE, PERCENT = RNG.choice([0.07, 0.19], ROWS), RNG.choice([0, 5, 12.5], ROWS)
START = pd.Series(pd.Timestamp("2023-01-01") + pd.to_timedelta(RNG.integers(0, 10**7, ROWS), unit="s"))
SECONDS = RNG.integers(10, 10_000, ROWS)
AGE, INCOME = RNG.integers(0, 95, ROWS), RNG.lognormal(10.5, 0.6, ROWS).round(2)


def rules(**columns: Any) -> list[str]:
    """Return the rules that are found, having checked that they hold in every row."""
    held = {"t": pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)}
    schema = infer(held).schema
    data = Dataset.of(held, schema)
    found = [r.rule for r in schema.tables["t"].rules]
    assert all(holds(data.tables["t"], rule, schema.tables["t"]).all() for rule in found)
    return found


VIEWS, HEIGHT = ITEMS * 7 + AGE, 1.5 + RATE + ITEMS / 100
END = START + pd.to_timedelta(SECONDS, unit="s")
MINUTES = SECONDS // 30
TIMES = [(pd.Timestamp("2023-01-01 06:00") + pd.to_timedelta(m, unit="min")).time for m in (AGE * 3, AGE * 3 + MINUTES)]
FOUND: dict[str, dict[str, Any]] = {
    "total == items * price": {"items": ITEMS, "price": PRICE, "total": (ITEMS * PRICE).round(2)},
    "rate == won / (won + lost)": {
        "won": ITEMS,
        "lost": AGE,
        "rate": (ITEMS / (ITEMS + AGE)).round(3),
    },
    "compa == 2 * pay / (low + high)": {
        "pay": INCOME,
        "low": 20_000 + 1_000 * ITEMS,
        "high": 50_000 + 3_000 * AGE,
        "compa": (2 * INCOME / (70_000 + 1_000 * ITEMS + 3_000 * AGE)).round(3),
    },
    "gross == net * (1 + rate)": {"net": PRICE, "rate": RATE, "gross": (PRICE * (1 + RATE)).round(2)},
    "paid == net * (1 - cut / 100)": {"net": PRICE, "cut": PERCENT, "paid": (PRICE * (1 - PERCENT / 100)).round(2)},
    "sum == n * price * (1 - rate)": {
        "n": ITEMS,
        "price": PRICE,
        "rate": RATE,
        "sum": (ITEMS * PRICE * (1 - RATE)).round(2),
    },
    "rate == clicks / views": {"clicks": ITEMS, "views": VIEWS, "rate": (ITEMS / VIEWS).round(4)},
    "bmi == kg / (m * m)": {"kg": PRICE + 50, "m": HEIGHT, "bmi": ((PRICE + 50) / HEIGHT**2).round(1)},
    "took == 86400 * (end - start)": {"start": START, "end": END, "took": SECONDS},
    "mins == 1440 * (end - start)": {"start": START, "end": END, "mins": (SECONDS / 60).round(2)},
    "hours == 24 * (shut - open)": {"open": TIMES[0], "shut": TIMES[1], "hours": (MINUTES / 60).round(2)},
    "age -> group": {"age": AGE, "group": np.array(["child", "adult", "old"])[np.digitize(AGE, [18, 65])]},
    "income -> rich": {"income": INCOME, "rich": INCOME > 60_000},
    "is_0 + is_1 + is_2 == 1": {f"is_{i}": i == ITEMS % 3 for i in range(3)},
}


@pytest.mark.parametrize("wanted", list(FOUND))
def test_what_holds_in_every_row_is_found(wanted: str) -> None:
    """A product, a quotient, a span, a band or a choice is found, also where another column stands by."""
    assert wanted in rules(other=RNG.normal(0, 1, ROWS), **FOUND[wanted])


def test_one_row_that_contradicts_is_enough() -> None:
    """What fails in a single row is no rule; nor is what chance would do."""
    total = (ITEMS * PRICE).round(2)
    total[17] += 1
    assert not any("*" in r for r in rules(items=ITEMS, price=PRICE, total=total))
    group = np.where(AGE > 40, "old", "young")
    group[int(np.argmin(AGE))] = "old"
    assert not any("->" in r for r in rules(age=AGE, group=group))
    ones = np.where(np.arange(ROWS) < 5, 2, 1)
    assert not any(
        "*" in r for r in rules(price=PRICE, ones=ones, twice=np.where(ones == 2, 2 * PRICE, PRICE).round(2))
    )


def test_missing_values_break_no_product() -> None:
    """A product holds in the rows that have all its columns."""
    price = np.where(RNG.random(ROWS) < 0.2, np.nan, PRICE)
    assert "total == items * price" in rules(items=ITEMS, price=price, total=(ITEMS * price).round(2))


def test_a_band_begins_at_a_round_number() -> None:
    """Where a band begins is told by the fewest digits between its values and those before: nobody's own."""
    values = np.array([1.0, 2, 3, 49_871.33, 49_990.2, 49_999.9, 50_213.7, 60_000, 70_001])
    found = bands_of(values, np.array([0] * 6 + [1] * 3))
    assert found is not None
    assert found.begins.tolist() == [50_000.0]
    assert bands_of(-values[::-1], np.array([1] * 3 + [0] * 6)).begins.tolist() == [-50_000.0]  # type: ignore[union-attr]
    assert bands_of(values - 50_100, np.array([0] * 6 + [1] * 3)).begins.tolist() == [0.0]  # type: ignore[union-attr]
    assert bands_of(values, np.array([0, 1, 0, 1, 0, 1, 0, 1, 0])) is None
    assert bands_of(values[:6], np.zeros(6, dtype=np.int64)) is None


def test_rare_labels_make_no_band() -> None:
    """A label of fewer than three rows is passed over."""
    found = bands_of(np.arange(9.0), np.array([0] * 4 + [2] + [1] * 4))
    assert found is not None
    assert found.codes.tolist() == [0, 1]


def test_percentages_may_be_whole_numbers() -> None:
    """What was rounded to a whole number is made so again; where numbers are few, rounding could not be told."""
    rng = np.random.default_rng(8)
    total = rng.integers(10, 200, 500)
    part = rng.binomial(total, 0.4)
    frame = pd.DataFrame({"part": part, "total": total, "percent": np.rint(100 * part / total).astype(int)})
    model = sw.fit(frame, seed=1)
    assert "percent == 100 * part / total" in [r.rule for r in model.schema.tables["data"].rules]
    made = model.sample(900, seed=2)
    assert (np.abs(100 * made["part"] / made["total"] - made["percent"]) <= 0.5).all()
    frame["percent"] = np.rint(5 * part / total).astype(int)
    assert not [r for r in Dataset.of(frame).schema.tables["data"].rules if " == " in r.rule]


def test_of_a_rounded_quotient_it_is_the_quotient_that_is_computed() -> None:
    """A price of whole thousands is an area times the price of a square metre too, but only because it is so coarse."""
    area = RNG.uniform(30, 160, ROWS).round(1)
    price = (area * RNG.normal(3_500, 500, ROWS)).round(-3)
    assert "per_metre == price / area" in rules(area=area, price=price, per_metre=(price / area).round(2))
    net, rate = RNG.gamma(3, 90, ROWS).round(2), RNG.choice([0.07, 0.19], ROWS)
    assert "tax == net * rate" in rules(net=net, rate=rate, tax=(net * rate).round(2))
