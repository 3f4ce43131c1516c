"""Which texts are nearly the same as known ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.kit.texts import text_known
from synthwright.kit.texts.text_known import KnownTexts
from synthwright.kit.texts.text_near import Shingles
from synthwright.kit.texts.text_words import Words, runs, words


def said(texts: Sequence[str | None]) -> Words:
    """Return the words of texts."""
    return words(pa.array(list(texts), pa.large_string()))


def made(count: int, seed: int) -> list[str]:
    """Return texts of common and rare words, some of them varied versions of others."""
    rng = np.random.default_rng(seed)
    rows = [[f"w{i}" for i in rng.zipf(1.3, n) % 400] for n in rng.integers(1, 16, count)]
    rows += [[w if rng.random() > 0.12 else "x" for w in row] for row in rows]
    return [" ".join(row) for row in rows]


def plainly(texts: list[str], known: list[str], least: int) -> np.ndarray:
    """Return the greatest share of words that both have, pair by pair: the reference."""
    sets = [set(k.split()) for k in known if len(k.split()) >= least]
    return np.array([max((len(s & k) / len(s | k) for k in sets), default=0.0) if len(t.split()) >= least else 0.0
                     for t in texts for s in [set(t.split())]])  # fmt: skip


@pytest.mark.parametrize("similarity", [0.6, 0.77, 1.0])
def test_it_agrees_with_all_pairs(similarity: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Similarities are those of a comparison of all with all, but for pairs missed by chance: fewer than one in 100."""
    monkeypatch.setattr(text_known, "_BLOCK", 37)
    monkeypatch.setattr(text_known, "_PAIRS", 50)
    texts = made(150, 1)
    known, asked = texts[:150], texts[150:]
    found = KnownTexts.of([said(known[:60]), said(known[60:])], similarity, 4, 7).similarities(said(asked))
    wanted = plainly(asked, known, 4)
    wanted = np.where(wanted >= similarity, wanted, 0.0)
    assert np.count_nonzero(wanted) >= 5
    wrong = np.abs(found - wanted) > 1e-9
    assert wrong.mean() < 0.01
    assert (found <= wanted + 1e-9).all()


def test_a_text_does_not_depend_on_others() -> None:
    """Each text is told alike, alone and beside others."""
    texts, known = made(60, 2), KnownTexts.of([said(made(60, 2)[5:80])], 0.7, 3, 1)
    alone = [float(known.similarities(said([t]))[0]) for t in texts]
    assert known.similarities(said([*texts])).tolist() == alone
    assert max(alone) == 1.0


def test_nothing_known_and_nothing_said() -> None:
    """Without known texts, without texts, and with nulls, nothing is near."""
    some: list[str | None] = ["one two three four", None, "", "!"]
    assert KnownTexts.of([], 0.8, 3, 1).similarities(said(some)).tolist() == [0.0] * 4
    assert KnownTexts.of([said([None, "", "a"])], 0.8, 3, 1).similarities(said(some)).tolist() == [0.0] * 4
    known = KnownTexts.of([said(["one two three four"])], 0.8, 3, 1)
    assert known.similarities(said(some)).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert known.similarities(said([])).tolist() == []


def test_whole_is_equal_where_words_are() -> None:
    """Texts with the same words have one number, wherever they stand among thousands; others have others."""
    texts = ["the cat sat on the mat today", "on the mat the cat sat today", "other words are here"] * 400
    shingles = Shingles.of(runs(said([*texts]), 1), len(texts))
    whole = shingles.whole().reshape(-1, 3)
    assert len(np.unique(whole[:, :2])) == 1
    assert len(np.unique(whole)) == 2
