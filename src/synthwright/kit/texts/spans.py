"""Stretches of texts with labels, and texts as tokens with tags: whole columns at once.

A column of spans holds JSON for each text: `[{"start": 5, "end": 12, "label": "PERSON"}]`, sorted, in characters
(Unicode code points) from 0, `end` behind the last one.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError

_SPACE, _SINGLE, _WORD, _NUMBER = range(4)
_BREAK = "\n"
"""What is put between texts so that no token reaches from one into the next."""


class Spans(NamedTuple):
    """Spans of the texts of a column, one number each; in any order."""

    row: np.ndarray
    """int64: which text."""
    start: np.ndarray
    """int64, in characters."""
    end: np.ndarray
    """int64."""
    label: np.ndarray
    """int32: the place of the label in a list of labels."""

    @staticmethod
    def none() -> Spans:
        """Return no spans."""
        empty = np.zeros(0, dtype=np.int64)
        return Spans(empty, empty, empty, empty.astype(np.int32))

    @staticmethod
    def joined(parts: list[Spans]) -> Spans:
        """Return the spans of several together."""
        return Spans(*(np.concatenate(c) for c in zip(*parts, strict=True))) if parts else Spans.none()

    def some(self, which: np.ndarray) -> Spans:
        """Return some of them: by position, or where booleans are true."""
        return Spans(*(c[which] for c in self))

    def sorted(self) -> Spans:
        """Return them by row, then by start, longer ones first."""
        if not len(self.row):
            return self
        wide = int(self.end.max()) + 1
        if (int(self.row.max()) + 1) * wide**2 >= 2**63:
            return self.some(np.lexsort((-self.end, self.start, self.row)))
        key = (self.row * wide + self.start) * wide + (wide - 1 - self.end)  # one number sorts faster than three
        return self.some(np.argsort(key, kind="stable"))


# ------------------------------------------------------------------------------------------------------- as a column
def written(spans: Spans, labels: tuple[str, ...], rows: int) -> pa.Array:
    """Return spans as a column of JSON; labels are words that JSON needs no escapes for."""
    held = spans.sorted()
    names = pa.array([f', "label": "{one}"}}' for one in labels], pa.string())
    said = pc.binary_join_element_wise(
        '{"start": ', pa.array(held.start).cast(pa.string()), ', "end": ', pa.array(held.end).cast(pa.string()),
        names.take(pa.array(held.label)), "",
    )  # fmt: skip
    ends = np.searchsorted(held.row, np.arange(rows + 1))
    listed = pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), said)
    return pc.binary_join_element_wise("[", pc.binary_join(listed, ", "), "]", "").cast(pa.large_string())


def read(column: pa.ChunkedArray | pa.Array, owner: str) -> tuple[Spans, tuple[str, ...]]:
    """Return the spans that a column holds as JSON, and their labels; a row without a value has none.

    Raises:
        InputError: a value is no list of spans.
    """
    import polars as pl

    wanted = 'lists such as [{"start": 5, "end": 12, "label": "PERSON"}]'
    shape = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
    texts = pl.Series("spans", pa.chunked_array([column]) if isinstance(column, pa.Array) else column)
    try:
        frame = texts.str.json_decode(shape).to_frame().with_row_index("row").explode("spans").unnest("spans")
    except pl.exceptions.PolarsError:
        raise InputError(owner, "the column of spans", wanted=wanted, got="other text") from None
    frame = frame.filter(pl.any_horizontal(pl.col("start", "end", "label").is_not_null()))
    good = frame.filter((pl.col("start") >= 0) & (pl.col("end") > pl.col("start")) & pl.col("label").is_not_null())
    if len(good) < len(frame):
        raise InputError(owner, "the column of spans", wanted=wanted, got=f"{len(frame) - len(good)} that are none")
    labels = tuple(sorted(good["label"].unique().to_list()))
    code = pa.array(good["label"].to_arrow()).cast(pa.large_string())
    which = pc.index_in(code, value_set=pa.array(labels, pa.large_string()))
    row, start, end = (good[c].to_numpy().astype(np.int64) for c in ("row", "start", "end"))
    return Spans(row, start, end, np.asarray(which, dtype=np.int32)), labels


def outermost(spans: Spans) -> Spans:
    """Return spans, sorted, without those that begin inside one before them: the longer of two that begin together."""
    held = spans.sorted()
    if not len(held.row):
        return held
    wide = np.int64(held.end.max() + 1)
    reach = np.maximum.accumulate(held.row * wide + held.end)  # of one row: rows before lie wholly below
    before = np.concatenate([[-1], reach[:-1]])
    return held.some(held.row * wide + held.start >= before)


# ------------------------------------------------------------------------------------------------------------ tokens
class Tokens(NamedTuple):
    """The tokens of the texts of a column, in order."""

    text: pa.Array
    row: np.ndarray
    """int64: the text that each is of."""
    start: np.ndarray
    """int64, in characters of its text."""
    end: np.ndarray


class Tagged(NamedTuple):
    """A tag for each token, and what did not fit."""

    tag: np.ndarray
    """int32: 0 outside; behind it for each label the tag of its first token and that of its others."""
    widened: int
    """Spans that began or ended inside a token, and now are of the whole token."""
    lost: int
    """Spans without a tag: inside others, or of blanks alone."""


def tokens(texts: pa.ChunkedArray | pa.Array) -> Tokens:
    """Cut texts into tokens: runs of letters, runs of digits, and every other character that is no blank by itself.

    Accents belong to the letter before them. A row without a value has no token.
    """
    held = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    held = pc.fill_null(held.cast(pa.large_string()), "")
    whole = pc.binary_join(
        pa.ListArray.from_arrays(pa.array([0, len(held)], pa.int32()), held.cast(pa.string())), _BREAK
    )
    text = (whole[0].as_py() or "") + _BREAK
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    sort = _sorts(points)
    begins = np.ones(len(points), dtype=bool)
    begins[1:] = (sort[1:] != sort[:-1]) | (sort[1:] == _SINGLE)
    at = np.flatnonzero(begins)
    ends = np.append(at[1:], len(points))
    width = np.select([points < 0x80, points < 0x800, points < 0x10000], [1, 2, 3], 4)
    byte = np.concatenate([[0], np.cumsum(width)])
    borders = np.append(byte[at], byte[-1]).astype(np.int64)
    cut = pa.Array.from_buffers(pa.large_string(), len(at), [None, pa.py_buffer(borders), pa.py_buffer(text.encode())])
    kept = sort[at] != _SPACE
    at, ends = at[kept], ends[kept]
    lengths = np.asarray(pc.utf8_length(held), dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(lengths + 1)])[: len(held)]
    row = np.searchsorted(first, at, side="right") - 1
    return Tokens(cut.filter(pa.array(kept)), row, at - first[row], ends - first[row])


def _sorts(points: np.ndarray) -> np.ndarray:
    """Return the sort of every character."""
    distinct, where = np.unique(points, return_inverse=True)
    return np.array([_sort(chr(p)) for p in distinct], dtype=np.uint8)[where]


def _sort(sign: str) -> int:
    kind = unicodedata.category(sign)
    if sign.isspace() or kind in ("Cc", "Zs", "Zl", "Zp"):
        return _SPACE
    if kind[0] in "LM":
        return _WORD
    return _NUMBER if kind[0] == "N" else _SINGLE


def tagged(found: Tokens, spans: Spans) -> Tagged:
    """Return the tag of each token: B for the first token of a span and I for its others, by label, or O."""
    held = outermost(spans)
    if not len(held.row) or not len(found.row):
        return Tagged(np.zeros(len(found.row), dtype=np.int32), 0, len(spans.row))
    wide = np.int64(max(held.end.max(), found.end.max()) + 1)
    starts, ends = held.row * wide + held.start, held.row * wide + held.end
    begin, stop = found.row * wide + found.start, found.row * wide + found.end
    which = np.searchsorted(starts, stop, side="left") - 1  # the last span that begins before the token ends
    inside = (which >= 0) & (ends[which] > begin)
    at = np.where(inside, which, -1)
    first = np.concatenate([[True], at[1:] != at[:-1]])
    tag = np.where(inside, 1 + 2 * held.label[which] + ~first, 0).astype(np.int32)
    used = np.unique(at[inside])
    head, tail = inside & first, inside & np.append(first[1:], True)
    wider = np.zeros(len(starts), dtype=bool)
    wider[at[head]] |= begin[head] < starts[at[head]]
    wider[at[tail]] |= stop[tail] > ends[at[tail]]
    return Tagged(tag, int(wider.sum()), len(spans.row) - len(used))


def tags(labels: tuple[str, ...]) -> list[str]:
    """Return what each tag is called: `O`, `B-PERSON`, `I-PERSON`, and so on."""
    return ["O", *(f"{mark}-{label}" for label in labels for mark in "BI")]
