"""What is missing where: patterns that are found, and accidents that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.relations import find
from synthwright.core.rules import faults, parse
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.kit.constraints.expressions import holds

ROWS = 600
NUMBER, INTEGER, CATEGORY, BOOLEAN, DATE = (
    Field(kind=k) for k in (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.BOOLEAN, Kind.DATE)
)
Columns = dict[str, tuple[Field, Any]]


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(11)


def found(columns: Columns) -> set[str]:
    """Return the rules that are found, after holding the data to them."""
    spec = Table(fields={n: f for n, (f, _) in columns.items()})
    held = pa.table({n: pa.array(v, canonical(f)) for n, (f, v) in columns.items()})
    rules = [r.rule for r in find(Dataset(Schema(tables={"t": spec}), {"t": held}))["t"]]
    for rule in rules:
        assert faults(parse(rule), spec) == []
        assert holds(held, rule, spec).all(), rule
    return set(rules)


def numbers(rng: np.random.Generator, missing: np.ndarray) -> tuple[Field, pa.Array]:
    """Return a column of numbers with holes."""
    return NUMBER, pa.array(rng.normal(size=len(missing)), mask=missing)


def test_together_and_instead(rng: np.random.Generator) -> None:
    """Values missing in the same rows, or one exactly where the other is there."""
    hole = rng.random(ROWS) < 0.3
    columns = {"a b": numbers(rng, hole), "b": numbers(rng, hole), "c": numbers(rng, ~hole)}
    assert found(columns) == {"(b is null) == (`a b` is null)", "(c is null) == (`a b` is not null)"}


def test_only_where_others_are(rng: np.random.Generator) -> None:
    """Chains of implications without shortcuts, values never there together, values never missing together."""
    left = rng.integers(0, 6, ROWS)
    chain = {f"v{i}": numbers(rng, left <= i) for i in range(3)}
    assert found(chain) == {"v2 is null or v1 is not null", "v1 is null or v0 is not null"}
    which = rng.integers(0, 4, ROWS)
    assert found({"a": numbers(rng, which != 0), "b": numbers(rng, which != 1)}) == {"b is null or a is null"}
    never = {"a": numbers(rng, which == 0), "b": numbers(rng, which == 1)}
    assert found(never) == {"b is not null or a is not null"}


def test_decided_by_labels(rng: np.random.Generator) -> None:
    """Values missing exactly where another column has certain labels, numbers or truth values."""
    label = np.array(['x "1"', "y", "z", "w\\"])[rng.integers(0, 4, ROWS)]
    assert found({"a": (CATEGORY, label), "b": numbers(rng, label == "y")}) == {'(b is null) == (a == "y")'}
    odd = {"a": (CATEGORY, label), "b": numbers(rng, label != 'x "1"')}
    assert found(odd) == {'(b is not null) == (a == "x \\"1\\"")'}
    grade = rng.integers(0, 5, ROWS)
    assert found({"n": (INTEGER, grade), "b": numbers(rng, grade >= 3)}) in (
        {"(b is null) == (n in [3, 4])"},
        {"(b is null) == (n in [4, 3])"},
    )
    dead = rng.random(ROWS) < 0.3
    death = (DATE, pa.array(rng.integers(9_000, 12_000, ROWS).astype(np.int32), mask=~dead).cast(pa.date32()))
    assert found({"dead": (BOOLEAN, dead), "death": death}) in (
        {"(death is null) == (dead == false)"},
        {"(death is not null) == (dead == true)"},
    )


def test_deciding_column_with_holes(rng: np.random.Generator) -> None:
    """Where the deciding column is missing, the rule says what is always so, and nothing where it is not."""
    label, hole = np.array(["x", "y", "z"])[rng.integers(0, 3, ROWS)], rng.random(ROWS) < 0.1
    deciding = (CATEGORY, pa.array(label, mask=hole))
    gone = numbers(rng, hole | (label == "x"))
    assert '(b is null) == (a is null or a == "x")' in found({"a": deciding, "b": gone})
    there = numbers(rng, ~hole & (label == "x"))
    assert '(b is null) == (a is not null and a == "x")' in found({"a": deciding, "b": there})
    mixed = numbers(rng, np.where(hole, rng.random(ROWS) < 0.5, label == "x"))
    assert found({"a": deciding, "b": mixed}) == {'(b is null) == (a == "x")'}


def test_rare_labels_are_not_written(rng: np.random.Generator) -> None:
    """A label of fewer than three rows stands in no rule."""
    label = np.array(["x", "y"])[rng.integers(0, 2, ROWS)].astype(object)
    label[:2] = "secret"
    rules = found({"a": (CATEGORY, label), "b": numbers(rng, (label == "x") | (label == "secret"))})
    assert rules == {'(b is not null) == (a == "y")'}


def test_accidents_are_no_rules(rng: np.random.Generator) -> None:
    """Few holes that coincide, unrelated holes, and columns that are made anew say nothing."""
    few = np.arange(ROWS) < 2
    assert found({"a": numbers(rng, few), "b": numbers(rng, few)}) == set()
    assert found({f"c{i}": numbers(rng, rng.random(ROWS) < 0.02) for i in range(40)}) == set()
    three = np.arange(ROWS) < 3
    assert found({"a": numbers(rng, three), "b": numbers(rng, three)}) == {"(b is null) == (a is null)"}
    hole = rng.random(ROWS) < 0.3
    mail = Field(kind=Kind.TEXT, sensitive="email")
    assert found({"a": numbers(rng, hole), "mail": (mail, pa.array(["a@b.c"] * ROWS, mask=hole))}) == set()


def test_strict_where_never_equal(rng: np.random.Generator) -> None:
    """Whole numbers and days that often come one step apart and are never equal are strictly ordered."""
    low = rng.integers(0, 5, ROWS)
    assert found({"a": (INTEGER, low), "b": (INTEGER, low + rng.integers(1, 4, ROWS))}) == {"a < b"}
    assert found({"a": (INTEGER, low), "b": (INTEGER, low + rng.integers(0, 4, ROWS))}) == {"a <= b"}
    day = rng.integers(9_000, 9_300, ROWS)
    dates = {"a": (DATE, day.astype(np.int32)), "b": (DATE, (day + rng.integers(1, 30, ROWS)).astype(np.int32))}
    assert found({n: (f, pa.array(v, pa.int32()).cast(pa.date32())) for n, (f, v) in dates.items()}) == {"a < b"}


def test_missing_where_a_number_is_something_or_beyond(rng: np.random.Generator) -> None:
    """One value of many, or all beyond one that enough rows share; not where a single row contradicts."""
    tenure, age = rng.integers(0, 60, ROWS), rng.integers(18, 90, ROWS)
    size = rng.normal(size=ROWS)
    total = [None if t == 0 else x for t, x in zip(tenure, rng.normal(size=ROWS), strict=True)]
    retired = [None if a > 65 else x for a, x in zip(age, rng.normal(size=ROWS), strict=True)]
    columns: Columns = {"tenure": (INTEGER, tenure), "age": (INTEGER, age), "total": (NUMBER, total)}
    rules = found(columns | {"wage": (NUMBER, retired), "other": (NUMBER, [None if x > 1 else x for x in size])})
    assert {"(total is null) == (tenure == 0)", "(wage is null) == (age > 65)"} <= rules
    assert not any("other" in r for r in rules)
    first = int(np.flatnonzero(tenure == 7)[0])
    wrong = [None if i == first else x for i, x in enumerate(total)]
    assert not any("total" in r for r in found({**columns, "total": (NUMBER, wrong)}))
