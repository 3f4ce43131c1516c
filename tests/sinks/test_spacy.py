"""JSON Lines for spaCy: texts, entities with places that Python counts, and the other columns."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from tests.sinks.test_conll import MARK, ROWS, table

from synthwright.sinks import annotated
from synthwright.sinks.spacy import Spacy


def rows(folder: Path, held: pa.Table) -> list[dict[str, object]]:
    """Return what the sink writes of a table, line by line."""
    path = folder / "x.spacy.jsonl"
    path.unlink(missing_ok=True)
    Spacy().write_file(held, path, MARK)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_lines(tmp_path: Path) -> None:
    """Every row is a line, rows without text too; other columns are in `meta`."""
    assert rows(tmp_path, ROWS) == [
        {
            "text": "Anna Müller lives\nin Ulm.",
            "entities": [[0, 11, "PER"], [21, 24, "GPE"]],
            "meta": {"n": 0},
        },
        {"text": "", "entities": [], "meta": {"n": 1}},
        {"text": None, "entities": [], "meta": {"n": 2}},
        {"text": "id12b", "entities": [[2, 4, "NUM"]], "meta": {"n": 3}},
    ]


def test_awkward_values(tmp_path: Path) -> None:
    """Quotes, line ends, signs beyond the first plane, nested spans and labels with quotes are JSON all the same."""
    held = table(('\U0001f642 "q"\\\n\x01 Bob', [(9, 12, 'P"R'), (9, 10, "X")]))
    held = held.append_column("when", pa.array([1], pa.timestamp("s"))).append_column("x", pa.array([float("inf")]))
    (line,) = rows(tmp_path, held)
    assert line["text"] == '\U0001f642 "q"\\\n\x01 Bob'
    assert line["entities"] == [[9, 12, 'P"R']]
    assert line["meta"] == {"n": 0, "when": "1970-01-01 00:00:01", "x": "inf"}
    assert rows(tmp_path, held.select(["text", "spans"]))[0]["meta"] == {}


def test_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many rows are looked at together changes nothing."""
    whole = rows(tmp_path, ROWS)
    monkeypatch.setattr(annotated, "BATCH", 1)
    assert rows(tmp_path, ROWS) == whole


def test_release(tmp_path: Path) -> None:
    """The parts of a release end in `.jsonl`, so that everything that reads JSON Lines reads them."""
    from tests.sinks.test_sinks import dataset

    files = Spacy().write(dataset(), tmp_path, MARK)
    assert [f.name for f in files] == ["part-00000.jsonl"]
