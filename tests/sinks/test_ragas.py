"""The sink `ragas`: questions with the passages that answer them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.sinks.ragas import Ragas

TEXT = Field(kind=Kind.TEXT)
SCHEMA = Schema(tables={
    "passage": Table(key="id", fields={"id": Field(kind=Kind.KEY, type="string", nulls=False), "text": TEXT,
                                       "title": TEXT}),
    "question": Table(key="id", fields={
        "id": Field(kind=Kind.KEY, type="int64", nulls=False), "question": TEXT, "ground_truth": TEXT, "context": TEXT,
        "passage": Field(kind=Kind.REFERENCE, to="passage.id", type="string"),
        "other": Field(kind=Kind.REFERENCE, to="passage.id", type="string")}),
})  # fmt: skip


def dataset(answers: tuple[str | None, ...] = ("Here.", "There.", "None.")) -> Dataset:
    """Return three questions: over one passage, over two, and over one that is said twice."""
    return Dataset.of({
        "passage": pa.table({"id": ["b", "a"], "text": ["The key is here.", "The door is there."],
                             "title": ["Key", "Door"]}),
        "question": pa.table({
            "id": [1, 2, 3], "question": ["Where is the key?", "Where are both?", "And the cat?"],
            "ground_truth": pa.array(answers, pa.string()), "context": pa.array(["Look.", None, " "], pa.string()),
            "passage": ["b", "b", "a"], "other": pa.array([None, "a", "a"], pa.string())}),
    }, SCHEMA)  # fmt: skip


def written(sink: Ragas, data: Dataset, folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the questions."""
    files = {f.relative_to(folder).as_posix(): f for f in sink.write(data, folder, {})}
    assert set(files) == {"passage/part-00000.jsonl", "question/part-00000.jsonl"}
    assert len(files["passage/part-00000.jsonl"].read_text(encoding="utf-8").splitlines()) == 2
    return [json.loads(line) for line in files["question/part-00000.jsonl"].read_text(encoding="utf-8").splitlines()]


def test_passages_are_found_by_themselves(tmp_path: Path) -> None:
    """Columns with usual names and the text of every reference are the passages; what is empty or twice is not said."""
    assert Ragas().faults(SCHEMA) == []
    assert written(Ragas(), dataset(), tmp_path) == [
        {"user_input": "Where is the key?", "reference_contexts": ["Look.", "The key is here."], "reference": "Here."},
        {"user_input": "Where are both?", "reference_contexts": ["The key is here.", "The door is there."],
         "reference": "There."},
        {"user_input": "And the cat?", "reference_contexts": ["The door is there."], "reference": "None."},
    ]  # fmt: skip


def test_passages_are_named(tmp_path: Path) -> None:
    """Named paths decide, in their order."""
    said = written(Ragas(contexts=("other.title", "passage.title")), dataset(), tmp_path)
    assert [row["reference_contexts"] for row in said] == [["Key"], ["Door", "Key"], ["Door"]]


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written alike in blocks of two."""
    whole = written(Ragas(), dataset(), tmp_path / "a")
    monkeypatch.setattr("synthwright.sinks.training.BATCH", 2)
    assert written(Ragas(), dataset(), tmp_path / "b") == whole


def test_faults(tmp_path: Path) -> None:
    """A path that leads nowhere is told with the nearest; a row without an answer is an error."""
    said = Ragas(contexts=("passage.txet",)).faults(SCHEMA)
    assert len(said) == 1
    assert said[0].startswith("ragas: contexts: 'passage.txet' is no column of text: ")
    assert Ragas(contexts=("nowhere", "id", "passage.id", "question.text")).faults(SCHEMA)[3:]
    assert "question: no table has a column" in Ragas(question="qestion").faults(SCHEMA)[0]
    with pytest.raises(InputError, match="without 'ground_truth'"):
        Ragas().write(dataset(("Here.", None, "x")), tmp_path, {})
