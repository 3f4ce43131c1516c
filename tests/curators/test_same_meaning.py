"""The curator `same-meaning`, and how it finds what is alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.same_meaning import SameMeaning
from synthwright.kit.texts import text_similar
from synthwright.kit.texts.text_similar import Dense, Sparse, said_before
from synthwright.kit.texts.text_vectors import Weights, counted, unit, unit_rows
from synthwright.testing.models import DirectModels

_WHAT = ("card", "transfer", "refund", "password", "invoice", "top-up", "exchange rate", "account", "loan", "cheque")
_WHERE = ("in Lisbon", "on my phone", "since yesterday", "for my daughter", "at the airport", "before Easter", "abroad")
_WRONG = ("never arrived", "was declined", "shows the wrong name", "is pending", "was charged twice", "has expired")
_ASK = ("Hello, ", "Could you help? ", "I wonder: ", "Please note, ")


def dataset(texts: list[str | None], **more: list[str | None]) -> Dataset:
    """Return numbered rows of texts, and of categories."""
    columns = {"text": texts, **more}
    fields = {c: Field(kind=Kind.TEXT if c == "text" else Kind.CATEGORY) for c in columns}
    held = {c: pa.array(v, pa.large_string()) for c, v in columns.items()}
    held[ROW] = pa.array(range(len(texts)), pa.int64())
    return Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": pa.table(held)})


def gone(recipe: SameMeaning, data: Dataset, ctx: Context | None = None, settled: int = 0) -> np.ndarray:
    """Return booleans: which rows go."""
    judge = recipe.fit(data, None, ctx or Context(), {"t": settled})
    verdict = judge.judge(data, Context())[0]
    assert set(verdict.reason.drop_null().to_pylist()) <= {"same-meaning"}
    return ~verdict.keep


def written() -> tuple[list[str], list[str]]:
    """Return complaints, all about something else, and paraphrases of every third: reordered, or politely begun."""
    texts = [f"My {a} {c} {b}, number {i}" for i, (a, b, c) in enumerate(
        (a, b, c) for a in _WHAT for b in _WHERE for c in _WRONG if (len(a) + len(b) + len(c)) % 3 == 0)]  # fmt: skip
    return texts, [_ASK[i % 4] + t[0].lower() + t[1:] if i % 2 else ", ".join(reversed(t.split(", ")))
                   for i, t in enumerate(texts[::3])]  # fmt: skip


def test_planted_paraphrases_are_found() -> None:
    """Of planted paraphrases nine in ten go at least, and hardly anything else does."""
    texts, planted = written()
    which = gone(SameMeaning(), dataset([*texts, *planted]))
    found, wrong = which[len(texts) :], which[: len(texts)]
    assert found.mean() >= 0.9
    assert found.sum() / which.sum() >= 0.95, wrong.sum()


def test_the_first_stays_and_settled_rows_stay() -> None:
    """Of texts that are alike the first stays, in whatever script, and all of earlier waves; others follow them."""
    same = ["Where is my new card?", "where is my NEW card", "私のカードはどこですか", "Where is my new card?!"]
    assert gone(SameMeaning(), dataset([*same, "私のカードはどこですか。"])).tolist() == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert gone(SameMeaning(), dataset([*same]), settled=2).tolist() == [False, False, False, True]
    assert gone(SameMeaning(), dataset([*same]), settled=4).tolist() == [False] * 4


def test_nothing_said_stays() -> None:
    """Nulls and texts without words are compared with nothing; a single text stays."""
    assert gone(SameMeaning(), dataset([None, None, "", "", " ", "!?", "!?"])).sum() == 0
    assert gone(SameMeaning(), dataset(["one text"])).sum() == 0
    assert gone(SameMeaning(), dataset([])).sum() == 0


def test_within() -> None:
    """Only rows that agree in the column are compared; rows without a value are a group."""
    texts = ["Where is my card?"] * 6
    labels = ["a", "b", "a", None, None, "b"]
    which = gone(SameMeaning(within="t.kind"), dataset([*texts], kind=labels))
    assert which.tolist() == [False, False, True, False, True, True]
    said = SameMeaning(within="t.kid").faults(dataset([*texts], kind=labels).schema)
    assert said == ["within: there is no column 't.kid': did you mean 't.kind'?"]


def test_by_a_model() -> None:
    """Vectors of a model decide where one is named; without models the message says what to do."""
    texts = [f"text {i}" for i in range(150)]
    recipe = SameMeaning(by="embedder", similarity=0.99)
    models = DirectModels(lambda *_: "")
    assert recipe.asks() == ("embedder",)
    assert SameMeaning().asks() == ()
    which = gone(recipe, dataset([*texts, "text 7", None]), Context(models=models))
    assert np.flatnonzero(which).tolist() == [150]
    assert gone(recipe.model_copy(update={"similarity": 0.5}), dataset([*texts]), Context(models=models)).sum() > 100
    with pytest.raises(FitError, match="embedding model to ask"):
        gone(recipe, dataset([*texts]))


def test_sparse_and_dense_agree_with_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out while looking changes nothing: the same texts go as where all pairs are compared, one by one."""
    monkeypatch.setattr(text_similar, "_AT_ONCE", 11)
    texts, planted = written()
    counts = counted(pa.array([*texts, *planted, *planted[:9]], pa.large_string()))
    vectors = unit_rows(Weights.of(counts, least=1).weighted(counts))
    for threshold in (0.4, 0.6, 0.8):
        near = (vectors @ vectors.T).toarray()
        stays: list[int] = []
        for i in range(len(near)):
            if not any(near[i, j] >= threshold for j in stays):
                stays.append(i)
        rows = np.arange(len(near))
        for held in (Sparse(vectors, threshold), Dense(unit(vectors.toarray()))):
            said = said_before(held, rows, np.zeros(len(rows), dtype=bool), threshold)
            assert np.flatnonzero(said == 0).tolist() == stays
            best = [max(near[i, j] for j in stays if j < i) for i in np.flatnonzero(said)]
            assert said[said > 0] == pytest.approx(best, abs=1e-4)
    assert sparse.issparse(vectors)
