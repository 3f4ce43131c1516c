"""Answers that are scripted: by words of what is asked, else dealt out, else made up."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from synthwright.core.chat import Message, Request
from synthwright.providers.scripted import Scripted, made_up

CALLS = {"type": "object", "properties": {"say": {"type": "string"}, "calls": {"type": "array", "items": {"anyOf": [
    {"const": "a"}, {"const": "b"}]}}}}  # fmt: skip


def asked(*texts: str) -> Request:
    """Return a request whose last message is the question."""
    return Request(tuple(Message("user", text) for text in texts))


def test_answers_by_words() -> None:
    """The first entry whose words stand in the question, and in what came before it, answers; else the list does."""
    by = [{"question": "PARCEL", "before": "angry", "answers": ["late!"]}, {"question": "parcel", "answers": ["late"]},
          {"before": "begin", "answers": ["first"]}]  # fmt: skip
    writer = Scripted.model_validate({"when": by, "answers": ["other"]})
    assert writer.answer(asked("You are Angry.", "Your parcel?")) == "late!"
    assert writer.answer(asked("Angry parcel")) == "late"  # nothing stands before it
    assert writer.answer(asked("Begin", "x")) == "first"
    assert writer.answer(asked("parcel", "x")) == "other"
    assert Scripted.model_validate({"when": by}).answer(asked("x")) == "Answer to: x"
    with pytest.raises(ValidationError, match="at least 1 item"):
        Scripted.model_validate({"when": [{"question": "x", "answers": []}]})


def test_answers_without_words_stay() -> None:
    """Which answer a list gives follows from the request alone, as it always did."""
    writer = Scripted(answers=("one", "two", "three"))
    said = [writer.answer(asked(f"question {i}")) for i in range(6)]
    assert said == ["two", "two", "three", "one", "three", "two"]
    assert "when" not in writer.pace


def test_made_up_choices() -> None:
    """One of several schemas is made up by the question."""
    found = [made_up(CALLS, "x" * i)["calls"][0] for i in range(4)]
    assert set(found) == {"a", "b"}
    assert made_up({"type": "array", "maxItems": 0, "items": {}}, "x") == []
