"""How many rows refer to each row of another table: orders of a customer, visits of a patient."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.kindred import in_short, parents_drawn, related, weighed
from synthwright.metrics import comparing
from synthwright.metrics.comparing import Finding, scores, without


class Cardinality(Metric):
    """Distance between how many children each parent has, in held-out and synthetic rows: 0 alike, 1 disjoint.

    For every link, a column of a table that holds keys of another or of its own: the Kolmogorov-Smirnov distance of
    the number of children, rows that point to a row, those without any included. A held-out parent has all its real
    children, training rows too. The whole is the mean over links. Where all samples share the parents (places,
    products), or other numbers of rows were asked for, children are left out at random until parents have as many on
    average in all samples: how unevenly they are spread is compared. The reference compares held-out parents with
    training ones; chance is told by families, as rows that hang together are held out together.
    """

    name: ClassVar[str] = "cardinality"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "Which rows refer to which, and whether they fit each other, is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = related(case, ctx)
        failed = [Score(self.name, about, status="failed", problem=why) for about, why in found.faults]
        if found.problem:
            return without(self, found.problem)
        if not found.kindred:
            return [*without(self, failed[0].problem or "", "failed"), *failed]
        replicates, notes = {}, []
        for kin in found.kindred:
            drawn = parents_drawn(kin, comparing.MOST_ROWS, ctx.at("rows", kin.link.about))
            counts = [b.counts[r].astype(np.float64) for b, r in zip(kin.broods, drawn.rows, strict=True)]
            distance = drawn.replicas.ordered(counts[0], np.concatenate(counts[1:]))
            replicates[kin.link.about] = drawn.widened(distance)
            notes += [f"{kin.link.about}: {n}" for n in (kin.note, drawn.note) if n]
        parts = [Finding(a, w.estimate, w.reference, chance=w.chance)
                 for a, w in ((a, weighed(r, len(replicates))) for a, r in replicates.items())]  # fmt: skip
        whole = weighed(np.mean(list(replicates.values()), axis=0))
        finding = Finding("", whole.estimate, whole.reference, in_short(notes), whole.chance)
        smallest = min(k.smallest for k in found.kindred)
        return scores(self, {"": finding}, parts, smallest, incomplete=failed) + failed
