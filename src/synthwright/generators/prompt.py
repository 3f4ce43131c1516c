"""Columns written by a language model."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, field_validator
from pydantic import Field as Setting

from synthwright.core.chat import Request
from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Part, Place
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Frozen, Schema
from synthwright.kit.learning.completion import names_of, table_of
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting.answers import AnswerError
from synthwright.kit.prompting.prompt_desk import Question
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.prompting.written import NO_PROMPT, Written, nearest
from synthwright.kit.ruled import Ask

__all__ = ["NO_PROMPT", "Example", "PromptGenerator"]
Told = Annotated[str, BeforeValidator(lambda v: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False),
                                      json_schema_input_type=Any)]  # fmt: skip


class Example(Frozen):
    """What the model is shown: a question and how it is to be answered."""

    input: str | dict[str, str | bool | int | float | None] = ""
    """The values of what the template mentions, `{product: lamp, tone: rude}`; or the whole question."""
    output: Told
    """The answer: a text, or values that are shown as JSON."""

    @field_validator("output")
    @classmethod
    def _not_empty(cls, told: str) -> str:
        if not told.strip():
            raise ValueError("wanted an answer")
        return told


class PromptGenerator(Written):
    """Lets a language model write: texts, choices, conversations, or several columns at once as JSON.

    ::

        - make: [review.text, review.stars]
          use: prompt
          with:
            model: writer
            prompt: |
              Write a {{ tone }} review of {{ product.name }}, which costs {{ product.price }} EUR.
            describe: {stars: "from 1, bad, to 5, good"}

    The template is Jinja without calls: `{{ column }}`, paths through references, filters, `{% if %}` and
    `{% for %}`; the columns that it mentions are made before. What comes back is checked, once asked again for where it
    has the wrong form, and else the row goes, with its reason. `docs/text.md` has it all.
    """

    name: ClassVar[str] = "prompt"
    abilities: ClassVar[Abilities] = Abilities(kinds=forms.MAKES, given="declared", learns=False)
    examples: tuple[Example, ...] = Setting(default=(), max_length=50, examples=[[{"input": "a", "output": "b"}]])
    """Questions with their answers, shown before the question of the row: `{input: {tone: rude}, output: "Pah!"}`."""

    def further(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return which examples no model should follow."""
        form, known = self._form(schema.tables[table], produce), Prompt.read(self.prompt).names
        found: list[tuple[Place, str]] = []
        for i, example in enumerate(self.examples):
            for name in example.input if isinstance(example.input, dict) else ():
                if name not in known:
                    said_near = nearest(name, known)
                    found.append((("examples", i, "input"), f"the prompt does not mention {name!r}{said_near}"))
            try:
                form.read(example.output)
            except AnswerError as error:
                found.append((("examples", i, "output"), f"such an answer would be refused: {error.why}"))
        return found

    def rendered(self, given: Dataset, part: Part, ctx: Context, n: int) -> list[Request]:
        """Return what would be asked for the first rows; nothing is sent. Rows without a prompt are left out."""
        table = table_of(given, part, self.name)
        ask = Ask(given, table, tuple(names_of(given, part.produce, table)), ctx)
        found = self.question(ask).requests(ask, np.arange(min(n, ask.rows)))
        return [request for request in found if isinstance(request, Request)]

    def question(self, ask: Ask) -> Question:
        prompt, shown = Prompt.read(self.prompt), []
        for i, example in enumerate(self.examples):
            told = example.input if isinstance(example.input, str) else prompt.of(example.input)
            if isinstance(told, Unwritten):
                raise SampleError(self.name, f"example {i + 1}", wanted="a question that can be written", got=told.why)
            shown.append((told, example.output))
        return Question(prompt, Prompt.read(self.system), self._form(ask.spec, ask.produce), tuple(shown),
                        self.instruct, self.tokens, self.temperature)  # fmt: skip
