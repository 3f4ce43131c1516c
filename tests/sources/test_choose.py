"""Which source reads a path: by ending, by first bytes, or a refusal that names the endings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError, PathError
from synthwright.core.registry import names
from synthwright.sinks.choose import for_path as sink_for
from synthwright.sources.choose import endings, for_path

TABLE = pa.table({"a": ["x", "y"], "b": ["1", "2"]})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.csv", "csv"), ("x.CSV.GZ", "csv"), ("x.tsv", "csv"), ("x.parquet", "parquet"), ("x.jsonl.zst", "jsonl"),
     ("x.json", "jsonl"), ("x.feather", "arrow"), ("x.xlsx", "excel"), ("x.db", "sqlite"), ("a*.pq", "parquet")],
)  # fmt: skip
def test_by_ending(name: str, kind: str) -> None:
    """The ending tells, without the file being there; case and packing do not count."""
    assert for_path(name).name == kind
    assert for_path(name).path == name


def test_every_source_has_an_ending() -> None:
    """Every registered source is found by at least one ending, but documents: a text is no table unless one says so."""
    assert set(endings().values()) == set(names("sources")) - {"documents"}


@pytest.mark.parametrize("ending", ["parquet", "arrow", "sqlite", "xlsx", "jsonl", "jsonl.gz"])
def test_by_first_bytes(tmp_path: Path, ending: str) -> None:
    """A file without an ending is told by how it begins."""
    path = tmp_path / f"x.{ending}"
    sink_for(path).write_file(TABLE, path, {})
    shutil.copy(path, tmp_path / "unnamed")
    ctx = Context(root=tmp_path)
    source = for_path("unnamed", ctx)
    assert source.name == for_path(path.name).name
    assert next(iter(source.tables(ctx).values())).to_pydict() == TABLE.to_pydict()


def test_folders_and_patterns(tmp_path: Path) -> None:
    """A folder is read by what is in it; of several kinds, one has to be named."""
    ctx = Context(root=tmp_path)
    for name in ("one/x.csv", "two/t/part-00000.parquet"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        sink_for(path).write_file(TABLE, path, {})
    assert for_path("one", ctx).name == "csv"
    assert list(for_path("two", ctx).tables(ctx)) == ["t"]
    assert for_path("one/*", ctx).name == "csv"
    (tmp_path / "one" / "y.jsonl").write_text("{}")
    with pytest.raises(InputError, match="csv, jsonl"):
        for_path("one", ctx)
    (tmp_path / "folder.csv").mkdir()
    shutil.copy(tmp_path / "two" / "t" / "part-00000.parquet", tmp_path / "folder.csv" / "x.parquet")
    assert for_path("folder.csv", ctx).name == "parquet"


@pytest.mark.parametrize("name", ["x.doc", "x", "none", "none*", "empty"])
def test_unknown(tmp_path: Path, name: str) -> None:
    """What nothing reads is refused, and the endings are named."""
    (tmp_path / "x").write_text("hello")
    (tmp_path / "x.doc").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"\.csv.*\.parquet.*\.xlsx"):
        for_path(name, Context(root=tmp_path))


def test_settings(tmp_path: Path) -> None:
    """Settings are handed on; one that does not fit is an InputError."""
    assert for_path("x.csv", separator=";").model_dump()["separator"] == ";"
    with pytest.raises(InputError, match=r"source 'csv': setting 'sheet'.*separator"):
        for_path("x.csv", sheet="one")
    with pytest.raises(InputError, match="setting 'encoding'"):
        for_path("x.csv", encoding="utf-9")
    with pytest.raises(PathError):
        for_path("../x", Context(root=tmp_path))
