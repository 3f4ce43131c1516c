"""Columns that follow from another one and the rate of a class, and columns that are cut off at another one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.core.dataset import Dataset
from synthwright.core.relation_fits import through
from synthwright.kit.constraints.expressions import holds

ROWS = 300
RNG = np.random.default_rng(1)
AMOUNT = RNG.gamma(2, 300, ROWS).round(2)
KIND = RNG.choice(["food", "books", "other"], ROWS, p=[0.5, 0.2, 0.3])
RATE = pd.Series(KIND).map({"food": 0.07, "books": 0.0, "other": 0.19}).to_numpy()


def _tax() -> pd.DataFrame:
    return pd.DataFrame({"kind": KIND, "net": AMOUNT, "tax": (AMOUNT * RATE).round(2)})


def _gross() -> pd.DataFrame:
    return pd.DataFrame({"gross": (AMOUNT * (1 + RATE)).round(2), "net": AMOUNT, "kind": KIND})


def _member() -> pd.DataFrame:
    member = RNG.random(ROWS) < 0.3
    return pd.DataFrame({"member": member, "price": AMOUNT, "paid": (AMOUNT * np.where(member, 0.9, 1)).round(2)})


def _plan() -> pd.DataFrame:
    zone, minutes = RNG.integers(1, 4, ROWS), RNG.integers(0, 900, ROWS)
    bill = np.array([5, 12.5, 30])[zone - 1] + np.array([0.09, 0.05, 0.01])[zone - 1] * minutes
    return pd.DataFrame({"zone": zone, "minutes": minutes, "bill": bill.round(2)})


def _price() -> pd.DataFrame:
    item, pieces = RNG.integers(0, 6, ROWS), RNG.integers(1, 90, ROWS)
    price = np.array([1.99, 2.5, 19.9, 7.25, 99, 14.49])[item]
    return pd.DataFrame({"item": np.array(list("abcdef"))[item], "pieces": pieces, "sum": (price * pieces).round(2)})


def _charged() -> pd.DataFrame:
    weight, volume = RNG.gamma(3, 4, ROWS).round(1), RNG.gamma(3, 20_000, ROWS).round()
    return pd.DataFrame({"weight": weight, "volume": volume, "charged": np.maximum(weight, volume / 5000).round(1)})


def _fee() -> pd.DataFrame:
    return pd.DataFrame({"amount": AMOUNT, "fee": np.maximum(5, 0.015 * AMOUNT + 0.3).round(2)})


def _between() -> pd.DataFrame:
    return pd.DataFrame({"amount": AMOUNT, "fee": np.clip(0.01 * AMOUNT, 2.5, 12).round(2)})


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (_tax, 'tax == net * (0.07 * (kind == "food") + 0.19 * (kind == "other"))'),
        (_gross, 'gross == net * ((kind == "books") + 1.07 * (kind == "food") + 1.19 * (kind == "other"))'),
        (_member, "paid == price * ((member == false) + 0.9 * (member == true))"),
        (_plan, ("bill == minutes * (0.09 * (zone == 1) + 0.05 * (zone == 2) + 0.01 * (zone == 3)) + "
                "(5 * (zone == 1) + 12.5 * (zone == 2) + 30 * (zone == 3))")),
        (_price, ('sum == pieces * (1.99 * (item == "a") + 2.5 * (item == "b") + 19.9 * (item == "c") + '
                 '7.25 * (item == "d") + 99 * (item == "e") + 14.49 * (item == "f"))')),
        (_charged, "charged == max(weight, volume / 5000)"),
        (_fee, "fee == max(5, 0.015 * amount + 0.3)"),
        (_between, "fee == min(12, max(2.5, 0.01 * amount))"),
    ],
    ids=["tax", "gross", "member", "plan", "price", "charged", "fee", "between"],
)  # fmt: skip
def test_they_are_found_and_kept(make: Callable[[], pd.DataFrame], wanted: str) -> None:
    """They are found in real rows, and hold in all made ones."""
    model = sw.fit(make(), seed=1)
    assert wanted in [r.rule for r in model.schema.tables["data"].rules]
    made = Dataset.of(model.sample(600, seed=2), model.schema)
    assert holds(made.tables["data"], wanted, made.schema.tables["data"]).all()


def test_what_only_looks_so_is_no_relation() -> None:
    """One row that breaks it, a class of two rows, or chance, and nothing is said."""
    off = np.arange(ROWS) == 9
    tax, charged = _tax(), _charged()
    tax["tax"] += 0.05 * off
    charged["charged"] += 0.3 * off
    rare = _tax()
    rare.loc[:1, "kind"] = "rare"
    rare.loc[:1, "tax"] = (rare["net"][:2] * 0.5).round(2)
    chance = pd.DataFrame({"a": AMOUNT, "b": AMOUNT[::-1].round(), "kind": KIND, "c": RNG.integers(0, 9, ROWS)})
    for frame in (tax, charged, rare, chance):
        rules = [r.rule for r in Dataset.of(frame).schema.tables["data"].rules]
        assert not [r for r in rules if " == " in r and "(tax > 0) ==" not in r], rules  # books pay none: that is true


def test_lines_have_the_roundest_numbers() -> None:
    """Of all lines within the room the one with the fewest digits is taken, also one that is divided by a number."""
    x = np.linspace(1, 900, 50).round(1)
    cases = ((0.07 * x, 0.005, "0.07 * x"), (x / 5000, 1e-9, "x / 5000"), (1.5 * x - 3, 0.05, "1.5 * x - 3"))
    for exact, room, said in cases:
        y = np.rint(exact / (2 * room)) * 2 * room if room > 1e-6 else exact
        found = through(x, y, np.full(len(x), room), constant=True)
        assert found is not None
        assert found.said("x") == said
    assert through(x, np.sin(x), np.full(len(x), 0.01), constant=True) is None
    assert through(x, 0 * x + 5.0, np.full(len(x), 0.01), constant=False) is None


def test_numbers_of_any_size_do_no_harm() -> None:
    """Denormal and huge numbers overflow nothing that is told."""
    wild = pd.DataFrame({"a": RNG.random(ROWS) * 1e-310, "b": RNG.random(ROWS) * 1e308, "c": AMOUNT, "kind": KIND})
    assert Dataset.of(wild).schema.tables["data"].rules == ()
