"""Columns as hidden standard normal numbers: which ones each column has, and how its codes bound them.

A column with missing values has one number that decides whether a value is missing. An ordered column has one more,
a column of labels up to a few. A number that decides nothing in a row (which label, where there is none) is unknown
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.kit.coding.codecs import NULL, Codec, LabelCodec, OrderedCodec, codec_of
from synthwright.kit.coding.latent import Line, Partition, halved, partition_of, scores

LEAVES = 256
"""Labels of a column that have a place of their own; rarer ones share the last."""
FEATURES = 1_500
"""Columns and labels that labels are compared with, at most."""
ROWS = 200_000
"""Rows from which the places of labels are learned, at most, evenly spread; correlations use all rows."""
MANY = 100
"""Among more columns than these, one that nearly decides a label does not count more than others."""
_WORK = 2e10
_CELLS = 2**25


@dataclass(frozen=True)
class Axes:
    """One column: its codec, whether a number decides on missing values, and how its cells divide the others."""

    codec: Codec
    leaf_of: np.ndarray
    """The leaf of each cell."""
    partition: Partition | None
    """None: all values are one cell, or there are none."""

    @property
    def missing(self) -> bool:
        """Whether the first number decides if the value is missing."""
        return 0 < self.codec.null_share < 1

    @property
    def size(self) -> int:
        """How many numbers the column has."""
        return int(self.missing) + (0 if self.partition is None else self.partition.axes)

    @cached_property
    def leaf_shares(self) -> np.ndarray:
        """The share of each leaf among rows with a value."""
        return np.bincount(self.leaf_of, self.codec.shares) if self.codec.size else np.zeros(0)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Between which probabilities the numbers lie, for each leaf, then for no value, then for an unknown one."""
        leaves = len(self.leaf_shares)
        low, high = np.zeros((leaves + 2, self.size)), np.ones((leaves + 2, self.size))
        start = int(self.missing)
        if self.partition is not None:
            low[:leaves, start:], high[:leaves, start:] = self.partition.boxes
        if self.missing:
            present = 1 - self.codec.null_share
            high[:leaves, 0] = high[leaves + 1, 0] = low[leaves, 0] = present
        return low, high

    @cached_property
    def scores(self) -> np.ndarray:
        """The mean of each number, for each leaf, then for no value, then for an unknown one; 0 where not known."""
        return scores(*self.bounds)

    def rows(self, codes: np.ndarray) -> np.ndarray:
        """Return for each code the row of `bounds` and `scores`."""
        table = np.append(self.leaf_of, [len(self.leaf_shares) + 1, len(self.leaf_shares)])  # -2: unknown, -1: none
        found: np.ndarray = table[codes]
        return found

    def leaves(self, at: np.ndarray) -> np.ndarray:
        """Return the row of `bounds` that numbers (rows × size, as probabilities) fall into."""
        count, start = len(self.leaf_shares), int(self.missing)
        if not count:
            return np.full(len(at), count)
        leaf = self.partition.find(at[:, start:]) if self.partition is not None else np.zeros(len(at), dtype=np.int64)
        return np.where(at[:, 0] >= 1 - self.codec.null_share, count, leaf) if self.missing else leaf

    def decode(self, at: np.ndarray, rng: np.random.Generator, *, nulls: bool = True) -> pa.Array:
        """Return the values that numbers (rows × size, as probabilities) stand for; all present unless `nulls`."""
        if self.missing and not nulls:
            at = at.copy()
            at[:, 0] = 0.0
        row = self.leaves(at)
        count, rows = len(self.leaf_shares), len(at)
        if not count:
            return self.codec.decode(np.full(rows, NULL), np.zeros(rows))
        null = row == count
        leaf = np.where(null, 0, row)
        if isinstance(self.codec, OrderedCodec):
            low, high = self.bounds
            place = at[:, -1] if self.partition is not None else np.full(rows, 0.5)
            begin, width = (low[leaf, -1], high[leaf, -1] - low[leaf, -1]) if self.size else (0.0, 1.0)
            within = np.clip((place - begin) / np.maximum(width, 1e-300), 0, np.nextafter(1, 0))
            if self.partition is None:
                within = rng.random(rows)
            return self.codec.decode(np.where(null, NULL, leaf), within)
        within = rng.random(rows)
        return self.codec.decode(np.where(null, NULL, self._cells(leaf, within)), within)

    def gauge(self) -> np.ndarray:
        """Return what dependence is measured by: scores, for ordered columns the values themselves, not too far out."""
        out = self.scores.copy()
        where = self.codec.numbers()
        if where is None or self.partition is None:
            return out
        share = self.codec.shares
        centre = where - np.median(where)
        centre = centre / (np.abs(centre).max() or 1.0)
        for _ in range(2):  # again without what lies far out
            centre = centre - share @ centre
            spread = np.sqrt(share @ centre**2)
            centre = np.clip(centre / spread, -4.0, 4.0) if spread > 0 else centre
        out[: len(centre), -1] = centre - share @ centre
        return out

    def to_json(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what JSON and what arrays hold."""
        head, arrays = self.codec.to_json()
        cut = {} if self.partition is None else {f"cut-{n}": a for n, a in self.partition.arrays().items()}
        return head, {**arrays, **cut, "leaf-of": self.leaf_of}

    @staticmethod
    def of_json(head: dict[str, Any], arrays: dict[str, np.ndarray]) -> Axes:
        """Rebuild the axes of a column."""
        cut = {n.removeprefix("cut-"): a for n, a in arrays.items() if n.startswith("cut-")}
        rest = {n: a for n, a in arrays.items() if not n.startswith("cut-") and n != "leaf-of"}
        return Axes(codec_of(head, rest), arrays["leaf-of"], partition_of(cut) if cut else None)

    def _cells(self, leaf: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Return the cell of each leaf: where several cells share one, by their shares."""
        order = np.argsort(self.leaf_of, kind="stable")
        ends = np.cumsum(self.codec.shares[order])
        last = np.cumsum(np.bincount(self.leaf_of))
        begin = np.append(0.0, ends)[np.append(0, last[:-1])][leaf]
        cell = np.searchsorted(ends, begin + within * self.leaf_shares[leaf], side="right")
        found: np.ndarray = order[np.clip(cell, np.append(0, last[:-1])[leaf], last[leaf] - 1)]
        return found


def axes_of(codecs: Sequence[Codec], codes: Sequence[np.ndarray], most: int) -> list[Axes]:
    """Return the axes of all columns: labels that go with the same values of other columns lie close together.

    Args:
        codecs: the columns' codecs.
        codes: the columns' codes, as long as each other.
        most: how many axes a column of labels has at most.
    """
    plain = [_plain(codec) for codec in codecs]
    labelled = [i for i, c in enumerate(codecs)
                if isinstance(c, LabelCodec) and not c.ranked and len(plain[i].leaf_shares) > 2]  # fmt: skip
    if not labelled:
        return plain
    features, owner, places = _features(plain, codes, len(labelled))
    out = list(plain)
    for i in labelled:
        shares = plain[i].leaf_shares
        rows = plain[i].rows(codes[i][places])
        here = _places(rows, shares, features, owner, i, most)
        out[i] = Axes(codecs[i], plain[i].leaf_of, halved(shares, here))
    return out


def _plain(codec: Codec) -> Axes:
    """Return axes that need no other column: an ordered one, labels as they come."""
    leaf_of = np.arange(codec.size)
    if isinstance(codec, LabelCodec) and codec.size > LEAVES:
        leaf_of = np.empty(codec.size, dtype=np.int64)
        leaf_of[np.argsort(-codec.shares, kind="stable")] = np.minimum(np.arange(codec.size), LEAVES - 1)
    shares = np.bincount(leaf_of, codec.shares) if codec.size else np.zeros(0)
    return Axes(codec, leaf_of, Line.of(shares) if len(shares) > 1 else None)


def _features(
    plain: Sequence[Axes], codes: Sequence[np.ndarray], labelled: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what labels are compared with (rows × features, standardised), whose each is, and which rows these are."""
    every = range(0, len(plain), -(-len(plain) // FEATURES))
    each = max(1, FEATURES // len(every))
    tables, owner = [], []
    for i in every:
        axes = plain[i]
        table = _indicators(axes, each) if isinstance(axes.codec, LabelCodec) else axes.scores
        if isinstance(axes.codec, LabelCodec) and axes.missing:
            table = np.column_stack([axes.scores[:, 0], table])
        tables.append((i, table))
        owner += [i] * table.shape[1]
    width = max(len(owner), 1)
    most = int(min(ROWS, max(2_000, _CELLS // width), max(2_000, _WORK / (width * labelled))))
    rows = len(codes[0])
    places = np.linspace(0, rows - 1, min(rows, most)).astype(np.int64)
    features = np.empty((len(places), len(owner)))
    at = 0
    for i, table in tables:
        features[:, at : at + table.shape[1]] = table[plain[i].rows(codes[i][places])]
        at += table.shape[1]
    features -= features.mean(axis=0)
    spread = features.std(axis=0)
    features /= np.where(spread > 0, spread, 1.0)
    return features, np.array(owner, dtype=np.int64), places


def _indicators(axes: Axes, most: int) -> np.ndarray:
    """Return for the commonest labels whether a row has them; unknown ones and no value count as the mean."""
    shares = axes.leaf_shares
    common = np.argsort(-shares, kind="stable")[:most]
    out = np.zeros((len(shares) + 2, len(common)))
    out[common, np.arange(len(common))] = 1.0
    out[len(shares) :] = shares[common]
    return out


def _places(
    rows: np.ndarray, shares: np.ndarray, features: np.ndarray, owner: np.ndarray, column: int, most: int
) -> np.ndarray:  # fmt: skip
    """Return coordinates of labels (labels × axes) by what they go with: the widest axis first."""
    from scipy import sparse

    number = len(rows)
    one = sparse.csr_matrix((np.ones(number), (rows, np.arange(number))), shape=(len(shares) + 2, number))
    means = np.asarray(one @ features)[: len(shares)] / number
    means[:, owner == column] = 0.0
    means /= np.sqrt(shares)[:, None]
    others = np.unique(owner)
    for other in others if len(others) <= MANY else ():
        mine = owner == other
        means[:, mine] *= _weight(means[:, mine], len(shares), number)
    spread, directions = np.linalg.eigh(means @ means.T)
    spread, directions = spread[::-1], directions[:, ::-1]
    chance = (np.sqrt(len(shares)) + np.sqrt(means.shape[1])) ** 2 / number  # the widest axis of pure noise
    axes = max(1, min(most, len(shares) - 1, int((spread > chance).sum())))
    directions = directions[:, :axes]
    directions = directions * np.sign(directions[np.argmax(np.abs(directions), axis=0), np.arange(axes)])
    return directions * np.sqrt(np.maximum(spread[:axes], 0)) / np.sqrt(shares)[:, None]


def _weight(means: np.ndarray, labels: int, number: int) -> float:
    """Return how much more a column counts that nearly decides the label: information instead of variance."""
    spread = np.linalg.eigvalsh(means @ means.T if len(means) <= means.shape[1] else means.T @ means)
    decided = float(np.clip(spread[-1] - (labels + means.shape[1]) / number, 1e-9, 0.9999))
    return float(-np.log1p(-decided) / decided)
