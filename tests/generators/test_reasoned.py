"""A language model thinks step by step, and what it comes to is checked: by a column, by how many agree, or by both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.chat import Key, NoReply, Reply, Request
from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.generators.reasoned import ReasonedGenerator
from synthwright.kit.prompting.answers import REASONS
from synthwright.line import check
from synthwright.testing.models import DirectModels

CHECKOUT = Path(__file__).resolve().parents[2]
SCHEMA = Schema.model_validate({"tables": {
    "unit": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "size": {"kind": "number"}}},
    "problem": {"fields": {
        "unit": {"kind": "reference", "to": "unit.id", "type": "int64"}, "question": {"kind": "text"},
        "total": {"kind": "number"}, "rationale": {"kind": "text", "nulls": False}, "answer": {"kind": "integer"},
        "agreement": {"kind": "number"}, "word": {"kind": "text"}, "raw": {"kind": "bytes"},
        "pick": {"kind": "category", "labels": ["up", "down"]},
    }},
}})  # fmt: skip
Answer = Callable[[str, Request, Key], str | Reply | NoReply]


def start(totals: list[float | None]) -> Dataset:
    """Return problems whose right answer is known."""
    rows = len(totals)
    known = {"total": pa.array(totals, pa.float64()), "unit": pa.array([1] * rows, pa.int64()),
             "question": pa.array([f"Question {i}?" for i in range(rows)], pa.large_string())}  # fmt: skip
    begun = Dataset.blank(SCHEMA, {"problem": rows}).with_columns("problem", known)
    return Dataset(SCHEMA, {**begun.tables, "unit": pa.table({"id": [1], "size": [4.0]})})


def drawn(
    settings: Mapping[str, Any], answer: Answer, totals: list[float | None] | None = None,
    columns: str = "rationale answer",
) -> tuple[Sample, DirectModels]:  # fmt: skip
    """Return what a generator makes of columns, and the models that it asked; what is wrong with it fails the test."""
    recipe = ReasonedGenerator.model_validate({"prompt": "{{ question }}", **settings})
    names = tuple(columns.split())
    assert recipe.misused(SCHEMA, "problem", names) == []
    models = DirectModels(answer)
    model = recipe.fit(Dataset.empty(SCHEMA), Part(tuple(f"problem.{c}" for c in names)), Context())
    given = start(totals or [4.0, 4.0])
    return model.sample(given, Context(models=models).at("shard", 0)), models


def said(answer: Any, steps: str = "So it is.", name: str = "answer") -> str:
    """Return an answer with its steps."""
    return json.dumps({"rationale": steps, name: answer})


def column(sample: Sample, name: str) -> list[Any]:
    """Return the values of a column."""
    return sample.data.column(f"problem.{name}").to_pylist()


def reasons(sample: Sample) -> list[str | None]:
    """Return why rows go."""
    (verdict,) = sample.problems
    assert ((~verdict.keep) == verdict.reason.is_valid().to_numpy(zero_copy_only=False)).all()
    return verdict.reason.to_pylist()


# ------------------------------------------------------------------------------------------------------ a known answer
def test_right_answers_stay() -> None:
    """Numbers are compared as numbers; a row with another answer goes, and keeps it for those who look at it."""
    answers = ["4.0", 5, "four"]
    sample, models = drawn({"known": "total", "repair": False}, lambda _, __, key: said(answers[int(key[-3])]), [4] * 3)
    assert reasons(sample) == [None, "answer-wrong", "reply-malformed"]
    assert column(sample, "answer") == [4, 5, None]
    assert column(sample, "rationale") == ["So it is.", "So it is.", ""]
    assert [k[-3:] for _, _, k in models.asked] == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]
    form = models.asked[0][1].form
    assert form is not None
    assert list(form["properties"]) == ["rationale", "answer"]
    assert "Question 0?" in models.asked[0][1].messages[-1].text
    assert "4" not in models.asked[0][1].messages[-1].text.partition("{")[0]  # nobody tells the answer


def test_without_a_column_the_answer_is_checked_all_the_same() -> None:
    """Where only the steps are made, the answer is asked for in the form of what is known, and not kept."""
    sample, models = drawn({"known": "unit.size"}, lambda _, __, key: said("4" if key[-3] else 3), columns="rationale")
    assert reasons(sample) == ["answer-wrong", None]
    assert (models.asked[0][1].form or {})["properties"]["answer"] == {"type": "number"}
    sample, models = drawn({"known": "question", "tolerance": 0.5}, lambda *_: said("QUESTION 0"), columns="rationale")
    assert reasons(sample) == [None, "answer-wrong"]


def test_without_a_column_for_the_steps_the_model_thinks_all_the_same() -> None:
    """Where only the answer is made, the steps are asked for, and not kept."""
    sample, models = drawn({"samples": 1}, lambda *_: said("down", name="pick"), columns="pick")
    assert column(sample, "pick") == ["down"] * 2
    assert list((models.asked[0][1].form or {})["properties"]) == ["rationale", "pick"]
    assert ReasonedGenerator(prompt="x").vocabulary(SCHEMA, "problem", "pick") == ("up", "down")


def test_nothing_is_asked_where_nothing_is_known() -> None:
    """A row without a right answer cannot be checked: it goes, and costs nothing."""
    sample, models = drawn({"known": "total"}, lambda *_: said(4), [None, 4.0])
    assert reasons(sample) == ["no-known-answer", None]
    assert len(models.asked) == 1


def test_tolerance() -> None:
    """A number may be so far from the right one."""
    settings = {"known": "total", "tolerance": 0.5}
    assert reasons(drawn(settings, lambda *_: said(3), [3.4, 3.6])[0]) == [None, "answer-wrong"]


def test_hint() -> None:
    """A model that is wrong is told the answer once, and its steps count if they lead there."""

    def answer(_: str, request: Request, key: Key) -> str:
        if key[-2] != "hint":
            return said(9)
        assert "The right answer is 4." in request.messages[-1].text
        assert request.messages[-1].text.rstrip().endswith("}")  # the form is said last
        return said(4 if key[-3] == 0 else 8, "Now I see.")

    sample, models = drawn({"known": "total", "hint": True}, answer, columns="rationale answer agreement")
    assert reasons(sample) == [None, "answer-wrong"]
    assert column(sample, "rationale") == ["Now I see.", "So it is."]
    assert column(sample, "answer") == [4, 9]
    assert column(sample, "agreement") == [0.0, 0.0]  # nobody came to it without being told
    assert [k[-3:] for _, _, k in models.asked] == [(0, 0, 0), (0, "hint", 0), (1, 0, 0), (1, "hint", 0)]
    told = drawn({"known": "question", "hint": True}, lambda *_: said("no"), columns="rationale")[1].asked[1][1]
    assert 'The right answer is "Question 0?".' in told.messages[-1].text


# --------------------------------------------------------------------------------------------------------- consistency
def test_most_answers_decide() -> None:
    """Independent questions, each under its own key; the first steps to what most say are kept, or the shortest."""
    answers = {0: [7, 8, 7, 8, 7], 1: [1, 2, 3, 4, 5]}

    def answer(_: str, __: Request, key: Key) -> str:
        return said(answers[int(key[-3])][int(key[-2])], "." * (9 - int(key[-2])))

    sample, models = drawn({"keep": "first"}, answer)
    assert reasons(sample) == [None, "answers-disagree"]
    assert column(sample, "answer")[0] == 7
    assert len(column(sample, "rationale")[0]) == 9
    keys = [k for _, _, k in models.asked]
    assert len(set(keys)) == len(keys) == 9  # of the second row four, since three of five cannot agree any more
    assert [k[-2:] for k in keys[:5]] == [(i, 0) for i in range(5)]
    assert len({json.dumps(r.to_json()) for _, r, k in models.asked if k[-3] == 0}) == 1
    sample, _ = drawn({"keep": "shortest"}, answer)
    assert len(column(sample, "rationale")[0]) == 5


def test_agreement_is_recorded() -> None:
    """The share of the answers that agree stands in a column; all are then asked for."""
    answers = [7, 7, 7, 8, 7]
    sample, models = drawn({}, lambda _, __, key: said(answers[int(key[-2])]), [1.0], "rationale answer agreement")
    assert column(sample, "agreement") == [0.8]
    assert len(models.asked) == 5
    sample, models = drawn({"samples": 3, "agree": 1}, lambda _, __, key: said(answers[2 + int(key[-2])]), [1.0])
    assert reasons(sample) == ["answers-disagree"]


def test_both_checks() -> None:
    """Of several answers so many must be right, so that one of many is enough where a problem is hard."""
    answers = [7, 4, 7, 7, 4]
    settings = {"known": "total", "check": ["column", "consistency"]}
    sample, _ = drawn(settings, lambda _, __, key: said(answers[int(key[-2])]), [4.0], "answer agreement rationale")
    assert reasons(sample) == ["answer-wrong"]
    sample, models = drawn({**settings, "agree": 0.2}, lambda _, __, key: said(answers[int(key[-2])]), [4.0])
    assert (reasons(sample), column(sample, "answer"), len(models.asked)) == ([None], [4], 2)


def test_text_form_and_examples() -> None:
    """Worked examples come before the question in the form that is asked for."""
    example = {"input": {"question": "2 + 2?"}, "rationale": "Two and two.", "answer": 4}
    settings = {"form": "text", "samples": 1, "examples": [example], "system": "You teach.", "temperature": 0.7}
    sample, models = drawn(settings, lambda *_: "Half of 8.\nAnswer: 4")
    assert column(sample, "answer") == [4, 4]
    request = models.asked[0][1]
    assert [m.role for m in request.messages] == ["system", "user", "assistant", "user"]
    assert request.messages[2].text == "Two and two.\nAnswer: 4"
    assert (request.form, request.temperature) == (None, 0.7)
    sample, models = drawn({**settings, "form": "json", "describe": {"answer": "as a whole"}}, lambda *_: said(4))
    assert json.loads(models.asked[0][1].messages[2].text) == {"rationale": "Two and two.", "answer": 4}
    assert (models.asked[0][1].form or {})["properties"]["answer"]["description"] == "as a whole"


# ------------------------------------------------------------------------------------------------------ what goes wrong
def test_repair_and_silence() -> None:
    """Each question is repaired once under its own key; one that fails is one that does not agree."""

    def answer(_: str, __: Request, key: Key) -> str | NoReply:
        if key[-3] == 0:
            return said(7) if key[-1] else "seven"
        return NoReply("busy") if key[-2] in (0, 1) else said(7)

    sample, models = drawn({"samples": 3}, answer)
    assert reasons(sample) == [None, "no-reply"]
    assert [k[-2:] for _, _, k in models.asked] == [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0), (1, 0)]
    assert reasons(drawn({"samples": 3, "repair": False}, answer)[0]) == ["reply-malformed", "no-reply"]


def test_no_models() -> None:
    """Without language models the message shows how one is named."""
    model = ReasonedGenerator(prompt="x").fit(Dataset.empty(SCHEMA), Part(("problem.answer",)), Context())
    with pytest.raises(SampleError, match=r"models: \{writer: \{use: openai"):
        model.sample(start([1.0]), Context())


def test_the_same_is_asked_again() -> None:
    """A second run asks the same under the same keys, so that what was answered is found: samples, repairs, hints."""
    settings = {"known": "total", "hint": True, "check": ["column", "consistency"], "samples": 3, "agree": 0.9}
    runs = [drawn(settings, lambda _, __, key: said(4) if key[-2] == "hint" else said(5))[1].asked for _ in range(2)]
    assert runs[0] == runs[1]
    assert [k[-3:] for _, _, k in runs[0]] == [(r, w, 0) for r in (0, 1) for w in (0, "hint")]
    assert len({k for _, _, k in runs[0]}) == len(runs[0])


# ---------------------------------------------------------------------------------------------- before anything runs
@pytest.mark.parametrize(("settings", "columns", "message"), [
    ({"known": "total"}, "answer", ": say what to ask: `prompt`"),
    ({"prompt": "{{ totl }}"}, "answer", "did you mean 'total'?"),
    ({"prompt": "x", "known": "unit.siz"}, "answer", "did you mean 'size'?"),
    ({"prompt": "x", "known": "answer"}, "answer", "known: 'answer' is a column that it makes itself"),
    ({"prompt": "x", "known": "raw"}, "answer", "known: 'raw' holds bytes"),
    ({"prompt": "x", "rationale": "answer"}, "answer word", "rationale: column 'answer' is of kind 'integer'"),
    ({"prompt": "x", "agreement": "answer"}, "answer word", "agreement: column 'answer' is of kind 'integer'"),
    ({"prompt": "x"}, "word answer", "only one column can hold the answer: say which holds the steps, `rationale: wo"),
    ({"prompt": "x", "check": "column"}, "answer", "check: name the column that holds the right answer"),
    ({"prompt": "x", "known": "total", "check": "consistency"}, "answer", "known: nothing is compared with it"),
    ({"prompt": "x", "hint": True}, "answer", "hint: only an answer that is known can be told"),
    ({"prompt": "x", "known": "total", "samples": 3}, "answer", "samples: that goes with several answers"),
    ({"prompt": "x", "known": "total", "agree": 0.5}, "answer", "agree: that goes with several answers"),
    ({"prompt": "x", "describe": {"answr": "x"}}, "answer", "describe.answr: the model is not asked for 'answr': did"),
    ({"prompt": "{{ question }}", "examples": [{"input": {"qestion": "?"}, "rationale": "x", "answer": 1}]}, "answer",
     "examples.0.input: the prompt does not mention 'qestion'"),
    ({"prompt": "x", "examples": [{"input": "?", "rationale": "x", "answer": "many"}]}, "answer",
     "examples.0: such an answer would be refused"),
    ({"prompt": "x", "nulls": 0.5}, "rationale", "nulls: column 'rationale' must have a value in every row"),
])  # fmt: skip
def test_misused(settings: dict[str, Any], columns: str, message: str) -> None:
    """What its parameters cannot mean is told before anything is asked, with its place."""
    found = ReasonedGenerator.model_validate(settings).misused(SCHEMA, "problem", tuple(columns.split()))
    assert message in "\n".join(f"{'.'.join(map(str, place))}: {one}" for place, one in found)
    assert len(found) == 1


@pytest.mark.parametrize("settings", [
    {"prompt": "{{ a() }}"}, {"check": []}, {"check": "majority"}, {"agree": 0}, {"samples": 0}, {"form": "choice"},
    {"examples": [{"input": "x", "rationale": "", "answer": 1}]},
])  # fmt: skip
def test_wrong_parameters(settings: dict[str, Any]) -> None:
    """Parameters that nobody may write are refused where they stand."""
    with pytest.raises(ValidationError):
        ReasonedGenerator.model_validate(settings)


def test_told_beforehand(tmp_path: Path) -> None:
    """A prompt that tells the answer, and several answers without temperature, are hardly meant."""
    spec = """\
synthwright: 1
name: x
schema: {tables: {t: {fields: {total: {kind: integer}, rationale: {kind: text}}}}}
start: {rows: {t: 3}}
models: {writer: {use: scripted}}
parts:
  - {make: [t.total], use: choice, with: {values: [1, 2]}}
  - make: [t.rationale]
    use: reasoned
    with: {prompt: "Why {{ total }}?", known: total, check: [column, consistency], temperature: 0}
"""
    (tmp_path / "x.yaml").write_text(spec)
    plan = check(load_spec(tmp_path / "x.yaml"))
    assert plan is not None
    assert [d.message.partition(": ")[2] for d in plan.doubts] == [
        "the model is told the right answer: the prompt mentions 'total'",
        "without temperature a model gives the same answer each time: several say no more than one",
    ]


def test_every_reason_is_documented() -> None:
    """The reasons why rows go stand in the documentation, word for word."""
    text = (CHECKOUT / "docs" / "reasons.md").read_text(encoding="utf-8")
    for code, meaning in ReasonedGenerator.reasons.items():
        assert f"`{code}`" in text
        assert meaning in text
    assert set(REASONS) < set(ReasonedGenerator.reasons)
