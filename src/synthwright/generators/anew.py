"""Columns made anew: keys, references, personal data, texts and bytes that look right and say nothing real.

Which of them are missing, how they are spelled and which parts of texts repeat follows from the columns beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import nulls
from synthwright.kit.coding.codecs import CODEABLE, PROTECT, observe
from synthwright.kit.coding.looks import Looks, looks_of
from synthwright.kit.coding.makers import KeyMaker, Maker, Rows, learn_maker, maker_of_json, swapped, swaps
from synthwright.kit.entities.fakes import Options
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, looked_at, names_of, refuse_unfit, table_of
from synthwright.kit.sampling.dice import Dice, identities, secret

if TYPE_CHECKING:
    from synthwright.kit.learning.hidden import Hidden

NOTHING: Mapping[str, pa.Array] = MappingProxyType({})


@dataclass(frozen=True)
class AnewColumn:
    """How one column is made: its maker, the share of rows without a value, and what is swapped for what."""

    field: Field
    maker: Maker
    null_share: float
    key: int
    """What the randomness of the column follows from, beside the seed of the run."""
    domain: str
    """What swaps alike: the key that a column holds or refers to, the mark of its personal data."""


@dataclass(frozen=True)
class AnewModel(Model):
    """How each column is made."""

    table: str
    mode: str
    consistent: bool
    secret: int
    """What pseudonyms follow from; the same for all tables of a run."""
    columns: dict[str, AnewColumn]
    hidden: Hidden | None = None
    """Where columns have no value, how they are spelled, and what parts of them say."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        there = set(given.columns(self.table)) if self.mode == "make" else set()
        made: dict[str, pa.Array] = {}
        hidden = self._hidden(given, there, ctx)
        for name in self.columns:
            if name in there:
                continue
            values = given.tables[self.table].column(name) if self.mode == "replace" and \
                name in given.columns(self.table) else None  # fmt: skip
            made[name] = self._column(name, given, values, hidden, ctx.at(name))
        return Sample(completed(given, self.table, made, self.mode))

    def _hidden(self, given: Dataset, there: set[str], ctx: Context) -> Mapping[str, pa.Array]:
        """Return what is made before the values are: hidden columns, by name."""
        held = given.tables[self.table]
        if self.hidden is None or not held.num_rows:
            return NOTHING
        known = [n for n in self.columns if n in held.column_names] if self.mode != "fill" else []
        empty = {n: nulls(held.column(n)) for n in known}
        valued = {*self.columns} if self.mode == "fill" else {*known, *there}
        return self.hidden.draw(held, empty, valued, ctx.at("#hidden"))

    def _column(
        self, name: str, given: Dataset, values: pa.ChunkedArray | None, hidden: Mapping[str, pa.Array], ctx: Context
    ) -> pa.Array:
        column, rows = self.columns[name], given.rows(self.table)
        if not rows:
            return pa.array([], canonical(column.field))
        turn = int(ctx.rng.integers(0, 2**62))
        if self.consistent and values is not None:
            return self._swapped(column, values)
        numbers = given.row_numbers(self.table)
        dice = Dice(numbers.astype(np.uint64), secret("rows", column.key, turn))
        held, look = given.tables[self.table], hidden.get(name)
        made = column.maker.make(Rows(numbers, dice, given, held, look, hidden))
        if values is not None:
            missing = nulls(values)
        elif self.mode == "fill":
            missing = np.zeros(rows, dtype=bool)
        else:
            missing = dice.uniform() < column.null_share if look is None else nulls(look)
        return pc.if_else(pa.array(missing), pa.scalar(None, made.type), made)

    def _swapped(self, column: AnewColumn, values: pa.ChunkedArray) -> pa.Array:
        """Return for each value its pseudonym: worked out once for each distinct value, from a keyed hash of it."""
        whole = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
        coded = whole.dictionary_encode()
        distinct = coded.dictionary
        sealed = secret("pseudonyms", self.secret, column.domain)
        if swaps(column.maker):
            fakes = swapped(distinct, column.field, sealed)
        else:
            ids = identities([str(v).encode() for v in distinct.to_pylist()], sealed)
            numbers = (ids % np.uint64(10**9)).astype(np.int64)
            fakes = column.maker.make(Rows(numbers, Dice(ids, sealed), None))
        return fakes.take(coded.indices).cast(canonical(column.field))

    def save(self, folder: Path) -> None:
        columns = {n: {"field": c.field.model_dump(mode="json", exclude_defaults=True), "maker": c.maker.to_json(),
                       "nulls": c.null_share, "key": str(c.key), "domain": c.domain}
                   for n, c in self.columns.items()}  # fmt: skip
        head = {"table": self.table, "mode": self.mode, "consistent": self.consistent, "secret": str(self.secret),
                "order": list(self.columns), "columns": columns}  # fmt: skip
        said, arrays = self.hidden.to_saved() if self.hidden is not None else ([], {})
        artefacts.save(folder, {**head, "hidden": said}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        columns = {}
        for name in head["order"]:
            said = head["columns"][name]
            field = Field.model_validate(said["field"])
            columns[name] = AnewColumn(field, maker_of_json(said["maker"], field), float(said["nulls"]),
                                       int(said["key"]), said["domain"])  # fmt: skip
        hidden = _loaded(folder, head["hidden"], arrays) if head["hidden"] else None
        return cls(head["table"], head["mode"], head["consistent"], int(head["secret"]), columns, hidden)


def _loaded(folder: Path, said: list[dict[str, Any]], arrays: dict[str, np.ndarray]) -> Hidden:
    from synthwright.kit.learning.hidden import Hidden

    try:
        return Hidden.of_saved(said, arrays)
    except (KeyError, ValueError, TypeError, IndexError):
        raise StoreError(folder.name, "hidden columns", wanted="what Synthwright saved", got="something else",
                         remedy="fit the model again") from None  # fmt: skip


class Anew(Generator):
    """Makes columns without modelling their values: keys, references, personal data, texts, bytes.

    Of the real column only its look is learned (layouts, lengths, the share of missing values), and only what enough
    rows share. Keys follow from the row's number, so they are unique over all shards. Personal data that repeats is
    drawn from pseudonyms that repeat as much: as many different ones, as unevenly. Which values are missing, how
    telephone numbers are spelled, and parts of texts that repeat or that another column says (`L231204-013` beside its
    date) follow from the columns it is given, and from each other.
    """

    name: ClassVar[str] = "anew"
    version: ClassVar[int] = 6
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(Kind))
    model: ClassVar[type[Model]] = AnewModel

    consistent: bool = False
    """Only in mode `replace`: the same input gets the same fake, in every row and table of a run. Pseudonyms follow
    from a keyed hash; the key follows from the seed, so keep the seed to yourself."""
    locale: str = Setting(default="en_US", examples=["de_DE"])
    """The country whose names, streets and towns are used, as Faker calls it: `en_US`, `de_DE`, `fr_FR` …"""
    protect: int = Setting(default=PROTECT, ge=1)
    """How many rows must share a layout or a character before it is kept."""

    @field_validator("locale")
    @classmethod
    def _there_is_a_dictionary(cls, locale: str) -> str:
        if locale == "en_US":  # the default must not cost loading Faker
            return locale
        from difflib import get_close_matches

        from synthwright.kit.entities.fakes_words import locales

        if locale not in locales():
            near = get_close_matches(locale, locales(), n=1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"there is no dictionary for the locale {locale!r}{hint}")
        return locale

    def fit(self, data: Dataset, part: Part, ctx: Context) -> AnewModel:
        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        if self.consistent and part.mode != "replace":
            raise FitError(self.name, "parameter 'consistent'", wanted="mode 'replace', where there is an input",
                           got=f"mode {part.mode!r}", remedy="leave it out")  # fmt: skip
        columns = {n: self._learned(data, table, n, ctx) for n in produce}
        looks = looks_of(data, table, looked_at(data, part, table, CODEABLE), self.protect,
                         replaced=part.mode == "replace")  # fmt: skip
        columns, hidden = self._followed(columns, looks, ctx)
        return AnewModel(table, part.mode, self.consistent, secret("run", ctx.seed), columns, hidden)

    def _followed(
        self, columns: dict[str, AnewColumn], looks: Looks, ctx: Context
    ) -> tuple[dict[str, AnewColumn], Hidden | None]:
        """Return the columns, and how what is hidden of them follows from the others; None where nothing does."""
        found = {n: looks.of(n, c.maker) for n, c in columns.items()}
        columns = {n: replace(c, maker=found[n].maker) for n, c in columns.items()}
        learned = {k: v for look in found.values() for k, v in look.hidden.items()}
        if len(learned) + bool(looks.fields) < 2 or not learned:
            return columns, None
        from synthwright.kit.learning.hidden import Hidden, Seen

        beside = {n: Seen(f, looks.held.column(n).combine_chunks()) for n, f in looks.fields.items()}
        hidden = {n: Seen(*both) for n, both in learned.items()}
        return columns, Hidden.learn(beside, hidden, self.protect, ctx.at("#hidden"))

    def _learned(self, data: Dataset, table: str, name: str, ctx: Context) -> AnewColumn:
        field = data.schema.tables[table].fields[name]
        seen = observe(data.tables[table].column(name))
        total = int(seen.counts.sum()) + seen.nulls
        null_share = round(seen.nulls / max(total, 1), 6)
        domain = field.to or (field.sensitive and f"#{field.sensitive}") or f"{table}.{name}"
        key = secret("keys", ctx.seed, domain if field.to else f"{table}.{name}")
        if field.to and data.has(field.to):  # the same keys as the other table will get
            seen = observe(data.column(field.to))
        options = Options(self.locale, self.protect, field.unique, key)
        maker = learn_maker(field, seen, options, ctx.at(name).rng)
        if isinstance(maker, KeyMaker) and field.to and data.schema.split(field.to)[0] == table:
            maker = replace(maker, inside=True)
        return AnewColumn(field, maker, null_share, key, domain)
