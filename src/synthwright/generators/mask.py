"""Values of another column, or of the column itself, with most characters hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.casting import as_text, is_text
from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import Kind, Schema
from synthwright.kit.formula.stated import lost
from synthwright.kit.ruled import Ask, Column, Ruled

_TEXT = pa.large_string()
_CLASSES = ((ord("0"), ord("9")), (ord("A"), ord("Z")), (ord("a"), ord("z")))
_PLAINER = ((r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}]", "a"), (r"\p{N}", "0"))
"""What letters and digits beyond ASCII become before others are put in their place."""
Which: TypeAlias = Callable[[np.ndarray, int], np.ndarray]
"""Says which bytes may be changed, from where texts begin and how many bytes there are."""


class Mask(Ruled):
    """Hides the characters of values: `4000 1234 5678 9010` becomes `**** **** **** 9010`.

    ::

        {make: [receipt.card], use: mask, with: {of: payment.card_number, keep_last: 4, keep_marks: true}}

    With `how: shuffle` every digit becomes another digit of chance, every letter a letter (capitals stay capitals),
    and everything else stays: the look is kept, the content is not. In mode `replace` it is the column's own values
    that are hidden. A value of which all characters would be kept is hidden whole.
    """

    name: ClassVar[str] = "mask"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.TEXT, Kind.CATEGORY}), given="declared", learns=False, random=False
    )  # only a shuffle follows the seed

    of: str | None = Setting(default=None, examples=["a"])
    """The column whose values are hidden, or the path to one. Nothing: the column itself, in mode `replace`."""
    how: Literal["hide", "shuffle"] = "hide"
    """hide: characters become `by`; shuffle: digits become other digits, letters other letters."""
    keep_first: int = Setting(default=0, ge=0, le=1000)
    """How many characters at the beginning stay."""
    keep_last: int = Setting(default=0, ge=0, le=1000)
    """How many characters at the end stay."""
    keep_marks: bool = False
    """Whether blanks, dashes and other marks stay where characters are hidden; a shuffle leaves them always."""
    by: str = Setting(default="*", min_length=1, max_length=1, examples=["#"])
    """The character that stands for a hidden one."""

    def paths(self) -> Sequence[str]:
        return () if self.of is None else (self.of,)

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # the path is told with its place
        found += [(("of",), said) for path in self.paths() for said in lost(path, schema, table, produce)]
        return found + [((word,), "goes with 'how: hide'") for word, said in (("by", self.by != "*"), ("keep_marks",
                        self.keep_marks)) if said and self.how == "shuffle"]  # fmt: skip

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {c: self._hidden(ask, c) for c in ask.produce}

    def _hidden(self, ask: Ask, column: str) -> pa.Array:
        path = column if self.of is None else self.of
        if self.of is None and column not in ask.given.tables[ask.table].column_names:
            return pa.nulls(ask.rows, _TEXT)  # there is nothing to hide
        held = ask.column(path)
        whole = pa.concat_arrays(held.chunks) if held.num_chunks else pa.array([], held.type)
        values = whole.cast(_TEXT) if is_text(whole.type) else as_text(whole)
        found = self._changed(pc.fill_null(values, ""), ask.ctx.at(column).rng)
        return pc.if_else(values.is_null(), pa.scalar(None, _TEXT), found)

    def _changed(self, values: pa.Array, rng: np.random.Generator) -> pa.Array:
        if not len(values) or (pc.all(pc.string_is_ascii(values)).as_py() and self.by.isascii()):
            return self._written(values, rng, self._free)
        first, middle, last = self._parts(values)
        if self.how == "shuffle":
            for letters, instead in _PLAINER:
                middle = pc.replace_substring_regex(middle, letters, instead)
            middle = self._written(middle, rng, _every)  # bytes of other characters are no letters and stay
        elif self.keep_marks:
            middle = pc.replace_substring_regex(middle, r"[\p{L}\p{M}\p{N}]", self.by.replace("\\", r"\\"))
        else:
            middle = pc.binary_repeat(pa.scalar(self.by, _TEXT), pc.utf8_length(middle))
        return pc.binary_join_element_wise(first, middle, last, pa.scalar("", _TEXT))

    def _parts(self, values: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
        """Return the characters that stay at the beginning, those that do not, and those that stay at the end."""
        kept = self.keep_first + self.keep_last
        long = pc.greater(pc.utf8_length(values), kept)
        empty = pa.scalar("", _TEXT)
        first = pc.if_else(long, pc.utf8_slice_codeunits(values, 0, self.keep_first), empty)
        if not self.keep_last:
            middle = pc.if_else(long, pc.utf8_slice_codeunits(values, self.keep_first), values)
            return first, middle, pc.if_else(long, empty, empty)
        middle = pc.if_else(long, pc.utf8_slice_codeunits(values, self.keep_first, -self.keep_last), values)
        return first, middle, pc.if_else(long, pc.utf8_slice_codeunits(values, -self.keep_last), empty)

    def _written(self, values: pa.Array, rng: np.random.Generator, which: Which) -> pa.Array:
        """Return ASCII texts with other bytes in place of those that are hidden."""
        ends = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset : values.offset + len(values) + 1]
        data = values.buffers()[2]
        points = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]].copy() if data else np.zeros(0, np.uint8)
        begins = ends - ends[0]
        free = which(begins, len(points))
        if self.how == "hide":
            if self.keep_marks:
                free &= _class(points) >= 0
            points[free] = ord(self.by)
        else:
            kind = _class(points)
            for i, (low, high) in enumerate(_CLASSES):
                at = np.flatnonzero(free & (kind == i))
                points[at] = rng.integers(low, high + 1, len(at), dtype=np.uint8)
        return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(begins), pa.py_buffer(points))

    def _free(self, begins: np.ndarray, size: int) -> np.ndarray:
        """Return which bytes may be changed: those that are not among the first and last of their text."""
        free = np.ones(size, dtype=bool)
        long = np.flatnonzero(np.diff(begins) > self.keep_first + self.keep_last)
        for k in range(self.keep_first if len(long) else 0):
            free[begins[long] + k] = False
        for k in range(self.keep_last if len(long) else 0):
            free[begins[long + 1] - 1 - k] = False
        return free


def _every(begins: np.ndarray, size: int) -> np.ndarray:  # noqa: ARG001  texts are free wherever they begin
    return np.ones(size, dtype=bool)


def _class(points: np.ndarray) -> np.ndarray:
    """Return for ASCII bytes whether they are digits (0), capitals (1), small letters (2) or none (-1)."""
    table = np.full(256, -1, dtype=np.int8)
    for i, (low, high) in enumerate(_CLASSES):
        table[low : high + 1] = i
    return table.take(points)
