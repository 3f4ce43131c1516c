"""A language model is shown examples: real training rows or seeds, those that agree first, each about equally often."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

import synthwright as sw
from synthwright.core.chat import Request
from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, InputError, PathError
from synthwright.core.foresight import Known
from synthwright.core.schema import Schema
from synthwright.generators.few_shot import HELD, NO_EXAMPLE, FewShot, FewShotModel
from synthwright.kit.prompting.written import UNANSWERED
from synthwright.testing.chat_server import ChatServer
from synthwright.testing.models import DirectModels

CHECKOUT = Path(__file__).resolve().parents[2]
SCHEMA = Schema.model_validate({"tables": {
    "shop": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "town": {"kind": "category"},
                                     "owner": {"kind": "category", "sensitive": "name"}}},
    "note": {"fields": {
        "intent": {"kind": "category"}, "tone": {"kind": "category"}, "text": {"kind": "text"},
        "stars": {"kind": "integer"}, "topic": {"kind": "category", "labels": ["price", "size"]},
        "talk": {"kind": "text"}, "fair": {"kind": "boolean", "form": "yes|no"},
        "shop": {"kind": "reference", "to": "shop.id", "type": "int64"}, "mail": {"kind": "text", "sensitive": "email"},
    }, "rules": ["stars >= 1 and stars <= 5"]},
}})  # fmt: skip
INTENTS = ("refund", "login", "top up")


def real(rows: int = 30, **columns: Sequence[Any]) -> Dataset:
    """Return real notes, and shops."""
    text = pa.large_string()
    held: dict[str, pa.Array] = {
        "intent": pa.array([INTENTS[i % 2] for i in range(rows)], text),
        "tone": pa.array([("calm", "rude")[i // 2 % 2] for i in range(rows)], text),
        "text": pa.array([f"real text {i}" for i in range(rows)], text),
        "stars": pa.array([1 + i % 5 for i in range(rows)], pa.int64()),
        "topic": pa.array([("price", "size")[i % 2] for i in range(rows)], text),
        "talk": pa.array([json.dumps([{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": "a"}])
                          for i in range(rows)], text),
        "fair": pa.array([i % 2 == 0 for i in range(rows)]), "shop": pa.array([1 + i % 2 for i in range(rows)]),
        "mail": pa.array([f"p{i}@example.org" for i in range(rows)], text),
    }  # fmt: skip
    held |= {name: pa.array(list(values), held[name].type) for name, values in columns.items()}
    shops = {"id": pa.array([1, 2]), "town": pa.array(["Ulm", "Bonn"], text), "owner": pa.array(["Ada", "Bo"], text)}
    return Dataset(SCHEMA, {"shop": pa.table(shops), "note": pa.table(held)})


def given(rows: int, first: int = 0, **columns: Sequence[Any]) -> Dataset:
    """Return notes to be written: each with an intent."""
    text = pa.large_string()
    held = {"intent": [INTENTS[i % 2] for i in range(rows)], "tone": ["calm"] * rows, **columns}
    begun = Dataset.blank(SCHEMA, {"note": rows}, {"note": first})
    return begun.with_columns("note", {n: pa.array(list(v), text) for n, v in held.items()})


def fitted(recipe: FewShot, columns: str = "text", data: Dataset | None = None, ctx: Context | None = None) -> Any:
    """Return the model of a recipe that is right for some columns."""
    assert recipe.misused(SCHEMA, "note", tuple(columns.split())) == []
    part = Part(tuple(f"note.{c}" for c in columns.split()))
    return recipe.fit(real() if data is None else data, part, ctx or Context())


def written(
    model: FewShotModel, asked: Dataset, answer: str = "new", *place: str, ctx: Context | None = None
) -> tuple[Sample, list[Request]]:
    """Return what is made, and what was asked."""
    models = DirectModels(lambda *_: answer)
    sample = model.sample(asked, replace(ctx or Context(), models=models).at(*(place or ("shard",))))
    return sample, [request for _, request, _ in models.asked]


def shots(request: Request) -> list[tuple[str, str]]:
    """Return the examples that a request carries."""
    turns = [m for m in request.messages if m.role != "system"][:-1]
    return [(q.text, a.text) for q, a in zip(turns[::2], turns[1::2], strict=True)]


# ------------------------------------------------------------------------------------------------------- what is shown
def test_real_rows_stand_before_the_question() -> None:
    """Examples are what the template writes for training rows, and what these hold; the form is said once, at last."""
    recipe = FewShot(prompt="{{ intent }} in {{ tone }}", system="You write.", examples=2)
    assert recipe.asks() == ("writer",)
    data = real()
    _, asked = written(fitted(recipe), given(8))
    pairs = {(f"{r['intent']} in {r['tone']}", r["text"]) for r in data.tables["note"].to_pylist()}
    for request in asked:
        assert [m.role for m in request.messages] == ["system", *["user", "assistant"] * 2, "user"]
        assert set(shots(request)) <= pairs
        assert len(set(shots(request))) == 2
    _, asked = written(fitted(FewShot(prompt="{{ text }}?"), "topic"), given(2, text=["a", "b"]), "price")
    assert asked[0].messages[-1].text == "a?\n\nAnswer with only one of these, and nothing else: price, size"
    assert not any("Answer with" in q for q, _ in shots(asked[0]))
    assert {a for _, a in shots(asked[0])} <= {"price", "size"}


def test_answers_have_the_form_that_is_asked_for() -> None:
    """Several columns are JSON, conversations their messages; rows whose own answer would be refused are not shown."""
    data = real(stars=[9, None, *[1 + i % 5 for i in range(28)]])
    answer = '{"text": "new", "stars": 3, "fair": true}'
    model = fitted(FewShot(prompt="{{ intent }}"), "text stars fair", data)
    _, asked = written(model, given(20), answer)
    said = [json.loads(a) for request in asked for _, a in shots(request)]
    assert {s["text"] for s in said} <= {f"real text {i}" for i in range(2, 30)}
    assert all(set(s) == {"text", "stars", "fair"} and s["fair"] in (True, False) for s in said)
    _, asked = written(fitted(FewShot(prompt="x", form="conversation"), "talk"), given(2),
                       '[{"role": "user", "content": "u"}, {"role": "assistant", "content": "v"}]')  # fmt: skip
    assert json.loads(shots(asked[0])[0][1])["messages"][1] == {"role": "assistant", "content": "a"}


def test_templates_reach_through_references() -> None:
    """What the template mentions of other tables is the real row's, too."""
    model = fitted(FewShot(prompt="{{ shop.town }}"))
    assert set(model.pool.questions) == {"Ulm", "Bonn"}


def test_each_is_shown_about_equally_often() -> None:
    """Every example comes about as often, in changing company and order; a row that is made again sees others."""
    model = fitted(FewShot(prompt="Write."))
    _, asked = written(model, given(300))
    counts = Counter(answer for request in asked for _, answer in shots(request))
    assert len(counts) == 30
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({tuple(shots(request)) for request in asked}) > 290
    _, again = written(model, given(300), "new", "shard", "redraw")
    assert sum(set(shots(a)) == set(shots(b)) for a, b in zip(asked, again, strict=True)) < 10
    _, later = written(model, given(300, first=300))
    assert sum(set(shots(a)) == set(shots(b)) for a, b in zip(asked, later, strict=True)) < 10
    _, some = written(model, given(300).take("note", np.array([7, 205])))
    assert some == [asked[7], asked[205]]  # whatever rows are asked for with it


def test_those_that_agree_come_first() -> None:
    """Examples agree in `same`; too few are filled up with those that agree in less, and that is told."""
    recipe = FewShot(prompt="{{ intent }}, {{ tone }}", same=("intent", "tone"))
    model = fitted(recipe)
    notes: list[str] = []
    _, asked = written(model, given(20), ctx=Context(note=notes.append))
    assert not notes
    for request in asked:
        assert {q for q, _ in shots(request)} == {request.messages[-1].text}
    rows = [0, 1, *[i for i in range(30) if i % 4 != 0]]  # one calm refund
    few = real().take("note", np.array(rows))
    _, asked = written(fitted(recipe, data=few), given(6, intent=["refund"] * 6), ctx=Context(note=notes.append))
    for request in asked:
        assert Counter(q for q, _ in shots(request)) == {"refund, calm": 1, "refund, rude": 2}
    assert len({[q for q, _ in shots(request)].index("refund, calm") for request in asked}) > 1
    told = "few-shot (text): fewer than 3 examples agree in intent, tone with some rows: others were shown with them"
    assert notes == [told]
    _, asked = written(model, given(2, intent=["top up"] * 2))
    assert len(shots(asked[0])) == 3
    sample, asked = written(fitted(recipe.model_copy(update={"fewer": "go"})), given(4, intent=["top up", *INTENTS]))
    assert sample.problems[0].reason.to_pylist() == [NO_EXAMPLE, None, None, NO_EXAMPLE]
    assert len(asked) == 2


def test_own_rows_are_shown_among_the_others() -> None:
    """Of the examples so many are rows of earlier waves, at any place; where there are too few, others fill up."""
    recipe = FewShot(prompt="{{ intent }}", examples=4, own=2)
    assert recipe.looks_back()
    assert not FewShot(prompt="x").looks_back()
    model = fitted(recipe)
    _, first = written(model, given(20))
    assert all(t.startswith("real text") for request in first for _, t in shots(request))
    mine = real(10, text=[f"made {i}" for i in range(10)])
    _, asked = written(model, given(20), ctx=Context(before=mine))
    which = [[t.startswith("made") for _, t in shots(request)] for request in asked]
    assert {(len(one), sum(one)) for one in which} == {(4, 2)}
    assert len({tuple(one) for one in which}) > 2  # shuffled
    assert len({t for request in asked for _, t in shots(request) if t.startswith("made")}) == 10
    _, asked = written(model, given(5), ctx=Context(before=mine.take("note", np.array([3]))))
    assert {tuple(sorted(t.startswith("made") for _, t in shots(r))) for r in asked} == {(False, False, False, True)}
    _, asked = written(model, given(20), ctx=Context(before=mine.take("note", np.array([], dtype=np.int64))))
    assert asked == first
    assert recipe.model_copy(update={"own": 4}).misused(SCHEMA, "note", ("text",))[0][0] == ("own",)


def test_a_pool_is_drawn_evenly() -> None:
    """Of many real rows some are kept, as many of a rare value as of a common one; long ones and repeats are not."""
    data = real(40, intent=["refund"] * 36 + ["login"] * 4)
    model = fitted(FewShot(prompt="{{ intent }}", same=("intent",), pool=8), data=data)
    assert Counter(model.pool.questions) == {"refund": 4, "login": 4}
    texts = ["long " * 50] * 10 + ["same"] * 10 + ["other"] * 10
    assert set(fitted(FewShot(prompt="x", longest=100), data=real(text=texts)).pool.answers) == {"same", "other"}
    assert len(fitted(FewShot(prompt="x"), data=real(text=texts)).pool) == 3


def test_nothing_to_show() -> None:
    """Too few real rows are refused, with what helps; rows for which no example is any good go."""
    with pytest.raises(FitError, match=r"seeds: seeds\.jsonl"):
        fitted(FewShot(prompt="x"), data=Dataset.empty(SCHEMA))
    sample, asked = written(fitted(FewShot(prompt="x"), data=real(text=[None] * 30)), given(3))
    assert sample.problems[0].reason.to_pylist() == [NO_EXAMPLE] * 3
    assert asked == []


# --------------------------------------------------------------------------------------------------------------- seeds
def seeds(folder: Path, rows: Sequence[Mapping[str, Any]], name: str = "seeds.jsonl") -> Context:
    """Write a file of seeds; return the context of its folder."""
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Context(root=folder)


def test_seeds(tmp_path: Path) -> None:
    """Seeds are shown in place of real rows; what of the template they lack has no value."""
    ctx = seeds(tmp_path, [{"intent": "refund", "text": f"seed {i}", "stars": i + 1, "who": "me"} for i in range(4)])
    model = fitted(FewShot(prompt="{{ intent }}/{{ tone }}", seeds="seeds.jsonl", examples=4), "text stars", ctx=ctx)
    _, asked = written(model, given(1), '{"text": "new", "stars": 3}')
    assert sorted(shots(asked[0])) == [("refund/", json.dumps({"text": f"seed {i}", "stars": i + 1})) for i in range(4)]
    (tmp_path / "seeds.csv").write_text("intent,text,stars\nlogin,Hi,4\n")
    model = fitted(FewShot(prompt="{{ intent }}", seeds="seeds.csv", same=("intent",)), "text stars", ctx=ctx)
    assert [json.loads(a) for a in model.pool.answers] == [{"text": "Hi", "stars": 4}]
    assert model.pool.agreed == (("login",),)


@pytest.mark.parametrize(("rows", "settings", "message"), [
    ([{"txt": "a", "stars": 1}], {}, "wanted a column 'text', got columns txt, stars. did you mean 'txt'?"),
    ([{"text": "a", "stars": 1}], {"same": ("intent",)}, "wanted a column 'intent'"),
    ([{"text": "a", "stars": 1}, {"text": "b", "stars": 7}], {}, "seed 2: wanted an answer that would be taken, got"),
    ([{"text": "a", "stars": 1}], {"longest": 5}, "seed 1: wanted at most 5 characters"),
    ([], {}, "seeds"),
])  # fmt: skip
def test_wrong_seeds(rows: list[dict[str, Any]], settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Seeds that no model should follow are told with their number, before anything is asked."""
    ctx = seeds(tmp_path, rows)
    with pytest.raises(InputError) as caught:
        fitted(FewShot(prompt="{{ intent }}", seeds="seeds.jsonl", **settings), "text stars", ctx=ctx)
    assert re.sub(r"\s+", " ", message) in re.sub(r"\s+", " ", str(caught.value))


def test_seeds_stay_in_the_folder(tmp_path: Path) -> None:
    """No file outside the project folder is read."""
    with pytest.raises(PathError):
        fitted(FewShot(prompt="x", seeds="../seeds.jsonl"), ctx=Context(root=tmp_path))
    with pytest.raises(InputError, match="nothing there"):
        fitted(FewShot(prompt="x", seeds="none.jsonl"), ctx=Context(root=tmp_path))


# --------------------------------------------------------------------------------------------------- what is said of it
@pytest.mark.parametrize(("settings", "message"), [
    ({"prompt": "{{ mail }}"}, "prompt: 'mail' holds personal data (email), which examples from real rows would show"),
    ({"prompt": "{{ shop.owner }}"}, "'shop.owner' holds personal data (name)"),
    ({"prompt": "{{ shop }}"}, "'shop' is a reference"), ({"prompt": "{{ shop.id }}"}, "'shop.id' is a key"),
    ({"prompt": "x", "same": ["shop.owner"]}, "same.0: 'shop.owner' holds personal data"),
    ({"prompt": "x", "same": ["inten"]}, "same.0: table 'note': path 'inten'"),
    ({"prompt": "x", "same": ["text"]}, "same.0: 'text' is a column that it makes itself"),
    ({"prompt": "x", "fewer": "go"}, "fewer: it goes with `same`"), ({}, "say what to ask"),
])  # fmt: skip
def test_misused(settings: dict[str, Any], message: str) -> None:
    """Personal data and keys of real rows are never shown, and what cannot be meant is told with its place."""
    found = FewShot.model_validate(settings).misused(SCHEMA, "note", ("text",))
    assert message in "\n".join(f"{'.'.join(map(str, place))}: {said}" for place, said in found)
    assert len(found) == 1
    assert FewShot(prompt="{{ mail }}", seeds="s.csv").misused(SCHEMA, "note", ("text",)) == []


def test_it_says_that_real_rows_leave() -> None:
    """The plan warns whose real rows go where, unless there are seeds; the abilities say that they are kept."""
    (doubt,) = FewShot(prompt="{{ intent }}").foreseen(SCHEMA, "note", ("text",), Known())
    assert not doubt.sure
    assert "real training rows (text, intent) to the model 'writer'" in doubt.said
    assert FewShot(prompt="x", seeds="s.csv").foreseen(SCHEMA, "note", ("text",), Known()) == []
    assert FewShot.abilities.keeps_rows
    assert FewShot.abilities.learns


def test_the_saved_model_says_what_it_holds(tmp_path: Path) -> None:
    """A saved model writes the same, and says whether it holds real rows."""
    ctx = seeds(tmp_path, [{"text": "seed"}])
    for recipe, held in ((FewShot(prompt="x"), HELD), (FewShot(prompt="x", seeds="seeds.jsonl"), "seeds")):
        model = fitted(recipe, ctx=ctx)
        at = tmp_path / held[:5].strip()
        at.mkdir()
        model.save(at)
        assert json.loads((at / "model.json").read_bytes())["holds"] == held
        assert written(FewShotModel.load(at), given(9))[1] == written(model, given(9))[1]


def test_documented() -> None:
    """Its own reason is documented; those it shares are those of `prompt`."""
    page = (CHECKOUT / "docs" / "reasons.md").read_text(encoding="utf-8")
    assert f"| `{NO_EXAMPLE}` | `few-shot` | {FewShot.reasons[NO_EXAMPLE]} |" in page
    assert set(FewShot.reasons) == {NO_EXAMPLE, *UNANSWERED}


# ----------------------------------------------------------------------------------------------------------- whole runs
SPEC = """
synthwright: 1
name: notes
source: {use: csv, with: {path: notes.csv}, holdout: {share: 0.3}}
schema:
  tables:
    notes: {fields: {intent: {kind: category}, text: {kind: text}, mail: {kind: text, sensitive: email}}}
start: {rows: {notes: 40}}
models: {writer: {use: openai, with: {model: m, url: 'URL', allow_private: true}}}
parts:
  - {make: [notes.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - make: [notes.text]
    use: few-shot
    with: {prompt: "A note about {{ intent }}.", same: [intent] SEEDS}
  - {make: [notes.mail], use: anew}
curate: []
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""


def asked_of(server: ChatServer) -> set[str]:
    """Return every text that reached the server."""
    return {m["content"] for request in server.requests for m in request.body["messages"]}


def test_the_holdout_is_never_shown(tmp_path: Path) -> None:
    """Of a source with a holdout training rows alone leave, whatever the workers; the report says so."""
    texts = [f"real text {i}" for i in range(60)]
    table = pa.table(
        {"intent": ["refund", "login"] * 30, "text": texts, "mail": [f"p{i}@example.org" for i in range(60)]}
    )
    pa_csv.write_csv(table, tmp_path / "notes.csv")

    def answer(body: dict[str, Any]) -> str:
        return f"new {sha256(json.dumps(body['messages']).encode()).hexdigest()}"

    with ChatServer(answer) as server:
        spec = tmp_path / "notes.yaml"
        spec.write_text(SPEC.replace("URL", server.url).replace(" SEEDS", ""), encoding="utf-8")
        report = sw.run(spec, tmp_path / "out")
        assert report.passed, report.summary
        shown = {text for text in asked_of(server) if text.startswith("real text")}
        (model,) = (path for path in (tmp_path / "out" / ".store").glob("fit/*/model/model.json")
                    if b'"pool"' in path.read_bytes())  # fmt: skip
        train = {answer for _, answer, _ in json.loads(model.read_bytes())["pool"]}
        assert shown <= train
        assert len(train) == 42
        assert 25 < len(shown) <= 42  # as many as are trained on: the other 18 never left
        assert not any("example.org" in text for text in asked_of(server))
        assert any("it shows real training rows (text, intent) to the model 'writer'" in n for n in report.notes)
        asked = {json.dumps(request.body["messages"]) for request in server.requests}
        sw.run(spec, tmp_path / "other", workers=2)
        assert {json.dumps(request.body["messages"]) for request in server.requests} == asked
    released = [(tmp_path / o / "data" / "notes" / "part-00000.jsonl").read_bytes() for o in ("out", "other")]
    assert released[0] == released[1]


def test_other_seeds_are_asked_with(tmp_path: Path) -> None:
    """Seeds are found from the specification's folder; where their contents change, they are shown in a new run."""
    table = pa.table({"intent": ["refund", "login"] * 30, "text": ["real"] * 60, "mail": ["p@example.org"] * 60})
    pa_csv.write_csv(table, tmp_path / "notes.csv")
    with ChatServer(lambda _: f"new {len(server.requests)}") as server:
        spec = tmp_path / "notes.yaml"
        spec.write_text(SPEC.replace("URL", server.url).replace(" SEEDS", ", seeds: seeds.jsonl"), encoding="utf-8")
        for word in ("first", "second"):
            seeds(tmp_path, [{"intent": i, "text": f"{word} {i} {n}"} for i in ("refund", "login") for n in range(3)])
            sw.run(spec, tmp_path / "out")
            assert not any(t == "real" for t in asked_of(server))
            assert sum(t.startswith(word) for t in asked_of(server)) == 6
        assert server.total == 80


def test_what_stayed_is_shown_in_later_waves(tmp_path: Path) -> None:
    """Rows of the first wave that stayed are examples of the second, those that went never; a second run asks none."""

    def answer(_: dict[str, Any]) -> str:
        return f"made number {server.total}" if server.total % 2 else "Dropped: as an AI language model, I cannot."

    seeds(tmp_path, [{"intent": i, "text": f"seed {i} {n}"} for i in ("refund", "login") for n in range(4)])
    with ChatServer(answer) as server:
        spec = tmp_path / "notes.yaml"
        said = SPEC.replace("URL", server.url).replace(" SEEDS", ", seeds: seeds.jsonl, examples: 4, own: 1")
        said = re.sub(r"source: .*\n|, mail: {kind: text, sensitive: email}|.*notes.mail.*\n", "", said)
        said = said.replace("curate: []", "curate: [{use: boilerplate}]")
        spec.write_text(said, encoding="utf-8")
        report = sw.run(spec, tmp_path / "out")
        assert report.passed, report.summary
        asked = [[m["content"] for m in r.body["messages"] if m["role"] == "assistant"] for r in server.requests]
        first, later = asked[:40], asked[40:]
        assert not any(t.startswith("made") for shown in first for t in shown)
        assert [sum(t.startswith("made") for t in shown) for shown in later] == [1] * len(later)
        assert not any(t.startswith("Dropped") for shown in later for t in shown)
        before = server.total
        again = sw.run(spec, tmp_path / "again", store=tmp_path / "out" / ".store")
        assert again.fingerprint == report.fingerprint
        assert server.total == before
