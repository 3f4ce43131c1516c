"""Rows and values as 64-bit numbers that are equal where the values are equal.

The numbers depend on the values alone: not on the process, the machine, how a column is chunked, or the codes of a
dictionary. They are for comparing rows, not for hiding them: never write them where real rows may not go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0x6A09E667F3BCC909)
_BLOCK = 4_000_000
"""Bytes of text mixed at once: bounds the memory that long texts take."""


def mix(words: np.ndarray) -> np.ndarray:
    """Return 64-bit words that look random and are equal only where `words` (uint64) are: the end of splitmix64.

    Reference: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    out = words + _GOLDEN
    out = (out ^ (out >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    out = (out ^ (out >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = out ^ (out >> np.uint64(31))
    return mixed


def row_hashes(held: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Return one uint64 per row that is equal for two rows where all of `columns` are equal, in this order.

    Nulls and NaN are one value, as are 0.0 and -0.0. Compare only columns of the same canonical type. Two different
    rows of a million agree by accident once in ten million tables.
    """
    out = np.zeros(held.num_rows, dtype=np.uint64)
    for name in columns:
        out = mix(out * np.uint64(3) + value_hashes(held.column(name)))
    return out


def value_hashes(column: Column) -> np.ndarray:
    """Return one uint64 per value that is equal where values are; nulls and NaN are one value.

    Raises:
        TypeError: a nested column.
    """
    whole = _whole(column)
    kind = whole.type
    if pa.types.is_dictionary(kind):
        return _taken(value_hashes(whole.dictionary), whole.indices)
    if pa.types.is_null(kind):
        return np.full(len(whole), _MISSING, dtype=np.uint64)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or _is_binary(kind):
        coded = whole.cast(pa.large_binary()).dictionary_encode()
        return _taken(_text(coded.dictionary), coded.indices)
    if pa.types.is_decimal(kind):
        hashes = _wide(whole)
    else:
        hashes = mix(_words(whole))
    missing = whole.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    return np.where(missing, _MISSING, hashes)


def in_set(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return booleans: which of `hashes` occur in `known`."""
    return np.isin(hashes, known)


class Known:
    """The values of a column, to tell which values of others are among them. Nulls are a value."""

    def __init__(self, column: Column) -> None:
        whole = _whole(column)
        self._whole_numbers = _plain(whole)
        found = _numbers(whole) if self._whole_numbers else value_hashes(whole)
        self._held = found if rising(found) else np.unique(found)

    def has(self, column: Column) -> np.ndarray:
        """Return booleans: which values of a column of the same type occur."""
        whole = _whole(column)
        if not self._whole_numbers:
            return np.isin(value_hashes(whole), self._held)
        if _plain(whole):
            return np.isin(_numbers(whole), self._held)
        if not pa.types.is_integer(whole.type):
            return np.zeros(len(whole), dtype=bool)
        missing = whole.is_null().to_numpy(zero_copy_only=False)
        filled = pc.fill_null(whole, 0)
        return ~missing & (np.isin(_numbers(filled), self._held) if _plain(filled) else False)


def all_differ(column: Column) -> bool:
    """Return whether it shows at once that no two values are equal: whole numbers or dates that only rise."""
    whole = _whole(column)
    if whole.null_count or not (pa.types.is_integer(whole.type) or pa.types.is_temporal(whole.type)):
        return False
    return rising(whole.view(f"int{whole.type.bit_width}").to_numpy()) if whole.type != pa.uint64() else False


def rising(values: np.ndarray) -> bool:
    """Return whether every value is above the one before it."""
    return bool((values[1:] > values[:-1]).all())


def again(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return booleans: which rows have a hash that a row before them has, by `order` (ties: by position)."""
    ordered = np.sort(hashes)
    if not (ordered[1:] == ordered[:-1]).any():
        return np.zeros(len(hashes), dtype=bool)
    return rank_in_group(hashes, order) > 0


def _plain(whole: pa.Array) -> bool:
    """Return whether an array holds whole numbers that fit 64 bits with a sign, and no nulls."""
    return bool(pa.types.is_integer(whole.type) and whole.type != pa.uint64() and not whole.null_count)


def _numbers(whole: pa.Array) -> np.ndarray:
    return np.asarray(whole.cast(pa.int64()).to_numpy())


def rank_in_group(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return for each row how many rows with the same hash come before it by `order` (ties: by position)."""
    position = np.lexsort((order, hashes))
    grouped = hashes[position]
    starts = np.ones(len(grouped), dtype=bool)
    starts[1:] = grouped[1:] != grouped[:-1]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(grouped)), 0))
    out = np.empty(len(grouped), dtype=np.int64)
    out[position] = np.arange(len(grouped)) - first
    return out


def _whole(column: Column) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # combine_chunks may give either
            column = pa.concat_arrays(column.unify_dictionaries().chunks) if column.num_chunks else \
                pa.array([], column.type)  # fmt: skip
    return column


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
                or pa.types.is_binary_view(kind))  # fmt: skip


def _taken(hashes: np.ndarray, indices: pa.Array) -> np.ndarray:
    codes = pc.fill_null(indices.cast(pa.int64()), len(hashes)).to_numpy(zero_copy_only=False)
    taken: np.ndarray = np.append(hashes, _MISSING)[codes]
    return taken


def _words(whole: pa.Array) -> np.ndarray:
    """Return the bits of fixed-width values as uint64; what nulls hold does not matter."""
    kind = whole.type
    if pa.types.is_floating(kind):
        values = pc.fill_null(whole.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)
        return np.asarray(values + 0.0).view(np.uint64)  # adding 0.0 turns -0.0 into 0.0
    if pa.types.is_temporal(kind):
        narrow = kind in (pa.date32(), pa.time32("s"), pa.time32("ms"))
        whole = whole.cast(pa.int32() if narrow else pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise TypeError(f"values of a column of type {kind} cannot be compared: wanted a column that is not nested")
    wide = whole.cast(pa.uint64() if whole.type == pa.uint64() else pa.int64())
    return np.asarray(pc.fill_null(wide, 0).to_numpy(zero_copy_only=False)).view(np.uint64)


def _wide(whole: pa.Array) -> np.ndarray:
    kind = whole.type
    if not isinstance(kind, pa.Decimal128Type | pa.Decimal256Type):
        whole = whole.cast(pa.decimal128(38, kind.scale))
        kind = whole.type
    count = kind.bit_width // 64
    held = np.frombuffer(whole.buffers()[1] or b"", dtype="<u8")
    words = held[whole.offset * count : (whole.offset + len(whole)) * count].reshape(-1, count).astype(np.uint64)
    sign = (words[:, -1] >> np.uint64(63)) * np.uint64(0xFFFFFFFFFFFFFFFF)
    out = np.zeros(len(whole), dtype=np.uint64)
    for i in range(4):  # as if 256 bits wide, so that both widths agree
        out = mix(out * np.uint64(3) + (words[:, i] if i < count else sign))
    return out


def _text(values: pa.Array) -> np.ndarray:
    """Hash distinct large_binary values: the sum, over a value's bytes, of a random word for (position, byte)."""
    count = len(values)
    offsets = np.frombuffer(values.buffers()[1] or b"", dtype=np.int64)[values.offset : values.offset + count + 1]
    held = np.frombuffer(values.buffers()[2] or b"", dtype=np.uint8)
    lengths = np.diff(offsets) if count else np.zeros(0, dtype=np.int64)
    out = np.zeros(count, dtype=np.uint64)
    begin = 0
    while begin < count:
        end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + _BLOCK, side="right")) - 1)
        out[begin:end] = _sums(held[offsets[begin] : offsets[end]], lengths[begin:end])
        begin = end
    return mix(mix(lengths.astype(np.uint64)) ^ out)


def _sums(held: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    starts = np.cumsum(lengths) - lengths
    position = np.arange(len(held)) - np.repeat(starts, lengths)
    random = mix((position.astype(np.uint64) << np.uint64(8)) | held.astype(np.uint64))
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(random, dtype=np.uint64)])
    sums: np.ndarray = total[starts + lengths] - total[starts]
    return sums
