"""The curators `off-label` and `off-label-real`, and the classifiers that they ask."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.off_label import OffLabel, OffLabelReal
from synthwright.kit.texts.text_labels import doubted, folds_of, scale_of, softmax

ABOUT = {
    "card": ("card", "chip", "cash machine", "PIN", "contactless", "plastic"),
    "transfer": ("transfer", "payee", "recipient", "bank details", "remittance", "standing order"),
    "loan": ("loan", "mortgage", "interest", "instalment", "credit score", "lender"),
    "travel": ("flight", "hotel", "insurance abroad", "currency", "luggage", "visa"),
}
"""What texts of each label are about."""
_SAID = (
    "I have a question about the {}, and also my {}",
    "Why is the {} not working with a {}?",
    "{} or {}, please help",
    "My {} was lost together with the {}",
    "Tell me more: the {} and the {}",
    "Is {} better than {} für naïve 客户?",
)


def written(rows: int, seed: int) -> tuple[list[str | None], list[str | None]]:
    """Return texts and their labels."""
    rng = np.random.default_rng(seed)
    labels = [list(ABOUT)[i] for i in rng.integers(0, 4, rows)]
    texts = [
        _SAID[rng.integers(6)].format(*rng.choice(ABOUT[y], 2, replace=False)) + f" ({i})" for i, y in enumerate(labels)
    ]
    return [*texts], [*labels]


def flipped(labels: list[str | None], seed: int) -> tuple[list[str | None], np.ndarray]:
    """Return labels of which one in ten is another one, and which."""
    rng = np.random.default_rng(seed)
    bad = rng.random(len(labels)) < 0.1
    names = list(ABOUT)
    shift = rng.integers(1, 4, len(labels))
    return [names[(names.index(str(y)) + s) % 4] if b else y
            for y, b, s in zip(labels, bad, shift, strict=True)], bad  # fmt: skip


def dataset(texts: list[str | None], labels: list[str | None]) -> Dataset:
    """Return numbered rows of texts with labels."""
    fields = {"text": Field(kind=Kind.TEXT), "label": Field(kind=Kind.CATEGORY)}
    held = {"text": pa.array(texts, pa.large_string()), "label": pa.array(labels, pa.large_string())}
    held[ROW] = pa.array(range(len(texts)), pa.int64())
    return Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": pa.table(held)})


def gone(recipe: OffLabel, data: Dataset, real: Dataset | None = None, settled: int = 0) -> np.ndarray:
    """Return booleans: which rows go."""
    verdict = recipe.fit(data, real, Context(), {"t": settled}).judge(data, Context())[0]
    assert set(verdict.reason.drop_null().to_pylist()) <= {"off-label"}
    return ~verdict.keep


def test_planted_labels_are_found() -> None:
    """Of wrong labels nine in ten go at least, and few others; where none is wrong next to none goes."""
    texts, labels = written(600, 0)
    wrong, bad = flipped(labels, 1)
    which = gone(OffLabel(), dataset(texts, wrong))
    assert which[bad].mean() >= 0.9
    assert bad[which].mean() >= 0.9
    assert gone(OffLabel(), dataset(texts, labels)).mean() <= 0.01
    assert not gone(OffLabel(odds=1e300), dataset(texts, wrong)).any()


def test_real_rows_see_what_a_whole_label_has_wrong() -> None:
    """Where a writer takes one label for another, only real rows tell."""
    texts, labels = written(400, 2)
    mistaken: list[str | None] = ["loan" if y == "travel" else "travel" if y == "loan" else y for y in labels]
    bad = np.array([y in ("travel", "loan") for y in labels])
    real = dataset(*written(400, 3))
    assert gone(OffLabel(), dataset(texts, mistaken), real)[bad].mean() < 0.1
    found = gone(OffLabelReal(), dataset(texts, mistaken), real)
    assert found[bad].mean() > 0.9
    assert found[~bad].mean() < 0.05
    odd: list[str | None] = ["unheard-of"] * 400
    assert not gone(OffLabelReal(), dataset(texts, odd), real).any()


def test_settled_rows_stay() -> None:
    """Rows of earlier waves stay, and teach."""
    texts, labels = written(600, 0)
    wrong, _ = flipped(labels, 1)
    whole, later = gone(OffLabel(), dataset(texts, wrong)), gone(OffLabel(), dataset(texts, wrong), settled=300)
    assert not later[:300].any()
    assert np.array_equal(later[300:], whole[300:])


def test_few_labels_and_nulls() -> None:
    """One label, labels of one row, rows without text or label: none of them goes."""
    texts, labels = written(200, 4)
    assert not gone(OffLabel(), dataset(texts, ["same"] * 200)).any()
    assert not gone(OffLabel(), dataset(texts, [None] * 200)).any()
    assert not gone(OffLabel(), dataset([None] * 200, labels)).any()
    assert not gone(OffLabel(), dataset([], [])).any()
    lone = [*labels[:-3], "lone", None, labels[-1]]
    texts[-1] = None
    assert not gone(OffLabel(), dataset(texts, lone))[-3:].any()
    assert not gone(OffLabel(), dataset(["!", "?"] * 10, ["a", "b"] * 10)).any()


def test_the_label_must_be_known() -> None:
    """A column that is not there is told with the nearest; so is that nobody knows which one it is."""
    data = dataset(*written(20, 0))
    assert OffLabel().faults(data.schema) == []
    assert OffLabel(label="t.lable").faults(data.schema) == [
        "label: there is no column 't.lable': did you mean 't.label'?"
    ]
    bare = Schema(tables={"t": Table(fields={"text": Field(kind=Kind.TEXT)})})
    assert "name the column with the label" in OffLabel().faults(bare)[0]


def test_scores_and_folds() -> None:
    """Folds spread every label and depend on row numbers; scaling finds how sure logits may be."""
    label = np.repeat([0, 1, 2], [50, 10, 1])
    number = np.random.default_rng(0).permutation(61)
    fold = folds_of(label, number, 7)
    assert np.bincount(fold[:50]).tolist() == [10] * 5
    assert np.bincount(fold[50:60]).tolist() == [2] * 5
    assert np.array_equal(folds_of(label[::-1], number[::-1], 7), fold[::-1])
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (4000, 4))
    truth = (softmax(logits).cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1).clip(0, 3)
    assert scale_of(logits * 5, truth) == pytest.approx(0.2, rel=0.35)
    drop, score = doubted(np.array([[0.9, 0.05, 0.05], [0.04, 0.95, 0.01]]), np.array([0, 0]), 9)
    assert drop.tolist() == [False, True]
    assert score == pytest.approx([0.9 / 0.95, 0.04 / 0.99])
