"""Measures of how varied texts are: as their papers define them, and calm where nothing differs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.kit.measuring.chance import allowance
from synthwright.kit.texts.text_diversity import FEWEST, MEASURES, Texts, compared, distinct, self_bleu, vendi

SAID = ["the cat sat on the mat", "the cat sat on the red mat", "a dog ran", "a dog ran", "hm", "why not the cat"]


def texts(said: Sequence[str | None]) -> Texts:
    """Return texts as diversity looks at them."""
    return Texts.of(pa.array(said, pa.large_string()))


def written(rng: np.random.Generator, count: int, share: float = 0.0) -> list[str]:
    """Return texts of words as frequent as words are, a share of them nearly all alike."""
    weights = 1 / np.arange(1, 801)
    out = []
    for alike in rng.random(count) < share:
        words = rng.choice(800, int(rng.integers(8, 17)), p=weights / weights.sum())
        said = " ".join(f"w{w}" for w in words)
        out.append(f"i would like to return the lamp w{words[0]} because it is broken" if alike else said)
    return out


def bleu(text: list[str], others: list[list[str]]) -> float:
    """Return BLEU by the book: clipped runs of one to four words, the brevity of the nearest length, smoothed."""
    logs = []
    for n in range(1, 5):
        mine, *theirs = (Counter(zip(*(t[i:] for i in range(n)), strict=False)) for t in (text, *others))
        if whole := mine.total():
            shared = sum(min(count, max(t[gram] for t in theirs)) for gram, count in mine.items())
            logs.append(math.log((shared or 0.1) / whole))
    near = min((abs(len(o) - len(text)), len(o)) for o in others)[1]
    return min(1.0, math.exp(1 - near / len(text))) * math.exp(sum(logs) / len(logs))


@pytest.mark.parametrize("seed", range(4))
def test_self_bleu_is_the_mean_bleu_of_each_text_beside_the_others(seed: int) -> None:
    """A slow plain twin agrees, on texts that share words, on short ones and on some of them."""
    rng = np.random.default_rng(seed)
    said = [" ".join(rng.choice(list("abcdef"), int(rng.integers(1, 9)))) for _ in range(25)] + SAID
    which = np.sort(rng.permutation(len(said))[:20])
    split = [said[i].split() for i in which]
    twin = np.mean([bleu(t, split[:i] + split[i + 1 :]) for i, t in enumerate(split)])
    assert self_bleu(texts(said), which) == pytest.approx(twin)


def test_distinct_runs() -> None:
    """Different pairs of words as a share of all: five of six texts share some, none spans two texts."""
    held = texts(SAID)
    pairs = [p for s in SAID for p in zip(s.split(), s.split()[1:], strict=False)]
    assert distinct(held.runs(2, np.arange(6))) == pytest.approx(len(set(pairs)) / len(pairs))
    assert distinct(held.runs(2, np.array([2, 3]))) == pytest.approx(0.5)
    assert math.isnan(distinct(held.runs(2, np.array([4]))))


def test_vendi_counts_what_differs() -> None:
    """One where all are one, n where none are alike, and between them as many as there are groups."""
    assert vendi(np.ones((6, 6))) == pytest.approx(1)
    assert vendi(np.eye(6)) == pytest.approx(6)
    assert vendi(np.kron(np.eye(3), np.ones((2, 2)))) == pytest.approx(3)
    half = np.array([[1, 0.5], [0.5, 1]])
    assert vendi(half) == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))


@pytest.mark.parametrize("seed", range(12))
def test_as_varied_texts_are_not_told_apart(seed: int) -> None:
    """No measure falls by more than chance where both sides are written alike, however many there are of each."""
    rng = np.random.default_rng(seed)
    held = texts(written(rng, 100))
    found, size = compared(held, np.arange(70, 100), np.arange(70), rng, np.arange(70))
    assert size == 15
    assert tuple(found) == MEASURES
    for measure, told in found.items():
        assert told.reference - told.value < allowance(told.apart, len(found)), measure


@pytest.mark.parametrize("seed", range(3))
def test_collapsed_texts_are_told(seed: int) -> None:
    """Where all later texts are of one mould, what looks at them alone falls far; what is new stays new."""
    rng = np.random.default_rng(seed)
    held = texts([*written(rng, 70), *written(rng, 30, 1.0)])
    found, _ = compared(held, np.arange(70, 100), np.arange(70), rng, np.arange(70))
    for measure in ("distinct-2", "self-bleu", "vendi"):
        told = found[measure]
        assert told.value < 0.8 * told.reference, measure
        assert told.reference - told.value > allowance(told.apart, len(found)), measure


def test_repeated_texts_are_told() -> None:
    """Texts that say again what was said before are as varied as those, and neither new nor far."""
    rng = np.random.default_rng(5)
    first = written(rng, 80)
    again = [f"{t} indeed" for t in first[:40]]
    held = texts([*first, *again])
    found, _ = compared(held, np.arange(80, 120), np.arange(80), rng, np.arange(80))
    assert found["distinct-2"].value > 0.9 * found["distinct-2"].reference
    for measure in ("nearest", "new-3"):
        assert found[measure].value < 0.6 * found[measure].reference, measure


def test_few_texts_and_texts_without_words() -> None:
    """Nothing is said of too few; texts without words do not count; one-word texts have no pairs."""
    rng = np.random.default_rng(1)
    few = texts(written(rng, 4 * FEWEST - 1))
    assert compared(few, np.arange(2 * FEWEST), np.arange(2 * FEWEST, 4 * FEWEST - 1), rng)[0] == {}
    blank = texts([*written(rng, 30), *[None, "", "!?"] * 20])
    assert compared(blank, np.arange(30), np.arange(30, 90), rng)[0] == {}
    words = texts([f"word{i % 17}" for i in range(60)])
    assert set(compared(words, np.arange(30), np.arange(30, 60), rng)[0]) == {"self-bleu", "vendi", "nearest"}


def test_vectors_of_a_model() -> None:
    """Where an embedding model tells what is alike, other words for one thing are no variety."""
    rng = np.random.default_rng(2)
    said = written(rng, 80)
    vectors = np.tile(np.eye(2), (40, 1))
    held = Texts.of(pa.array(said, pa.large_string()), vectors)
    found, size = compared(held, np.arange(40), np.arange(40, 80), rng)
    assert found["vendi"].value * size == pytest.approx(2, abs=0.1)
    assert found["nearest"].value == 0


def test_equal_seeds_say_the_same() -> None:
    """The samples follow from the randomness that is passed in."""
    held = texts(written(np.random.default_rng(3), 60))
    one, other, third = (compared(held, np.arange(30), np.arange(30, 60), np.random.default_rng(s)) for s in (1, 1, 2))
    assert one == other != third
