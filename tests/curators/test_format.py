"""The curator `format`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.format import Format
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None]) -> Dataset:
    """Return numbered rows of one text."""
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    number = pa.array(range(len(texts)), pa.int64())
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def reasons(curator: Format, texts: Sequence[str | None]) -> list[str | None]:
    """Return why texts go."""
    data = dataset(texts)
    found = curator.fit(data, None, Context()).judge(data, Context())[0].reason.to_pylist()
    assert len(found) == len(texts)
    return found


def held(curator: Format, good: Sequence[str], bad: Sequence[str], reason: str) -> None:
    """Fail unless good texts stay and bad ones go for a reason; nulls stay."""
    found = reasons(curator, [*good, None, *bad])
    assert [t for t, r in zip(good, found, strict=False) if r] == []
    assert [t for t, r in zip(bad, found[len(good) + 1 :], strict=True) if r != reason] == []
    assert found[len(good)] is None


def test_it_keeps_the_contract() -> None:
    """The contract suite passes, with and without a format."""
    assert check_curator(Format(as_="json"))


def test_json() -> None:
    """What is JSON as a whole stays; fences, trailing commas, names twice and endless depth go."""
    good = ['{"a": 1}', "[1, 2]", '"text"', "null", ' {"ü": "日本"} ', "[" * 100 + "]" * 100, '"' + "[" * 500 + '"'][:6]
    bad = ["", "{a: 1}", "{'a': 1}", '```json\n{"a": 1}\n```', '{"a": 1,}', '{"a": 1, "a": 2}', "NaN", '{"a": 1} x',
           "[" * 101 + "]" * 101, "[" * 50_000 + "]" * 50_000, "9" * 5000, '"' + "x" * 300_000 + '"']  # fmt: skip
    held(Format(as_="json"), good, bad, "not-json")


def test_json_by_a_schema() -> None:
    """JSON must meet the schema; what is none has its own reason."""
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}}}
    curator = Format.model_validate({"as": "json", "schema": schema})
    found = reasons(curator, ['{"name": "Ann"}', '{"name": "ann"}', '{"nam": "Ann"}', "[]", "{", None])
    assert found == [None, "not-by-schema", "not-by-schema", "not-by-schema", "not-json", None]
    with pytest.raises(ValueError, match="no JSON Schema"):
        Format.model_validate({"as": "json", "schema": {"type": "objekt"}})


def test_python() -> None:
    """What Python can parse stays; it is not run, and depth is bounded."""
    good = ["x = 1", "def f(a: int) -> int:\n    return a + 1\n", "print('ü')", "raise SystemExit", "1 / 0", "'\\d'"]
    bad = ["", "# only a remark", "def f(:", "x = = 1", "```python\nx = 1\n```", "Here is the code: x = 1", "x\0y",
           "(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "not " * 50_000 + "x", "  x = 1",
           "+".join(["1"] * 90_000)]  # fmt: skip
    held(Format(as_="python"), good, bad, "not-python")


def test_sql() -> None:
    """Queries, changes and definitions stay; sentences, fragments and unknown statements go."""
    pytest.importorskip("sqlglot")
    good = ["select 1", "SELECT a, count(*) FROM t WHERE b = 'ü' GROUP BY a;", "with x as (select 1) select * from x",
            "insert into t values (1)", "update t set a = 1 where b > 2", "delete from t", "create table t (a int)",
            "drop table t", "select 1; select 2", "alter table t add column b int"]  # fmt: skip
    bad = ["", ";", "hello world", "42", "select a from", "select * fro t", "Here is the query: select 1",
           "show me all", "```sql\nselect 1\n```", "select (" * 5000, "I am not sql", "select 'open"]  # fmt: skip
    held(Format(as_="sql"), good, bad, "not-sql")
    assert reasons(Format(as_="sql", dialect="tsql"), ["select top 5 a from t"]) == [None]
    with pytest.raises(InputError, match="did you mean 'postgres'"):
        reasons(Format(as_="sql", dialect="postgre"), ["select 1"])


def test_sql_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the message says how to get it."""
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    with pytest.raises(InputError, match=r"pip install 'synthwright\[text\]'"):
        reasons(Format(as_="sql"), ["select 1"])


def test_numbers() -> None:
    """Plain digits are numbers; words, groups of thousands and infinities are none."""
    good = ["1", "-1.5", "+.5", "2e6", " 7 ", "0"]
    bad = ["", "1,000", "one", "1.2.3", "inf", "nan", "1_000", "٣", "--1", "9" * 5000]
    held(Format(as_="number"), good, bad, "not-number")


def test_nothing_is_asked_and_nothing_goes() -> None:
    """Without a format there is no ruling; parameters of other formats are told."""
    data = dataset(["x"])
    assert Format().fit(data, None, Context()).judge(data, Context()) == []
    wrong = Format(as_="python", schema_={"type": "object"}, dialect="mysql")
    assert [f.partition(":")[0] for f in wrong.faults(data.schema)] == ["schema", "dialect"]


def test_two_columns() -> None:
    """A row goes where either text is none; one column can be named."""
    fields = {"a": Field(kind=Kind.TEXT), "b": Field(kind=Kind.TEXT)}
    kind = pa.schema([("a", pa.large_string()), ("b", pa.large_string())])
    table = pa.table({"a": ["1", "x", "1"], "b": ["1", "1", "x"]}, schema=kind)
    data = Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": table})
    for curator, keep in ((Format(as_="json"), [True, False, False]),
                          (Format(as_="json", columns=("t.b",)), [True, True, False])):  # fmt: skip
        assert curator.fit(data, None, Context()).judge(data, Context())[0].keep.tolist() == keep
