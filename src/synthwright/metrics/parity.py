"""Whether models trained on synthetic rows say yes to groups of people less alike than models trained on real ones."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.groups import Silence, gaps
from synthwright.metrics.comparing import Finding, scores, without

_FEWEST = 20
"""Held-out rows that a group must have to count."""


class Parity(Metric):
    """Demographic parity difference: how much more often a model says yes for one group than for another; 0 if alike.

    Boosted trees learn the target from synthetic rows and say yes to as many held-out rows as training rows do; the
    score is the largest difference between groups in the share of yes, by each sensitive column and by all at once; the
    whole is the one that is farthest above its reference beyond chance. Yes is the rarer of two labels, the most
    frequent of more, or the upper half of a number. The reference is that of trees that learned from as many training
    rows: value less reference is what synthetic rows add. Interval and chance come from drawing the held-out rows of
    each group anew (bootstrap, Efron 1979), for the chance with both sides' answers, one and a half times. Definition:
    Dwork, Hardt, Pitassi, Reingold and Zemel, Fairness through awareness, ITCS 2012.
    """

    name: ClassVar[str] = "demographic-parity"
    group: ClassVar[Literal["bias"]] = "bias"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It does not say what would be just: groups that differ in reality differ here, and other models may differ."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = gaps(case, ctx, _FEWEST, among_yes=False)
        if isinstance(found, Silence):
            return without(self, *found)
        parts = [Finding(*g) for g in found.found]
        worst = parts[0]._replace(note=f"by {parts[0].about}, {parts[0].note}; {found.note}")
        return scores(self, {worst.about: worst}, parts, found.rows)
