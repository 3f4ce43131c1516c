"""References to rows whose text is near to that of the row: retrieval without a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place, Verdict
from synthwright.core.errors import SampleError
from synthwright.core.schema import Kind, Schema, canonical
from synthwright.kit.formula.stated import lost
from synthwright.kit.lookups import flat
from synthwright.kit.measuring.pairs import agreeing
from synthwright.kit.ruled import Ask, Column, Drawn, Ruled, hops, reached
from synthwright.kit.texts.text_nearest import nearest

UNRELATED = "nothing-related"
_TEXTUAL = (Kind.TEXT, Kind.CATEGORY)


class Related(Ruled):
    """Points every row to rows of another table whose text is near to the row's own.

    ::

        - make: [question.other]
          use: related
          with: {like: passage.text, unlike: {document: passage.document}}

    finds for each question, which belongs to a `passage`, another passage on the same subject from another document, so
    that a question can be asked over both. Several columns get the nearest, the second nearest, … Texts are alike that
    share words, pairs of words and pieces of words, rare ones counting more, compared by cosine (Salton, Wong and Yang
    1975); other words for the same are not seen. A row that `like` leads to by a reference is never its own answer. A
    row to which nothing is near gets no reference, or goes as `nothing-related` where it must have one.
    """

    name: ClassVar[str] = "related"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset({Kind.REFERENCE}), given="declared", learns=False)
    reasons: ClassVar[dict[str, str]] = {
        UNRELATED: "No row of the other table is near enough to the text of the row, which must refer to one.",
    }
    """Why rows go."""

    like: str = ""
    """The text that others are to be near to: a column of text, or a path to one (`passage.text`)."""
    text: str = ""
    """The column of the other table that is compared; nothing: the one that is called as the last of `like`."""
    unlike: dict[str, str] = Setting(default={}, examples=[{"a": "b"}])
    """What a row must not have in common with the one it refers to: columns of the other table, and beside each the
    column of the row, or a path from it: `{document: passage.document}`."""
    among: int = Setting(default=1, ge=1, le=1000)
    """From how many of the nearest it is drawn; 1: always the nearest, so that questions about one passage have the
    same other one."""
    least: float = Setting(default=0.02, ge=0, le=1)
    """The similarity from which a text is near, from 0, no word in common, to 1, the same words."""

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys(p for p in (self.like, *self.unlike.values()) if p))

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        found = list(super().looks_at(schema, table))
        for field in schema.tables[table].fields.values():
            if field.to is not None and self.like:
                parent = schema.split(field.to)[0]
                found += [str(h) for c in (self._compared(), *self.unlike) for h in reached(schema, parent, c)]
        return tuple(c for c in dict.fromkeys(found))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        if not self.like:
            return [*found, ((), "say to what rows are to be near: `like: passage.text`")]
        told: dict[Place, str] = {("like",): self.like} | {("unlike", k): p for k, p in self.unlike.items()}
        found += [(place, said) for place, path in told.items() for said in lost(path, schema, table, produce)]
        parents = {schema.split(cast(str, schema.tables[table].fields[c].to))[0] for c in produce}
        if len(parents) > 1:
            found.append(((), f"it makes references to one table at a time, not to {' and '.join(sorted(parents))}"))
        elif parents == {table}:
            found.append(((), f"{produce[0]!r} points to its own table, whose rows are not there yet"))
        if found:
            return found
        parent = parents.pop()
        named = (("text", self._compared()), *(("unlike", c) for c in self.unlike))
        found += [((word,), said) for word, column in named for said in lost(column, schema, parent, ())]
        return found or self._of_wrong_kind(schema, table, parent)

    def _of_wrong_kind(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        """Return what is no text, and what can never be equal."""
        found: list[tuple[Place, str]] = []
        for word, own, path in (("like", table, self.like), ("text", parent, self._compared())):
            last = hops(schema, own, path)[-1]
            kind = schema.tables[last.table].fields[last.column].kind
            if kind not in _TEXTUAL:
                found.append(((word,), f"{path!r} is of kind {kind.value!r}, wanted text"))
        for there, here in self.unlike.items():
            ends = [hops(schema, parent, there)[-1], hops(schema, table, here)[-1]]
            kinds = [str(canonical(schema.tables[e.table].fields[e.column])) for e in ends]
            if kinds[0] != kinds[1]:
                said = f"`{parent}.{there}` holds {kinds[0]}, {here!r} holds {kinds[1]}: never equal"
                found.append((("unlike", there), said))
        return found

    def _compared(self) -> str:
        return self.text or self.like.rpartition(".")[2]

    # ----------------------------------------------------------------------------------------------------------- making
    def draw(self, ask: Ask) -> Drawn:
        parent, key = ask.given.schema.split(cast(str, ask.field(ask.produce[0]).to))
        there = ask.given.tables.get(parent)
        if there is None or key not in there.column_names or not there.num_rows:
            raise SampleError(f"generator {self.name!r}", f"column {ask.produce[0]!r}",
                              wanted=f"rows of {parent!r} to point to", got="none",
                              remedy=f"say how many rows of {parent!r} to make")  # fmt: skip
        keys = flat(there.column(key))
        places = self._places(ask, parent, key) if self.like else self._any(ask, len(keys))
        columns: dict[str, Column] = {}
        lost_ones = np.zeros(ask.rows, dtype=bool)
        for i, name in enumerate(ask.produce):
            place = places[:, i] if i < places.shape[1] else np.full(ask.rows, -1)
            absent = place < 0
            if not ask.field(name).nulls:
                lost_ones |= absent
                absent = np.zeros(ask.rows, dtype=bool)  # the row goes: what stands there counts for nothing
            columns[name] = keys.take(pa.array(np.maximum(place, 0), mask=absent))
        return Drawn(columns, (Verdict.of(ask.table, lost_ones, UNRELATED),) if lost_ones.any() else ())

    def _any(self, ask: Ask, rows: int) -> np.ndarray:
        """Return any rows: without `like` nothing is near to anything, and only `check` says so."""
        return ask.rng.integers(rows, size=(ask.rows, len(ask.produce)))

    def _places(self, ask: Ask, parent: str, key: str) -> np.ndarray:
        """Return for each row where the rows are that it is to refer to; -1 where there is none."""
        own = Ask(ask.given, parent, (), ask.ctx)
        barred = [agreeing([own.column(c)], [ask.column(p)])[::-1] for c, p in self.unlike.items()]
        if (mine := self._own(ask, parent, key)) is not None:
            barred.append(agreeing([own.column(key)], [mine])[::-1])
        many = max(self.among, len(ask.produce))
        near = nearest(_texts(ask.column(self.like)), _texts(own.column(self._compared())), many, self.least, barred)
        if self.among <= len(ask.produce):
            return near.other
        turns = np.stack([ask.dice(*ask.produce, i).uniform() for i in range(near.other.shape[1])], axis=1)
        order = np.argsort(np.where(near.other < 0, 2.0, turns), axis=1, kind="stable")
        return np.take_along_axis(near.other, order, axis=1)

    def _own(self, ask: Ask, parent: str, key: str) -> Column | None:
        """Return the row of the other table that `like` leads to; nothing where it does not lead through it."""
        steps = hops(ask.given.schema, ask.table, self.like)
        if len(steps) < 2 or steps[-1].table != parent:
            return None
        return ask.column(".".join(s.column for s in steps[:-1]))


def _texts(column: pa.ChunkedArray) -> Column:
    return column.cast(pa.large_string())
