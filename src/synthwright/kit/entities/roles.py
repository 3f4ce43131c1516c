"""Generators of entities: several columns that go together, each with a role such as `first_name` or `postcode`."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.contracts import Place
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.personal import plain_name
from synthwright.core.schema import Field, Kind, Schema, canonical
from synthwright.kit.entities.locales import COUNTRIES, Locales, Which, country_of, locale_of, weighted, which
from synthwright.kit.foreseen import valued
from synthwright.kit.ruled import Ask, Column, Ruled, hops

WORDS = frozenset({Kind.TEXT, Kind.CATEGORY})
"""Kinds of columns that hold text."""
NAMED = WORDS | {Kind.KEY}
"""The same, and keys: for roles whose values can be a different one in every row."""
DAYS = WORDS | {Kind.DATE, Kind.DATETIME}
WHOLE = frozenset({Kind.INTEGER, Kind.NUMBER})


class Role(NamedTuple):
    """What a column can be: of which kinds, and what such columns are called."""

    kinds: frozenset[Kind]
    called: str
    """A pattern for the column's name in lower case and single words, as `plain_name` says it."""
    distinct: bool = False
    """Whether every row can have another value."""


class Whence(NamedTuple):
    """The column that says where each row is from."""

    path: str
    means: Callable[[str], str | None]
    """What a value of it means; None: nothing that is known."""
    place: Place
    """Where among the parameters it is named."""
    wanted: str = "locales or countries, such as de_DE, DE or Germany"
    """What its values should be."""


class Roled(Ruled):
    """A generator of columns that go together: each has a role, by its name or by `columns`."""

    roles: ClassVar[Mapping[str, Role]]
    about: ClassVar[str] = "customer|client"
    """Words that may stand before a column's name without changing what is meant, as in `customer_email`."""
    digits: ClassVar[frozenset[str]] = frozenset()
    """The roles whose values are digits alone, so that they can be whole numbers."""
    receives: ClassVar[tuple[str, ...]] = ()
    """The roles that another column may have instead, which the rest then follows."""
    hears: ClassVar[tuple[str, ...]] = ()
    """Of these, the roles that a column has by its name alone."""

    columns: dict[str, str] = Setting(default={})
    """Which column has which role: `{mail: email}`. Others have the role that their name says. A column that another
    part makes (or a path to one, such as `customer.sex`) may be named too: then the rest follows it."""

    @abstractmethod
    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        """Return a column for each role.

        Args:
            ask: the rows.
            wanted: the roles, and the field of the column that has each.
            distinct: the roles whose values differ in all rows of the run.
        """

    def role(self, column: str) -> str | None:
        """Return the role of a column, by `columns` or by its name."""
        return self.columns.get(column) or _named(type(self), column)

    def paths(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        heard = tuple(f"{table}.{c}" for c in self._heard(schema.tables[table].fields).values())
        return tuple(dict.fromkeys((*super().looks_at(schema, table), *heard)))

    def given(self, ask: Ask) -> dict[str, pa.ChunkedArray]:
        """Return what other columns say, by their roles."""
        named = {role: column for column, role in sorted(self.columns.items()) if column not in ask.produce}
        heard = {r: c for r, c in self._heard(ask.spec.fields).items() if c not in ask.produce}
        there = set(ask.given.columns(ask.table))
        return {r: ask.column(c) for r, c in named.items()} | {r: ask.column(c) for r, c in heard.items() if c in there}

    def _heard(self, fields: Mapping[str, Field]) -> dict[str, str]:
        """Return the one column of the table that has such a role by its name, for each role that is heard of."""
        named: dict[str, list[str]] = {}
        for column in fields if self.hears else ():
            if column not in self.columns and (role := _named(type(self), column)) in self.hears:
                named.setdefault(str(role), []).append(column)
        said = set(self.columns.values())
        return {role: found[0] for role, found in named.items() if len(found) == 1 and role not in said}

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        fields = schema.tables[table].fields
        found = self._wrong_nulls(schema, table, produce)
        for path in self.paths():
            place: Place = ("columns", path) if path in self.columns else ()
            if path not in produce or path not in self.columns:
                found += [(place, message) for message in self._lost(schema, table, path, produce)]
            role = self.columns.get(path)
            if role is not None and role not in self.roles:
                near = get_close_matches(role, list(self.roles), n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"roles are {', '.join(self.roles)}"
                found.append((place, f"{path!r} cannot be {role!r}: {hint}"))
        seen: dict[str, str] = {}
        for column in produce:
            role = self.role(column)
            if role is None:
                remedy = f"say with: {{columns: {{{column}: …}}}}; roles are {', '.join(self.roles)}"
                found.append(((), f"column {column!r} has no role: {remedy}"))
            elif role in seen:
                found.append(((), f"{seen[role]!r} and {column!r} both are {role!r}: make one in another part"))
            elif role in self.roles:
                found += [((), message) for message in self._unfit(column, fields[column], role)]
            seen.setdefault(str(role), column)
        whence = self.whence(produce)
        if whence is not None and not found:
            last = hops(schema, table, whence.path)[-1]
            field = schema.tables[last.table].fields[last.column]
            if not pa.types.is_large_string(canonical(field)):
                said = f"{whence.path!r} is of kind {field.kind.value!r}: wanted a column of {whence.wanted}"
                found.append((whence.place, said))
        return found

    def whence(self, produce: tuple[str, ...]) -> Whence | None:
        """Return the column that says where each row is from; None where there is none."""
        return None

    def given_as(
        self, roles: Sequence[str], means: Callable[[str], str | None], produce: tuple[str, ...]
    ) -> Whence | None:
        """Return the column that is given, and not made, in the first of some roles that there is one for."""
        said = [c for role in roles for c, r in sorted(self.columns.items()) if r == role and c not in produce]
        return Whence(said[0], means, ("columns", said[0])) if said else None

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found, whence = super().foreseen(schema, table, produce, known), self.whence(produce)
        values = None if whence is None else valued(whence.path, known, schema, table)
        if whence is not None and values is not None:
            strange = [v for v in values if v is not None and whence.means(v) is None]
            if strange:
                said = f"{', '.join(map(repr, strange[:3]))} in {whence.path!r}: wanted {whence.wanted}"
                found.append(Foreseen(whence.place, said, sure=whence.path in schema.tables[table].fields))
        return found

    def _lost(self, schema: Schema, table: str, path: str, produce: tuple[str, ...]) -> list[str]:
        """Return what is wrong with a column that is to be followed."""
        try:
            first = hops(schema, table, path)[0].column
        except SampleError as error:
            return [str(error)]
        if first in produce:
            return [f"{path!r} is a column that it makes itself"]
        role = self.columns.get(path)
        if role in self.roles and role not in self.receives:
            taken = f": it can be given {', '.join(self.receives)}" if self.receives else ""
            return [f"{path!r} is not made here, and {self.name} cannot follow {role!r}{taken}"]
        return []

    def _unfit(self, column: str, field: Field, role: str) -> list[str]:
        able = self.roles[role]
        if not able.kinds:
            return [f"column {column!r} cannot be made as {role!r}: that is only followed"]
        if field.kind not in able.kinds:
            kinds = ", ".join(sorted(able.kinds))
            return [f"column {column!r} is of kind {field.kind.value!r}, and {role!r} is made as {kinds}"]
        whole = field.kind is Kind.KEY and not pa.types.is_large_string(canonical(field))
        if whole and role not in self.digits:
            return [f"column {column!r} is of type {field.type!r}, and {role!r} is text"]
        if (field.unique or field.kind is Kind.KEY) and not able.distinct:
            return [f"column {column!r} is unique, and there are too few different values of {role!r}"]
        return []

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        fields = {c: ask.field(c) for c in ask.produce}
        cast = {c: self._cast(c, field) for c, field in fields.items()}
        wanted = {role: fields[c] for c, role in cast.items() if role}
        distinct = {cast[c] for c, f in fields.items() if f.unique or f.kind is Kind.KEY} - {""}
        made = self.make(ask, wanted, distinct)
        return {c: made[role] if role else ask.numbers for c, role in cast.items()}

    def _cast(self, column: str, field: Field) -> str:
        """Return the role of a column.

        What `misused` refuses before a run, and is asked for by hand, gets the first role that there can be, or none
        (a key that no role fits: it is the row's number).
        """
        role = self.role(column) or ""
        if role not in self.roles or field.kind not in self.roles[role].kinds:
            role = next((r for r, able in self.roles.items() if field.kind in able.kinds), "")
        return "" if field.kind is Kind.KEY and role and self._unfit(column, field, role) else role


class Localed(Roled):
    """A generator of entities that belong to a locale."""

    locale: Locales = Setting(default="en_US", examples=["de_DE", {"de_DE": 3, "fr_FR": 1}])
    """Language and country: one locale, or several with weights, `{de_DE: 3, fr_FR: 1}`."""
    locale_from: str | None = None
    """The column, or path, that says each row's locale or country (`de_DE`, `DE`, `DEU` or `Germany`); rows without
    a value there are drawn from `locale`."""

    def paths(self) -> tuple[str, ...]:
        return (*super().paths(), *([self.locale_from] if self.locale_from else []))

    def locales(self, ask: Ask) -> Which:
        """Return the locale of each row: what `locale_from` says, or a given column that is a locale or a country."""
        whence = self.whence(ask.produce)
        return which(ask, self.locale, None if whence is None else whence.path, locale_of)

    def whence(self, produce: tuple[str, ...]) -> Whence | None:
        if self.locale_from:
            return Whence(self.locale_from, locale_of, ("locale_from",))
        return self.given_as(("locale", "country_code", "country"), locale_of, produce)

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        role = self.role(column)
        if role not in ("locale", "country_code", "country") or self.whence((column,)) is not None:
            return None
        names = [name for name, weight in weighted(self.locale).items() if weight > 0]
        if role != "locale":
            names = [country_of(n) if role == "country_code" else COUNTRIES[country_of(n)][1] for n in names]
        return tuple(dict.fromkeys(names))


class Localities:
    """What some rows have by their locale, and a stream of randomness for each thing that is made of them."""

    def __init__(self, recipe: Localed, ask: Ask) -> None:
        self.ask, self.rows = ask, ask.rows
        self.where = recipe.locales(ask)

    def rng(self, place: str) -> np.random.Generator:
        return self.ask.ctx.at(place).rng

    @cached_property
    def locale(self) -> pa.Array:
        return self.where.array(self.rows)

    @cached_property
    def country_code(self) -> pa.Array:
        return self.where.array(self.rows, country_of)

    @cached_property
    def country(self) -> pa.Array:
        return self.where.array(self.rows, lambda name: COUNTRIES[country_of(name)][1])


def _named(kind: type[Roled], column: str) -> str | None:
    """Return the role that a column's name says."""
    plain = plain_name(column)
    exact = next((r for r in kind.roles if plain == plain_name(r)), None)
    of = f"(?:(?:{kind.about}) )*"
    return exact or next((r for r, role in kind.roles.items() if re.fullmatch(f"{of}(?:{role.called})", plain)), None)
