"""The curator `contamination`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, PathError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.contamination import Contamination
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None]) -> Dataset:
    """Return numbered rows of one text."""
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    number = pa.array(range(len(texts)), pa.int64())
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


LONG = "a train leaves the station at noon and travels sixty miles in each hour until it stops"
MIDDLE = "how many legs do seven spiders have together"
SHORT = "what is a noun"


def ruled(curator: Contamination, texts: Sequence[str | None], root: Path) -> Verdict:
    """Return the ruling on texts, with sets in a project folder."""
    data = dataset(texts)
    return curator.fit(data, None, Context(root=root)).judge(data, Context())[0]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Return a project folder with an evaluation set in four forms."""
    rows = [{"question": q, "answer": "42", "id": i} for i, q in enumerate((LONG, MIDDLE, SHORT))]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (tmp_path / "a.txt").write_text(f"{LONG}\n{MIDDLE}\n{SHORT}\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text(
        "question,answer\n" + "".join(f'"{r["question"]}",42\n' for r in rows), encoding="utf-8"
    )
    pq.write_table(pa.table({"question": [LONG, MIDDLE, SHORT, None]}), tmp_path / "a.parquet")
    (tmp_path / "folder").mkdir()
    pq.write_table(pa.table({"question": [LONG]}), tmp_path / "folder" / "one.parquet")
    pq.write_table(pa.table({"prompt": [MIDDLE, SHORT]}), tmp_path / "folder" / "two.parquet")
    return tmp_path


TEXTS = [
    f"Tom says: {LONG.upper()}!", "a train leaves the station at noon and travels sixty miles in every hour",
    MIDDLE + "?", f"tell me, {MIDDLE} please", "how many legs do seven ants have together", "What is a NOUN?",
    "tell me what is a noun", "42", "", None, "a text of its own that stands nowhere else in the wide world at all",
]  # fmt: skip
KEEP = [False, True, False, False, True, False, True, True, True, True, True]


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.csv", "a.parquet", "folder"])
def test_sets_are_read(sets: Path, name: str) -> None:
    """Thirteen words in a row, eight of shorter items, or all: whatever form the set has."""
    verdict = ruled(Contamination(sets=(name,)), TEXTS, sets)
    assert verdict.keep.tolist() == KEEP
    assert set(verdict.reason.to_pylist()) == {None, "in-evaluation-set"}


def test_planted_items_are_found(tmp_path: Path) -> None:
    """Items inside longer texts are found, and no others."""
    rng = np.random.default_rng(1)
    words = [" ".join(f"w{i}" for i in row) for row in rng.zipf(1.3, (1500, 25)) % 3000]
    (tmp_path / "set.txt").write_text("\n".join(words[:300]), encoding="utf-8")
    planted = [f"please answer this: {t.title()} thank you" for t in words[:300]]
    gone = ~ruled(Contamination(sets=("set.txt",)), [*words[300:], *planted], tmp_path).keep
    assert gone[1200:].all()
    assert gone[:1200].sum() <= 5


def test_columns_can_be_named(sets: Path) -> None:
    """Only the named columns count; a name that is nowhere is told with the nearest."""
    wanted = Contamination(sets=("a.jsonl",), fields=("answer",), least=1)
    assert ruled(wanted, ["42", SHORT], sets).keep.tolist() == [False, True]
    with pytest.raises(InputError, match="did you mean 'question'"):
        ruled(Contamination(sets=("a.jsonl",), fields=("questions",)), TEXTS, sets)


def test_it_leaves_the_project_folder_alone(sets: Path) -> None:
    """Paths outside, absent files and files of other kinds are refused."""
    (sets / "inner").mkdir()
    with pytest.raises(PathError):
        ruled(Contamination(sets=("../a.txt",)), TEXTS, sets / "inner")
    for name in ("nowhere.csv", "nowhere.txt", "nowhere", "inner"):
        with pytest.raises(InputError):
            ruled(Contamination(sets=(name,)), TEXTS, sets)
    (sets / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="UTF-8"):
        ruled(Contamination(sets=("bad.txt",)), TEXTS, sets)


def test_without_sets_nothing_is_ruled() -> None:
    """The contract suite passes, and nothing goes."""
    assert check_curator(Contamination)
    data = dataset(TEXTS)
    assert Contamination().fit(data, None, Context()).judge(data, Context()) == []


def test_several_sets_and_their_files(sets: Path) -> None:
    """Sets add up; the files that are read can be told."""
    (sets / "more.txt").write_text("an item of another set", encoding="utf-8")
    curator = Contamination(sets=("a.txt", "more.txt", "folder"))
    assert ruled(curator, ["An item of another set.", SHORT, "new"], sets).keep.tolist() == [False, False, True]
    found = [p.relative_to(sets).as_posix() for p in curator.files(Context(root=sets))]
    assert found == ["a.txt", "folder/one.parquet", "folder/two.parquet", "more.txt"]
