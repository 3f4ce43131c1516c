"""UUIDs that no two rows share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.entities.identifiers import Timed, milliseconds, octets, own_numbers, own_words, uuids
from synthwright.kit.ruled import Ask, Column


class Uuid(Timed):
    """Gives every row a UUID of its own (RFC 9562), of version 4 or, with an instant in front, of version 7.

    64 of its bits are a keyed permutation of the row's number, so that no two rows of a run share one; the others are
    drawn. Columns of bytes get the 16 bytes, keys that are whole numbers a number of 62 bits.
    """

    name: ClassVar[str] = "uuid"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.KEY, Kind.TEXT, Kind.BYTES}), given="declared", learns=False
    )

    ordered: bool = False
    """Whether it begins with an instant, so that it sorts by time: version 7. Without, it is of version 4."""
    at: str | None = Setting(default=None, examples=["a"])
    """The column of dates or instants that it begins with, or the path to one: version 7. Where that has no value, the
    instant is 1970."""
    since: str = Setting(default="2024-01-01T00:00:00", examples=["2020-01-01"])
    """With `ordered` and without `at`: the instant of the first row; each later row is a millisecond later."""

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {c: self._drawn(ask, c, ask.field(c)) for c in ask.produce}

    def _drawn(self, ask: Ask, column: str, field: Field) -> Column:
        if field.kind is Kind.KEY and canonical(field) != pa.large_string():
            return own_numbers(ask, column)
        own, rng = own_words(ask, column), ask.ctx.at(column).rng
        more = rng.integers(0, 2**64, ask.rows, dtype=np.uint64)
        if (
            not self.ordered and self.at is None
        ):  # version 4: 60 and 4 bits of its own around the version, 58 drawn ones
            high = (own & np.uint64(0xFFFF_FFFF_FFFF_0FFF)) | np.uint64(0x4000)
            rest = (((own >> np.uint64(12)) & np.uint64(15)) << np.uint64(58)) | (more & np.uint64(2**58 - 1))
        else:  # version 7: 12 and 52 bits of its own, 10 drawn ones
            time = milliseconds(ask, self.at, self.since)
            high = (time << np.uint64(16)) | np.uint64(0x7000) | (own & np.uint64(0xFFF))
            rest = ((own >> np.uint64(12)) << np.uint64(10)) | (more & np.uint64(1023))
        low = rest | np.uint64(2**63)
        return octets(high, low) if field.kind is Kind.BYTES else uuids(high, low)
