"""Whole steps, pairs that decide, labels that say sides, labels never the same, and relations of small tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.dataset import Dataset
from synthwright.core.infer import infer
from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.expressions import holds

RNG = np.random.default_rng(12)
ROWS = 600
LASTS = np.where(RNG.random(ROWS) < 0.1, 0, RNG.exponential(180, ROWS).astype(int))
WEIGHT = RNG.lognormal(2, 1, ROWS).round(1)
YEAR = RNG.integers(1950, 2024, ROWS)
YEARLY = RNG.lognormal(6, 1, ROWS).round(2)
ITEM, SIZE = RNG.integers(0, 9, ROWS), RNG.integers(0, 4, ROWS)
PRICE = RNG.integers(2, 12, 36)[4 * ITEM + SIZE]
ONE, TWO = RNG.random(ROWS) < 0.5, RNG.random(ROWS) < 0.4
AMOUNT = RNG.normal(-20, 50, ROWS).round(2)
KIND = np.where(AMOUNT > 0, RNG.choice(["in", "back"], ROWS), RNG.choice(["fee", "card", "out"], ROWS))
LOW, HIGH = RNG.choice([3.0, 8.0], ROWS), RNG.choice([12.0, 20.0], ROWS)
VALUE = RNG.normal(10, 5, ROWS).round(1)
FLAG = np.where(VALUE < LOW, "L", np.where(VALUE > HIGH, "H", "-"))
TEAMS = np.array(["Ajax", "Bayer", "Celtic", "Derby", "Ever"])
HOME = RNG.integers(0, 5, ROWS)
AWAY = (HOME + RNG.integers(1, 5, ROWS)) % 5
METRES = RNG.gamma(9, 9, ROWS).round(1)
COST = np.rint(METRES * RNG.normal(4, 0.5, ROWS)) * 1000
FOUND: dict[str, dict[str, Any]] = {
    "minutes == ceil(lasts / 60)": {"lasts": LASTS, "minutes": np.ceil(LASTS / 60).astype(int)},
    "fee == 0.09 * ceil(lasts / 60)": {"lasts": LASTS, "fee": (np.ceil(LASTS / 60) * 0.09).round(2)},
    "billed == ceil(weight)": {"weight": WEIGHT, "billed": np.ceil(WEIGHT).astype(int)},
    "decade == 10 * floor(year / 10)": {"year": YEAR, "decade": YEAR // 10 * 10},
    "monthly == yearly / 12": {"yearly": YEARLY, "monthly": (YEARLY / 12).round(2)},
    "each == cost / metres": {"metres": METRES, "cost": COST, "each": (COST / METRES).round(2)},
    "(item, size) -> price": {"item": ITEM, "size": np.array(list("SMLX"))[SIZE], "price": PRICE},
    "(one, two) -> differ": {"one": ONE, "two": TWO, "differ": ONE ^ TWO},
    '(amount > 0) == (kind in ("back", "in"))': {"amount": AMOUNT, "kind": KIND},
    '(value < low) == (flag == "L")': {"value": VALUE, "low": LOW, "high": HIGH, "flag": FLAG},
    '(value > high) == (flag == "H")': {"value": VALUE, "low": LOW, "high": HIGH, "flag": FLAG},
    "home != away": {"home": TEAMS[HOME], "away": TEAMS[AWAY]},
}
A, B = RNG.integers(0, 100, (2, 30))
SMALL: dict[str, dict[str, Any]] = {
    "total == a + b": {"a": A, "b": B, "total": A + B},
    "mean == 0.5 * a + 0.5 * b": {"a": A, "b": B, "mean": (A + B) / 2},
    "place -> land": {"place": np.array(list("wxyz"))[A % 4], "land": np.array(list("ABAB"))[A % 4]},
}


def rules(*, checked: bool = True, **columns: Any) -> list[str]:
    """Return the rules that are found, having checked that they hold in every row."""
    held = {"t": pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)}
    schema = infer(held).schema
    data = Dataset.of(held, schema)
    found = [r.rule for r in schema.tables["t"].rules]
    assert not checked or all(holds(data.tables["t"], rule, schema.tables["t"]).all() for rule in found)
    return found


@pytest.mark.parametrize("rule", list(FOUND))
def test_what_holds_in_every_row_is_found(rule: str) -> None:
    """Beside a column that has nothing to do with it; but for one row that breaks it, nothing is."""
    assert rule in rules(**FOUND[rule], other=RNG.normal(size=ROWS))
    last = list(FOUND[rule])[-1]
    values = FOUND[rule][last].copy()
    at = int(np.flatnonzero(FLAG == "H")[0]) if last == "flag" else 3
    wrong = {"flag": "L", "kind": "fee" if AMOUNT[3] > 0 else "in", "away": TEAMS[HOME[3]]}
    values[at] = wrong.get(last, next(v for v in np.unique(values)[::-1] if v != values[at]))
    broken: dict[str, Any] = {**FOUND[rule], last: values}
    assert rule not in rules(checked=False, **broken, other=RNG.normal(size=ROWS))


@pytest.mark.parametrize("rule", list(SMALL))
def test_small_tables_tell_as_much(rule: str) -> None:
    """Thirty or sixty rows are enough where each of them would contradict."""
    columns = {n: np.tile(v, 2) for n, v in SMALL[rule].items()} if "->" in rule else SMALL[rule]
    assert rule in rules(**columns)


def test_ordinary_tables_tell_nothing() -> None:
    """Columns that go together, but not always, are under no rule, however small the table is."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows, mixed = int(rng.integers(20, 400)), rng.normal(size=6)
        near = rng.normal(size=rows)[:, None] * mixed + rng.normal(0, 0.4, (rows, 6))
        columns: dict[str, Any] = {"a": np.digitize(near[:, 0], [-1, 0, 1]), "b": np.digitize(near[:, 1], [-1, 0, 1]),
                   "c": rng.poisson(np.exp(near[:, 2] / 2 + 1)), "d": (near[:, 3] * 10).round(1),
                   "e": rng.choice(list("xyz"), rows, p=[0.9, 0.06, 0.04]), "f": (rng.random(rows) < 0.06).astype(int),
                   "g": (rng.random(rows) < 0.06).astype(int), "h": rng.poisson(1, rows)}  # fmt: skip
        assert [r for r in rules(**columns) if " or " not in r] == [], seed


def test_numbers_of_all_sizes_do_no_harm() -> None:
    """Neither where squares have no room, nor where they are nothing."""
    size = RNG.uniform(-300, 300, 60)
    tiny = RNG.integers(1, 9, 60) * 5e-324
    assert rules(mixed=10.0**size, tiny=tiny, huge=RNG.normal(size=60) * 1e307, other=RNG.integers(0, 30, 60)) == []


def test_whole_steps_are_rules_like_others() -> None:
    """They are computed as people count: a float's error is none; and what has no whole number is missing."""
    table = Table(fields={"x": Field(kind=Kind.NUMBER), "n": Field(kind=Kind.INTEGER),
                          "s": Field(kind=Kind.CATEGORY)})  # fmt: skip
    held = pa.table({"x": [0.3, 0.31, -0.31, None], "n": [3, 3, -4, 7], "s": list("abcd")})
    assert holds(held, "n == floor(x / 0.1)", table).tolist() == [True, True, True, True]
    assert holds(held, "n == ceil(x / 0.1)", table).tolist() == [True, False, False, True]
    assert not faults(parse("ceil(x) <= 5"), table)
    assert faults(parse("ceil(s) == 1"), table)


def test_they_are_kept() -> None:
    """In every made row."""
    real = pd.DataFrame({"lasts": LASTS, "minutes": np.ceil(LASTS / 60).astype(int), "amount": AMOUNT, "kind": KIND,
                         "item": ITEM, "size": SIZE, "price": PRICE, "home": TEAMS[HOME], "away": TEAMS[AWAY],
                         "yearly": YEARLY, "monthly": (YEARLY / 12).round(2)})  # fmt: skip
    made = sw.fit(real, seed=1).sample(500, seed=2)
    assert (np.ceil(made["lasts"] / 60) == made["minutes"]).all()
    assert ((made["amount"] > 0) == made["kind"].isin(["in", "back"])).all()
    assert (made["home"] != made["away"]).all()
    assert ((made["yearly"] / 12 - made["monthly"]).abs() <= 0.0051).all()
    known = real.groupby(["item", "size"])["price"].first()
    assert (known.loc[list(zip(made["item"], made["size"], strict=True))].to_numpy() == made["price"]).all()
