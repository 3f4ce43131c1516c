"""Texts are said otherwise by a language model, in one step or there and back; what is no other way goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

import synthwright as sw
from synthwright.core.chat import NoReply
from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.generators.paraphrase import UNVARIED, Paraphrase
from synthwright.kit.prompting.written import UNANSWERED
from synthwright.testing import check_generator
from synthwright.testing.chat_server import ChatServer
from synthwright.testing.models import DirectModels

CHECKOUT = Path(__file__).resolve().parents[2]
SCHEMA = Schema.model_validate({"tables": {"note": {"fields": {"text": {"kind": "text"}, "more": {"kind": "text"},
                                                               "tone": {"kind": "category"}}}}})  # fmt: skip
TEXT = "I cannot find my card"


def said(recipe: Paraphrase, answer: Any, texts: Sequence[str | None], *place: str) -> tuple[Sample, DirectModels]:
    """Return what becomes of texts, and the models that were asked."""
    assert recipe.misused(SCHEMA, "note", ("text",)) == []
    held = {
        "text": pa.array(list(texts), pa.large_string()),
        "tone": pa.array(["calm"] * len(texts), pa.large_string()),
    }
    begun = Dataset.blank(SCHEMA, {"note": len(texts)}).with_columns("note", held)
    models = DirectModels(answer)
    model = recipe.fit(Dataset.empty(SCHEMA), Part(("note.text",), (), "replace"), Context())
    return model.sample(begun, Context(models=models).at(*(place or ("shard",)))), models


def test_it_keeps_the_contract() -> None:
    """The contract suite passes."""
    assert check_generator(Paraphrase())


def test_in_other_words() -> None:
    """One question, in which the text is data; nulls stay, and what is no other way of saying it goes."""
    answers = {"a b c": "c of b and a", "same words": "Same, words!", "blank": "  ",
               "refused": "I'm sorry, but I can't help with that."}  # fmt: skip

    def answer(_: str, request: Any, __: Any) -> str:
        return answers[request.messages[-1].text.split("```")[1].strip()]

    sample, models = said(Paraphrase(system="{{ tone }}"), answer, [*answers, None, ""])
    assert sample.data.column("note.text").to_pylist()[0] == "c of b and a"
    assert sample.data.column("note.text").to_pylist()[4:] == [None, ""]
    assert sample.problems[0].reason.to_pylist() == [None, UNVARIED, "reply-empty", UNVARIED, None, None]
    first = models.asked[0][1].messages
    assert [m.role for m in first] == ["system", "user"]
    assert first[0].text == "calm"
    assert "in other words" in first[1].text


def test_there_and_back() -> None:
    """Two questions a row, the second about the answer to the first; languages are drawn, others in another wave."""

    def answer(_: str, request: Any, __: Any) -> str:
        return f"{request.messages[-1].text.split('```')[1].strip()} so"

    recipe = Paraphrase(via=("German", "French"), language="Dutch")
    sample, models = said(recipe, answer, [TEXT] * 20)
    assert sample.data.column("note.text").to_pylist() == [f"{TEXT} so so"] * 20
    asked = [request.messages[-1].text for _, request, _ in models.asked]
    there = ["German" if "into German" in q else "French" for q in asked[::2]]
    assert 0 < there.count("German") < 20
    assert all("into Dutch" in q and f"{TEXT} so" in q for q in asked[1::2])
    _, later = said(recipe, answer, [TEXT] * 20, "other")
    assert ["German" if "into German" in r.messages[-1].text else "French" for _, r, _ in later.asked[::2]] != there
    sample, models = said(recipe, lambda *_: NoReply("HTTP 500"), [TEXT])
    assert sample.problems[0].reason.to_pylist() == ["no-reply"]
    assert len(models.asked) == 1


def test_several_columns() -> None:
    """Each column is asked about by itself; a row goes where one of them fails."""
    text = pa.large_string()
    held = {"text": pa.array(["one text", "two text", None], text), "more": pa.array(["a b", "bad one", "c d"], text)}
    begun = Dataset.blank(SCHEMA, {"note": 3}).with_columns("note", held)

    def answer(_: str, request: Any, __: Any) -> str:
        told = request.messages[-1].text.split("```")[1].strip()
        return told if "bad" in told else f"new {told}"

    models = DirectModels(answer)
    model = Paraphrase().fit(Dataset.empty(SCHEMA), Part(("note.text", "note.more"), (), "replace"), Context())
    sample = model.sample(begun, Context(models=models))
    assert sample.problems[0].reason.to_pylist() == [None, UNVARIED, None]
    assert sample.data.column("note.text").to_pylist()[::2] == ["new one text", None]
    assert sample.data.column("note.more").to_pylist()[::2] == ["new a b", "new c d"]
    assert len(models.asked) == 5


def test_misused() -> None:
    """What parameters cannot mean is told with its place."""
    assert Paraphrase(system="{{ nobody }}").misused(SCHEMA, "note", ("text",))[0][0] == ("system",)


def test_documented() -> None:
    """Its own reason is documented."""
    page = (CHECKOUT / "docs" / "reasons.md").read_text(encoding="utf-8")
    for code in set(Paraphrase.reasons) - set(UNANSWERED):
        assert f"| `{code}` | `paraphrase` | {Paraphrase.reasons[code]} |" in page


def test_a_run_over_real_texts(tmp_path: Path) -> None:
    """Training texts come out otherwise with their labels; the holdout is not asked about; that they leave is told."""
    table = pa.table({"text": [f"real text {i} of kind {i % 2}" for i in range(40)], "label": ["a", "b"] * 20})
    pa_csv.write_csv(table, tmp_path / "example.csv")

    def answer(body: dict[str, Any]) -> str:
        return f"otherwise: {body['messages'][-1]['content'].split('```')[1].strip()}"

    with ChatServer(answer) as server:
        (tmp_path / "s.yaml").write_text(
            "synthwright: 1\nname: s\nsource: {use: csv, with: {path: example.csv}, holdout: {share: 0.25}}\n"
            "schema: {tables: {example: {fields: {text: {kind: text}, label: {kind: category}}}}}\n"
            "start: {from: source, keep: [example.label], repeat: 2}\n"
            f"models: {{writer: {{use: openai, with: {{model: m, url: '{server.url}', allow_private: true}}}}}}\n"
            "parts: [{make: [example.text], use: paraphrase}]\ncurate: []\n"
            "evaluate: {metrics: [integrity]}\nrelease: {use: jsonl}\n"
        )
        report = sw.run(tmp_path / "s.yaml", tmp_path / "out")
        assert report.passed, report.summary
        assert server.total == 60
    lines = [json.loads(x) for x in (tmp_path / "out/data/example/part-00000.jsonl").read_text().splitlines()]
    assert len(lines) == 60
    assert all(x["text"].startswith("otherwise: real text") for x in lines)
    assert all(x["label"] == "ab"[int(x["text"][-1])] for x in lines)
    assert any("leave for the endpoint" in note for note in report.notes)
