"""Some rows of a column, and the values that stand beside keys: they cost as much as the rows that are wanted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def flat(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array."""
    if isinstance(values, pa.Array):
        return values
    if values.num_chunks == 1:
        return values.chunk(0)
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)


def picked(values: pa.ChunkedArray, rows: np.ndarray) -> pa.Array:
    """Return some rows of a column, chunk by chunk: it is not put together first."""
    if values.num_chunks <= 1:
        return flat(values).take(pa.array(rows))
    begins = np.cumsum([0, *(len(c) for c in values.chunks)])
    which = np.searchsorted(begins, rows, side="right") - 1
    order = np.argsort(which, kind="stable")
    ends = np.searchsorted(which[order], np.arange(values.num_chunks + 1))
    found = [chunk.take(pa.array(rows[order[low:high]] - begin)) for chunk, begin, (low, high) in
             zip(values.chunks, begins[:-1], pairwise(ends), strict=True) if high > low]  # fmt: skip
    back = np.empty(len(rows), dtype=np.int64)
    back[order] = np.arange(len(rows))
    return pa.concat_arrays(found).take(pa.array(back)) if found else pa.array([], values.type)


def gathered(keys: pa.ChunkedArray, values: pa.ChunkedArray, wanted: pa.Array) -> pa.Array:
    """Return the values that stand beside keys; null where there is no such key.

    Args:
        keys: of all rows of a table; it is faster where they are whole numbers that rise.
        values: of the same rows.
        wanted: a few keys.
    """
    coded = (wanted if wanted.type == keys.type else wanted.cast(keys.type)).dictionary_encode()
    place = _places(keys, coded.dictionary)
    there = place >= 0
    at = np.where(there, np.cumsum(there) - 1, -1)
    codes = pc.fill_null(coded.indices, -1).to_numpy()
    index = np.where(codes < 0, -1, np.append(at, -1)[codes])
    return picked(values, place[there]).take(pa.array(index, mask=index < 0))


def _places(keys: pa.ChunkedArray, wanted: pa.Array) -> np.ndarray:
    """Return where each of a few different keys stands at first; -1: nowhere."""
    place = np.full(len(wanted), -1, dtype=np.int64)
    begin = 0
    for chunk in keys.chunks if len(wanted) else ():
        found = _within(chunk, wanted)
        place = np.where((place < 0) & (found >= 0), found + begin, place)
        begin += len(chunk)
    return place


def _within(keys: pa.Array, wanted: pa.Array) -> np.ndarray:
    if pa.types.is_integer(keys.type) and not keys.null_count and len(keys):
        held, sought = keys.to_numpy(), wanted.to_numpy()
        if (held[1:] > held[:-1]).all():
            at = np.minimum(np.searchsorted(held, sought), len(held) - 1)
            return np.where(held[at] == sought, at, -1)
    codes = pc.fill_null(pc.index_in(keys, value_set=wanted), -1).to_numpy()
    rows = np.flatnonzero(codes >= 0)[::-1]  # of several, the first one is written last
    found = np.full(len(wanted), -1, dtype=np.int64)
    found[codes[rows]] = rows
    return found
