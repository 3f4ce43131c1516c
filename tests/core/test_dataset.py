"""A dataset is a schema and one Arrow table per table; nothing changes it in place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset, to_arrow
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table

ROWS = 30


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(ROWS) % 4, "b": ["x", "y", "z"] * 10, "c": np.linspace(0, 1, ROWS)})


def test_frames_of_any_library_come_in() -> None:
    """pandas, polars, Arrow tables and batches, and mappings of them give the same dataset."""
    arrow = pa.Table.from_pandas(_frame())
    first = Dataset.of(_frame())
    others = (arrow, arrow.to_batches()[0], pl.from_pandas(_frame()), {"data": _frame()}, first)
    for other in others:
        found = Dataset.of(other)
        assert found.column("data.b").to_pylist() == _frame()["b"].tolist()
        assert found.column("data.a").type == pa.int64()


@pytest.mark.parametrize(
    "frame",
    [
        *([1, 2], None, "people.csv", 3, {"t": [1]}, pd.DataFrame(), pd.DataFrame([[1, 2]], columns=["a", "a"])),
        *(pd.DataFrame({"a": [1, "x"]}), pd.DataFrame({"a": [1j]}), pl.DataFrame({"a": pl.Series([object()])})),
        *(
            pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]),
            pl.DataFrame({"a": pl.Series([1], dtype=pl.Int128)}),
        ),
    ],
    ids=lambda f: str(f).replace("\n", " ")[:40],
)
def test_what_is_no_frame_is_refused(frame: object) -> None:
    """Other objects, duplicate names and columns that Arrow cannot hold get a typed error with a remedy."""
    with pytest.raises(InputError) as caught:
        Dataset.of(frame)
    assert caught.value.wanted


def test_errors_do_not_show_values() -> None:
    """A column of mixed objects is refused without repeating what is in it."""
    with pytest.raises(InputError) as caught:
        to_arrow(pd.DataFrame({"a": ["canary", 1]}), "t")
    assert "'a'" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_sparse_columns_come_in() -> None:
    """Sparse pandas columns are filled in, without touching the frame."""
    frame = pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1] * 10)})
    assert Dataset.of(frame).column("data.a").to_pylist() == [0, 0, 1] * 10
    assert isinstance(frame["a"].dtype, pd.SparseDtype)


def test_whole_numbers_with_nulls_stay_whole_in_pandas() -> None:
    """Integers beyond the digits of floats come back with nulls and all digits."""
    frame = pd.DataFrame(
        {"a": pd.array([2**62 + 1, None, 3] * 10, dtype="Int64"), "b": pd.array([1, None, 255] * 10, dtype="UInt8")}
    )
    out = Dataset.of(frame).to_pandas()
    assert out["a"][0] == 2**62 + 1
    assert [str(t) for t in out.dtypes] == ["Int64", "UInt8"]


def test_types_that_other_libraries_lack() -> None:
    """Nanosecond times in pandas, offsets and wide decimals in polars become the nearest they have."""
    table = pa.table({
        "t": pa.array([1, 2] * 10, pa.time64("ns")),
        "z": pa.array([0, 1] * 10, pa.timestamp("us", "+05:30")),
        "d": pa.array([1, 2] * 10, pa.decimal256(50, 2)),
        "u": pa.array([bytes(16)] * 20, pa.binary(16)).cast(pa.uuid()),
    })  # fmt: skip
    data = Dataset.of(table)
    assert data.to_pandas().shape == (20, 4)
    assert data.to_polars().schema["z"] == pl.Datetime("us", "UTC")


def test_a_schema_is_obeyed() -> None:
    """With a schema, its tables must be there, and others stay outside."""
    schema = Schema(tables={"t": Table(fields={"a": Field(kind=Kind.CATEGORY, type="int64")})})
    data = Dataset.of({"t": _frame(), "other": _frame()}, schema)
    assert data.column("t.a").type == pa.large_string()
    assert data.to_arrow().to_pydict() == {"a": _frame()["a"].tolist()}
    assert Dataset.of(_frame(), schema).rows() == ROWS
    with pytest.raises(InputError, match="'t'"):
        Dataset.of({"u": _frame()}, schema)


def test_blank_rows_hold_only_their_numbers() -> None:
    """A start from scratch has row numbers, counted from where it is told."""
    schema = Dataset.of(_frame()).schema
    blank = Dataset.blank(schema, {"data": 3}, {"data": 7})
    assert blank.row_numbers("data").tolist() == [7, 8, 9]
    assert blank.columns("data") == ()
    assert not blank.has("data.a")
    full = blank.with_columns("data", {"c": pa.array([0.0, 1.0, 2.0]), "a": pa.array([1, 2, 3])})
    assert full.tables["data"].column_names == ["a", "c", ROW]
    assert blank.columns("data") == ()
    assert full.to_arrow().column_names == ["a", "c"]
    with pytest.raises(KeyError):
        blank.with_columns("data", {"nope": pa.array([1, 2, 3])})


def test_rows_are_selected_and_joined() -> None:
    """Rows are filtered, taken, sharded and joined, and columns selected, on copies."""
    data = Dataset.of(_frame())
    kept = data.filter("data", np.arange(ROWS) < 10)
    assert kept.rows("data") == 10
    assert data.rows() == ROWS
    assert data.take("data", np.array([2, 0])).column("data.b").to_pylist() == ["z", "x"]
    assert [d.rows() for d in data.shards(12)] == [12, 12, 6]
    assert kept.joined(kept).rows() == 20
    assert data.select("data", ["b"]).columns("data") == ("b",)
    assert data.select("data", []).rows("data") == ROWS
    assert [d.rows() for d in Dataset.blank(data.schema, {"data": 0}).shards()] == [0]


def test_fingerprints_are_of_values() -> None:
    """How a table is cut in chunks does not count; what is in it does."""
    data = Dataset.of(_frame())
    cut = data.take("data", np.arange(10)).joined(data.take("data", np.arange(10, ROWS)))
    assert cut.fingerprint() == data.fingerprint()
    assert data.take("data", np.arange(ROWS)[::-1]).fingerprint() != data.fingerprint()


def test_notebooks_show_what_it_is() -> None:
    """The notebook form names tables and sizes, and escapes names."""
    data = Dataset.of({"<b>": _frame()})
    assert "&lt;b&gt;: 30 rows × 3 columns" in data._repr_html_()
