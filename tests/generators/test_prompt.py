"""A language model fills columns: asked for what its template mentions, repaired once, and ruled on where it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.chat import Key, NoReply, Provider, Reply, Request
from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError, SpecError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.generators.prompt import NO_PROMPT, PromptGenerator
from synthwright.kit.chat.asking import Asking
from synthwright.kit.prompting.answers import REASONS
from synthwright.line import check
from synthwright.providers.scripted import Scripted
from synthwright.testing.models import DirectModels, talkative

CHECKOUT = Path(__file__).resolve().parents[2]
SCHEMA = Schema.model_validate({"tables": {
    "product": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "name": {"kind": "text"}}},
    "review": {"fields": {
        "product": {"kind": "reference", "to": "product.id", "type": "int64"}, "tone": {"kind": "category"},
        "text": {"kind": "text"}, "stars": {"kind": "integer"}, "topic": {"kind": "category"},
        "day": {"kind": "date", "nulls": False}, "fair": {"kind": "boolean", "nulls": False},
        "talk": {"kind": "text", "nulls": False}, "raw": {"kind": "bytes"}, "spell": {"kind": "duration"},
    }, "rules": ["stars >= 1 and stars <= 5", "topic in ['price', 'quality']"]},
}})  # fmt: skip
Answer = Callable[[str, Request, Key], str | Reply | NoReply]


def start(rows: int = 3, given: Mapping[str, pa.Array] | None = None, *, first: int = 0) -> Dataset:
    """Return reviews without text, and the products that they are about."""
    known = {"product": pa.array([1 + i % 2 for i in range(rows)]),
             "tone": pa.array(["kind", None, "rude"] * rows, pa.large_string())[:rows]}  # fmt: skip
    begun = Dataset.blank(SCHEMA, {"review": rows}, {"review": first}).with_columns(
        "review", {**known, **(given or {})}
    )
    products = pa.table({"id": [1, 2], "name": pa.array(["lamp", "{{ tone }}"], pa.large_string())})
    return Dataset(SCHEMA, {**begun.tables, "product": products})


def drawn(
    recipe: PromptGenerator, columns: str, answer: Answer, given: Dataset | None = None, *, mode: Any = "make"
) -> tuple[Sample, DirectModels]:
    """Return what a generator makes of columns, and the models that it asked; what is wrong with it fails the test."""
    names = tuple(columns.split())
    assert recipe.misused(SCHEMA, "review", names) == []
    part = Part(tuple(f"review.{c}" for c in names), (), mode)
    models = DirectModels(answer)
    model = recipe.fit(Dataset.empty(SCHEMA), part, Context())
    return model.sample(given or start(), Context(models=models).at("shard", 0)), models


def column(sample: Sample, name: str) -> list[Any]:
    """Return the values of a column."""
    return sample.data.column(f"review.{name}").to_pylist()


def reasons(sample: Sample) -> list[str | None]:
    """Return why rows go."""
    (verdict,) = sample.problems
    assert ((~verdict.keep) == verdict.reason.is_valid().to_numpy(zero_copy_only=False)).all()
    return verdict.reason.to_pylist()


def echo(_: str, request: Request, __: Key) -> str:
    """Answer with the question."""
    return "Q: " + request.messages[-1].text


# ------------------------------------------------------------------------------------------------------- what is asked
def test_text() -> None:
    """Each row is asked for with what is known of it, under a key of its own; values never become template."""
    recipe = PromptGenerator(prompt="A {{ tone | default('plain') }} word on {{ product.name }}\n", system="You sell.",
                             temperature=0.5, tokens=50, writer="author")  # fmt: skip
    assert recipe == PromptGenerator.model_validate({**recipe.model_dump(exclude={"writer"}), "model": "author"})
    assert recipe.asks() == ("author",)
    assert set(recipe.looks_at(SCHEMA, "review")) == {"review.tone", "review.product", "product.name", "product.id"}
    sample, models = drawn(recipe, "text", echo, start(first=7))
    assert column(sample, "text") == [
        "Q: A kind word on lamp",
        "Q: A plain word on {{ tone }}",
        "Q: A rude word on lamp",
    ]
    assert reasons(sample) == [None] * 3
    model, request, key = models.asked[0]
    assert model == "author"
    assert [m.role for m in request.messages] == ["system", "user"]
    assert (request.messages[0].text, request.form, request.tokens, request.temperature) == ("You sell.", None, 50, 0.5)
    assert [k[-2:] for _, _, k in models.asked] == [(7, 0), (8, 0), (9, 0)]
    assert key[:3] == (0, "shard", "0")


def test_choice() -> None:
    """A category whose labels a rule names is a choice, sent as an enumeration."""
    said = iter(["Price.", '"quality"', "both", "price"])
    sample, models = drawn(PromptGenerator(prompt="About what?"), "topic", lambda *_: next(said))
    assert column(sample, "topic") == ["price", "quality", "price"]
    assert models.asked[0][1].form == {"type": "string", "enum": ["price", "quality"]}
    assert (
        models.asked[0][1].messages[-1].text.endswith("Answer with only one of these, and nothing else: price, quality")
    )
    sample, _ = drawn(
        PromptGenerator(prompt="How?", values=("a", "b")), "tone", lambda *_: "B", start().select("review", [])
    )
    assert column(sample, "tone") == ["b"] * 3


def test_json() -> None:
    """Several columns come from one answer, by a schema made from them."""
    recipe = PromptGenerator(prompt="Write.", describe={"stars": "how good"}, columns={"full_text": "text"})
    answer = '{"full_text": "Nice", "stars": "4", "day": "2024-02-29", "fair": true, "why": "because"}'
    sample, models = drawn(recipe, "text stars day fair", lambda *_: f"Here:\n```json\n{answer}\n```")
    assert [column(sample, c)[0] for c in ("text", "stars", "fair")] == ["Nice", 4, True]
    assert str(column(sample, "day")[0]) == "2024-02-29"
    form = models.asked[0][1].form
    assert form is not None
    assert list(form["properties"]) == form["required"] == ["full_text", "stars", "day", "fair"]
    assert form["properties"]["stars"] == {"type": "integer", "minimum": 1, "maximum": 5, "description": "how good"}
    assert json.dumps(form) in models.asked[0][1].messages[-1].text
    quiet = recipe.model_copy(update={"instruct": False})
    assert drawn(quiet, "text stars day fair", lambda *_: answer)[1].asked[0][1].messages[-1].text == "Write."


def test_own_schema() -> None:
    """A schema of one's own rules; a column that it does not know keeps the whole answer."""
    inner = {"b": {"type": "string"}, "a": {"type": "array", "items": {"type": "integer"}}}
    schema = {"type": "object", "properties": inner, "required": ["b"], "additionalProperties": False}  # fmt: skip
    recipe = PromptGenerator.model_validate({"prompt": "Write.", "schema": json.dumps(schema), "repair": False})
    assert recipe == PromptGenerator.model_validate_json(recipe.model_dump_json(by_alias=True))
    again = PromptGenerator.model_validate_json(recipe.model_dump_json(by_alias=True))
    assert list((again.schema_ or {})["properties"]) == ["b", "a"]  # the order is what the model writes in
    said = iter(['{"b": "x", "a": ["1", 2]}', '{"b": "x", "c": 1}', '{"a": [1]}'])
    sample, _ = drawn(recipe, "text", lambda *_: next(said))
    assert column(sample, "text") == ['{"b": "x", "a": [1, 2]}', None, None]
    assert reasons(sample) == [None, "reply-malformed", "reply-malformed"]


def test_conversation() -> None:
    """A conversation is kept as a list of messages."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    recipe = PromptGenerator(prompt="Talk.", form="conversation")
    sample, _ = drawn(recipe, "talk", lambda *_: json.dumps({"messages": turns}))
    assert json.loads(column(sample, "talk")[0]) == turns


def test_examples() -> None:
    """Examples stand before the question as turns, written by the same template."""
    recipe = PromptGenerator.model_validate({"prompt": "{{ tone }}?", "values": ["yes", "no"], "examples": [
        {"input": {"tone": "mild"}, "output": "yes"}, {"input": "Anything?", "output": "no"}]})  # fmt: skip
    _, models = drawn(recipe, "topic", lambda *_: "no")
    turns = models.asked[0][1].messages
    assert [m.role for m in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert [m.text.partition("\n")[0] for m in turns] == ["mild?", "yes", "Anything?", "no", "kind?"]


def test_rendered() -> None:
    """What would be asked for the first rows can be looked at without asking."""
    recipe = PromptGenerator(prompt="{{ tone }}")
    found = recipe.rendered(start(), Part(("review.text",)), Context(), 2)
    assert [r.messages[-1].text for r in found] == ["kind", ""]


# ------------------------------------------------------------------------------------------------------ what goes wrong
def test_repair() -> None:
    """A model that answers in the wrong form is told what was wrong, once, with what it said."""

    def answer(_: str, request: Request, key: Key) -> str:
        return "no JSON" if key[-1] == 0 or key[-2] == 2 else '{"stars": 4}'

    sample, models = drawn(PromptGenerator(prompt="Write."), "stars", answer)
    assert column(sample, "stars") == [4, 4, None]
    assert reasons(sample) == [None, None, "reply-malformed"]
    assert [k[-2:] for _, _, k in models.asked] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    turns = models.asked[1][1].messages
    assert [m.role for m in turns] == ["user", "assistant", "user"]
    assert turns[1].text == "no JSON"
    assert turns[2].text.startswith(
        "Your answer cannot be used: there is no JSON in it. Answer again, with only the JSON"
    )
    sample, models = drawn(PromptGenerator(prompt="Write.", repair=False), "stars", answer)
    assert reasons(sample) == ["reply-malformed"] * 3
    assert len(models.asked) == 3


def test_reasons() -> None:
    """Every row without an answer goes for its reason; its values are ones that the columns may have."""
    said: list[str | Reply | NoReply] = [
        NoReply("busy"), NoReply("gone", "reply-refused"), Reply("ha", "length"), Reply("", "refused"), "",
        "x" * 2_000_000,
        '{"talk": "a\\ud800", "fair": true}', '{"talk": "fine", "fair": "true"}',
    ]  # fmt: skip
    sample, models = drawn(
        PromptGenerator(prompt="Write."), "talk fair", lambda _, __, key: said[int(key[-2])], start(8)
    )
    assert reasons(sample) == ["no-reply", "reply-refused", "reply-cut", "reply-refused", "reply-empty",
                               "reply-too-long", "reply-malformed", None]  # fmt: skip
    assert column(sample, "talk") == [""] * 7 + ["fine"]
    assert column(sample, "fair") == [False] * 7 + [True]
    assert [k[-2] for _, _, k in models.asked if k[-1] == 1] == [2, 4, 6]  # what asking again may help
    assert models.asked[6][1] == models.asked[5][1]  # an empty answer is no turn


def test_unwritable_prompts() -> None:
    """A row whose prompt cannot be written goes, and is not asked for."""
    lists = pa.array(['["a", "b"]', "no list", None], pa.large_string())
    recipe = PromptGenerator(prompt="{% for item in talk %}{{ item }};{% endfor %}")
    sample, models = drawn(recipe, "text", echo, start(3, {"talk": lists}))
    assert reasons(sample) == [None, NO_PROMPT, None]
    assert column(sample, "text")[0] == "Q: a;b;"
    assert len(models.asked) == 2


def test_no_models() -> None:
    """Without language models the message shows how one is named."""
    model = PromptGenerator(prompt="x").fit(Dataset.empty(SCHEMA), Part(("review.text",)), Context())
    with pytest.raises(SampleError, match=r"models: \{writer: \{use: openai"):
        model.sample(start(), Context())


def test_only_what_is_needed() -> None:
    """Values that are there already, or that get no value, are not asked for: each has its price."""
    there = {"text": pa.array(["kept", None, "kept"], pa.large_string())}
    sample, models = drawn(PromptGenerator(prompt="Write."), "text", echo, start(3, there), mode="fill")
    assert column(sample, "text") == ["kept", "Q: Write.", "kept"]
    assert [k[-2] for _, _, k in models.asked] == [1]
    sample, models = drawn(PromptGenerator(prompt="Write.", nulls=0.5), "text", echo, start(200))
    missing = np.array([v is None for v in column(sample, "text")])
    assert 60 < missing.sum() < 140
    assert sorted(int(k[-2]) for _, _, k in models.asked) == np.flatnonzero(~missing).tolist()
    assert reasons(sample) == [None] * 200


# ---------------------------------------------------------------------------------------------- before anything runs
@pytest.mark.parametrize(("settings", "columns", "message"), [
    ({}, "text", "say what to ask: `prompt`"),
    ({"prompt": "{{ tne }}"}, "text", "prompt: table 'review': path 'tne'"),
    ({"prompt": "{{ product.nam }}"}, "text", "did you mean 'name'?"),
    ({"prompt": "{{ text }}"}, "text", "prompt: 'text' is a column that it makes itself"),
    ({"prompt": "x", "system": "{{ raw }}"}, "text", "system: 'raw' holds bytes, which are no text"),
    ({"prompt": "x", "form": "choice"}, "tone", "needs labels: say `values: [a, b]`"),
    ({"prompt": "x", "form": "choice", "values": ["a"]}, "tone", "needs labels"),
    ({"prompt": "x", "form": "choice", "values": ["yes", "true"]}, "fair", "values.0: 'yes': fair is not true"),
    ({"prompt": "x", "form": "text"}, "text tone", "form: the form 'text' fills one column, and the part makes 2"),
    ({"prompt": "x", "form": "conversation"}, "tone", "makes a column of kind text, and 'tone' is of kind 'category'"),
    ({"prompt": "x", "form": "text"}, "stars", "makes a column of kind text or category"),
    ({"prompt": "x", "values": ["a", "b"]}, "text stars", "values: values go with the form 'choice', not with 'json'"),
    ({"prompt": "x", "columns": {"a": "text"}}, "text", "columns: that goes with the form 'json', not with 'text'"),
    ({"prompt": "x", "columns": {"a": "txt"}}, "text stars",
     "columns.a: the part makes no column 'txt': did you mean 'text'?"),
    ({"prompt": "x", "columns": {"a": "text", "b": "text"}}, "text stars", "columns: column 'text' is filled by"),
    ({"prompt": "x", "describe": {"star": "s"}}, "text stars",
     "describe.star: the part makes no column 'star': did you mean 'stars'?"),
    ({"prompt": "x", "schema": {"properties": {"star": {}}}}, "stars",
     "schema: column 'stars' is no property of the schema: did you mean 'star'?"),
    ({"prompt": "x", "schema": {"properties": {"stars": {"type": "string"}}}}, "stars",
     "schema.properties.stars: column 'stars' is of kind 'integer', and the schema allows string"),
    ({"prompt": "x", "schema": {"properties": {"day": {"type": ["string", "null"]}}, "required": ["day"]}}, "day",
     "column 'day' must have a value in every row, and the schema allows null"),
    ({"prompt": "x", "schema": {"properties": {"day": {"type": "string"}}}}, "day", "'day' is not required"),
    ({"prompt": "x", "examples": [{"input": {"tne": 1}, "output": "a"}]}, "text", "the prompt does not mention 'tne'"),
    ({"prompt": "x", "examples": [{"input": "a", "output": "c"}]}, "topic",
     'examples.0.output: such an answer would be refused: it is none of "price", "quality"'),
    ({"prompt": "x", "examples": [{"input": "a", "output": {"stars": 9}}]}, "stars", "9 is greater than the maximum"),
    ({"prompt": "x", "nulls": 0.5}, "day", "nulls: column 'day' must have a value in every row"),
])  # fmt: skip
def test_misused(settings: dict[str, Any], columns: str, message: str) -> None:
    """What its parameters cannot mean for the columns is told before anything is asked, with its place."""
    found = PromptGenerator.model_validate(settings).misused(SCHEMA, "review", tuple(columns.split()))
    assert message in "\n".join(f"{'.'.join(map(str, place))}: {said}" for place, said in found)
    assert len(found) == 1


@pytest.mark.parametrize(("settings", "message"), [
    ({"prompt": "a\n{{ x.__class__ }}"}, "line 2: '__class__' is not allowed"),
    ({"system": "{% set a = 1 %}"}, "{% set %} is not allowed"),
    ({"schema": {"$ref": "http://x"}}, "leads out of the schema"),
    ({"schema": "{"}, "wanted a JSON Schema"), ({"examples": [{"output": ""}]}, "wanted an answer"),
    ({"temperature": -1}, "greater than or equal to 0"),
    ({"form": "poem"}, "'text', 'json', 'choice' or 'conversation'"),
])  # fmt: skip
def test_wrong_parameters(settings: dict[str, Any], message: str) -> None:
    """Templates and schemas that nobody may write are refused where they stand."""
    with pytest.raises(ValidationError, match=re.escape(message)):
        PromptGenerator.model_validate(settings)


def test_vocabulary() -> None:
    """The labels of a choice are known to others."""
    recipe = PromptGenerator(prompt="x")
    assert recipe.vocabulary(SCHEMA, "review", "topic") == ("price", "quality")
    assert recipe.vocabulary(SCHEMA, "review", "tone") is None
    assert PromptGenerator(prompt="x", values=("a",), nulls=0.1).vocabulary(SCHEMA, "review", "tone") == ("a", None)


def test_told_in_the_specification(tmp_path: Path) -> None:
    """A specification is told line and column of a wrong template, an unknown column and an unknown model."""
    (tmp_path / "x.yaml").write_text(
        "synthwright: 1\nname: x\n"
        "schema: {tables: {t: {fields: {a: {kind: category}, b: {kind: text}, c: {kind: text}}}}}\n"
        "start: {rows: {t: 3}}\nmodels: {writer: {use: scripted}}\nparts:\n"
        "- {make: [t.a], use: choice, with: {values: [x]}}\n"
        "- {make: [t.b], use: prompt, with: {prompt: '{{ aa }}'}}\n"
        "- {make: [t.c], use: prompt, with: {prompt: '{{ a() }}', model: riter}}\n"
    )
    with pytest.raises(SpecError) as caught:
        check(load_spec(tmp_path / "x.yaml"))
    told = str(caught.value)
    assert re.search(r"x.yaml:8:\d+: .*did you mean 'a'", told)
    assert re.search(r"x.yaml:9:\d+: .*a call is not allowed", told)


# --------------------------------------------------------------------------------------------------------- real parts
def test_documented() -> None:
    """Every reason is documented."""
    page = (CHECKOUT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert set(PromptGenerator.reasons) == {NO_PROMPT, "no-reply", *REASONS}
    for code, meaning in PromptGenerator.reasons.items():
        assert f"| `{code}` | `prompt` | {meaning} |" in page


def test_page_runs(tmp_path: Path) -> None:
    """The specification that the page shows is one, and its prompts can be written and answered."""
    page = (CHECKOUT / "docs" / "text.md").read_text(encoding="utf-8")
    text = next(b for b in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "synthwright: 1" in b)
    (tmp_path / "shown.yaml").write_text(text)
    plan = check(load_spec(tmp_path / "shown.yaml"))
    assert plan is not None
    parts = [p for p in plan.parts if isinstance(p.generator, PromptGenerator)]
    assert [p.part.produce for p in parts] == [("review.text", "review.stars"), ("review.topic",)]
    texts = {"product": ["1"] * 4, "tone": ["rude"] * 4, "id": ["1"], "name": ["lamp"]}
    known: dict[str, Any] = {c: pa.array(v, pa.large_string()) for c, v in texts.items()}
    review = {c: known.pop(c) for c in ("product", "tone")}
    given = Dataset.blank(plan.schema, {"review": 4, "product": 1}).with_columns("review", review)
    products = pa.table({**known, "price": pa.array([1], pa.decimal128(8, 2))})
    given = Dataset(plan.schema, {**given.tables, "product": products})
    for models in (Asking(plan.models), talkative(1)):
        made = given
        for part in parts:
            model = part.generator.fit(Dataset.empty(plan.schema), part.part, Context())
            sample = model.sample(made, Context(models=models))
            made = sample.data
            assert all(v.keep.all() for v in sample.problems)
        assert set(made.column("review.topic").to_pylist()) <= {"price", "quality", "service"}
        if isinstance(models, Asking):
            models.__exit__()


def test_through_asking() -> None:
    """Answers of a provider are the same however many are asked at once."""
    providers: dict[str, Provider] = {"writer": Scripted(answers=("one", "two", "three"), in_flight=4)}
    model = PromptGenerator(prompt="{{ tone }}").fit(Dataset.empty(SCHEMA), Part(("review.text",)), Context())
    found = []
    for width in (1, 8):
        with Asking({n: p.model_copy(update={"in_flight": width}) for n, p in providers.items()}) as models:
            found.append(model.sample(start(40), Context(models=models)).data)
            assert models.ledger().lines[0].took.asked > 0
    assert found[0].fingerprint() == found[1].fingerprint()
