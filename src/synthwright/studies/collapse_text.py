"""What texts lose when generations learn from each other: rare words, and how varied they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.kit.texts.text_diversity import Texts, distinct, self_bleu
from synthwright.kit.texts.text_vectors import joined
from synthwright.kit.texts.text_words import Words, runs, words
from synthwright.report.collapsed import PAIRS, RARE_WORDS, TAIL_MASS, TEXTS, UNLIKE, VOCABULARY

_RARE = 3
"""A word is rare that occurs so often, or less often, in the texts that judge."""
_BESIDE = 200
"""Texts of a sample that are held beside each other."""
_TURNS = 4
"""Such samples."""


class TextRuler:
    """Measures samples of texts; which words are rare is told by texts that no generation learns from.

    Args:
        judge: real rows that no generation learns from.
        columns: the columns of text, which are read as one.
        ctx: draws the texts that are held beside each other.
    """

    measures = (TAIL_MASS, RARE_WORDS, VOCABULARY, PAIRS, UNLIKE, TEXTS)

    def __init__(self, judge: pa.Table, columns: Sequence[str], ctx: Context) -> None:
        self._columns = tuple(columns)
        self._ctx = ctx
        known, often = np.unique(self.read(judge).hashes, return_counts=True)
        self._rare = known[often <= _RARE]
        self._shares = often[often <= _RARE] / max(often.sum(), 1)

    def read(self, table: pa.Table) -> Words:
        """Return the words of rows."""
        return words(joined(table, self._columns))

    def measure(self, held: Words) -> dict[str, float]:
        """Return what texts measure, by name."""
        rare, often = np.unique(held.hashes[np.isin(held.hashes, self._rare)], return_counts=True)
        shares = np.zeros(len(self._rare))
        shares[np.searchsorted(self._rare, rare)] = often / max(len(held.hashes), 1)
        whole = max(self._shares.sum(), 1e-12)
        spoken = np.flatnonzero(held.counts > 0)
        texts, beside = Texts(held, None), []
        for turn in range(_TURNS):
            which = np.sort(self._ctx.at("beside", turn).rng.permutation(spoken)[:_BESIDE])
            beside.append(1.0 - self_bleu(texts, which))
        return {
            TAIL_MASS: float(shares.sum() / whole),
            RARE_WORDS: float(np.minimum(shares, self._shares).sum() / whole),
            VOCABULARY: len(rare) / max(len(self._rare), 1),
            PAIRS: _known(distinct(runs(held, 2))),
            UNLIKE: _known(float(np.mean(beside))),
            TEXTS: len(np.unique(held.whole)) / max(len(held.whole), 1),
        }


def _known(value: float) -> float:
    """Return a measure, 0 where there is nothing to measure."""
    return 0.0 if math.isnan(value) else value
