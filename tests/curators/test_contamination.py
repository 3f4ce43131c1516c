"""The curator `contamination`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, InputError, PathError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.contamination import Contamination
from synthwright.testing import check_curator
from synthwright.testing.models import DirectModels


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
REASONS = ["in-evaluation-set", None, "in-evaluation-set", "in-evaluation-set", "near-evaluation-set",
           "in-evaluation-set", None, None, None, None, None]  # fmt: skip


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.csv", "a.parquet", "folder"])
def test_sets_are_read(sets: Path, name: str) -> None:
    """Thirteen words in a row, eight of shorter items, or all: whatever form the set has."""
    verdict = ruled(Contamination(sets=(name,)), TEXTS, sets)
    assert verdict.reason.to_pylist() == REASONS
    exactly = ruled(Contamination(sets=(name,), near=None), TEXTS, sets)
    assert exactly.reason.to_pylist() == [None if r == "near-evaluation-set" else r for r in REASONS]


def test_planted_items_are_found(tmp_path: Path) -> None:
    """Items inside longer texts are found, and no others."""
    rng = np.random.default_rng(1)
    words = [" ".join(f"w{i}" for i in row) for row in rng.zipf(1.3, (1500, 25)) % 3000]
    (tmp_path / "set.txt").write_text("\n".join(words[:300]), encoding="utf-8")
    planted = [f"please answer this: {t.title()} thank you" for t in words[:300]]
    gone = ~ruled(Contamination(sets=("set.txt",)), [*words[300:], *planted], tmp_path).keep
    assert gone[1200:].all()
    assert gone[:1200].sum() <= 5


def test_one_word_replaced_is_found(tmp_path: Path) -> None:
    """Items of eight words or more with the middle one replaced go; fresh texts by the same law stay."""
    rng = np.random.default_rng(2)
    words = [[f"w{i}" for i in rng.zipf(1.2, n) % 5000] for n in rng.integers(8, 16, 600)]
    words = [w for w in words if len(set(w)) == len(w)]
    known, fresh = words[: len(words) // 2], words[len(words) // 2 :]
    (tmp_path / "set.txt").write_text("\n".join(map(" ".join, known)), encoding="utf-8")
    changed = [[*w[: len(w) // 2], "other", *w[len(w) // 2 + 1 :]] for w in known]
    verdict = ruled(Contamination(sets=("set.txt",)), [" ".join(w) for w in (*changed, *fresh)], tmp_path)
    assert not verdict.keep[: len(changed)].any()
    assert verdict.keep[len(changed) :].all()
    assert verdict.score is not None
    assert verdict.score[0] == pytest.approx((len(known[0]) - 1) / (len(known[0]) + 1))


def test_what_is_like_an_item(sets: Path) -> None:
    """By words, another order of a short item goes; by a model, what the model says; both only where asked for."""
    texts = ["A noun, what is it?", "what a noun is", "Tell me a joke", None, ""]
    assert ruled(Contamination(sets=("a.txt",)), texts, sets).keep.all()
    curator = Contamination(sets=("a.txt",), by="words", similarity=0.5)
    assert curator.asks() == ()
    verdict = ruled(curator, texts, sets)
    assert verdict.reason.to_pylist() == ["like-evaluation-set", "like-evaluation-set", None, None, None]
    assert verdict.score is not None
    assert (verdict.score[:2] >= 0.5).all()
    assert Contamination(similarity=0.5).faults(dataset(texts).schema)[0].startswith("similarity: nothing")


def test_by_a_model(sets: Path) -> None:
    """Vectors of a model decide where one is named, and settled rows are not asked about; without models it says so."""
    asked: list[str] = []

    class Spy(DirectModels):
        def each(self, items: Any, work: Any, told: Any = None) -> Any:
            asked.extend(t for chunk in items for t in chunk)
            return super().each(items, work, told)

    data = dataset(["an early text of mine", "a new one entirely", SHORT])
    curator = Contamination(sets=("a.txt",), by="embedder", similarity=0.999, near=None)
    assert curator.asks() == ("embedder",)
    ctx = Context(root=sets, models=Spy(lambda *_: ""))
    judge = curator.fit(data, None, ctx, {"t": 1})
    assert judge.judge(data, Context())[0].reason.to_pylist() == [None, None, "in-evaluation-set"]
    assert asked == ["a new one entirely", SHORT, LONG, MIDDLE, SHORT]
    loose = curator.model_copy(update={"similarity": 0.01}).fit(data, None, ctx, {"t": 1})
    assert loose.judge(data, Context())[0].reason.to_pylist() == [None, "like-evaluation-set", "in-evaluation-set"]
    with pytest.raises(FitError, match="embedding model to ask"):
        ruled(curator, ["a text of some length"], sets)


def test_shards_change_nothing(sets: Path) -> None:
    """Rows are ruled on alike, together or one by one."""
    data = dataset(TEXTS)
    judge = Contamination(sets=("a.txt",), by="words").fit(data, None, Context(root=sets))
    whole = judge.judge(data, Context())[0].reason.to_pylist()
    held = data.tables["t"]
    single = [Dataset(data.schema, {"t": held.slice(i, 1)}) for i in range(held.num_rows)]
    assert [judge.judge(d, Context())[0].reason[0].as_py() for d in single] == whole


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
