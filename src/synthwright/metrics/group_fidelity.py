"""Whether synthetic rows are as good for every group of people as real rows would be."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.values import numbers
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.measuring.groups import FEWEST, Silence, Way, sensitive, ways
from synthwright.kit.measuring.replicas import Replicas, told
from synthwright.kit.measuring.stats import shared_codes
from synthwright.metrics.comparing import Finding, Trio, numeric, scores, trios, without

_SOME = 10
"""Synthetic rows that a group must have to be compared."""


class GroupFidelity(Metric):
    """How far columns are from held-out rows within each group, the mean over columns and groups: 0 the same, 1 apart.

    The rows of each group, by each sensitive column and by all of them at once, are compared with the held-out rows of
    the same group: the Kolmogorov-Smirnov distance for values with an order, total variation for labels, over all
    modelled columns but those that make the group. Every group counts alike, whatever its size. Left out is one that
    has fewer than 20 held-out rows, or 20 among as many training rows as there are synthetic ones; one that has those,
    and fewer than ten synthetic rows, is a failure. The reference compares as many training rows of the group. The
    interval is the jackknife's, the chance comes from exchanging groups of rows between both sides (Pitman 1937).
    """

    name: ClassVar[str] = "group-fidelity"
    group: ClassVar[Literal["bias"]] = "bias"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It looks at one column at a time: how columns go together within a group is not seen."

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = sensitive(case)
        if isinstance(found, Silence):
            return without(self, *found)
        tables: dict[str, np.ndarray] = {}
        parts: dict[str, np.ndarray] = {}
        failed, rows, notes = [], [], {}
        for trio in trios(case, ctx):
            if trio.table not in found or not trio.smallest:
                continue
            each = ways(case, trio.table, found[trio.table], (trio.real, trio.synthetic, trio.second))
            known, replicas = _columns(trio), trio.dealt(ctx.at(trio.table).rng)
            within: dict[str, np.ndarray] = {}
            for way in each:  # all with the same replicas, so that the error of their mean is right
                near, lost = _within(way, trio, known, replicas, ctx.at(trio.table))
                within |= near
                failed += [Score(self.name, n, status="failed", problem=_LOST) for n in lost]
            if within:
                tables[trio.table] = np.mean(list(within.values()), axis=0)
                notes[trio.table] = "; ".join(n for n in (trio.note, f"{len(within)} groups were compared") if n)
                parts |= within
                rows.append(trio.smallest)
        if failed and not tables:
            return [*without(self, _LOST, "failed"), *failed]
        if not tables:
            return without(self, f"no group has {FEWEST} rows of each kind, and a column to compare")
        whole = {t: _finding(t, r, 1)._replace(note=notes[t]) for t, r in tables.items()}
        some = [_finding(n, r, len(parts)) for n, r in parts.items()]
        return scores(self, whole, some, min(rows), incomplete=failed) + failed


_LOST = "real rows have this group, and synthetic rows hardly"


def _finding(about: str, replicates: np.ndarray, parts: int) -> Finding:
    said = told(replicates)
    return Finding(about, said.estimate, said.reference, chance=allowance(said.error, parts))


class _Column(NamedTuple):
    """One column of a trio, ready to be compared for any of its rows."""

    real: np.ndarray
    others: np.ndarray
    size: int | None
    """How many codes there are; None for numbers."""

    def distances(self, mine: Replicas, real: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the replicates of the distance between some held-out rows and some of the others."""
        if self.size is None:
            return mine.ordered(self.real[real], self.others[others])
        return mine.labelled(self.real[real], self.others[others], self.size)


def _columns(trio: Trio) -> dict[str, _Column]:
    found = {}
    for column, field in trio.fields.items():
        sides = trio.column(column)
        if numeric(field):
            found[column] = _Column(numbers(sides[0]), numbers(sides[1]), None)
        else:
            codes, size = shared_codes(sides)
            found[column] = _Column(codes[0], codes[1], size)
    return found


def _within(way: Way, trio: Trio, known: dict[str, _Column], replicas: Replicas, ctx: Context
            ) -> tuple[dict[str, np.ndarray], list[str]]:  # fmt: skip
    """Return the replicates of each group's mean distance, and the groups that synthetic rows lost."""
    columns = [held for c, held in known.items() if c not in way.columns]
    found, lost = {}, []
    for i, name in enumerate(way.names if columns else ()):
        real, synthetic, second = (np.flatnonzero(codes == i) for codes in way.codes)
        if min(len(real), len(second)) < FEWEST:  # both others have equally many rows in all groups together
            continue
        if len(synthetic) < _SOME:
            lost.append(name)
            continue
        same, rng = min(len(synthetic), len(second)), ctx.at(name).rng  # noise alone keeps small samples apart
        synthetic, second = (np.sort(rng.permutation(r)[:same]) for r in (synthetic, second))
        others = np.concatenate([synthetic, trio.synthetic.num_rows + second])
        mine = Replicas(replicas.real[real], replicas.other[others], same, replicas.chosen)
        found[name] = np.mean([c.distances(mine, real, others) for c in columns], axis=0)
    return found, lost
