"""The classifier of texts: it learns what labels differ by, from its own texts alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.kit.texts import text_classifier
from synthwright.kit.texts.text_classifier import TextClassifier
from synthwright.kit.texts.text_vectors import counted

SAID = ["pay the bill", "the bill was paid", "bill for water", "sing a song", "the song was sung", "a loud song"] * 3
LABEL = np.array([0, 0, 0, 1, 1, 1] * 3)


def counts(texts: list[str]) -> object:
    """Return what texts hold."""
    return counted(pa.array(texts, pa.large_string()))


def test_learns_what_labels_differ_by() -> None:
    """New texts get the label whose words they hold."""
    learned = TextClassifier.of(counts(SAID), LABEL, 2)
    said = learned.says(counts(["one more bill", "their songs", "bills"]))
    assert said.argmax(axis=1).tolist() == [0, 1, 0]


def test_absent_label_is_never_said() -> None:
    """Labels that no text had have minus infinity, and a single label is said of everything."""
    said = TextClassifier.of(counts(SAID), LABEL * 2, 4).says(counts(["a bill", "a song"]))
    assert said.argmax(axis=1).tolist() == [0, 2]
    assert np.isneginf(said[:, [1, 3]]).all()
    assert TextClassifier.of(counts(SAID), LABEL * 0 + 1, 3).says(counts(["a bill"])).argmax() == 1


def test_texts_without_words() -> None:
    """They get a label like any other: the one that is there without any word."""
    learned = TextClassifier.of(counts(["", "!", *SAID]), np.append([0, 0], LABEL), 2)
    assert np.isfinite(learned.says(counts(["", "?"]))).all()
    assert learned.says(counts([""])).argmax() == 0


def test_finds_the_least_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to go on, it comes to where the slope of the penalised loss is nothing: counted with plain matrices."""
    monkeypatch.setattr(text_classifier, "_STEPS", 500)
    held = counts(SAID)
    learned = TextClassifier.of(held, LABEL, 2)
    dense = learned.weights.weighted(held).toarray().astype(np.float64)
    logits = dense @ learned.towards + learned.base
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    off = likely - np.eye(2)[LABEL]
    assert np.abs(dense.T @ off + 0.1 * learned.towards).max() < 0.01
    assert np.abs(off.sum(axis=0)).max() < 0.01


def test_many_labels_have_fewer_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights never take more memory than they may: the hashes that most texts have are kept."""
    monkeypatch.setattr(text_classifier, "_WEIGHTS", 10)
    texts = [" ".join(f"word{i}x{j}" for j in range(60)) + " common" for i in range(30)]
    learned = TextClassifier.of(counts(texts), np.arange(30) % 10, 10)
    assert len(learned.weights.kept) == 1_000
    common = set(counts(["common"]).indices.tolist())  # type: ignore[attr-defined]
    assert common <= set(learned.weights.kept.tolist())
