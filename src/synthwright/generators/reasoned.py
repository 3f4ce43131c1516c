"""Columns with an answer and the steps that lead to it, written by a language model and checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator
from pydantic import Field as Setting

from synthwright.core import chat
from synthwright.core.chat import Message, Request
from synthwright.core.contracts import Abilities, Place, Verdict
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Field, Frozen, Kind, Schema
from synthwright.kit.formula.stated import lost
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting import answer_schemas as schemas
from synthwright.kit.prompting.answers import AnswerError
from synthwright.kit.prompting.prompt_desk import Desk, Question, answered
from synthwright.kit.prompting.prompt_words import Unwritten, written
from synthwright.kit.prompting.prompts import Prompt, Template, values
from synthwright.kit.prompting.reasoning import DISAGREE, WRONG, Heard, Outcome, Panel, Reasoned, enough, kept
from synthwright.kit.prompting.written import NO_PROMPT, UNANSWERED, columns_of, field_at, models_of, nearest, told
from synthwright.kit.ruled import Ask, Drawn, Ruled, hops

UNKNOWN = "no-known-answer"
COLUMN, CONSISTENCY = "column", "consistency"
_HINT = (
    "The right answer is {}. Write the steps that lead to it as if you had found it yourself: never say that it was "
    "told."
)
_STEPS = "the steps, one after another, that lead to the answer"
Checks = Annotated[
    tuple[Literal["column", "consistency"], ...],
    Setting(min_length=1),
    BeforeValidator(lambda said: (said,) if isinstance(said, str) else said, json_schema_input_type=Any),
]


class Worked(Frozen):
    """A question with its answer, worked out."""

    input: str | dict[str, str | bool | int | float | None] = ""
    """The values of what the template mentions, `{question: "2 + 2?"}`; or the whole question."""
    rationale: str = Setting(min_length=1)
    """The steps."""
    answer: str | bool | int | float
    """What they lead to."""


class ReasonedGenerator(Ruled):
    """Lets a language model think step by step, and checks the answer that it comes to.

    ::

        - make: [problem.rationale, problem.answer]
          use: reasoned
          with:
            prompt: "{{ question }}"
            known: total                     # the column with the right answer; or:
            # check: consistency             # five independent answers, of which three must agree
            hint: true

    The part makes a column for the steps, one for the answer, or both; what is not made is asked for and checked all
    the same. Chain of thought: Wei et al., 2022, https://arxiv.org/abs/2201.11903; the answer that most chains lead to:
    Wang et al., 2022, https://arxiv.org/abs/2203.11171; steps for a known answer: Zelikman et al., 2022,
    https://arxiv.org/abs/2203.14465. Rows whose answer is wrong, or on which answers disagree, go.
    """

    name: ClassVar[str] = "reasoned"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=forms.MAKES - {Kind.TIME, Kind.DATETIME}, given="declared", learns=False
    )
    reasons: ClassVar[dict[str, str]] = {
        **UNANSWERED,
        UNKNOWN: "The column that is to hold the right answer holds none, so that nothing could be checked.",
        WRONG: "The language model did not come to the answer that is known to be right.",
        DISAGREE: "Too few of the language model's answers to the same question agreed.",
    }
    """Why rows go."""

    prompt: Template = "What is seven times eight?"
    """The template of the question."""
    system: Template = ""
    """The template of what the model is told before: who it is, how it explains. Nothing: nothing."""
    writer: str = Setting(default="writer", alias="model", min_length=1)
    """The language model, as `models` of the specification calls it."""
    rationale: str = Setting(default="rationale", min_length=1)
    """The column of text that keeps the steps, where the part makes it."""
    agreement: str = Setting(default="agreement", min_length=1)
    """The column of numbers, where the part makes it, for the share of answers that are the one that is kept; with a
    known answer, the share that is right without a hint. All questions are then asked, in any case."""
    check: Checks | None = Setting(default=None, examples=["column", ["column", "consistency"]])
    """How the answer is checked: against a `column`, by `consistency` of several, or both, `[column, consistency]`:
    the right one must then be given by so many. Nothing: `column` where `known` names one, else `consistency`."""
    known: str = Setting(default="", examples=["x"])
    """The column, or path, that holds the right answer. Numbers are compared as numbers, texts without case, blanks and
    punctuation."""
    tolerance: float = Setting(default=0.0, ge=0)
    """How far a number may be from the right one."""
    samples: int = Setting(default=5, ge=1, le=100)
    """With `consistency`, how many independent answers are asked for; no more than are needed to tell."""
    agree: float = Setting(default=0.6, gt=0, le=1)
    """With `consistency`, the share of the answers that must be the same."""
    keep: Literal["first", "shortest"] = "first"
    """Which steps are kept where several lead to the answer."""
    hint: bool = False
    """Whether a model that came to a wrong answer is told the right one, and asked once more for the steps."""
    form: Literal["json", "text"] = "json"
    """How it answers: as JSON, or as text whose last line is `Answer: …`, which small models find easier."""
    describe: dict[str, str] = Setting(default={}, examples=[{"a": "b"}])
    """What steps and answer are to hold, for the model, by their columns: `{answer: "in euros"}`."""
    examples: tuple[Worked, ...] = Setting(
        default=(), max_length=50, examples=[[{"input": "a", "rationale": "b", "answer": "c"}]]
    )
    """Questions that are worked out, shown before that of the row: `{input: {…}, rationale: "…", answer: 4}`."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of an answer; nothing: what the model's own parameters say."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely it writes; nothing: what the model's own parameters say. Several answers need some."""
    repair: bool = True
    """Whether a model that answers in the wrong form is told what was wrong, and asked once more."""

    def asks(self) -> tuple[str, ...]:
        return (self.writer,)

    def paths(self) -> Sequence[str]:
        known = (self.known,) if self.known else ()
        return tuple(dict.fromkeys((*Prompt.read(self.prompt).names, *Prompt.read(self.system).names, *known)))

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        held = schema.tables[table]
        labels = schemas.labels_of(held, column) if held.fields[column].kind is Kind.CATEGORY else ()
        return (*labels, *((None,) if self.nulls != 0 else ())) if labels else None

    @property
    def checks(self) -> tuple[str, ...]:
        """How the answer is checked."""
        return self.check or ((COLUMN,) if self.known else (CONSISTENCY,))

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        if "prompt" not in self.model_fields_set:
            found.append(((), "say what to ask: `prompt`"))
        named = [(w, p) for w in ("prompt", "system") for p in Prompt.read(getattr(self, w)).names]
        for word, path in (*named, *((("known", self.known),) if self.known else ())):
            wrong = list(lost(path, schema, table, produce))
            if not wrong and field_at(path, schema, table).kind is Kind.BYTES:
                wrong = [f"{path!r} holds bytes, which are no text"]
            found += [((word,), one) for one in wrong]
        found += [*self._wrong_columns(schema, table, produce), *self._wrong_check()]
        return found or self._wrong_words(schema, table, produce)

    def _wrong_columns(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return which columns it cannot fill."""
        fields, answers = schema.tables[table].fields, self._answers(produce)
        found: list[tuple[Place, str]] = []
        for word, kinds in (("rationale", (Kind.TEXT,)), ("agreement", (Kind.NUMBER,))):
            column = getattr(self, word)
            if column in produce and fields[column].kind not in kinds:
                kind = fields[column].kind.value
                found.append(((word,), f"column {column!r} is of kind {kind!r}: wanted {kinds[0].value!r}"))
        if len(answers) > 1:
            which = f"the part makes {' and '.join(map(repr, answers))}, and only one column can hold the answer"
            found.append(((), f"{which}: say which holds the steps, `rationale: {answers[0]}`"))
        return found

    def _wrong_check(self) -> list[tuple[Place, str]]:
        """Return what parameters of the check cannot mean together."""
        found: list[tuple[Place, str]] = []
        if COLUMN in self.checks and not self.known:
            found.append((("check",), "name the column that holds the right answer: `known: total`"))
        if self.known and COLUMN not in self.checks:
            found.append((("known",), "nothing is compared with it: say `check: [column, consistency]`"))
        if self.hint and COLUMN not in self.checks:
            found.append((("hint",), "only an answer that is known can be told: name its column, `known: total`"))
        if CONSISTENCY not in self.checks:
            found += [((w,), "that goes with several answers: say `check: [column, consistency]`")
                      for w in ("samples", "agree") if w in self.model_fields_set]  # fmt: skip
        return found

    def _wrong_words(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return which descriptions describe nothing, and which examples no model should follow."""
        form, asked = self._form(schema, table, produce), Prompt.read(self.prompt).names
        found: list[tuple[Place, str]] = [
            (("describe", name), f"the model is not asked for {name!r}{nearest(name, form.names)}")
            for name in self.describe if name not in form.names
        ]  # fmt: skip
        for i, example in enumerate(self.examples):
            said = example.input if isinstance(example.input, dict) else {}
            found += [(("examples", i, "input"), f"the prompt does not mention {name!r}{nearest(name, asked)}")
                      for name in said if name not in asked]  # fmt: skip
            try:
                form.read(form.shown(example.rationale, example.answer))
            except AnswerError as error:
                found.append((("examples", i), f"such an answer would be refused: {error.why}"))
        return found

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        if self.known and self.known in (*Prompt.read(self.prompt).names, *Prompt.read(self.system).names):
            said = f"the model is told the right answer: the prompt mentions {self.known!r}"
            found.append(Foreseen(("prompt",), said, sure=False))
        if self.temperature == 0 and CONSISTENCY in self.checks and self.samples > 1:
            said = "without temperature a model gives the same answer each time: several say no more than one"
            found.append(Foreseen(("temperature",), said, sure=False))
        return found

    # ------------------------------------------------------------------------------------------------------- the form
    def _answers(self, produce: Sequence[str]) -> list[str]:
        return [c for c in produce if c not in (self.rationale, self.agreement)]

    def _form(self, schema: Schema, table: str, produce: Sequence[str]) -> Reasoned:
        """Return what an answer is to be: steps first, whatever the order of the columns."""
        held, answers = schema.tables[table], self._answers(produce)
        asked = {c: (held.fields[c], schemas.field_schema(held, c, self.describe.get(c, ""))) for c in answers}
        if not asked:
            name = "answer" if self.rationale != "answer" else "result"
            field, said = Field(kind=Kind.TEXT, nulls=False), {"type": "string"}
            if self.known:
                last = hops(schema, table, self.known)[-1]
                field = kept(schema.tables[last.table].fields[last.column])
                said = schemas.field_schema(schema.tables[last.table], last.column)
            about = self.describe.get(name, "")
            asked[name] = (field, {**said, **({"description": about} if about else {})})
        steps = self.rationale
        first = {"type": "string", "description": self.describe.get(steps, _STEPS)}
        fields = {steps: Field(kind=Kind.TEXT, nulls=False), **{c: f for c, (f, _) in asked.items()}}
        by = schemas.object_schema({steps: first, **{c: s for c, (_, s) in asked.items()}})
        return Reasoned(forms.Json(by, fields, {c: c for c in fields}), steps, plain=self.form == "text")

    def _question(self, ask: Ask) -> Question:
        """Return what is asked for each row."""
        prompt, form = Prompt.read(self.prompt), self._form(ask.given.schema, ask.table, ask.produce)
        shown = []
        for i, example in enumerate(self.examples):
            asked = example.input if isinstance(example.input, str) else prompt.of(example.input)
            if isinstance(asked, Unwritten):
                raise SampleError(self.name, f"example {i + 1}", wanted="a question that can be written", got=asked.why)
            shown.append((asked, form.shown(example.rationale, example.answer)))
        return Question(prompt, Prompt.read(self.system), form, tuple(shown), tokens=self.tokens,
                        temperature=self.temperature)  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Drawn:
        models = models_of(ask, self.writer, self.name)
        rows = np.arange(ask.rows) if ask.needed is None else np.flatnonzero(ask.needed)
        question = self._question(ask)
        desk, right = Desk(question, ask, rows), values(ask, self.known, rows) if COLUMN in self.checks else None
        panel = self._panel(question.form, ask.produce)

        async def work(i: int, model: chat.Ask) -> Outcome:
            request = desk.request(i)
            if isinstance(request, Unwritten):
                return Outcome({}, 0.0, NO_PROMPT)
            known = None if right is None else right[i]
            if right is not None and not written(known).strip():
                return Outcome({}, 0.0, UNKNOWN)

            async def one(said: Request, which: str | int) -> Heard:
                found = await answered(lambda r, attempt: model(self.writer, r, (*desk.key(i), which, attempt)), said,
                                       question.form.read, repair=self.repair)  # fmt: skip
                return panel.heard(found, known)

            heard: list[Heard] = []
            while not panel.done(heard, known=right is not None):
                heard.append(await one(request, len(heard)))
            found = panel.outcome(heard, known=right is not None)
            if found.reason != WRONG or not self.hint:
                return found
            hinted = await one(_hinted(request, question, known), "hint")
            return found._replace(values=hinted.values, reason=None) if hinted.right else found

        answers = models.each(range(len(rows)), work, partial(told, ask.ctx, len(rows)))
        return _columns(ask, rows, [a._replace(values={**a.values, self.agreement: a.share}) for a in answers])

    def _panel(self, form: forms.Form, produce: Sequence[str]) -> Panel:
        """Return what rules on the answers to one question."""
        several = CONSISTENCY in self.checks
        asked = self.samples if several else 1
        return Panel(cast(Reasoned, form).steps, asked, enough(asked, self.agree) if several else 1, self.tolerance,
                     shortest=self.keep == "shortest", every=self.agreement in produce)  # fmt: skip


def _hinted(request: Request, question: Question, known: Any) -> Request:
    """Return the question with the right answer in it, before the sentence on the form."""
    told = json.dumps(known, ensure_ascii=False) if isinstance(known, str) else written(known)
    hint, last = _HINT.format(told), request.messages[-1]
    form = f"\n\n{question.form.asks}"
    said = f"{last.text.removesuffix(form)}\n\n{hint}{form}"
    return request._replace(messages=(*request.messages[:-1], Message(last.role, said)))


def _columns(ask: Ask, rows: np.ndarray, answers: Sequence[Outcome]) -> Drawn:
    """Return what was answered as columns; rows that go keep what was answered, for those who look at them."""
    made = [{c: v for c, v in answer.values.items() if c in ask.produce} for answer in answers]
    reasons = np.full(ask.rows, None, dtype=object)
    reasons[rows] = [answer.reason for answer in answers]
    gone = pa.array(reasons, pa.string())
    verdict = Verdict(ask.table, gone.is_null().to_numpy(zero_copy_only=False), gone)
    return columns_of(ask, rows.tolist(), made)._replace(problems=(verdict,))
