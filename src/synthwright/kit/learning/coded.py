"""A column as trees see it: a place for every code, and what each place means to splits, guides and corrections.

A *place* is a code of the column's codec, or one of two more: no value, and a value that the codec does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from synthwright.core.values import Column, numbers
from synthwright.kit.coding.codecs import Codec, OrderedCodec, codec_of

BINS, TOKENS, GROUPS = 254, 511, 32
"""Into how many a column is cut for splits on it, for splits that tell about it, and for weighing conditions."""
UNHEARD = BINS
"""The bin of values that a codec does not hold."""
HALVED = 4
"""How often the shares at either end are halved."""
LABELS = 60_000
"""Labels that splits tell apart, the most frequent ones: tokens have 16 bits."""


@dataclass(frozen=True)
class Coded:
    """One column of a forest."""

    name: str
    codec: Codec

    @property
    def size(self) -> int:
        """How many codes the codec has; this is also the place of no value."""
        return self.codec.size

    @property
    def ordered(self) -> bool:
        """Whether the codes have an order."""
        return isinstance(self.codec, OrderedCodec)

    @cached_property
    def _order(self) -> np.ndarray:
        """The rank of each code: along the line, or by frequency."""
        if self.ordered:
            return np.arange(self.size)
        rank = np.empty(self.size, dtype=np.int64)
        rank[np.argsort(-self.codec.shares, kind="stable")] = np.arange(self.size)
        return rank

    @cached_property
    def bins(self) -> np.ndarray:
        """The uint8 that splits see of each place."""
        inner = cut(self.codec.shares, BINS) if self.ordered else np.minimum(self._order, BINS - 1)
        return np.append(inner, [BINS + 1, UNHEARD]).astype(np.uint8)

    @cached_property
    def tokens(self) -> np.ndarray:
        """The uint16 that splits of this column tell apart, of each place; no value has the last."""
        inner = cut(self.codec.shares, TOKENS) if self.ordered else np.arange(self.size)
        if not self.ordered and self.size > LABELS:
            inner = np.minimum(self._order, LABELS)
        count = int(inner.max()) + 1 if self.size else 0
        return np.append(inner, [count, count]).astype(np.uint16)

    @property
    def token_count(self) -> int:
        """How many tokens there are besides the one for no value."""
        return int(self.tokens[-1])

    @cached_property
    def groups(self) -> np.ndarray:
        """The group (int32) of each place by which conditions are weighed, ascending; -1 where it is not known."""
        inner = cut(self.codec.shares, GROUPS) if self.ordered else np.arange(self.size)
        return np.append(inner, [int(inner.max()) + 1 if self.size else 0, -1]).astype(np.int32)

    @cached_property
    def group_shares(self) -> np.ndarray:
        """How likely each group is."""
        return np.bincount(self.groups[:-1], self.shares)

    @cached_property
    def shares(self) -> np.ndarray:
        """How likely each place is, the last (not known) left out; they add up to one."""
        null = self.codec.null_share
        return np.append(self.codec.shares * (1 - null), null)

    @cached_property
    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """The share of the values below the middle, and up to the end, of each code; empty without an order."""
        ends = np.cumsum(self.codec.shares) if self.ordered else np.empty(0)
        return ends - (self.codec.shares / 2 if self.ordered else 0.0), ends

    @cached_property
    def rank(self) -> np.ndarray:
        """The number (float32) that corrections see of each place."""
        inner = self.tokens[:-2] if self.ordered else self._order
        return np.append(inner, [len(inner), len(inner)]).astype(np.float32)

    @cached_property
    def level(self) -> np.ndarray:
        """The value (float32) of each place in the column's own unit; 0 where there is none."""
        if not self.ordered or not self.size:
            return np.zeros(self.size + 2, dtype=np.float32)
        with np.errstate(over="ignore"):
            values = numbers(self.codec.decode(np.arange(self.size), np.full(self.size, 0.5))).astype(np.float32)
        return np.append(np.nan_to_num(values, nan=0.0, posinf=1e30, neginf=-1e30), [0, 0]).astype(np.float32)

    def places(self, column: Column) -> np.ndarray:
        """Return the place of every row."""
        return self._placed(self.codec.encode(column))

    def learned(self, column: Column, protect: int, rng: np.random.Generator) -> np.ndarray:
        """Return the place of every row to learn from: values that chance alone repeats are not learned by heart."""
        if isinstance(self.codec, OrderedCodec):
            return self._placed(self.codec.dealt(column, protect, rng))
        return self.places(column)

    def _placed(self, codes: np.ndarray) -> np.ndarray:
        codes = codes.astype(np.int64)
        return np.where(codes < 0, self.size - 1 - codes, codes)

    def decode(self, places: np.ndarray, within: np.ndarray) -> Any:
        """Return a value for every place."""
        return self.codec.decode(np.where(places >= self.size, -1, places), within)

    @staticmethod
    def of_json(name: str, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> Coded:
        """Rebuild a column from what its codec's `to_json` returned."""
        return Coded(name, codec_of(head, arrays))


def cut(shares: np.ndarray, most: int) -> np.ndarray:
    """Return for each code, in order, one of about `most` numbers, each with about as large a share.

    Toward both ends shares are halved a few times: what few rows have is often what matters.
    """
    if len(shares) <= most:
        return np.arange(len(shares))
    inner = most - 2 * HALVED
    middle = (np.cumsum(shares) - shares / 2) / max(float(shares.sum()), 1e-300) * inner
    at = np.floor(middle)
    for side, outer in ((-1, middle), (1, inner - middle)):
        steps = np.clip(np.floor(-np.log2(np.maximum(outer, 1e-9))), 0, HALVED)
        at = at + side * np.where(outer < 1, steps, 0)
    return np.unique(at, return_inverse=True)[1]
