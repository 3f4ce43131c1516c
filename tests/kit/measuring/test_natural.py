"""What is natural: exact tests hold their level, contradictions are found, thresholds come from real rows."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.kit.measuring import natural
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.natural import NOTHING, PAIRED, Seen, beyond, judged, most, repeated, told


def tail(count: int, hits: int, trials: int, among: int) -> float:
    """Return how often at least so many of the hits fall among the judged rows, every deal being as likely."""
    ways = [comb(among, c) * comb(trials, hits + count - c) for c in range(count, hits + count + 1)]
    return sum(ways) / comb(trials + among, hits + count)


@pytest.mark.parametrize(("hits", "trials", "among"), [(0, 50, 100), (3, 80, 40), (20, 60, 60), (0, 9_000, 30_000)])
def test_most_is_the_last_that_is_no_surprise(hits: int, trials: int, among: int) -> None:
    """One row more is a surprise, as counting says."""
    fine = most(hits, trials, among)
    assert fine >= among or tail(fine + 1, hits, trials, among) <= LEVEL
    assert tail(fine, hits, trials, among) > LEVEL
    assert most(hits, trials, among, 10) >= fine
    assert most(0, 0, among) == among


def test_told_together_unless_they_contradict() -> None:
    """Rows left out add to what held-out rows tell, but not where the two cannot be of one population."""
    assert told(Seen(10, 1_000), Seen(12, 900)) == Seen(22, 1_900)
    assert told(Seen(0, 800), Seen(300, 800)) == Seen(0, 800)
    assert told(Seen(300, 800), Seen(0, 800)) == Seen(300, 800)
    assert told(NOTHING, Seen(5, 100)) == Seen(5, 100)
    assert told(Seen(0, 5), Seen(50, 100)) == Seen(50, 105)  # five rows contradict nobody


def test_repeated_tells_what_fresh_rows_meet() -> None:
    """Twins tell the share of fresh rows that will equal a known one, with the error that is claimed."""
    rng = Context(seed=1).rng
    shares = 1 / np.arange(1, 3_001)
    shares /= shares.sum()
    strays = []
    for _ in range(300):
        known = rng.choice(3_000, 800, p=shares)
        seen, true = repeated(known.astype(np.uint64)), shares[np.unique(known)].sum()
        share = seen.hits / seen.rows
        strays.append((share - true) / np.sqrt(share * (1 - share) / seen.rows))
    assert abs(np.mean(strays)) < 0.15
    assert 0.7 < np.std(strays) < 1.05
    assert repeated(np.zeros(0, dtype=np.uint64)) == Seen(0, 0)
    assert repeated(np.arange(10, dtype=np.uint64)) == Seen(0, 10 * PAIRED)
    assert repeated(np.zeros(10, dtype=np.uint64)) == Seen(5, 5)


def test_judged() -> None:
    """The bound is never below the reference, and one row beyond it is beyond reference and chance."""
    verdict = judged(7, 100, Seen(2.5, 120.5))
    assert verdict.reference == pytest.approx(2.5 / 120.5)
    assert verdict.most / 100 < verdict.reference + verdict.chance < (verdict.most + 1) / 100
    everything = judged(100, 100, NOTHING, least=1.0)
    assert (everything.reference, everything.most) == (1.0, 100)
    assert everything.chance == pytest.approx(0.005)
    assert judged(0, 100, NOTHING).most == 100


def test_level_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of samples of one population, no more are refused than the level says; a shifted one is."""
    monkeypatch.setattr(natural, "LEVEL", 0.05)
    rng = Context(seed=2).rng
    wrong = 0
    for _ in range(300):
        mine, held, left = (np.maximum(rng.normal(size=n), -0.5) for n in (300, 150, 0))
        verdict = beyond(mine, held, left, (0.01, 0.05, 0.25))
        wrong += verdict.counted > verdict.most
    assert 0 < wrong <= 0.05 * 300 + 3
    shifted = beyond(rng.normal(2, 1, 300), rng.normal(size=150), rng.normal(size=300), (0.01, 0.05, 0.25))
    assert shifted.counted > shifted.most


def test_thresholds_are_real_rows_and_not_below_zero() -> None:
    """Rows that tie with the threshold do not count, and nothing below 0 is suspicious."""
    held = np.array([5.0, 4.0, 3.0, 2.0] + [0.0] * 96)
    verdict = beyond(np.array([4.0, 4.5, 9.0, 0.0]), held, np.zeros(0), (0.015,))
    assert verdict.counted == 2
    assert verdict.reference == pytest.approx(0.01)
    below = beyond(np.full(10, -1.0), np.full(10, -2.0), np.full(10, -np.inf), (0.1,))
    assert (below.counted, below.reference) == (0, 0.0)


def test_contradicting_rows_are_left_out_of_thresholds() -> None:
    """Where left-out rows point at their twins and held-out rows at nobody, the held-out rows set the threshold."""
    held, left = np.linspace(0, 1, 500), np.full(1_000, 8.0)
    verdict = beyond(np.append(np.linspace(0, 1, 400), np.full(100, 5.0)), held, left, (0.01,))
    assert verdict.counted > verdict.most
