"""Prompts: templates over the columns of a row, read strictly and written for many rows at once.

A template mentions columns, and columns of the rows that references lead to: `{{ customer.first_name }}`. Values are
data: what a column holds is written into the prompt and never read as a template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind
from synthwright.kit.lookups import flat
from synthwright.kit.prompting import prompt_language
from synthwright.kit.prompting.prompt_language import Program
from synthwright.kit.prompting.prompt_process import SECONDS, Child, TooSlowError
from synthwright.kit.prompting.prompt_words import Flag, Unwritten
from synthwright.kit.ruled import Ask, hops

HERE = 10_000_000
"""Characters that the values of one row may have, as often as they are mentioned, for prompts to be written here."""
_NUMBER = 40
"""Characters of a value that is no text, at most."""


@dataclass(frozen=True)
class Prompt:
    """A template that was read and found to be harmless."""

    text: str
    program: Program

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the prompt that a template is.

        Raises:
            ValueError: it is no template, or one that does more than write text; the message says where and what.
        """
        return cls(text, _read(text))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns and paths that it mentions."""
        return self.program.names

    def render(self, ask: Ask, rows: np.ndarray | None = None) -> list[str | Unwritten]:
        """Return the prompt of rows, by position; without positions, of all of them.

        Raises:
            SampleError: a column is not there, or too many rows take too long.
        """
        count = ask.rows if rows is None else len(rows)
        return self._written([values(ask, path, rows) for path in self.names], count)

    def of(self, said: Mapping[str, Any]) -> str | Unwritten:
        """Return the prompt for values that are said by name; what is not said has no value."""
        return self.every([said])[0]

    def every(self, said: Sequence[Mapping[str, Any]]) -> list[str | Unwritten]:
        """Return the prompts for several such values."""
        return self._written([[one.get(name) for one in said] for name in self.names], len(said))

    def _written(self, columns: Sequence[Sequence[Any]], count: int) -> list[str | Unwritten]:
        if self.program.bounded and self._most(columns) <= HERE:
            return self.program.write(columns, count)
        rows = list(zip(*columns, strict=True)) if columns else [()] * count
        try:
            with Child(self.text) as child:
                return child.write(rows)
        except TooSlowError as error:
            raise SampleError("prompt", "the template", wanted=f"prompts that take less than {SECONDS:g} seconds each",
                              got=f"several that cannot be written: {error}",
                              remedy="take fewer or shorter loops") from None  # fmt: skip

    def _most(self, columns: Sequence[Sequence[Any]]) -> int:
        """Return how many characters the values of a row may have at most, as often as they are mentioned."""
        longest = (max((len(v) if isinstance(v, str) else _NUMBER for v in held), default=0) for held in columns)
        return sum(most * uses for most, uses in zip(longest, self.program.uses, strict=True))


def _readable(said: str) -> str:
    Prompt.read(said)
    return said


Template = Annotated[str, AfterValidator(_readable)]
"""A template as a parameter: what is none is refused where it stands."""


@lru_cache(maxsize=256)
def _read(text: str) -> Program:
    return prompt_language.read(text)


def values(ask: Ask, path: str, rows: np.ndarray | None = None) -> list[Any]:
    """Return what a path leads to, as templates see it.

    Texts, numbers and truth values are what they are; dates, instants, times and lengths of time are ISO texts; what
    is missing is None.

    Raises:
        SampleError: it is not there, or holds bytes.
    """
    column = ask.column(path)
    last = hops(ask.given.schema, ask.table, path)[-1]
    if rows is not None:
        column = column.take(pa.array(rows))
    return plain(flat(column), ask.given.schema.tables[last.table].fields[last.column], path)


def plain(column: pa.Array, field: Field, path: str) -> list[Any]:
    """Return a column's values as templates see them."""
    kind = column.type
    if field.kind is Kind.BYTES:
        raise SampleError("prompt", f"path {path!r}", wanted="a column that can be written", got="bytes")
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column).to_pylist()
    if pa.types.is_boolean(kind) and field.form:
        yes, _, no = field.form.partition("|")
        known = {None: None, True: Flag(1, (yes, no)), False: Flag(0, (yes, no))}
        return [known[v] for v in column.to_pylist()]
    if pa.types.is_temporal(kind):
        return _iso(column)
    return column.to_pylist()


def _iso(column: pa.Array) -> list[str | None]:
    """Return dates, instants, times and lengths of time in ISO form, with no more decimals than there are."""
    kind = column.type
    if pa.types.is_duration(kind):
        per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        return [None if v is None else _length(v, per) for v in column.cast(pa.int64()).to_pylist()]
    text = column.cast(pa.string())
    text = pc.replace_substring_regex(text, r"\.0+($|[+Z-])", r"\1")
    text = pc.replace_substring_regex(text, r"(\.\d*[1-9])0+($|[+Z-])", r"\1\2")
    return pc.replace_substring_regex(text, r"([+-]\d\d)(\d\d)$", r"\1:\2").to_pylist() \
        if pa.types.is_timestamp(kind) and kind.tz else text.to_pylist()  # fmt: skip


def _length(ticks: int, per: int) -> str:
    whole, rest = divmod(abs(ticks), per)
    said = f"{whole}.{rest:0{len(str(per)) - 1}d}".rstrip("0").rstrip(".") if per > 1 else str(whole)
    return f"{'-' if ticks < 0 else ''}PT{said}S"
