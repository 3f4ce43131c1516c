"""Questions to language models, row by row: written when they are asked, asked once more where an answer is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from synthwright.core import chat
from synthwright.core.chat import Message, Request
from synthwright.kit.prompting.answer_forms import Form
from synthwright.kit.prompting.answers import AnswerError, said
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.ruled import Ask

BLOCK = 1_024
"""Prompts that are written at a time."""
_SENT_BACK = 20_000
"""Characters of an answer that the model is shown again."""
Read = TypeVar("Read")
Shots = tuple[tuple[str, str], ...]
"""Questions and their answers."""


@dataclass(frozen=True)
class Question:
    """What a model is asked for a row, and what it is to answer."""

    prompt: Prompt
    system: Prompt
    form: Form
    shown: Shots = ()
    """Questions and their answers that come before."""
    instruct: bool = True
    """Whether it ends with a sentence that says the form of the answer."""
    tokens: int | None = None
    temperature: float | None = None
    shots: Callable[[np.ndarray], Sequence[Shots]] | None = None
    """What comes before instead, of rows by position: other questions for each row, without that sentence."""

    def requests(self, ask: Ask, rows: np.ndarray) -> list[Request | Unwritten]:
        """Return what is asked for rows, by position."""
        system, prompt = self.system.render(ask, rows), self.prompt.render(ask, rows)
        same = tuple((self._ended(question), answer) for question, answer in self.shown)
        shown = [same] * len(rows) if self.shots is None else self.shots(rows)
        return [self._request(*of) for of in zip(system, prompt, shown, strict=True)]

    def _request(self, system: str | Unwritten, prompt: str | Unwritten, shown: Shots = ()) -> Request | Unwritten:
        if isinstance(system, Unwritten):
            return system
        if isinstance(prompt, Unwritten):
            return prompt
        before = [Message("system", system.strip())] if system.strip() else []
        for question, answer in shown:
            before += [Message("user", question.strip()), Message("assistant", answer)]
        turns = (*before, Message("user", self._ended(prompt)))
        return Request(turns, self.form.schema, self.tokens, self.temperature)

    def _ended(self, prompt: str) -> str:
        return prompt.strip() + self._end

    @cached_property
    def _end(self) -> str:
        return f"\n\n{self.form.asks}" if self.instruct and self.form.asks else ""


@dataclass
class Desk:
    """The questions of some rows: a block is written when its first one is asked, and forgotten after its last."""

    question: Question
    ask: Ask
    rows: np.ndarray
    """The positions of the rows that are asked for."""
    _blocks: dict[int, list[Request | Unwritten]] = field(default_factory=dict, repr=False)
    _taken: dict[int, int] = field(default_factory=dict, repr=False)

    def request(self, i: int) -> Request | Unwritten:
        """Return what is asked for the row at a place of `rows`; once for each."""
        block, at = divmod(i, BLOCK)
        if block not in self._blocks:
            self._blocks[block] = self.question.requests(self.ask, self.rows[block * BLOCK : (block + 1) * BLOCK])
            self._taken[block] = 0
        held = self._blocks[block]
        self._taken[block] += 1
        if self._taken[block] == len(held):
            del self._blocks[block], self._taken[block]
        return held[at]

    def key(self, i: int) -> chat.Key:
        """Return who asks: seed, place in the specification, row."""
        return (self.ask.ctx.seed, *self.ask.ctx.place, int(self.ask.numbers[self.rows[i]]))


async def answered(
    model: Callable[[Request, int], Awaitable[chat.Asked]],
    request: Request,
    read: Callable[[str], Read],
    *,
    repair: bool = True,
) -> Read | AnswerError:
    """Return what an answer says, or why none can be used.

    Args:
        model: asks, with the number of the attempt.
        request: what is asked.
        read: reads an answer, or raises an AnswerError.
        repair: whether the model is told once what was wrong, and asked again.
    """
    for attempt in (0, 1):
        asked = await model(request, attempt)
        if asked.reply is None:
            return AnswerError(asked.reason, asked.why)
        try:
            return read(said(asked.reply))
        except AnswerError as error:
            if attempt or not repair or error.again is None:
                return error
            if error.again:  # an empty answer is no turn that a model can be shown: the same is asked again
                wrong = asked.reply.text[:_SENT_BACK]
                request = request.then(Message("assistant", wrong), Message("user", error.again))
    raise AssertionError("the second attempt returns")
