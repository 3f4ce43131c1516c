"""The curator `rules`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Field, Kind, Rule, Schema, Table, canonical
from synthwright.curators.rules import Rules

KEY = Field(kind=Kind.KEY, type="int64", unique=True, nulls=False)
Columns = dict[str, tuple[Field, Any]]


def dataset(tables: dict[str, Columns], keys: dict[str, str] | None = None, **rules: tuple[str, ...]) -> Dataset:
    """Return numbered rows of several tables, with keys and rules."""
    specs, held = {}, {}
    for name, columns in tables.items():
        specs[name] = Table(fields={c: f for c, (f, _) in columns.items()}, key=(keys or {}).get(name),
                            rules=tuple(Rule(rule=r) for r in rules.get(name, ())))  # fmt: skip
        made = {c: pa.array(v, canonical(f)) for c, (f, v) in columns.items()}
        held[name] = pa.table({**made, ROW: np.arange(len(next(iter(made.values()))))})
    return Dataset(Schema(tables=specs), held)


def said(data: Dataset, curator: Rules | None = None, table: str = "t") -> list[str | None]:
    """Return the reason for each row that goes."""
    judge = (curator or Rules()).fit(data, None, Context())
    return {v.table: v.reason.to_pylist() for v in judge.judge(data, Context())}[table]


def test_missing_values_go_where_none_are_allowed() -> None:
    """A null or NaN goes in a column without nulls, and in the key."""
    strict = Field(kind=Kind.NUMBER, nulls=False)
    columns: Columns = {
        "k": (Field(kind=Kind.KEY), ["a", None, "c", "d"]),
        "n": (strict, [1.0, 2.0, float("nan"), 4.0]),
    }
    assert said(dataset({"t": columns}, {"t": "k"})) == [None, "null-not-allowed", "null-not-allowed", None]


@pytest.mark.parametrize(
    ("field", "values", "off"),
    [
        (Field(kind=Kind.NUMBER, step=0.01), [0.29, 1e9 + 0.07, 0.295, None, float("inf")], [2]),
        (Field(kind=Kind.INTEGER, step=50), [100, -50, 75, None], [2]),
        (Field(kind=Kind.INTEGER, step=5, type="uint64"), [2**64 - 1, 2**64 - 2], [1]),
        (Field(kind=Kind.NUMBER, type="decimal128(10, 3)", step=0.05), [Decimal("0.150"), Decimal("0.151")], [1]),
        (Field(kind=Kind.DATE, step=7), [date(1970, 1, 8), date(1970, 1, 9), None], [1]),
    ],
)
def test_values_off_the_lattice_go(field: Field, values: list[Any], off: list[int]) -> None:
    """A value that is no multiple of its column's step goes; noise of floats, nulls and infinities stay."""
    wanted = ["off-lattice" if i in off else None for i in range(len(values))]
    assert said(dataset({"t": {"x": (field, values)}})) == wanted


def test_rules_of_the_schema_and_of_the_specification_are_held() -> None:
    """Rows that break either go, dependencies over all rows."""
    whole = Field(kind=Kind.INTEGER)
    data = dataset({"t": {"a": (whole, [1, 2, 3, 3, 3]), "b": (whole, [2, 1, 5, 5, 6])}}, t=("a <= b",))
    assert said(data) == [None, "rule-broken", None, None, None]
    assert said(data, Rules(rules=("a -> b", "a != 1"))) == ["rule-broken", "rule-broken", None, None, "rule-broken"]
    assert said(data, Rules(rules={"t": ("a != 1",)})) == ["rule-broken", "rule-broken", None, None, None]


def test_references_must_lead_somewhere() -> None:
    """A reference to a key that is not there goes; one without a value stays."""
    child = Field(kind=Kind.REFERENCE, type="int64", to="p.k")
    data = dataset({"p": {"k": (KEY, [1, 2])}, "t": {"p": (child, [1, 3, None, 2])}}, {"p": "k"})
    assert said(data) == [None, "reference-missing", None, None]


def test_of_repetitions_the_first_by_number_stays() -> None:
    """What must be unique stays once: the lowest number among rows that are good otherwise."""
    whole = Field(kind=Kind.INTEGER)
    columns: Columns = {"k": (KEY, [7, 7, 7, 8]), "a": (whole, [-1, 1, 2, 3]), "b": (whole, [1, 2, 2, 2])}
    data = dataset({"t": columns}, {"t": "k"}, t=("a >= 0",))
    assert said(data) == ["rule-broken", None, "not-unique", None]
    reversed_ = Dataset(data.schema, {"t": data.tables["t"].take(pa.array([3, 2, 1, 0]))})
    assert said(reversed_) == [None, "not-unique", None, "rule-broken"]
    loose = dataset({"t": {"a": (whole, [1, 1, None, None]), "b": (whole, [1, 1, 1, 1])}})
    assert said(loose, Rules(rules=("unique(a, b)",))) == [None, "not-unique", None, None]


def test_shards_are_ruled_on_as_the_whole() -> None:
    """What depends on all rows is known in every shard."""
    data = dataset({"t": {"k": (KEY, [1, 2, 1, 2, 3])}}, {"t": "k"})
    judge = Rules().fit(data, None, Context())
    reasons = [r for shard in data.shards(2) for v in judge.judge(shard, Context()) for r in v.reason.to_pylist()]
    assert reasons == [None, None, "not-unique", "not-unique", None]


def test_wrong_rules_are_refused() -> None:
    """A rule that is none is refused when it is read; one that does not fit the data when it is used."""
    data = dataset({"t": {"a": (Field(kind=Kind.INTEGER), [1])}})
    with pytest.raises(ValidationError, match="`==`"):
        Rules(rules=("a = 1",))
    with pytest.raises(InputError, match="did you mean 'a'"):
        Rules(rules=("aa > 1",)).fit(data, None, Context())
    with pytest.raises(InputError, match="the tables are t"):
        Rules(rules={"s": ("a > 1",)}).fit(data, None, Context())
    two = dataset({n: {"a": (Field(kind=Kind.INTEGER), [1])} for n in "ts"})
    with pytest.raises(InputError, match="several"):
        Rules(rules=("a > 1",)).fit(two, None, Context())
