"""The curator `length`."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Curator, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.length import Length, measured
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None], first: int = 0) -> Dataset:
    """Return numbered rows of one text."""
    number = pa.array(range(first, first + len(texts)), pa.int64())
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def ruled(curator: Curator, texts: Sequence[str | None]) -> Verdict:
    """Return the ruling on texts."""
    data = dataset(texts)
    return curator.fit(data, None, Context()).judge(data, Context())[0]


TEXTS = ["", "Hi.", "Two words", "One. Two! Three?", "word " * 50, None, "你好。我很好吧。", "  padded  "]


def test_it_keeps_the_contract() -> None:
    """The contract suite passes, with and without limits."""
    assert check_curator(Length(least_words=1, most_characters=500))


@pytest.mark.parametrize(
    ("curator", "short", "long"),
    [
        (Length(least_characters=1), {0}, set()),
        (Length(least_characters=6, most_characters=20), {0, 1}, {4}),
        (Length(least_words=2), {0, 1, 7}, set()),
        (Length(most_words=5), set(), {4, 6}),
        (Length(least_sentences=2), {0, 1, 2, 4, 7}, set()),
        (Length(most_sentences=2), set(), {3}),
        (Length(least_words=2, most_sentences=2), {0, 1, 7}, {3}),
    ],
)
def test_texts_out_of_bounds_go(curator: Length, short: set[int], long: set[int]) -> None:
    """Texts go that are shorter or longer than they may be; nulls stay."""
    reasons = ruled(curator, TEXTS).reason.to_pylist()
    assert {i for i, r in enumerate(reasons) if r == "too-short"} == short
    assert {i for i, r in enumerate(reasons) if r == "too-long"} == long


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("One", 1), ("One. Two", 2), ("It costs 3.5 EUR.", 1), ("Really?! Yes…", 2), ('"Go." He went.', 2),
     ("今天下雨。我在家！", 2), ("no mark at the end. see", 2)],
)  # fmt: skip
def test_sentences_are_counted(text: str, count: int) -> None:
    """A sentence ends with a mark before a blank, or with the text."""
    assert measured(pa.chunked_array([pa.array([text], pa.large_string())]), "sentences").tolist() == [count]


def test_scores_are_lengths() -> None:
    """The score is the length that decided, else the first that is limited."""
    score = ruled(Length(most_characters=20, least_words=2), ["one", "two words", "a" * 30]).score
    assert score is not None
    assert score.tolist() == [1, 9, 30]


def test_nothing_is_asked_and_nothing_goes() -> None:
    """Without limits there is no ruling; limits that no text keeps are refused."""
    data = dataset(TEXTS)
    assert Length().fit(data, None, Context()).judge(data, Context()) == []
    with pytest.raises(ValueError, match="at least 5 and at most 2 words"):
        Length(least_words=5, most_words=2)


def test_rows_of_two_texts_go_by_either() -> None:
    """A row goes where one of two texts is too short; without rows there is an empty ruling."""
    fields = {"a": Field(kind=Kind.TEXT), "b": Field(kind=Kind.TEXT)}
    kind = pa.schema([("a", pa.large_string()), ("b", pa.large_string())])
    held = pa.table({"a": ["long enough", "x", "long enough"], "b": ["long enough", "long enough", "y"]}, schema=kind)
    for rows, keep in ((3, [True, False, False]), (0, [])):
        data = Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": held.slice(0, rows)})
        judge = Length(least_characters=5).fit(data, None, Context())
        assert judge.judge(data, Context())[0].keep.tolist() == keep
