"""Texts that are alike among many: candidates by an index, which is as good as comparing each with each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.kit.texts import text_similar
from synthwright.kit.texts.text_encoders import nearest_known
from synthwright.kit.texts.text_similar import Dense, said_before
from synthwright.testing.models import DirectModels

NO_INDEX = "the extra neighbours is not installed"
PLANTED = 1_000
SPEC = """
synthwright: 1
name: cards
schema: {tables: {t: {key: id, fields: {id: {kind: key, type: int64}, text: {kind: text}}}}}
start: {rows: {t: 4}}
models: {embedder: {use: scripted}}
parts: [{make: [t.id], use: counter}, {make: [t.text], use: prompt, with: {model: embedder, prompt: "Card {{ id }}"}}]
curate: [{use: same-meaning, with: {by: embedder}}]
evaluate: {metrics: [integrity]}
"""


def planted(rows: int, size: int) -> np.ndarray:
    """Return vectors of length 1 about some subjects, of which the last are nearly earlier ones."""
    rng = np.random.default_rng(3)
    about = rng.normal(size=(40, size))[rng.integers(40, size=rows)]
    vectors = about + rng.normal(size=(rows, size))
    earlier = rng.choice(rows - PLANTED, PLANTED, replace=False)
    vectors[-PLANTED:] = vectors[earlier] + 0.2 * rng.normal(size=(PLANTED, size))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def gone(vectors: np.ndarray, notes: list[str]) -> np.ndarray:
    """Return how similar each text is to an earlier one that stays, where it is too similar."""
    return said_before(Dense(vectors, notes.append), np.arange(len(vectors)), np.zeros(len(vectors), dtype=bool), 0.95)


def test_index_finds_what_is_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all near-duplicates are found, nothing else, each with its exact similarity; twice the same, and told."""
    pytest.importorskip("usearch", reason=NO_INDEX)
    vectors, notes = planted(20_000, 64), list[str]()
    exact = gone(vectors, notes)
    assert not notes
    monkeypatch.setattr(text_similar, "EXACT", 10_000)
    found = gone(vectors, notes)
    assert (exact[-PLANTED:] > 0).mean() > 0.95
    assert (found[-PLANTED:] > 0)[exact[-PLANTED:] > 0].mean() >= 0.95
    assert not np.any(found[exact == 0])
    both = (found > 0) & (exact > 0)
    assert found[both] == pytest.approx(exact[both], abs=1e-5)
    assert np.array_equal(found, gone(vectors, notes))
    assert "by an index" in notes[0]


def test_index_takes_vectors_without_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of which a model says nothing are near to nothing, alone or among others."""
    pytest.importorskip("usearch", reason=NO_INDEX)
    monkeypatch.setattr(text_similar, "EXACT", 1)
    vectors = np.zeros((1_100, 4), dtype=np.float32)
    assert not np.any(gone(vectors, []))
    vectors[[3, 1_099], 2] = 1.0
    assert np.flatnonzero(gone(vectors, [])).tolist() == [1_099]


@pytest.mark.parametrize("there", [False, True])
def test_known_texts(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:  # noqa: FBT001
    """Texts among many known ones are found by an index; without one exactly, with how to have one."""
    if there:
        pytest.importorskip("usearch", reason=NO_INDEX)
    else:
        monkeypatch.setattr(text_similar, "find_spec", lambda _: None)
    monkeypatch.setattr(text_similar, "EXACT", 100)
    notes: list[str] = []
    ctx = Context(models=DirectModels(lambda *_: ""), note=notes.append)
    known = pa.array([f"item {i}" for i in range(600)], pa.large_string())
    texts = pa.array(["item 77", "else", "item 599"], pa.large_string())
    found = nearest_known(texts, known, "embedder", 0.99, "test", ctx)
    assert found == pytest.approx([1, 0, 1], abs=1e-5)
    assert ("by an index" in notes[0]) if there else ("synthwright[neighbours]" in notes[0])


def test_the_report_says_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an index would help and there is none, the report says how to have one."""
    monkeypatch.setattr(text_similar, "find_spec", lambda _: None)
    monkeypatch.setattr(text_similar, "EXACT", 3)
    (tmp_path / "cards.yaml").write_text(SPEC, encoding="utf-8")
    report = sw.run(tmp_path / "cards.yaml", tmp_path / "out")
    assert [note for note in report.notes if "4 texts were compared each with each" in note]
