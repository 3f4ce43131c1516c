"""Texts that are there, said otherwise by a language model: in other words, or through another language and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core import chat
from synthwright.core.contracts import Abilities, Place
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Kind, Schema
from synthwright.kit.formula.stated import lost
from synthwright.kit.lookups import flat
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting.answers import AnswerError, text_of
from synthwright.kit.prompting.paraphrasing import SAY, TRANSLATE, fails
from synthwright.kit.prompting.prompt_desk import answered
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt, Template
from synthwright.kit.prompting.written import NO_PROMPT, UNANSWERED, columns_of, models_of, told
from synthwright.kit.ruled import Ask, Drawn, Ruled
from synthwright.kit.sampling.dice import Dice, secret

UNVARIED = "not-paraphrased"


class Paraphrase(Ruled):
    """Lets a language model say texts otherwise that are there: in other words, or through a language and back.

    ::

        source: {use: csv, with: {path: intents.csv}}
        start: {from: source, keep: [example.label], repeat: 3}
        parts:
          - make: [example.text]
            use: paraphrase
            with: {via: [German, French]}

    It makes nothing of its own: the part has mode `replace`, which is what it has from a source, or names the column
    under `change`. Each text leaves for the model's endpoint. With `via` it is translated into one of these languages,
    drawn for each row, and back: two questions; without, one. A row goes whose answer has the words of the text, says
    nothing, or is a refusal. Whether it says the same is not known: let `off-label` or a `judge` look. What comes out
    says what real texts say, so it is hardly more private. Where there is no text, there is none afterwards; spans do
    not move with it.

    References: Sennrich et al., 2016, https://arxiv.org/abs/1511.06709; Yu et al., 2018,
    https://arxiv.org/abs/1804.09541.
    """

    name: ClassVar[str] = "paraphrase"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.TEXT}), given="declared", learns=False, keeps_rows=True, random=False, changes=True,
        replaces=True,
    )  # fmt: skip  # where nothing is there, no seed makes anything
    reasons: ClassVar[dict[str, str]] = {
        UNVARIED: "The language model did not say the row's text in other words: it was equal, empty, or a refusal.",
        **UNANSWERED,
    }
    """Why rows go."""

    via: tuple[str, ...] = Setting(default=(), examples=[["German", "French"]])
    """Languages through which texts go and come back, one drawn for each row; nothing: no translation."""
    language: str = Setting(default="English", min_length=1, max_length=100)
    """With `via`: the language of the texts, which they come back to."""
    system: Template = ""
    """The template of what the model is told before. Nothing: nothing."""
    writer: str = Setting(default="writer", alias="model", min_length=1)
    """The language model, as `models` of the specification calls it."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of an answer; nothing: what the model's own parameters say."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely it writes; nothing: what the model's own parameters say."""

    def asks(self) -> tuple[str, ...]:
        return (self.writer,)

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys(Prompt.read(self.system).names))

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        found += [(("system",), one) for path in self.paths() for one in lost(path, schema, table, produce)]
        return found

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        said = f"the texts of {', '.join(produce)} leave for the endpoint of the model {self.writer!r}, word for word"
        return [*super().foreseen(schema, table, produce, known), Foreseen((), said, sure=False)]

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Drawn:
        rows = np.arange(ask.rows) if ask.needed is None else np.flatnonzero(ask.needed)
        there = set(ask.given.tables[ask.table].column_names)
        texts = {c: flat(ask.column(c)).to_pylist() if c in there else [None] * ask.rows for c in ask.produce}
        made: dict[int, forms.Values | str] = {r: {c: texts[c][r] for c in ask.produce} for r in rows.tolist()}
        for number, column in enumerate(ask.produce):
            asked = [r for r in made if not isinstance(made[r], str) and (texts[column][r] or "").strip()]
            found = self._said_otherwise(ask, [str(texts[column][r]) for r in asked], asked, number) if asked else []
            for row, said in zip(asked, found, strict=True):
                values = made[row]
                made[row] = said.code if isinstance(said, AnswerError) else {**values, column: said}  # type: ignore[dict-item]
        return columns_of(ask, list(made), list(made.values()))

    def _said_otherwise(
        self, ask: Ask, texts: Sequence[str], rows: Sequence[int], number: int
    ) -> list[str | AnswerError]:
        """Return what becomes of some texts: other words, or why there are none.

        Args:
            ask: which rows there are.
            texts: one of each row that has one.
            rows: their positions.
            number: that of the column.
        """
        at = np.array(rows)
        place = secret(self.name, number, ask.ctx.seed, *ask.ctx.place)  # a row that is drawn again takes another way
        dice = Dice(ask.numbers[at].astype(np.uint64), place)
        ways = dice.choice(self.via).tolist() if self.via else [""] * len(rows)
        systems = Prompt.read(self.system).render(ask, at)

        async def work(i: int, model: chat.Ask) -> str | AnswerError:
            key: chat.Key = (ask.ctx.seed, *ask.ctx.place, int(ask.numbers[rows[i]]), number)
            steps = [(TRANSLATE, {"language": w}) for w in (ways[i], self.language)] if self.via else [(SAY, {})]
            said: str | AnswerError = texts[i]
            for step, (template, more) in enumerate(steps):
                request = self._request(template, more | {"text": str(said)}, systems[i])
                if isinstance(request, Unwritten):
                    return AnswerError(NO_PROMPT, request.why)
                said = await self._answer(model, request, (*key, step))
                if isinstance(said, AnswerError):
                    return said
            why = fails(texts[i], str(said))
            return AnswerError(UNVARIED, why) if why else said

        return models_of(ask, self.writer, self.name).each(range(len(rows)), work, partial(told, ask.ctx, len(rows)))

    async def _answer(self, model: Any, request: chat.Request, key: chat.Key) -> str | AnswerError:
        return await answered(lambda r, attempt: model(self.writer, r, (*key, attempt)), request, text_of)

    def _request(self, template: Prompt, told: dict[str, str], system: str | Unwritten) -> chat.Request | Unwritten:
        said = template.of(told)
        if isinstance(said, Unwritten) or isinstance(system, Unwritten):
            return said if isinstance(said, Unwritten) else Unwritten("its system cannot be written")
        before = (chat.Message("system", system.strip()),) if system.strip() else ()
        return chat.Request((*before, chat.Message("user", said)), None, self.tokens, self.temperature)
