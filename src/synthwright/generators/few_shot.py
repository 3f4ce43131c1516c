"""Columns written by a language model that is shown examples, others for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self, cast

import numpy as np
from pydantic import Field as Setting

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Model, Part, Place
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import Kind, Schema
from synthwright.kit.formula.stated import lost
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import FEWEST, names_of, table_of
from synthwright.kit.prompting import answer_forms as forms
from synthwright.kit.prompting.prompt_desk import Question, Shots
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.prompting.shots import Dealt, Gathering, Pool, agreed_of
from synthwright.kit.prompting.written import UNANSWERED, Written, field_at
from synthwright.kit.ruled import Ask, Column, Drawn, RuledModel
from synthwright.kit.sampling.dice import secret

NO_EXAMPLE = "no-example"
HELD = "real training rows, word for word: the examples that the language model is shown"
"""What stands in a saved model that holds some."""


@dataclass(frozen=True)
class FewShotModel(RuledModel):
    """A recipe and its examples: real training rows, word for word, unless they are from a file of seeds."""

    pool: Pool

    def drawn(self, ask: Ask) -> Mapping[str, Column] | Drawn:
        return cast(FewShot, self.rule).shown(ask, self.pool)

    def save(self, folder: Path) -> None:
        """Write the model; where it holds real rows, `model.json` says so under `holds`."""
        rule = cast(FewShot, self.rule)
        head = {"with": rule.model_dump(mode="json", by_alias=True), "table": self.table, "produce": list(self.produce),
                "mode": self.mode, "holds": "seeds" if rule.seeds else HELD, "pool": self.pool.to_json()}  # fmt: skip
        artefacts.save(folder, head, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, _ = artefacts.load(folder)
        rule = registry.find("generators", FewShot.name).model_validate(head["with"])
        pool = Pool.of_json(head["pool"])
        return cls(cast(FewShot, rule), head["table"], tuple(head["produce"]), head["mode"], pool)


class FewShot(Written):
    """Lets a language model write that is shown a few examples before each question, drawn anew for each row.

    ::

        - make: [message.text]
          use: few-shot
          with:
            prompt: "Write a message of a customer who asks about {{ intent }}."
            examples: 3
            same: [intent]

    All parameters but `examples` are those of `prompt`. Examples are real training rows: the model sees, as turns
    before the question, what the template writes for them and what they hold in the columns that are made. They leave
    for the endpoint, and are kept in the fitted model. Rows of the holdout are never shown, columns with personal data
    and keys neither. With `seeds`, examples are from a file, and no real row is shown.

    Every example is shown about equally often, in another order each time, and others when a row is made again.

    References: Brown et al., Language models are few-shot learners, 2020, https://arxiv.org/abs/2005.14165; Wang et
    al., Self-Instruct, 2022, https://arxiv.org/abs/2212.10560.
    """

    name: ClassVar[str] = "few-shot"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=forms.MAKES, given="declared", learns=True, keeps_rows=True, reads_texts=True
    )
    model: ClassVar[type[Model]] = FewShotModel
    reasons: ClassVar[dict[str, str]] = {
        NO_EXAMPLE: "No example could be shown for the row, or too few that agree with it.",
        **UNANSWERED,
    }

    examples: int = Setting(default=3, ge=1, le=50)
    """How many examples each question carries; fewer where there are not so many."""
    seeds: str = Setting(default="", examples=["seeds.jsonl"])
    """A file of the project folder with examples (CSV, JSON Lines, Parquet, …): the columns that are made, those that
    the template mentions, as far as they are there, and those of `same`. Nothing: real training rows."""
    own: int = Setting(default=0, ge=0, le=50)
    """How many of the examples are rows that the run made itself in earlier waves, and that stayed (Self-Instruct: 2
    of 8). In the first wave there are none, and for rows that lack some others are shown."""
    same: tuple[str, ...] = Setting(default=(), examples=[["intent"]])
    """Columns in which an example must agree with the row that is asked for, the most important first."""
    fewer: Literal["others", "go"] = "others"
    """Where fewer examples agree with a row than it is to be shown: `others` fill up, which agree in all columns of
    `same` but the last ones, at last any; or the row is made to `go`."""
    pool: int = Setting(default=1000, ge=1, le=100_000)
    """From how many examples is drawn; of more real rows so many are chosen, evenly from all values of `same`."""
    longest: int = Setting(default=4000, ge=1, le=1_000_000)
    """Characters that a question and its answer may have together to be shown as an example."""

    def looks_back(self) -> bool:
        return self.own > 0

    def files(self, ctx: Context) -> list[Path]:
        return [ctx.open_path(self.seeds)] if self.seeds else []

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*super().paths(), *self.same)))

    # -------------------------------------------------------------------------------------------- before anything runs
    def further(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [(("same", i), one) for i, path in enumerate(self.same) for one in lost(path, schema, table, produce)]
        wrong: list[tuple[Place, str]] = [*found]
        if self.fewer == "go" and not self.same:
            wrong.append((("fewer",), "it goes with `same`"))
        if self.own >= self.examples:
            told = f"{self.own} of {self.examples} examples: some must be from real rows or seeds, or errors breed"
            wrong.append((("own",), told))
        if wrong or self.seeds:
            return wrong
        named: dict[str, Place] = {path: ("same", i) for i, path in enumerate(self.same)}
        for path, place in (dict.fromkeys(Prompt.read(self.prompt).names, ("prompt",)) | named).items():
            told = _secret(path, schema, table)
            if told:
                remedy = "which examples from real rows would show: leave it out, or name a file of `seeds`"
                wrong.append((place, f"{path!r} {told}, {remedy}"))
        return wrong

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        if self.seeds:
            return found
        shown = dict.fromkeys(
            (*produce, *(p for p in Prompt.read(self.prompt).names if not lost(p, schema, table, ())))
        )
        said = (f"it shows real training rows ({', '.join(shown)}) to the model {self.writer!r} and keeps them: they "
                "leave for its endpoint; a file of `seeds` would take their place")  # fmt: skip
        return [*found, Foreseen((), said, sure=False)]

    # ------------------------------------------------------------------------------------------------------------ learn
    def fit(self, data: Dataset, part: Part, ctx: Context) -> FewShotModel:
        """Gather the examples.

        Raises:
            FitError: fewer than ten real rows, and no seeds.
            InputError: seeds that cannot be read, or that no model should follow.
        """
        table = table_of(data, part, self.name)
        produce = tuple(names_of(data, part.produce, table))
        gathering = self._gathering(data.schema, table, produce)
        if self.seeds:
            return FewShotModel(self, table, produce, part.mode, gathering.of_file(self.seeds, ctx))
        held = data.tables[table]
        if held.num_rows < FEWEST or not {*produce} <= {*held.column_names}:
            raise FitError(self.name, "the examples", wanted=f"a source with at least {FEWEST} real rows",
                           got=f"{held.num_rows} of {table!r}",
                           remedy="name a file of examples: `seeds: seeds.jsonl`")  # fmt: skip
        return FewShotModel(self, table, produce, part.mode, gathering.of_rows(Ask(data, table, produce, ctx)))

    def _gathering(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Gathering:
        form = self._form(schema.tables[table], produce)
        return Gathering(Prompt.read(self.prompt), form, produce, self.same, self.pool, self.longest)

    # ------------------------------------------------------------------------------------------------------------ make
    def question(self, ask: Ask) -> Question:
        return Question(Prompt.read(self.prompt), Prompt.read(self.system), self._form(ask.spec, ask.produce),
                        instruct=self.instruct, tokens=self.tokens, temperature=self.temperature)  # fmt: skip

    def _own(self, before: Dataset, ask: Ask) -> Pool:
        """Return rows of earlier waves as examples."""
        made = Ask(before, ask.table, ask.produce, ask.ctx)
        return self._gathering(before.schema, ask.table, ask.produce).of_rows(made) if made.rows else Pool()

    def shown(self, ask: Ask, pool: Pool) -> Drawn:
        """Return what the model writes that is shown examples of a pool."""
        key = secret(self.name, ask.ctx.seed, *ask.ctx.place)  # a row that is drawn again has another place
        wanted, before = agreed_of(ask, self.same), ask.ctx.before
        own = self._own(before, ask) if self.own and before is not None else Pool()
        if len(own):
            pool, dealt = pool.dealt_with(own, wanted, ask.numbers, (self.examples, self.own), key)
        else:
            dealt = pool.dealt(wanted, ask.numbers, self.examples, key)
        few = dealt.agree < self.examples if self.same else np.zeros(ask.rows, dtype=bool)
        gone = few if self.fewer == "go" else np.full(ask.rows, not len(pool))
        if few.any() and self.fewer == "others" and len(pool):
            ask.ctx.note(f"{self.name} ({', '.join(ask.produce)}): fewer than {self.examples} examples agree in "
                         f"{', '.join(self.same)} with some rows: others were shown with them")  # fmt: skip
        question = replace(self.question(ask), shots=partial(_shots, pool, dealt))
        return self.written(ask, question, dict.fromkeys(np.flatnonzero(gone).tolist(), NO_EXAMPLE))


def _shots(pool: Pool, dealt: Dealt, rows: np.ndarray) -> list[Shots]:
    return [pool.shots(places) for places in dealt.places[rows]]


def _secret(path: str, schema: Schema, table: str) -> str:
    """Return why what a path leads to may not be shown; nothing where it may, or leads nowhere."""
    if lost(path, schema, table, ()):
        return ""
    field = field_at(path, schema, table)
    if field.sensitive is not None:
        return f"holds personal data ({field.sensitive})"
    return f"is a {field.kind.value}" if field.kind in (Kind.KEY, Kind.REFERENCE) else ""
