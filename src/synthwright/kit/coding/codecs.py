"""Columns as codes and back: observe, add up, settle, encode, decode.

`observe` counts distinct values (shard by shard, if need be; `Observed.joined` adds up), `settle` decides which of
them may be kept: a value that fewer than `protect` rows share is neither stored nor ever given back. A settled codec
turns a column into small integers (cells) and cells into values.

Codes: 0 … `size` - 1 are cells, `NULL` stands for no value, `UNKNOWN` for a value that the codec does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import ORDERED, Field, Kind, canonical
from synthwright.core.values import Column, numbers
from synthwright.kit.coding.marginal import Blocks, blocks_of, point_masses
from synthwright.kit.coding.ratios import Ratios, ratios_of, shortened_of
from synthwright.kit.coding.rounding import Drawn, Rounding, rounding_of, span_of
from synthwright.kit.coding.rulers import Ruler, from_integers, integers, is_narrow, is_whole, ruler_for, tidy
from synthwright.kit.coding.shapes import Shape
from synthwright.kit.coding.steadied import returning, steadied

NULL, UNKNOWN = -1, -2
PROTECT = 3
"""Rows that must share a value before it may be kept."""
MASSES, BLOCKS = 5_000, 500
"""How many point masses and blocks an ordered column has at most."""
VARIED = 50
"""Different rare values above which a column is not left without them."""
CODEABLE = frozenset({*ORDERED, Kind.BOOLEAN, Kind.CATEGORY})
"""The kinds that codecs code; the others are made anew."""


class Observed(NamedTuple):
    """The distinct values of a column, how many rows hold each, and how many hold none. Real values: never saved."""

    values: pa.Array
    counts: np.ndarray
    nulls: int

    def joined(self, other: Observed) -> Observed:
        """Return what both saw together."""
        both = pa.concat_arrays([self.values, other.values]).dictionary_encode()
        counts = np.bincount(both.indices.to_numpy(), np.append(self.counts, other.counts), len(both.dictionary))
        return Observed(both.dictionary, counts.astype(np.int64), self.nulls + other.nulls)


def observe(column: Column, *, nan: bool = False) -> Observed:
    """Count the distinct values of a column (canonical type); NaN is a value of its own where `nan`."""
    values, codes = _distinct(column, nan=nan)
    counts = np.bincount(codes + 1, minlength=len(values) + 1)
    return Observed(values, counts[1:], int(counts[0]))


@dataclass(frozen=True)
class LabelCodec:
    """A column of labels: one cell for each label that enough rows share."""

    field: Field
    labels: pa.Array
    shares: np.ndarray
    """The share of each cell among the rows with a value; they add up to one."""
    null_share: float
    """The share of rows without a value."""
    shape: Shape | None = None
    """Where most rows have a label that may not be kept: how those look. Others are made in the last cell."""

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.shares)

    @property
    def ranked(self) -> bool:
        """Whether the labels stand in an order of their own: low, middle, high."""
        return self.field.ordered and self.shape is None and set(self.labels.to_pylist()) <= {*self.field.labels}

    def encode(self, column: Column) -> np.ndarray:
        """Return the code of every row."""
        values, codes = _distinct(column)
        rare = UNKNOWN if self.shape is None else len(self.labels)
        known = pc.fill_null(pc.index_in(values, self.labels), rare).to_numpy(zero_copy_only=False)
        return _coded(known, codes)

    def decode(self, codes: np.ndarray, within: np.ndarray) -> pa.Array:
        """Return a value for every code; `within` (0 to 1, one per row) chooses where a cell has several."""
        drawn = codes >= len(self.labels)
        if self.shape is None or not drawn.any():
            return self.labels.take(pa.array(codes, mask=codes < 0))
        every = pa.concat_arrays([self.labels, self.shape.draw(within[drawn])])
        at = np.array(codes, dtype=np.int64)
        at[drawn] = len(self.labels) + np.arange(int(drawn.sum()))
        return every.take(pa.array(at, mask=at < 0))

    def numbers(self) -> None:
        """Labels have no distances."""
        return

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        shape = None if self.shape is None else self.shape.to_json()
        head = {"codec": "label", "field": self.field.model_dump(mode="json", exclude_defaults=True),
                "labels": self.labels.to_pylist(), "nulls": self.null_share, "shape": shape}  # fmt: skip
        return head, {"shares": self.shares}


@dataclass(frozen=True)
class OrderedCodec:
    """An ordered column: cells along a line, point masses and blocks, sorted by position."""

    field: Field
    ruler: Ruler
    masses: pa.Array
    """The values that are kept exactly."""
    blocks: Blocks
    cells: np.ndarray
    """What each cell is: i for point mass i, len(masses) + j for block j."""
    shares: np.ndarray
    null_share: float
    rounding: Rounding | Ratios | None = None
    """How values of blocks are rounded, where some are."""

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.shares)

    @cached_property
    def _stand(self) -> np.ndarray:
        """The positions of the point masses, ascending."""
        return self.ruler.positions(self.masses)

    def encode(self, column: Column) -> np.ndarray:
        """Return the code of every row; a value between cells gets the nearest one."""
        values, codes = _distinct(column, nan=self.field.nan)
        if not self.size:
            return _coded(np.full(len(values), UNKNOWN), codes)
        return _coded(self._find(values), codes)

    def dealt(self, column: Column, protect: int, rng: np.random.Generator) -> np.ndarray:
        """Return the code of every row to learn from: rows that chance gave point masses go to blocks beside them."""
        codes = self.encode(column)
        values, which = _distinct(column, nan=self.field.nan)
        counts = np.bincount(which[which >= 0], minlength=len(values))
        at = self.ruler.positions(values)
        exact = pc.is_in(values, self.masses).to_numpy(zero_copy_only=False)
        stay, block = np.ones(len(values)), np.zeros(len(values), np.int64)
        stay[exact], block[exact] = self.staying(at, counts, exact, protect)
        moves = np.flatnonzero((which >= 0) & (np.append(stay, 1.0)[which] < 1))
        moves = moves[rng.random(len(moves)) >= stay[which[moves]]]
        cell = np.empty(self.size, dtype=np.int32)
        cell[self.cells] = np.arange(self.size)
        codes[moves] = cell[len(self.masses) + block[which[moves]]]
        return codes

    def staying(
        self, at: np.ndarray, counts: np.ndarray, exact: np.ndarray, protect: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of its rows that each point mass keeps, and the block that the others go to.

        Args:
            at: the positions of all values.
            counts: how many rows hold each.
            exact: which of them are point masses.
            protect: how many rows a point mass has at least.
        """
        block, apart = self.blocks.find(at[exact])
        stay = returning(self.ruler, at, counts, protect)[exact]
        return np.where(apart == 0, stay, 1.0), block

    def decode(self, codes: np.ndarray, within: np.ndarray) -> pa.Array:
        """Return a value for every code; `within` (0 to 1, one per row) chooses where in a block."""
        number = len(self.masses)
        what = np.where(codes >= 0, self.cells[np.maximum(codes, 0)], -1) if self.size else np.full(len(codes), -1)
        drawn = what >= number
        block = what[drawn] - number
        at = self.blocks.draw(block, within[drawn], self._stand, stepped=self.ruler.stepped)
        if self.rounding is not None:
            at = self.rounding.rounded(at, block, within[drawn], self.ruler, self._stand, self._ends)
        what[drawn] = number + np.arange(int(drawn.sum()))
        every = pa.concat_arrays([self.masses, self.ruler.values(at)])
        return every.take(pa.array(what, mask=what < 0))

    def numbers(self) -> np.ndarray:
        """Return the position of each cell (the mean of a block), comparable within the column only."""
        return np.append(self._stand, self.blocks.middle)[self.cells]

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The lowest and the highest position that there may be."""
        return span_of(self._stand, self.blocks)

    def _find(self, values: pa.Array) -> np.ndarray:
        """Return the cell of each distinct value."""
        cell = np.empty(self.size, dtype=np.int64)
        cell[self.cells] = np.arange(self.size)
        exact = pc.fill_null(pc.index_in(values, self.masses), -1).to_numpy(zero_copy_only=False).astype(np.int64)
        rest = exact < 0
        if rest.any():
            at = self.ruler.positions(values.filter(pa.array(rest)))
            exact[rest] = self._nearest(at)
        found: np.ndarray = cell[exact]
        return found

    def _nearest(self, at: np.ndarray) -> np.ndarray:
        number = len(self.masses)
        at = np.clip(at, *self._ends)  # far out, floats cannot tell which end is nearer
        block, apart = self.blocks.find(at)
        if not number:
            return number + block
        stand = self._stand
        right = np.minimum(np.searchsorted(stand, at), number - 1)
        left = np.maximum(right - 1, 0)
        mass = np.where(np.abs(stand[left] - at) <= np.abs(stand[right] - at), left, right)
        return np.where(apart <= np.abs(stand[mass] - at), number + block, mass)

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        words, whole = None, {}
        if is_whole(self.field):
            whole = {"masses": integers(self.masses)}
        elif pa.types.is_floating(self.masses.type):
            whole = {"masses": self.masses.to_numpy(zero_copy_only=False)}
        else:
            words = [str(v) for v in self.masses.to_pylist()]
        head = {"codec": "ordered", "ruler": self.ruler.to_json(), "nulls": self.null_share, "masses": words}
        blocks = {f"blocks-{n}": a for n, a in self.blocks.arrays().items()}
        rounding = {} if self.rounding is None else {f"round-{n}": a for n, a in self.rounding.arrays().items()}
        return head, {"shares": self.shares, "cells": self.cells, **blocks, **whole, **rounding}


Codec = LabelCodec | OrderedCodec


def settle(
    field: Field, seen: Observed, rng: np.random.Generator, *, protect: int = PROTECT, masses: int = MASSES,
    blocks: int = BLOCKS,
) -> Codec:  # fmt: skip
    """Return the codec of a field from everything that was observed of it.

    Args:
        field: a field of a kind in `CODEABLE`.
        seen: its distinct values and their counts.
        rng: chooses which values of a sparse lattice are kept clear of.
        protect: how many rows must share a value before it may be kept.
        masses: how many point masses an ordered column has at most.
        blocks: about how many blocks an ordered column has at most.
    """
    rows = int(seen.counts.sum())
    null_share = seen.nulls / max(rows + seen.nulls, 1)
    if field.kind not in ORDERED:
        return _settle_labels(field, seen, null_share, protect, rng)
    order = pc.sort_indices(seen.values)
    values, counts = seen.values.take(order), seen.counts[order.to_numpy()]
    ruler = ruler_for(field, values)
    if rows < protect:
        values, counts = values[:0], counts[:0]
        ruler = Ruler(field, whole=ruler.whole, lattice=ruler.lattice)
    at = ruler.positions(values)
    exact = point_masses(counts, protect, masses)
    counted = _lightened(counts, exact, protect) if ruler.stepped else counts
    made = blocks_of(at, counted, exact, protect=protect, most=blocks, stepped=ruler.stepped, rng=rng)
    kept = values.filter(pa.array(exact))
    stand = np.append(at[exact], made.middle)
    codec = OrderedCodec(field, ruler, kept, made, np.argsort(stand, kind="stable"), np.zeros(len(stand)), null_share)
    if not len(stand):
        return replace(codec, null_share=1.0)
    cell = codec._find(values)  # noqa: SLF001  its own making
    weights = np.bincount(cell, counts, minlength=len(stand))
    what = np.empty(len(stand))
    what[codec.cells] = weights
    stay, block = codec.staying(at, counts, exact, protect)
    left = (1 - stay) * what[: len(kept)]
    np.add.at(what, len(kept) + block[left > 0], left[left > 0])
    drawn = counts.astype(np.float64)
    drawn[exact] -= what[: len(kept)] - left
    rounding = _ratios(ruler, values, drawn, protect) or rounding_of(
        Drawn(ruler, made, what[len(kept) :], at[exact]), at, drawn, protect
    )
    what[: len(kept)] = steadied(ruler, at[exact], what[: len(kept)]) * stay
    weights = what[codec.cells]
    return replace(codec, shares=weights / weights.sum(), rounding=rounding)


def _ratios(ruler: Ruler, values: pa.Array, drawn: np.ndarray, protect: int) -> Ratios | None:
    """Return what the values of a column are fractions of, where they are ratios of small numbers, rounded or not."""
    if ruler.whole:
        return None
    floats = numbers(values)
    finite = np.isfinite(floats)
    if ruler.lattice is not None:
        plain = ruler.field.step is not None and ruler.step == 1
        return shortened_of(floats[finite], float(ruler.lattice)) if plain else None
    return ratios_of(floats[finite], drawn[finite], protect, narrow=is_narrow(ruler.field))


def _lightened(counts: np.ndarray, exact: np.ndarray, protect: int) -> np.ndarray:
    """Return for how many rows each value counts where blocks are made.

    On a dense lattice heavy point masses stand for the rare values between them. Where most of many different values
    are rare (amounts: thousands of single ones between a few round ones), nearly all of the different ones would be
    lost: there it is the number of point masses that counts, not how heavy they are.
    """
    rare = int((~exact).sum())
    if rare < VARIED or rare <= len(counts) - rare:
        return counts
    return np.where(exact, np.minimum(counts, protect), counts)


def _settle_labels(
    field: Field, seen: Observed, null_share: float, protect: int, rng: np.random.Generator
) -> LabelCodec:
    kept = seen.counts >= protect
    labels, counts = seen.values.filter(pa.array(kept)), seen.counts[kept]
    order = pc.sort_indices(labels).to_numpy()
    if field.ordered and set(labels.to_pylist()) <= {*field.labels}:
        order = np.argsort([field.labels.index(v) for v in labels.to_pylist()], kind="stable")
    labels, counts = labels.take(pa.array(order)), counts[order]
    rare = int(seen.counts[~kept].sum())
    if field.kind is Kind.BOOLEAN or rare <= counts.sum():  # their share goes to the others
        total = counts.sum()
        return LabelCodec(field, labels, counts / max(total, 1), null_share if total else 1.0)
    others = pa.array(~kept)
    shape = Shape.of(seen.values.filter(others), seen.counts[~kept], rng, protect=protect)
    shares = np.append(counts, rare) / (counts.sum() + rare)
    return LabelCodec(field, labels, shares, null_share, shape)


def codec_of(head: dict[str, Any], arrays: dict[str, np.ndarray]) -> Codec:
    """Rebuild a codec from what `to_json` returned."""
    if head["codec"] == "label":
        field = Field.model_validate(head["field"])
        shape = None if head["shape"] is None else Shape.of_json(head["shape"])
        labels = pa.array(head["labels"], canonical(field))
        return LabelCodec(field, labels, arrays["shares"], float(head["nulls"]), shape)
    ruler = Ruler.of_json(head["ruler"])
    kind = canonical(ruler.field)
    if head["masses"] is not None:
        masses = pa.array(head["masses"], pa.string()).cast(kind)
    elif is_whole(ruler.field):
        masses = from_integers(arrays["masses"], ruler.field)
    else:
        masses = pa.array(arrays["masses"], kind)
    blocks = Blocks(**{n.removeprefix("blocks-"): a for n, a in arrays.items() if n.startswith("blocks-")})
    steps = {n.removeprefix("round-"): a for n, a in arrays.items() if n.startswith("round-")}
    return OrderedCodec(ruler.field, ruler, masses, blocks, arrays["cells"], arrays["shares"], float(head["nulls"]),
                        _rounding_from(steps))  # fmt: skip


def _rounding_from(arrays: dict[str, np.ndarray]) -> Rounding | Ratios | None:
    if not arrays:
        return None
    return Ratios(**arrays) if "under" in arrays else Rounding(**arrays)


def _distinct(column: Column, *, nan: bool = False) -> tuple[pa.Array, np.ndarray]:
    """Return the distinct values and for every row which one it is, -1 for none."""
    coded = tidy(column, nan=nan).dictionary_encode()
    codes = pc.fill_null(coded.indices, NULL).to_numpy(zero_copy_only=False)
    return coded.dictionary, np.asarray(codes, dtype=np.int32)


def _coded(known: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the code of every row from the code of every distinct value."""
    table = np.append(known, NULL).astype(np.int32)  # a row without a value has index -1: the last
    found: np.ndarray = table[codes]
    return found
