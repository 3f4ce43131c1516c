"""Ordered columns paired anew, and columns made as distances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.dataset import Dataset
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Kind, Rule, Schema, Table, canonical
from synthwright.kit.constraints.gaps import Gap, find_gaps, hide, schema_with, show
from synthwright.kit.constraints.pairing import Column, Edge, broken, edges_of, matched, paired

RNG = np.random.default_rng(5)
START = RNG.bit_generator.state
CHAIN = [Edge("a", "b", strict=False), Edge("b", "c", strict=True)]


@pytest.fixture(autouse=True)
def same_stream() -> None:
    """Let every test begin with the same randomness, whatever ran before."""
    RNG.bit_generator.state = START


def columns(values: np.ndarray, missing: np.ndarray, free: np.ndarray) -> dict[str, Column]:
    """Return columns a, b, c from rows of three."""
    return {n: Column(values[:, i], missing[:, i], free[:, i]) for i, n in enumerate("abc")}


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_exchanging_changes_no_column_and_breaks_nothing_more(seed: int, rows: int) -> None:
    """Values only change rows: what is missing or fixed stays where it is, and fewer orders are broken than before."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, (rows, 3)).astype(float)
    missing, free = rng.random((rows, 3)) < 0.2, rng.random((rows, 3)) < 0.8
    found = columns(values, missing, free)
    before = sum(int(broken(found, e).sum()) for e in CHAIN)
    paired(found, CHAIN, rng)
    after = sum(int(broken(found, e).sum()) for e in CHAIN)
    assert after < before or after == before
    for i, column in enumerate(found.values()):
        assert sorted(column.source) == list(range(rows))
        assert np.array_equal(column.values, values[column.source, i])
        stays = missing[:, i] | ~free[:, i]
        assert np.array_equal(column.source[stays], np.flatnonzero(stays))


def test_independent_columns_are_put_in_order_nearly_everywhere() -> None:
    """Of a chain drawn each for itself, from columns that can be in order, hardly a row is left."""
    values = np.sort(RNG.normal(size=(4_000, 3)), axis=1)
    shuffled = np.stack([RNG.permutation(values[:, i]) for i in range(3)], axis=1)
    found = columns(shuffled, np.zeros_like(shuffled, dtype=bool), np.ones_like(shuffled, dtype=bool))
    before = sum(int(broken(found, e).sum()) for e in CHAIN)
    paired(found, CHAIN, np.random.default_rng(0))
    assert sum(int(broken(found, e).sum()) for e in CHAIN) < before / 50


def test_few_rows_take_part_where_few_orders_are_broken() -> None:
    """Partners are near: columns that depend on each other closely still do, and most rows are left alone."""
    a = RNG.normal(size=4_000)
    values = np.stack([a, a + RNG.normal(0.03, 0.03, 4_000), a + 9], axis=1)
    found = columns(values, np.zeros_like(values, dtype=bool), np.ones_like(values, dtype=bool))
    before = int(broken(found, CHAIN[0]).sum())
    paired(found, CHAIN, np.random.default_rng(0))
    moved = sum(int((c.source != np.arange(4_000)).sum()) for c in found.values())
    assert before > 400
    assert int(broken(found, CHAIN[0]).sum()) < before / 4
    assert moved < 3 * before
    assert np.corrcoef(found["a"].values, found["b"].values)[0, 1] > 0.995


def test_edges_are_read_from_rules() -> None:
    """Orders between numbers, columns of one type, or days and instants are edges; computed sides and labels not."""
    kinds = {"a": Kind.INTEGER, "b": Kind.NUMBER, "d": Kind.DATE, "t": Kind.DATETIME, "s": Kind.CATEGORY}
    spec = Table(fields={n: Field(kind=k) for n, k in kinds.items()})
    assert edges_of(parse("a <= b and b > a"), spec) == [Edge("a", "b", strict=False), Edge("a", "b", strict=True)]
    assert edges_of(parse("d <= t"), spec) == [Edge("d", "t", strict=False)]
    for text in ("a + 1 <= b", "a <= t", "s <= s", "a == b", "a <= 3", "a <= b or a > 3"):
        assert edges_of(parse(text), spec) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 3)), min_size=1, max_size=40))
def test_labels_are_matched_as_often_as_can_be(pairs: list[tuple[int, int]]) -> None:
    """Every value is taken once, and as many rows have what they need as there are values for."""
    own, needed = (np.array([p[i] for p in pairs]) for i in (0, 1))
    source = matched(own, needed)
    assert sorted(source) == list(range(len(pairs)))
    most = sum(min(int((own == v).sum()), int((needed == v).sum())) for v in range(4))
    assert int((own[source] == needed).sum()) >= most


def dataset(fields: dict[str, Field], values: dict[str, Any], *rules: str) -> Dataset:
    """Return one table with rules."""
    table = Table(fields=fields, rules=tuple(Rule(rule=r) for r in rules))
    held = pa.table({n: pa.array(values[n], canonical(f)) for n, f in fields.items()})
    return Dataset(Schema(tables={"t": table}), {"t": held})


KINDS: dict[str, tuple[Field, Callable[[int], Any]]] = {
    "integer": (Field(kind=Kind.INTEGER, step=1), lambda v: v),
    "number": (Field(kind=Kind.NUMBER), lambda v: v / 7),
    "cents": (Field(kind=Kind.NUMBER, step=0.01), lambda v: round(v / 100, 2)),
    "decimal": (Field(kind=Kind.NUMBER, type="decimal128(10, 2)"), lambda v: Decimal(v) / 100),
    "date": (Field(kind=Kind.DATE), lambda v: date.fromordinal(730_000 + v)),
    "datetime": (Field(kind=Kind.DATETIME), lambda v: datetime.fromtimestamp(1e9 + v * 60)),
    "nanoseconds": (Field(kind=Kind.DATETIME, type="timestamp[ns]"), lambda v: 10**18 + 7 * v),
    "unsigned": (Field(kind=Kind.INTEGER, type="uint64"), lambda v: v),
}


@pytest.mark.parametrize("kind", KINDS)
def test_distances_turn_back_into_the_columns(kind: str) -> None:
    """A chain of columns that stand close together is hidden as distances and comes back as it was, nulls included."""
    field, make = KINDS[kind]
    low = RNG.integers(0, 5_000, 300)
    middle, high = low + RNG.integers(0, 40, 300), low + RNG.integers(40, 90, 300)
    values: dict[str, list[Any]] = {
        n: [make(int(v)) for v in column] for n, column in (("low", low), ("middle", middle), ("high", high))
    }
    values["middle"][7] = values["high"][9] = None
    data = dataset(dict.fromkeys(values, field), values, "low <= middle", "middle <= high", "low <= high")
    spec, held = data.schema.tables["t"], data.tables["t"]
    rules = [parse(r.rule) for r in spec.rules]
    gaps = find_gaps(held, rules, spec, {"low", "middle", "high"}, RNG)
    assert [(g.target, set(g.bases)) for g in gaps] == [("middle", {"low"}), ("high", {"low", "middle"})]
    hidden = hide(held, gaps, spec)
    inside = schema_with(data.schema, {"t": tuple(gaps)}).tables["t"]
    for name in ("middle", "high"):
        assert hidden.column(name).type == canonical(inside.fields[name])
    back = show(hidden, gaps, spec)
    for name in values:
        if pa.types.is_floating(held.column(name).type):
            assert np.allclose(back.column(name).to_numpy(), held.column(name).to_numpy(), equal_nan=True)
        else:
            assert back.column(name).equals(held.column(name))


def test_what_is_no_distance_is_left_alone() -> None:
    """Columns far apart, on a grid of their own, below their base, or with a base that is missing, stay as they are."""
    low = RNG.integers(0, 5_000, 400)
    month_end = (low // 30 + 1) * 30
    number = Field(kind=Kind.INTEGER)
    cases: dict[str, tuple[Any, str]] = {
        "far apart": (low + RNG.integers(0, 9_000, 400), "a <= b"),
        "own grid": (month_end, "a <= b"),
        "below": (low - 1, "a <= b"),
        "computed": (low + 1, "a + 1 <= b"),
    }
    for values, rule in cases.values():
        data = dataset({"a": number, "b": number}, {"a": low, "b": values}, rule)
        assert find_gaps(data.tables["t"], [parse(rule)], data.schema.tables["t"], {"a", "b"}, RNG) == []
    holed = [None if i % 5 == 0 else int(v) for i, v in enumerate(low)]
    data = dataset({"a": number, "b": number}, {"a": holed, "b": low + 5}, "a <= b")
    assert find_gaps(data.tables["t"], [parse("a <= b")], data.schema.tables["t"], {"a", "b"}, RNG) == []
    assert find_gaps(data.tables["t"].slice(0, 9), [parse("a <= b")], data.schema.tables["t"], {"b"}, RNG) == []


def test_a_negative_distance_counts_as_none() -> None:
    """Whatever a generator makes of a distance, the order holds; strictly where it must."""
    number = Field(kind=Kind.INTEGER, step=1)
    spec = Table(fields={"a": number, "b": number})
    held = pa.table({"a": [5, 5, 5, None], "b": [-3, 0, 2, 1]})
    assert show(held, [Gap("b", ("a",), strict=False)], spec).column("b").to_pylist() == [5, 5, 7, None]
    assert show(held, [Gap("b", ("a",), strict=True)], spec).column("b").to_pylist() == [6, 6, 7, None]
