"""What models answer is read strictly: what can be used is, what cannot has a reason and a sentence for the model."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.chat import Reply
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.chat.schema_dialects import strict
from synthwright.kit.prompting import answer_schemas as schemas
from synthwright.kit.prompting.answer_forms import Json, column_of, fitting, placeholder
from synthwright.kit.prompting.answers import (
    TURNS,
    AnswerError,
    choice_of,
    conversation_of,
    json_of,
    meeting,
    said,
    text_of,
)

OBJECT = schemas.object_schema({"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}})


def error_of(work: Any, *arguments: Any) -> AnswerError:
    """Return the error that some work ends in."""
    with pytest.raises(AnswerError) as caught:
        work(*arguments)
    return caught.value


@pytest.mark.parametrize(("reply", "code", "again"), [
    (Reply(""), "reply-empty", True), (Reply(" \n"), "reply-empty", True), (Reply("half", "length"), "reply-cut", True),
    (Reply("<think>half of a thou"), "reply-cut", True), (Reply("no", "refused"), "reply-refused", False),
    (Reply("x" * 10_000_000), "reply-too-long", False), (Reply("a\ud800"), "reply-malformed", True),
    (Reply("a\0b"), "reply-malformed", True), (Reply("<think>all</think>  "), "reply-empty", True),
])  # fmt: skip
def test_unusable(reply: Reply, code: str, again: bool) -> None:  # noqa: FBT001  a table of cases
    """Nothing, half an answer, a refusal, ten megabytes and broken text have their reasons."""
    error = error_of(said, reply)
    assert error.code == code
    assert (error.again is not None) is again


def test_thoughts_are_left_out() -> None:
    """What a model thinks aloud before it answers is no part of the answer."""
    assert said(Reply("<think>{1}\n</think>\n\nfine")).strip() == "fine"
    assert said(Reply("I <think> so")) == "I <think> so"


@pytest.mark.parametrize(("answer", "text"), [
    ("  a text\n", "a text"), ('"a text"', "a text"), ("“a text”", "a text"), ('"a" and "b"', '"a" and "b"'),
    ("```\na\n\nb\n```", "a\n\nb"), ("```text\na\n```", "a"), ("a ```b``` c", "a ```b``` c"), ("'tis", "'tis"),
    ("```\na\n```\nb\n```\nc\n```", "```\na\n```\nb\n```\nc\n```"), ('```\n"a"\n```', "a"), ('""x""', '""x""'),
])  # fmt: skip
def test_text(answer: str, text: str) -> None:
    """One pair of quotes or one code fence around the whole is taken off, and nothing else."""
    assert text_of(answer) == text


@pytest.mark.parametrize(("answer", "label"), [
    ("late delivery", "late delivery"), ("Late  Delivery.", "late delivery"), ('"refund"', "refund"),
    ("**Refund**", "refund"), ('{"answer": "refund"}', "refund"), ("```\nrefund\n```", "refund"), ("C++", "C++"),
    ("c", "C"), ("I'd say refund", None), ("refund, late delivery", None), ("refunds", None), ("", None), ("7", None),
])  # fmt: skip
def test_choice(answer: str, label: str | None) -> None:
    """A choice is one of the labels but for case, blanks and punctuation; anything else is malformed."""
    labels = ["late delivery", "refund", "C", "C++"]
    if label is not None:
        assert choice_of(answer, labels) == label
        return
    error = error_of(choice_of, answer, labels)
    assert error.code in ("reply-malformed", "reply-empty")


def test_ambiguous_choice() -> None:
    """Labels that differ in case alone are told apart by it, or not at all."""
    assert choice_of("A", ["a", "A"]) == "A"
    error = error_of(choice_of, "A.", ["a", "A"])
    told = (
        'Your answer cannot be used: it is none of "a", "A". Answer again, with only one of "a", "A", and nothing else.'
    )
    assert error.again == told


@pytest.mark.parametrize("answer", [
    '{"name": "Ann", "age": 3}', '```json\n{"name": "Ann", "age": 3}\n```', 'Sure! {"name": "Ann", "age": 3} Enjoy.',
    'Sure:\n\n```json\n{"name": "Ann", "age": 3}\n```\nEnjoy {that}.', '{"name": "Ann", "age": "3"}',
    '{x} then {"name": "Ann", "age": 3.0}',
])  # fmt: skip
def test_json(answer: str) -> None:
    """JSON is found alone, in a fence, in text; a text that spells a number is one where the schema wants one."""
    assert meeting(json_of(answer), OBJECT) == {"name": "Ann", "age": 3}


@pytest.mark.parametrize(("answer", "why"), [
    ("I cannot do that", "there is no JSON in it"), ('{"name": "Ann", "age": 3', "it is no JSON"),
    ('{"name": "Ann", "name": "Bo", "age": 3}', "it has 'name' twice"),
    ('{"name": "Ann", "age": NaN}', "NaN is no JSON"),
    ('{"name": "Ann", "age": 1e999}', "too large"), ('{"name": "Ann", "age": ' + "9" * 5_000 + "}", "too large"),
    ("[" * 100_000, "nested too deeply"), ("[" * 60 + "]" * 60, "more than 50 lists"),
    ('{"name": "Ann"}', "'age' is a required property"), ('{"name": 1, "age": 3}', "1 is not of type 'string'"),
    ('{"name": "Ann", "age": -1}', "age: -1 is less than the minimum"), ('{"name": "Ann", "age": null}', "None is not"),
    ('{"name": "Ann", "age": 3, "more": 1}', "'more' was unexpected"), ("[]", "is not of type 'object'"),
    ('{"name": "Ann", "age": "three"}', "'three' is not of type 'integer'"), ("<html>502</html>", "there is no JSON"),
])  # fmt: skip
def test_wrong_json(answer: str, why: str) -> None:
    """What is no JSON, is bent, bottomless or not by the schema is malformed, and the model is told why."""
    begun = time.process_time()
    error = error_of(lambda: meeting(json_of(answer), OBJECT))
    assert time.process_time() - begun < 3
    assert error.code == "reply-malformed"
    assert why in error.why
    assert error.again is not None
    assert why in error.again
    assert len(error.again) < 1_000


def test_hostile_brackets() -> None:
    """A megabyte of brackets is given up on quickly."""
    begun = time.process_time()
    for hostile in ("[" * 900_000, "{" * 900_000, '[{"a":' * 150_000, '{"a": "' * 120_000):
        error_of(json_of, hostile)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(("schema", "why"), [
    ({"type": "strin"}, "is no JSON Schema"), ({"$ref": "https://example.org/x"}, "leads out of the schema"),
    ({"$ref": "file:///etc/passwd"}, "leads out of the schema"), ({"$ref": "#"}, "leads out of the schema"),
    ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "leads to itself"),
    ({"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"},
     "leads to itself"),
    ({"$ref": "#/$defs/x"}, "leads to nothing"), ({"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
    ({"$id": "https://example.org"}, "'$id' is not allowed"), ({"type": "string", "pattern": "(a"}, "("),
    ({"$defs": {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)} | {"a40": {}},
      "$ref": "#/$defs/a0"}, "more than 5,000 parts"),
])  # fmt: skip
def test_schema_faults(schema: dict[str, Any], why: str) -> None:
    """Schemas that are none, lead anywhere else or never end are told before anything is asked."""
    found = schemas.faults(schema)
    assert len(found) == 1
    assert why in found[0]


def test_patterns_take_no_time() -> None:
    """A pattern that would take for ever elsewhere is matched at once."""
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert schemas.faults(schema) == []
    begun = time.process_time()
    assert schemas.complaints("a" * 50_000 + "b", schema) == ["the whole: it does not match '^(a+)+$'"]
    assert schemas.complaints("aaa", schema) == []
    assert time.process_time() - begun < 2


def test_local_references() -> None:
    """A schema may refer to its own parts."""
    schema = {"$defs": {"day": {"type": "string", "format": "date"}}, "type": "array", "items": {"$ref": "#/$defs/day"}}
    assert schemas.faults(schema) == []
    assert schemas.complaints(["2024-02-29"], schema) == []
    assert schemas.complaints(["2023-02-29"], schema) == ["[0]: '2023-02-29' is not a 'date'"]


@pytest.mark.parametrize("answer", [
    '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]',
    '{"messages": [{"role": "human", "content": " Hi "}, {"role": "Assistant", "content": "Hello"}]}',
])  # fmt: skip
def test_conversation(answer: str) -> None:
    """Turns come as a list, alone or under `messages`."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert conversation_of(answer) == turns


@pytest.mark.parametrize("answer", ["User: Hi", "[]", '[{"role": "user", "content": "Hi"}]', '{"turns": []}',
                                    '["a", "b"]',
                                    '[{"role": "dog", "content": "Hi"}, {"role": "user", "content": "x"}]',
                                    '[{"role": "user", "content": ""}, {"role": "user", "content": "x"}]'])  # fmt: skip
def test_no_conversation(answer: str) -> None:
    """Fewer than two turns, turns of nobody and turns without words are malformed."""
    assert error_of(conversation_of, answer).code == "reply-malformed"


@pytest.mark.parametrize(("field", "value", "held"), [
    (Field(kind=Kind.TEXT), "a", "a"), (Field(kind=Kind.TEXT), {"a": [1]}, '{"a": [1]}'),
    (Field(kind=Kind.CATEGORY), " a ", "a"), (Field(kind=Kind.BOOLEAN), True, True),
    (Field(kind=Kind.BOOLEAN, form="ja|nein"), "Nein", False), (Field(kind=Kind.INTEGER), 3.0, 3),
    (Field(kind=Kind.INTEGER, type="int8"), 128, None), (Field(kind=Kind.INTEGER), 3.5, None),
    (Field(kind=Kind.INTEGER), True, None), (Field(kind=Kind.INTEGER), 2**63, None), (Field(kind=Kind.NUMBER), 3, 3.0),
    (Field(kind=Kind.NUMBER, type="decimal128(5, 2)"), 12.345, Decimal("12.34")),
    (Field(kind=Kind.NUMBER, type="decimal128(5, 2)"), 1234, None),
    (Field(kind=Kind.NUMBER, type="float"), 1e300, None),
    (Field(kind=Kind.DATE), "2024-02-29", date(2024, 2, 29)), (Field(kind=Kind.DATE), "2023-02-29", None),
    (Field(kind=Kind.DATE), "2024-02-29T10:00:00Z", date(2024, 2, 29)), (Field(kind=Kind.DATE), 20240229, None),
    (Field(kind=Kind.DATETIME), "2024-02-29T13:05:00Z", datetime(2024, 2, 29, 13, 5)),
    (Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Paris]"), "2024-02-29 13:05",
     datetime(2024, 2, 29, 12, 5, tzinfo=UTC)),
    (Field(kind=Kind.DATETIME, type="timestamp[ns]"), "0001-01-01T00:00:00", None),
    (Field(kind=Kind.TIME), "25:00", None),
    (Field(kind=Kind.TEXT, nulls=False), None, None),
])  # fmt: skip
def test_fitting(field: Field, value: Any, held: Any) -> None:
    """Values become what their column holds, and those that no column of the kind holds are malformed."""
    if held is None:
        assert error_of(fitting, value, field, "x").code == "reply-malformed"
        return
    assert fitting(value, field, "x") == held
    assert column_of([held], field)[0] is not None
    assert fitting(None, field, "x") is None


@pytest.mark.parametrize("kind", ["text", "category", "boolean", "integer", "number", "date", "time", "datetime"])
@pytest.mark.parametrize("nulls", [True, False])
def test_placeholder(kind: str, nulls: bool) -> None:  # noqa: FBT001  a table of cases
    """Rows that go hold values that their columns may have."""
    field = Field(kind=Kind(kind), nulls=nulls)
    made = column_of([placeholder(field)], field)
    assert isinstance(made, pa.Array)
    assert made.null_count == nulls


def test_schema_of_columns() -> None:
    """Kinds, labels and the bounds of rules become a schema."""
    table = Table.model_validate({"fields": {
        "stars": {"kind": "integer"}, "tone": {"kind": "category"}, "mood": {"kind": "category", "labels": ["a", "b"]},
        "day": {"kind": "date"}, "text": {"kind": "text"}, "price": {"kind": "number"}, "sold": {"kind": "boolean"},
    }, "rules": ["stars >= 1 and stars <= 5", "0 < price", "tone in ['kind', 'rude']", "stars <= price"]})  # fmt: skip
    made = {c: schemas.field_schema(table, c, "how many" if c == "stars" else "") for c in table.fields}
    assert made == {
        "stars": {"type": "integer", "minimum": 1, "maximum": 5, "description": "how many"},
        "tone": {"type": "string", "enum": ["kind", "rude"]}, "mood": {"type": "string", "enum": ["a", "b"]},
        "day": {"type": "string", "format": "date"}, "text": {"type": "string"},
        "price": {"type": "number", "exclusiveMinimum": 0}, "sold": {"type": "boolean"},
    }  # fmt: skip
    assert schemas.faults(schemas.object_schema(made)) == []
    assert strict(schemas.object_schema(made))  # so that servers can enforce it
    assert strict(TURNS)


def test_loose_and_strict() -> None:
    """Properties that nobody asked for are left out of what columns make up; a schema of one's own forbids them."""
    fields = {"name": Field(kind=Kind.TEXT), "age": Field(kind=Kind.INTEGER)}
    answer = json.dumps({"name": "Ann", "age": 3, "note": "!"})
    assert Json(OBJECT, fields, {"name": "name", "age": "age"}).read(answer) == {"name": "Ann", "age": 3}
    closed = Json(OBJECT, fields, {"name": "name", "age": "age"}, loose=False)
    assert "unexpected" in error_of(closed.read, answer).why
    empty = '{"name": " ", "age": 3}'
    assert error_of(Json(OBJECT, fields, {"name": "name", "age": "age"}).read, empty).why == "name is empty"
    assert closed.read(empty) == {"name": " ", "age": 3}
