"""A column as networks see it: slots that are chosen among, and a normal score where a value lies along a line.

A *slot* is one label, one value that many rows share (a point mass), all the rest, or no value. What lies in the rest
of an ordered column has a *score*: its place among the rest as a standard normal number, so that every column has the
same easy distribution whatever its shape. The codec turns scores back into values, exact on lattices. Point masses
beside a continuous part, as in Xu et al. (2019), Modeling Tabular Data using Conditional GAN, arXiv 1907.00503, where
modes of a mixture stand for what quantiles stand for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.kit.coding.codecs import OrderedCodec
from synthwright.kit.learning.coded import Coded

FEW = 32
"""Cells up to which an ordered column is nothing but slots."""
HEAVY = 0.04
"""The share from which a value of an ordered column with more cells has a slot of its own."""
LABELS = 200
"""Labels that have slots of their own; rarer ones share the rest, and are drawn from it by their shares."""
UNSET = -1
FAR = 1e-7
"""How near to either end of its line a score may come."""


@dataclass(frozen=True)
class NetColumn:
    """One column: the cells that have slots of their own, the rest, and no value, in this order."""

    coded: Coded
    lone: np.ndarray

    @staticmethod
    def of(coded: Coded) -> NetColumn:
        """Decide which cells have slots of their own."""
        codec, shares = coded.codec, coded.codec.shares
        if coded.size <= (FEW if coded.ordered else LABELS):
            return NetColumn(coded, np.arange(coded.size))
        if isinstance(codec, OrderedCodec):
            masses = codec.cells < len(codec.masses)
            return NetColumn(coded, np.flatnonzero(masses & (shares >= HEAVY)))
        return NetColumn(coded, np.sort(np.argsort(-shares, kind="stable")[:LABELS]))

    @property
    def name(self) -> str:
        """The column's name."""
        return self.coded.name

    @cached_property
    def rest(self) -> np.ndarray:
        """The cells without a slot of their own."""
        return np.setdiff1d(np.arange(self.coded.size), self.lone)

    @cached_property
    def ends(self) -> np.ndarray:
        """Where on the line from 0 to 1 each cell of the rest begins; the last ends at 1."""
        shares = np.maximum(self.coded.codec.shares[self.rest], 1e-12)
        return np.append(0.0, np.cumsum(shares) / shares.sum()) if len(shares) else np.zeros(1)

    @property
    def rest_slot(self) -> int:
        """The slot of the rest, `UNSET` where there is none."""
        return len(self.lone) if len(self.rest) else UNSET

    @property
    def null_slot(self) -> int:
        """The slot of no value, `UNSET` where there is none."""
        some = self.coded.codec.null_share > 0 or not self.coded.size
        return len(self.lone) + (len(self.rest) > 0) if some else UNSET

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self.lone) + (self.rest_slot != UNSET) + (self.null_slot != UNSET)

    @property
    def spread(self) -> bool:
        """Whether the rest has scores."""
        return self.coded.ordered and self.rest_slot != UNSET

    def slots(self, places: np.ndarray) -> np.ndarray:
        """Return the slot of every place; `UNSET` for values that the codec does not hold."""
        of = np.full(self.coded.size + 2, self.rest_slot)
        of[self.lone] = np.arange(len(self.lone))
        of[self.coded.size :] = self.null_slot, UNSET
        return of[places]

    def span(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the cell of every place begins and ends on the line of the rest; 0 to 1 outside the rest."""
        low, high = np.zeros(self.coded.size + 2), np.ones(self.coded.size + 2)
        low[self.rest], high[self.rest] = self.ends[:-1], self.ends[1:]
        return low[places].astype(np.float32), high[places].astype(np.float32)

    def decode(self, slots: np.ndarray, scores: np.ndarray | None, rng: np.random.Generator) -> pa.Array:
        """Return a value for every slot; the scores say where in the rest, chance where there are none."""
        from scipy.special import ndtr

        within = rng.random(len(slots))
        places = np.append(self.lone, np.full(self.size - len(self.lone), self.coded.size))[slots]
        mine = np.flatnonzero(slots == self.rest_slot)
        if self.rest_slot != UNSET and len(mine):
            at = within[mine] if scores is None else np.clip(ndtr(scores[mine].astype(np.float64)), 0, 1 - 1e-9)
            cell = np.clip(np.searchsorted(self.ends, at, side="right") - 1, 0, len(self.rest) - 1)
            places[mine] = self.rest[cell]
            width = np.maximum(self.ends[cell + 1] - self.ends[cell], 1e-300)
            within[mine] = np.clip((at - self.ends[cell]) / width, 0, np.nextafter(1, 0))
        return self.coded.decode(places, within)

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        head, arrays = self.coded.codec.to_json()
        return {"name": self.name, "codec": head}, {**arrays, "lone": self.lone}

    @staticmethod
    def of_json(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> NetColumn:
        """Rebuild a column; a ValueError for cells that it does not have."""
        codec = {n: a for n, a in arrays.items() if n != "lone"}
        coded, lone = Coded.of_json(said["name"], said["codec"], codec), arrays["lone"]
        if len(lone) and not (lone.dtype.kind == "i" and lone.min() >= 0 and lone.max() < coded.size):
            raise ValueError("slots of cells that are not there")
        return NetColumn(coded, lone)


class Rows(NamedTuple):
    """Rows as arrays: for every column a slot, and for those with scores between which two ends on their line."""

    slots: np.ndarray
    """int64, rows × columns; `UNSET` is not known."""
    low: np.ndarray
    """float32, rows × columns with scores."""
    high: np.ndarray


def rows_of(columns: Sequence[NetColumn], held: pa.Table, rng: np.random.Generator) -> Rows:
    """Return real rows for learning: a value that a codec does not hold is drawn by the shares of the others."""
    places = []
    for column in columns:
        mine = column.coded.places(held.column(column.name))
        strange = np.flatnonzero(mine > column.coded.size)
        if len(strange) and column.coded.size:
            mine[strange] = rng.choice(column.coded.size, size=len(strange), p=column.coded.codec.shares)
        places.append(np.where(mine > column.coded.size, column.coded.size, mine))
    return _stacked(columns, places)


def known_of(
    columns: Sequence[NetColumn], held: pa.Table, made: Sequence[str], filled: Sequence[str]
) -> Rows:  # fmt: skip
    """Return what is known of given rows.

    Args:
        columns: the columns of the model.
        held: the given rows.
        made: the columns to make whatever is there.
        filled: those of which what is missing will have a value.
    """
    places = []
    for column in columns:
        there = column.name in held.column_names and column.name not in made
        mine = column.coded.places(held.column(column.name)) if there else np.full(held.num_rows, column.coded.size + 1)
        if column.name in filled:
            mine = np.where(mine == column.coded.size, column.coded.size + 1, mine)
        places.append(mine)
    return _stacked(columns, places)


def _stacked(columns: Sequence[NetColumn], places: Sequence[np.ndarray]) -> Rows:
    rows = len(places[0]) if places else 0
    slots = np.empty((rows, len(columns)), dtype=np.int64)
    for i, (column, mine) in enumerate(zip(columns, places, strict=True)):
        slots[:, i] = column.slots(mine)
    spans = [c.span(mine) for c, mine in zip(columns, places, strict=True) if c.spread]
    none = np.zeros((rows, 0), dtype=np.float32)
    return Rows(slots, *(np.column_stack([s[i] for s in spans]) if spans else none for i in (0, 1)))
