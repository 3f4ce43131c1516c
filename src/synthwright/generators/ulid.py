"""ULIDs: identifiers that sort by time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.entities.identifiers import Timed, milliseconds, octets, own_numbers, own_words, ulids
from synthwright.kit.ruled import Ask, Column


class Ulid(Timed):
    """Gives every row a ULID of its own: 48 bits of time and 80 of chance, as 26 characters that sort by time.

    64 of its bits are a keyed permutation of the row's number, so that no two rows of a run share one; 16 are drawn.
    Columns of bytes get the 16 bytes, keys that are whole numbers a number of 62 bits.
    """

    name: ClassVar[str] = "ulid"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.KEY, Kind.TEXT, Kind.BYTES}), given="declared", learns=False
    )

    at: str | None = Setting(default=None, examples=["a"])
    """The column of dates or instants that is told, or the path to one. Where it has no value, 1970 is told."""
    since: str = Setting(default="2024-01-01T00:00:00", examples=["2020-01-01"])
    """Without `at`: the instant of the first row; each row is a millisecond later than the one before."""

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        time = milliseconds(ask, self.at, self.since)
        return {c: self._drawn(ask, c, ask.field(c), time) for c in ask.produce}

    def _drawn(self, ask: Ask, column: str, field: Field, time: np.ndarray) -> Column:
        if field.kind is Kind.KEY and canonical(field) != pa.large_string():
            return own_numbers(ask, column)
        own, rng = own_words(ask, column), ask.ctx.at(column).rng
        more = rng.integers(0, 2**16, ask.rows, dtype=np.uint16).astype(np.uint64)
        if field.kind is Kind.BYTES:
            return octets((time << np.uint64(16)) | (own >> np.uint64(48)), (own << np.uint64(16)) | more)
        return ulids(time, own, more)
