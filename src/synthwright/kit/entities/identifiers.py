"""What identifiers are made of: bits that no two rows share, instants, and how both are spelled at speed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Place
from synthwright.core.schema import Field, Kind, Schema
from synthwright.core.values import numbers
from synthwright.kit.formula.stated import fixed, is_moment, no_moment
from synthwright.kit.ruled import Ask, Ruled
from synthwright.kit.sampling.dice import permuted, secret

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits of base 32 as Crockford has them: no I, L, O, U."""
_LAST = 2**48 - 1
"""The last millisecond that an identifier can tell: in the year 10889."""


def fixed_texts(points: np.ndarray) -> pa.Array:
    """Return a matrix of ASCII bytes, one row for each text, as texts; the bytes are not copied."""
    rows, width = points.shape
    ends = np.arange(0, rows * width + 1, width, dtype=np.int64) if width else np.zeros(rows + 1, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(points)))


def own_words(ask: Ask, column: str) -> np.ndarray:
    """Return 64 bits for each row that no other row of the run has: a keyed permutation of the row numbers."""
    return ask.dice("identifier", column).words()


def own_numbers(ask: Ask, column: str) -> np.ndarray:
    """Return a whole number of at most 62 bits for each row that no other row of the run has."""
    return permuted(ask.numbers, 2**62, secret("identifier", ask.ctx.seed, ask.table, column))


def milliseconds(ask: Ask, at: str | None, since: str) -> np.ndarray:
    """Return the milliseconds since 1970 that identifiers tell.

    Args:
        ask: the rows.
        at: the column or path of dates or instants; where it has no value, 0.
        since: without a column: the instant of row 0; each later row is a millisecond later.
    """
    if at is None:
        begin = fixed(since, Field(kind=Kind.DATETIME, type="timestamp[us, tz=UTC]"))
        found = np.int64(round((begin or 0.0) * 86_400_000)) + ask.numbers
    else:
        held = ask.column(at)
        kind = held.type
        per_day = 1 if pa.types.is_date(kind) else 86_400 * (10**9 if kind.unit == "ns" else 10**6)
        counted = np.nan_to_num(numbers(held)).astype(np.int64)
        found = counted // (per_day // 86_400_000) if per_day > 1 else counted * 86_400_000
    return np.clip(found, 0, _LAST).astype(np.uint64)


@cache
def _hexadecimal() -> np.ndarray:
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    values = np.arange(65_536)
    said = np.stack([digits[(values >> shift) & 15] for shift in (12, 8, 4, 0)], axis=1)
    return np.ascontiguousarray(said).view(np.uint32).ravel()


@cache
def _pairs() -> np.ndarray:
    digits = np.frombuffer(BASE32.encode(), dtype=np.uint8)
    values = np.arange(1024)
    return np.ascontiguousarray(np.stack([digits[values >> 5], digits[values & 31]], axis=1)).view(np.uint16).ravel()


def uuids(high: np.ndarray, low: np.ndarray) -> pa.Array:
    """Return pairs of 64 bits as the 36 characters of UUIDs."""
    starts = (0, 4, 9, 14, 19, 24, 28, 32)
    layout = np.dtype({"names": [f"f{i}" for i in starts], "formats": ["u4"] * 8, "offsets": list(starts),
                       "itemsize": 36})  # fmt: skip
    said = np.empty(len(high), dtype=layout)
    groups = ((word >> np.uint64(shift)) & np.uint64(0xFFFF) for word in (high, low) for shift in (48, 32, 16, 0))
    for start, group in zip(starts, groups, strict=True):
        said[f"f{start}"] = _hexadecimal().take(group.astype(np.intp))
    points = said.view(np.uint8).reshape(len(high), 36)
    points[:, [8, 13, 18, 23]] = ord("-")
    return fixed_texts(points)


def ulids(time: np.ndarray, first: np.ndarray, second: np.ndarray) -> pa.Array:
    """Return 48 bits of time, 64 and 16 bits of chance as the 26 characters of ULIDs."""
    ten = np.uint64(1023)
    joint = ((first & np.uint64(15)) << np.uint64(6)) | ((second >> np.uint64(10)) & np.uint64(63))
    groups = [(time >> np.uint64(shift)) & ten for shift in (40, 30, 20, 10, 0)]
    groups += [(first >> np.uint64(shift)) & ten for shift in (54, 44, 34, 24, 14, 4)]
    groups += [joint, second & ten]
    said = np.empty((len(time), 13), dtype=np.uint16)
    for i, group in enumerate(groups):
        said[:, i] = _pairs().take(group.astype(np.intp))
    return fixed_texts(said.view(np.uint8).reshape(len(time), 26))


def octets(high: np.ndarray, low: np.ndarray) -> pa.Array:
    """Return pairs of 64 bits as 16 bytes each, the highest first."""
    said = np.stack([high, low], axis=1).astype(">u8")
    ends = np.arange(0, 16 * len(high) + 1, 16, dtype=np.int64)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(high),
                                            [None, pa.py_buffer(ends), pa.py_buffer(said)])  # fmt: skip


class Timed(Ruled):
    """Identifiers that tell an instant: of a column, or later with each row."""

    at: str | None = Setting(default=None, examples=["a"])
    """The column of dates or instants that is told, or the path to one."""
    since: str = Setting(default="2024-01-01T00:00:00", examples=["2020-01-01"])
    """Without `at`: the instant of the first row; each row is a millisecond later than the one before."""

    @field_validator("since")
    @classmethod
    def _an_instant(cls, said: str) -> str:
        if not is_moment(said):
            raise ValueError("wanted a date or an instant, such as 2024-01-01T00:00:00")
        return said

    def paths(self) -> Sequence[str]:
        return () if self.at is None else (self.at,)

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # the path is told with its place
        if self.at is not None:
            found += [(("at",), said) for said in no_moment(self.at, schema, table, produce)]
        return found
