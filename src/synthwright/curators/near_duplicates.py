"""The curator that drops texts which are nearly the same as an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.values import Column
from synthwright.kit.texts.text_near import Shingles, alike, leaving
from synthwright.kit.texts.text_rouge import alike_in_order
from synthwright.kit.texts.text_rulings import TextCurator
from synthwright.kit.texts.text_words import Words, plain, runs, words

NEAR = "near-duplicate"


@dataclass(frozen=True)
class Nearest:
    """What is known of the rows of one table."""

    gone: np.ndarray
    """Numbers of the rows that go, sorted."""
    numbers: np.ndarray
    """Numbers of the rows that are like an earlier one, sorted."""
    scores: np.ndarray
    """How much each of these is."""


@dataclass(frozen=True)
class NearJudge(Judge):
    """Knows which rows go, and how near each is to the nearest earlier one."""

    tables: Mapping[str, Nearest]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that has texts."""
        found = []
        for table, known in self.tables.items():
            row = data.row_numbers(table)
            score = np.zeros(len(row))
            if len(known.numbers):
                place = np.minimum(np.searchsorted(known.numbers, row), len(known.numbers) - 1)
                score = np.where(known.numbers[place] == row, known.scores[place], 0.0)
            found.append(Verdict.of(table, np.isin(row, known.gone), NEAR, score))
        return found


class NearDuplicates(TextCurator):
    """Drops rows with a text that is nearly the same as that of an earlier row which stays.

    Texts are compared by their words, or by their characters, as sets: their similarity is the share of all words of
    both that both have (Jaccard's). With `measure: rouge-l` it is how many words both have in the same order (the
    longest common subsequence, doubled, by the words of both): Self-Instruct drops what is 0.7 or more alike
    (https://arxiv.org/abs/2212.10560). Which pairs may be near is told by MinHash; those are compared exactly. The
    first of several stays. Scores are the similarity to the nearest earlier row, 0 where none is near.
    """

    name: ClassVar[str] = "near-duplicates"
    version: ClassVar[int] = 2
    reasons: ClassVar[dict[str, str]] = {NEAR: "A text of the row is nearly the same as that of an earlier row."}

    similarity: float = Setting(default=0.8, ge=0.3, le=1.0)
    """The similarity from which two texts are nearly the same."""
    measure: Literal["shares", "rouge-l"] = "shares"
    """What similarity is: the share of all words that both have, or `rouge-l`, by words in the same order."""
    shingles: Literal["words", "characters"] = "words"
    """What texts are compared by: words, or characters, for very short texts and for misspellings."""
    run: int = Setting(default=0, ge=0, le=20)
    """How many words or characters in a row are compared as one; 0: one word, or four characters. With more than one
    word their order counts."""
    least: int = Setting(default=5, ge=1)
    """Texts of fewer words are not looked at: they meet by chance."""

    def faults(self, schema: Schema) -> list[str]:
        found = super().faults(schema)
        if self.measure == "rouge-l" and (self.shingles != "words" or self.run > 1):
            found.append("measure: rouge-l compares single words in order: leave `shingles` and `run` out")
        return found

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> NearJudge:
        """Find the rows that go; those that are settled stay."""
        tables = {}
        for table, columns in self.looked_at(data, labels=False).items():
            held, row = data.tables[table], data.row_numbers(table)
            stays = np.arange(len(row)) < settled.get(table, 0)
            gone, score = np.zeros(len(row), dtype=bool), np.zeros(len(row))
            for column in columns:
                which = np.flatnonzero(~gone)
                seed = int(ctx.at(table, column).rng.integers(2**63))
                gone[which], said = self._found(held.column(column).take(pa.array(which)), stays[which], seed)
                score[which] = np.maximum(score[which], said)
            near = np.flatnonzero(score)
            near = near[np.argsort(row[near], kind="stable")]
            tables[table] = Nearest(np.sort(row[gone]), row[near], score[near])
        return NearJudge(tables)

    def _found(self, texts: Column, stays: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which texts go, and how near each is to an earlier one."""
        said = words(texts)
        count = len(stays)
        enough = np.flatnonzero(said.counts >= self.least)
        pieces = characters(texts) if self.shingles == "characters" else said
        size = self.run or (1 if self.shingles == "words" else 4)
        shingles = Shingles.of(runs(pieces, size), count).taken(enough)
        looked = enough[shingles.sizes > 0]
        shingles = shingles.taken(np.flatnonzero(shingles.sizes))
        whole = said.whole[looked] if self.measure == "rouge-l" else shingles.whole()
        _, first, group = np.unique(whole, return_index=True, return_inverse=True)
        order = np.argsort(first)  # groups in the order of their first texts
        first, group = first[order], np.argsort(order)[group]
        if self.measure == "rouge-l":
            pairs = alike_in_order(said.taken(looked[first]), self.similarity, seed)
        else:
            pairs = alike(shingles.taken(first), self.similarity, seed)
        leave = leaving(pairs, self.similarity, stays[looked[first]])
        again = np.ones(len(looked), dtype=bool)
        again[first] = False
        nearest = np.zeros(len(first))
        np.maximum.at(nearest, pairs.later, pairs.similarity)
        gone, score = np.zeros(count, dtype=bool), np.zeros(count)
        gone[looked] = (leave[group] | again) & ~stays[looked]
        score[looked] = np.where(again, 1.0, nearest[group])
        return gone, score


def characters(texts: Column) -> Words:
    """Return the characters of texts, as if they were words: letters, digits and single blanks."""
    said = plain(texts)
    said = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
    counts = pc.utf8_length(said).to_numpy(zero_copy_only=False).astype(np.int64)
    letters = np.frombuffer("".join(said.to_pylist()).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    none = np.zeros(len(counts), dtype=np.uint64)
    return Words(letters, np.concatenate([[0], np.cumsum(counts)]), none)
