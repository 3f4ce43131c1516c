"""Formats with types of their own: Parquet, Arrow, Excel and SQLite; what their files declare is what is read."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from synthwright.core.context import Context
from synthwright.core.contracts import Source
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS
from synthwright.sources.arrow import Arrow
from synthwright.sources.excel import Excel
from synthwright.sources.parquet import Parquet
from synthwright.sources.sqlite import Sqlite


def read(source: Source, folder: Path) -> dict[str, pa.Table]:
    """Read a source in a folder."""
    return source.tables(Context(root=folder))


def book(path: Path, **sheets: list[list[Any]]) -> None:
    """Write an Excel workbook."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)


# ----------------------------------------------------------------------------------------------- Parquet and Arrow
def test_parquet_gives_the_types_it_was_written_from(tmp_path: Path) -> None:
    """Types that Parquet has not itself come back too: seconds, dictionaries of numbers, indices of a width."""
    table = pa.table(
        {
            "s": pa.array([1, None], pa.timestamp("s")),
            "t": pa.array([1, None], pa.time32("s")),
            "n": pa.array([5, None]).dictionary_encode(),
            "o": pa.array(["a", "b"])
            .dictionary_encode()
            .cast(pa.dictionary(pa.int8(), pa.large_string(), ordered=True)),
            "d": pa.array([Decimal("1.20"), None], pa.decimal128(9, 2)),
            "z": pa.array([1, None], pa.timestamp("us", "Europe/Berlin")),
        }
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    assert read(Parquet(path="x.parquet"), tmp_path)["x"].equals(table)


@pytest.mark.parametrize("form", ["file", "stream"])
def test_arrow_files_and_streams(tmp_path: Path, form: str) -> None:
    """Files and streams are told apart by their first bytes."""
    table = pa.table({"a": pa.array(["x", None]).dictionary_encode(), "b": [1, 2]})
    with (ipc.new_file if form == "file" else ipc.new_stream)(tmp_path / "x.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    assert read(Arrow(path="x.arrow"), tmp_path)["x"].to_pydict() == table.to_pydict()


def test_packed_parquet_is_unpacked(tmp_path: Path) -> None:
    """A file that was packed although it is compressed inside is read all the same."""
    table = pa.table({"a": [1, 2]})
    plain = io.BytesIO()
    parquet.write_table(table, plain)
    (tmp_path / "x.parquet.zst").write_bytes(pa.compress(plain.getvalue(), "zstd", asbytes=True))
    assert read(Parquet(path="x.parquet.zst"), tmp_path)["x"].equals(table)


@pytest.mark.parametrize("kind", [Parquet, Arrow])
def test_tables_that_are_none(tmp_path: Path, kind: type[Parquet | Arrow]) -> None:
    """No columns, nested columns and a name twice are refused with the file and the column."""
    path = tmp_path / f"x{kind.suffixes[0]}"

    def put(table: pa.Table) -> None:
        if kind is Parquet:
            parquet.write_table(table, path)
        else:
            with ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)

    cases = [
        (pa.table({"a": [[1], [2]]}), "column 'a'.*nested"),
        (pa.table({"a": [{"x": 1}]}), "column 'a'.*nested"),
        (pa.table([[1], [2]], names=["a", "a"]), "column name 'a'.*columns 1, 2"),
        (pa.table({"a": [1]}).select([]), "at least one column"),
    ]
    for table, said in cases:
        put(table)
        with pytest.raises(InputError, match=rf"^{path.name}.*{said}"):
            read(kind(path=path.name), tmp_path)


def test_extension_types_are_what_they_store(tmp_path: Path) -> None:
    """A type of some library's own is read as the type it is stored as."""
    table = pa.table({"u": pa.array([b"0123456789abcdef"], pa.uuid())})
    parquet.write_table(table, tmp_path / "x.parquet")
    read_back = read(Parquet(path="x.parquet"), tmp_path)["x"]
    assert read_back.column("u").to_pylist() == [b"0123456789abcdef"]
    assert not isinstance(read_back.column("u").type, pa.BaseExtensionType)


def test_text_that_is_none_is_refused(tmp_path: Path) -> None:
    """Bytes that a file calls text and are not are refused, before something later trips over them."""
    bad = pa.Array.from_buffers(pa.string(), 1, [*pa.array(["ab"]).buffers()[:2], pa.py_buffer(b"\xff\xfe")])
    parquet.write_table(pa.table({"a": bad}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="damaged"):
        read(Parquet(path="x.parquet"), tmp_path)


def test_parquet_that_declares_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that declares very many cells is refused before they are made."""
    parquet.write_table(pa.table({f"c{i}": pa.nulls(2_000_000) for i in range(10)}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 50_000
    assert read(Parquet(path="x.parquet"), tmp_path)["x"].num_rows == 2_000_000
    monkeypatch.setattr("synthwright.sources.parquet.LIMITS", LIMITS._replace(cells=19_999_999))
    with pytest.raises(InputError, match="at most 19,999,999 cells"):
        read(Parquet(path="x.parquet"), tmp_path)


def test_arrow_bomb(tmp_path: Path) -> None:
    """A compressed Arrow file that unfolds into very much is refused on the way."""
    batch = pa.record_batch({"a": pa.nulls(2**21, pa.int64())})
    with ipc.new_file(tmp_path / "x.arrow", batch.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        for _ in range(20):
            writer.write_batch(batch)
    assert (tmp_path / "x.arrow").stat().st_size < 100_000
    with pytest.raises(InputError, match="bomb"):
        read(Arrow(path="x.arrow"), tmp_path)


# ----------------------------------------------------------------------------------------------------------- Excel
def test_excel_types(tmp_path: Path) -> None:
    """Whole numbers, fractions, truth values, dates, times and durations come typed; empty cells are nulls."""
    rows: list[list[Any]] = [
        ["n", "f", "b", "d", "i", "t", "u", "s", "m", 2019],
        [1, 1.5, True, dt.date(2024, 2, 29), dt.datetime(2024, 1, 1, 12, 30), dt.time(1, 2, 3),
         dt.timedelta(hours=30), "x", 1, 1],
        [None, 2, False, None, dt.datetime(2024, 1, 2), None, None, None, "x", 1],
        [2**40, None, None, dt.date(1999, 1, 1), None, dt.time(23, 59), dt.timedelta(seconds=5), "00", 2.5, 1],
    ]  # fmt: skip
    book(tmp_path / "x.xlsx", Sheet1=rows)
    table = read(Excel(path="x.xlsx"), tmp_path)["x"]
    kinds = [
        "int64",
        "double",
        "bool",
        "date32[day]",
        "timestamp[us]",
        "time64[us]",
        "duration[us]",
        "string",
        "string",
    ]
    assert [str(k) for k in table.schema.types] == [*kinds, "int64"]
    assert table.column_names[-1] == "2019"
    assert table.column("n").to_pylist() == [1, None, 2**40]
    assert table.column("u").to_pylist() == [dt.timedelta(hours=30), None, dt.timedelta(seconds=5)]
    assert table.column("m").to_pylist() == ["1", "x", "2.5"]
    assert table.column("s").to_pylist() == ["x", None, "00"]


def test_excel_sheets(tmp_path: Path) -> None:
    """Several sheets are several tables; one is named like the file; `sheet` chooses; empty ones are passed over."""
    book(tmp_path / "x.xlsx", one=[["a"], [1]], two=[["b"], [2]], three=[])
    assert list(read(Excel(path="x.xlsx"), tmp_path)) == ["one", "two"]
    assert read(Excel(path="x.xlsx", sheet="two"), tmp_path)["x"].to_pydict() == {"b": [2]}
    with pytest.raises(InputError, match=r"sheet 'four'.*'one', 'two'"):
        read(Excel(path="x.xlsx", sheet="four"), tmp_path)
    book(tmp_path / "x.xlsx", one=[], two=[])
    with pytest.raises(InputError, match="empty sheets"):
        read(Excel(path="x.xlsx"), tmp_path)


def test_excel_offset_blank_columns_and_errors(tmp_path: Path) -> None:
    """A table need not begin in the corner; columns without name and values are none; #N/A is a null."""
    rows: list[list[Any]] = [[], [], [None, "a", None, "b"], [None, 1, None, "#N/A"], [None, 2, None, "x"]]
    book(tmp_path / "x.xlsx", s=rows)
    assert read(Excel(path="x.xlsx"), tmp_path)["x"].to_pydict() == {"a": [1, 2], "b": [None, "x"]}
    book(tmp_path / "x.xlsx", s=[["a", "a"], [1, 2]])
    with pytest.raises(InputError, match="unique column names"):
        read(Excel(path="x.xlsx"), tmp_path)


def altered(path: Path, change: Any) -> None:
    """Write a workbook whose first sheet is changed."""
    book(path, s=[["a"], [1]])
    with zipfile.ZipFile(path) as archive:
        members = {i.filename: archive.read(i) for i in archive.infolist()}
    members["xl/worksheets/sheet1.xml"] = change(members["xl/worksheets/sheet1.xml"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_excel_cell_far_away(tmp_path: Path) -> None:
    """One value in the last cell of a sheet does not make room for all between; a format there does no harm."""
    far = b'<row r="1048576"><c r="XFD1048576"%s</row></sheetData>'
    altered(tmp_path / "x.xlsx", lambda s: s.replace(b"</sheetData>", far % b' t="n"><v>1</v></c>'))
    with pytest.raises(InputError, match="1,048,576 × 16,384"):
        read(Excel(path="x.xlsx"), tmp_path)
    altered(tmp_path / "x.xlsx", lambda s: s.replace(b"</sheetData>", far % b' s="0"/>'))
    assert read(Excel(path="x.xlsx"), tmp_path)["x"].to_pydict() == {"a": [1]}


@pytest.mark.parametrize("declared", ["truly", "falsely"])
def test_excel_bomb(tmp_path: Path, declared: str) -> None:
    """A workbook that unfolds into very much is refused, also where it declares to be small."""
    path = tmp_path / "x.xlsx"
    altered(path, lambda s: s.replace(b"</sheetData>", b" " * 150_000_000 + b"</sheetData>"))
    if declared == "falsely":
        content = path.read_bytes()
        large = next(i.file_size for i in zipfile.ZipFile(path).infolist() if i.file_size > 10**8)
        path.write_bytes(content.replace(large.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with pytest.raises(InputError, match="times its size"):
        read(Excel(path="x.xlsx"), tmp_path)


# ---------------------------------------------------------------------------------------------------------- SQLite
def base(path: Path, *statements: str) -> None:
    """Write an SQLite database."""
    with sqlite3.connect(path) as made:
        for statement in statements:
            made.execute(statement)
    made.close()


def test_sqlite_declared_types(tmp_path: Path) -> None:
    """Declared types decide where every value keeps to them; a column that does not is text."""
    base(
        tmp_path / "x.db",
        "CREATE TABLE t (i INTEGER PRIMARY KEY, r REAL, s TEXT, b BOOLEAN, d DATE, m DATETIME, h TIME, p DECIMAL(10,2),"
        " bad INTEGER, when_ DATE, raw BLOB, none INTEGER, fine NUMERIC(5,1))",
        "INSERT INTO t VALUES (1, 1, '01', 1, '2024-02-29', '2024-01-01 10:00:00', '10:00:00', 1.1, 1, 'soon', x'00',"
        " NULL, 1.234)",
        "INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, '2024-01-01T10:00:00.5', NULL, NULL, 'NA', NULL, NULL, NULL,"
        " 1)",
    )
    table = read(Sqlite(path="x.db"), tmp_path)["t"]
    kinds = {
        "i": "int64", "r": "double", "s": "large_string", "b": "bool", "d": "date32[day]", "m": "timestamp[us]",
        "h": "time64[us]", "p": "decimal128(10, 2)", "bad": "large_string", "when_": "large_string",
        "raw": "large_binary", "none": "int64", "fine": "double",
    }  # fmt: skip
    assert {c: str(table.schema.field(c).type) for c in table.column_names} == kinds
    assert table.column("p").to_pylist() == [Decimal("1.10"), None]
    assert table.column("bad").to_pylist() == ["1", "NA"]
    assert table.column("s").to_pylist() == ["01", None]


def test_sqlite_tables(tmp_path: Path) -> None:
    """Every user table is read, views, indexes and internal tables are not; `table` chooses; names may be anything."""
    statements = ['CREATE TABLE "a b""c" ("x y" INTEGER)', 'INSERT INTO "a b""c" VALUES (1)',
                  "CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT, g AS (k * 2))",
                  "CREATE VIEW v AS SELECT * FROM t", "CREATE VIRTUAL TABLE words USING fts5(x)",
                  "INSERT INTO t (k) VALUES (3)"]  # fmt: skip
    base(tmp_path / "x.db", *statements)
    tables = read(Sqlite(path="x.db"), tmp_path)
    assert {n: t.to_pydict() for n, t in tables.items()} == {'a b"c': {"x y": [1]}, "t": {"k": [3], "g": [6]}}
    assert list(read(Sqlite(path="x.db", table="t"), tmp_path)) == ["t"]
    with pytest.raises(InputError, match=r"table 'u'.*a b"):
        read(Sqlite(path="x.db", table="u"), tmp_path)


def test_sqlite_that_is_being_written(tmp_path: Path) -> None:
    """A database with an open log is refused: what it holds is not all in the file."""
    writer = sqlite3.connect(tmp_path / "x.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (a)")
    writer.commit()
    with pytest.raises(InputError, match="open log"):
        read(Sqlite(path="x.db"), tmp_path)
    writer.close()
    assert read(Sqlite(path="x.db"), tmp_path)["t"].column_names == ["a"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.db"], "nothing is written beside it"


def test_sqlite_text_that_is_none(tmp_path: Path) -> None:
    """Text that is not UTF-8 is refused without its value."""
    base(tmp_path / "x.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'63616e617279ff' AS TEXT))")
    with pytest.raises(InputError) as caught:
        read(Sqlite(path="x.db"), tmp_path)
    assert "canary" not in str(caught.value)


def test_sqlite_without_tables(tmp_path: Path) -> None:
    """A database without a table is refused."""
    base(tmp_path / "x.db", "CREATE TABLE t (a)", "DROP TABLE t")
    with pytest.raises(InputError, match="at least one table"):
        read(Sqlite(path="x.db"), tmp_path)
