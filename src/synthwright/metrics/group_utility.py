"""Whether what is learned from synthetic rows holds for every group of people."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.groups import RETRAINED, Answers, Silence, ask, sensitive, ways
from synthwright.kit.measuring.stats import auc, from_influence
from synthwright.metrics.comparing import Finding, scores, without

_FEWEST = 10
"""Held-out rows of a group that have a yes, and that have a no, below which the group is not measured."""


class GroupUtility(Metric):
    """How well boosted trees trained on synthetic rows predict the target within a group: the one that loses most.

    The area under the curve for the held-out rows of one group alone (1 perfectly, 0.5 guessing), for each group by
    sensitive column and by all of them at once that has ten held-out rows of both answers. Asked is the rarer of two
    labels, the most frequent of more, or the upper half of a number. The whole is the group that falls farthest behind
    its reference beyond chance. The reference is trained on as many training rows. The interval is for other held-out
    rows (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988). The chance is Student's, from the paired influences
    of the held-out rows on the difference, one and a half times, for the worst of all groups.
    """

    name: ClassVar[str] = "group-utility"
    group: ClassVar[Literal["bias"]] = "bias"
    goal: ClassVar[Literal["higher"]] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "It asks one question of one kind of model, and a group of few held-out rows may lose much unnoticed."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = sensitive(case)
        if isinstance(found, Silence):
            return without(self, *found)
        said = ask(case, ctx)
        if isinstance(said, Silence):
            return without(self, *said)
        if said.table not in found:
            return without(self, "no sensitive column is in the table of the target")
        parts, rows = [], [len(said.truth)]
        every = ways(case, said.table, found[said.table], [said.test])
        groups = {n: way.codes[0] == i for way in every for i, n in enumerate(way.names)}
        enough = {n: g for n, g in groups.items() if _rarer(said, g) >= _FEWEST}
        for name, mine in enough.items():
            parts.append(_told(name, said, mine, len(enough)))
            rows.append(int(mine.sum()))
        if not parts:
            return without(self, f"no group has {_FEWEST} held-out rows of both answers")
        worst = max(parts, key=lambda f: (f.reference or 0.0) - f.estimate.value - (f.chance or 0.0))
        note = f"{worst.about} loses most of {len(parts)} groups; {said.note}"
        return scores(self, {said.table: worst._replace(note=note)}, parts, max(rows))


def _rarer(said: Answers, mine: np.ndarray) -> int:
    """Return how many rows of a group have the rarer answer."""
    yes = int(said.truth[mine].sum())
    return min(yes, int(mine.sum()) - yes)


def _told(name: str, said: Answers, mine: np.ndarray, parts: int) -> Finding:
    """Return the score of one group."""
    from scipy.special import stdtrit

    truth = said.truth[mine]
    value, influence = auc(said.synthetic[mine], truth)
    second, against = auc(said.real[mine], truth)
    error = RETRAINED * math.sqrt(float(np.sum((influence - against) ** 2)))
    student = -float(stdtrit(_rarer(said, mine) - 1, LEVEL / parts))
    return Finding(name, from_influence(value, influence), second, chance=min(1.0, student * error))
