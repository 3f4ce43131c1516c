"""The curator that holds answers to the passages that they are to come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core import chat
from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Schema
from synthwright.kit.chat.model_families import akin
from synthwright.kit.formula.amounts import Readable
from synthwright.kit.formula.formulas import condition, read
from synthwright.kit.formula.stated import lost, wrong_condition
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.prompting.rubrics import Rubric
from synthwright.kit.ruled import Ask
from synthwright.kit.texts import grounding
from synthwright.kit.texts.text_places import RuledRows, RuledTable
from synthwright.kit.texts.text_rulings import column_faults, place

ABSENT, ANSWERED, UNQUOTED, UNUSED = (
    "answer-missing",
    "answer-to-unanswerable",
    "quote-not-in-passage",
    "passage-not-used",
)
FACT, WORDS, UNFAITHFUL, SILENT = "fact-not-in-passage", "words-not-in-passage", "judged-ungrounded", "judge-silent"
_CODES = ("", ABSENT, ANSWERED, UNQUOTED, UNUSED, FACT, WORDS, UNFAITHFUL, SILENT)
FAITHFUL = (
    "Divide the answer into its statements. Is every one of them said by the passages, or does it follow from what "
    "they say alone? 1: yes, every one. 0: no, at least one is not. What you know besides does not count."
)
UNANSWERABLE = (
    "The question is meant to be one that the passages do not answer. Is that so? 1: yes, nobody could answer it from "
    "the passages alone. 0: no, they do answer it. What you know besides does not count."
)
NAMED = "models: {judge: {use: openai, with: {model: gpt-5-mini, key: OPENAI_API_KEY}}}"


class Grounded(Curator):
    """Drops rows whose answer does not come from its passages, and rows that answer what the passages do not.

    By words: quotes must stand in a passage (blanks, quotation marks, dashes and capitals do not count); numbers, dates
    and names of the answer must stand in a passage or in the question; and so must a share of its other words. Where
    `unanswerable` holds, the answer must be none, or say that the passages have none. With `model`, a language model
    is asked of what is left: whether every statement of the answer follows from the passages (faithfulness, as in
    RAGAS: Es et al. 2023, arXiv 2309.15217), or whether a question without an answer has none. The score is the share
    of words.
    """

    name: ClassVar[str] = "grounded"
    reasons: ClassVar[dict[str, str]] = {
        ABSENT: "The question has an answer in the passage, and the row says that there is none, or gives none.",
        ANSWERED: "The passage does not answer the question, and the row answers or quotes all the same.",
        UNQUOTED: "The row quotes nothing, or something that no passage of it says.",
        UNUSED: "The row quotes nothing of one of its passages: one would have been enough.",
        FACT: "The answer states a number, a date or a name that stands neither in a passage nor in the question.",
        WORDS: "Too few words of the answer stand in its passages.",
        UNFAITHFUL: "A language model found a statement that the passages do not bear out, or an answer in passages "
        "that were to have none.",
        SILENT: "A language model was to rule on the row, and could not be made to answer.",
    }

    answer: str = Setting(default="", examples=["question.answer"])
    """The column of the answer, as `table.column`."""
    passages: tuple[str, ...] = Setting(default=(), examples=[["passage.text", "other.text"]])
    """Where its passages are: columns of the answer's table, or paths from there (`passage.text`); those without a
    value do not count."""
    question: str = ""
    """The question: a column of the answer's table, or a path. What it states the answer may repeat."""
    evidence: str = ""
    """The quotes that the answer rests on: a column of the answer's table; several are parted by lines, `…`, or are a
    JSON list. Nothing: none are asked for."""
    every: bool = False
    """Whether each passage that is there must be quoted, so that questions over two need both."""
    unanswerable: Readable | None = Setting(default=None, examples=["a > 0"])
    """A condition on the row: where it holds the passages are to have no answer (`kind == "unanswerable"`)."""
    silence: tuple[str, ...] = ()
    """Further ways of saying that the passages have no answer; many English and some German ones are known."""
    facts: tuple[Literal["numbers", "dates", "names"], ...] = Setting(
        default=("numbers", "dates", "names"), examples=[["numbers"]]
    )
    """What must stand in a passage. Names are words with capitals: leave them out in languages that write nouns so."""
    share: float = Setting(default=0.6, ge=0, le=1)
    """The share of the answer's words that must stand in its passages; those of the question and little words such as
    `the` do not count, endings neither."""
    model: str = ""
    """The language model that rules on what is left, as `models` names it; nothing: none."""

    # -------------------------------------------------------------------------------------------- before anything runs
    def asks(self) -> tuple[str, ...]:
        return (self.model,) if self.model else ()

    def remarks(self, called: Mapping[str, str], writers: Collection[str]) -> tuple[str, ...]:
        return akin(self.model, writers, called, "") if self.model else ()

    def faults(self, schema: Schema) -> list[str]:
        if not self.answer or not self.passages:
            return ["say what is to be grounded in what: `answer: question.answer`, `passages: [passage.text]`"]
        if found := column_faults("answer", self.answer, schema):
            return found
        table = place(self.answer, schema)[0]
        told = {"passages": self.passages, "question": (self.question,), "evidence": (self.evidence,)}
        found = [f"{word}: {said}" for word, paths in told.items() for path in paths if path
                 for said in lost(path, schema, table, ())]  # fmt: skip
        if self.unanswerable is not None:
            found += [f"unanswerable: {said}" for said in wrong_condition(self.unanswerable, schema, table, ())]
        if self.every and not self.evidence:
            found.append("every: it goes with `evidence`, the column of the quotes")
        return found

    # ----------------------------------------------------------------------------------------------------------- ruling
    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
            ) -> RuledRows:  # fmt: skip
        """Rule on every row that is not settled; passages may stand in other tables, so that all rows are needed.

        Raises:
            SampleError: there is no language model to ask.
        """
        table, name = place(self.answer, data.schema) if self.answer and self.passages else ("", "")
        if not table or name not in data.columns(table):
            return RuledRows(_CODES[1:], {})
        ask, begin = Ask(data, table, (), ctx), settled.get(table, 0)
        code, score = np.zeros(ask.rows, dtype=np.int64), np.ones(ask.rows)
        if ask.rows > begin:
            code[begin:], score[begin:] = self._by_words(ask, name, begin)
        if self.model and ask.rows:
            self._asked(ask, name, begin, code)
        return RuledRows(_CODES[1:], {table: RuledTable.of(ask.numbers, code, score)}, ABSENT)

    def _without(self, ask: Ask) -> np.ndarray:
        """Return in which rows the passages are to have no answer."""
        if self.unanswerable is None:
            return np.zeros(ask.rows, dtype=bool)
        return np.asarray(np.broadcast_to(condition(read(self.unanswerable), ask), ask.rows))

    def _by_words(self, ask: Ask, name: str, begin: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the reason and the share of words for the rows from `begin` on."""
        answers = _texts(ask, name, begin)
        columns = [_texts(ask, path, begin) for path in self.passages]
        asked = _texts(ask, self.question, begin) if self.question else [None] * len(answers)
        proofs = _texts(ask, self.evidence, begin) if self.evidence else [None] * len(answers)
        without = self._without(ask)[begin:].tolist()
        rows = zip(answers, zip(*columns, strict=True), asked, proofs, without, strict=True)
        found = [self._ruled(answer, [p for p in passages if p], question or "", proof or "", absent=absent)
                 for answer, passages, question, proof, absent in rows]  # fmt: skip
        return np.array([f[0] for f in found]), np.array([f[1] for f in found])

    def _ruled(self, answer: str | None, passages: Sequence[str], question: str, proof: str, *, absent: bool
               ) -> tuple[int, float]:  # fmt: skip
        """Return for which reason a row goes, and the share of words that its passages have."""
        silent = grounding.silent(answer, self.silence)
        quotes = grounding.quotes(proof) if not grounding.silent(proof) else []
        if absent:
            return (0 if silent and not quotes else _CODES.index(ANSWERED)), 1.0
        if silent or answer is None:
            return _CODES.index(ABSENT), 0.0
        said = grounding.given(passages, [question] if question else [])
        known = frozenset(grounding.content(question))
        share = grounding.share(answer, grounding.given(passages), known)
        code = 0
        if self.evidence and (wrong := self._unproved(quotes, said)):
            code = _CODES.index(wrong)
        elif grounding.missing(grounding.facts_of(answer), said, self.facts):
            code = _CODES.index(FACT)
        elif share < self.share:
            code = _CODES.index(WORDS)
        return code, share

    def _unproved(self, quotes: Sequence[str], said: grounding.Given) -> str:
        """Return what is wrong with quotes; nothing where all are right."""
        found = [grounding.quoted(q, said) for q in quotes]
        if not quotes or not all(map(any, found)):
            return UNQUOTED
        return UNUSED if self.every and not all(map(any, zip(*found, strict=True))) else ""

    # ------------------------------------------------------------------------------------------------ a language model
    def _asked(self, ask: Ask, name: str, begin: int, code: np.ndarray) -> None:
        """Let a language model rule on the rows that are left; `code` takes its rulings in."""
        if ask.ctx.models is None:
            raise SampleError(f"curator {self.name!r}", f"the model {self.model!r}", wanted="a language model to ask",
                              got="none", remedy=f"name it in the specification, for example {NAMED}")  # fmt: skip
        left, without = (code == 0) & (np.arange(ask.rows) >= begin), self._without(ask)
        shown = tuple(dict.fromkeys((*self.passages, *((self.question,) if self.question else ()), name)))
        for rubric, rows in ((FAITHFUL, left & ~without), (UNANSWERABLE, left & without)):
            columns = shown if rubric is FAITHFUL else shown[:-1]
            where = np.flatnonzero(rows)
            score = self._scores(Rubric(Prompt.read(rubric), {}, columns, (), (0, 1), 1), ask, where)
            code[where] = np.where(
                np.isnan(score), _CODES.index(SILENT), np.where(score > 0, 0, _CODES.index(UNFAITHFUL))
            )

    def _scores(self, rubric: Rubric, ask: Ask, rows: np.ndarray) -> np.ndarray:
        """Return 1 for yes, 0 for no, NaN for no answer."""
        if not len(rows) or ask.ctx.models is None:
            return np.zeros(len(rows))
        desk = rubric.desks(ask, rows)[0]

        async def work(i: int, model: chat.Ask) -> float:
            key = (ask.ctx.seed, "curate", self.name, ask.table, int(ask.numbers[rows[i]]))
            found = await rubric.ruled([desk.request(i)], lambda request, sample, order, attempt: model(
                self.model, request, (*key, sample, order, attempt)))  # fmt: skip
            return found.score

        return np.array(ask.ctx.models.each(range(len(rows)), work, partial(_tell, ask.ctx, len(rows))))


def _texts(ask: Ask, path: str, begin: int) -> list[Any]:
    """Return the texts of a column or path, from a row on."""
    return list(ask.column(path).slice(begin).cast(pa.large_string()).to_pylist())


def _tell(ctx: Context, total: int, done: int) -> None:
    ctx.progress(done, total, "rulings")
