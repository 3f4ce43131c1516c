"""Whether models trained on synthetic rows find the true yes of groups of people less alike than they would."""

from __future__ import annotations

from typing import ClassVar, Literal

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.groups import Silence, gaps
from synthwright.metrics.comparing import Finding, scores, without

_FEWEST = 10
"""Held-out rows with a yes that a group must have to count."""


class Opportunity(Metric):
    """Equal opportunity difference: how much more of one group's true yes a model finds than of another's; 0 if alike.

    Boosted trees learn the target from synthetic rows and say yes to as many held-out rows as training rows do; the
    score is the largest difference between groups in the share of rows that get a yes among those where yes is right
    (the true positive rate), by each sensitive column and by all at once; the whole is the one that is farthest above
    its reference beyond chance. Yes is the rarer of two labels, the most frequent of more, or the upper half of a
    number. The reference is that of trees that learned from as many training rows: value less reference is what
    synthetic rows add. Interval and chance come from drawing the held-out rows of each group anew (bootstrap, Efron
    1979), for the chance with both sides' answers, one and a half times. Definition: Hardt, Price and Srebro, Equality
    of opportunity in supervised learning, NIPS 2016.
    """

    name: ClassVar[str] = "equal-opportunity"
    group: ClassVar[Literal["bias"]] = "bias"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It looks at those who should get a yes only: who gets one wrongly is not seen, and other models may differ."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = gaps(case, ctx, _FEWEST, among_yes=True)
        if isinstance(found, Silence):
            return without(self, *found)
        parts = [Finding(*g) for g in found.found]
        worst = parts[0]._replace(note=f"by {parts[0].about}, {parts[0].note}; {found.note}")
        return scores(self, {worst.about: worst}, parts, found.rows)
