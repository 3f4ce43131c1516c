"""Texts that a language model makes harder, step by step, or exchanges for rarer ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core import chat
from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import Kind, Schema, Table
from synthwright.kit.formula.stated import lost
from synthwright.kit.lookups import flat
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting.answers import AnswerError, text_of
from synthwright.kit.prompting.evolving import BREADTH, DEPTH, Evolving, operations_of
from synthwright.kit.prompting.prompt_desk import answered
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt, Template
from synthwright.kit.prompting.written import NO_PROMPT, UNANSWERED, columns_of, field_at, models_of, told
from synthwright.kit.ruled import Ask, Drawn, Ruled

NOT_EVOLVED, NO_TEXT = "not-evolved", "nothing-to-evolve"
_TEXTUAL = (Kind.TEXT, Kind.CATEGORY)
_EVENLY: dict[str, float] = dict.fromkeys((*DEPTH, *BREADTH), 1.0)
Weight = Annotated[float, Setting(ge=0, allow_inf_nan=False)]


class Evolve(Ruled):
    """Lets a language model evolve texts: harder ones in several steps (depth), or new ones of the domain (breadth).

    ::

        - change: [task.instruction]
          make: [task.steps]
          use: evolve
          with: {rounds: 3, record: steps, what: task}

    It rewrites the texts of a column in place (`change`, or mode `replace`), or makes another column `of` them. The
    operation of each step is drawn for each row. A step does not count whose answer is nearly what it evolved from,
    says nothing, is a refusal, repeats what was asked, or, where there is a `judge`, adds nothing: the row keeps the
    last text that did. Rows of which no step counts go. Where a column may have no value, no text stays none.

    Reference: Xu et al., WizardLM, 2023, https://arxiv.org/abs/2304.12244.
    """

    name: ClassVar[str] = "evolve"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.TEXT}), given="declared", learns=False, keeps_rows=True, random=False, changes=True
    )  # where nothing is there, no seed makes anything
    reasons: ClassVar[dict[str, str]] = {
        NOT_EVOLVED: "No step made a better text of the row's: answers were equal, refusals, or parts of the prompt.",
        NO_TEXT: "The row has no text to evolve.",
        **UNANSWERED,
    }
    """Why rows go."""

    of: str = Setting(default="", examples=["instruction"])
    """The column whose texts are evolved into the one that is made; nothing: the column itself, changed in place."""
    rounds: int = Setting(default=3, ge=1, le=20)
    """How many steps are tried with each text."""
    operations: dict[str, Weight] = Setting(default=_EVENLY, min_length=1, examples=[{"deepen": 1, "broaden": 1}])
    """What is done, and how often: in depth `constrain` (one more requirement), `deepen`, `concretise`, `reason` (more
    steps of reasoning), `complicate` (harder material); in breadth `broaden` (a new, rarer text of the domain)."""
    own: dict[str, str] = Setting(default={}, examples=[{"translate": "Ask for it in another language."}])
    """Further operations by name, or other words for those above: what the model is told to do, in depth."""
    what: str = Setting(default="task", min_length=1, max_length=100)
    """What the texts are, for the model: `task`, `question of a customer`."""
    record: str = ""
    """A column of text, made by the part too, for the operations that counted, `deepen, constrain`; nothing: none."""
    writer: str = Setting(default="writer", alias="model", min_length=1)
    """The language model, as `models` of the specification calls it."""
    judge: str = ""
    """A language model that is asked whether each step adds anything; nothing: nobody is."""
    system: Template = ""
    """The template of what the writer is told before. Nothing: nothing."""
    similarity: float = Setting(default=0.95, gt=0, le=1)
    """From which ROUGE-L on, and with fewer than five words that differ, a text is what it evolved from."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of an answer; nothing: what the model's own parameters say."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely it writes; nothing: what the model's own parameters say."""

    @model_validator(mode="after")
    def _known(self) -> Evolve:
        strange = [name for name in self.operations if name not in operations_of(self.own)]
        if strange:
            raise ValueError(f"operations: there is no {strange[0]!r}: there are {', '.join(operations_of(self.own))}")
        if not any(self.operations.values()):
            raise ValueError("operations: none has a weight above 0: there is nothing to do")
        return self

    def asks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.writer, *filter(None, (self.judge,)))))

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*filter(None, (self.of,)), *Prompt.read(self.system).names)))

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        places: list[tuple[Place, str]] = [(("system",), path) for path in Prompt.read(self.system).names]
        places += [(("of",), self.of)] if self.of else []
        for place, path in places:
            said = lost(path, schema, table, produce)
            if not said and place == ("of",) and field_at(path, schema, table).kind not in _TEXTUAL:
                said = [f"{path!r} holds no text"]
            found += [(place, one) for one in said]
        if self.record and self.record not in produce:
            found.append((("record",), f"the part does not make {self.record!r}: name it in `make`"))
        texts = [c for c in produce if c != self.record]
        if len(texts) != 1:
            many = "none beside `record`" if not texts else ", ".join(texts)
            found.append(((), f"it makes one column of text, and `record`: got {many}"))
        return found

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Drawn:
        column = next((c for c in ask.produce if c != self.record), ask.produce[0])
        texts = self._texts(ask, column)
        rows = np.arange(ask.rows) if ask.needed is None else np.flatnonzero(ask.needed)
        none = NO_TEXT if texts is None else self._without(ask.spec, ask.produce)
        texts = texts or [None] * ask.rows
        left = {r: none for r in rows.tolist() if not (texts[r] or "").strip()}
        asked = [r for r in rows.tolist() if r not in left]
        made = self._evolved(ask, column, texts, asked) if asked else []
        return columns_of(ask, [*asked, *left], [*made, *left.values()])

    def _texts(self, ask: Ask, column: str) -> list[str | None] | None:
        """Return the texts to evolve; nothing where nobody made any."""
        path = self.of or column
        if path == column and column not in ask.given.tables[ask.table].column_names:
            return None
        texts: list[str | None] = flat(ask.column(path)).to_pylist()
        return texts

    def _without(self, held: Table, produce: Sequence[str]) -> forms.Values | str:
        """Return what becomes of a row without a text: none again, where that may be."""
        return dict.fromkeys(produce) if all(held.fields[c].nulls for c in produce) else NO_TEXT

    def _evolved(
        self, ask: Ask, column: str, texts: Sequence[str | None], rows: Sequence[int]
    ) -> list[forms.Values | str]:
        """Return what becomes of the rows that have a text: values, or the reason why a row goes."""
        every = operations_of(self.own)
        weighed = {name: weight for name, weight in self.operations.items() if weight > 0}
        evolving = Evolving(self.what, {name: every[name] for name in weighed}, self.similarity, self.tokens,
                            self.temperature)  # fmt: skip
        at, dice = np.array(rows), ask.dice(self.name, column)
        drawn = [dice.choice(list(weighed), np.array(list(weighed.values())))[at] for _ in range(self.rounds)]
        systems = Prompt.read(self.system).render(ask, at)

        async def work(i: int, model: chat.Ask) -> forms.Values | str:
            system, text = systems[i], str(texts[rows[i]])
            if isinstance(system, Unwritten):
                return NO_PROMPT
            key: chat.Key = (ask.ctx.seed, *ask.ctx.place, int(ask.numbers[rows[i]]))
            taken: list[str] = []
            wrong, seen = set[str](), [text]
            for step, operation in enumerate(str(one[i]) for one in drawn):
                found = await self._step(evolving, seen, (operation, system), model, (*key, step))
                if isinstance(found, AnswerError):
                    wrong.add(found.code)
                else:
                    taken.append(operation)
                    seen.append(found)
            if not taken:
                return wrong.pop() if len(wrong) == 1 else NOT_EVOLVED
            return {c: ", ".join(taken) if c == self.record else seen[-1] for c in ask.produce}

        return models_of(ask, self.writer, self.name).each(range(len(rows)), work, partial(told, ask.ctx, len(rows)))

    async def _step(
        self, evolving: Evolving, seen: Sequence[str], how: tuple[str, str], model: Any, key: chat.Key
    ) -> str | AnswerError:
        """Return the text that a step makes of the last one, or why it does not count."""
        text = seen[-1]
        request = evolving.request(text, *how)
        if isinstance(request, Unwritten):
            return AnswerError(NO_PROMPT, request.why)
        found = await answered(lambda r, attempt: model(self.writer, r, (*key, attempt)), request, text_of)
        if isinstance(found, AnswerError):
            return found
        if why := evolving.fails(seen, found):
            return AnswerError(NOT_EVOLVED, why)
        if not self.judge:
            return found
        adds = await answered(lambda r, attempt: model(self.judge, r, (*key, "judge", attempt)),
                              evolving.weighing(text, found), evolving.adds)  # fmt: skip
        return found if adds is True else AnswerError(NOT_EVOLVED, "the judge did not find that it adds anything")
