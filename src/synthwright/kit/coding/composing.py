"""How texts of a column are put together: what of them other columns say, what repeats, and what is made anew."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.composed import Composed, Piece
from synthwright.kit.coding.patterns import ROOMY
from synthwright.kit.coding.skeletons import LONGEST, Slot, built_alike, cut, numbered, worded
from synthwright.kit.coding.spelled import Said, spelled

LEAST = 20
"""Rows below which nothing is found."""
COMMON = 0.9
"""A part is learned where so many rows share what stands there with enough others."""
CLEAR = 1_000
"""Digits are opened until there are so many times more parts made anew than rows that share the rest."""
OTHER = "-"
"""The label of rows that are built in a way that few are."""


class Found(NamedTuple):
    """How the texts of a column are put together, and what of it is to be learned."""

    composed: Composed
    which: pa.Array
    """The label of the way in which each text is built."""
    hidden: dict[str, tuple[Field, pa.Array]]
    """The parts to learn, each as long as the column; null where the text has no such part."""


class Asked(NamedTuple):
    """What is asked about a column."""

    name: str
    """What the hidden columns are called after."""
    unique: str
    """What decides the order of texts none of which may occur twice; nothing: they may."""
    scale: float
    """How many rows there are to one that is looked at."""
    protect: int
    """How many rows must share what is kept of a text."""


def composed_of(asked: Asked, texts: pa.Array, beside: pa.Table, said: list[Said]) -> Found | None:
    """Return how the texts of a column are put together; nothing where no part of them says anything.

    Args:
        asked: what is asked about the column.
        texts: the column, a row each.
        beside: the rows of the columns that parts may be copied from.
        said: how values of these are spelled in texts.
    """
    protect = asked.protect
    rows = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    if len(rows) < LEAST:
        return None
    there = texts.take(pa.array(rows))
    if pc.max(pc.utf8_length(there)).as_py() > LONGEST:
        return None
    held, distinct = beside.take(pa.array(rows)), pc.count_distinct(there).as_py()
    ahead = _ahead(there, held, said, protect)
    rest = there if ahead is None else pc.utf8_slice_codeunits(there, ahead[1])
    ways = built_alike(rest, np.ones(len(rest)), protect)
    if ways is None or not (ahead or any("0" in bare for bare, _ in ways)):
        return None  # words alone are free text
    learner = _Learner(asked.name, len(texts), held, said, protect, rows, {})
    built, label = [], np.full(len(texts), OTHER, dtype=object)
    for i, (bare, mine) in enumerate(ways):
        pieces = learner.pieces(rest.filter(pa.array(mine)), bare, np.flatnonzero(mine), i)
        if pieces is None:
            return None
        whole, same = ((ahead[0],) if ahead else ()) + pieces, held.take(pa.array(np.flatnonzero(mine)))
        built.append(_opened(whole, same, distinct * asked.scale if asked.unique else 0.0))
        label[rows[mine]] = str(i)
    label[~texts.is_valid().to_numpy(zero_copy_only=False)] = None
    every = [p for pieces in built for p in pieces]
    telling = len(built) > 1 or any(p.copied or p.hidden for p in every)
    if not telling or not _roomy(built, held, distinct * asked.scale, alone=bool(asked.unique)):
        return None
    count = np.array([mine.sum() for _, mine in ways], dtype=np.float64)
    shares = tuple((count / count.sum()).tolist())
    return Found(Composed(tuple(built), shares, asked.unique), pa.array(label, pa.large_string()), learner.hidden)


class _Learner(NamedTuple):
    """What the parts of the texts of one column are learned from."""

    name: str
    total: int
    held: pa.Table
    said: list[Said]
    protect: int
    rows: np.ndarray
    hidden: dict[str, tuple[Field, pa.Array]]

    def pieces(self, texts: pa.Array, bare: str, mine: np.ndarray, way: int) -> tuple[Piece, ...] | None:
        """Return the parts of texts that are built in one way; nothing where words are free."""
        held, out = self.held.take(pa.array(mine)), []
        parts = cut(texts, bare)
        for part in parts or ():
            if isinstance(part, str):
                out.append(Piece(Slot((part,), (), (1.0,))))
                continue
            for run, copied in _apart(part, held, self.said):
                slot = worded(run, np.ones(len(run)), self.protect)
                digits = pc.match_substring_regex(run, "^[0-9]+$")
                if slot is None and pc.all(digits).as_py():
                    slot = numbered(run, np.ones(len(run)), self.protect)
                if slot is None:
                    return None
                piece = Piece(slot, copied)
                out.append(piece if copied else self._learned(piece, run, mine, f"#{self.name}.{way}.{len(out)}"))
        return tuple(out) if parts is not None else None

    def _learned(self, piece: Piece, run: pa.Array, mine: np.ndarray, name: str) -> Piece:
        """Return a part as it is, or as a hidden column that is noted."""
        if len(piece.slot.words) > 1:
            field, values = Field(kind=Kind.CATEGORY), run
        elif piece.slot.words or not _common(run, self.protect):
            return piece
        else:
            width = pc.utf8_length(run)
            least, most = pc.min_max(width).as_py().values()
            zeros = pc.any(pc.match_substring_regex(run, "^0[0-9]")).as_py()
            if most > 18 or (zeros and least != most):
                return piece
            field, values = Field(kind=Kind.INTEGER, step=1), run.cast(pa.int64())
            piece = replace(piece, width=least if zeros else 0)
        at = np.full(self.total, len(values))
        at[self.rows[mine]] = np.arange(len(values))
        whole = pa.concat_arrays([values, pa.nulls(1, values.type)])
        self.hidden[name] = field, whole.take(pa.array(at))
        return replace(piece, hidden=name)


def _ahead(texts: pa.Array, held: pa.Table, said: list[Said], protect: int) -> tuple[Piece, int] | None:
    """Return the part at the beginning of every text that is what another column says: the longest one."""
    best: tuple[Piece, int] | None = None
    for one in (s for s in said if not s.form):
        wide = _within(texts, held, one, ends=(0,))
        if wide is not None and (best is None or wide.size > best[1]):
            begun = pc.utf8_slice_codeunits(texts, 0, wide.size)
            slot = worded(begun, np.ones(len(begun)), protect) or Slot(("",), (), (1.0,))
            best = Piece(slot, one), wide.size
    return best


def _apart(run: pa.Array, held: pa.Table, said: list[Said]) -> list[tuple[pa.Array, Said | None]]:
    """Return a run of digits or letters in one piece, or in two or three where another column says some of it."""
    if pc.count_distinct(run).as_py() < 2:
        return [(run, None)]
    for one in said:
        there = _within(run, held, one, ends=(0, -1))
        if there is None:
            continue
        if there.whole:
            return [(run, one)]
        edge = there.size if there.begin == 0 else there.begin
        first, last = pc.utf8_slice_codeunits(run, 0, edge), pc.utf8_slice_codeunits(run, edge)
        if there.begin == 0:
            return [(first, one), *_apart(last, held, said)]
        return [*_apart(first, held, said), (last, one)]
    return [(run, None)]


class _There(NamedTuple):
    """Where in texts the value of another column stands."""

    begin: int
    size: int
    whole: bool
    """Whether it is all that there is."""


def _within(texts: pa.Array, held: pa.Table, said: Said, ends: tuple[int, ...]) -> _There | None:
    """Return where in every text stands what another column says, at the beginning (0) or the end (-1)."""
    few = spelled(held.slice(0, LEAST), said)
    if few.null_count:
        return None
    if pc.all(pc.equal(texts.slice(0, LEAST), few)).as_py() and _same(texts, spelled(held, said)):
        return _There(0, int(pc.max(pc.utf8_length(texts)).as_py()), whole=True)
    size, length = pc.min_max(pc.utf8_length(few)).as_py(), pc.min_max(pc.utf8_length(texts)).as_py()
    for end in ends:
        wide, even = size["min"], end == 0 or length["min"] == length["max"]
        if not even or wide != size["max"] or not 1 < wide < length["min"]:
            continue
        begin = 0 if end == 0 else length["min"] - wide
        part = pc.utf8_slice_codeunits(texts, begin, begin + wide)
        if pc.all(pc.equal(part.slice(0, LEAST), few)).as_py() and _same(part, spelled(held, said)):
            return _There(begin, wide, whole=False)
    return None


def _same(texts: pa.Array, values: pa.Array) -> bool:
    """Return whether texts are what another column says in every row, and not the same in nearly all of them."""
    if values.null_count or not pc.all(pc.equal(texts, values)).as_py():
        return False
    counts = pc.value_counts(texts).field(1)
    return bool(len(texts) - pc.max(counts).as_py() >= LEAST)


def _common(run: pa.Array, protect: int) -> bool:
    counts = pc.value_counts(run).field(1).to_numpy(zero_copy_only=False)
    return bool(counts[counts >= protect].sum() >= COMMON * len(run))


def _sizes(pieces: tuple[Piece, ...], held: pa.Table) -> list[float]:
    """Return how many different parts there may be, or were of what is copied."""
    return [float(pc.count_distinct(spelled(held, p.copied)).as_py()) if p.copied else p.slot.size for p in pieces]


def _opened(pieces: tuple[Piece, ...], held: pa.Table, each: float) -> tuple[Piece, ...]:
    """Return the parts of texts with more digits that may vary, where so few may that many real texts would come back.

    What counts are the rows that share all that is not made anew; and how many there are of `each` of which none may
    occur twice, where there are digits enough for that only.
    """
    sizes, out = _sizes(pieces, held), list(pieces)
    alike = held.num_rows / max(float(np.prod([s for p, s in zip(pieces, sizes, strict=True) if not p.anew])), 1.0)
    for i in range(len(out) - 1, -1, -1):
        room = float(np.prod([p.slot.size for p in out if p.anew]))
        for wanted in (CLEAR * max(alike, 1.0), ROOMY * each):
            if out[i].anew and room < wanted:
                least = int(wanted / room * out[i].slot.size) + 1
                layouts = tuple(layout.opened(least) for layout in out[i].slot.layouts)
                out[i] = replace(out[i], slot=replace(out[i].slot, layouts=layouts))
                room = float(np.prod([p.slot.size for p in out if p.anew]))
    return tuple(out)


def _roomy(built: list[tuple[Piece, ...]], held: pa.Table, distinct: float, *, alone: bool) -> bool:
    """Return whether there are so many other texts that none need come back; where all is common numbers, it may.

    Where none may occur twice, what is made anew must do alone.
    """
    if alone:
        return all(math.prod(p.slot.size for p in pieces if p.anew) >= ROOMY * distinct for pieces in built)
    room = sum(float(np.prod(_sizes(pieces, held))) for pieces in built)
    free = any(p.anew or _spoken(p) for pieces in built for p in pieces)
    return not free or room >= ROOMY * distinct


def _spoken(piece: Piece) -> bool:
    """Return whether a part is one of several words, which may say something about somebody."""
    return len(piece.slot.words) > 1 and piece.copied is None and not all(w.isdigit() for w in piece.slot.words)
