"""Texts as numbers: which are equal but for their spelling, and which repeat a passage that one other text alone has.

A passage is four words in a row or more. Words are runs of letters and digits, in small letters; in scripts that set
no blanks (Chinese, Japanese, Korean) every character is a word. Texts are held as hashes of their words, never as text.
References: Karp and Rabin, Efficient randomized pattern-matching algorithms, IBM Journal 31 (1987); Broder, On the
resemblance and containment of documents, SEQUENCES 1997.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column
from synthwright.kit.rows import mix

LONG = 12
"""Words from which a text is long: shorter ones are compared as a whole."""
RUN = 4
"""Words in a row that make a passage."""
_BASE = 0x9E3779B97F4A7C15
_BLOCK = 1 << 18
"""Bytes that are read at a time, unless one text has more."""
_ASCII = 128
_LEAD, _LAST_LEAD = 0xE3, 0xED
"""First bytes of characters of scripts without blanks, in UTF-8."""
_LONG_LEAD = 0xF0


class Texts(NamedTuple):
    """Texts of a column, without nulls, in their order."""

    hashes: np.ndarray
    """One uint64 each, equal where letters and digits are, however they are spaced, marked and capitalised."""
    letters: np.ndarray
    """How many letters and digits each has."""
    words: np.ndarray
    """How many words each has."""
    said: np.ndarray
    """One uint64 for each word of the long texts, one text after another."""

    @property
    def long(self) -> np.ndarray:
        """Which texts are long."""
        return np.asarray(self.words >= LONG)


class Repeated(NamedTuple):
    """How much of each long text stands in one other text and in no third."""

    share: np.ndarray
    """The share of its words that lie in passages of the one text of which it repeats most."""
    whose: np.ndarray
    """Which text that is, counted among the long ones; -1 where none is."""


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is text, or a dictionary of texts."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def read(column: Column) -> Texts:
    """Return the texts of a column; nulls are left out.

    Args:
        column: text, or a dictionary of texts.
    """
    held = column.cast(pa.large_string()).drop_null()
    chunks = held.chunks if isinstance(held, pa.ChunkedArray) else [held]
    parts = [part for chunk in chunks for part in _parts(pc.utf8_lower(pc.utf8_normalize(chunk, "NFKC")))]
    if not parts:
        nothing, none = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
        return Texts(nothing, none, none, nothing)
    return Texts(*(np.concatenate(side) for side in zip(*parts, strict=True)))


def _parts(values: pa.Array) -> Iterator[Texts]:
    """Read texts, in small letters, in blocks of whole texts."""
    count = len(values)
    if not count:
        return
    offsets = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset : values.offset + count + 1]
    held = np.frombuffer(values.buffers()[2] or b"", dtype=np.uint8)
    begin = 0
    while begin < count:
        end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + _BLOCK, side="right")) - 1)
        bounds = offsets[begin : end + 1]
        yield _block(held[bounds[0] : bounds[-1]], bounds - bounds[0])
        begin = end


def _block(held: np.ndarray, bounds: np.ndarray) -> Texts:
    """Read texts that stand one after another, each from one bound to the next."""
    kept, breaks = _WORDS[held], None
    if held.size and int(held.max()) >= _ASCII:
        kept, breaks = _wide(held, kept)
    begin = kept.copy()
    begin[1:] &= ~kept[:-1]
    if breaks is not None:
        begin |= breaks
    inner = bounds[:-1][bounds[:-1] < held.size]
    begin[inner] = kept[inner]  # a text begins with a new word, or with none
    upto = np.concatenate([[0], np.cumsum(kept, dtype=np.int32)])
    starts = np.flatnonzero(begin)
    words = np.diff(np.searchsorted(starts, bounds))
    letters, ends = held[kept], upto[bounds]
    powers, inverse = _powers(1 << len(letters).bit_length())
    total = np.zeros(len(letters) + 1, dtype=np.uint64)
    np.cumsum(_BYTES[letters] * powers[: len(letters)], out=total[1:])

    def hashed(bounds: np.ndarray) -> np.ndarray:
        return mix((total[bounds[1:]] - total[bounds[:-1]]) * inverse[bounds[:-1]])

    said = hashed(np.append(upto[starts], len(letters)))[np.repeat(words >= LONG, words)]
    if breaks is not None:  # characters of several bytes count once
        ends = np.concatenate([[0], np.cumsum((letters & 0xC0) != 0x80)])[ends]
    return Texts(hashed(upto[bounds]), np.diff(ends), words, said)


def _wide(held: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which bytes belong to words, and which begin one, where there are other letters than English ones."""
    marks = np.flatnonzero((held[:-2] == 0xE2) | (held[:-2] == _LEAD)) if held.size > 2 else np.zeros(0, np.int64)
    marks = marks[held[marks + 1] == 0x80]  # dashes, quotes and the like, which no letter shares its first bytes with
    kept = kept.copy()
    for i in range(3):
        kept[marks + i] = False
    lead = ((held >= _LEAD) & (held <= _LAST_LEAD)) | (held >= _LONG_LEAD)
    return kept, lead & kept


@lru_cache(maxsize=4)
def _powers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first powers of the base, and of its inverse, modulo 2 ** 64."""
    return tuple(np.concatenate([[np.uint64(1)], np.cumprod(np.full(size, base, dtype=np.uint64))])
                 for base in (_BASE, pow(_BASE, -1, 1 << 64)))  # type: ignore[return-value]  # fmt: skip


_WORDS = np.array([chr(i).isalnum() or i >= _ASCII for i in range(256)])
"""Which bytes belong to words."""
_BYTES = mix(np.arange(256, dtype=np.uint64))


class Passages:
    """The passages of the long among some texts, to find them in others."""

    def __init__(self, texts: Texts) -> None:
        rows, runs, _ = _runs(texts)
        self._bits = np.uint64(max(1, int(texts.long.sum()).bit_length()))
        packed = ((runs >> self._bits) << self._bits) | rows.astype(np.uint64)
        packed.sort()
        packed = packed[np.concatenate([[True], packed[1:] != packed[:-1]])] if packed.size else packed
        keys = packed >> self._bits
        owners = (packed & ((np.uint64(1) << self._bits) - np.uint64(1))).astype(np.int64)
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if keys.size else np.zeros(0, np.int64)
        counts = np.diff(np.append(starts, len(keys)))
        once, twice = starts[counts == 1], starts[counts == 2]
        self._once = keys[once], owners[once]
        self._twice = keys[twice], owners[twice] + owners[twice + 1]

    def repeated_by(self, texts: Texts) -> Repeated:
        """Return how much of other long texts stands in one of these and in no second."""
        rows, runs, at = _runs(texts)
        found, whose = _looked_up(self._once, runs >> self._bits)
        return _covered(texts, rows[found], whose, at[found])

    def repeated_within(self, texts: Texts) -> Repeated:
        """Return how much of each of these long texts stands in one of the others and in no second of them."""
        rows, runs, at = _runs(texts)
        found, both = _looked_up(self._twice, runs >> self._bits)
        return _covered(texts, rows[found], both - rows[found], at[found])


def _runs(texts: Texts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all runs of `RUN` words: in which long text, a hash of the words, and at which word they begin."""
    said, words = texts.said, texts.words[texts.long]
    rows = np.repeat(np.arange(len(words), dtype=np.int32), words)
    if len(said) < RUN:
        return rows[:0], said[:0], np.zeros(0, dtype=np.int64)
    runs = said[: len(said) - RUN + 1].copy()
    for i in range(1, RUN):
        runs *= np.uint64(_BASE)
        runs += said[i : len(said) - RUN + 1 + i]
    at = np.flatnonzero(rows[: len(runs)] == rows[RUN - 1 :])
    return rows[at], mix(runs[at]), at


def _looked_up(known: tuple[np.ndarray, np.ndarray], wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of some keys are known, and what is known of each of these."""
    keys, values = known
    size = 1 << (8 * max(len(keys), 1)).bit_length()
    mask = np.uint64(size - 1)
    likely = np.zeros(size, dtype=bool)  # most are not known: they are told by a look at one place
    likely[keys & mask] = True
    found = np.flatnonzero(likely[wanted & mask])
    if not len(keys):
        return found[:0], values[:0]
    place = np.minimum(np.searchsorted(keys, wanted[found]), len(keys) - 1)
    right = keys[place] == wanted[found]
    return found[right], values[place[right]]


def _covered(texts: Texts, rows: np.ndarray, whose: np.ndarray, at: np.ndarray) -> Repeated:
    """Return how much of each text is covered by runs of the one other text that covers most of it.

    Args:
        texts: the texts.
        rows: in which text each run is; never falling.
        whose: which other text has it.
        at: the word that it begins with; rising.
    """
    words = texts.words[texts.long]
    share, most = np.zeros(len(words)), np.full(len(words), -1, dtype=np.int64)
    if not len(rows):
        return Repeated(share, most)
    pairs = (rows.astype(np.uint64) << np.uint64(32)) | whose.astype(np.uint64)
    order = np.argsort(pairs, kind="stable")
    pairs, at = pairs[order], at[order]
    starts = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]]))
    new = np.minimum(np.diff(at, append=0), RUN)
    new[np.append(starts[1:] - 1, len(new) - 1)] = RUN
    covered = np.add.reduceat(new, starts)
    row, other = (pairs[starts] >> np.uint64(32)).astype(np.int64), (pairs[starts] & np.uint64(0xFFFFFFFF))
    best = np.lexsort((-covered, row))
    best = best[np.concatenate([[True], row[best][1:] != row[best][:-1]])]
    share[row[best]] = covered[best] / words[row[best]]
    most[row[best]] = other[best].astype(np.int64)
    return Repeated(share, most)
