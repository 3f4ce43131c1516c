"""A curator in one file: rows that say almost nothing go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.values import nulls


class SparseJudge(Judge):
    """Drops the rows that lack more than a share of their values."""

    def __init__(self, most: float) -> None:
        self.most = most

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        verdicts = []
        for table in data.tables:
            columns = [nulls(data.tables[table].column(c)) for c in data.columns(table)]
            share = np.mean(columns, axis=0) if columns else np.zeros(data.rows(table))
            verdicts.append(Verdict.of(table, share > self.most, "too-sparse", share))
        return verdicts


class Sparse(Curator):
    """Drop the rows in which most values are missing."""

    name: ClassVar[str] = "sparse"
    reasons: ClassVar[dict[str, str]] = {"too-sparse": "more of the row's values are missing than `most` allows"}

    most: float = Setting(default=0.9, ge=0, le=1)
    """Share of a row's values that may be missing."""

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> SparseJudge:
        return SparseJudge(self.most)
