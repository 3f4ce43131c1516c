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
from synthwright.kit.texts.text_known import KnownTexts
from synthwright.kit.texts.text_rulings import Ruling, TextCurator, together
from synthwright.kit.texts.text_words import Set, Words, runs, shares, words

COPY = "copy-of-seed"
_NEAR = 8
"""Words below which a text is near to none: short ones meet by chance."""


@dataclass(frozen=True)
class OverlapJudge(Judge):
    """Knows the real texts as hashes."""

    columns: Mapping[str, tuple[str, ...]]
    whole: Set
    parts: Set
    near: KnownTexts | None
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
        gone = score >= self.settings.share
        near = self.near.similarities(said) if self.near is not None else np.zeros(len(score))
        return Ruling((gone | (near > 0)).astype(np.int8), np.maximum(score, near))


class Overlap(TextCurator):
    """Drops rows with a text that repeats real training texts: those that a model was shown as examples, or knows.

    A text goes where it equals a real one, whatever its capitals, marks and blanks, or where a share of its runs of
    eight words stand in real texts. A text of eight words or more also goes where it is nearly a real one, such as with
    one word replaced: the share of all words of both that both have (Jaccard's) decides. Real texts are those of the
    training rows, in all columns that are looked at. Scores are the greater share, 1 for texts that are equal.
    """

    name: ClassVar[str] = "overlap"
    version: ClassVar[int] = 2
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
    near: float | None = Setting(default=0.77, ge=0.5, le=1.0)
    """The share of all words that a text and a real one have in common from which it is nearly that one; null: only
    what stands in real texts counts. At 0.77 one word of eight may be another one, and two of sixteen."""

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> OverlapJudge:
        """Learn the real texts, as hashes."""
        whole: list[np.ndarray] = []
        parts: list[np.ndarray] = []
        held: list[Words] = []
        if evidence is None:
            return OverlapJudge({}, Set(whole), Set(parts), None, self)
        columns = self.looked_at(data)
        for table, names in columns.items():
            for name in (n for n in names if evidence.has(f"{table}.{n}")):
                said = words(evidence.tables[table].column(name).cast(pa.large_string()))
                whole.append(np.unique(said.whole[said.counts >= self.least]))
                parts.append(np.unique(runs(said, self.run).hashes))
                held.append(said)
        seed = int(ctx.rng.integers(2**63))
        near = None if self.near is None else KnownTexts.of(held, self.near, max(_NEAR, self.least), seed)
        return OverlapJudge(columns, Set(whole), Set(parts), near, self)
