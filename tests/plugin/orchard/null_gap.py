"""A metric in one file: is as much missing as in real rows?"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.values import nulls


class NullGap(Metric):
    """Compare the share of missing values with that of held-out rows: 0 alike, 1 opposite."""

    name: ClassVar[str] = "null-gap"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "Which values are missing together is not seen."

    digits: int = Setting(default=3, ge=1, le=6)
    """Decimals of the score."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        real = case.holdout or case.train
        if real is None or case.train is None or not real.rows() or not case.synthetic.rows():
            return [Score(self.name, status="not-applicable", problem="there are no real or no synthetic rows")]
        value, reference = (self._gap(real, other) for other in (case.synthetic, case.train))
        return [Score(self.name, value=value, reference=reference)]

    def _gap(self, real: Dataset, other: Dataset) -> float:
        gaps = [abs(_missing(real, c) - _missing(other, c)) for c in real.schema.columns if other.has(c)]
        return round(float(np.mean(gaps)), self.digits) if gaps else 0.0


def _missing(data: Dataset, column: str) -> float:
    found = nulls(data.column(column))
    return float(found.mean()) if len(found) else 0.0
