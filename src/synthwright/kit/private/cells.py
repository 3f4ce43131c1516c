"""Columns as cells that do not depend on any row: bins along a line, labels of a list, and a cell for no value.

Cells are numbered: those with values, then (for labels) one for all other labels, then one for no value where there
may be none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import Column
from synthwright.kit.coding.rulers import Ruler, ruler_for, tidy


@dataclass(frozen=True)
class Bins:
    """An ordered column: bins along its ruler. The first and the last are open: what is beyond them counts there."""

    field: Field
    low: np.ndarray
    """float64: the position at which each bin begins."""
    high: np.ndarray
    """float64: the last position in each, or where it ends if there is no lattice."""

    @property
    def ruler(self) -> Ruler:
        """How values become positions: by the field alone."""
        return ruler_of(self.field)

    @property
    def filled(self) -> int:
        """How many cells have values that can be made."""
        return len(self.low)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.low) + self.field.nulls

    def encode(self, column: Column) -> np.ndarray:
        """Return the cell of every row."""
        at, missing = positions(self.ruler, column)
        return np.where(missing, self.size - 1 if self.field.nulls else 0, found(self.low, self.high, at))

    def decode(self, cells: np.ndarray, within: np.ndarray) -> pa.Array:
        """Return a value for every cell, drawn evenly from the bin; `within` (0 to 1) says where in it."""
        bins = np.minimum(cells, self.filled - 1)
        low, wide = self.low[bins], self.high[bins] - self.low[bins]
        stepped = self.ruler.stepped
        at = low + (np.minimum(np.floor(within * (wide + 1)), wide) if stepped else within * wide)
        values = self.ruler.values(at)
        return pc.if_else(pa.array(cells < self.filled), values, pa.scalar(None, values.type))

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        return {"field": self.field.model_dump(mode="json", exclude_defaults=True)}, {"low": self.low,
                                                                                      "high": self.high}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """A column of labels: a cell for each that is known, and one for all others."""

    field: Field
    labels: tuple[str | bool, ...]

    @property
    def filled(self) -> int:
        """How many cells have values that can be made."""
        return len(self.labels)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.labels) + (self.field.kind is not Kind.BOOLEAN) + self.field.nulls

    def encode(self, column: Column) -> np.ndarray:
        """Return the cell of every row."""
        whole = tidy(column).dictionary_encode()
        known = pc.index_in(whole.dictionary, pa.array(self.labels, canonical(self.field)))
        known = pc.fill_null(known, len(self.labels)).to_numpy(zero_copy_only=False).astype(np.int64)
        null = self.size - 1 if self.field.nulls else min(len(self.labels), self.size - 1)
        cells = np.append(known, null)
        return cells[pc.fill_null(whole.indices, len(known)).to_numpy(zero_copy_only=False)]

    def decode(self, cells: np.ndarray, within: np.ndarray) -> pa.Array:
        """Return a value for every cell."""
        values = pa.array(self.labels, canonical(self.field))
        return values.take(pa.array(np.minimum(cells, max(self.filled - 1, 0)), mask=cells >= self.filled))

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        field = self.field.model_dump(mode="json", exclude_defaults=True)
        return {"field": field, "labels": list(self.labels)}, {}


Axis = Bins | Words


def axis_of(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> Axis:
    """Rebuild an axis from what `to_json` returned; a ValueError where it is not sound."""
    field = Field.model_validate(said["field"])
    if "labels" in said:
        return Words(field, tuple(said["labels"]))
    low, high = arrays["low"].astype(np.float64), arrays["high"].astype(np.float64)
    if not len(low) or low.shape != high.shape or low.ndim != 1 or not (low <= high).all():
        raise ValueError("bins that end before they begin")
    return Bins(field, low, high)


def ruler_of(field: Field) -> Ruler:
    """Return the ruler of a field of which no value is known."""
    return ruler_for(field, pa.array([], canonical(field)))


def positions(ruler: Ruler, column: Column) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of every row, and which rows have none."""
    whole = tidy(column)
    there = np.asarray(whole.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    at = np.zeros(len(whole))
    at[there] = ruler.positions(whole.drop_null())
    return at, ~there


def found(low: np.ndarray, high: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the bin of each position: the nearest, where it is in none."""
    return np.searchsorted(high[:-1] / 2 + low[1:] / 2, at, side="right")


def spread(first: float, last: float, many: int, *, stepped: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return where equally wide bins begin and end, at most so many; on a lattice no finer than it."""
    if not stepped:
        ends = np.linspace(first, last, many + 1) if last > first else np.array([first, last])
        return ends[:-1], ends[1:]
    whole = last - first + 1
    many = int(min(many, whole))
    ends = first + np.ceil(np.arange(many + 1) * whole / many)
    return ends[:-1], ends[1:] - 1
