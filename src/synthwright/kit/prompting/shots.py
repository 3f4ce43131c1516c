"""Examples that questions carry: from real rows or from a file, which of them a row is shown, and in which order.

Reference: Brown et al., Language models are few-shot learners, 2020, https://arxiv.org/abs/2005.14165.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.values import labels
from synthwright.kit.lookups import flat
from synthwright.kit.prompting.answer_forms import Conversation, Form, Json
from synthwright.kit.prompting.answers import AnswerError
from synthwright.kit.prompting.prompt_desk import BLOCK, Shots
from synthwright.kit.prompting.prompt_words import Flag, Unwritten, written
from synthwright.kit.prompting.prompts import Prompt, plain, values
from synthwright.kit.ruled import Ask
from synthwright.kit.sampling.dealing import dealt
from synthwright.kit.sampling.dice import Dice, secret
from synthwright.kit.texts.text_sets import source_of

SEEDS = "the seeds"
Agreed = tuple[str | None, ...]
"""Values in which an example and the row that is asked for must agree, as templates write them."""


class Dealt(NamedTuple):
    """Which examples rows are shown."""

    places: np.ndarray
    """For each row places in the pool, in the order in which they are shown; -1 behind the last."""
    agree: np.ndarray
    """How many of them agree with the row in everything that they should."""


@dataclass(frozen=True)
class Pool:
    """Examples: questions, answers, and the values that they must share with a row."""

    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    agreed: tuple[Agreed, ...] = ()

    def __len__(self) -> int:
        return len(self.questions)

    def dealt(self, wanted: Sequence[Agreed], numbers: np.ndarray, many: int, key: int) -> Dealt:
        """Return which examples each row is shown.

        Those that agree in all values come first. Where they are too few, those follow that agree in all but the last
        value, then in all but the last two, and at last any. The order is shuffled.

        Args:
            wanted: the values of each row.
            numbers: the rows' numbers.
            many: how many examples.
            key: the secret of the draw.
        """
        groups: dict[Agreed, list[int]] = {}
        for row, one in enumerate(wanted):
            groups.setdefault(one, []).append(row)
        places = np.full((len(wanted), many), -1, dtype=np.int64)
        agree = np.zeros(len(wanted), dtype=np.int64)
        for one, rows in groups.items():
            at, done = np.array(rows), 0
            for depth, tier in enumerate(self._tiers(one)):
                secretly = secret(key, depth, *map(str, one))
                some = tier[dealt(numbers[at], len(tier), many - done, secretly)]
                places[at, done : done + some.shape[1]] = some
                agree[at] += some.shape[1] if depth == 0 else 0
                done += some.shape[1]
        return Dealt(_shuffled(places, numbers, key), agree)

    def dealt_with(self, own: Pool, wanted: Sequence[Agreed], numbers: np.ndarray, many: tuple[int, int], key: int
                   ) -> tuple[Pool, Dealt]:  # fmt: skip
        """Return both pools as one, and which of them each row is shown, shuffled.

        Args:
            own: examples of which each row is shown fewer.
            wanted: the values of each row.
            numbers: the rows' numbers.
            many: how many of both together, and how many of `own`, of which there may be fewer.
            key: the secret of the draw.
        """
        few = own.dealt(wanted, numbers, min(many[1], len(own)), secret(key, "own"))
        rest = self.dealt(wanted, numbers, many[0] - few.places.shape[1], key)
        both = Pool(self.questions + own.questions, self.answers + own.answers, self.agreed + own.agreed)
        there = np.where(few.places < 0, -1, few.places + len(self))
        places = np.concatenate([rest.places, there], axis=1)
        return both, Dealt(_shuffled(places, numbers, secret(key, "both")), rest.agree + few.agree)

    def _tiers(self, wanted: Agreed) -> Iterator[np.ndarray]:
        """Yield the examples that agree in all values, then the others that agree in ever fewer of them."""
        before = np.zeros(len(self), dtype=bool)
        for size in range(len(wanted), -1, -1):
            mine = np.zeros(len(self), dtype=bool)
            mine[self._known.get(wanted[:size], [])] = True
            yield np.flatnonzero(mine & ~before)
            before |= mine

    @cached_property
    def _known(self) -> dict[Agreed, list[int]]:
        """The examples that agree in the first values, in none, one, and so on."""
        found: dict[Agreed, list[int]] = {}
        for i, one in enumerate(self.agreed):
            for size in range(len(one) + 1):
                found.setdefault(one[:size], []).append(i)
        return found

    def shots(self, places: np.ndarray) -> Shots:
        """Return the examples at some places."""
        return tuple((self.questions[i], self.answers[i]) for i in places.tolist() if i >= 0)

    def to_json(self) -> list[list[Any]]:
        """Return what `of_json` makes the same pool from."""
        return [[q, a, list(s)] for q, a, s in zip(self.questions, self.answers, self.agreed, strict=True)]

    @staticmethod
    def of_json(said: Sequence[Sequence[Any]]) -> Pool:
        """Rebuild a pool."""
        questions, answers = (tuple(str(one[i]) for one in said) for i in (0, 1))
        return Pool(questions, answers, tuple(tuple(one[2]) for one in said))


def _shuffled(places: np.ndarray, numbers: np.ndarray, key: int) -> np.ndarray:
    """Return the places of each row in an order of chance; what is not there, -1, comes last."""
    dice = Dice(numbers.astype(np.uint64), secret(key, "order"))
    chance = np.stack([dice.uniform() for _ in range(places.shape[1])], axis=1)
    order = np.argsort(np.where(places < 0, 1.0, chance), axis=1, kind="stable")
    return np.take_along_axis(places, order, axis=1)


@dataclass
class Gathering:
    """Gathers a pool: what an example is, which there may be, and how many."""

    prompt: Prompt
    form: Form
    produce: tuple[str, ...]
    same: tuple[str, ...]
    most: int
    """How many examples."""
    longest: int
    """Characters of a question and its answer together."""
    _found: dict[tuple[str, str], Agreed] = field(default_factory=dict)

    def of_rows(self, ask: Ask) -> Pool:
        """Return a pool of real rows: drawn by dice, evenly from all combinations of the values that must agree.

        Rows whose own answer would be refused, whose question cannot be written, or that are too long, are left out.
        """
        order = self._order(ask)
        for begin in range(0, len(order), BLOCK):
            rows = order[begin : begin + BLOCK]
            for question, said, agreed in zip(self.prompt.render(ask, rows), _said(ask, self.produce, rows),
                                              agreed_of(ask, self.same, rows), strict=True):  # fmt: skip
                answer = self._answer(said)
                if answer is not None and not isinstance(question, Unwritten):
                    self._take(question, answer, agreed)
                if len(self._found) == self.most:
                    return self._pool()
        return self._pool()

    def _order(self, ask: Ask) -> np.ndarray:
        """Return rows as they are taken: the first of each combination of values, then the second ones, and so on."""
        chance = Dice(np.arange(ask.rows, dtype=np.uint64), secret("examples", ask.ctx.seed, ask.table, *self.produce))
        priority, group = chance.words(), np.zeros(ask.rows, dtype=np.int64)
        for path in self.same:
            codes = labels(ask.column(path))[0]
            group = np.unique(np.stack([group, codes]), axis=1, return_inverse=True)[1].ravel()
        order = np.lexsort((priority, group))
        starts = np.searchsorted(group[order], group[order])
        return np.asarray(order[np.lexsort((priority[order], np.arange(len(order)) - starts))])

    def of_file(self, path: str, ctx: Context) -> Pool:
        """Return a pool of a file in the project folder: columns that the prompt mentions, and those of the answer.

        Raises:
            InputError: it cannot be read, lacks a column, or holds an example that no model should follow.
            PathError: it leaves the project folder.
        """
        tables = list(source_of(path, ctx.open_path(path), SEEDS).tables(ctx).values())
        if len(tables) != 1:
            raise InputError(path, SEEDS, wanted="one table", got=f"{len(tables)}", remedy="name one file")
        held = {name: tables[0].column(name).to_pylist() for name in tables[0].column_names}
        self._there(path, list(held))
        rows = [{name: _bare(held[name][i]) for name in held} for i in range(tables[0].num_rows)]
        for i, (row, question) in enumerate(zip(rows, self.prompt.every(rows), strict=True), 1):
            if isinstance(question, Unwritten):
                raise InputError(path, f"seed {i}", wanted="a question that can be written", got=question.why)
            try:
                answer = self._refused({c: row.get(c) for c in self.produce})
            except AnswerError as error:
                raise InputError(path, f"seed {i}", wanted="an answer that would be taken", got=error.why) from None
            agreed = tuple(None if row[name] is None else written(row[name]) for name in self.same)
            if not self._take(question, answer, agreed):
                raise InputError(path, f"seed {i}", wanted=f"at most {self.longest:,} characters",
                                 got=f"{len(question) + len(answer):,}", remedy="raise `longest`")  # fmt: skip
            if len(self._found) == self.most:
                break
        if not self._found:
            raise InputError(path, SEEDS, wanted="at least one example", got="none")
        return self._pool()

    def _there(self, path: str, names: list[str]) -> None:
        """Refuse a file that lacks a column of the answer, or one in which examples must agree."""
        optional: set[str] = set()
        if isinstance(self.form, Json) and self.form.properties:
            needed = set(self.form.by.get("required", ()))
            optional = {c for c, prop in self.form.properties.items() if prop not in needed}
        for column in (*(c for c in self.produce if c not in optional), *self.same):
            if column not in names:
                near = get_close_matches(column, names, n=1)
                raise InputError(path, SEEDS, wanted=f"a column {column!r}", got=f"columns {', '.join(names[:8])}",
                                 remedy=f"did you mean {near[0]!r}?" if near else "")  # fmt: skip

    def _take(self, question: str, answer: str, agreed: Agreed) -> bool:
        """Take an example, unless it is too long."""
        if len(question) + len(answer) > self.longest:
            return False
        self._found.setdefault((question, answer), agreed)
        return True

    def _answer(self, said: Mapping[str, Any]) -> str | None:
        try:
            return self._refused(said)
        except AnswerError:
            return None

    def _refused(self, said: Mapping[str, Any]) -> str:
        """Return how a model would say these values; an AnswerError where that would be refused."""
        answer = spoken(self.form, said)
        found = self.form.read(answer)
        return spoken(self.form, found) if isinstance(self.form, Json) else answer  # numbers that a file has as text

    def _pool(self) -> Pool:
        questions, answers = zip(*self._found, strict=True) if self._found else ((), ())
        return Pool(questions, answers, tuple(self._found.values()))


def spoken(form: Form, said: Mapping[str, Any]) -> str:
    """Return the values of a row as a model would answer them."""
    first = next(iter(said.values()))
    if isinstance(form, Json) and form.properties:
        there = {p: _jsonable(said[c]) for c, p in form.properties.items() if said.get(c) is not None}
        return json.dumps(there, ensure_ascii=False) if there else ""
    if isinstance(form, Json):
        return first if isinstance(first, str) else json.dumps(first, ensure_ascii=False)
    if isinstance(form, Conversation):
        try:
            turns = json.loads(first) if isinstance(first, str) else first
        except (ValueError, RecursionError):
            return ""
        return json.dumps(turns if isinstance(turns, dict) else {"messages": turns}, ensure_ascii=False)
    return written(first)


def agreed_of(ask: Ask, same: Sequence[str], rows: np.ndarray | None = None) -> list[Agreed]:
    """Return the values of rows in which examples must agree with them."""
    columns = [[None if v is None else written(v) for v in values(ask, path, rows)] for path in same]
    return list(zip(*columns, strict=True)) if columns else [()] * (ask.rows if rows is None else len(rows))


def _said(ask: Ask, produce: Sequence[str], rows: np.ndarray) -> list[dict[str, Any]]:
    """Return what real rows hold in the columns that are to be made."""
    columns = {c: plain(flat(ask.column(c).take(pa.array(rows))), ask.field(c), c) for c in produce}
    return [{c: held[i] for c, held in columns.items()} for i in range(len(rows))]


def _bare(value: Any) -> Any:
    """Return a value of a file as templates see it: dates and the like as ISO text, an empty text as none."""
    if isinstance(value, str):
        return value if value.strip() else None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _jsonable(value: Any) -> Any:
    if isinstance(value, Flag):
        return bool(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return _bare(value)
