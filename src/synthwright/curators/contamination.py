"""The curator that drops texts which stand in evaluation sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.values import Column
from synthwright.kit.texts.text_encoders import WORDS, nearest_known
from synthwright.kit.texts.text_known import KnownTexts
from synthwright.kit.texts.text_places import RuledTable
from synthwright.kit.texts.text_rulings import Ruling, TextCurator, together
from synthwright.kit.texts.text_sets import texts_of
from synthwright.kit.texts.text_words import Set, Words, runs, shares, words

FOUND, NEAR, LIKE = "in-evaluation-set", "near-evaluation-set", "like-evaluation-set"
SHORT = 8
"""Words in a row that a text shares with a shorter item of an evaluation set; texts with fewer are near to none."""
_BY_WORDS, _BY_MODEL = 0.85, 0.92


@dataclass(frozen=True)
class Items:
    """The items of evaluation sets as hashes.

    Args:
        whole: of items.
        long: of their runs of so many words.
        short: of the runs of eight words of shorter items.
        run: how many words in a row must be the same.
        near: tells what is nearly an item; nothing: nothing is.
    """

    whole: Set
    long: Set
    short: Set
    run: int
    near: KnownTexts | None

    @staticmethod
    def of(said: list[Words], settings: Contamination, seed: int) -> Items:
        """Return the items."""
        whole, long, short = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
        for one in said:
            counts = one.counts
            whole.append(np.unique(one.whole[counts >= settings.least]))
            long.append(np.unique(runs(one, settings.run).hashes))
            few = runs(one, SHORT)
            short.append(np.unique(few.hashes[counts[few.rows] < settings.run]))
        least = max(SHORT, settings.least)
        near = None if settings.near is None else KnownTexts.of(said, settings.near, least, seed)
        return Items(Set(whole), Set(long), Set(short), settings.run, near)

    def ruled(self, texts: Column) -> Ruling:
        """Return what is said of texts: 1 where one stands in a set, 2 where it is nearly an item."""
        said = words(texts)
        score = self.whole.has(said.whole).astype(np.float64)
        for known, size in ((self.long, self.run), (self.short, SHORT)):
            pieces = runs(said, size)
            score = np.maximum(score, shares(known.has(pieces.hashes), pieces.rows, len(said.whole)))
        near = np.zeros(len(score)) if self.near is None else self.near.similarities(said)
        return Ruling(np.where(score > 0, 1, np.where(near > 0, 2, 0)), np.where(score > 0, score, near))


@dataclass(frozen=True)
class ContaminationJudge(Judge):
    """Knows the items of evaluation sets, and what an encoder said of rows."""

    columns: Mapping[str, tuple[str, ...]]
    items: Items
    like: Mapping[str, RuledTable]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that has texts."""
        return [together(t, [*(self.items.ruled(data.tables[t].column(c)) for c in names), *self._like(data, t)],
                         (FOUND, NEAR, LIKE)) for t, names in self.columns.items()]  # fmt: skip

    def _like(self, data: Dataset, table: str) -> list[Ruling]:
        found = self.like.get(table)
        if found is None:
            return []
        _, score = found.at(data.row_numbers(table))
        return [Ruling(np.where(score > 0, 3, 0), score)]


class Contamination(TextCurator):
    """Drops rows with a text that stands in an evaluation set, so that models trained on them can be measured by it.

    A text goes where it shares thirteen words in a row with an item of a set, or equals one, whatever its capitals,
    marks and blanks. Of items with fewer words than that, eight words in a row are enough; those below eight must be
    equal. A text of eight words or more also goes where it is nearly an item, such as with one word replaced: the share
    of all words of both that both have (Jaccard's) decides. With `by` texts go that mean the same as an item. Without
    sets nothing goes. Scores are the share of the text's runs of words that stand in a set, or the similarity.
    """

    name: ClassVar[str] = "contamination"
    version: ClassVar[int] = 2
    reasons: ClassVar[dict[str, str]] = {
        FOUND: "A text of the row stands in an evaluation set, whole or in part.",
        NEAR: "A text of the row is an item of an evaluation set with few words replaced.",
        LIKE: "A text of the row says what an item of an evaluation set says, in nearly the same or in other words.",
    }

    sets: tuple[str, ...] = Setting(default=(), examples=[["eval/questions.jsonl"]])
    """The evaluation sets: files or folders of CSV, JSON Lines, Parquet or text (an item in each line), in the project
    folder."""
    fields: tuple[str, ...] = Setting(default=(), examples=[["question"]])
    """The columns of the sets that are compared; nothing: all columns of text."""
    run: int = Setting(default=13, ge=SHORT, le=50)
    """How many words in a row must be the same."""
    least: int = Setting(default=3, ge=1)
    """Items of fewer words are not looked at: labels, and answers such as `42`."""
    near: float | None = Setting(default=0.77, ge=0.5, le=1.0)
    """The share of all words that text and item have in common from which a text is nearly an item; null: only what
    stands in a set goes. At 0.77 one word of eight may be another one, and two of sixteen."""
    by: str = ""
    """What else tells what is like an item: `words`, or an embedding model that the specification names; nothing:
    nothing else."""
    similarity: float | None = Setting(default=None, gt=0, le=1)
    """How alike text and item must be then, as the cosine of their vectors; nothing: 0.85 by words, 0.92 by a model,
    whose scale is its own."""

    def asks(self) -> tuple[str, ...]:
        return (self.by,) if self.by not in ("", WORDS) else ()

    def faults(self, schema: Schema) -> list[str]:
        idle = ["similarity: nothing is compared by it: say `by: words`, or name a model"]
        return super().faults(schema) + (idle if self.similarity is not None and not self.by else [])

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
        """Read the sets, as hashes; with `by`, look for texts like their items.

        Raises:
            FitError: `by` names a model, and there are none to embed with.
        """
        held = [column for path in self.sets for column in texts_of(path, self.fields, ctx)]
        said = [words(column) for column in held]
        columns = self.looked_at(data) if self.sets else {}
        items = Items.of(said, self, int(ctx.rng.integers(2**63)))
        return ContaminationJudge(columns, items, self._like(data, columns, held, said, settled, ctx))

    def _like(self, data: Dataset, columns: Mapping[str, tuple[str, ...]], held: list[pa.ChunkedArray],
              said: list[Words], settled: Mapping[str, int], ctx: Context) -> dict[str, RuledTable]:  # fmt: skip
        """Return which new rows are like an item, by table."""
        if not (self.by and columns):
            return {}
        threshold = self.similarity or (_BY_WORDS if self.by == WORDS else _BY_MODEL)
        known = [h.filter(pa.array(w.counts >= self.least)) for h, w in zip(held, said, strict=True)]
        items = pc.unique(pa.chunked_array([c for k in known for c in k.chunks], pa.large_string()))
        out = {}
        for table, names in columns.items():
            row = data.row_numbers(table)
            score = np.zeros(len(row))
            for name in names:
                texts = data.tables[table].column(name).cast(pa.large_string()).combine_chunks()
                new = np.arange(len(row)) >= settled.get(table, 0)
                which = np.flatnonzero(new & (words(texts).counts >= self.least))
                found = nearest_known(texts.take(pa.array(which)), items, self.by, threshold,
                                      f"curator '{self.name}'", ctx)  # fmt: skip
                score[which] = np.maximum(score[which], found)
            out[table] = RuledTable.of(row, score > 0, score)
        return out
