"""Columns as codes and back."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import ORDERED, Field, Kind, canonical
from synthwright.kit.coding.codecs import CODEABLE, NULL, UNKNOWN, Codec, codec_of, observe, settle
from synthwright.testing import toys

CATEGORY = Field(kind=Kind.CATEGORY)


def _settled(column: pa.Array, field: Field = CATEGORY, protect: int = 3) -> Codec:
    return settle(field, observe(column), Context(seed=1).rng, protect=protect)


def _labels(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.large_string())


def test_labels_keep_their_shares() -> None:
    """Labels that enough rows share come back in their shares; what is rare is no code, nor in the files."""
    column = _labels(["a"] * 50 + ["b"] * 25 + ["seldom"] * 2 + [None] * 23)
    codec = _settled(column)
    assert codec.shares.tolist() == [50 / 75, 25 / 75]
    assert codec.null_share == pytest.approx(0.23)
    assert codec.encode(_labels(["b", "seldom", None, "unheard"])).tolist() == [1, UNKNOWN, NULL, UNKNOWN]
    assert codec.decode(np.array([1, NULL, 0]), np.zeros(3)).to_pylist() == ["b", None, "a"]
    assert "seldom" not in json.dumps(codec.to_json()[0])


def test_labels_that_are_all_rare() -> None:
    """Where no label may be kept, others of the same look are made, about as many, and none of them is real."""
    real = [f"RX-{i // 2:03}" for i in range(120)]
    codec = _settled(_labels(real))
    made = codec.decode(np.zeros(1_000, dtype=np.int64), np.random.default_rng(1).random(1_000)).to_pylist()
    assert not set(made) & set(real)
    assert all(m.startswith("RX-") for m in made)
    assert 40 <= len(set(made)) <= 60
    assert not any(r in json.dumps(codec.to_json()[0]) for r in real)


def test_labels_that_are_mostly_rare() -> None:
    """The share of a common label stays what it was where most rows have a label of their own."""
    codec = _settled(_labels(["usual"] * 30 + [f"odd{i}x" for i in range(70)]))
    assert codec.shares.tolist() == [0.3, 0.7]
    made = codec.decode(np.array([0, 1, NULL]), np.array([0.1, 0.2, 0.3])).to_pylist()
    assert made[0] == "usual"
    assert made[1] not in (None, "usual")
    assert made[2] is None


@pytest.mark.parametrize(("field", "column"), [
    (CATEGORY, pa.nulls(40, pa.large_string())), (Field(kind=Kind.NUMBER), pa.nulls(40, pa.float64())),
    (Field(kind=Kind.NUMBER), pa.array([1.0, 2.0] + [None] * 38)), (Field(kind=Kind.BOOLEAN), pa.nulls(40, pa.bool_())),
])  # fmt: skip
def test_nothing_to_keep(field: Field, column: pa.Array) -> None:
    """A column whose values may not be kept, or that has none, becomes null throughout."""
    codec = _settled(column, field)
    assert codec.null_share == 1.0
    assert codec.size == 0
    assert codec.decode(np.full(3, NULL), np.zeros(3)).null_count == 3


def test_every_kind_there_and_back() -> None:
    """Each codeable kind keeps its canonical type and its nulls, and its codec survives saving."""
    data = toys.every_kind()
    for name, field in data.schema.tables["mixed"].fields.items():
        if field.kind not in CODEABLE:
            continue
        column = data.tables["mixed"].column(name)
        codec = _settled(column, field)
        codes = codec.encode(column)
        made = codec.decode(codes, np.full(len(codes), 0.4))
        assert made.type == canonical(field), name
        assert made.null_count == column.null_count, name
        head, arrays = codec.to_json()
        again = codec_of(json.loads(json.dumps(head, allow_nan=False)), arrays)
        assert again.decode(codes, np.full(len(codes), 0.4)).equals(made), name
        assert again.encode(column).tolist() == codes.tolist(), name


def test_adding_up() -> None:
    """What shards saw, added up, is what the whole column shows."""
    column = pa.array([1.0, 2.0, 2.0, None, 3.0, 1.0, float("nan"), -0.0, 0.0])
    whole, parts = observe(column), observe(column[:4]).joined(observe(column[4:]))
    assert (whole.nulls, parts.nulls) == (2, 2)
    counts = [dict(zip(o.values.to_pylist(), o.counts.tolist(), strict=True)) for o in (whole, parts)]
    assert counts[0] == counts[1] == {0.0: 2, 1.0: 2, 2.0: 2, 3.0: 1}


@pytest.mark.parametrize(("kind", "values"), [
    ("decimal128(10, 2)", [Decimal(v).scaleb(-2) for v in range(-50, 9_950, 7)]),
    ("decimal128(9, -2)", [Decimal(v).scaleb(2) for v in range(-500, 500, 3)]),
    ("decimal128(38, 2)", [Decimal(v).scaleb(30) for v in range(1, 400)]),
    ("decimal256(60, 3)", [Decimal(v).scaleb(-3) for v in range(1, 4_000, 9)]),
])  # fmt: skip
def test_decimals(kind: str, values: list[Decimal]) -> None:
    """Decimals of any width stay decimals between their ends."""
    field = Field(kind=Kind.NUMBER, type=kind)
    codec = _settled(pa.array(values, canonical(field)), field)
    rng = np.random.default_rng(1)
    made = codec.decode(rng.integers(0, codec.size, 500), rng.random(500))
    assert made.type == canonical(field)
    assert min(values) <= min(made.to_pylist())
    assert max(made.to_pylist()) <= max(values)


def test_given_values_that_were_never_seen() -> None:
    """A number between cells, or beyond all, gets the nearest cell."""
    codec = _settled(pa.array([0.0] * 10 + [5.0] * 10 + [9.0] * 10), Field(kind=Kind.NUMBER))
    assert codec.encode(pa.array([-1e9, 1.0, 4.9, float("inf"), None])).tolist() == [0, 0, 1, 2, NULL]


def test_kinds() -> None:
    """Codecs code what has an order and what repeats; all else is made anew."""
    assert ORDERED < CODEABLE
    assert not CODEABLE & {Kind.KEY, Kind.TEXT, Kind.BYTES, Kind.REFERENCE}


@pytest.mark.parametrize(("codes", "form"), [
    ([f"LX{v}" for v in np.random.default_rng(0).permutation(900)[:700] + 100], r"LX[1-9]\d\d"),
    ([f"AB-{v}" for v in np.random.default_rng(0).permutation(9_000)[:700] + 1_000], r"AB-[1-9]\d{3}"),
])  # fmt: skip
def test_codes_keep_their_length(codes: list[str], form: str) -> None:
    """Where most of the codes that may be are there, or others would do, codes are made no longer than they are."""
    made = _settled(_labels(codes)).decode(np.zeros(1_000, dtype=np.int64), np.random.default_rng(1).random(1_000))
    assert all(re.fullmatch(form, m) for m in made.to_pylist())
    assert len(set(made.to_pylist()) - set(codes)) > 50


def test_tiny_numbers_beside_huge_ones_stay() -> None:
    """Numbers of six hundred decades are none of them drawn as zero, and stay finite."""
    values = pa.array(10.0 ** np.random.default_rng(3).uniform(-300, 300, 400))
    codec = _settled(values, Field(kind=Kind.NUMBER))
    made = codec.decode(np.arange(400) % codec.size, np.linspace(0, 0.99, 400)).to_numpy()
    assert np.isfinite(made).all()
    assert (made > 0).all()
