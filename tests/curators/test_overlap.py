"""The curator `overlap`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.overlap import Overlap
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None]) -> Dataset:
    """Return numbered rows of one text."""
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    number = pa.array(range(len(texts)), pa.int64())
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def ruled(curator: Overlap, texts: Sequence[str | None], real: Sequence[str | None]) -> Verdict:
    """Return the ruling on texts beside real ones."""
    data = dataset(texts)
    return curator.fit(data, dataset(real), Context()).judge(data, Context())[0]


def sentences(count: int, seed: int) -> list[str]:
    """Return sentences of twenty made-up words."""
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{i}" for i in row) for row in rng.zipf(1.3, (count, 20)) % 3000]


def test_it_keeps_the_contract() -> None:
    """The contract suite passes, with other parameters too."""
    assert check_curator(Overlap(run=3, share=0.1, least=1))


def test_planted_copies_are_found() -> None:
    """Copies, and texts of which the half is copied, go; fresh texts by the same law stay."""
    real, fresh = sentences(500, 1), sentences(1000, 2)
    copies = [t.upper().replace(" ", ", ") + "!" for t in real[:100]]
    half = [" ".join([*a.split()[:12], *b.split()[12:]]) for a, b in zip(real[100:200], fresh, strict=False)]
    gone = ~ruled(Overlap(), [*fresh, *copies, *half], real).keep
    found, wrong = int(gone[1000:].sum()), int(gone[:1000].sum())
    assert found / 200 >= 0.98
    assert found / (found + wrong) >= 0.98


def test_one_word_replaced_is_found() -> None:
    """A real text of eight words with one replaced goes; with two, or where that is not asked for, it stays."""
    real = ["please close my old savings account this week"]
    texts = ["please close my old savings account next week", "please open my old savings account next week"]
    assert ruled(Overlap(), texts, real).keep.tolist() == [False, True]
    assert ruled(Overlap(near=None), texts, real).keep.all()
    assert ruled(Overlap(near=0.6), texts, real).keep.tolist() == [False, False]
    assert ruled(Overlap(least=9), texts, real).keep.all()


def test_short_texts_meet_by_chance() -> None:
    """Short texts may equal real ones, others may not; nulls and empty texts stay; scores are shares."""
    real = ["Thank you!", "please close my account as soon as you can", None, ""]
    texts = ["thank you", "Please close my account, as soon as you can.", None, "", "my account is open"]
    verdict = ruled(Overlap(), texts, real)
    assert verdict.reason.to_pylist() == [None, "copy-of-seed", None, None, None]
    assert verdict.score is not None
    assert verdict.score.tolist() == [0, 1, 0, 0, 0]
    assert not ruled(Overlap(least=2), texts, real).keep[0]


def test_the_share_decides() -> None:
    """A text of which a quarter stands in real ones goes where a fifth is enough."""
    real = " ".join(f"r{i}" for i in range(30))
    text = " ".join([*real.split()[:11], *(f"x{i}" for i in range(12))])  # 4 of 16 runs of eight
    verdict = ruled(Overlap(), [text], [real])
    assert verdict.keep.all()
    assert verdict.score is not None
    assert verdict.score.tolist() == [0.25]
    assert not ruled(Overlap(share=0.2), [text], [real]).keep.any()


def test_scripts_without_blanks() -> None:
    """Chinese texts are compared by their characters."""
    real = ["我想知道我的银行卡什么时候会寄到我家"]
    texts = ["请问我想知道我的银行卡什么时候会寄到", "今天天气很好我们去公园散步吧好不好"]
    assert ruled(Overlap(), texts, real).keep.tolist() == [False, True]


def test_two_columns_two_tables_and_no_real_rows() -> None:
    """A text that was copied from another column goes; without real rows nothing is ruled."""
    text = "a real text that somebody wrote down once upon a time"
    fields = {"a": Field(kind=Kind.TEXT), "b": Field(kind=Kind.TEXT)}
    schema = Schema(tables={"t": Table(fields=fields), "u": Table(fields={"a": Field(kind=Kind.TEXT)})})
    kind = pa.schema([("a", pa.large_string()), ("b", pa.large_string())])
    real = pa.table({"a": [text], "b": ["x"]}, schema=kind)
    made = pa.table({"a": ["new", "new"], "b": [text, None]}, schema=kind)
    data = Dataset(schema, {"t": made, "u": made.select(["a"])})
    seen = Dataset(schema, {"t": real, "u": real.select(["a"])})
    found = {v.table: v.keep.tolist() for v in Overlap().fit(data, seen, Context()).judge(data, Context())}
    assert found == {"t": [False, True], "u": [True, True]}
    assert Overlap().fit(data, None, Context()).judge(data, Context()) == []
