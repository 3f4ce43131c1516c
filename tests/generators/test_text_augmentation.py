"""Texts are varied as they should be, and every span still marks what it marked."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.generators.ruled_for_tests import SCHEMA, wrong

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, SpecError
from synthwright.generators.text_augmentation import TextAugmentation
from synthwright.kit.texts.spans import Spans
from synthwright.kit.texts.synonyms import synonyms
from synthwright.kit.texts.text_operations import (
    Contraction,
    Deletion,
    Entity,
    Insertion,
    Operation,
    Pairs,
    Swap,
    Synonym,
)
from synthwright.kit.texts.text_operations import Words as New
from synthwright.kit.texts.text_pieces import TEXT, Pieces, cut, deleted, joined
from synthwright.kit.texts.text_slips import CONFUSED, Edits, Ocr, Typo

ALL = ("contraction", "synonym", "insertion", "deletion", "swap", "entity", "casing", "ocr", "typo")
TEXTS = [
    "I do not want to purchase a car, don't you?", "Visit https://ex.com/a?b=1 or mail bob@x.org by 3.30pm!", "",
    "Ärger über die Straße 日本語 \U0001F642 text",
    "Book a flight from New York to Boston's airport.", "  lead, trail ",
    "Hello {name}, see <b>this</b> film", "it's what it is", "…",
]  # fmt: skip
NEVER = ("https://ex.com/a?b=1", "bob@x.org", "3.30pm", "日本語", "\U0001f642", "{name}", "<b>", "</b>")
"""What no operation changes."""


def spanned(texts: Sequence[str], *marked: tuple[int, str, int]) -> Spans:
    """Return spans of words in texts: which text, which word, which label."""
    found = [(row, texts[row].index(word), texts[row].index(word) + len(word), label) for row, word, label in marked]
    row, start, end, label = (np.array(c, dtype=np.int64) for c in zip(*found, strict=True))
    return Spans(row, start, end, label.astype(np.int32))


CITIES = spanned(TEXTS, (4, "New York", 0), (4, "Boston", 0), (3, "Straße", 1))


def pieces(texts: Sequence[str], spans: Spans | None = None) -> Pieces:
    """Return texts cut into words."""
    return cut(pa.array(texts, TEXT), Spans.none() if spans is None else spans, "test")


def applied(operation: Operation, drawn: Any, *texts: str) -> list[str]:
    """Return texts with what is said to be drawn."""
    found: list[str] = joined(operation.apply(pieces(texts), drawn))[0].to_pylist()
    return found


def marked(texts: pa.Array, spans: Spans) -> list[str]:
    """Return what spans mark."""
    held = texts.to_pylist()
    return [held[r][s:e] for r, s, e in zip(spans.row, spans.start, spans.end, strict=True)]


def every(**said: Any) -> TextAugmentation:
    """Return a recipe that does all it can."""
    return TextAugmentation.model_validate({"operations": dict.fromkeys(ALL, 0.5), **said})


def test_texts_are_cut_and_joined_again() -> None:
    """Nothing is lost between words, whatever the script; spans come back where they were."""
    signs = [
        "a",
        "B",
        "é",
        "e\u0301",
        "ß",
        " ",
        "\n",
        ".",
        "'",
        "’",
        "-",
        "@",
        "#",
        "{",
        "<",
        "1",
        "日",
        "\U0001f642",
        "\u200d",
        "_",
    ]
    rng = random.Random(3)
    texts = [*TEXTS, *("".join(rng.choices(signs, k=rng.randrange(30))) for _ in range(500))]
    rows = [i for i, t in enumerate(texts) if len(t) > 3]
    some = [(r, *sorted(rng.sample(range(len(texts[r]) + 1), 2)), 0) for r in rows for _ in range(2)]
    row, start, end, label = (np.array(c, dtype=np.int64) for c in zip(*some, strict=True))
    again, spans = joined(pieces(texts, Spans(row, start, end, label.astype(np.int32))))
    assert again.to_pylist() == texts
    assert sorted(zip(*spans, strict=True)) == sorted(some)


def test_other_words() -> None:
    """Synonyms take the letters of the words they replace, insertions leave punctuation where it was."""
    known = synonyms((("film", ("movie",)),))
    at = np.array([0, 1, 2])
    new = pa.array(["movie"] * 3, TEXT)
    assert applied(Synonym(known), New(at, new), "Film, FILM film!") == ["Movie, MOVIE movie!"]
    assert applied(Insertion(known), New(np.array([0, 1]), new[:2]), "See, it") == ["movie See, movie it"]
    assert known.others.take(pa.array([known.bounds[known.words.index("film").as_py()]])).to_pylist() == ["movie"]
    assert "automobile" in known.others.to_pylist()


def test_words_left_out_and_swapped() -> None:
    """Blanks do not double, punctuation stays, words change places and nothing else does."""
    gone = np.array([False, True, False, False, True, True, False, False, True])
    held = deleted(pieces(["Hello, big world", "(so it goes)", "a b, c."]), gone)
    assert joined(held)[0].to_pylist() == ["Hello, world", "(so)", "a b."]
    assert applied(Deletion(), np.array([0]), "Hello, world") == ["world"]
    held = pieces(["one two three", "four"] * 20)
    assert set(Deletion().apply(held, Deletion().draw(held, np.ones(80), Context().rng)).counts) == {1}
    assert applied(Swap(), Pairs(np.array([0]), np.array([2])), "one, two three.") == ["three, two one."]


@pytest.mark.parametrize(("said", "short"), [
    ("I do not know", "I don't know"), ("It is late", "It's late"), ("DO NOT SHOUT", "DON'T SHOUT"),
    ("This will not do", "This won't do"), ("Let us go", "Let's go"), ("we have seen it", "we've seen it"),
])  # fmt: skip
def test_contractions(said: str, short: str) -> None:
    """Two words become one and one becomes two."""
    sure = TextAugmentation(operations={"contraction": 1.0})
    found, _ = sure.varied(pa.array([said, short], TEXT), Spans.none(), Context())
    assert found.to_pylist() == [short, said]


@pytest.mark.parametrize("said", ["That is what it is.", "don't you think", "Mary's cat", "it is"])
def test_what_is_no_contraction(said: str) -> None:
    """A verb that ends its clause stays, and so does a question; what belongs to somebody is no verb."""
    held = pieces([said])
    able = Contraction().able(held)
    assert not able[[i for i, w in enumerate(held.text.to_pylist()) if w.lower() in ("it", "don't", "mary's")]].any()


def test_letters() -> None:
    """One change in a word: letters go, come, or change, and the rest of the word stays, in any script."""
    edits = Edits(np.array([0, 1]), np.array([1, 3]), np.array([1, 2]), pa.array(["u", ""], TEXT))
    assert applied(Typo(), edits, "bad Ärger") == ["bud Ärr"]  # places are bytes
    words = ["hotel", "Keyboard", "naïve", "mmm", "ILL"]
    for seed in range(20):
        for operation in (Typo(), Ocr()):
            held = pieces(words)
            drawn = operation.draw(held, np.ones(len(words)), Context(seed=seed).rng)
            assert (np.diff(drawn.at) > 0).all()
            for old, new in zip(words, joined(operation.apply(held, drawn))[0].to_pylist(), strict=True):
                assert abs(len(old) - len(new)) <= 1
                assert new.isprintable()
                if isinstance(operation, Ocr):
                    ways = {old[:i] + b + old[i + len(a) :] for a, b in CONFUSED for i in range(len(old))
                            if old.startswith(a, i)}  # fmt: skip
                    assert new in ways | {old}


def test_typos_are_on_keys_beside() -> None:
    """A wrong letter is one of a key beside the right one, and as large."""
    near = {"a": "qwsz", "G": "RTYFHVBC", "p": "ol"}
    found: dict[str, set[str]] = {k: set() for k in near}
    for letter in near:
        word = letter * 3
        for text in _typed([word] * 400):
            if len(text) == 3 and text != word:
                found[letter].add(text.replace(letter, ""))
    assert all(found[k] and found[k] <= set(near[k]) for k in near), found


def _typed(words: list[str]) -> list[str]:
    recipe = TextAugmentation(operations={"typo": 1.0})
    found: list[str] = recipe.varied(pa.array(words, TEXT), Spans.none(), Context())[0].to_pylist()
    return found


@pytest.mark.parametrize("operation", ALL)
def test_spans_mark_what_they_marked(operation: str) -> None:
    """Whatever is done, spans move with their words; addresses, numbers and names in braces stay."""
    texts = pa.array(TEXTS, TEXT)
    for seed in range(8):
        made, spans = every(operations={operation: 0.6}).varied(texts, CITIES, Context(seed=seed))
        said = marked(made, spans)
        if operation != "entity":
            assert sorted(said) == ["Boston", "New York", "Straße"]
        assert {(word, label) for word, label in zip(said, spans.label.tolist(), strict=True)} <= {
            ("Boston", 0), ("New York", 0), ("Straße", 1)}  # fmt: skip
        assert all(word in "\n".join(made.to_pylist()) for word in NEVER)


def test_everything_at_once() -> None:
    """All operations together keep spans right too, and are drawn anew by seed."""
    texts = pa.array(TEXTS * 30, TEXT)
    spans = Spans.joined([CITIES._replace(row=CITIES.row + i * len(TEXTS)) for i in range(30)])
    made, moved = every().varied(texts, spans, Context(seed=5))
    assert set(marked(made, moved)) == {"New York", "Boston", "Straße"}
    assert np.array_equal(np.bincount(moved.row, minlength=len(texts)), np.bincount(spans.row, minlength=len(texts)))
    assert made.equals(every().varied(texts, spans, Context(seed=5))[0])
    assert not made.equals(every().varied(texts, spans, Context(seed=6))[0])


def test_entities_change_places_by_label() -> None:
    """What a span marks becomes another value of its label, and never one of another label."""
    texts = ["from Oslo to Rome", "with Anna", "to Ulan Bator"]
    spans = spanned(texts, (0, "Oslo", 0), (0, "Rome", 0), (1, "Anna", 1), (2, "Ulan Bator", 0))
    drawn = Entity().draw(pieces(texts, spans), np.ones(8), Context().rng)
    assert len(drawn.at) == 3
    for seed in range(12):
        made, moved = TextAugmentation(operations={"entity": 1.0}).varied(
            pa.array(texts, TEXT), spans, Context(seed=seed)
        )
        for old, new in zip(marked(pa.array(texts, TEXT), spans), marked(made, moved), strict=True):
            assert new in ({"Anna"} if old == "Anna" else {"Oslo", "Rome", "Ulan Bator"} - {old})


def test_inside_is_changed_where_it_is_said() -> None:
    """Letters of marked stretches change only where `inside` says so; their spans grow with them."""
    texts = pa.array(["to Manchester"] * 50, TEXT)
    spans = Spans(np.arange(50), np.full(50, 3), np.full(50, 13), np.zeros(50, dtype=np.int32))
    said = {"operations": {"typo": 1.0}, "spans": "spans"}
    kept = marked(*TextAugmentation.model_validate(said).varied(texts, spans, Context()))
    made, moved = TextAugmentation.model_validate({**said, "inside": ["typo"]}).varied(texts, spans, Context())
    assert set(kept) == {"Manchester"}
    assert "Manchester" not in marked(made, moved)
    assert all(text == f"to {word}" for text, word in zip(made.to_pylist(), marked(made, moved), strict=True))


def test_rates_and_at_least_one() -> None:
    """Words are changed at their rate; where it is asked, a text that could be changed is."""
    texts = pa.array(["film film film film film film film film"] * 2000, TEXT)
    recipe = TextAugmentation(operations={"synonym": 0.05}, synonyms={"film": ("movie",)})
    made = recipe.varied(texts, Spans.none(), Context())[0].to_pylist()
    share = sum(t.count("movie") for t in made) / 16_000
    assert abs(share - 0.05) < 5 * (0.05 * 0.95 / 16_000) ** 0.5
    assert any("movie" not in t for t in made)
    for operation in ("synonym", "insertion", "deletion", "typo", "casing", "ocr"):
        sure = TextAugmentation.model_validate({"operations": {operation: 1e-9, "swap": 1e-9}, "at_least_one": True})
        some = pa.array(["buy my automobile", "", "123 bob@x.org", "Buy it"], TEXT)
        found = sure.varied(some, Spans.none(), Context())[0].to_pylist()
        assert found[1:3] == ["", "123 bob@x.org"]
        assert found[0] != "buy my automobile"
        assert found[3] != "Buy it"


def test_columns() -> None:
    """Nulls stay; the column of spans is written again; without a column there is nothing."""
    fields = {"text": {"kind": "text"}, "spans": {"kind": "text"}}
    schema = sw.Schema.model_validate({"tables": {"t": {"fields": fields}}})
    told = [json.dumps([{"start": 3, "end": 7, "label": 'a"b'}]), None, "[]"]
    data = Dataset.of({"t": pa.table({"text": ["to Rome now", None, "hello there"], "spans": told})}, schema)
    recipe = TextAugmentation(operations={"insertion": 1.0}, synonyms={"now": ("today",), "hello": ("hi",)})
    part = Part(("t.text", "t.spans"), (), "replace")
    made = recipe.fit(Dataset.empty(schema), part, Context()).sample(data, Context()).data.tables["t"].to_pylist()
    (span,) = json.loads(made[0]["spans"])
    assert "today" in made[0]["text"]
    assert made[0]["text"][span["start"] : span["end"]] == "Rome"
    assert span["label"] == 'a"b'
    assert (made[1]["text"], made[1]["spans"], made[2]["spans"]) == (None, None, "[]")
    beyond = data.with_columns("t", {"spans": pa.array(['[{"start": 3, "end": 99, "label": "x"}]'] * 3, TEXT)})
    with pytest.raises(InputError, match="behind"):
        recipe.fit(Dataset.empty(schema), part, Context()).sample(beyond, Context())


def test_misused() -> None:
    """What cannot be meant is told."""
    assert wrong(every(), "text") == [
        "operations.entity: it needs a column of spans, made by the part too: say `spans`"
    ]
    assert wrong(every(operations={"swap": 0.1}, inside=["typo"], spans="label"), "text", "label") == [
        "inside: 'typo' is not among the operations"
    ]
    assert "name it in `make`" in wrong(every(operations={"swap": 0.1}, spans="label"), "text")[0]
    assert "synonyms" in wrong(every(operations={"swap": 0.1}, synonyms={"a": ["b"]}), "text")[0]
    assert "nulls" in wrong(every(nulls=0.1, spans="label"), "text", "label")[0]
    with pytest.raises(ValueError, match="nothing to do"):
        TextAugmentation(operations={"swap": 0.0})
    assert "t" in SCHEMA.tables


SPEC = """\
synthwright: 1
name: more
schema: {tables: {intents: {fields: {text: {kind: text}, label: {kind: category}, spans: {kind: text}}}}}
source: {use: csv, with: {path: intents.csv}}
start: START
parts:
  - make: [intents.text, intents.spans]
    use: text-augmentation
    with: {operations: {synonym: 0.2, swap: 0.1, typo: 0.1, entity: 0.5}, at_least_one: true}
release: {use: jsonl}
evaluate: {metrics: [integrity]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with labelled texts and a specification."""
    rng = random.Random(1)
    lines = ["text,label,spans"]
    for i in range(120):
        city = rng.choice(["Rome", "New York", "Oslo"])
        text = f"Buy a ticket to {city} for person {i} please"
        span = json.dumps([{"start": 16, "end": 16 + len(city), "label": "CITY"}]).replace('"', '""')
        lines.append(f'{text},{rng.choice("abc")},"{span}"')
    (tmp_path / "intents.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "more.yaml").write_text(SPEC.replace("START", "{from: source, keep: [intents.label], repeat: 3}"))
    return tmp_path


def test_the_whole_line(project: Path) -> None:
    """Real rows come out several times, varied, with their labels; and everybody is told whose texts they are."""
    digests = set()
    for workers in (1, 2):
        out = project / f"out{workers}"
        done = sw.run(project / "more.yaml", out=out, store=project / f"store{workers}", workers=workers)
        assert done.passed, done.gates
        (file,) = (out / "data").rglob("*.jsonl")
        digests.add(hashlib.sha256(file.read_bytes()).hexdigest())
    assert len(digests) == 1
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 96 * 3
    for row in rows:
        (span,) = json.loads(row["spans"]) if isinstance(row["spans"], str) else row["spans"]
        assert row["text"][span["start"] : span["end"]] in ("Rome", "New York", "Oslo")
    real = set((project / "intents.csv").read_text().splitlines())
    assert not any(f"{r['text']},{r['label']}" in line for r in rows for line in real)
    card = (out / "README.md").read_text()
    assert "varied a little" in card
    assert "which protects nobody" in card
    assert "All others were made" not in card
    notes = " ".join(done.notes)
    assert "intents.text, intents.spans" in notes


def test_nothing_to_vary_is_told(project: Path) -> None:
    """Rows that start from nothing have no texts to vary."""
    (project / "more.yaml").write_text(SPEC.replace("START", "{rows: {intents: 9}}").replace("make:", "make: ", 1))
    with pytest.raises(SpecError, match="varies values that are there"):
        sw.check(project / "more.yaml")
