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
from synthwright.synthesizer import Frame, learn

Maker: TypeAlias = Callable[[Dataset, int, Context], Dataset]
"""From rows, how many are wanted and a context: new rows of the same schema."""
VARIES = "text-augmentation"
"""What makes texts where nothing is named: none that works without a language model learns them."""


def texts_of(schema: Schema) -> tuple[str, ...]:
    """Return the columns of the single table that hold texts, and no personal data."""
    return tuple(c for c, f in schema.tables[schema.only].fields.items() if f.kind is Kind.TEXT and f.sensitive is None)


def default_of(schema: Schema) -> str:
    """Return the generator for a table where none is named."""
    return VARIES if texts_of(schema) else DEFAULT_GENERATOR


def maker_of(name: str, schema: Schema) -> Maker:
    """Return how the generator of a name makes rows.

    One that learns is fitted to the rows. One that varies what is there is given each row as often as any other, or
    once more, and varies its texts.

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
        return _varying(kind(), schema, texts)
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


def _varying(recipe: Generator, schema: Schema, texts: tuple[str, ...]) -> Maker:
    table = schema.only

    def made(rows: Dataset, many: int, ctx: Context) -> Dataset:
        drawn = _dealt(rows.rows(table), many, ctx.at("rows").rng)
        given = Dataset(schema, {table: rows.tables[table].take(pa.array(drawn))})
        for column in texts:
            part = Part((f"{table}.{column}",), mode="replace")
            place = ctx.at(column)
            given = recipe.fit(given, part, place).sample(given, place).data
        return plain(given)

    return made


def _dealt(rows: int, many: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many row numbers in an order of chance, each as often as any other, or once more."""
    return np.concatenate([rng.permutation(rows) for _ in range(-(-many // rows))])[:many]


def plain(data: Dataset) -> Dataset:
    """Return data whose columns are the schema's, in its order, without row numbers."""
    return Dataset(data.schema, {t: held.select([c for c in data.columns(t) if c != ROW]) for t, held in
                                 data.tables.items()})  # fmt: skip
