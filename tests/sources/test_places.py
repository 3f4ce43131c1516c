"""What a path stands for: a file, a folder of tables, a folder of parts, a pattern."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError, PathError
from synthwright.sources.csv import Csv
from synthwright.sources.parquet import Parquet


def tables(folder: Path, path: str) -> dict[str, dict[str, list[str]]]:
    """Read what a path stands for."""
    return {n: t.to_pydict() for n, t in Csv(path=path).tables(Context(root=folder)).items()}


def put(folder: Path, **files: str) -> None:
    """Write CSV files; two underscores stand for a slash."""
    for name, rows in files.items():
        path = folder / (name.replace("__", "/") + ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n" + rows)


def test_folder_of_tables(tmp_path: Path) -> None:
    """Every file with the ending is a table of its own; others and hidden ones are passed over."""
    put(tmp_path, d__x="1,2\n", d__y="3,4\n")
    (tmp_path / "d" / "z.CSV").write_text("c\n5\n")
    (tmp_path / "d" / ".hidden.csv").write_text("c\n5\n")
    (tmp_path / "d" / "README.md").write_text("# c")
    assert list(tables(tmp_path, "d")) == ["x", "y", "z"]
    assert tables(tmp_path, "d/x.csv") == {"x": {"a": ["1"], "b": ["2"]}}


def test_folder_of_parts(tmp_path: Path) -> None:
    """Files called part-* are one table, named by their folder, in order."""
    put(tmp_path, **{"people__part-00001": "3,4\n", "people__part-00000": "1,2\n"})
    assert tables(tmp_path, "people") == {"people": {"a": ["1", "3"], "b": ["2", "4"]}}
    assert [p.name for p in Csv(path="people").files(Context(root=tmp_path))] == ["part-00000.csv", "part-00001.csv"]


def test_release_folder(tmp_path: Path) -> None:
    """A folder of folders of parts is what a sink writes: a table for each."""
    put(tmp_path, **{"data__one__part-00000": "1,2\n", "data__two__part-00000": "3,4\n", "data__notes__x": ""})
    assert list(tables(tmp_path, "data")) == ["one", "two"]


def test_pattern_is_one_table(tmp_path: Path) -> None:
    """The files that a pattern finds are one table; columns are put in the first one's order."""
    put(tmp_path, **{"log/2024-01".replace("/", "__"): "1,2\n"})
    (tmp_path / "log" / "2024-02.csv").write_text("b,a\n4,3\n")
    (tmp_path / "log" / "2024-03.txt.bak").write_text("no table")
    expected = {"a": ["1", "3"], "b": ["2", "4"]}
    assert tables(tmp_path, "log/2024-*") == {"2024": expected}
    assert tables(tmp_path, "log/*.csv") == {"log": expected}
    assert tables(tmp_path, "**/*.csv") == {"log": expected}


def test_a_name_with_wildcards_is_a_file_first(tmp_path: Path) -> None:
    """A file whose name holds brackets is that file."""
    put(tmp_path, **{"x[1]": "1,2\n", "x1": "3,4\n"})
    assert tables(tmp_path, "x[1].csv") == {"x[1]": {"a": ["1"], "b": ["2"]}}


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    """A pattern whose files have other columns names the file and the column."""
    put(tmp_path, x1="1,2\n")
    (tmp_path / "x2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(InputError, match=r"x2\.csv: the columns: wanted those of x1\.csv, got no column 'b'"):
        tables(tmp_path, "x*.csv")


@pytest.mark.parametrize(
    "path", ["", "none.csv", "none/*.csv", "empty", "pipe.csv", "x" * 5000, "loop", "none/deep/x.csv"]
)
def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    """Nothing there, an empty folder, a pipe, a name too long, links in a circle: each is an InputError."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError):
        tables(tmp_path, path)


def test_near_names_are_offered(tmp_path: Path) -> None:
    """A name with a slip is answered with the nearest there is."""
    put(tmp_path, people="1,2\n")
    with pytest.raises(InputError, match=r"people\.csv"):
        tables(tmp_path, "poeple.csv")


def test_no_file_outside_the_project(tmp_path: Path) -> None:
    """Neither dots, nor links in a folder, nor what a pattern finds lead out of the project."""
    put(tmp_path, secret="1,2\n", project__d__x="1,2\n")
    (tmp_path / "project" / "d" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "project" / "out").symlink_to(tmp_path)
    for path in ("../secret.csv", "d", "d/*.csv", "d/l*.csv", "out/secret.csv", "out/*.csv", "../*.csv",
                 "d/*/../../../secret.csv", str(tmp_path / "secret.csv"), "file:///etc/passwd"):  # fmt: skip
        with pytest.raises(PathError):
            tables(tmp_path / "project", path)


def test_two_files_of_one_table_name(tmp_path: Path) -> None:
    """Two files that would be the same table are refused."""
    put(tmp_path, d__x="1,2\n")
    (tmp_path / "d" / "x.tsv").write_text("a\n1\n")
    with pytest.raises(InputError, match="one file of that name"):
        tables(tmp_path, "d")


def test_types_that_do_not_go_together(tmp_path: Path) -> None:
    """Parts of which one holds text where another holds numbers are refused by column."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": [1], "b": [1]}), tmp_path / "x1.parquet")
    parquet.write_table(pa.table({"a": [0.5], "b": ["y"]}), tmp_path / "x2.parquet")
    with pytest.raises(InputError, match=r"column 'b'.*int64, string"):
        Parquet(path="x*.parquet").tables(Context(root=tmp_path))
    parquet.write_table(pa.table({"a": [0.5], "b": [None]}), tmp_path / "x2.parquet")
    read = Parquet(path="x*.parquet").tables(Context(root=tmp_path))["x"]
    assert read.to_pydict() == {"a": [1.0, 0.5], "b": [1, None]}
