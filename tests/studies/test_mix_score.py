"""What a study of mixing counts with: scores that weigh rows, and intervals of paired differences."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.studies.mix_score import (
    Draws,
    Truth,
    at_threshold,
    caught,
    explained,
    matched,
    precision,
    scored,
    span,
    tuned,
    usual,
)

ONE = np.ones((400, 1), dtype=np.uint8)


def plain_precision(said: np.ndarray, positive: np.ndarray) -> float:
    """Return the average precision, one distinct score after another."""
    total, found, seen, hits = 0.0, positive.sum(), 0, 0
    for level in sorted(set(said.tolist()), reverse=True):
        here = said == level
        seen, hits = seen + int(here.sum()), hits + int(positive[here].sum())
        total += positive[here].sum() / found * hits / seen
    return float(total)


def rows(seed: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and which rows are positive."""
    rng = np.random.default_rng(seed)
    positive = rng.random(400) < 0.1
    said = rng.normal(size=400) + positive
    return (np.round(said) if ties else said), positive


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_is_that_of_rows_counted_out(ties: bool) -> None:  # noqa: FBT001
    """With weights it is what as many copies of each row would have, also where scores are equal."""
    for seed in range(4):
        said, positive = rows(seed, ties=ties)
        weights = np.random.default_rng(seed).poisson(1, (400, 5)).astype(np.uint8)
        found = precision(said, positive, weights)
        for i in range(5):
            copies = np.repeat(np.arange(400), weights[:, i])
            assert found[i] == pytest.approx(plain_precision(said[copies], positive[copies]))
        assert precision(said, positive, ONE)[0] == pytest.approx(plain_precision(said, positive))


def test_no_positive_row_scores_nothing() -> None:
    """A fold, or a draw, without a positive row is no error."""
    assert precision(np.arange(400.0), np.zeros(400, dtype=bool), ONE).tolist() == [0.0]


def test_variance_explained_is_that_of_rows_counted_out() -> None:
    """With weights it is what as many copies of each row would have, also for numbers far from zero."""
    rng = np.random.default_rng(2)
    true = 1e7 + rng.normal(size=300)
    said = true + rng.normal(scale=0.5, size=300)
    weights = rng.poisson(1, (300, 4)).astype(np.uint8)
    found = explained(said, true, weights)
    for i in range(4):
        copies = np.repeat(np.arange(300), weights[:, i])
        wanted = 1 - np.mean((true - said)[copies] ** 2) / np.var(true[copies])
        assert found[i] == pytest.approx(wanted, rel=1e-6)


def test_thresholds() -> None:
    """The tuned threshold has the best F1 that any has; the usual one is a half where something reaches it."""
    said, positive = rows(5)
    truth = Truth(positive.astype(float), np.zeros(400, dtype=int), 2)
    level = tuned(said, truth)

    def f1(threshold: float) -> float:
        recall, right = at_threshold(said[None], truth, threshold)
        return 2 * recall * right / max(recall + right, 1e-12)

    assert f1(level) == pytest.approx(max(f1(one) for one in said))
    assert usual(said, truth) == 0.5
    assert usual(said - 10, truth) == pytest.approx(level - 10)


def test_recall_at_a_precision_is_the_largest() -> None:
    """It is read off the curve: no threshold with that precision finds more."""
    said, positive = rows(6)
    truth = Truth(positive.astype(float), np.zeros(400, dtype=int), 2)
    draws = Draws(Context(), 400, 50)
    wanted = max((r for r, p in (at_threshold(said[None], truth, one) for one in said) if p >= 0.4), default=0.0)
    assert matched(said[None], truth, 0.4, draws).values[0] == pytest.approx(wanted)
    assert matched(said[None], truth, 1.1, draws).values[0] == 0.0
    recall, right = caught(said[None], truth, 0.7, draws)
    assert (recall.values[0], right.values[0]) == pytest.approx(at_threshold(said[None], truth, 0.7))


def test_intervals_are_of_paired_differences() -> None:
    """The same predictions differ by nothing; better ones by an interval above zero that is narrower than scores'."""
    rng = np.random.default_rng(7)
    positive = rng.random(3_000) < 0.05
    base = rng.normal(size=3_000) + 1.5 * positive
    truth = Truth(positive.astype(float), np.arange(3_000) % 3, 2)
    draws = Draws(Context(seed=1), 3_000, 200)
    same, better = (np.stack([base, base + 0.01]), np.stack([base + 0.3 * positive] * 2))
    first, second = scored(same, truth, draws), scored(better, truth, draws)
    assert span(first, draws, scored(same, truth, draws)) == (0.0, 0.0, 0.0)
    gain, alone = span(second, draws, first), span(first, draws)
    assert 0 < gain.low < gain.value < gain.high
    assert gain.high - gain.low < alone.high - alone.low


def test_seeds_widen_intervals() -> None:
    """Models of other seeds that differ make the interval of a score wider than one model would have."""
    rng = np.random.default_rng(8)
    positive = rng.random(2_000) < 0.1
    truth = Truth(positive.astype(float), np.zeros(2_000, dtype=int), 2)
    draws = Draws(Context(), 2_000, 200)
    good, bad = rng.normal(size=2_000) + 3 * positive, rng.normal(size=2_000) + positive
    one = span(scored(good[None], truth, draws), draws)
    both = span(scored(np.stack([good, bad]), truth, draws), draws)
    assert both.high - both.low > 3 * (one.high - one.low)


def test_classes_and_folds_are_means() -> None:
    """Many classes: the mean over those that are judged; folds: the mean of what each would have by itself."""
    rng = np.random.default_rng(9)
    codes = rng.integers(0, 3, 600).astype(float)
    said = rng.random((600, 3)) + np.eye(3)[codes.astype(int)]
    fold = np.arange(600) % 2
    draws = Draws(Context(), 600, 20)
    found = scored(said[None], Truth(codes, fold, 3, (0, 2)), draws).values[0]
    wanted = np.mean([plain_precision(said[fold == f][:, c], codes[fold == f] == c) for f in (0, 1) for c in (0, 2)])
    assert found == pytest.approx(wanted)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many draws are held at once decides no number."""
    said, positive = rows(3)
    truth = Truth(positive.astype(float), np.zeros(400, dtype=int), 2)
    whole = scored(said[None], truth, Draws(Context(), 400, 30))
    assert whole.drawn.shape == (1, 30)
    monkeypatch.setattr("synthwright.studies.mix_score._CELLS", 4_000)
    assert scored(said[None], truth, Draws(Context(), 400, 30)).drawn.shape == (1, 30)
