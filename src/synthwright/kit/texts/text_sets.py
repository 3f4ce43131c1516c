"""Texts of evaluation sets: files of the project folder, read by the sources of the house."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Source
from synthwright.core.errors import InputError
from synthwright.core.registry import find, names
from synthwright.kit.files import Unpacked, split_name

LINES = ".txt"
"""The ending of files that hold a text in each line."""


def texts_of(path: str, columns: Sequence[str], ctx: Context) -> Iterator[pa.ChunkedArray]:
    """Yield the columns of text of a file or folder.

    Args:
        path: relative to the project folder.
        columns: their names; nothing: all.
        ctx: says which paths may be read.

    Raises:
        InputError: nothing is there that can be read, or none of the columns.
        PathError: it leaves the project folder.
    """
    where = ctx.open_path(path)
    if where.is_file() and split_name(where)[1] == LINES:
        yield _lines(where)
        return
    tables = source_of(path, where).tables(ctx)
    found, seen = 0, list[str]()
    for held in tables.values():
        for name in held.column_names:
            column = held.column(name)
            if not _is_text(column.type):
                continue
            seen.append(name)
            if not columns or name in columns:
                found += 1
                yield column.cast(pa.large_string())
    if not found:
        near = get_close_matches(columns[0], seen, n=1) if columns else []
        raise InputError(path, "the evaluation set", wanted=f"a column of text {', '.join(map(repr, columns))}".strip(),
                         got=f"columns of text {', '.join(seen[:8]) or 'none'}",
                         remedy=f"did you mean {near[0]!r}?" if near else "")  # fmt: skip


def source_of(path: str, where: Path, what: str = "the evaluation set") -> Source:
    """Return the source that reads a file, or the files of a folder, told by their endings; `what` says what it is."""
    ends = {split_name(p)[1] for p in (where.iterdir() if where.is_dir() else (where,))}
    for name in names("sources"):
        kind = find("sources", name)
        if issubclass(kind, Source) and ends & set(kind.suffixes):
            return kind.model_validate({"path": path})
    raise InputError(path, what, wanted="CSV, JSON Lines, Parquet or text files",
                     got="a file of another kind" if where.exists() else "nothing there")  # fmt: skip


def _lines(path: Path) -> pa.ChunkedArray:
    with Unpacked(path) as stream:
        held = stream.read()
    try:
        said = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(path.name, "the evaluation set", wanted="text in UTF-8", got="bytes that are none") from None
    return pa.chunked_array([pa.array(said.splitlines(), pa.large_string())])


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner))
