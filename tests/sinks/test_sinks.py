"""How sinks write: the layout of a release, formulas defused, metadata, keys, and nothing half-written."""

from __future__ import annotations

import resource
import sqlite3
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from synthwright.core.contracts import Sink
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, StoreError, SynthwrightError
from synthwright.core.infer import infer
from synthwright.core.registry import find, names
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.sinks import parts
from synthwright.sinks.csv import Csv
from synthwright.sinks.excel import Excel
from synthwright.sinks.jsonl import Jsonl
from synthwright.sinks.parquet import Parquet
from synthwright.sinks.sqlite import Sqlite

MARK = {"synthwright.synthetic": "true", "synthwright.seed": "7"}
SINKS = sorted(names("sinks"))


def sink(name: str) -> Sink:
    """Return a registered sink with its defaults."""
    made = find("sinks", name)()
    assert isinstance(made, Sink)
    return made


def dataset(rows: int = 3, *tables: str) -> Dataset:
    """Return tables of a key and a number that is spelled."""
    fields = {
        "id": Field(kind=Kind.KEY, nulls=False, type="int64"),
        "name": Field(kind=Kind.CATEGORY),
        "gain": Field(kind=Kind.INTEGER),
    }
    spec = Table(fields=fields, key="id")
    held = pa.table({"id": range(rows), "name": ["-a"] * rows, "gain": [-5] * rows})
    used = tables or ("people",)
    return Dataset.of(dict.fromkeys(used, held), Schema(tables=dict.fromkeys(used, spec)))


@pytest.mark.parametrize("name", SINKS)
def test_layout(tmp_path: Path, name: str) -> None:
    """Every table has its folder, unsafe names a safe one, and every file that is written is named."""
    data = dataset(3, "people", "../up", "a/b")
    written = sink(name).write(data, tmp_path / "data", MARK)
    assert sorted(written) == sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert len(written) == len(data.tables)
    assert written[0].parent == tmp_path / "data" / "people"
    assert written[0].stem == "part-00000"
    assert all(p.parent.parent == tmp_path / "data" for p in written)


@pytest.mark.parametrize("name", ["parquet", "csv", "jsonl", "arrow", "excel"])
def test_parts(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table is several parts; the limit is a million rows."""
    assert parts.ROWS == 1_000_000
    monkeypatch.setattr(type(sink(name)), "rows", 2)
    written = sink(name).write(dataset(5), tmp_path, MARK)
    assert [p.stem for p in written] == ["part-00000", "part-00001", "part-00002"]
    if name == "csv":
        assert written[2].read_text() == "id,name,gain\n4,-a,-5\n"


def test_metadata(tmp_path: Path) -> None:
    """Parquet and Arrow carry the metadata; nothing of another library is left in it."""
    table = pa.table({"a": [1]}).replace_schema_metadata({"pandas": "{}"})
    sink("parquet").write_file(table, tmp_path / "x.parquet", MARK)
    sink("arrow").write_file(table, tmp_path / "x.arrow", MARK)
    said = parquet.read_schema(tmp_path / "x.parquet").metadata
    assert said == {k.encode(): v.encode() for k, v in MARK.items()}
    with ipc.open_file(tmp_path / "x.arrow") as file:
        assert file.schema.metadata == said


def test_parquet_row_groups(tmp_path: Path) -> None:
    """Row groups have a fixed size, and pages a checksum that shows damage."""
    Parquet().write_file(pa.table({"a": range(300_000)}), tmp_path / "x.parquet", MARK)
    said = parquet.ParquetFile(tmp_path / "x.parquet").metadata
    assert [said.row_group(i).num_rows for i in range(said.num_row_groups)] == [131_072, 131_072, 37_856]
    assert said.row_group(0).column(0).compression == "ZSTD"


RISKY = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\x01", "＝1", "fine", "", None, "a=1", "'x"]


def test_spreadsheet_profile(tmp_path: Path) -> None:
    """Text that a spreadsheet would run gets an apostrophe, names of columns too; numbers stay numbers."""
    table = pa.table({"=n": [-1.5] * len(RISKY), "s": RISKY})
    Csv(profile="spreadsheet").write_file(table, tmp_path / "x.csv", MARK)
    lines = (tmp_path / "x.csv").read_bytes().decode().split("\n")
    assert lines[0].split(",")[0] in ("'=n", '"\'=n"')
    assert lines[1] == "-1.5,'=1+1"
    text = (tmp_path / "x.csv").read_bytes().decode()
    for value in ("'+1", "'-1", "'@x", "'\tx", "'\rx", "'\x01", "'＝1", ",fine", ",a=1", ",'x"):
        assert value in text
    Csv().write_file(table, tmp_path / "y.csv", MARK)
    assert "\n-1.5,=1+1\n" in (tmp_path / "y.csv").read_text()


def test_spreadsheet_profile_of_a_release(tmp_path: Path) -> None:
    """In a release, columns whose text spells numbers stay as they are."""
    fields = {
        "money": Field(kind=Kind.NUMBER, type="string"),
        "name": Field(kind=Kind.CATEGORY),
    }
    held = pa.table({"money": [-5.0], "name": ["-a"]})
    data = Dataset.of({"t": held}, Schema(tables={"t": Table(fields=fields)}))
    (path,) = Csv(profile="spreadsheet").write(data, tmp_path, MARK)
    money, name = path.read_text().split("\n")[1].split(",")
    assert money.startswith("-5")
    assert name == "'-a"


def test_excel_runs_nothing(tmp_path: Path) -> None:
    """Every text is text in Excel: no cell is a formula, and the time of writing is in no byte."""
    Excel().write_file(pa.table({"=x": RISKY}), tmp_path / "x.xlsx", MARK)
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").active
    assert "f" not in {c.data_type for row in sheet.rows for c in row}
    assert sheet["A1"].quotePrefix
    assert sheet["A2"].value == "=1+1"
    with zipfile.ZipFile(tmp_path / "x.xlsx") as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01" in archive.read("docProps/core.xml")


@pytest.mark.parametrize(
    ("kind", "table", "said"),
    [
        (Excel, pa.table({"a": ["x" * 32_768]}), "column 'a'.*32,767"),
        (Excel, pa.table({"a": pa.nulls(1_048_576)}), "1,048,575 rows"),
        (Csv, pa.table({"a": ["x\0"]}), "column 'a'.*NUL"),
        (Csv, pa.table({"a\0": ["x"]}), "name.*NUL"),
        (Sqlite, pa.table({"a": [1], "A": [2]}), "column 'a'.*case"),
    ],
)
def test_what_a_format_cannot_hold(tmp_path: Path, kind: type[Sink], table: pa.Table, said: str) -> None:
    """What a format cannot hold is refused with the column, before anything is written."""
    with pytest.raises(InputError, match=said):
        kind().write_file(table, tmp_path / f"x{kind.suffixes[0]}", MARK)
    assert not list(tmp_path.iterdir())


def test_jsonl_is_json(tmp_path: Path) -> None:
    """Nulls are written out, NaN is one, names and text are escaped."""
    table = pa.table({'a"\n': [float("nan"), 1.5], "b": ['q"\\\x01', None]})
    Jsonl().write_file(table, tmp_path / "x.jsonl", MARK)
    said = (tmp_path / "x.jsonl").read_text().splitlines()
    assert said == ['{"a\\"\\n":null,"b":"q\\"\\\\\\u0001"}', '{"a\\"\\n":1.5,"b":null}']


def test_sqlite_declares_keys(tmp_path: Path) -> None:
    """The key and the columns without nulls are declared; a key that repeats is refused."""
    (path,) = Sqlite().write(dataset(), tmp_path, MARK)
    with sqlite3.connect(path) as base:
        said = base.execute("SELECT name, type, \"notnull\", pk FROM pragma_table_info('people')").fetchall()
    base.close()
    assert said == [("id", "INTEGER", 1, 1), ("name", "TEXT", 0, 0), ("gain", "INTEGER", 0, 0)]
    data = dataset()
    twice = Dataset(data.schema, {"people": pa.concat_tables([data.tables["people"]] * 2)})
    with pytest.raises(InputError, match="a key that is unique"):
        Sqlite().write(twice, tmp_path / "twice", MARK)


@pytest.mark.parametrize("name", SINKS)
def test_nothing_half_written(tmp_path: Path, name: str) -> None:
    """When the disk is full, what was there stays, nothing is left, and a StoreError says so."""
    path = tmp_path / f"x{sink(name).suffixes[0]}"
    path.write_bytes(b"old")
    table = pa.table({"a": [f"{i * 7919 % 100_003:x}" * 3 for i in range(60_000)]})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(StoreError):
            sink(name).write_file(table, path, MARK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", SINKS)
def test_an_unwritable_folder(tmp_path: Path, name: str) -> None:
    """A folder that cannot be made is a StoreError."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file where a folder"):
        sink(name).write(dataset(), tmp_path / "file", MARK)
    with pytest.raises(SynthwrightError):
        sink(name).write_file(pa.table({"a": [1]}), Path("/proc/x") / f"y{sink(name).suffixes[0]}", MARK)


def test_values_are_spelled_as_the_schema_says(tmp_path: Path) -> None:
    """Truth values, signed numbers and ISO instants of a text file look as they did; JSON keeps its numbers."""
    said = {
        "ok": ["TRUE", "FALSE"] * 5,
        "by": ["+1.5", "-0.5"] * 5,
        "at": ["2024-01-31T10:00:00Z", "2024-02-01T09:30:00Z"] * 5,
    }
    data = Dataset.of(pa.table(said), infer({"t": pa.table(said)}, text=True).schema)
    (csv,) = Csv().write(data, tmp_path / "csv", MARK)
    assert csv.read_text().splitlines()[1:3] == ["TRUE,+1.5,2024-01-31T10:00:00Z", "FALSE,-0.5,2024-02-01T09:30:00Z"]
    (jsonl,) = Jsonl().write(data, tmp_path / "jsonl", MARK)
    assert jsonl.read_text().splitlines()[0] == '{"ok":true,"by":1.5,"at":"2024-01-31T10:00:00Z"}'
    (plain,) = Parquet().write(data, tmp_path / "parquet", MARK)
    assert parquet.read_table(plain).schema.field("ok").type == pa.bool_()
