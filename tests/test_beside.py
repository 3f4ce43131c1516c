"""New rows beside real ones that stay as they are: `start: {from: source, keep: [passage.*], rows: {question: 5}}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import synthwright as sw
from synthwright.core.jobs import beside_only
from synthwright.core.spec import Spec

TABLES = {
    "passage": {"key": "id", "fields": {"id": {"kind": "key", "type": "string", "nulls": False},
                                        "text": {"kind": "text"}}},
    "question": {"fields": {"passage": {"kind": "reference", "to": "passage.id", "type": "string", "nulls": False},
                            "kind": {"kind": "category", "nulls": False}}},
}  # fmt: skip


def spec(at: Path, start: dict[str, Any], parts: list[dict[str, Any]]) -> Path:
    """Write a specification, and twelve passages beside it; return its path."""
    (at / "passages.csv").write_text("id,text\n" + "".join(f"p{i},Text number {i}.\n" for i in range(12)))
    said = {
        "synthwright": 1,
        "name": "beside",
        "schema": {"tables": TABLES},
        "source": {"use": "csv", "with": {"path": "passages.csv"}},
        "start": {"from": "source", "keep": ["passage.id", "passage.text"], **start},
        "parts": parts,
        "curate": [{"use": "rules"}],
        "evaluate": {"metrics": ["integrity"]},
    }
    (at / "beside.yaml").write_text(yaml.safe_dump(said))
    return at / "beside.yaml"


KIND = {"make": ["question.kind"], "use": "choice", "with": {"values": ["a", "b"]}}
LINK = {"make": ["question.passage"], "use": "reference"}


@pytest.mark.parametrize(("start", "parts", "rows"), [
    ({"rows": {"question": 30}}, [KIND, LINK], 30),
    ({"cells": {"question": {"by": {"kind": ["a", "b"]}, "rows": 7}}}, [LINK], 14),
    ({"children": {"question": {"of": "question.passage", "count": 3}}}, [KIND], 36),
])  # fmt: skip
def test_new_rows_beside_real_ones(
    tmp_path: Path, start: dict[str, Any], parts: list[dict[str, Any]], rows: int
) -> None:
    """Every real row stays, none is held out, and so many new rows refer to them."""
    report = sw.run(spec(tmp_path, start, parts), tmp_path / "out")
    assert report.passed, report.summary
    assert report.rows == {"passage": 12, "question": rows}
    held = {t: pq.read_table(next((tmp_path / "out" / "data" / t).glob("*.parquet"))) for t in TABLES}
    assert sorted(held["passage"]["id"].to_pylist()) == sorted(f"p{i}" for i in range(12))
    assert set(held["question"]["passage"].to_pylist()) <= set(held["passage"]["id"].to_pylist())


def test_kept_and_new_is_a_fault(tmp_path: Path) -> None:
    """A column of new rows cannot be kept; a number of rows needs its table."""
    path = spec(tmp_path, {"rows": {"question": 5}, "keep": ["passage.id", "passage.text", "question.kind"]}, [LINK])
    with pytest.raises(sw.SynthwrightError, match="is kept, and new rows"):
        sw.check(path)
    path = spec(tmp_path, {"rows": {"*": 5}}, [LINK, KIND])
    with pytest.raises(sw.SynthwrightError, match="name a table"):
        sw.check(path)


def test_what_is_learned_is_proved(tmp_path: Path) -> None:
    """Nothing is held out only where nothing is learned: what a forest makes is held against real rows."""
    start = {"start": {"from": "source", "keep": ["passage.*"], "rows": {"question": 5}}}
    words = {"synthwright": 1, "name": "x", "schema": {"tables": TABLES}, "source": {"use": "csv"}}
    for use, alone in (("choice", True), ("forest", False), ("few-shot", False), ("nobody", False)):
        said = words | start | {"parts": [{"make": ["question.kind"], "use": use}, LINK]}
        assert beside_only(Spec.model_validate(said)) is alone
