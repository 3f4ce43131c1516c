"""How varied texts are, and whether some are less varied than as many others: what a writer loses that collapses.

Every measure lies between 0, where all texts are one, and 1:

- `distinct-2`: different pairs of words, as a share of all (distinct-n: Li et al. 2016, arXiv 1510.03055);
- `self-bleu`: 1 less the mean BLEU of a text beside all others (Zhu et al. 2018, Texygen, arXiv 1802.01886), by runs of
  one to four words; runs that no other text has count a tenth (Chen and Cherry 2014, method 1), and runs longer than a
  text count nothing;
- `vendi`: how many different texts there are in effect, as a share of all: the exponential of the entropy of the
  eigenvalues of their similarities (Friedman and Dieng 2022, arXiv 2210.02410);
- `nearest`: the mean distance from the nearest other text, or the nearest of those before (1 less the cosine);
- `new-3`: different runs of three words that no text before has, as a share.

They depend on how many texts are looked at, so only samples of one size are compared: random halves of the smaller
side, at most `MOST` texts, `TURNS` times. What these differ by is what chance does (McCarthy, Pseudo-replication: half
samples, Review of the International Statistical Institute 37, 1969). The cost is that of a few hundred texts, however
many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from synthwright.core.values import Column
from synthwright.kit.texts.text_near import spread
from synthwright.kit.texts.text_vectors import Weights, counted, unit_rows
from synthwright.kit.texts.text_words import Runs, Words, runs, words

MEASURES = ("distinct-2", "self-bleu", "vendi", "nearest", "new-3")
"""What is measured, in the order in which it is told."""
MOST = 150
"""Texts of a sample."""
FEWEST = 10
"""Texts of a sample below which nothing is measured: half of what each side must have."""
TURNS = 24
"""Samples that are drawn of each side."""
POOL = 1_000
"""Texts of those before that are looked at for what is new and what is near; of more, as many by chance."""
_ORDERS = (1, 2, 3, 4)
_NEW = 3
_UNSEEN = 0.1


class Measured(NamedTuple):
    """One measure of some texts beside others, at one size of samples."""

    value: float
    reference: float
    """What samples of the others have."""
    error: float
    """The standard error of the value."""
    apart: float
    """The standard error of value less reference."""


@dataclass(frozen=True)
class Texts:
    """Texts as diversity looks at them; those without a word do not count.

    Args:
        held: their words.
        vectors: a row for each, of length 1: sparse, or dense where an embedding model made them.
    """

    held: Words
    vectors: Any

    @staticmethod
    def of(column: Column, vectors: np.ndarray | None = None) -> Texts:
        """Return the texts of a column.

        Args:
            column: of text; nulls have no word.
            vectors: of an embedding model, a row of length 1 for each text; nothing: by words and pieces of words.
        """
        if vectors is None:
            counts = counted(column)
            vectors = unit_rows(Weights.of(counts, least=1).weighted(counts))
        return Texts(words(column), vectors)

    @property
    def spoken(self) -> np.ndarray:
        """Booleans: which texts have a word."""
        return self.held.counts > 0

    @cached_property
    def _runs(self) -> dict[int, tuple[Runs, np.ndarray]]:
        found = {size: runs(self.held, size) for size in _ORDERS}
        return {n: (r, np.searchsorted(r.rows, np.arange(len(self.held.whole) + 1))) for n, r in found.items()}

    def runs(self, size: int, which: np.ndarray) -> Runs:
        """Return the runs of so many words of some texts, which are numbered from 0."""
        held, bounds = self._runs[size]
        sizes = bounds[which + 1] - bounds[which]
        return Runs(np.repeat(np.arange(len(which)), sizes), held.hashes[spread(bounds[which], sizes)])

    def similar(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the cosines of texts and others: a row for each text."""
        found = self.vectors[rows] @ self.vectors[others].T
        return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


def distinct(said: Runs) -> float:
    """Return the share of runs that differ; NaN where there is none."""
    return len(np.unique(said.hashes)) / len(said.hashes) if len(said.hashes) else math.nan


def self_bleu(texts: Texts, which: np.ndarray) -> float:
    """Return the mean BLEU of each of some texts with all others as references; NaN of fewer than two.

    Every run of words is looked at once: the most that any other text has of it is the most of all, or the second most.
    """
    if len(which) < 2:
        return math.nan
    logs, orders = np.zeros(len(which)), np.zeros(len(which))
    for size in _ORDERS:
        shared, whole = _shared(texts.runs(size, which), len(which))
        has = whole > 0
        precision = np.where(shared > 0, shared, _UNSEEN) / np.maximum(whole, 1)
        logs += np.where(has, np.log(precision), 0.0)
        orders += has
    lengths = texts.held.counts[which]
    brief = np.exp(np.minimum(0.0, 1 - _nearest_length(lengths) / np.maximum(lengths, 1)))
    return float(np.mean(brief * np.exp(logs / np.maximum(orders, 1))))


def _shared(said: Runs, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each text how many of its runs another text has as often, and how many it has."""
    order = np.lexsort((said.rows, said.hashes))
    rows, hashes = said.rows[order], said.hashes[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    starts = np.flatnonzero(new)
    rows, hashes, often = rows[starts], hashes[starts], np.diff(np.append(starts, len(new)))
    order = np.lexsort((often, hashes))  # of each run, those that have it oftenest come last
    rows, hashes, often = rows[order], hashes[order], often[order]
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = hashes[1:] != hashes[:-1]
    ends = np.flatnonzero(last)
    group = np.cumsum(last) - last
    alone = np.diff(np.append(-1, ends)) == 1
    second = np.where(alone, 0, often[np.maximum(ends - 1, 0)])
    others = np.where(last, second[group], often[ends][group])
    shared = np.bincount(rows, weights=np.minimum(often, others), minlength=count)
    return shared, np.bincount(rows, weights=often, minlength=count)


def _nearest_length(lengths: np.ndarray) -> np.ndarray:
    """Return for each text the length of another text that is nearest to its own; of two, the shorter."""
    known, place, often = np.unique(lengths, return_inverse=True, return_counts=True)
    below = np.append(-np.inf, known[:-1])[place]
    above = np.append(known[1:], np.inf)[place]
    near = np.where(lengths - below <= above - lengths, below, above)
    return np.where(often[place] > 1, lengths, near)


def vendi(similar: np.ndarray) -> float:
    """Return how many different texts there are in effect: 1 where all are one, as many as there are where none alike.

    Args:
        similar: the similarity of every text to every other; 1 on the diagonal.
    """
    values = np.linalg.eigvalsh(similar / len(similar))
    values = values[values > 1e-12]
    return float(np.exp(-np.sum(values * np.log(values))))


def compared(
    texts: Texts, mine: np.ndarray, others: np.ndarray, rng: np.random.Generator, before: np.ndarray | None = None
) -> tuple[dict[str, Measured], int]:
    """Return the measures of some texts beside others, and the size of the samples; nothing where there are too few.

    Args:
        texts: all of them.
        mine: which are measured.
        others: which they are held against.
        rng: draws the samples.
        before: texts that were there before `mine`, `others` among them: what is new, and how far the nearest is, is
            told by them, less the sample of the others. Nothing: the nearest is looked for in the sample.
    """
    spoken = texts.spoken
    mine, others = mine[spoken[mine]], others[spoken[others]]
    size = min(MOST, len(mine) // 2, len(others) // 2)
    if size < FEWEST:
        return {}, size
    sides = [rng.permutation(side)[: 2 * MOST] for side in (mine, others)]
    rest = np.setdiff1d(before[spoken[before]], sides[1]) if before is not None else np.zeros(0, dtype=np.int64)
    pool = rng.permutation(rest)[: max(0, POOL - len(sides[1]))]
    desk = _Desk.of(texts, sides[0], sides[1], pool, before is not None)
    found: dict[str, list[list[float]]] = {m: [[], []] for m in MEASURES}
    for _ in range(TURNS):
        drawn = [rng.permutation(len(side))[:size] for side in sides]
        places = drawn[0], drawn[1] + len(sides[0])
        for i, place in enumerate(places):
            for measure, value in desk.measures(place, places[1]).items():
                found[measure][i].append(value)
    out = {m: _told(values, size, [len(s) for s in sides]) for m, values in found.items() if values[0]}
    return {m: t for m, t in out.items() if all(map(math.isfinite, t))}, size


def _told(values: list[list[float]], size: int, sides: list[int]) -> Measured:
    """Return what samples say: their means, and how far these stray, drawn as they were from so many texts."""
    means = [float(np.mean(v)) for v in values]
    errors = [float(np.std(v, ddof=1)) * math.sqrt(size / max(n - size, 1)) for v, n in zip(values, sides, strict=True)]
    return Measured(means[0], means[1], errors[0], math.hypot(*errors))


@dataclass(frozen=True)
class _Desk:
    """Texts that are compared, numbered: those that are measured, those they are held against, others before."""

    texts: Texts
    all: np.ndarray
    similar: np.ndarray
    """Of those that are drawn from, a row each, to all."""
    before: np.ndarray
    """Booleans: which were there before; none where that is not asked."""
    runs: Runs
    often: np.ndarray
    """How many of those before have each run; runs are numbered."""

    @staticmethod
    def of(texts: Texts, mine: np.ndarray, others: np.ndarray, pool: np.ndarray, asked: bool) -> _Desk:  # noqa: FBT001
        every = np.concatenate([mine, others, pool])
        drawn = every[: len(mine) + len(others)]
        before = (np.arange(len(every)) >= len(mine)) & asked
        said = texts.runs(_NEW, every)
        codes = np.unique(said.hashes, return_inverse=True)[1]
        width = int(codes.max(initial=-1)) + 1
        once = np.unique(said.rows * max(width, 1) + codes)
        rows, codes = (once // max(width, 1)), once % max(width, 1)
        often = np.bincount(codes[before[rows]], minlength=width)
        return _Desk(texts, every, texts.similar(drawn, every), before, Runs(rows, codes), often)

    def measures(self, place: np.ndarray, away: np.ndarray) -> Mapping[str, float]:
        """Return the measures of a sample.

        Args:
            place: the sample.
            away: the sample of those before that is thought away.
        """
        which = self.all[place]
        near = self.similar[np.ix_(place, place)].copy()
        np.fill_diagonal(near, 1.0)
        found = {
            "distinct-2": distinct(self.texts.runs(2, which)),
            "self-bleu": 1 - self_bleu(self.texts, which),
            "vendi": vendi(near) / len(place),
        }
        if not self.before.any():
            np.fill_diagonal(near, -1.0)
            return found | {"nearest": float(np.mean(1 - np.clip(near.max(axis=1), 0, 1)))}
        left = self.before.copy()
        left[away] = False
        nearest = self.similar[place][:, left].max(axis=1, initial=0.0)
        return found | {"nearest": float(np.mean(1 - np.clip(nearest, 0, 1))), "new-3": self._new(place, away)}

    def _new(self, place: np.ndarray, away: np.ndarray) -> float:
        """Return the share of the runs of a sample that those before do not have, one sample of these apart."""
        mine, gone = np.zeros((2, len(self.all)), dtype=bool)
        mine[place], gone[away] = True, True
        held = np.unique(self.runs.hashes[mine[self.runs.rows]])
        left = self.often - np.bincount(self.runs.hashes[gone[self.runs.rows]], minlength=len(self.often))
        return float(np.mean(left[held] <= 0)) if len(held) else math.nan
