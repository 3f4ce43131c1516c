"""Answers with the steps that lead to them: how they are asked for, when two are the same, which one most of them are.

Chain of thought: Wei et al., 2022, https://arxiv.org/abs/2201.11903. Self-consistency, the answer that most of several
chains lead to: Wang et al., 2022, https://arxiv.org/abs/2203.11171.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil, isfinite
from typing import Any, NamedTuple

from synthwright.core.schema import Field, Kind
from synthwright.kit.prompting.answer_forms import Form, Json, Values
from synthwright.kit.prompting.answers import AnswerError, label_of, malformed, normal
from synthwright.kit.prompting.prompt_words import Flag

WRONG, DISAGREE = "answer-wrong", "answers-disagree"
"""The reasons of rows whose answer is another than the known one, and on which answers disagree."""
_LAST = re.compile(r"^[ \t>*_]*(?:(?:final )?answer[ \t*_]*[:：]|####)[ \t*_]*(?P<answer>.+?)[ \t*_]*$",
                   re.IGNORECASE | re.MULTILINE)  # fmt: skip
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[1-9]\d{0,2}(?:[,_' ]\d{3})+|0|[1-9]\d{0,39})(?P<part>\.\d{1,40})?"
    r"(?P<power>e[+-]?\d{1,2})?"
)
_RATIO = re.compile(r"(?P<sign>[+-]?)(?P<over>\d{1,20})/(?P<under>[1-9]\d{0,19})")
_SIGNS = "$€£¥"
_NEAR = Fraction(1, 10**9)
"""How far numbers of this size may be apart that were reckoned in another order."""


@dataclass(frozen=True)
class Reasoned(Form):
    """The steps to an answer, and the answer: as JSON, steps first, or as text whose last line is the answer."""

    json: Json
    """What both are, as JSON."""
    steps: str
    """The property that holds the steps; all others are the answer."""
    plain: bool = False
    """Whether it is text, the answer in the last line."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        return None if self.plain else self.json.schema

    @property
    def asks(self) -> str:
        if not self.plain:
            return f"Think step by step: the steps come first, then the answer. {self.json.asks}"
        said = self._answer
        like = f"one of {', '.join(said['enum'])}" if "enum" in said else _LIKE.get(said.get("type", ""), "")
        more = "".join(f", {what}" for what in (like, said.get("description", "")) if what)
        return f'Think step by step. End with a line "Answer: " that holds nothing but the answer{more}.'

    @property
    def names(self) -> tuple[str, ...]:
        """What the model is asked for, the steps and the answer."""
        return tuple(self.json.properties.values())

    @property
    def _only(self) -> str:
        return next(p for p in self.names if p != self.steps)

    @property
    def _answer(self) -> Mapping[str, Any]:
        """The JSON Schema of the answer."""
        found: Mapping[str, Any] = self.json.by["properties"][self._only]
        return found

    def read(self, answer: str) -> Values:
        return self.json.read(json.dumps(self._parted(answer), ensure_ascii=False) if self.plain else answer)

    def _parted(self, answer: str) -> dict[str, Any]:
        """Return steps and answer of a text, the answer as the schema spells it."""
        found = list(_LAST.finditer(answer))
        if not found or not answer[: found[-1].start()].strip():
            raise malformed("it does not end with steps and then a line 'Answer: …'",
                            "the steps, and then a last line 'Answer: …'")  # fmt: skip
        said = found[-1]["answer"].strip()
        of = self._answer
        if of.get("type") in ("integer", "number") and (number := number_of(said)) is not None:
            said = str(number.numerator) if number.denominator == 1 else repr(float(number))
        elif "enum" in of:
            said = label_of(said, of["enum"]) or said
        return {self.steps: answer[: found[-1].start()].strip(), self._only: said}

    def shown(self, steps: str, answer: Any) -> str:
        """Return an answer as an example shows it."""
        said = json.dumps({self.steps: steps, self._only: answer}, ensure_ascii=False)
        return f"{steps}\nAnswer: {answer}" if self.plain else said


_LIKE = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


# --------------------------------------------------------------------------------------------------- the same answer
def number_of(said: Any) -> Fraction | None:
    """Return the number that a value is, or that a text spells: `1,200`, `$18.00`, `50 %`, `3/4`; None for others.

    Codes with zeros before them are no numbers, and neither are truth values.
    """
    if isinstance(said, bool | Flag):
        return None
    if isinstance(said, int | float | Decimal):
        return Fraction(said) if isfinite(said) else None
    if not isinstance(said, str) or len(said) > 100:
        return None
    text = unicodedata.normalize("NFKC", said).replace("\N{MINUS SIGN}", "-").casefold().strip().rstrip(".").strip()
    minus, text = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    text = minus + text.strip().strip(_SIGNS).removesuffix("%").strip()
    if ratio := _RATIO.fullmatch(text):
        return Fraction(int(ratio["sign"] + ratio["over"]), int(ratio["under"]))
    if (found := _NUMBER.fullmatch(text)) is None:
        return None
    whole = re.sub(r"\D", "", found["whole"])
    return Fraction(Decimal(f"{found['sign']}{whole}{found['part'] or ''}{found['power'] or ''}"))


def settled(answer: Any) -> Hashable:
    """Return what an answer is compared by: a number as a number, a text without case, blanks and punctuation."""
    if isinstance(answer, bool):
        return str(answer).lower()
    if (number := number_of(answer)) is not None:
        return number
    if isinstance(answer, date):
        return answer.isoformat()
    text = unicodedata.normalize("NFKC", str(answer))
    return normal(text) or text.strip()


def same(answer: Any, known: Any, tolerance: float = 0.0) -> bool:
    """Return whether an answer is the known one.

    Args:
        answer: what was answered.
        known: what is known, as templates see it.
        tolerance: how far a number may be from the known one.
    """
    if isinstance(known, Flag):
        known = bool(known) if isinstance(answer, bool) else str(known)
    one, other = settled(answer), settled(known)
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) <= Fraction(tolerance) + _NEAR * max(abs(one), abs(other))
    return one == other


# ------------------------------------------------------------------------------------------------------ most of them
class Standing(NamedTuple):
    """Which of some answers was given most often."""

    first: int | None
    """Where it was given first; None where there is no answer."""
    votes: int
    alone: bool
    """Whether no other was given as often."""


def standing(answers: Sequence[Hashable | None]) -> Standing:
    """Return which of some answers was given most often; None stands for no answer, and the earlier wins a draw."""
    votes = Counter(a for a in answers if a is not None)
    if not votes:
        return Standing(None, 0, alone=False)
    (best, most), *others = votes.most_common(2)
    return Standing(answers.index(best), most, alone=not others or others[0][1] < most)


def enough(samples: int, share: float) -> int:
    """Return how many of some answers are a share of them: at least one."""
    return max(1, ceil(samples * share - 1e-9))


class Outcome(NamedTuple):
    """What the answers to a question amount to."""

    values: Values
    """The answer that is kept, with its steps: also where the row goes, for those who look at it."""
    share: float
    """Which share of the answers it is; with a known answer, the share that is right."""
    reason: str | None = None
    """Why the row goes."""


class Heard(NamedTuple):
    """One answer to a question, as it is counted."""

    values: Values
    """The steps and the answer; nothing where there is no answer that can be used."""
    reason: str | None
    """Why there is none."""
    compared: Hashable | None
    """What the answer is compared by."""
    right: bool
    """Whether it is known to be right."""


@dataclass(frozen=True)
class Panel:
    """Rules on the answers to one question: by what is known, by what most of them are, or by both."""

    steps: str
    """The property that holds the steps; all others are the answer."""
    samples: int
    """How often it is asked, at most."""
    needed: int
    """How many answers must be the same; where the right one is known, how many must be right."""
    tolerance: float = 0.0
    shortest: bool = False
    """Whether the shortest steps are kept, and not the first."""
    every: bool = False
    """Whether all answers are heard, also those that change nothing."""

    def heard(self, found: Values | AnswerError, known: Any = None) -> Heard:
        """Return an answer as it is counted; `known` is the right one, nothing where it is not known."""
        if isinstance(found, AnswerError):
            return Heard({}, found.code, None, right=False)
        said = tuple(v for c, v in found.items() if c != self.steps)
        right = known is not None and all(same(v, known, self.tolerance) for v in said)
        return Heard(found, None, tuple(settled(v) for v in said), right)

    def done(self, heard: Sequence[Heard], *, known: bool) -> bool:
        """Return whether no further answer would change what becomes of the row."""
        left = self.samples - len(heard)
        if not left or not heard or self.every:
            return not left
        votes = sum(h.right for h in heard) if known else standing([h.compared for h in heard]).votes
        return votes + left < self.needed or (votes >= self.needed and (known or 2 * self.needed > self.samples))

    def outcome(self, heard: Sequence[Heard], *, known: bool) -> Outcome:
        """Return what at least one answer amounts to."""
        best = standing([h.compared for h in heard])
        if best.first is None:
            return Outcome({}, 0.0, heard[0].reason)
        most = heard[best.first]
        mine = [h for h in heard if (h.right if known else h.compared == most.compared)]
        lost = WRONG if known and best.votes > len(mine) else DISAGREE
        enough_ = len(mine) >= self.needed and (known or best.alone)
        return Outcome(self._kept(mine or [most]), len(mine) / len(heard), None if enough_ else lost)

    def _kept(self, among: Sequence[Heard]) -> Values:
        """Return the one of some answers that is kept."""
        return min(among, key=lambda h: len(h.values[self.steps])).values if self.shortest else among[0].values


def kept(field: Field) -> Field:
    """Return the field that an answer is read by where no column keeps it: what its kind says, and always a value."""
    kinds = (Kind.CATEGORY, Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER, Kind.DATE)
    return Field(kind=field.kind if field.kind in kinds else Kind.TEXT, nulls=False)
