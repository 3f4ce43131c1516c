"""Small files that unfold into very much are refused before they do; large ones that are meant are read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS
from synthwright.sources.arrow import Arrow
from synthwright.sources.parquet import Parquet

LABEL = "x" * 1000
_POOLS: list[pa.MemoryPool] = []
"""Memory pools must outlive what was allocated from them."""


def _labels(rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), [LABEL])


def _read(kind: type[Parquet | Arrow], path: Path) -> pa.Table:
    return kind(path=path.name).tables(Context(root=path.parent))["x"]


def _peak(work: Callable[[], object]) -> int:
    """Return the most bytes that Arrow held at once while something was done."""
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    _POOLS.append(pool)
    pa.set_memory_pool(pool)
    try:
        work()
    finally:
        pa.set_memory_pool(usual)
    return int(pool.max_memory())


def test_a_constant_that_is_too_long(tmp_path: Path) -> None:
    """A constant column of 60 million rows in a few kilobytes is refused unread."""
    path = tmp_path / "x.parquet"
    with parquet.ParquetWriter(path, pa.schema({"a": pa.int8()})) as writer:
        table = pa.table({"a": np.zeros(10_000_000, dtype=np.int8)})
        for _ in range(6):
            writer.write_table(table, row_group_size=10_000_000)
    assert path.stat().st_size < 500_000

    def refused() -> None:
        with pytest.raises(InputError, match="only a bomb has"):
            _read(Parquet, path)

    assert _peak(refused) < 100_000_000


@pytest.mark.parametrize("kept", [True, False])
def test_a_long_text_that_is_named_often(tmp_path: Path, kept: bool) -> None:  # noqa: FBT001  pytest gives it by name
    """A thousand bytes that half a million rows name are refused without being written out, as labels and as text."""
    path = tmp_path / "x.parquet"
    column = pa.chunked_array([_labels(100_000) if kept else _labels(100_000).cast(pa.string()) for _ in range(6)])
    parquet.write_table(pa.table({"a": column}), path)
    assert path.stat().st_size < 500_000

    def refused() -> None:
        with pytest.raises(InputError, match="only a bomb has"):
            _read(Parquet, path)

    del column
    assert _peak(refused) < 100_000_000


def test_text_that_repeats_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that is stored as its difference from the row before is counted while it is read."""
    path = tmp_path / "x.parquet"
    table = pa.table({"b": [1] * 50_000, "a": [LABEL] * 50_000})
    parquet.write_table(table, path, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY", "b": "PLAIN"})
    assert _read(Parquet, path).equals(table)
    monkeypatch.setattr("synthwright.sources.parquet.LIMITS", LIMITS._replace(decoded_from=10_000_000))
    with pytest.raises(InputError, match="only a bomb has"):
        _read(Parquet, path)


def test_wide_values_of_one_width(tmp_path: Path) -> None:
    """Values of a fixed width count by it before they are read."""
    path = tmp_path / "x.parquet"
    column = pa.array([LABEL.encode()], pa.binary(1000)).take(pa.array(np.zeros(60_000, dtype=np.int32)))
    parquet.write_table(pa.table({f"c{i}": column for i in range(10)}), path)
    with pytest.raises(InputError, match="only a bomb has"):
        _read(Parquet, path)


@pytest.mark.parametrize("values", [[0.5], ["hello world"], [None]])
def test_constant_columns_are_read(tmp_path: Path, values: list[object]) -> None:
    """A million rows of fifteen constant columns are no bomb, and are read in a moment."""
    path = tmp_path / "x.parquet"
    column = pa.array(values).take(pa.array(np.zeros(1_000_000, dtype=np.int32)))
    parquet.write_table(pa.table({f"c{i}": column for i in range(15)}), path)
    begun = time.process_time()
    found = _read(Parquet, path)
    assert time.process_time() - begun < 5
    assert (found.shape, found.schema.types[0]) == ((1_000_000, 15), column.type)


def test_two_thousand_columns_are_read(tmp_path: Path) -> None:
    """A table of 2,000 columns, texts among them, is read in a moment and as it was."""
    rng = np.random.default_rng(0)
    texts = pa.array([f"value {i}" for i in rng.integers(0, 99, 1000)])
    table = pa.table({f"c{i}": texts if i % 2 else pa.array(rng.normal(size=1000)) for i in range(2000)})
    parquet.write_table(table, tmp_path / "x.parquet")
    begun = time.perf_counter()
    assert _read(Parquet, tmp_path / "x.parquet").equals(table)
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([_labels(600_000)]),
        pa.chunked_array([pa.nulls(200_000_000)]),
    ],
    ids=["labels", "nulls"],
)
def test_arrow_that_shares_its_values(tmp_path: Path, column: pa.ChunkedArray) -> None:
    """Labels and nulls that name more values than a file of that size holds are refused."""
    table = pa.table({"a": column})
    with ipc.new_file(tmp_path / "x.arrow", table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    assert (tmp_path / "x.arrow").stat().st_size < 500_000

    def refused() -> None:
        with pytest.raises(InputError, match="only a bomb has"):
            _read(Arrow, tmp_path / "x.arrow")

    assert _peak(refused) < 200_000_000


@pytest.mark.parametrize("kind", [pa.string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_arrow_texts_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    """Texts, views and labels in a usual number come back as they were."""
    table = pa.table({"a": pa.array(["one", None, "a text of more than twelve bytes"]).cast(kind)})
    with ipc.new_file(tmp_path / "x.arrow", table.schema) as writer:
        writer.write_table(table)
    assert _read(Arrow, tmp_path / "x.arrow").equals(table)
