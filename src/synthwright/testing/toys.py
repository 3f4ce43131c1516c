"""Small datasets with awkward shapes: what real tables have, one trouble at a time.

Each function returns the same data every time. `TOYS` names those that a plug-in must get through whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table, canonical

ROWS = 120
"""Rows of a toy, unless it says otherwise."""
DAY = 86_400_000_000
"""Microseconds of a day."""


def column(field: Field, values: Any) -> pa.Array:
    """Return values as a column of the field's canonical type; None is null."""
    kind = canonical(field)
    if pa.types.is_temporal(kind) and isinstance(values, np.ndarray):
        width = pa.int32() if pa.types.is_date32(kind) else pa.int64()
        return pa.array(values).cast(width).cast(kind)
    return pa.array(values, type=kind)


def dataset(tables: Mapping[str, Mapping[str, tuple[Field, Any]]], keys: Mapping[str, str] | None = None) -> Dataset:
    """Return a dataset from tables of columns, each a field with its values."""
    fields = {t: {c: f for c, (f, _) in columns.items()} for t, columns in tables.items()}
    schema = Schema(tables={t: Table(fields=f, key=(keys or {}).get(t)) for t, f in fields.items()})
    held = {t: pa.table({c: column(f, v) for c, (f, v) in columns.items()}) for t, columns in tables.items()}
    return Dataset(schema, held)


def _rng(name: str) -> np.random.Generator:
    return Context(seed=1, place=("toys", name)).rng


def _sometimes_null(values: Any, every: int) -> list[Any]:
    return [None if i % every == 0 else v for i, v in enumerate(values)]


def one_column(rows: int = ROWS) -> Dataset:
    """Return a table with a single column of numbers."""
    return dataset({"lone": {"amount": (Field(kind=Kind.NUMBER), _rng("one").normal(10, 3, rows))}})


def plain(rows: int = ROWS, seed: str = "plain") -> Dataset:
    """Return an ordinary table: `size` follows `colour`, `price` follows `size`, `flag` is a coin."""
    rng = _rng(seed)
    which = rng.integers(0, 3, rows)
    size = np.rint(which * 20 + rng.normal(30, 3, rows)).astype(np.int64)
    return dataset({"thing": {
        "colour": (Field(kind=Kind.CATEGORY), np.array(["amber", "blue", "cyan"])[which]),
        "size": (Field(kind=Kind.INTEGER), size),
        "price": (Field(kind=Kind.NUMBER), size * 1.5 + rng.normal(0, 2, rows)),
        "flag": (Field(kind=Kind.BOOLEAN), rng.random(rows) < 0.4),
    }})  # fmt: skip


def constant(rows: int = ROWS) -> Dataset:
    """Return columns that hold one value each, of several kinds, beside one that varies."""
    return dataset({"same": {
        "label": (Field(kind=Kind.CATEGORY), ["only"] * rows),
        "number": (Field(kind=Kind.NUMBER), np.full(rows, 2.5)),
        "count": (Field(kind=Kind.INTEGER), np.full(rows, 7)),
        "flag": (Field(kind=Kind.BOOLEAN), [True] * rows),
        "day": (Field(kind=Kind.DATE), np.full(rows, 19_000)),
        "other": (Field(kind=Kind.NUMBER), _rng("constant").random(rows)),
    }})  # fmt: skip


def all_null(rows: int = ROWS) -> Dataset:
    """Return columns without a single value, of several kinds, beside one that has values."""
    kinds = (Kind.CATEGORY, Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME)
    empty: dict[str, tuple[Field, Any]] = {k.value: (Field(kind=k), [None] * rows) for k in kinds}
    return dataset({"void": {**empty, "other": (Field(kind=Kind.NUMBER), _rng("null").random(rows))}})


def unicode_names(rows: int = ROWS) -> Dataset:
    """Return a table whose names and labels are what people write: blanks, quotes, dots, scripts, the empty text."""
    rng = _rng("unicode")
    labels = np.array(["", " ", "naïve", "日本", "a,b", 'quo"te', "line\nbreak", "null", "=1+1", "\u202eright"])
    names = ("größe (cm)", "二", "a.b", "it's", 'say "hi"', " lead", "#", "SELECT", "x" * 200)
    columns: dict[str, tuple[Field, Any]] = {n: (Field(kind=Kind.NUMBER), rng.normal(0, 1, rows)) for n in names}
    columns["étiquette"] = (Field(kind=Kind.CATEGORY), labels[rng.integers(0, len(labels), rows)])
    return dataset({"tä.ble": columns})


def every_kind(rows: int = ROWS) -> Dataset:
    """Return a table with every kind of field and of canonical type, with nulls where nulls may be."""
    rng = _rng("kinds")
    whole = rng.integers(0, 50, rows)
    words = np.array(["low", "mid", "high"])[rng.integers(0, 3, rows)]
    cents = [Decimal(int(v)).scaleb(-2) for v in rng.integers(0, 100_000, rows)]
    tens = np.array([b"\x00\x01", b"\xff", b"plain"], dtype=object)[rng.integers(0, 3, rows)]
    instants = 1_600_000_000_000_000 + rng.integers(0, 700, rows) * DAY
    columns: dict[str, tuple[Field, Any]] = {
        "id": (Field(kind=Kind.KEY, type="int64", nulls=False, unique=True), np.arange(1, rows + 1)),
        "code": (Field(kind=Kind.KEY, nulls=False, unique=True), [f"K{i:05}" for i in range(rows)]),
        "count": (Field(kind=Kind.INTEGER, type="int16"), whole),
        "huge": (Field(kind=Kind.INTEGER, type="uint64"), np.uint64(2**63) + whole.astype(np.uint64)),
        "amount": (Field(kind=Kind.NUMBER), _sometimes_null(rng.lognormal(3, 1, rows), 7)),
        "price": (Field(kind=Kind.NUMBER, type="decimal128(10, 2)", step=0.01), cents),
        "flag": (Field(kind=Kind.BOOLEAN), _sometimes_null((rng.random(rows) < 0.3).tolist(), 5)),
        "level": (Field(kind=Kind.CATEGORY), _sometimes_null(words.tolist(), 11)),
        "day": (Field(kind=Kind.DATE), 18_000 + rng.integers(0, 900, rows)),
        "hour": (Field(kind=Kind.TIME), rng.integers(0, 24, rows) * 3_600_000_000),
        "moment": (Field(kind=Kind.DATETIME), instants),
        "zoned": (Field(kind=Kind.DATETIME, type="timestamp[ns, tz=Europe/Paris]"), instants * 1000),
        "spell": (Field(kind=Kind.DURATION), rng.integers(0, 10, rows) * DAY),
        "note": (Field(kind=Kind.TEXT), [f"note {i} says {words[i]}" for i in range(rows)]),
        "email": (Field(kind=Kind.TEXT, sensitive="email"), [f"person{i}@example.org" for i in range(rows)]),
        "raw": (Field(kind=Kind.BYTES), tens),
    }
    return dataset({"mixed": columns}, keys={"mixed": "id"})


def keys(rows: int = ROWS) -> Dataset:
    """Return a table that holds nothing but its key."""
    field = Field(kind=Kind.KEY, type="int64", nulls=False, unique=True)
    return dataset({"bare": {"id": (field, np.arange(rows))}}, keys={"bare": "id"})


def _link(to: str, values: Any) -> tuple[Field, Any]:
    return Field(kind=Kind.REFERENCE, type="int64", to=to, nulls=False), values


def _named(rows: int) -> tuple[Field, Any]:
    return Field(kind=Kind.KEY, type="int64", nulls=False, unique=True), np.arange(rows)


def two_tables(rows: int = ROWS) -> Dataset:
    """Return a parent and a child table; some parents have no child."""
    rng = _rng("two")
    parents = max(rows // 4, 1)
    return dataset({
        "parent": {"id": _named(parents), "size": (Field(kind=Kind.NUMBER), rng.normal(0, 1, parents))},
        "child": {"id": _named(rows), "parent_id": _link("parent.id", rng.integers(0, max(parents - 3, 1), rows)),
                  "value": (Field(kind=Kind.INTEGER), rng.integers(0, 9, rows))},
    }, keys={"parent": "id", "child": "id"})  # fmt: skip


def empty_child() -> Dataset:
    """Return a parent table with rows and a child table without."""
    held = two_tables()
    return held.filter("child", np.zeros(held.rows("child"), dtype=bool))


def diamond(rows: int = ROWS) -> Dataset:
    """Return four tables: two that refer to the first, and one that refers to both of these."""
    rng = _rng("diamond")
    few = max(rows // 4, 1)
    return dataset({
        "top": {"id": _named(few), "size": (Field(kind=Kind.NUMBER), rng.normal(0, 1, few))},
        "left": {"id": _named(few), "top_id": _link("top.id", rng.integers(0, few, few))},
        "right": {"id": _named(few), "top_id": _link("top.id", rng.integers(0, few, few))},
        "bottom": {"id": _named(rows), "left_id": _link("left.id", rng.integers(0, few, rows)),
                   "right_id": _link("right.id", rng.integers(0, few, rows))},
    }, keys=dict.fromkeys(("top", "left", "right", "bottom"), "id"))  # fmt: skip


TOYS: dict[str, Callable[[], Dataset]] = {
    "one column": one_column,
    "plain": plain,
    "constant": constant,
    "all null": all_null,
    "unicode names": unicode_names,
    "every kind": every_kind,
    "keys": keys,
    "two tables": two_tables,
    "empty child": empty_child,
    "diamond": diamond,
}
"""Every toy by its name."""

CANARY_LABELS = ("canary-once-4f1c", "canary-twice-9b2e")
CANARY_TEXT = "canary text 7c55 nobody else wrote"
CANARY_NUMBER = 918_273_645.546_372
CANARY_WHOLE = 7_346_291_857
CANARY_DAY = -53_632
"""A day of 1823, as days since 1970."""


def canaries(rows: int = 400) -> Dataset:
    """Return a table in which a few values belong to one or two rows, and every `weight` to one alone."""
    rng = _rng("canaries")
    labels = np.array(["oak", "elm", "ash"])[rng.integers(0, 3, rows)].astype(object)
    labels[5], labels[9], labels[17] = CANARY_LABELS[0], CANARY_LABELS[1], CANARY_LABELS[1]
    weight = rng.normal(70, 12, rows)
    weight[23] = CANARY_NUMBER
    whole = rng.integers(0, 40, rows)
    whole[31] = CANARY_WHOLE
    days = 19_000 + rng.integers(0, 300, rows)
    days[41] = CANARY_DAY
    notes = [f"about {i}" for i in range(rows)]
    notes[47] = CANARY_TEXT
    return dataset({"rare": {
        "tree": (Field(kind=Kind.CATEGORY), labels),
        "weight": (Field(kind=Kind.NUMBER), weight),
        "whole": (Field(kind=Kind.INTEGER), whole),
        "day": (Field(kind=Kind.DATE), days),
        "note": (Field(kind=Kind.TEXT), notes),
    }})  # fmt: skip
