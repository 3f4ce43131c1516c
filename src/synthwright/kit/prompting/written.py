"""Generators whose columns a language model writes: what it is asked, what it is to answer, what becomes of that."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, PlainSerializer, field_validator
from pydantic import Field as Setting

from synthwright.core import chat
from synthwright.core.context import Context
from synthwright.core.contracts import Place, Verdict
from synthwright.core.errors import SampleError
from synthwright.core.plan_models import WRITER
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.kit.formula.stated import lost
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting import answer_schemas as schemas
from synthwright.kit.prompting.answers import REASONS, AnswerError
from synthwright.kit.prompting.prompt_desk import Desk, Question, answered
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt, Template
from synthwright.kit.ruled import Ask, Drawn, Ruled, hops

NO_PROMPT = "no-prompt"
"""The reason of rows whose prompt could not be written."""
UNANSWERED: dict[str, str] = {
    NO_PROMPT: "The prompt of the row could not be written: too long, too slow, or a list that is none.",
    "no-reply": "The endpoint gave no answer, however often it was asked.",
    **REASONS,
}
"""Why rows go that a language model was to write, by reason code."""
NOBODY: Mapping[int, str] = MappingProxyType({})


def _mapping(told: Any) -> Any:
    """Read a JSON Schema that is written as text, which keeps the order of its properties."""
    try:
        return json.loads(told) if isinstance(told, str) else told
    except (ValueError, RecursionError):
        raise ValueError("wanted a JSON Schema: a mapping, or JSON text") from None


JsonSchema = Annotated[
    dict[str, Any],
    BeforeValidator(_mapping, json_schema_input_type=dict[str, Any] | str),
    PlainSerializer(lambda told: json.dumps(told, ensure_ascii=False)),
]
"""A JSON Schema, kept as text where it is stored: the order of its properties counts."""


class Written(Ruled):
    """A generator whose columns a language model writes, row by row; how each is asked is its own matter."""

    reasons: ClassVar[dict[str, str]] = UNANSWERED
    """Why rows go."""

    prompt: Template = "Write a short text."
    """The template of what the model is asked."""
    system: Template = ""
    """The template of what it is told before: who it is, how it writes. Nothing: nothing."""
    writer: str = Setting(default="writer", alias="model", min_length=1)
    """The language model, as `models` of the specification calls it."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of an answer; nothing: what the model's own parameters say."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely it writes; nothing: what the model's own parameters say."""
    form: Literal["text", "json", "choice", "conversation"] | None = None
    """What the answer is. Nothing: `text` for one column of text, `choice` for one category whose labels are known,
    else `json`. A `conversation` is kept as a JSON list of `{role, content}` in a column of text."""
    values: tuple[str, ...] = Setting(default=(), examples=[["a", "b"]])
    """The labels of a choice; nothing: the `labels` of the column, or those that a rule of the table names,
    `tone in ['kind', 'rude']`."""
    schema_: JsonSchema | None = Setting(default=None, alias="schema", examples=[{"type": "object"}])
    """The JSON Schema of the answer. Nothing: made from the columns, their kinds, labels and the bounds that rules set.
    Where one column of text is made that is no property of it, the whole answer is kept there as JSON."""
    columns: dict[str, str] = Setting(default={}, examples=[{"a": "b"}])
    """With JSON: the columns of properties that are called otherwise, `{full_text: text}`."""
    describe: dict[str, str] = Setting(default={}, examples=[{"a": "b"}])
    """With JSON: what a column is to hold, for the model, `{stars: "from 1, bad, to 5, good"}`."""
    repair: bool = True
    """Whether a model that answers in the wrong form is told what was wrong, and asked once more."""
    instruct: bool = True
    """Whether each question ends with a sentence that says the form of the answer: the labels, the JSON Schema."""

    @field_validator("schema_")
    @classmethod
    def _usable(cls, told: dict[str, Any] | None) -> dict[str, Any] | None:
        wrong = schemas.faults(told) if told is not None else []
        if wrong:
            raise ValueError(wrong[0])
        return told

    def asks(self) -> tuple[str, ...]:
        return (self.writer,)

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*Prompt.read(self.prompt).names, *Prompt.read(self.system).names)))

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        held = schema.tables[table]
        if self.schema_ is not None or held.fields[column].kind is not Kind.CATEGORY:
            return None
        labels = self.values or schemas.labels_of(held, column)
        return (*labels, *((None,) if self.nulls != 0 else ())) if labels else None

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        if "prompt" not in self.model_fields_set:
            found.append(((), "say what to ask: `prompt`"))
        for word, template in (("prompt", self.prompt), ("system", self.system)):
            for path in Prompt.read(template).names:
                told = list(lost(path, schema, table, produce))
                if not told and field_at(path, schema, table).kind is Kind.BYTES:
                    told = [f"{path!r} holds bytes, which are no text"]
                found += [((word,), one) for one in told]
        wrong = self._wrong_form(schema.tables[table], produce)
        return [*found, *(wrong or self.further(schema, table, produce))]

    def further(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what else cannot be meant, where the form of the answer is sound."""
        return []

    def _wrong_form(self, held: Table, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what the form of the answer cannot mean for the columns."""
        form = self._form_name(held, produce)
        only = held.fields[produce[0]]
        found: list[tuple[Place, str]] = []
        if form != "json" and len(produce) > 1:
            several = f"the form {form!r} fills one column, and the part makes {len(produce)}"
            found.append((("form",), f"{several}: say 'json', or give each column a part of its own"))
        if form != "json":
            found += [((word.rstrip("_"),), f"that goes with the form 'json', not with {form!r}")
                      for word in ("schema_", "columns", "describe") if getattr(self, word)]  # fmt: skip
        if self.values and form != "choice":
            found.append((("values",), f"values go with the form 'choice', not with {form!r}"))
        able = {"text": (Kind.TEXT, Kind.CATEGORY), "conversation": (Kind.TEXT,),
                "choice": (Kind.CATEGORY, Kind.TEXT, Kind.BOOLEAN)}.get(form, forms.MAKES)  # fmt: skip
        if only.kind not in able:
            kinds = " or ".join(able)
            told = (
                f"the form {form!r} makes a column of kind {kinds}, and {produce[0]!r} is of kind {only.kind.value!r}"
            )
            found.append((("form",), told))
        if form == "choice" and not found:
            found += self._wrong_labels(held, produce[0])
        return [*found, *(self._wrong_json(held, produce) if form == "json" and not found else ())]

    def _wrong_labels(self, held: Table, column: str) -> list[tuple[Place, str]]:
        labels = self._labels(held, column)
        if len(labels) < 2:
            return [((), f"a choice for {column!r} needs labels: say `values: [a, b]`, or `labels` in the schema")]
        found: list[tuple[Place, str]] = []
        for i, label in enumerate(labels):
            try:
                forms.fitting(label, held.fields[column], column)
            except AnswerError as error:
                found.append((("values", i) if self.values else (), f"{label!r}: {error.why}"))
        return found

    def _wrong_json(self, held: Table, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what a JSON Schema, or the names of its properties, cannot mean for the columns."""
        found: list[tuple[Place, str]] = []
        for prop, column in self.columns.items():
            if column not in produce:
                found.append((("columns", prop), f"the part makes no column {column!r}{nearest(column, produce)}"))
        twice = [c for c in produce if list(self.columns.values()).count(c) > 1]
        found += [(("columns",), f"column {c!r} is filled by several properties") for c in twice]
        found += [(("describe", c), f"the part makes no column {c!r}{nearest(c, produce)}")
                  for c in self.describe if c not in produce]  # fmt: skip
        if self.schema_ is None or found:
            return found
        if self.describe:
            found.append((("describe",), "a schema says it itself: put a 'description' beside each property"))
        if self._whole(held, produce):
            return found
        inner = self.schema_.get("properties", {})
        for column, prop in self._properties(held, produce).items():
            field = held.fields[column]
            if prop not in inner:
                found.append((("schema",), f"column {column!r} is no property of the schema{nearest(prop, inner)}"))
                continue
            place = ("schema", "properties", prop) if isinstance(self.schema_, Mapping) else ("schema",)
            found += [(place, told) for told in schemas.unheld(inner[prop], field, column)]
            if prop not in self.schema_.get("required", ()) and not field.nulls:
                found.append((place, f"{prop!r} is not required, and column {column!r} must have a value in every row"))
        return found

    # ------------------------------------------------------------------------------------------------------- the form
    def _labels(self, held: Table, column: str) -> tuple[str, ...]:
        return self.values or schemas.labels_of(held, column)

    def _form_name(self, held: Table, produce: tuple[str, ...]) -> str:
        if self.form is not None:
            return self.form
        kind = held.fields[produce[0]].kind
        if self.schema_ is not None or len(produce) > 1:
            return "json"
        if self.values or (kind is Kind.CATEGORY and self._labels(held, produce[0])):
            return "choice"
        return "text" if kind in (Kind.TEXT, Kind.CATEGORY) else "json"

    def _properties(self, held: Table, produce: tuple[str, ...]) -> dict[str, str]:
        """Return the property that fills each column."""
        renamed = {column: prop for prop, column in self.columns.items()}
        return {c: renamed.get(c, c) for c in produce}

    def _whole(self, held: Table, produce: tuple[str, ...]) -> bool:
        """Return whether the answer is kept whole, as JSON in one column of text."""
        if self.schema_ is None or len(produce) != 1 or held.fields[produce[0]].kind is not Kind.TEXT or self.columns:
            return False
        return produce[0] not in self.schema_.get("properties", {})

    def _form(self, held: Table, produce: tuple[str, ...]) -> forms.Form:
        """Return what an answer is to be."""
        fields = {c: held.fields[c] for c in produce}
        match self._form_name(held, produce):
            case "text":
                return forms.Text(produce[0])
            case "choice":
                return forms.Choice(produce[0], fields[produce[0]], self._labels(held, produce[0]))
            case "conversation":
                return forms.Conversation(produce[0])
        properties = self._properties(held, produce)
        if self.schema_ is not None:
            return forms.Json(self.schema_, fields, {} if self._whole(held, produce) else properties, loose=False)
        made = {p: schemas.field_schema(held, c, self.describe.get(c, "")) for c, p in properties.items()}
        return forms.Json(schemas.object_schema(made), fields, properties)

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Drawn:
        return self.written(ask, self.question(ask))

    @abstractmethod
    def question(self, ask: Ask) -> Question:
        """Return what is asked for each row."""

    def written(self, ask: Ask, question: Question, gone: Mapping[int, str] = NOBODY) -> Drawn:
        """Return what the model writes for the rows that are needed.

        Args:
            ask: which rows.
            question: what is asked for each.
            gone: rows that are not asked for, by position, and why they go.
        """
        models = models_of(ask, self.writer, self.name)
        rows = np.arange(ask.rows) if ask.needed is None else np.flatnonzero(ask.needed)
        left = {int(r): gone[int(r)] for r in rows if int(r) in gone} if gone else {}
        rows = rows[~np.isin(rows, list(left))] if left else rows
        desk = Desk(question, ask, rows)

        async def work(i: int, model: chat.Ask) -> forms.Values | str:
            request = desk.request(i)
            if isinstance(request, Unwritten):
                return NO_PROMPT
            found = await answered(lambda r, attempt: model(self.writer, r, (*desk.key(i), attempt)), request,
                                   question.form.read, repair=self.repair)  # fmt: skip
            return found.code if isinstance(found, AnswerError) else found

        answers = models.each(range(len(rows)), work, partial(told, ask.ctx, len(rows)))
        return columns_of(ask, [*rows.tolist(), *left], [*answers, *left.values()])


def models_of(ask: Ask, writer: str, owner: str) -> chat.Models:
    """Return the language models of a run.

    Raises:
        SampleError: there are none.
    """
    if ask.ctx.models is None:
        raise SampleError(owner, f"the model {writer!r}", wanted="a language model to ask", got="none",
                          remedy=f"name it in the specification, for example {WRITER}")  # fmt: skip
    return ask.ctx.models


def columns_of(ask: Ask, rows: Sequence[int], answers: Sequence[forms.Values | str]) -> Drawn:
    """Return what was answered as columns; rows without an answer go for their reasons."""
    values = {c: [forms.placeholder(ask.field(c))] * ask.rows for c in ask.produce}
    reasons: list[str | None] = [None] * ask.rows
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(answer, str):
            reasons[row] = answer
            continue
        for column, value in answer.items():
            values[column][row] = value
    gone = pa.array(reasons, pa.string())
    verdict = Verdict(ask.table, gone.is_null().to_numpy(zero_copy_only=False), gone)
    return Drawn({c: forms.column_of(values[c], ask.field(c)) for c in ask.produce}, (verdict,))


def told(ctx: Context, total: int, done: int) -> None:
    """Tell how many answers there are."""
    ctx.progress(done, max(total, 1), "answers")


def field_at(path: str, schema: Schema, table: str) -> Field:
    """Return the declaration of the column that a path leads to."""
    last = hops(schema, table, path)[-1]
    return schema.tables[last.table].fields[last.column]


def nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return what to say of a name that there is not: the nearest that there is, or all."""
    near = get_close_matches(name, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else f": there are {', '.join(map(repr, list(known)[:10]))}"
