"""What a sink writes, the matching source reads: values, types that the format has, and the same bytes twice."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.sinks.choose import endings, for_path
from synthwright.sinks.spelling import flat, spelled
from synthwright.sources.choose import for_path as source_for

UNITS = ("s", "ms", "us", "ns")
COLUMNS = {
    "i8": pa.array([1, None, -128], pa.int8()),
    "u16": pa.array([1, None, 65535], pa.uint16()),
    "i64": pa.array([2**63 - 1, None, -(2**63)]),
    "u64": pa.array([2**64 - 1, None, 0], pa.uint64()),
    "f64": pa.array([0.1 + 0.2, None, 5e-324]),
    "big": pa.array([1.7976931348623157e308, None, -0.0]),
    "f32": pa.array([0.1, None, 3.4e38], pa.float32()),
    "f16": pa.array([0.5, None, -2], pa.float16()),
    "infinite": pa.array([float("inf"), float("-inf"), None]),
    "bool": pa.array([True, None, False]),
    "text": pa.array(["", None, '=a,"b"\n\r\t ']),
    "large": pa.array(["x", None, "-1"], pa.large_string()),
    "view": pa.array(["ü", None, "日本"], pa.string_view()),
    "controls": pa.array(["\x01\x1f", "_x0041_", "\t\n"]),
    "label": pa.array(["a", None, "b"]).dictionary_encode(),
    "ordered": pa.array(["a", None, "b"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string(), ordered=True)),
    "number": pa.array([7, None, 9]).dictionary_encode(),
    "date": pa.array([dt.date(2024, 2, 29), None, dt.date(1999, 1, 1)]),
    "old": pa.array([dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]),
    "time": pa.array([dt.time(1, 2, 3), None, dt.time(23, 59, 59, 5000)]),
    "fine_time": pa.array([1, None, 86_399_999_999_999], pa.time64("ns")),
    "short_time": pa.array([1, None, 3600], pa.time32("s")),
    **{f"at_{u}": pa.array([1_700_000_000 * 1000**i, None, 1000**i], pa.timestamp(u)) for i, u in enumerate(UNITS)},
    "fine": pa.array([1_700_000_000_123_456_789, None, 1], pa.timestamp("ns")),
    "micro": pa.array([1_700_000_000_123_456, None, 1], pa.timestamp("us")),
    "zone": pa.array([1_700_000_000_000_000, None, 0], pa.timestamp("us", "Europe/Berlin")),
    "utc": pa.array([1_700_000_000_000, None, 0], pa.timestamp("ms", "UTC")),
    **{f"for_{u}": pa.array([90 * 1000**i, None, 3600 * 1000**i], pa.duration(u)) for i, u in enumerate(UNITS)},
    "back": pa.array([90_500, None, -1_500], pa.duration("ms")),
    "money": pa.array([Decimal("1.20"), None, Decimal("-0.01")], pa.decimal128(10, 2)),
    "long": pa.array([Decimal("1.2000000000000000000001"), None, Decimal("-0.01")], pa.decimal128(38, 22)),
    "wide": pa.array([Decimal(10) ** 49, None, Decimal(1)], pa.decimal256(60, 2)),
    "bytes": pa.array([b"\x00\xff", None, b"x"]),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "nothing": pa.nulls(3),
    "a b/ü,;\"'": pa.array([1, 2, 3]),
}
TABLE = pa.table(COLUMNS)
MARK = {"synthwright.synthetic": "true"}


def there_and_back(folder: Path, name: str, table: pa.Table) -> pa.Table:
    """Write a table twice, in pieces the second time, find the same bytes, and read it."""
    path = folder / name
    for_path(path).write_file(table, path, MARK)
    first = path.read_bytes()
    third = max(1, table.num_rows // 3)
    pieces = [table.slice(i, third) for i in range(0, max(table.num_rows, 1), third)]
    for_path(path).write_file(pa.concat_tables(pieces), path, MARK)
    assert path.read_bytes() == first, "the same data gives the same bytes"
    assert [p.name for p in folder.iterdir()] == [name]
    ctx = Context(root=folder)
    (read,) = source_for(name, ctx).tables(ctx).values()
    read.validate(full=True)
    assert read.column_names == table.column_names
    return read


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.feather"])
def test_typed_formats_hold_everything(tmp_path: Path, name: str) -> None:
    """Parquet and Arrow give every type back as it was."""
    assert there_and_back(tmp_path, name, TABLE).equals(TABLE)


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.csv.gz", "x.csv.zst"])
def test_csv_holds_the_spelling(tmp_path: Path, name: str) -> None:
    """CSV has no types: every value comes back as it is spelled, nulls and empty text apart."""
    read = there_and_back(tmp_path, name, TABLE)
    for column in TABLE.column_names:
        said, held = flat(TABLE.column(column)), read.column(column)
        if pa.types.is_floating(said.type):
            assert held.cast(said.type if said.type != pa.float16() else pa.float32()).equals(said), column
        else:
            assert held.to_pylist() == spelled(said).to_pylist(), column
    assert read.column("text").to_pylist() == ["", None, '=a,"b"\n\r\t ']
    assert read.column("zone").to_pylist() == ["2023-11-14 23:13:20+01:00", None, "1970-01-01 01:00:00+01:00"]
    assert read.column("back").to_pylist() == ["PT90.500S", None, "-PT1.500S"]


KEPT = {
    "jsonl": {"i64", "u64", "f64", "big", "bool", "text", "controls", "nothing"},
    "xlsx": {"f64", "big", "bool", "controls", "time", "nothing"},
    "sqlite": {"i64", "f64", "big", "infinite", "bool", "large", "date", "old", "time", "micro", "at_us", "fine",
               "money", "long", "wide"},
}  # fmt: skip
"""Columns that come back in their very type; the others in the format's nearest, with the same values."""


@pytest.mark.parametrize("ending", KEPT)
def test_other_formats(tmp_path: Path, ending: str) -> None:
    """JSON Lines, Excel and SQLite give back the values: typed where they have the type, else as they are spelled."""
    read = there_and_back(tmp_path, f"x.{ending}", TABLE)
    for column in TABLE.column_names:
        held, wrote = read.column(column), TABLE.column(column)
        if column in KEPT[ending]:
            assert held.equals(wrote), column
        elif ending == "xlsx" and pa.types.is_binary(wrote.type):
            assert held.null_count == 1
        else:
            assert same(held, wrote), (column, held.to_pylist())
    assert {c for c in TABLE.column_names if read.column(c).equals(TABLE.column(c))} >= KEPT[ending]


def same(held: pa.ChunkedArray, wrote: pa.ChunkedArray) -> bool:
    """Return whether a column has the same values, in its own type or spelled; Excel has no empty text."""
    flattened = flat(wrote)
    if pa.types.is_floating(flattened.type) and pa.types.is_floating(held.type):
        return held.cast(flattened.type).equals(flattened)
    if held.type == flattened.type and held.equals(flattened):
        return True
    if pa.types.is_string(held.type) or pa.types.is_large_string(held.type):
        said = spelled(flattened).to_pylist()
        return held.to_pylist() in (said, [v or None for v in said])
    values, expected = held.to_pylist(), flattened.to_pylist()
    if pa.types.is_timestamp(held.type) and held.type.tz:
        return bool(pc.all(pc.equal(held.cast(pa.int64()), flattened.cast(held.type).cast(pa.int64()))).as_py())
    return values == expected or [v and float(v) for v in values] == [v and float(v) for v in expected]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "xlsx", "sqlite"])
@pytest.mark.parametrize("rows", [0, 1])
def test_small_tables(tmp_path: Path, ending: str, rows: int) -> None:
    """Tables without rows, and of one row, keep their columns."""
    table = pa.table({"a": pa.array(["x"] * rows, pa.string()), "b": pa.array([1] * rows, pa.int64())})
    assert there_and_back(tmp_path, f"x.{ending}", table).num_rows == rows


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "jsonl", "xlsx", "sqlite"])
def test_rows_of_nulls_stay(tmp_path: Path, ending: str) -> None:
    """Rows in which everything is null are rows, wherever they stand."""
    column = [None, "x", None, None, "y", None, None]
    for table in (pa.table({"a": column}), pa.table({"a": column, "b": column})):
        assert there_and_back(tmp_path, f"x.{ending}", table).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "jsonl", "sqlite", "xlsx"])
def test_many_batches(tmp_path: Path, ending: str) -> None:
    """More rows than are written at once come back in order, and spelled alike throughout."""
    rows = 70_000
    table = pa.table({"a": pa.array(range(rows)), "t": pa.array([0] * (rows - 1) + [1], pa.timestamp("ms"))})
    read = there_and_back(tmp_path, f"x.{ending}", table)
    assert read.column("a").cast(pa.int64()).equals(table.column("a"))
    assert read.column("t").cast(pa.timestamp("ms")).equals(table.column("t"))
    if ending in ("csv", "jsonl"):
        assert read.column("t")[0].as_py() == "1970-01-01 00:00:00.000"


def test_unknown_endings() -> None:
    """A name whose ending no sink has is refused with those there are; a setting that does not fit too."""
    with pytest.raises(InputError, match=r"\.csv.*\.parquet"):
        for_path("x.doc")
    with pytest.raises(InputError, match="compressed inside"):
        for_path("x.parquet.gz")
    with pytest.raises(InputError, match="setting 'profile'"):
        for_path("x.csv", profile="none")
    assert set(endings()) >= {".parquet", ".csv", ".jsonl", ".arrow", ".xlsx", ".sqlite"}
