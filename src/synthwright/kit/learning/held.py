"""Columns of real rows as a model holds them: numbers along a line, or labels by their place in a list.

What is held here are real values. Only generators that say so (`Abilities.keeps_rows`) may keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import ORDERED, Field, canonical
from synthwright.core.values import Column, labels
from synthwright.kit.coding.rulers import INFINITE, Ruler, ruler_for, tidy


@dataclass(frozen=True)
class Line:
    """An ordered column: positions on its ruler, NaN where there is no value."""

    name: str
    ruler: Ruler
    held: np.ndarray
    """The position of every real row, float64."""

    @staticmethod
    def of(name: str, field: Field, column: Column) -> Line:
        """Return a column of real rows."""
        whole = tidy(column)
        ruler = ruler_for(field, whole.drop_null().unique())
        return Line(name, ruler, _positions(ruler, whole))

    @cached_property
    def known(self) -> np.ndarray:
        """The positions of the rows that have a value, sorted."""
        return np.sort(self.held[~np.isnan(self.held)])

    @cached_property
    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """The distinct positions, sorted, and how many rows have each."""
        values, counts = np.unique(self.known, return_counts=True)
        return values, counts

    def read(self, column: Column) -> np.ndarray:
        """Return the positions of other rows."""
        return _positions(self.ruler, tidy(column))

    def masses(self, share: float, groups: np.ndarray) -> np.ndarray:
        """Return the positions that at least this share of the rows of some group has, three rows of it or more."""
        there = ~np.isnan(self.held)
        values = self.counted[0]
        at, group = np.searchsorted(values, self.held[there]), groups[there]
        pairs, counts = np.unique(group * max(len(values), 1) + at, return_counts=True)
        sizes = np.bincount(groups)[pairs // max(len(values), 1)]
        return np.unique(values[pairs[counts >= np.maximum(share * sizes, 3)] % max(len(values), 1)])

    def made(self, positions: np.ndarray) -> pa.Array:
        """Return positions as values of the canonical type, on the lattice where there is one."""
        missing, far = np.isnan(positions), np.abs(positions) >= INFINITE
        values = self.ruler.values(np.where(missing, 0.0, positions))
        if far.any() and pa.types.is_floating(values.type):
            values = pc.if_else(pa.array(far), pa.array(np.sign(positions) * np.inf), values)
        return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values) if missing.any() else values

    def to_json(self) -> tuple[dict[str, Any], np.ndarray]:
        """Return what JSON and what an array holds."""
        return {"name": self.name, "ruler": self.ruler.to_json()}, self.held


@dataclass(frozen=True)
class Labels:
    """A column of labels: the place of each in a list, behind its end where there is no value."""

    name: str
    field: Field
    labels: pa.Array
    held: np.ndarray
    """The place of every real row, int64."""

    @staticmethod
    def of(name: str, field: Field, column: Column) -> Labels:
        """Return a column of real rows; its labels in their order."""
        found = tidy(column).drop_null().unique()
        values = found.take(pc.sort_indices(found.cast(pa.large_string())))
        return Labels(name, field, values, _places(values, column))

    @property
    def size(self) -> int:
        """How many labels there are; this is also the place of no value."""
        return len(self.labels)

    @cached_property
    def counts(self) -> np.ndarray:
        """How many rows have each label, and how many none."""
        return np.bincount(self.held, minlength=self.size + 1)

    def read(self, column: Column) -> np.ndarray:
        """Return the places of other rows; a label that no real row has stands behind no value."""
        return _places(self.labels, column)

    def made(self, places: np.ndarray) -> pa.Array:
        """Return places as values."""
        return self.labels.take(pa.array(places, mask=places >= self.size))

    def to_json(self) -> tuple[dict[str, Any], np.ndarray]:
        """Return what JSON and what an array holds."""
        field = self.field.model_dump(mode="json", exclude_defaults=True)
        return {"name": self.name, "field": field, "labels": self.labels.to_pylist()}, self.held


Held = Line | Labels


def held_of(name: str, field: Field, column: Column) -> Held:
    """Return a column of real rows as a model holds it."""
    return Line.of(name, field, column) if field.kind in ORDERED else Labels.of(name, field, column)


def held_from(said: Mapping[str, Any], array: np.ndarray) -> Held:
    """Rebuild a column from what `to_json` returned; a ValueError where it is not sound."""
    if "ruler" in said:
        return Line(said["name"], Ruler.of_json(said["ruler"]), array.astype(np.float64))
    field = Field.model_validate(said["field"])
    values = pa.array(said["labels"], canonical(field))
    places = array.astype(np.int64)
    if len(places) and not (places.min() >= 0 and places.max() <= len(values)):
        raise ValueError("places of labels that there are not")
    return Labels(said["name"], field, values, places)


def _positions(ruler: Ruler, whole: pa.Array) -> np.ndarray:
    out = np.full(len(whole), np.nan)
    there = np.asarray(whole.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    out[there] = ruler.positions(whole.drop_null())
    return out


def _places(known: pa.Array, column: Column) -> np.ndarray:
    codes, distinct = labels(column)
    at = pc.fill_null(pc.index_in(distinct, known), len(known) + 1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.append(at, len(known))[codes]  # code -1, no value, is the last
