"""The curator that drops texts which stand in evaluation sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import Ruling, TextCurator, together
from synthwright.kit.texts.text_sets import texts_of
from synthwright.kit.texts.text_words import Set, runs, shares, words

FOUND = "in-evaluation-set"
SHORT = 8
"""Words in a row that a text shares with a shorter item of an evaluation set."""


@dataclass(frozen=True)
class ContaminationJudge(Judge):
    """Knows the items of evaluation sets as hashes."""

    columns: Mapping[str, tuple[str, ...]]
    whole: Set
    long: Set
    short: Set
    run: int

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that has texts."""
        return [together(t, [self._ruled(data.tables[t].column(c)) for c in names], (FOUND,))
                for t, names in self.columns.items()]  # fmt: skip

    def _ruled(self, texts: Column) -> Ruling:
        said = words(texts)
        score = self.whole.has(said.whole).astype(np.float64)
        for known, size in ((self.long, self.run), (self.short, SHORT)):
            pieces = runs(said, size)
            score = np.maximum(score, shares(known.has(pieces.hashes), pieces.rows, len(said.whole)))
        return Ruling((score > 0).astype(np.int8), score)


class Contamination(TextCurator):
    """Drops rows with a text that stands in an evaluation set, so that models trained on them can be measured by it.

    A text goes where it shares thirteen words in a row with an item of a set, or equals one, whatever its capitals,
    marks and blanks. Of items with fewer words than that, eight words in a row are enough; those below eight must be
    equal. Without sets nothing goes. Scores are the share of the text's runs of words that stand in a set.
    """

    name: ClassVar[str] = "contamination"
    reasons: ClassVar[dict[str, str]] = {FOUND: "A text of the row stands in an evaluation set, whole or in part."}

    sets: tuple[str, ...] = Setting(default=(), examples=[["eval/questions.jsonl"]])
    """The evaluation sets: files or folders of CSV, JSON Lines, Parquet or text (an item in each line), in the project
    folder."""
    fields: tuple[str, ...] = Setting(default=(), examples=[["question"]])
    """The columns of the sets that are compared; nothing: all columns of text."""
    run: int = Setting(default=13, ge=SHORT, le=50)
    """How many words in a row must be the same."""
    least: int = Setting(default=3, ge=1)
    """Items of fewer words are not looked at: labels, and answers such as `42`."""

    def files(self, ctx: Context) -> list[Path]:
        """Return the files that are read, sorted."""
        found: list[Path] = []
        for path in self.sets:
            where = ctx.open_path(path)
            found += [p for p in where.rglob("*") if p.is_file()] if where.is_dir() else [where]
        return sorted(found)

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> ContaminationJudge:
        """Read the sets, as hashes."""
        whole: list[np.ndarray] = []
        long: list[np.ndarray] = []
        short: list[np.ndarray] = []
        for path in self.sets:
            for column in texts_of(path, self.fields, ctx):
                said = words(column)
                counts = said.counts
                whole.append(np.unique(said.whole[counts >= self.least]))
                long.append(np.unique(runs(said, self.run).hashes))
                few = runs(said, SHORT)
                short.append(np.unique(few.hashes[counts[few.rows] < self.run]))
        columns = self.looked_at(data) if self.sets else {}
        return ContaminationJudge(columns, Set(whole), Set(long), Set(short), self.run)
