"""The curator that drops texts which repeat the real texts that their writer was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import Ruling, TextCurator, together
from synthwright.kit.texts.text_words import Set, runs, shares, words

COPY = "copy-of-seed"


@dataclass(frozen=True)
class OverlapJudge(Judge):
    """Knows the real texts as hashes."""

    columns: Mapping[str, tuple[str, ...]]
    whole: Set
    parts: Set
    settings: Overlap

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that has texts."""
        return [together(t, [self._ruled(data.tables[t].column(c)) for c in names], (COPY,))
                for t, names in self.columns.items()]  # fmt: skip

    def _ruled(self, texts: Column) -> Ruling:
        said = words(texts)
        pieces = runs(said, self.settings.run)
        score = shares(self.parts.has(pieces.hashes), pieces.rows, len(said.whole))
        score[self.whole.has(said.whole)] = 1.0
        return Ruling((score >= self.settings.share).astype(np.int8), score)


class Overlap(TextCurator):
    """Drops rows with a text that repeats real training texts: those that a model was shown as examples, or knows.

    A text goes where it equals a real one, whatever its capitals, marks and blanks, or where a share of its runs of
    eight words stand in real texts. Real texts are those of the training rows, in all columns that are looked at.
    Scores are that share, 1 for texts that are equal.
    """

    name: ClassVar[str] = "overlap"
    reads_real: ClassVar[bool] = True
    reasons: ClassVar[dict[str, str]] = {
        COPY: "A text of the row repeats a real training text, or large parts of some."
    }

    run: int = Setting(default=8, ge=2, le=50)
    """How many words in a row must be the same."""
    share: float = Setting(default=0.3, gt=0, le=1.0)
    """The share of such runs that must stand in real texts."""
    least: int = Setting(default=5, ge=1)
    """Texts of fewer words may equal real ones: they meet by chance."""

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> OverlapJudge:
        """Learn the real texts, as hashes."""
        whole: list[np.ndarray] = []
        parts: list[np.ndarray] = []
        if evidence is None:
            return OverlapJudge({}, Set(whole), Set(parts), self)
        columns = self.looked_at(data)
        for table, names in columns.items():
            for name in (n for n in names if evidence.has(f"{table}.{n}")):
                said = words(evidence.tables[table].column(name).cast(pa.large_string()))
                whole.append(np.unique(said.whole[said.counts >= self.least]))
                parts.append(np.unique(runs(said, self.run).hashes))
        return OverlapJudge(columns, Set(whole), Set(parts), self)
