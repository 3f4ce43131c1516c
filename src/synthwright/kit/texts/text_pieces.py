"""Texts cut into words and what stands between them, whole columns at once, with the spans that lie on them.

Changes are made to words; writing the texts again says where every span now is. A stretch that a span marks is one
word, and so is what must not be changed: addresses of the web and of mail, whatever holds digits, words of scripts
other than Latin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError
from synthwright.kit.texts.spans import Spans

TEXT = pa.large_string()
_WORD = r"\p{Latin}[\p{Latin}\p{M}]*(?:['’-]\p{Latin}[\p{Latin}\p{M}]*)*"
_CUT = (
    r"(?i:[a-z][a-z0-9+.-]*://[^\s<>\"]+|www\.[^\s<>\"]+)"
    r"|[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+"
    r"|[@#][\pL\pN_]+|\{+[^{}\s]*\}+|<[^<>\s]+>"
    r"|[\pL\pM]*\pN[\pL\pM\pN_]*(?:[.,:/'’%-]*[\pL\pN_]+)*"
    r"|[\pL\pM_]+(?:[._][\pL\pM\pN_]+)+"
    rf"|{_WORD}-\pN[\pL\pN_]*|{_WORD}|[\pL\pM]+|[^\pL\pN@#{{<]+|(?s:.)"
)
"""What a text is cut into, the likeliest first: addresses, names in braces, numbers, words, and what is between."""
_KEPT = r"[\pL\pN]"
ADDRESS = r"[\pN@]|://|www\."
"""What a marked stretch holds that is never changed: digits, addresses."""


class Marks(NamedTuple):
    """Spans on pieces of texts: where in its piece each begins and ends, in characters, and what it is."""

    piece: np.ndarray
    start: np.ndarray
    end: np.ndarray
    label: np.ndarray


class Pieces(NamedTuple):
    """The words of the texts of a column, one after another."""

    row: np.ndarray
    """int64, never falling: which text each is in."""
    before: pa.Array
    """What stands before each, behind the one before it: blanks, punctuation, or nothing."""
    text: pa.Array
    free: np.ndarray
    """Booleans: which may be changed."""
    tail: pa.Array
    """What stands at the end of each text."""
    marks: Marks

    @property
    def apart(self) -> np.ndarray:
        """Booleans: which stand at the beginning of their text, or behind a blank."""
        return firsts(self.row) | matching(self.before, r"\s$")

    @property
    def whole(self) -> np.ndarray:
        """Booleans: which are a stretch that one span marks, and nothing else."""
        size = len(self.row)
        marks = np.bincount(self.marks.piece, minlength=size)
        covered = (self.marks.start == 0) & (self.marks.end == lengths(self.text)[self.marks.piece])
        full = np.bincount(self.marks.piece[covered], minlength=size)
        return (marks == 1) & (full == 1)

    @property
    def counts(self) -> np.ndarray:
        """How many words each text has."""
        return np.bincount(self.row, minlength=len(self.tail))


def firsts(group: np.ndarray) -> np.ndarray:
    """Return booleans: which are the first of a run of equals."""
    return np.append(True, group[1:] != group[:-1])[: len(group)]


def matching(texts: pa.Array, pattern: str) -> np.ndarray:
    """Return booleans: in which texts a pattern is found."""
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def lengths(texts: pa.Array) -> np.ndarray:
    """Return how many characters each text has."""
    return np.asarray(pc.utf8_length(texts), dtype=np.int64)


def bytes_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return where the bytes of each text begin, and behind the last; and the bytes of all, one after another."""
    if not len(texts):
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    ends = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    held = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]] if data else np.zeros(0, dtype=np.uint8)
    return ends - ends[0], held


def cut_at(borders: np.ndarray, data: np.ndarray) -> pa.Array:
    """Return bytes as texts that begin and end at borders."""
    held = np.ascontiguousarray(borders, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(held) - 1, pa.py_buffer(held), pa.py_buffer(np.ascontiguousarray(data)))


def taken(texts: pa.Array, which: np.ndarray) -> pa.Array:
    """Return some texts, in an array of their own."""
    return texts.take(pa.array(which, pa.int64()))


# --------------------------------------------------------------------------------------------------------------- cut
def cut(texts: pa.Array, spans: Spans, owner: str) -> Pieces:
    """Cut texts, none of which is null, into words.

    Args:
        texts: the texts, `large_string`.
        spans: what is marked in them.
        owner: whose error it is where a span ends behind its text.
    """
    bounds, data = bytes_of(texts)
    held = spans.sorted()
    group = _groups(held)
    if (held.end > lengths(texts)[held.row]).any():
        raise InputError(
            owner, "the column of spans", wanted="spans inside their texts", got="some that end behind them"
        )
    at = np.flatnonzero((data & 0xC0) != 0x80)  # where characters begin
    at = np.append(at, len(data))
    origin = np.searchsorted(at, bounds[:-1])
    heads = np.flatnonzero(firsts(group))
    reach = np.maximum.reduceat(held.end, heads) if len(heads) else np.zeros(0, dtype=np.int64)
    low = at[origin[held.row[heads]] + held.start[heads]]
    high = at[origin[held.row[heads]] + reach]
    start, end, free = _words(bounds, data, low, high)
    row = np.searchsorted(bounds, start, side="right") - 1
    before, text, tail = _between(bounds, data, row, start, end)
    offset = held.start - held.start[heads][group] if len(heads) else held.start
    piece = np.searchsorted(start, low)[group] if len(heads) else group
    marks = Marks(piece, offset, offset + held.end - held.start, held.label)
    made = Pieces(row, before, text, free, tail, marks)
    return made._replace(free=free & ~_touching(made)) if len(heads) else made


def _groups(held: Spans) -> np.ndarray:
    """Return which spans overlap: equal numbers, from 0, for those that do."""
    if not len(held.row):
        return np.zeros(0, dtype=np.int64)
    wide = np.int64(held.end.max() + 1)
    reach = np.maximum.accumulate(held.row * wide + held.end)
    fresh = np.append(True, held.row[1:] * wide + held.start[1:] >= reach[:-1])
    fresh |= firsts(held.row)
    return np.cumsum(fresh) - 1


def _words(
    bounds: np.ndarray, data: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where words begin and end, in bytes, and which are free; from `low` to `high` is one that is not."""
    import polars as pl

    borders = np.unique(np.concatenate([bounds, low, high]))
    if len(borders) < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none.astype(bool)
    marked = np.isin(borders[:-1], low)
    stretches = pc.if_else(pa.array(marked), pa.scalar("", TEXT), cut_at(borders, data))
    found = pl.from_arrow(stretches).str.extract_all(_CUT).to_frame("cut")  # type: ignore[union-attr]
    counts = found["cut"].list.len().to_numpy()
    parts = found.explode("cut", empty_as_null=False)["cut"]
    sizes = parts.str.len_bytes().to_numpy().astype(np.int64)
    ends = np.cumsum(sizes)
    begins = ends - sizes
    total = np.bincount(np.repeat(np.arange(len(counts)), counts), weights=sizes, minlength=len(counts)).astype(
        np.int64
    )
    begins += np.repeat(borders[:-1] - (np.cumsum(total) - total), counts)
    kept = parts.str.contains(_KEPT).to_numpy()
    free = parts.str.contains(rf"^{_WORD}$").to_numpy()[kept]
    begin = np.concatenate([begins[kept], low])
    end = np.concatenate([begins[kept] + sizes[kept], high])
    order = np.argsort(begin, kind="stable")
    return begin[order], end[order], np.concatenate([free, np.zeros(len(low), dtype=bool)])[order]


def _between(
    bounds: np.ndarray, data: np.ndarray, row: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return what stands before words, the words, and what stands at the ends of texts."""
    first, last = _order(row, len(bounds) - 1)
    borders = np.zeros(2 * len(row) + len(bounds), dtype=np.int64)
    borders[first + 1], borders[first + 2], borders[last + 1] = start, end, bounds[1:]
    every = cut_at(borders, data)
    return taken(every, first), taken(every, first + 1), taken(every, last)


def _order(row: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at which places what stands before words is written, and what stands at the ends of texts."""
    return 2 * np.arange(len(row)) + row, 2 * np.searchsorted(row, np.arange(count), side="right") + np.arange(count)


def _touching(held: Pieces) -> np.ndarray:
    """Return which words have no blank between them and a marked stretch: `'s` behind a name."""
    marked = np.zeros(len(held.row), dtype=bool)
    marked[held.marks.piece] = True
    tied = ~firsts(held.row) & ~matching(held.before, r"\s")
    found = np.zeros(len(held.row), dtype=bool)
    found[1:] = tied[1:] & marked[:-1]
    found[:-1] |= tied[1:] & marked[1:]
    return found


# ------------------------------------------------------------------------------------------------------------- write
def joined(held: Pieces) -> tuple[pa.Array, Spans]:
    """Return the texts again, and where in them their spans are."""
    words, count = len(held.row), len(held.tail)
    first, last = _order(held.row, count)
    which = np.zeros(2 * words + count, dtype=np.int64)
    which[first], which[first + 1], which[last] = (
        np.arange(words),
        words + np.arange(words),
        2 * words + np.arange(count),
    )
    every = taken(pa.concat_arrays([held.before, held.text, held.tail]), which)
    borders, data = bytes_of(every)
    texts = cut_at(np.append(0, borders[last + 1]), data)
    if not len(held.marks.piece):
        return texts, Spans.none()
    behind = np.cumsum(lengths(every))
    origin = np.append(0, behind[last])[: count or 1]
    row = held.row[held.marks.piece]
    at = behind[first[held.marks.piece]] - origin[row]
    return texts, Spans(row, at + held.marks.start, at + held.marks.end, held.marks.label)


# ------------------------------------------------------------------------------------------------------------ change
def replaced(held: Pieces, at: np.ndarray, new: pa.Array) -> Pieces:
    """Return pieces with other words at some places, which rise; a span on such a word is of the whole new word."""
    if not len(at):
        return held
    mask = np.zeros(len(held.row), dtype=bool)
    mask[at] = True
    text = pc.replace_with_mask(held.text, pa.array(mask), new)
    moved = mask[held.marks.piece]
    size = lengths(text)[held.marks.piece]
    marks = held.marks._replace(start=np.where(moved, 0, held.marks.start), end=np.where(moved, size, held.marks.end))
    return held._replace(text=text, marks=marks)


def inserted(held: Pieces, at: np.ndarray, new: pa.Array, *, behind: bool = False) -> Pieces:
    """Return pieces with new words before those at some places, which rise, or behind them."""
    if not len(at):
        return held
    words = np.arange(len(held.row))
    blank = pa.array([" "], TEXT)
    which = np.insert(words, at + behind, len(words) + np.arange(len(at)))
    own = which.copy()
    if not behind:  # the new word takes what stood before the old one, which stands behind a blank now
        own = np.insert(words, at, at)
        own[at + 1 + np.arange(len(at))] = len(words)
    before = taken(pa.concat_arrays([held.before, blank]), np.minimum(own, len(words)))
    text = taken(pa.concat_arrays([held.text, new]), which)
    row = np.append(held.row, held.row[at])[which]
    free = np.append(held.free, np.ones(len(at), dtype=bool))[which]
    shift = np.searchsorted(at + behind, held.marks.piece, side="right")
    return Pieces(row, before, text, free, held.tail, held.marks._replace(piece=held.marks.piece + shift))


def deleted(held: Pieces, gone: np.ndarray) -> Pieces:
    """Return pieces without some words; no span lies on these. Punctuation stays, blanks do not double."""
    at = np.flatnonzero(gone)
    if not len(at):
        return held
    words, count = len(held.row), len(held.tail)
    head = firsts(held.row)
    stripped = pc.utf8_rtrim_whitespace(taken(held.before, at))
    ends = _until_end(gone, held.row) & ~head
    stripped = pc.if_else(pa.array(ends[at]), pc.utf8_rtrim(stripped, ",;: "), stripped)
    before = pc.replace_with_mask(held.before, pa.array(gone), stripped)
    leads = _since_start(gone, held.row) & ~gone & ~head
    before = pc.if_else(pa.array(leads), pc.utf8_ltrim(before, ",;: "), before)
    place = np.arange(words) + held.row  # what stands before words, and at the ends of texts, in reading order
    end = np.searchsorted(held.row, np.arange(count), side="right") + np.arange(count)
    which = np.zeros(words + count, dtype=np.int64)
    which[place], which[end] = np.arange(words), words + np.arange(count)
    borders, data = bytes_of(taken(pa.concat_arrays([before, held.tail]), which))
    stay = np.ones(words + count, dtype=bool)
    stay[place[at]] = False
    gaps = cut_at(np.append(0, borders[1:][stay]), data)
    left = np.flatnonzero(~gone)
    at_end = np.cumsum(stay)[end] - 1
    at_word = np.cumsum(stay)[place[left]] - 1
    shift = np.cumsum(gone)[held.marks.piece]
    return Pieces(held.row[left], taken(gaps, at_word), taken(held.text, left), held.free[left], taken(gaps, at_end),
                  held.marks._replace(piece=held.marks.piece - shift))  # fmt: skip


def _since_start(gone: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return which words have only words before them, in their text, that go."""
    stays = np.cumsum(~gone)
    base = (stays - ~gone)[np.flatnonzero(firsts(row))]
    return np.asarray(stays - ~gone == base[np.cumsum(firsts(row)) - 1])


def _until_end(gone: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return which words go, and all behind them in their text."""
    return np.flip(_since_start(np.flip(gone), np.flip(row))) & gone
