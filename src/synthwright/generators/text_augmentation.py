"""Texts that are there, varied: other words, other order, slips of the keyboard; labels and spans stay right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Place
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Kind, Schema
from synthwright.kit.lookups import flat
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.texts.spans import Spans, read, written
from synthwright.kit.texts.synonyms import synonyms
from synthwright.kit.texts.text_operations import (
    SURE,
    Casing,
    Contraction,
    Deletion,
    Entity,
    Insertion,
    Operation,
    Swap,
    Synonym,
)
from synthwright.kit.texts.text_pieces import ADDRESS, TEXT, Pieces, cut, firsts, joined, matching
from synthwright.kit.texts.text_slips import Ocr, Typo

Name = Literal["contraction", "synonym", "insertion", "deletion", "swap", "entity", "casing", "ocr", "typo"]
Letters = Literal["casing", "ocr", "typo"]
SPANS = ("spans", "entities")
"""What a column of spans is called where nothing is said."""
_TEXTUAL = frozenset({Kind.TEXT, Kind.CATEGORY})
_ROUNDS = 3
"""How often a text that came out as it was is tried again."""
_DEFAULT: dict[Name, float] = {"synonym": 0.1, "insertion": 0.1, "swap": 0.1, "deletion": 0.1}


class TextAugmentation(Ruled):
    """Varies the texts that are there: synonyms, insertions, deletions, swaps, typos, OCR mistakes, contractions.

    ::

        source: {use: csv, with: {path: intents.csv}}
        start: {from: source, keep: [example.label], repeat: 4}
        parts:
          - make: [example.text]
            use: text-augmentation
            with: {operations: {synonym: 0.1, swap: 0.05, typo: 0.03}}

    It makes nothing of its own: the part has mode `replace`, which is what it has from a source, or names the column
    under `change`. Most of each text stays what it was, so what comes out is as private as what went in.

    Words are words of Latin letters; synonyms and contractions are English ones. Addresses of the web and of mail,
    numbers, names in braces and words of other scripts are never changed, and neither is what a span marks, unless
    `inside` or the operation `entity` says so. Where there is no text, there is none afterwards.

    A column of spans, `[{"start": 5, "end": 12, "label": "PERSON"}]`, is made beside the texts, and moves with them.
    """

    name: ClassVar[str] = "text-augmentation"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=_TEXTUAL, given="declared", learns=False, keeps_rows=True, random=False, changes=True, replaces=True
    )  # where nothing is there, no seed makes anything

    operations: dict[Name, Annotated[float, Setting(ge=0, le=1, allow_inf_nan=False)]] = Setting(
        default=_DEFAULT, min_length=1, examples=[{"swap": 0.1}]
    )
    """What is done, and the chance of each word that it can be done to, in this order: `contraction` (do not, don't),
    `synonym`, `insertion` of a synonym of some word elsewhere, `deletion`, `swap` of two words, `entity` (what a span
    marks becomes what one of the same label marks in another row), `casing`, `ocr` (rn for m), `typo` (QWERTY)."""
    at_least_one: bool = False
    """Whether a text that came out as it was is changed once all the same, where any operation can."""
    text: str = ""
    """The column of the texts that the spans are of; nothing: the one that is not `spans`."""
    spans: str = ""
    """The column of spans; nothing: the one that is called `spans` or `entities`, beside one of texts."""
    inside: tuple[Letters, ...] = Setting(default=(), examples=[["typo"]])
    """Operations on letters that may change what a span marks too: `[typo, ocr]`."""
    synonyms: dict[str, tuple[str, ...]] = Setting(default={}, examples=[{"film": ["movie"]}])
    """Synonyms of words, in place of those of Open English WordNet that come with Synthwright: `{film: [movie]}`; a
    word with an empty list has none."""

    @field_validator("operations")
    @classmethod
    def _some(cls, said: dict[Name, float]) -> dict[Name, float]:
        if not any(said.values()):
            raise ValueError("no operation has a rate above 0: there is nothing to do")
        return said

    @cached_property
    def _operations(self) -> dict[Name, Operation]:
        """The operations that are asked for, in the order in which they are done."""
        words = synonyms(tuple(sorted(self.synonyms.items())))
        every: dict[Name, Operation] = {
            "contraction": Contraction(), "synonym": Synonym(words), "insertion": Insertion(words),
            "deletion": Deletion(), "swap": Swap(), "entity": Entity(), "casing": Casing(), "ocr": Ocr(),
            "typo": Typo(),
        }  # fmt: skip
        return {name: one for name, one in every.items() if self.operations.get(name, 0) > 0}

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        return [*super().misused(schema, table, produce), *self._wrong(produce)]

    def _wrong(self, produce: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
        for word in ("text", "spans"):
            column = getattr(self, word)
            if column and column not in produce:
                yield (word,), f"the part does not make {column!r}: name it in `make`"
        text, spans = self._roles(produce)
        if spans is not None and self.nulls != 0:
            yield ("nulls",), "texts and their spans would be missing in different rows: leave `nulls` out"
        if spans is not None and text == spans:
            yield ("spans",), f"column {spans!r} cannot hold texts and spans"
        elif spans is None and "entity" in self.operations:
            yield ("operations", "entity"), "it needs a column of spans, made by the part too: say `spans`"
        elif spans is None and self.inside:
            yield ("inside",), "it needs a column of spans, made by the part too: say `spans`"
        idle = [name for name in self.inside if not self.operations.get(name)]
        if idle:
            yield ("inside",), f"{idle[0]!r} is not among the operations"
        if self.synonyms and not {"synonym", "insertion"} & set(self.operations):
            yield ("synonyms",), "it goes with the operations `synonym` and `insertion`"

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        if self._roles(produce)[1] is None:
            fields = schema.tables[table].fields
            left = [c for c in SPANS if c in fields and c not in produce and fields[c].kind in _TEXTUAL]
            said = "column {!r} may say what stands where in the texts, which moves: make it in the same part"
            found += [Foreseen((), said.format(c), sure=False) for c in left]
        return found

    def _roles(self, produce: tuple[str, ...]) -> tuple[str | None, str | None]:
        """Return the column of the texts that spans are of, and the column of spans."""
        spans = self.spans or next((c for c in produce if c in SPANS and len(produce) > 1 and c != self.text), None)
        return self.text or next((c for c in produce if c != spans), None), spans

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Mapping[str, Column]:
        marked, spans = self._roles(ask.produce)
        there = {c: _texts(ask, c) for c in ask.produce}
        made: dict[str, Column] = {}
        for column in (c for c in ask.produce if c != spans):
            held = there[column]
            if held is None:  # there is nothing to vary
                made[column] = pa.nulls(ask.rows, TEXT)
                continue
            own = there[spans] if spans is not None and column == marked else None
            found, labels = read(own, self.name) if own is not None else (Spans.none(), ())
            found = found.some(np.asarray(held.is_valid())[found.row])
            texts, moved = self.varied(pc.fill_null(held, ""), found, ask.ctx.at(column))
            made[column] = pc.if_else(held.is_valid(), texts, pa.scalar(None, TEXT))
            if own is not None and spans is not None:
                plain = tuple(json.dumps(label, ensure_ascii=False)[1:-1] for label in labels)
                made[spans] = pc.if_else(own.is_valid(), written(moved, plain, ask.rows), pa.scalar(None, TEXT))
        return made if spans is None or spans in made else {**made, spans: pa.nulls(ask.rows, TEXT)}

    def varied(self, texts: pa.Array, spans: Spans, ctx: Context) -> tuple[pa.Array, Spans]:
        """Return texts, none of which is null, with other words and letters, and where their spans are now."""
        held = cut(texts, spans, self.name)
        for name, operation in self._operations.items():
            rate = np.full(len(held.row), self.operations[name])
            held = self._changed(name, operation, held, rate, ctx.at(name))
        made, moved = joined(held)
        for i in range(_ROUNDS if self.at_least_one else 0):
            same = np.asarray(pc.equal(made, texts).to_numpy(zero_copy_only=False), dtype=bool)
            if not same.any():
                break
            made, moved = joined(self._once(held, same, ctx.at("once", i)))
            held = cut(made, moved, self.name)
        return made, moved

    def _once(self, held: Pieces, same: np.ndarray, ctx: Context) -> Pieces:
        """Return texts with one change in each of those that are the same: an operation that can, by its rate."""
        rng = ctx.rng
        places, ranks, kinds = [], [], []
        for i, (name, operation) in enumerate(self._operations.items()):
            at = np.flatnonzero(operation.able(self._opened(name, held)) & same[held.row])
            many = np.bincount(held.row[at], minlength=len(same))
            places.append(at)
            kinds.append(np.full(len(at), i))
            # the least of exponential waits: each operation by its rate, however many words it could change
            ranks.append(rng.exponential(size=len(at)) * many[held.row[at]] / self.operations[name])
        place, rank, kind = (np.concatenate(c) for c in (places, ranks, kinds))
        order = np.lexsort((rank, held.row[place]))
        first = order[firsts(held.row[place[order]])]
        row, kind = held.row[place[first]], kind[first]
        within = place[first] - np.searchsorted(held.row, row)  # words of other texts come and go before it
        for i, (name, operation) in enumerate(self._operations.items()):
            mine = np.flatnonzero(kind == i)
            chance = np.zeros(len(held.row))
            chance[np.searchsorted(held.row, row[mine]) + within[mine]] = SURE
            held = self._changed(name, operation, held, chance, ctx.at(name))
        return held

    def _changed(self, name: Name, operation: Operation, held: Pieces, chance: np.ndarray, ctx: Context) -> Pieces:
        """Return texts as an operation changes them, each word with its chance."""
        if not len(held.row):
            return held
        opened = self._opened(name, held)
        made = operation.apply(opened, operation.draw(opened, chance, ctx.rng))
        return made if opened is held else made._replace(free=held.free)

    def _opened(self, name: Name, held: Pieces) -> Pieces:
        """Return texts of which an operation may change marked stretches too, where it is said so."""
        if name not in self.inside:
            return held
        return held._replace(free=held.free | (held.whole & ~matching(held.text, ADDRESS)))


def _texts(ask: Ask, column: str) -> pa.Array | None:
    """Return the present values of a column, or nothing where it is not there."""
    if column not in ask.given.tables[ask.table].column_names:
        return None
    held = flat(ask.column(column))
    return held.cast(TEXT)
