"""Texts by templates and grammars, with the spans of what their slots hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator, PlainSerializer, field_validator
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Frozen, Kind, Schema
from synthwright.kit.formula.amounts import Readable
from synthwright.kit.formula.formulas import children, condition, faults, read
from synthwright.kit.formula.stated import lost
from synthwright.kit.ruled import Ask, Column, Ruled, hops, reached
from synthwright.kit.texts import grammar_slots as filling
from synthwright.kit.texts.grammar import CLOCK, NAME, Grammar, Option, Slot, codes_of, parse
from synthwright.kit.texts.grammar_slots import SlotUse
from synthwright.kit.texts.grammar_texts import CASES, Needed, Texts, cased, distinct
from synthwright.kit.texts.spans import Spans, written

WORDS = frozenset({Kind.TEXT, Kind.CATEGORY})
_SPANS = ("spans", "entities")
"""What a column of spans is called where nothing is said."""
_DAYS = frozenset({Kind.DATE, Kind.DATETIME})


class Alternative(Frozen):
    """One way to write what a rule stands for."""

    text: str
    """The text, with slots in braces."""
    weight: float = Setting(default=1.0, ge=0, allow_inf_nan=False)
    """How often it is taken, in proportion to the others."""
    when: Readable | None = None
    """A condition on the row's columns, `hour(at) < 12`: where it does not hold, the alternative is not taken."""

    @field_validator("text")
    @classmethod
    def _has_slots(cls, said: str) -> str:
        parse(said)
        return said


def _one(said: Any) -> Any:
    """Read a text alone as an alternative; numbers are what they are written as."""
    if isinstance(said, bool) or said is None:
        raise ValueError("wanted a text: put true, false and null in quotes")
    return {"text": str(said)} if isinstance(said, str | int | float) else said


def _several(said: Any) -> Any:
    return said if isinstance(said, list | tuple) else [said]


def _mapped(said: Any) -> Any:
    """Read pairs, which is what rules are saved as, as a mapping."""
    pairs = isinstance(said, list | tuple) and all(isinstance(p, list | tuple) and len(p) == 2 for p in said)
    return dict(said) if pairs else said


Alternatives = Annotated[
    tuple[Annotated[Alternative, BeforeValidator(_one, json_schema_input_type=str | float | Alternative)], ...],
    BeforeValidator(_several, json_schema_input_type=str | float | Alternative | list[str | float | Alternative]),
    Setting(min_length=1),
]
Rules = Annotated[
    dict[str, Alternatives],
    BeforeValidator(_mapped, json_schema_input_type=dict[str, Alternatives]),
    PlainSerializer(lambda said: [[rule, [a.model_dump() for a in listed]] for rule, listed in said.items()]),
    Setting(min_length=1),
]
"""Rules in the order they are written: a list keeps it wherever it is saved."""
_DEFAULT: dict[str, Any] = {"text": ["{greeting}, {who}!", "{greeting}!"], "greeting": ["Hello", "Good day", "Welcome"],
                            "who": ["friend", "neighbour", "everybody", "stranger"]}  # fmt: skip


class Template(Ruled):
    """Writes texts by templates: slots, choices, grammars; and marks what the slots hold, exactly.

    ::

        - make: [note.text, note.spans]
          use: template
          with:
            rules:
              sentence:
                - "{greeting}, my name is {name:PERSON} and I live in {city:GPE}."
                - {text: "Please ship order {number} to {home.address:ADDRESS}.", weight: 3}
              greeting: [Hello, Hi, {text: "Good morning", weight: 0.5, when: "hour(at) < 12"}]
              name: "{customer.first_name} {customer.last_name}"
            slots:
              home: {use: address, make: [address, city]}

    A slot is a rule, else one of `slots`, else a column or path of the row. A rule is chosen anew wherever it stands;
    columns and `slots` have one value in a row. With a mark, `{name@1}` is chosen once in a row: the same wherever it
    stands, and another than `{name@2}`. Behind a name may stand `|upper`, `|lower`, `|title`, `|capital`, `|a` (an
    English article before it, outside the label), for dates a format, `|%d %B %Y`; and `:LABEL`. `{{` and `}}` are
    braces. Where a value is missing there is no text. `docs/templates.md` has it all.

    The second column holds the spans of the labels as JSON, `[{"start": 5, "end": 12, "label": "PERSON"}]`, in
    characters, sorted. More columns get texts of their own.
    """

    name: ClassVar[str] = "template"
    abilities: ClassVar[Abilities] = Abilities(kinds=WORDS, given="declared", learns=False)

    rules: Rules = Setting(default=_DEFAULT, validate_default=True, examples=[{"x": ["a", "b"]}])
    """What texts are made of: for each rule its alternatives, texts with slots in braces; one alone needs no list. An
    alternative with a weight or a condition is written `{text: …, weight: 3, when: "age < 18"}`."""
    start: str = ""
    """The rule that a text begins with; nothing: the first."""
    slots: dict[str, SlotUse] = Setting(default={}, examples=[{"x": {"use": "uuid"}}])
    """Slots that generators fill: `{iban: {use: iban}, who: {use: person, make: [full_name, email]}}`."""
    depth: int = Setting(default=8, ge=1, le=50)
    """How many rules stand inside each other at most; near it only alternatives are taken that end in time."""
    text: str = ""
    """The column of the texts that the spans are of; nothing: the one that is not `spans`."""
    spans: str = ""
    """The column of spans; nothing: the one that is called `spans` or `entities`, beside one of texts."""
    nested: bool = False
    """Whether labels inside labels are kept; without, only the outermost is, as BIO tags and spaCy want it."""
    casing: dict[Literal["lower", "upper", "title"], Annotated[float, Setting(ge=0, le=1)]] = Setting(
        default={}, examples=[{"lower": 0.5}]
    )
    """Shares of the rows whose whole text is in small letters, capitals, or with a capital at each word:
    `{lower: 0.2, upper: 0.02}`; spans stay as they are."""

    @field_validator("rules", "slots")
    @classmethod
    def _nameable(cls, said: dict[str, Any]) -> dict[str, Any]:
        wrong = [name for name in said if not NAME.fullmatch(name) or name != name.strip()]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name: wanted one without {{ }} | : @ ` and blanks at its ends")
        return said

    @field_validator("casing")
    @classmethod
    def _shares(cls, said: dict[str, float]) -> dict[str, float]:
        if sum(said.values()) > 1:
            raise ValueError(f"the shares sum to {sum(said.values()):g}, wanted at most 1")
        return said

    @cached_property
    def grammar(self) -> Grammar:
        """The rules, understood."""
        rules = {rule: tuple(Option(parse(a.text), a.weight, a.when) for a in listed)
                 for rule, listed in self.rules.items()}  # fmt: skip
        return Grammar(rules, self.start or next(iter(self.rules)), self.depth)

    def paths(self) -> Sequence[str]:
        conditions = [p for _, o in self._options() if o.when is not None for p in read(o.when).paths]
        named = [s.name for _, o in self._options() for s in o.slots if self._is_path(s.name)]
        return tuple(dict.fromkeys((*named, *conditions)))

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        found = [str(h) for path in self.paths() for h in reached(schema, table, path)]
        found += super().looks_at(schema, table)  # its `nulls`
        for _, option in self._options():
            found += children(read(option.when), schema, table) if option.when is not None else ()
        for name, slot in self.slots.items():
            if not any(slot.faults(name, schema, table, ())):
                made = {f"{table}.{c}" for c in slot.fields(name)}
                found += [c for c in slot.rule().looks_at(slot.among(schema, table, name), table) if c not in made]
        return tuple(dict.fromkeys(found))

    def _options(self) -> Iterator[tuple[Place, Option]]:
        for rule, options in self.grammar.rules.items():
            for i, option in enumerate(options):
                yield ("rules", rule, i), option

    def _is_path(self, name: str) -> bool:
        return name not in self.rules and not (filling.find(self.slots, name) or filling.wrong(self.slots, name))

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        if "rules" not in self.model_fields_set:
            return [*found, ((), "it says nothing to write: say `rules`")]
        found += self._wrong_columns(produce)
        for place, option in self._options():
            for slot in option.slots:
                found += [(place, f"the slot at character {slot.at}: {said}")
                          for said in self._wrong_slot(slot, schema, table, produce)]  # fmt: skip
            if option.when is not None:
                said = faults(read(option.when), schema, table, wanted="boolean")
                said = said or [s for p in read(option.when).paths for s in lost(p, schema, table, produce)]
                found += [((*place, "when"), one) for one in said]
        found += [(("rules", rule) if rule else ("start",), said) for rule, said in self.grammar.faults()]
        for name, use in self.slots.items():
            if name in self.rules:
                found.append((("slots", name), f"{name!r} is a rule too: call one of them something else"))
            found += [(("slots", name, *place), said) for place, said in use.faults(name, schema, table, produce)]
        return list(dict.fromkeys(found))

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        for name, slot in self.slots.items():
            inside = slot.rule().foreseen(slot.among(schema, table, name), table, tuple(slot.fields(name)),
                                          replace(known, said=slot.settings))  # fmt: skip
            found += [one._replace(place=("slots", name, "with", *one.place)) for one in inside]
        return found

    def _wrong_columns(self, produce: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
        """Yield which columns cannot be the texts and their spans."""
        for word, column in (("text", self.text), ("spans", self.spans)):
            if column and column not in produce:
                near = get_close_matches(column, produce, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "name it in `make`"
                yield (word,), f"the part makes no column {column!r}: {hint}"
        text, spans = self._roles(produce)
        if spans is not None and self.nulls != 0:
            yield ("nulls",), "texts and their spans would be missing in different rows: leave `nulls` out"
        labels = () if any(True for _ in self.grammar.faults()) else self.grammar.labels
        if text and text == spans:
            yield ("spans",), f"column {text!r} cannot hold texts and spans"
        elif spans is None and labels:
            yield (), f"slots have labels ({', '.join(labels[:3])}), and no column holds their spans: make one too"
        elif spans is None and produce[0] in _SPANS and not self.text:
            yield (), f"column {produce[0]!r} is made alone: make the column of its texts too, or say `text`"
        elif spans is not None and not labels and text:
            yield ("spans",) if self.spans else (), f"no slot has a label, so {spans!r} would be empty: {{name:PERSON}}"

    def _wrong_slot(self, slot: Slot, schema: Schema, table: str, produce: tuple[str, ...]) -> Iterator[str]:
        """Yield why a slot cannot be filled."""
        if slot.name in self.rules:
            kind = None
        elif (made := filling.find(self.slots, slot.name)) is not None:
            kind = self.slots[made[0]].fields(made[0])[made[1]].kind
        elif (said := filling.wrong(self.slots, slot.name)) is not None:
            yield said
            return
        else:
            if lost(slot.name, schema, table, ()):
                yield self._unknown(slot.name, schema, table)
                return
            yield from lost(slot.name, schema, table, produce)
            last = hops(schema, table, slot.name)[-1]
            kind = schema.tables[last.table].fields[last.column].kind
            if slot.mark:
                yield f"{slot.name!r} is a column, which has one value in a row: leave out '@{slot.mark}'"
            if kind is Kind.BYTES:
                yield f"{slot.name!r} holds bytes, which are no text"
        formats = [f for f in slot.filters if "%" in f]
        if formats and kind not in _DAYS:
            yield f"a format such as %d %B %Y is for dates and instants, and {slot.name!r} is {kind or 'a rule'}"
        elif kind is Kind.DATE and (clock := {c for f in formats for c in codes_of(f)} & CLOCK):
            yield f"{slot.name!r} is a date, which has no time of day: leave out {' '.join(sorted(clock))}"

    def _unknown(self, name: str, schema: Schema, table: str) -> str:
        every = [*self.rules, *schema.tables[table].fields]
        for slot, use in self.slots.items():
            every += [f"{slot}.{c}" for c in use.make] or [slot]
        near = get_close_matches(name, every, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        return f"{name!r} is no rule, no slot and no column or path of table {table!r}{hint}"

    # ------------------------------------------------------------------------------------------------------------ make
    def _roles(self, produce: tuple[str, ...]) -> tuple[str | None, str | None]:
        """Return the column of the texts that spans are of, and the column of spans."""
        spans = self.spans or next((c for c in produce if c in _SPANS and len(produce) > 1 and c != self.text), None)
        return self.text or next((c for c in produce if c != spans), None), spans

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        wrong = next(self.grammar.faults(), None)
        if wrong is not None:
            raise SampleError(self.name, "the rules", wanted="rules that texts can be made by", got=wrong[1])
        text, spans = self._roles(ask.produce)
        if spans in ask.produce and text not in ask.produce:
            raise SampleError(self.name, f"column {spans!r}", wanted="texts that are made with their spans",
                              got="texts that are there already", remedy="leave the texts to this part")  # fmt: skip
        made: dict[str, Column] = {}
        for column in (c for c in ask.produce if c != spans):
            ground = _Ground(self, ask, () if column == text else (column,))
            texts, marked = Texts(self.grammar, ground, ask.rows, nested=self.nested).make()
            if texts.null_count and not ask.field(column).nulls:
                raise SampleError(self.name, f"column {column!r}", wanted="a text in every row",
                                  got=f"none in {texts.null_count:,} of {ask.rows:,}, where a slot has no value",
                                  remedy="give those alternatives `when: 'x is not null'`")  # fmt: skip
            made[column] = self._cased(texts, ground.rng("casing"))
            if spans is not None and column == text:
                made[spans] = self._listed(marked, texts)
        return made

    def _listed(self, spans: Spans, texts: pa.Array) -> pa.Array:
        said = written(spans, self.grammar.labels, len(texts))
        return pc.if_else(texts.is_valid(), said, pa.scalar(None, said.type))

    def _cased(self, texts: pa.Array, rng: np.random.Generator) -> pa.Array:
        """Return texts, a share of them in other letters; what would have other lengths stays as it is."""
        if not self.casing:
            return texts
        at, low = rng.random(len(texts)), 0.0
        for case in CASES:
            share = self.casing.get(case, 0.0)  # type: ignore[call-overload]
            which = np.flatnonzero((at >= low) & (at < low + share))
            low += share
            if len(which):
                new = cased(texts.take(pa.array(which)), case)
                chosen = np.zeros(len(texts), dtype=bool)
                chosen[which] = True
                texts = pc.replace_with_mask(texts, pa.array(chosen), new)
        return texts


class _Ground:
    """What texts are made from: columns, conditions and slots of some rows."""

    def __init__(self, recipe: Template, ask: Ask, place: tuple[str, ...]) -> None:
        self.recipe, self.ask = recipe, Ask(ask.given, ask.table, ask.produce, ask.ctx.at(*place) if place else ask.ctx)
        self._holds: dict[str, np.ndarray] = {}

    def rng(self, *place: str) -> np.random.Generator:
        return self.ask.ctx.at(*place).rng

    def holds(self, when: str) -> np.ndarray:
        if when not in self._holds:
            self._holds[when] = condition(read(when), self.ask)
        return self._holds[when]

    def values(self, needed: Mapping[Needed, np.ndarray]) -> dict[Needed, pa.Array]:
        slots, found = self.recipe.slots, {}
        together: dict[tuple[str, str], list[Needed]] = {}
        for one in needed:
            made = filling.find(slots, one[0])
            if made is None:
                found[one] = _written(self.ask, one[0], one[2]).take(pa.array(needed[one]))
            else:
                together.setdefault((made[0], one[1]), []).append(one)
        for (name, mark), every in together.items():
            rows = distinct([needed[one] for one in every], self.ask.rows)
            drawn = filling.drawn(slots[name], name, mark, self.ask, rows)
            for one in every:
                _, column = filling.find(slots, one[0]) or ("", "")
                places = np.searchsorted(rows, needed[one])
                found[one] = _written(drawn, column, one[2]).take(pa.array(places))
        return found


def _written(ask: Ask, path: str, formats: tuple[str, ...]) -> pa.Array:
    return filling.dated(ask, path, formats) if formats else filling.spelled(ask, path)
