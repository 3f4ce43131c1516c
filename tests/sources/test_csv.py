"""CSV as it is found: encodings, separators, line ends, quotes; and what is refused, by line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.sinks.csv import Csv as CsvSink
from synthwright.sources.csv import Csv

SECRET = "canary-7f3a"
"""A value that must not turn up in any message."""


def read(folder: Path, content: bytes, name: str = "people.csv", **asked: Any) -> dict[str, list[str | None]]:
    """Write a file and read it."""
    (folder / name).write_bytes(content)
    tables = Csv(path=name, **asked).tables(Context(root=folder))
    assert list(tables) == ["people"]
    assert all(kind == pa.string() for kind in tables["people"].schema.types)
    said: dict[str, list[str | None]] = tables["people"].to_pydict()
    return said


def refused(folder: Path, content: bytes, **asked: Any) -> str:
    """Return how a file is refused; its cells never turn up."""
    with pytest.raises(InputError) as caught:
        read(folder, content, **asked)
    assert SECRET not in str(caught.value)
    assert str(caught.value).startswith("people.csv")
    return str(caught.value)


PLAIN = {"name": ["Zoë", "Ян"], "n": ["1", None]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, end: str) -> None:
    """Separators are recognised whatever ends a line."""
    text = end.join(separator.join(row) for row in (["name", "n"], ["Zoë", "1"], ["Ян", ""]))
    assert read(tmp_path, text.encode()) == PLAIN
    assert read(tmp_path, (text + end).encode()) == PLAIN


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    """A byte order mark tells the encoding, and is no part of the first name."""
    assert read(tmp_path, "name,n\nZoë,1\nЯн,\n".encode(encoding)) == PLAIN


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "name,ort\nMüller,Köln\nJosé,Málaga\n"),
        ("latin-1", "a,b\ncôté,élève\n"),
        ("cp1252", "price,n\n5 €,1\n"),
        ("cp1250", "imię,miasto\nŁukasz,Łódź\nGrażyna,Kraków\nStanisław,Częstochowa\n"),
        ("cp1251", "имя,город\nИван,Москва\nМария,Казань\n"),
        ("cp932", "名前,市\n田中,東京\n佐藤,大阪\n"),
        ("gb18030", "姓名,城市\n王伟,北京\n李娜,上海\n"),
    ],
)
def test_encodings_without_a_mark(tmp_path: Path, encoding: str, text: str) -> None:
    """Text that is not UTF-8 is recognised by what it says."""
    rows = [line.split(",") for line in text.splitlines()]
    assert read(tmp_path, text.encode(encoding)) == {
        name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])
    }


def test_encoding_changes_late(tmp_path: Path) -> None:
    """A byte that is not UTF-8 is seen wherever it stands in a large file."""
    content = b"name,n\n" + b"plain,1\n" * 1_000_000 + "Müller,2\n".encode("cp1252")
    said = read(tmp_path, content)
    assert said["name"][-1] == "Müller"
    assert len(said["n"]) == 1_000_001


@pytest.mark.parametrize(
    ("content", "stated", "right"),
    [
        ("a,b\nü,1\n".encode("cp1252"), "utf-8", None),
        ("a,b\nü,1\n".encode("cp1252"), "ascii", None),
        ("a,b\nü,1\n".encode(), "cp1252", "utf-8"),
        ("a,b\nü,1\n".encode(), "utf-16", "utf-8"),
        (b"a,b\nu,1\n", "utf-16-le", "utf-8"),
        ("a,b\nü,1\n".encode("utf-16"), "utf-8", "utf-16-le"),
        ("a,b\nü,1\n".encode("utf-8-sig"), "latin-1", "utf-8"),
    ],
)
def test_wrong_encoding_is_refused(tmp_path: Path, content: bytes, stated: str, right: str | None) -> None:
    """A stated encoding that the bytes contradict is refused, and the right one named where it is known."""
    said = refused(tmp_path, content, encoding=stated)
    assert right is None or f"say encoding: {right}" in said


def test_stated_encoding_is_kept(tmp_path: Path) -> None:
    """A stated encoding is used without a guess."""
    assert read(tmp_path, "name,n\nŽ,1\n".encode("cp1250"), encoding="cp1250")["name"] == ["Ž"]
    assert read(tmp_path, "name,n\nŽ,1\n".encode("utf-16-le"), encoding="utf-16-le")["name"] == ["Ž"]


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    """What had to be guessed is a remark that names the guess and the setting; what is known is none."""
    text = "name,n\n" + "Łódź,1\nKraków,2\n" * 20
    for encoding, stated, known in (("cp1250", None, False), ("cp1250", "cp1250", True), ("utf-8", None, True)):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding))
        said = Csv(path="a.csv", encoding=stated).remarks(Context(root=tmp_path))
        assert [s for s in said if "a.csv" in s and "cp125" in s and "encoding:" in s] == ([] if known else said[:1])
        assert bool(said) is not known


@pytest.mark.parametrize(
    ("setting", "value"), [("encoding", "utf-9"), ("encoding", "base64"), ("separator", '"'), ("separator", "§")]
)
def test_settings_are_checked(setting: str, value: str) -> None:
    """An encoding that is none and a separator that cannot be one are refused before anything is opened."""
    with pytest.raises(ValidationError):
        Csv.model_validate({setting: value})


def test_nulls_and_empty_text(tmp_path: Path) -> None:
    """An empty cell is a null, a quoted one is empty text."""
    assert read(tmp_path, b'a,b,c\n,"",x\n') == {"a": [None], "b": [""], "c": ["x"]}
    assert read(tmp_path, b'a\n\n""\nx\n') == {"a": [None, "", "x"]}, "one column: a blank line is a row"
    assert read(tmp_path, b"a,b\n\n1,2\n\n") == {"a": ["1"], "b": ["2"]}, "several columns: blank lines are none"


def test_quotes(tmp_path: Path) -> None:
    """Quoted cells hold separators, quotes and line ends; a quote within a plain cell is a character."""
    said = read(tmp_path, b'"a\nb",c\r\n"x,\r\ny","say ""hi"""\r\n5" pipe,2\r\n')
    assert said == {"a\nb": ["x,\r\ny", '5" pipe'], "c": ['say "hi"', "2"]}


def test_the_header_decides_what_separates(tmp_path: Path) -> None:
    """Decimal commas and commas in quoted names do not make columns."""
    assert read(tmp_path, b"a;b\n1,5;2,5\n") == {"a": ["1,5"], "b": ["2,5"]}
    assert read(tmp_path, b'"x;y;z",b\n1,2\n') == {"x;y;z": ["1"], "b": ["2"]}
    assert read(tmp_path, b"sep=|\na|b,c\n1|2\n") == {"a": ["1"], "b,c": ["2"]}


def test_unusual_layouts(tmp_path: Path) -> None:
    """Blank lines before the header, no header, a stated separator, no line end at the end: all are read."""
    assert read(tmp_path, b"\n \na,b\n1,2") == {"a": ["1"], "b": ["2"]}
    assert read(tmp_path, b"1,2\n3,4", header=False) == {"column_1": ["1", "3"], "column_2": ["2", "4"]}
    assert read(tmp_path, b"a b\n1 2", separator=" ") == {"a": ["1"], "b": ["2"]}
    assert read(tmp_path, b",a\n0,x\n") == {"": ["0"], "a": ["x"]}
    assert read(tmp_path, b"a,b") == {"a": [], "b": []}
    assert read(tmp_path, b"a\n") == {"a": []}


def test_ragged_lines_are_named(tmp_path: Path) -> None:
    """Ragged lines are counted, and the first five named by line and length."""
    rows = ["a,b", '"x\ny",1', SECRET, "1,2", f"1,2,{SECRET}", *["z"] * 5]
    said = refused(tmp_path, "\n".join(rows).encode())
    assert "7 lines of another length" in said
    assert "1 at line 4, 3 at line 6, 1 at line 7, 1 at line 8, 1 at line 9 and 2 more" in said


def test_ragged_line_far_down(tmp_path: Path) -> None:
    """The line is right in a large file too, packed or not."""
    content = b"a,b\n" + b"1,2\n" * 1_500_000 + b"3\n"
    assert "1 at line 1,500,002" in refused(tmp_path, content)
    with pytest.raises(InputError, match="1 at line 1,500,002"):
        read(tmp_path, gzip.compress(content, 1), name="people.csv.gz")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"\xef\xbb\xbf", "an empty file"),
        (b"\n\n\n", "the header"),
        (b"a,a\n1,2\n", "unique column names"),
        (b"a,,\n1,2,3\n", "none at columns 2, 3"),
        (b"a,b\n1,2\n3,\x00" + SECRET.encode(), "line 3"),
        (b'a,b\n1,2\n3,"' + SECRET.encode() + b"\n5,6\n", "line 3: wanted a quote that ends"),
        (b'"a,b\n1,2\n', "the header"),
        (b'a\n"' + SECRET.encode(), "line 2: wanted a quote that ends"),
        (b"PK\x03\x04" + bytes(range(1, 200)), "a zip archive"),
        ("a,b\n1,2\n".encode("utf-16-le"), "NUL"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, said: str) -> None:
    """What is no table is refused, with the place."""
    assert re.search(re.escape(said), refused(tmp_path, content))


def test_long_cells(tmp_path: Path) -> None:
    """A cell may be longer than what is parsed at once."""
    long = "x" * 20_000_000
    assert read(tmp_path, f"a,b\n1,{long}\n".encode())["b"] == [long]


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
WORDS = ["", '"', ",", "\r", "\n", "\r\n", '""', ";", "\t", " ", "\ufeffx", "'", "NULL", "sep=,", "sep=", "\x1f"]
NASTY = st.one_of(TEXT, st.sampled_from(WORDS))


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(NASTY, min_size=1, max_size=4, unique=True),
    rows=st.lists(st.lists(st.one_of(st.none(), NASTY), min_size=4, max_size=4), max_size=6),
)
def test_nasty_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], rows: list[list[str | None]]
) -> None:
    """Whatever text a table holds, what the sink writes the source reads."""
    folder = tmp_path_factory.mktemp("nasty")
    table = pa.table([pa.array([row[i] for row in rows], pa.string()) for i in range(len(names))], names=names)
    CsvSink().write_file(table, folder / "x.csv", {})
    assert Csv(path="x.csv").tables(Context(root=folder))["x"].to_pydict() == table.to_pydict()
