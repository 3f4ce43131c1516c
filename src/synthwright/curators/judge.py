"""The curator that lets a language model rule on rows, by a rubric."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator, model_validator

from synthwright.core import chat
from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, SampleError
from synthwright.core.schema import Kind, Schema
from synthwright.core.schema import Table as Spec
from synthwright.kit.chat.model_families import akin
from synthwright.kit.formula.stated import lost
from synthwright.kit.prompting.human_rulings import Agreed, Cut, File, agreed, people
from synthwright.kit.prompting.prompts import Prompt, Template
from synthwright.kit.prompting.rubrics import REASON, Rubric, Ruled
from synthwright.kit.ruled import Ask, hops
from synthwright.kit.texts.text_places import RuledRows, RuledTable

POOR, UNDECIDED, SILENT = "judged-poor", "judge-undecided", "judge-silent"
GENERAL = {"quality": "Is the row plausible as a whole, and are its texts sensible, fluent and free of errors?"}
"""What is asked where neither a rubric nor criteria are given."""
NAMED = (
    "models: {judge: {use: openai, with: {model: qwen3:32b, url: 'http://localhost:11434/v1', allow_private: true}}}"
)
_FLIPS = 0.1
"""The share of pairs that a judge rules on by their order, from which readers are told."""
_GOES = (POOR, UNDECIDED, SILENT)


class JudgeCurator(Curator):
    """Drops rows that a language model rules to be poor, by a rubric or by criteria.

    The model gives each row a score of the scale, by several criteria one for each, of which the lowest counts. A row
    on which it cannot be made to answer goes. Of a pair of texts it is asked in both orders which is better; a row
    stays where that is the first column, whichever text is shown first. The score is what the model gave; of pairs 1,
    0.5 or 0. Rulings of people tell how far it can be trusted, and may set the threshold.
    """

    name: ClassVar[str] = "judge"
    reasons: ClassVar[dict[str, str]] = {
        POOR: "A language model gave the row a score below the threshold, or found the second text of a pair better.",
        UNDECIDED: "A language model found neither text of a pair better, or another one in the other order.",
        SILENT: "A language model was to rule on the row, and could not be made to answer.",
    }

    model: str = Setting(default="judge", min_length=1)
    """The language model, as `models` of the specification calls it; better of another family than the writer's."""
    rubric: Template = Setting(default="", examples=["Is this a real question? {{ x }}"])
    """What is asked about a row: a template over its columns, as those of `prompt`."""
    criteria: dict[str, str] = Setting(default={}, examples=[{"fluent": "Is it fluent?"}], max_length=20)
    """Questions by name, each of which gets a score: `{fluent: "Is the text fluent?"}`."""
    table: str = ""
    """The table; nothing: the only one that has the columns which are named."""
    columns: tuple[str, ...] = Setting(default=(), examples=[["text"]])
    """The columns of the table that are shown beside the rubric. Nothing: none, where there is a rubric or a pair;
    otherwise all but keys, references, bytes and personal data."""
    compare: tuple[str, ...] = Setting(default=(), max_length=2, examples=[["chosen", "rejected"]])
    """Two columns of text, `[chosen, rejected]`: the first is to be the better one. Both orders are asked."""
    undecided: Literal["drop", "keep"] = "drop"
    """What becomes of a pair where neither text is better, or the order decides."""
    scale: tuple[int, int] = Setting(default=(1, 5), examples=[[1, 10]])
    """The worst and the best score."""
    keep: int | None = None
    """The least score to stay; nothing: the middle of the scale, rounded up."""
    samples: int = Setting(default=1, ge=1, le=25)
    """How often each row is ruled on; the median counts. More than one asks for a model with some temperature."""
    human: str = Setting(default="", examples=["rulings.csv"])
    """A file with rulings of people (CSV, JSON Lines, Parquet), in the project folder: the columns that the judge looks
    at, or the key of the table, and a column that says keep, drop or a score."""
    ruling: str = Setting(default="ruling", min_length=1)
    """The column of that file that holds what people ruled."""
    threshold: Literal["stated", "kappa", "youden"] = "stated"
    """Where rows are cut: at `keep`, or where the judge agrees best with people: by kappa, or by Youden's index."""
    agreement: float = Setting(default=0.4, ge=-1, le=1)
    """The kappa that must be sure (the lower end of its interval) for the report to hold no warning."""
    trains: str = ""
    """The model that will be trained on the rows, so that one of the judge's own family is noted."""

    @field_validator("criteria")
    @classmethod
    def _names(cls, told: dict[str, str]) -> dict[str, str]:
        if wrong := next((n for n, asked in told.items() if n == REASON or not n.strip() or not asked.strip()), None):
            raise ValueError(f"{wrong!r} is no criterion: wanted a name other than {REASON!r}, and a question")
        return told

    @field_validator("scale")
    @classmethod
    def _rising(cls, told: tuple[int, int]) -> tuple[int, int]:
        if not 0 < told[1] - told[0] <= 100:
            raise ValueError("wanted the worst and the best score, at most 100 apart")
        return told

    @field_validator("compare")
    @classmethod
    def _two(cls, told: tuple[str, ...]) -> tuple[str, ...]:
        if told and len(set(told)) != 2:
            raise ValueError("wanted two columns")
        return told

    @model_validator(mode="after")
    def _on_the_scale(self) -> Self:
        if self.keep is not None and not self.scale[0] < self.keep <= self.scale[1]:
            raise ValueError(f"keep: wanted a score above {self.scale[0]} and up to {self.scale[1]}, got {self.keep}")
        return self

    # -------------------------------------------------------------------------------------------- before anything runs
    def asks(self) -> tuple[str, ...]:
        return (self.model,)

    def files(self, ctx: Context) -> list[Path]:
        """Return the files that are read."""
        return [ctx.open_path(self.human)] if self.human else []

    def remarks(self, called: Mapping[str, str], writers: Collection[str]) -> tuple[str, ...]:
        return akin(self.model, writers, called, self.trains)

    def faults(self, schema: Schema) -> list[str]:
        found = [] if self.rubric or self.criteria else ["say what makes a row good: `rubric` or `criteria`"]
        found += self._wrong_place(schema)
        mentioned = Prompt.read(self.rubric).names
        found += [f"rubric: {c!r} is put in by `compare`, in both orders: leave it out" for c in self.compare
                  if c in mentioned]  # fmt: skip
        if self.threshold != "stated" and not self.human:
            found.append(
                f"threshold: {self.threshold!r} needs rulings of people: name their file, `human: rulings.csv`"
            )
        if self.compare and (self.keep is not None or self.threshold != "stated"):
            found.append("compare: pairs have no score to cut at: leave out `keep` and `threshold`")
        return found

    def _wrong_place(self, schema: Schema) -> list[str]:
        """Return why it is not clear which table is meant, or which of its columns."""
        if self.table and self.table not in schema.tables:
            near = get_close_matches(self.table, schema.tables, n=1)
            return [f"table: there is no table {self.table!r}" + (f": did you mean {near[0]!r}?" if near else "")]
        fits = self._tables(schema)
        if len(fits) > 1:
            return [f"table: say which one is meant: {', '.join(fits)}"]
        if fits:
            bytes_ = [p for p in self._named() if _kind(schema, fits[0], p) is Kind.BYTES]
            return [f"column {p!r} holds bytes, which are no text" for p in bytes_]
        where = self.table or (schema.only if len(schema.tables) == 1 else "")
        if where:
            return [w for p in self._named() for w in lost(p, schema, where, ())] or [
                f"{where!r} has nothing to rule on"
            ]
        what = f"has all of {', '.join(self._named())}" if self._named() else "has texts"
        return [f"table: none {what}: say which one is meant, for example `table: {next(iter(schema.tables))}`"]

    # ----------------------------------------------------------------------------------------------------------- ruling
    def _named(self) -> tuple[str, ...]:
        """Return the columns and paths that the parameters name."""
        return tuple(dict.fromkeys((*Prompt.read(self.rubric).names, *self.columns, *self.compare)))

    def _tables(self, schema: Schema) -> list[str]:
        """Return the tables that have what is named; where nothing is those with texts, or the only one."""
        mine = [self.table] if self.table in schema.tables else [] if self.table else list(schema.tables)
        if named := self._named():
            return [t for t in mine if not any(lost(p, schema, t, ()) for p in named)]
        shown = {t: columns for t in mine if (columns := _shown(schema.tables[t]))}
        texts = [t for t, columns in shown.items() if any(_kind(schema, t, c) is Kind.TEXT for c in columns)]
        return texts or (list(shown) if len(mine) == 1 else [])

    def _rubric(self, spec: Spec) -> Rubric:
        """Return what rows of a table are ruled on by."""
        columns = self.columns or (() if self.rubric or self.compare else _shown(spec))
        criteria = self.criteria or ({} if self.rubric else GENERAL)
        return Rubric(Prompt.read(self.rubric), criteria, columns, self.compare, self.scale, self.samples)

    def _cut(self) -> Cut:
        if self.compare:
            return Cut(1.0 if self.undecided == "drop" else 0.5, "stated", np.zeros(0), self.agreement)
        low, high = self.scale
        stated = self.keep if self.keep is not None else -((-low - high) // 2)
        return Cut(stated, self.threshold, np.arange(low + 1, high + 1), self.agreement)

    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
            ) -> RuledRows:  # fmt: skip
        """Ask about every row that is not settled, and hold what is said against what people ruled.

        Raises:
            SampleError: there are no language models to ask.
            InputError: the rulings of people cannot be used.
            ModelError: no request can succeed, or the budget is spent.
        """
        found, notes = {}, list[str]()
        for table in self._tables(data.schema):
            begin, rows = settled.get(table, 0), data.rows(table)
            rubric = self._rubric(data.schema.tables[table])
            ruled = self._ruled(rubric, data, table, np.arange(begin, rows), ctx)
            score = np.concatenate([np.full(begin, np.nan), [r.score for r in ruled]])
            held = self._held(rubric, data, table, score, begin, ctx)
            notes += [*held.notes, *(_by_order(self.model, ruled) if self.compare else ())]
            code = np.where(score >= held.threshold, 0, np.where(score == 0.5, 2, 1) if self.compare else 1)
            code[np.isnan(score)] = 3
            code[:begin] = 0
            found[table] = RuledTable.of(data.row_numbers(table), code, score)
        return RuledRows(_GOES, found, SILENT, tuple(notes))

    def _ruled(self, rubric: Rubric, data: Dataset, table: str, rows: np.ndarray, ctx: Context, who: str = ""
               ) -> list[Ruled]:  # fmt: skip
        """Return the ruling on each of some rows, by position.

        Answers are remembered by the row's number, whichever wave and whatever curators come before; those on rows of a
        file by what is asked alone.
        """
        if not len(rows):
            return []
        if ctx.models is None:
            raise SampleError(f"curator {self.name!r}", f"the model {self.model!r}", wanted="a language model to ask",
                              got="none", remedy=f"name it in the specification, for example {NAMED}")  # fmt: skip
        ask = Ask(data, table, (), ctx)
        desks = rubric.desks(ask, rows)

        async def work(i: int, model: chat.Ask) -> Ruled:
            place = (ctx.seed, "curate", self.name, table, who or int(ask.numbers[rows[i]]))
            return await rubric.ruled([d.request(i) for d in desks], lambda request, sample, order, attempt: model(
                self.model, request, (*place, sample, order, attempt)))  # fmt: skip

        return ctx.models.each(range(len(rows)), work, partial(_tell, ctx, len(rows)))

    def _held(self, rubric: Rubric, data: Dataset, table: str, score: np.ndarray, begin: int, ctx: Context) -> Agreed:
        """Return the threshold, and how far judge and people agree.

        Of rows that are found by their key only those of the first wave count: of earlier waves the good ones are left.
        """
        cut = self._cut()
        if not self.human:
            return Agreed(cut.stated, ())
        told = people(
            File(self.human, self.ruling, None if self.compare else self.scale), rubric.names, data, table, ctx
        )
        if told.rows is not None:
            ruled = self._ruled(rubric, told.rows, table, np.arange(told.rows.rows(table)), ctx, "human")
            mine, theirs = np.array([r.score for r in ruled]), told.number
        elif self.threshold != "stated":
            raise InputError(self.human, "rulings of people", got="rows that are named by their key",
                             wanted=f"the columns {', '.join(rubric.names)}, so that every wave has one threshold",
                             remedy="add them, or say `threshold: stated`")  # fmt: skip
        elif begin or told.at is None:
            return Agreed(cut.stated, ())
        else:
            mine, theirs = score[told.at[told.at >= 0]], told.number[told.at >= 0]
        own = replace(ctx, place=("curate", self.name, table))  # not of the wave: each has the same threshold
        return agreed(mine, theirs, cut, f"the judge {self.model!r}", own, scored=told.scored)


def _shown(spec: Spec) -> tuple[str, ...]:
    """Return the columns that a judge is shown where none are named."""
    hidden = (Kind.KEY, Kind.REFERENCE, Kind.BYTES)
    return tuple(c for c, f in spec.fields.items() if f.kind not in hidden and f.sensitive is None)


def _kind(schema: Schema, table: str, path: str) -> Kind:
    last = hops(schema, table, path)[-1]
    return schema.tables[last.table].fields[last.column].kind


def _by_order(judge: str, ruled: list[Ruled]) -> list[str]:
    """Return what readers must know where the order of two texts decides."""
    flips = sum(r.flipped for r in ruled)
    if flips <= _FLIPS * len(ruled):
        return []
    return [f"the judge {judge!r} found another text better in the other order in {flips:,} of {len(ruled):,} pairs"]


def _tell(ctx: Context, total: int, done: int) -> None:
    ctx.progress(done, total, "rulings")
