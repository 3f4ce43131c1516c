"""What Arrow forgets of pandas frames, and how made rows get it back.

Sparse and Arrow-backed types, columns of Python objects with their own sign for nothing, and labels that no row has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.learning.setting import RARE

_ARROW, _PYTHON = "arrow", "python"
_EXACT = 2.0**53
_LOOK = 1_000
_LABELS = (str, int, float)
_SCALARS = (np.integer, np.floating, np.bool_)


def forgotten(frame: Any) -> dict[str, Any]:
    """Return what Arrow forgets of the columns of a pandas frame, as JSON can hold it.

    A text: the name of a sparse type or of texts that Python holds, or that the column is backed by Arrow; a list: a
    category's labels, rare ones apart;
    a mapping: the type of what stands for no value among Python objects (`null`), and of what stands for one (`value`);
    of scalars of numpy their `dtype`, and where ints are mixed with floats which share of `whole` numbers are int.
    """
    found: dict[str, Any] = {}
    for i, (name, kind) in enumerate(zip(map(str, frame.columns), frame.dtypes, strict=True)):
        if str(kind).startswith("Sparse["):
            found[name] = str(kind)
        elif type(kind).__name__ == "ArrowDtype":
            found[name] = _ARROW
        elif getattr(kind, "storage", None) == _PYTHON:
            found[name] = f"{kind}[{_PYTHON}]"
        elif str(kind) == "object":
            found[name] = _objects(frame.iloc[:, i])
        elif str(kind) == "category" and all(isinstance(c, _LABELS) for c in kind.categories):
            counts = frame.iloc[:, i].value_counts()
            kept = [c for c in kind.categories if counts[c] == 0 or counts[c] >= RARE]
            found[name] = [c.item() if isinstance(c, np.generic) else c for c in kept]
    return found


def _objects(values: Any) -> dict[str, str | float]:
    gone = values[values.isna()].head(1)
    there = values[values.notna()].head(_LOOK)
    types = {type(v) for v in there}
    kinds = {t.__name__ for t in types}
    found: dict[str, str | float] = {
        "null": type(gone.iloc[0]).__name__ if len(gone) else "NoneType",
        "value": kinds.pop() if len(kinds) == 1 else "",
    }
    if len(types) == 1 and issubclass(kind := next(iter(types)), _SCALARS):
        found["dtype"] = np.dtype(kind).name
    elif len(types) > 1 and all(issubclass(t, (int, float, np.integer, np.floating)) for t in types - {bool}):
        whole = [isinstance(v, int | np.integer) for v in there if v == v // 1]
        ints, floats = sum(whole), len(whole) - sum(whole)
        found["whole"] = float(ints >= floats) if min(ints, floats) < RARE else ints / len(whole)
    return found


def alike(table: pa.Table, shape: pa.Schema) -> pa.Table:
    """Return made rows with the metadata that real ones had, without nulls and in runs where these were."""
    columns, fields = [], []
    for field, held in zip(table.schema, table.columns, strict=True):
        real = shape.field(field.name)
        plain = field.with_metadata(real.metadata).with_nullable(real.nullable or held.null_count > 0)
        runs = pa.types.is_run_end_encoded(real.type) and field.type == real.type.value_type
        columns.append(pc.run_end_encode(held, run_end_type=real.type.run_end_type) if runs else held)
        fields.append(plain.with_type(real.type) if runs else plain)
    return pa.table(columns, schema=pa.schema(fields, metadata=shape.metadata))


def as_pandas(table: pa.Table, kinds: Mapping[str, Any]) -> Any:
    """Return an Arrow table as a pandas frame with what `forgotten` found of another one.

    Args:
        table: made rows; its metadata says, as pandas wrote it, what the columns were.
        kinds: what Arrow forgot of them.
    """
    import pandas as pd

    names = [c for c in table.column_names if kinds.get(c) == _ARROW]
    plain = table.drop_columns(names)
    if names:
        plain = plain.replace_schema_metadata(_without(plain.schema.metadata or {}, names))
    made = plain.to_pandas() if plain.num_columns else pd.DataFrame(index=pd.RangeIndex(table.num_rows))
    if names:
        backed = {c: pd.Series(pd.arrays.ArrowExtensionArray(table.column(c)), index=made.index) for c in names}
        made = pd.concat([made, pd.DataFrame(backed)], axis=1)[table.column_names]
    for column, kind in kinds.items():
        if kind == _ARROW or column not in made.columns:
            continue
        if isinstance(kind, Mapping):
            made[column] = pd.Series(_as_objects(table.column(column), kind), index=made.index, dtype=object)
        elif isinstance(kind, list):
            more = [c for c in made[column].cat.categories if c not in kind]
            made[column] = made[column].cat.set_categories([*kind, *more])
        else:
            made[column] = made[column].astype(_named(kind))
    return made


def _named(kind: str) -> Any:
    """Return the type of pandas that a text of `forgotten` names."""
    import pandas as pd

    if kind.endswith(f"[{_PYTHON}]"):  # `string`, or `str`, whose sign for no value is NaN
        return pd.StringDtype(_PYTHON, na_value=np.nan if kind.startswith("str[") else pd.NA)
    plain, _, rest = kind.removeprefix("Sparse[").removesuffix("]").rpartition(", ")
    if plain == "bool":
        return pd.SparseDtype(bool, rest == "True")
    if rest == "nan" or np.dtype(plain).kind not in "iuf":  # filled with what stands for nothing
        return pd.SparseDtype(np.dtype(plain))
    return pd.SparseDtype(np.dtype(plain), np.dtype(plain).type(rest))


def _without(metadata: Mapping[bytes, bytes], names: list[str]) -> dict[bytes, bytes]:
    """Return the metadata that pandas wrote without some columns."""
    if b"pandas" not in metadata:
        return dict(metadata)
    said = json.loads(metadata[b"pandas"])
    said["columns"] = [c for c in said["columns"] if c["field_name"] not in names]
    return {**metadata, b"pandas": json.dumps(said).encode()}


def _as_objects(column: pa.ChunkedArray, kind: Mapping[str, Any]) -> np.ndarray:
    """Return values as the Python objects that they were, with what stood for no value."""
    import pandas as pd

    out = np.empty(len(column), dtype=object)
    if kind["value"] in ("Timestamp", "Timedelta"):  # pandas' own, of nanoseconds too
        out[:] = list(column.to_pandas())
    else:
        out[:] = column.to_pylist()
    gone = np.asarray(column.is_null().combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)
    if "dtype" in kind:
        out[~gone] = list(column.drop_null().to_numpy().astype(kind["dtype"]))
    elif isinstance(share := kind.get("whole"), float) and pa.types.is_floating(column.type):
        numbers = np.where(gone, np.nan, column.fill_null(0.0).to_numpy())
        whole = np.flatnonzero((numbers == np.rint(numbers)) & (np.abs(numbers) < _EXACT))
        whole = whole[np.diff(np.floor(np.arange(len(whole) + 1) * share)) > 0]  # spread evenly over the rows
        out[whole] = numbers[whole].astype(np.int64).tolist()
    out[gone] = {"float": np.nan, "NAType": pd.NA, "NaTType": pd.NaT}.get(kind["null"])
    return out
