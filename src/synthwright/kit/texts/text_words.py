"""The words of texts as numbers, text by text: for telling which texts share words, or words in a row.

Words are runs of letters and digits, whatever their capitals, marks and blanks; in scripts that set no blanks every
character is a word. Texts are held as hashes, never as text; a null and a text without words have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column
from synthwright.kit.rows import mix, value_hashes

_BASE = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 16
"""Texts that are read at once."""
_ALONE = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])"
_BETWEEN = r"[^\pL\pN\pM]+"


class Words(NamedTuple):
    """The words of texts, one text after another."""

    hashes: np.ndarray
    """One uint64 for each word."""
    bounds: np.ndarray
    """Where each text begins, and behind the last: one more than there are texts."""
    whole: np.ndarray
    """One uint64 for each text, equal where all words are."""

    @property
    def counts(self) -> np.ndarray:
        """How many words each text has."""
        return np.diff(self.bounds)

    @property
    def rows(self) -> np.ndarray:
        """Which text each word belongs to."""
        return np.repeat(np.arange(len(self.whole)), self.counts)

    def taken(self, which: np.ndarray) -> Words:
        """Return those of some texts."""
        sizes = self.counts[which]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(bounds[-1]) + np.repeat(self.bounds[which] - bounds[:-1], sizes)
        return Words(self.hashes[places], bounds, self.whole[which])


def plain(column: Column) -> Column:
    """Return texts in small letters, with single blanks between words and no marks; nulls are empty."""
    held = pc.fill_null(column.cast(pa.large_string()), "")
    said = pc.utf8_lower(pc.utf8_normalize(held, "NFKC"))
    said = pc.replace_substring_regex(said, r"['’]", "")
    said = pc.replace_substring_regex(said, _ALONE, r" \1 ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(said, _BETWEEN, " "))


def words(column: Column) -> Words:
    """Return the words of every text of a column, in its order."""
    parts = list(_parts(column))
    if not parts:
        none = np.zeros(0, dtype=np.uint64)
        return Words(none, np.zeros(1, dtype=np.int64), none)
    counts = np.concatenate([p.counts for p in parts])
    bounds = np.concatenate([[0], np.cumsum(counts)])
    return Words(np.concatenate([p.hashes for p in parts]), bounds, np.concatenate([p.whole for p in parts]))


def _parts(column: Column) -> Iterator[Words]:
    for begin in range(0, len(column), _BLOCK):
        said = plain(column.slice(begin, _BLOCK))
        said = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
        listed = pc.split_pattern(said, " ")
        empty = pc.equal(said, "").to_numpy(zero_copy_only=False)
        bounds = listed.offsets.to_numpy().astype(np.int64)
        hashes = value_hashes(listed.flatten())
        counts = np.where(empty, 0, np.diff(bounds))
        kept = np.repeat(~empty, np.diff(bounds))  # an empty text is split into one empty word
        yield Words(hashes[kept], np.concatenate([[0], np.cumsum(counts)]), value_hashes(said))


class Runs(NamedTuple):
    """Words in a row, text by text."""

    rows: np.ndarray
    """Which text each is in, never falling."""
    hashes: np.ndarray
    """One uint64 each, equal where its words are."""


def runs(held: Words, size: int) -> Runs:
    """Return every `size` words in a row of every text; texts with fewer words have none."""
    rows = held.rows
    count = len(rows) - size + 1
    if count <= 0:
        return Runs(rows[:0], held.hashes[:0])
    said = held.hashes[:count].copy()
    for i in range(1, size):
        said *= _BASE
        said += held.hashes[i : count + i]
    inside = rows[:count] == rows[size - 1 :]
    return Runs(rows[:count][inside], mix(said[inside]))


def shares(found: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return for each of `count` texts which share of its runs was found; 0 where it has none."""
    total = np.bincount(rows, minlength=count)
    return np.bincount(rows, weights=found, minlength=count) / np.maximum(total, 1)


class Set:
    """Hashes, to tell which others are among them: sorted, each once."""

    def __init__(self, parts: list[np.ndarray]) -> None:
        self.held = np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint64)

    def has(self, hashes: np.ndarray) -> np.ndarray:
        """Return booleans: which of some hashes are among these."""
        if not len(self.held):
            return np.zeros(len(hashes), dtype=bool)
        place = np.minimum(np.searchsorted(self.held, hashes), len(self.held) - 1)
        return np.asarray(self.held[place] == hashes)
