"""Spans as columns of JSON and back, tokens, and tags that fit them."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.kit.texts.spans import Spans, outermost, read, tagged, tags, tokens, written

TEXTS = [
    "Anna Müller, 12b Main St.",
    None,
    "",
    "  日本 x\n\t½ e\u0301a",
    "a_b don't 3.14",
    "\U0001f642\U0001f642 hi -- ((x))",
]


def spans_of(said: list[list[tuple[int, int, str]] | None]) -> tuple[Spans, tuple[str, ...]]:
    """Return spans that were written as JSON."""
    column = [None if s is None else json.dumps([{"start": a, "end": b, "label": c} for a, b, c in s]) for s in said]
    return read(pa.array(column, pa.large_string()), "test")


def test_there_and_back() -> None:
    """Spans are written sorted, and read as they were."""
    rng = Context(seed=3).rng
    start = rng.integers(0, 50, 300)
    made = Spans(rng.integers(0, 40, 300), start, start + rng.integers(1, 9, 300), rng.integers(0, 3, 300))
    column = written(made, ("A", "B-c", "Ö"), 41)
    assert len(column) == 41
    assert column[40].as_py() == "[]"
    for i, text in enumerate(column.to_pylist()):
        mine = [(int(s), int(e), ("A", "B-c", "Ö")[k]) for r, s, e, k in zip(*made, strict=True) if r == i]
        assert [(o["start"], o["end"]) for o in json.loads(text)] == [
            p[:2] for p in sorted(mine, key=lambda p: (p[0], -p[1]))
        ]
        assert sorted((o["start"], o["end"], o["label"]) for o in json.loads(text)) == sorted(mine)
    again, labels = read(column, "test")
    assert written(again, labels, 41).equals(column)


@pytest.mark.parametrize("said", ["no", "[1]", '[{"start": 3, "end": 3, "label": "A"}]',
                                  '[{"start": -1, "end": 3, "label": "A"}]', '[{"start": 1, "end": 3}]'])  # fmt: skip
def test_what_is_no_list_of_spans(said: str) -> None:
    """Anything else in the column is refused."""
    with pytest.raises(InputError, match="the column of spans"):
        read(pa.array([said], pa.large_string()), "test")


def test_outermost() -> None:
    """Spans inside others, and those that begin inside one before them, are left out."""
    made, _ = spans_of([[(0, 9, "A"), (0, 4, "B"), (5, 9, "B"), (9, 12, "A"), (11, 14, "B")], [(3, 4, "B")]])
    kept = outermost(made)
    assert list(zip(kept.row.tolist(), kept.start.tolist(), kept.end.tolist(), strict=True)) == [
        (0, 0, 9), (0, 9, 12), (1, 3, 4),
    ]  # fmt: skip


def twin(text: str) -> list[tuple[str, int, int]]:
    """Return tokens the slow way."""
    found = re.finditer(r"(?:[^\W\d_]|[\u0300-\u036f])+|[\d½]+|[^\s]", text)
    return [(m[0], m.start(), m.end()) for m in found]


def test_tokens() -> None:
    """Tokens are runs of letters, runs of digits, and other characters by themselves, each with its place."""
    found = tokens(pa.chunked_array([TEXTS[:2], TEXTS[2:]], pa.large_string()))
    expected = [(i, *t) for i, text in enumerate(TEXTS) if text for t in twin(text)]
    got = zip(found.row.tolist(), found.text.to_pylist(), found.start.tolist(), found.end.tolist(), strict=True)
    assert list(got) == expected
    assert [t for t, _, _ in twin("12b don't")] == ["12", "b", "don", "'", "t"]


@pytest.mark.parametrize("texts", [[], [None], [""], ["", ""]])
def test_no_tokens(texts: list[str | None]) -> None:
    """Where there is nothing to read there is no token."""
    found = tokens(pa.array(texts, pa.large_string()))
    assert len(found.text) == len(found.row) == 0
    assert tagged(found, Spans.none()).tag.tolist() == []


def test_tags() -> None:
    """Tokens of spans are tagged; spans that end inside a token are widened, those without one lost; both counted."""
    texts = ["Anna Maria lives at 12b Main St.", "xy zz", "no"]
    made, labels = spans_of([[(0, 10, "PER"), (0, 4, "GIVEN"), (20, 22, "NUM"), (22, 27, "STREET")],
                             [(1, 2, "PER"), (2, 3, "PER")], [(0, 1, "NUM")]])  # fmt: skip
    found = tagged(tokens(pa.array(texts)), made)
    names = np.array(tags(labels))[found.tag].tolist()
    assert names == ["B-PER", "I-PER", "O", "O", "B-NUM", "B-STREET", "I-STREET", "O", "O", "B-PER", "O", "B-NUM"]
    assert (found.widened, found.lost) == (3, 2)
