"""Slots of texts that are made by other generators, in bulk, for the rows in which they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, ValidationError
from pydantic import Field as Setting

from synthwright.core import registry
from synthwright.core.contracts import Part, Place
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError, UnknownNameError
from synthwright.core.phrases import sentence
from synthwright.core.schema import ROW, Field, Frozen, Kind, Schema
from synthwright.core.types import parse_type
from synthwright.kit.formula.formulas import column, read
from synthwright.kit.room import refuse_rows
from synthwright.kit.ruled import Ask, Ruled
from synthwright.kit.sampling.dice import secret

SlotKind = Literal["text", "category", "integer", "number", "boolean", "date", "time", "datetime"]
_TEXT = Field(kind=Kind.TEXT)


def _named(said: Any) -> Any:
    return dict.fromkeys(said, "text") if isinstance(said, list | tuple) else said


Columns = Annotated[dict[str, SlotKind], BeforeValidator(_named, json_schema_input_type=dict[str, str] | list[str])]


class SlotUse(Frozen):
    """A generator that fills a slot: one value, or several that go together."""

    use: str = "pattern"
    """The generator; one that follows rules alone."""
    settings: dict[str, Any] = Setting(default_factory=dict, alias="with")
    """Its parameters. They may name columns of the row."""
    make: Columns = Setting(default={})
    """Several values that go together, by the names that columns of them would have: `[full_name, email]`, or with
    their kinds `{full_name: text, birth_date: date}`. Of a slot `who` they are `{who.full_name}`, `{who.email}`."""
    kind: SlotKind = "text"
    """The kind of the one value."""
    type: str | None = None
    """Its Arrow type: `decimal128(10, 2)` for amounts with cents."""

    def fields(self, name: str) -> dict[str, Field]:
        """Return the columns that stand for the values of a slot that is called so."""
        if self.make:
            return {c: Field(kind=Kind(kind)) for c, kind in self.make.items()}
        return {name.rpartition(".")[2]: Field(kind=Kind(self.kind), type=self.type)}

    def rule(self) -> Ruled:
        """Return the generator; a ValidationError or an UnknownNameError where there is none."""
        return cast(Ruled, registry.find("generators", self.use).model_validate(self.settings))

    def among(self, schema: Schema, table: str, name: str) -> Schema:
        """Return a schema in which the slot's values are columns of a table."""
        held = schema.tables[table]
        wider = held.model_copy(update={"fields": {**held.fields, **self.fields(name)}})
        return schema.model_copy(update={"tables": {**schema.tables, table: wider}})

    def faults(self, name: str, schema: Schema, table: str, produce: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
        """Yield what cannot be: where in the slot's parameters, and a sentence."""
        wrong = list(self._unmade())
        if wrong:
            yield from wrong
            return
        rule, columns = self.rule(), tuple(self.fields(name))
        for column_name, field in self.fields(name).items():
            if field.kind not in rule.abilities.kinds:
                able = ", ".join(sorted(rule.abilities.kinds))
                yield ("kind",), f"{self.use} cannot make {column_name!r} of kind {field.kind.value!r}; it makes {able}"
        wider = self.among(schema, table, name)
        if rule.scope(wider, table, columns) != "row":
            yield ("use",), f"{self.use} makes rows that hang together: wanted one that makes each row by itself"
        own = {f"{table}.{c}" for c in produce}
        for path in [p for p in rule.looks_at(wider, table) if p in own]:
            yield ("with",), f"{path!r} is a column that the texts are made with"
        yield from ((("with", *place), f"{self.use}: {said}") for place, said in rule.misused(wider, table, columns))

    def _unmade(self) -> Iterator[tuple[Place, str]]:
        """Yield why there is no such type, or no such generator."""
        if self.type is not None:
            try:
                parse_type(self.type)
            except ValueError as error:
                yield ("type",), str(error)
        try:
            kind = registry.find("generators", self.use)
            if not issubclass(kind, Ruled):
                yield ("use",), f"{self.use} learns from rows: wanted a generator that follows rules alone"
            rule = kind.model_validate(self.settings)
            if rule.asks():
                yield ("use",), f"{self.use} asks a language model: make a column of its own by it, and name that here"
        except UnknownNameError as error:
            yield ("use",), str(error)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                unknown = one["type"] == "extra_forbidden"
                said = f"it has no such parameter: see `synthwright explain {self.use}`" if unknown else sentence(one)
                yield ("with", *one["loc"]), f"{'.'.join(map(str, (self.use, *one['loc'])))}: {said}"


def find(slots: Mapping[str, SlotUse], name: str) -> tuple[str, str] | None:
    """Return the slot that a name in braces means, and which of its values; None for none."""
    if name in slots:
        return (name, next(iter(slots[name].fields(name)))) if not slots[name].make else None
    slot, _, value = name.rpartition(".")
    return (slot, value) if slot in slots and value in slots[slot].make else None


def wrong(slots: Mapping[str, SlotUse], name: str) -> str | None:
    """Return why a name that begins like a slot means none of its values; None where it begins like none."""
    slot, _, value = name.rpartition(".")
    if name in slots and slots[name].make:
        return f"say which of its values: {', '.join(f'{{{name}.{v}}}' for v in slots[name].make)}"
    if slot in slots and slots[slot].make and value not in slots[slot].make:
        near = get_close_matches(value, slots[slot].make, n=1)
        hint = f"did you mean '{slot}.{near[0]}'?" if near else f"it makes {', '.join(slots[slot].make)}"
        return f"slot {slot!r} makes no {value!r}: {hint}"
    return None


def drawn(slot: SlotUse, name: str, mark: str, ask: Ask, rows: np.ndarray) -> Ask:
    """Return some of the rows with the values of a slot as columns, made by its generator.

    Args:
        slot: the slot.
        name: what it is called.
        mark: slots with other marks have other values.
        ask: all rows.
        rows: the positions of those in which the slot stands.
    """
    schema, columns = slot.among(ask.given.schema, ask.table, name), tuple(slot.fields(name))
    held = ask.given.tables[ask.table]
    there = {c: held.column(c) for c in held.column_names if c not in (*columns, ROW)}
    some = pa.table({**there, ROW: pa.array(ask.numbers)}).take(pa.array(rows))
    given = Dataset(schema, {**ask.given.tables, ask.table: some})
    try:
        rule = slot.rule()
    except ValidationError as error:
        raise SampleError("template", f"slot {name!r}", wanted=f"parameters of {slot.use}",
                          got=f"{error.error_count()} that are none") from None  # fmt: skip
    part = Part(tuple(f"{ask.table}.{c}" for c in columns))
    ctx = ask.ctx.at("slot", name, mark)
    if mark:  # what is unique follows from the row's number and the seed, wherever it is made
        ctx = replace(ctx, seed=secret("slot", ctx.seed, name, mark) % 2**63)
    made, problems = rule.fit(Dataset.empty(schema), part, ctx).sample(given, ctx)
    refuse_rows(problems, "template", name)
    return replace(ask, given=made)


def spelled(ask: Ask, path: str) -> pa.Array:
    """Return a column, or what a path leads to, as text: as formulas write it."""
    quoted = path.replace("`", "``")
    found = column(read(f"`{quoted}`"), ask, _TEXT)
    whole = pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else pa.array(found)
    return whole.cast(pa.large_string())


def dated(ask: Ask, path: str, formats: tuple[str, ...]) -> pa.Array:
    """Return a column of dates or instants as text of a format; the last one where there are several."""
    import polars as pl

    series = cast(pl.Series, pl.from_arrow(ask.column(path)))
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime)
    return series.dt.strftime(formats[-1]).to_arrow().cast(pa.large_string())
