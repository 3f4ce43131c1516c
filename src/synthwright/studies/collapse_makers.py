"""How the generations of a collapse are made: from some rows, as many new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, UnknownNameError
from synthwright.core.plan import plan
from synthwright.core.schema import ROW, Kind, Schema
from synthwright.core.spec import DEFAULT_GENERATOR, PartUse, Spec
from synthwright.kit.texts.text_vectors import joined
from synthwright.kit.texts.text_words import Words, words
from synthwright.synthesizer import Frame, learn

Maker: TypeAlias = Callable[[Dataset, int, Context], Dataset]
"""From rows, how many are wanted and a context: new rows of the same schema."""
VARIES = "text-augmentation"
"""What makes texts where nothing is named: none that works without a language model learns them."""
_TOGETHER = 2
"""A word tells which texts stand for each other where it occurs so often, or more often."""


def texts_of(schema: Schema) -> tuple[str, ...]:
    """Return the columns of the single table that hold texts, and no personal data."""
    return tuple(c for c, f in schema.tables[schema.only].fields.items() if f.kind is Kind.TEXT and f.sensitive is None)


def default_of(schema: Schema) -> str:
    """Return the generator for a table where none is named."""
    return VARIES if texts_of(schema) else DEFAULT_GENERATOR


def maker_of(name: str, schema: Schema) -> Maker:
    """Return how the generator of a name makes rows.

    One that learns is fitted to the rows. One that varies what is there is given each row as often as any other, or
    once more, and varies its texts; where not all rows are wanted, those that share rare words stand for each other.

    Raises:
        UnknownNameError: nobody registered it, or it does neither.
        InputError: it varies texts, and there are none.
    """
    texts = texts_of(schema)
    kind = registry.find("generators", name)
    assert issubclass(kind, Generator)  # noqa: S101  the registry looked
    able, needs = kind.abilities, any(f.is_required() for f in kind.model_fields.values())
    if name == VARIES:
        if not texts:
            raise InputError("collapse", f"the generator {name!r}", wanted="a table with a column of text", got="none",
                             remedy="name another with --use")  # fmt: skip
        return varying(kind(), schema, texts)
    if needs or not able.learns or able.replaces or able.changes or able.private or kind().asks():
        raise UnknownNameError("collapse", repr(name), wanted="a generator that learns whole tables",
                               got="one that does not", remedy="see `synthwright list generators`")  # fmt: skip
    return _learning(name, schema)


def _learning(name: str, schema: Schema) -> Maker:
    parts = (PartUse(make=tuple(f"{t}.*" for t in schema.tables), use=name),)
    planned = plan(Spec(synthwright=1, name="collapse", schema_=schema, parts=parts), schema)

    def made(rows: Dataset, many: int, ctx: Context) -> Dataset:
        seed = int(ctx.rng.integers(2**31))
        model = learn(planned, rows, Frame("dataset", many=False, schemas={}), seed)
        return plain(model.sample_dataset(many, None, seed))

    return made


def varying(recipe: Generator, schema: Schema, texts: tuple[str, ...]) -> Maker:
    """Return how a recipe that varies texts makes rows: it is given each as often as any other, or once more."""
    table = schema.only

    def made(rows: Dataset, many: int, ctx: Context) -> Dataset:
        held = rows.tables[table]
        drawn = _dealt(words(joined(held, texts)), many, ctx.at("rows").rng)
        given = Dataset(schema, {table: held.take(pa.array(drawn))})
        for column in texts:
            part = Part((f"{table}.{column}",), mode="replace")
            place = ctx.at(column)
            given = recipe.fit(given, part, place).sample(given, place).data
        return plain(given)

    return made


def _dealt(held: Words, many: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many row numbers in an order of chance, each as often as any other, or once more."""
    rows = len(held.whole)
    rounds, rest = divmod(many, rows)
    return np.concatenate([*(rng.permutation(rows) for _ in range(rounds)), _spread(held, rest, rng)])


def _spread(held: Words, many: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many of some texts: each is as likely as any other, but those that share rare words take turns.

    All texts stand in a line by their two rarest words (one that occurs once says nothing), and one in every so many
    is taken: systematic sampling. Drawn by luck alone, a rare word comes too often or not at all.
    """
    known, word, often = np.unique(held.hashes, return_inverse=True, return_counts=True)
    rarest = np.lexsort((rng.random(len(known)), np.where(often < _TOGETHER, len(word) + 1, often)))
    rank = np.empty(len(known), dtype=np.int64)
    rank[rarest] = np.arange(len(known))
    mine = rank[word]
    sorted_ = np.append(mine[np.lexsort((mine, held.rows))], len(known))
    first, second = (np.where(held.counts > i, sorted_[np.minimum(held.bounds[:-1] + i, len(mine))], len(known))
                     for i in (0, 1))  # fmt: skip
    line = np.lexsort((rng.random(len(first)), second, first))
    at = ((np.arange(many) + rng.random()) * (len(line) / max(many, 1))).astype(np.int64)
    return rng.permutation(line[np.minimum(at, len(line) - 1)])


def plain(data: Dataset) -> Dataset:
    """Return data whose columns are the schema's, in its order, without row numbers."""
    return Dataset(data.schema, {t: held.select([c for c in data.columns(t) if c != ROW]) for t, held in
                                 data.tables.items()})  # fmt: skip
