"""Words drawn in bulk: as often as their weights say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthwright.core.context import Context
from synthwright.kit.entities.dictionaries import Lexicon, drawn, joined

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""


@pytest.mark.parametrize("seed", range(4))
def test_words_have_their_weights(seed: int) -> None:
    """Words of each group are drawn by their weights, at one in a million, however uneven they are."""
    rng = Context(seed=seed).rng
    weights = [rng.lognormal(0, 2, n) for n in (1, 2, 7, 40)]
    groups = [{f"{g}-{i}": w for i, w in enumerate(ws)} for g, ws in enumerate(weights)]
    lexicon = Lexicon.of(*groups, ["4-0", "4-1", "4-2"])
    which = rng.integers(0, 5, 60_000)
    words = lexicon.take(lexicon.draw(rng, 60_000, which)).to_pylist()
    assert all(w.startswith(f"{g}-") for w, g in zip(words, which.tolist(), strict=True))
    for g, ws in enumerate([*weights, np.ones(3)]):
        rows = int((which == g).sum())
        counts = np.array([words.count(f"{g}-{i}") for i in range(len(ws))])
        expected = ws / ws.sum() * rows
        many = expected >= 5
        seen = np.append(counts[many], counts[~many].sum())
        asked = np.append(expected[many], expected[~many].sum())
        kept = asked > 0
        if kept.sum() > 1:
            assert stats.chisquare(seen[kept], asked[kept] * seen.sum() / asked.sum()).pvalue > LEVEL


def test_one_group_and_no_weights() -> None:
    """Words without weights are as likely; a word of weight zero is never drawn; no group may be empty."""
    rng = Context(seed=1).rng
    plain = Lexicon.of(["a", "b", "c"])
    assert stats.chisquare(np.bincount(plain.draw(rng, 30_000))).pvalue > LEVEL
    some = Lexicon.of({"a": 1.0, "never": 0.0, "b": 1.0})
    assert set(some.take(some.draw(rng, 20_000)).to_pylist()) == {"a", "b"}
    with pytest.raises(ValueError, match="empty"):
        Lexicon.of(["a"], [])


def test_the_fraction_is_independent_of_the_integer() -> None:
    """What is left of a random number beside its integer is even, whatever the integer."""
    at, part = drawn(Context(seed=1).rng, 60_000, 3)
    share = part / 2**32
    assert all(stats.kstest(share[at == i], "uniform").pvalue > LEVEL for i in range(3))


def test_texts_are_joined() -> None:
    """Texts are put together row by row."""
    words = Lexicon.of(["a", "b"]).words
    assert joined(words, words, between="-").to_pylist() == ["a-a", "b-b"]
