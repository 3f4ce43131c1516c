"""Answers with their steps: how they are asked for and read, when two are the same, and which one most of them are."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.prompting.answer_forms import Json
from synthwright.kit.prompting.answer_schemas import field_schema, object_schema
from synthwright.kit.prompting.answers import AnswerError
from synthwright.kit.prompting.prompt_words import Flag
from synthwright.kit.prompting.reasoning import (
    DISAGREE,
    WRONG,
    Heard,
    Panel,
    Reasoned,
    enough,
    number_of,
    same,
    settled,
    standing,
)

HELD = Table.model_validate({"fields": {
    "total": {"kind": "integer"}, "name": {"kind": "text"}, "pick": {"kind": "category", "labels": ["Up", "Down"]},
    "so": {"kind": "boolean"},
}})  # fmt: skip


def form(column: str, *, plain: bool = False, about: str = "") -> Reasoned:
    """Return the form of an answer that fills a column."""
    fields = {"rationale": Field(kind=Kind.TEXT, nulls=False), column: HELD.fields[column]}
    by = object_schema({"rationale": {"type": "string"}, column: field_schema(HELD, column, about)})
    return Reasoned(Json(by, fields, {c: c for c in fields}), "rationale", plain=plain)


# ---------------------------------------------------------------------------------------------------------- the form
def test_json_comes_steps_first() -> None:
    """As JSON the steps come before the answer, in the schema and in the question."""
    made = form("total")
    assert made.schema is not None
    assert list(made.schema["properties"]) == ["rationale", "total"]
    assert made.asks.startswith("Think step by step")
    assert json.dumps(made.schema) in made.asks
    assert made.read('{"rationale": "2 and 2", "total": "4"}') == {"rationale": "2 and 2", "total": 4}
    assert made.read(made.shown("two", 2)) == {"rationale": "two", "total": 2}
    with pytest.raises(AnswerError, match="rationale is empty"):
        made.read('{"rationale": " ", "total": 4}')


@pytest.mark.parametrize(("column", "text", "value"), [
    ("total", "2 * 3 = 6.\nAnswer: 6", 6), ("total", "Six hundred each.\n\n**Final answer:** $1,200.", 1200),
    ("total", "Answer: 5 was too quick.\nIt is 7.\n#### 7", 7), ("total", "One.\n> answer： 1.0", 1),
    ("name", "It rains.\nAnswer: Rain, of course", "Rain, of course"), ("pick", "It sinks.\nAnswer: down.", "Down"),
    ("so", "Yes.\nAnswer: True", True),
])  # fmt: skip
def test_plain_text_ends_with_the_answer(column: str, text: str, value: Any) -> None:
    """As text the last line that says `Answer:` holds the answer, spelled as people spell it."""
    made = form(column, plain=True)
    assert made.schema is None
    found = made.read(text)
    assert found[column] == value
    assert found["rationale"] == text[: text.rindex("\n")].strip()
    assert made.read(made.shown("So it is.", value))[column] == value


@pytest.mark.parametrize("text", ["Six.", "Answer: 6", "It is six.\nAnswer: about six", "Answer:\n6"])
def test_plain_text_without_steps_or_answer(text: str) -> None:
    """A text without steps, or without a last line that holds what the column can, is told what is missing."""
    with pytest.raises(AnswerError) as caught:
        form("total", plain=True).read(text)
    assert caught.value.code == "reply-malformed"
    assert caught.value.again


def test_plain_text_says_what_the_answer_is() -> None:
    """The sentence that asks for it says what an answer is like."""
    assert form("pick", plain=True).asks.endswith("holds nothing but the answer, one of Up, Down.")
    assert form("total", plain=True, about="in euros").asks.endswith("the answer, a whole number, in euros.")


# --------------------------------------------------------------------------------------------------- the same answer
@pytest.mark.parametrize(("said", "number"), [
    ("18", 18), ("-1,200.50", Fraction("-1200.5")), ("$18.00", 18), ("−$3.", -3), ("50 %", 50), ("3/4", Fraction(3, 4)),
    ("2e3", 2000), ("12 000", 12000), ("0.5", Fraction(1, 2)), (7, 7), (Decimal("1.10"), Fraction("1.1")),
    (0.25, Fraction(1, 4)),
    ("007", None), ("1,20", None), ("18 dollars", None), ("", None), (True, None), (float("nan"), None), ("1/0", None),
    ("9" * 200, None), ("1e999999", None), (None, None),
])  # fmt: skip
def test_numbers(said: Any, number: Any) -> None:
    """Numbers are read as people write them; codes, words and what is too large are none."""
    assert number_of(said) == number


@pytest.mark.parametrize(("answer", "known", "alike"), [
    (18, Decimal("18.00"), True), ("18.0", 18, True), (0.3, 0.1 + 0.2, True), (18, 19, False), ("1,000", "1000", True),
    ("The Nile.", "the  nile", True), ("Nile", "Rhine", False), ("Ｎile", "Nile", True), ("+", "-", False),
    (True, Flag(1, ("yes", "no")), True), ("Yes", Flag(1, ("yes", "no")), True), (False, True, False),
    (1, True, False), (date(2024, 2, 29), "2024-02-29", True), ("007", "7", False), ("007", "007", True),
])  # fmt: skip
def test_same(answer: Any, known: Any, alike: bool) -> None:  # noqa: FBT001
    """Numbers are compared as numbers, texts without case, blanks and punctuation, truth values as such."""
    assert same(answer, known) is alike


def test_tolerance() -> None:
    """A number may be so far from the known one, and no farther."""
    assert same(3.33, 10 / 3, 0.01)
    assert not same(3.3, 10 / 3, 0.01)
    assert not same("three", "tree", 5)


# ------------------------------------------------------------------------------------------------------ most of them
def test_standing() -> None:
    """What was given most often wins, the earlier of two in a draw, which is told."""
    assert standing(["a", "b", None, "b"]) == (1, 2, True)
    assert standing(["b", "a"]) == (0, 1, False)
    assert standing([None]) == (None, 0, False)
    assert [enough(5, 0.6), enough(3, 0.7), enough(10, 0.3), enough(4, 0.01)] == [3, 3, 3, 1]


def told(panel: Panel, answers: str, known: Any = None) -> tuple[int, Any, float, str | None]:
    """Return how many answers were heard, the one that was kept, its share and the reason; `x` is no answer."""
    heard: list[Heard] = []
    while not panel.done(heard, known=known is not None):
        said = answers[len(heard)]
        made = AnswerError("reply-cut", "cut") if said == "x" else {"steps": "s" * (9 - len(heard)), "n": said}
        heard.append(panel.heard(made, known))
    found = panel.outcome(heard, known=known is not None)
    return len(heard), found.values.get("n"), round(found.share, 2), found.reason


@pytest.mark.parametrize(("answers", "expected"), [
    ("aaa", (3, "a", 1.0, None)), ("aaba", (4, "a", 0.75, None)), ("abaca", (5, "a", 0.6, None)),
    ("abbac", (5, "a", 0.4, DISAGREE)), ("xaxaa", (5, "a", 0.6, None)), ("xxx", (3, None, 0.0, "reply-cut")),
])  # fmt: skip
def test_consistency(answers: str, expected: Any) -> None:
    """The answer of at least three of five is kept; no more are asked for than are needed to tell."""
    assert told(Panel("steps", 5, 3), answers) == expected


def test_hopeless_questions_are_not_asked_on() -> None:
    """Where no answer can be given by enough any more, nothing more is asked."""
    assert told(Panel("steps", 5, 3), "abcd")[0] == 4
    assert told(Panel("steps", 5, 4), "abc")[0] == 3
    assert told(Panel("steps", 3, 2), "abc") == (3, "a", 0.33, DISAGREE)
    assert told(Panel("steps", 5, 3, every=True), "aaaaa") == (5, "a", 1.0, None)


def test_a_draw_decides_nothing() -> None:
    """Two answers that are given as often are none."""
    assert told(Panel("steps", 4, 2), "abab") == (4, "a", 0.5, DISAGREE)
    assert told(Panel("steps", 4, 2), "abac") == (4, "a", 0.5, None)


def test_known_answers() -> None:
    """So many answers must be right; what is asked on after a wrong one may still be."""
    assert told(Panel("steps", 1, 1), "a", "A") == (1, "a", 1.0, None)
    assert told(Panel("steps", 1, 1), "b", "a") == (1, "b", 0.0, WRONG)
    assert told(Panel("steps", 5, 1), "bbac", "a") == (3, "a", 0.33, None)
    assert told(Panel("steps", 4, 3), "abba", "a")[2:] == (0.33, WRONG)
    assert told(Panel("steps", 4, 3, every=True), "aabb", "a")[2:] == (0.5, DISAGREE)
    assert told(Panel("steps", 1, 1), "x", "a") == (1, None, 0.0, "reply-cut")


def test_which_steps_are_kept() -> None:
    """The first steps that lead to the answer are kept, or the shortest."""
    for shortest, length in ((False, 9), (True, 6)):
        panel = Panel("steps", 5, 3, shortest=shortest, every=True)
        heard = [panel.heard({"steps": "s" * (9 - i), "n": n}) for i, n in enumerate("abaab")]
        assert len(panel.outcome(heard, known=False).values["steps"]) == length


def test_settled_has_a_value_for_everything() -> None:
    """What is nothing but punctuation is compared as it is."""
    assert settled(" ?! ") == "?!"
    assert settled(None) == settled("None")
