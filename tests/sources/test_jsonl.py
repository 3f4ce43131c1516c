"""JSON Lines and JSON arrays: types, absent fields, and faults by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.sources.jsonl import Jsonl

SECRET = "canary-7f3a"


def read(folder: Path, content: bytes) -> pa.Table:
    """Write a file and read it."""
    (folder / "x.jsonl").write_bytes(content)
    table = Jsonl(path="x.jsonl").tables(Context(root=folder))["x"]
    table.validate(full=True)
    return table


def lines(*rows: Any) -> bytes:
    """Return rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_types_stay(tmp_path: Path) -> None:
    """Integers, floats, truth values and text stay what they are; text that looks like an instant stays text."""
    row = {"i": 1, "f": 1.5, "b": True, "s": "x", "t": "2024-01-01 00:00:00", "n": None, "z": "2024-01-01T00:00:00Z"}
    table = read(tmp_path, lines(row, dict.fromkeys(row)))
    kinds = [pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.string(), pa.null(), pa.string()]
    assert table.column_names == list(row)
    assert table.schema.types == kinds
    assert table.to_pylist() == [row, dict.fromkeys(row)]


@pytest.mark.parametrize("form", ["lines", "array"])
def test_absent_fields_are_nulls(tmp_path: Path, form: str) -> None:
    """A field that some rows lack is null there; blank lines are passed over."""
    rows: list[dict[str, Any]] = [{"a": 1}, {}, {"b": "x", "a": 2}]
    content = json.dumps(rows, indent=1).encode() if form == "array" else lines(*rows).replace(b"{}", b"{}\n\n")
    assert read(tmp_path, content).to_pydict() == {"a": [1, None, 2], "b": [None, None, "x"]}


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([1, "x", True, 1.5], pa.string(), ["1", "x", "true", "1.5"]),
        ([2**64 - 1, 0], pa.uint64(), [2**64 - 1, 0]),
        ([2**63, -1], pa.string(), [str(2**63), "-1"]),
        ([2**53 + 1, 1], pa.int64(), [2**53 + 1, 1]),
        ([10**30, 1], pa.string(), [str(10**30), "1"]),
        ([1, 0.5], pa.float64(), [1.0, 0.5]),
        ([1e300, -1e300], pa.float64(), [1e300, -1e300]),
        ([True, None], pa.bool_(), [True, None]),
        (["\u0000", "\U0001f642"], pa.string(), ["\u0000", "\U0001f642"]),
    ],
)
def test_values_that_do_not_fit(tmp_path: Path, values: list[Any], kind: pa.DataType, said: list[Any]) -> None:
    """Large integers are exact, and a field that mixes types is text; the array form agrees."""
    for content in (lines(*({"a": v} for v in values)), json.dumps([{"a": v} for v in values]).encode()):
        column = read(tmp_path, content).column("a")
        assert column.type == kind
        assert column.to_pylist() == said


@pytest.mark.parametrize("form", ["lines", "array"])
def test_nested_values_are_refused(tmp_path: Path, form: str) -> None:
    """A list or an object in a field is refused with its column and what to do."""
    for value in ([1], {"x": SECRET}, []):
        rows = [{"a": 1, "b": value}, {"a": 2, "b": None}]
        content = json.dumps(rows).encode() if form == "array" else lines(*rows)
        with pytest.raises(InputError, match=r"column 'b'.*nested column.*table of its own") as caught:
            read(tmp_path, content)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}\n{"a": "canary-7f3a}\n', "line 2"),
        (b'{"a": 1}\n\n\n[1]\n', "line 4: wanted an object, got an array"),
        (b'{"a": 1}\n3\n', "line 2: wanted an object, got a number"),
        (b'{"a": 1}\n{"a": 1, "a": 2}\n', "line 2: wanted every field once"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "bytes that are none"),
        (b'{"a": "\\ud800"}\n', "lone surrogate"),
        (b'{"a": 1}\n{"a": \x00}\n', "line 2"),
        (b"", "an empty file"),
        (b" \n\n", "an empty file"),
        (b"{}\n{}\n", "at least one column"),
        (b"[]", "an object per line"),
        (b'[{"a": 1}, 2]', "element 2: wanted an object"),
        (b'[{"a": 1}\n,{"a" 2}]', "line 2"),
        (b'[{"a": 1, "a": 2}]', "every field once"),
        (b"hello\nworld\n", "line 1"),
        (b'{"a": ' + b"[" * 300_000 + b"]" * 300_000 + b"}\n", "line 1"),
        (b"[" * 300_000, "the array"),
        (b'{"a": 1' + b"0" * 5000 + b"}\n", "line 1"),
    ],
)
def test_faults_name_their_place(tmp_path: Path, content: bytes, said: str) -> None:
    """What is no JSON object is refused with its line; its values never turn up, however deep it is nested."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_encodings_and_constants(tmp_path: Path) -> None:
    """Byte order marks are understood; NaN, which is no JSON but occurs, is a missing number."""
    assert read(tmp_path, '{"ä": "ü"}\n'.encode("utf-8-sig")).to_pylist() == [{"ä": "ü"}]
    assert read(tmp_path, '{"ä": "ü"}\n'.encode("utf-16")).to_pylist() == [{"ä": "ü"}]
    table = read(tmp_path, b'{"a": NaN, "b": 1}\n{"a": 1.5, "b": "x"}\n')
    assert table.to_pylist() == [{"a": None, "b": "1"}, {"a": 1.5, "b": "x"}]


def test_long_objects(tmp_path: Path) -> None:
    """An object may be longer than what is parsed at once."""
    long = "x" * 20_000_000
    assert read(tmp_path, lines({"a": long}, {"a": "y"})).column("a").to_pylist() == [long, "y"]


def test_brackets_in_text_are_no_nesting(tmp_path: Path) -> None:
    """Text full of opening brackets is text."""
    rows = [{"a": "[" * 2000 + "{" * 2000}, {"a": "]"}]
    assert read(tmp_path, lines(*rows)).to_pylist() == rows


def test_text_that_spells_numbers_or_truth_stays_text(tmp_path: Path) -> None:
    """JSON has numbers and truth values of its own: text that spells one is text again, days are days."""
    rows = [{"t": "TRUE" if i % 3 else "FALSE", "l": "true" if i % 2 else "false", "b": i % 5 == 0, "n": f"{i}.50",
             "i": 7 * i, "d": f"2024-01-{i % 28 + 1:02d}"} for i in range(60)]  # fmt: skip
    (tmp_path / "x.jsonl").write_bytes(lines(*rows))
    source = Jsonl(path="x.jsonl")
    data = source.read(Context(root=tmp_path))
    kinds = [f.kind.value for f in data.schema.tables["x"].fields.values()]
    assert kinds == ["boolean", "boolean", "boolean", "number", "integer", "date"]
    out = data.to_arrow("x")
    assert out.select(["t", "l", "b", "n", "i"]).to_pylist() == [{c: r[c] for c in "tlbni"} for r in rows]
    assert out.schema.field("d").type == pa.date32()


def test_words_for_nothing_beside_numbers_are_nulls(tmp_path: Path) -> None:
    """A field that mixes numbers or truth values with such words alone stays what it is."""
    values: list[list[Any]] = [[1, "n/a", 2.5], [True, "unknown", False], [1, "", 3]]
    kinds = [pa.float64(), pa.bool_(), pa.int64()]
    for held, kind in zip(values, kinds, strict=True):
        column = read(tmp_path, lines(*({"a": v} for v in held))).column("a")
        assert column.type == kind
        assert column.to_pylist() == [held[0], None, held[2]]
