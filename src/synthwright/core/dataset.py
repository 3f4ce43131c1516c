"""The one type that data has inside the house: a schema and one Arrow table per table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synthwright.core.door import admit_table, leave_table
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Schema, canonical

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

SHARD = 65_536
"""Rows of a shard; part of the identity of every run, because every shard has its own random streams."""


@dataclass(frozen=True)
class Dataset:
    """A schema and one Arrow table for each of its tables, every column in its canonical type.

    A table may lack columns of the schema: sampling is completion, and a start dataset holds only what is given. It may
    hold one column more, `#row` (see `core.schema.ROW`). Nothing changes a dataset in place.
    """

    schema: Schema
    tables: Mapping[str, pa.Table]

    @staticmethod
    def of(
        data: Any, schema: Schema | None = None, *, text: bool = False, typed: bool = False, name: str = "data"
    ) -> Dataset:
        """Bring data in through the door: every column is cast to its canonical type.

        Args:
            data: an Arrow table or anything that speaks the Arrow C stream (pandas, polars, DuckDB), or a mapping of
                table names to such.
            schema: what the data is; nothing: inferred.
            text: whether the cells were spelled as text in a file, where a few words mean null.
            typed: whether the file tells text from numbers (see `infer`).
            name: what a single table is called where the schema does not say.

        Raises:
            InputError: no columns, duplicate names, nested columns, or a cell that does not fit its field.
        """
        if isinstance(data, Dataset):
            return data if schema is None else Dataset.of(data.to_arrow_tables(), schema)
        named = dict(data) if isinstance(data, Mapping) else {schema.only if schema else name: data}
        arrow = {str(t): to_arrow(frame, str(t)) for t, frame in named.items()}
        if schema is None:
            from synthwright.core.infer import infer  # infer builds datasets itself

            schema = infer(arrow, text=text, typed=typed).schema
        missing = sorted(set(schema.tables) - set(arrow))
        if missing:
            raise InputError("schema", f"table {missing[0]!r}", wanted="a table in the data", got="none of that name")
        return Dataset(schema, {t: admit_table(arrow[t], t, table, text=text) for t, table in schema.tables.items()})

    @staticmethod
    def blank(schema: Schema, rows: Mapping[str, int], first: Mapping[str, int] | None = None) -> Dataset:
        """Return tables that hold nothing but row numbers, counted from `first` (0): the start from scratch."""
        first = first or {}
        numbers = {t: np.arange(first.get(t, 0), first.get(t, 0) + rows.get(t, 0)) for t in schema.tables}
        return Dataset(schema, {t: pa.table({ROW: pa.array(n, pa.int64())}) for t, n in numbers.items()})

    @staticmethod
    def empty(schema: Schema) -> Dataset:
        """Return tables with every column and no row."""
        return Dataset(schema, {
            t: pa.table({c: pa.array([], canonical(f)) for c, f in table.fields.items()})
            for t, table in schema.tables.items()
        })  # fmt: skip

    def rows(self, table: str | None = None) -> int:
        """Return the number of rows of a table, or of all together."""
        if table is not None:
            return self.tables[table].num_rows
        return sum(t.num_rows for t in self.tables.values())

    def has(self, column: str) -> bool:
        """Return whether the data holds the column `table.column`."""
        try:
            table, name = self.schema.split(column)
        except KeyError:
            return False
        return table in self.tables and name in self.tables[table].column_names

    def column(self, column: str) -> pa.ChunkedArray:
        """Return the column that `table.column` names; a KeyError if it is absent."""
        table, name = self.schema.split(column)
        return self.tables[table].column(name)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of the fields that are present in a table, in the schema's order."""
        present = set(self.tables[table].column_names)
        return tuple(c for c in self.schema.tables[table].fields if c in present)

    def row_numbers(self, table: str) -> np.ndarray:
        """Return each row's number: the `#row` column, or 0, 1, 2, … where there is none."""
        held = self.tables[table]
        if ROW in held.column_names:
            return held.column(ROW).to_numpy()
        return np.arange(held.num_rows, dtype=np.int64)

    def with_columns(self, table: str, columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> Dataset:
        """Return the data with these columns added or replaced, in the schema's order, row numbers last."""
        held = self.tables[table]
        every = {c: held.column(c) for c in held.column_names} | dict(columns)
        unknown = [c for c in columns if c not in self.schema.tables[table].fields and c != ROW]
        if unknown:
            raise KeyError(f"{table}.{unknown[0]}")
        names = [c for c in (*self.schema.tables[table].fields, ROW) if c in every]
        return Dataset(self.schema, {**self.tables, table: pa.table({c: every[c] for c in names})})

    def select(self, table: str, names: list[str] | tuple[str, ...]) -> Dataset:
        """Return the data with only these columns of a table, and its row numbers."""
        held = self.tables[table]
        keep = [c for c in held.column_names if c in set(names) or c == ROW]
        if not keep:  # an Arrow table without columns would forget how many rows it has
            return Dataset(self.schema, {**self.tables, table: pa.table({ROW: pa.array(self.row_numbers(table))})})
        return Dataset(self.schema, {**self.tables, table: held.select(keep)})

    def filter(self, table: str, keep: np.ndarray) -> Dataset:
        """Return the data with only those rows of a table where `keep` (booleans, one per row) is true."""
        if keep.all():
            return self
        return Dataset(self.schema, {**self.tables, table: self.tables[table].filter(pa.array(keep))})

    def take(self, table: str, rows: np.ndarray) -> Dataset:
        """Return the data with these rows of a table, by position, in this order."""
        return Dataset(self.schema, {**self.tables, table: self.tables[table].take(pa.array(rows))})

    def shards(self, size: int = SHARD) -> Iterator[Dataset]:
        """Yield the data in pieces of at most `size` rows of every table; at least one piece."""
        pieces = max(1, *(-(-t.num_rows // size) for t in self.tables.values()))
        for i in range(pieces):
            yield Dataset(self.schema, {n: t.slice(i * size, size) for n, t in self.tables.items()})

    def joined(self, *others: Dataset) -> Dataset:
        """Return the rows of this and then of the others, table by table."""
        every = (self, *others)
        return Dataset(self.schema, {t: pa.concat_tables([d.tables[t] for d in every]) for t in self.tables})

    def fingerprint(self) -> str:
        """Return the identity of schema and values; how the values are chunked does not count."""
        digest = hashlib.sha256(self.schema.fingerprint().encode())
        for name, table in self.tables.items():
            digest.update(f"{name}:{table.num_rows}".encode())
            sink = pa.BufferOutputStream()
            whole = table.combine_chunks()
            with pa.ipc.new_stream(sink, whole.schema.remove_metadata()) as stream:
                stream.write_table(whole.replace_schema_metadata(None))
            digest.update(sink.getvalue())
        return digest.hexdigest()[:32]

    def to_arrow_tables(self) -> dict[str, pa.Table]:
        """Return the tables as they look outside: types, spellings and order of columns; no row numbers."""
        return {t: leave_table(held, t, self.schema.tables[t]) for t, held in self.tables.items()}

    def to_arrow(self, table: str | None = None) -> pa.Table:
        """Return one table (the only one, unless named) as it looks outside."""
        name = table or self.schema.only
        return leave_table(self.tables[name], name, self.schema.tables[name])

    def to_pandas(self, table: str | None = None) -> pd.DataFrame:
        """Return one table as a pandas frame; whole numbers with nulls as pandas' own integers with nulls."""
        import pandas as pd

        held = self.to_arrow(table)
        plain = [pa.field(f.name, pa.time64("us") if f.type == pa.time64("ns") else f.type) for f in held.schema]
        frame = held.cast(pa.schema(plain), safe=False).to_pandas()  # Python's times of day count microseconds
        for name in held.column_names:
            column = held.column(name)
            if column.null_count and pa.types.is_integer(column.type):  # floats would forget digits
                whole = pd.api.types.pandas_dtype(str(column.type).replace("int", "Int").replace("uI", "UI"))
                frame[name] = pd.array(column.to_pylist(), dtype=whole)
        return frame

    def to_polars(self, table: str | None = None) -> pl.DataFrame:
        """Return one table as a polars frame; types that polars does not have as the nearest that it has."""
        import polars as pl

        held = self.to_arrow(table)
        kinds = [pa.field(f.name, _known_to_polars(f.type)) for f in held.schema]
        frame = pl.from_arrow(held.cast(pa.schema(kinds)))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101  from_arrow of a table is a frame
        return frame

    def _repr_html_(self) -> str:
        from html import escape

        lines = [f"<li>{escape(t)}: {held.num_rows:,} rows × {len(self.columns(t))} columns</li>"
                 for t, held in self.tables.items()]  # fmt: skip
        return f"<b>Dataset</b><ul>{''.join(lines)}</ul>"


def to_arrow(frame: Any, name: str) -> pa.Table:
    """Return a frame of any library as an Arrow table; an InputError for what is no frame.

    Column names become text; a name that occurs twice is refused.
    """
    if isinstance(frame, pa.RecordBatch):
        frame = pa.Table.from_batches([frame])
    if not isinstance(frame, pa.Table):
        frame = _foreign(frame, name)
    names = [str(c) for c in frame.column_names]
    twice = sorted({c for c in names if names.count(c) > 1}) if len(set(names)) != len(names) else []
    if twice:
        where = [i + 1 for i, c in enumerate(names) if c == twice[0]]
        raise InputError(name, f"column name {twice[0]!r}", wanted="unique column names", got=f"it at columns {where}",
                         remedy="rename one of them")  # fmt: skip
    if not names:
        raise InputError(name, "the table", wanted="at least one column", got="none")
    if names == frame.column_names:
        return frame  # renaming would drop the metadata by which pandas finds its types again
    return frame.rename_columns(names)


def _foreign(frame: Any, name: str) -> pa.Table:
    columns = getattr(frame, "columns", None)
    if columns is not None and type(frame).__module__.startswith("pandas"):
        duplicated = [str(c) for c in columns[columns.duplicated()]]
        if duplicated:
            raise InputError(name, f"column name {duplicated[0]!r}", wanted="unique column names", got="it twice",
                             remedy="rename one of them")  # fmt: skip
        return _from_pandas(frame, name)
    if hasattr(frame, "__arrow_c_stream__"):
        return _from_stream(frame, name)
    raise InputError(name, "the data", wanted="a frame (pandas, polars, Arrow) or a mapping of table names to frames",
                     got=f"a {type(frame).__name__}", remedy="read files with sw.read(path)")  # fmt: skip


def _known_to_polars(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_timestamp(kind) and kind.tz and kind.tz[0] in "+-":  # zones are names there
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_decimal256(kind):
        return pa.decimal128(38, kind.scale) if kind.scale <= 38 else pa.float64()
    return kind


def _from_stream(frame: Any, name: str) -> pa.Table:
    objects = (
        [c for c, kind in getattr(frame, "schema", {}).items() if str(kind) == "Object"]
        if type(frame).__module__.startswith("polars")
        else []
    )  # fmt: skip  polars exports addresses for these
    try:
        if not objects:
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        objects = [
            c for c, kind in getattr(frame, "schema", {}).items() if str(kind) in ("Int128", "UInt128", "Unknown")
        ]
    thing = f"column {objects[0]!r}" if objects else "the frame"
    raise InputError(name, thing, wanted="values that Arrow can hold", got="a type it does not know",
                     remedy="convert the column to numbers or text, or leave it out")  # fmt: skip


def _unsigned(frame: Any) -> Any:
    """Return a pandas frame with Python's own whole numbers as unsigned ones, where 63 bits do not hold them."""
    import pandas as pd

    found = {}
    for name, kind in frame.dtypes.items():
        if str(kind) != "object":
            continue
        values = frame[name]
        there = values[values.notna()]
        whole = pd.api.types.infer_dtype(there, skipna=False) == "integer"
        if whole and len(there) and 2**63 <= there.max() < 2**64 and there.min() >= 0:
            found[name] = values.astype("UInt64" if len(there) < len(values) else "uint64")
    return frame.assign(**found) if found and all(isinstance(n, str) for n in found) else frame


def _from_pandas(frame: Any, name: str) -> pa.Table:
    sparse = {c: t.subtype for c, t in frame.dtypes.items() if type(t).__name__ == "SparseDtype"}
    frame = frame.astype(sparse) if sparse else frame
    for large in (False, True):
        try:
            return pa.Table.from_pandas(_unsigned(frame) if large else frame, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue  # name the column that is at fault: Arrow's own message repeats values
    for i, column in enumerate(frame.columns):
        try:
            pa.Table.from_pandas(frame.iloc[:, [i]], preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            kinds = sorted({type(v).__name__ for v in frame.iloc[:, i].head(1000)})
            raise InputError(name, f"column {str(column)!r}", wanted="values of one type",
                             got=f"values that Arrow cannot hold together ({', '.join(kinds[:5])})",
                             remedy="convert the column to one type, or leave it out") from None  # fmt: skip
    raise InputError(name, "the frame", wanted="columns that Arrow can hold", got="a frame that Arrow refuses")
