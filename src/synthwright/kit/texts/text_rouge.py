"""How alike texts are by their words in order: ROUGE-L, the longest common subsequence of their words.

Reference: Lin, ROUGE: A package for automatic evaluation of summaries, 2004.
"""

from __future__ import annotations

import numpy as np

from synthwright.kit.rows import mix
from synthwright.kit.texts.text_near import Pairs, Shingles, alike
from synthwright.kit.texts.text_words import Runs, Words

_CELLS = 1 << 20
"""Cells of the tables of all pairs that are compared at once."""
_NEARLY = 1e-9


def rouge_l(said: Words, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how alike pairs of texts are, from 0 to 1: twice the longest common subsequence by the words of both.

    Args:
        said: the words of all texts.
        one: the first text of each pair, by position.
        other: the second one.
    """
    common = common_words(said, one, other)
    return np.asarray(2.0 * common / np.maximum(said.counts[one] + said.counts[other], 1))


def common_words(said: Words, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the length of the longest common subsequence of the words of pairs of texts, given as for `rouge_l`."""
    out = np.zeros(len(one), dtype=np.int64)
    size = np.maximum(np.maximum(said.counts[one], said.counts[other]), 1)
    order = np.argsort(size, kind="stable")  # pairs of about the same size go together
    level = np.ceil(np.log2(size[order])).astype(np.int64)
    for of in np.unique(level):
        mine = order[level == of]
        width = max(1, _CELLS >> int(of))
        for begin in range(0, len(mine), width):
            some = mine[begin : begin + width]
            out[some] = _common(_padded(said, one[some], 1), _padded(said, other[some], 2))
    return out


def _padded(said: Words, which: np.ndarray, never: int) -> np.ndarray:
    """Return the words of texts as a table, a text in each row; behind their ends stands what no other side has."""
    held = said.taken(which)
    out = np.full((len(which), int(held.counts.max(initial=0))), never, dtype=np.uint64)
    out[np.arange(out.shape[1]) < held.counts[:, None]] = held.hashes
    return out


def _common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the length of the longest common subsequence of each pair of rows."""
    best = np.zeros((len(one), other.shape[1] + 1), dtype=np.int32)
    for word in one.T:  # the table's rows follow from each other; all pairs go at once
        longer = np.where(other == word[:, None], best[:, :-1] + 1, best[:, 1:])
        np.maximum.accumulate(np.maximum(longer, best[:, 1:]), axis=1, out=best[:, 1:])
    return best[:, -1].astype(np.int64)


def alike_in_order(said: Words, similarity: float, seed: int) -> Pairs:
    """Return the pairs of texts that are alike by ROUGE-L: at least nearly `similarity`.

    Texts with such a common subsequence share at least as many words: candidates are those whose words, each with how
    often it has occurred, are alike as sets; then the order decides.
    """
    bound = similarity / (2 - similarity)
    found = alike(Shingles.of(counted(said), len(said.whole)), bound, seed)
    may = found.similarity >= bound - _NEARLY
    earlier, later = found.earlier[may], found.later[may]
    return Pairs(earlier, later, rouge_l(said, earlier, later))


def counted(said: Words) -> Runs:
    """Return the words of texts, each told from its earlier occurrences in the same text."""
    rows = said.rows
    order = np.lexsort((said.hashes, rows))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (rows[order][1:] != rows[order][:-1]) | (said.hashes[order][1:] != said.hashes[order][:-1])
    begins = np.flatnonzero(new)
    times = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return Runs(rows[order], mix(said.hashes[order] + times.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))
