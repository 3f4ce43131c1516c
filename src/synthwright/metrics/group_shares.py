"""Whether every group of people is as frequent in synthetic rows as in real ones."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.measuring.chance import LEVEL
from synthwright.kit.measuring.groups import Silence, Way, sensitive, ways
from synthwright.kit.measuring.replicas import told
from synthwright.metrics.comparing import Finding, Trio, scores, trios, without

_DRAWS = 20_000
"""How often rows change hands between synthetic rows and the second real sample."""
_KNOWN = 0.999
"""The quantile that so many draws tell well; those beyond are taken to lie as a normal distribution's would."""


class GroupShares(Metric):
    """How far the shares of groups are from those of held-out rows: 0 the same, 1 nothing shared.

    Groups are the labels (or quarters, of values with an order) of each sensitive column, and those of all sensitive
    columns of a table at once; fewer than 20 training rows make no group of their own and are pooled. The whole is the
    total variation distance between the shares of the groups by all columns at once: half the summed absolute
    differences. A part is the absolute difference of one group's share. The reference is the same of as many training
    rows. The interval is the jackknife's. The chance comes from rows that change hands at random between synthetic
    rows and training rows (a permutation test, Pitman 1937; beyond one case in a thousand extended as a normal tail).
    """

    name: ClassVar[str] = "group-shares"
    group: ClassVar[Literal["bias"]] = "bias"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "Shares like those of real rows keep whatever bias real rows have; groups of fewer than 20 rows are not told."
    )

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        found = sensitive(case)
        if isinstance(found, Silence):
            return without(self, *found)
        tables: dict[str, Finding] = {}
        parts: dict[str, Finding] = {}
        rows = []
        for trio in trios(case, ctx):
            if trio.table not in found or not trio.smallest:
                continue
            held = trio.real, trio.synthetic, trio.second
            each = ways(case, trio.table, found[trio.table], held)
            count = sum(len(w.names) for w in each)
            for way in each:  # the last is the finest
                whole, more = _compared(way, trio, count, ctx.at(trio.table, way.about))
                tables[trio.table] = whole._replace(note="; ".join(n for n in (trio.note, _smallest(way)) if n))
                parts |= {f.about: f for f in more}
            rows.append(trio.smallest)
        if not tables:
            return without(self, "too few rows: each side needs at least one")
        return scores(self, tables, list(parts.values()), min(rows))


def _smallest(way: Way) -> str:
    return f"the smallest of {len(way.names)} groups is {way.names[-1]}" if way.names else "no group has rows enough"


def _compared(way: Way, trio: Trio, count: int, ctx: Context) -> tuple[Finding, list[Finding]]:
    """Return how far the shares of all groups are apart, and that of each."""
    real, *others = way.codes
    replicas = trio.dealt(ctx.at("groups").rng)
    apart = replicas.counted(real, np.concatenate(others), way.size, _differences)
    stray, strays = _by_chance([np.bincount(c, minlength=way.size) for c in way.codes], count, ctx.at("chance"))
    said = told(apart.sum(axis=1) / 2)
    whole = Finding(trio.table, said.estimate, said.reference, chance=stray)
    shares = [np.bincount(c, minlength=way.size) / max(len(c), 1) for c in way.codes]
    found = []
    for i, name in enumerate(way.names):
        said, stray = told(apart[:, i]), float(strays[i])
        side = "fewer" if shares[1][i] < shares[0][i] else "more"
        note = f"{side} of the synthetic rows than of real ones" if said.estimate.value > said.reference + stray else ""
        found.append(Finding(name, said.estimate, said.reference, note, stray))
    return whole, found


def _differences(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.abs(left - right)


def _by_chance(counts: list[np.ndarray], parts: int, ctx: Context) -> tuple[float, np.ndarray]:
    """Return what chance alone adds to the distance of all shares, and to that of each (as the worst of all parts)."""
    from scipy.special import ndtri  # late: importing a recipe loads nothing heavy

    real, synthetic, second = counts
    pooled = synthetic + second
    drawn = ctx.rng.multivariate_hypergeometric(pooled, int(synthetic.sum()), size=_DRAWS)
    at = real / max(int(real.sum()), 1)
    sides = [np.abs(c / max(int(c.sum(axis=-1).max()), 1) - at) for c in (drawn, pooled - drawn)]
    whole = np.quantile((sides[0].sum(axis=1) - sides[1].sum(axis=1)) / 2, _KNOWN)
    each = np.quantile(sides[0] - sides[1], _KNOWN, axis=0)
    return float(whole * ndtri(LEVEL) / ndtri(1 - _KNOWN)), each * ndtri(LEVEL / max(parts, 1)) / ndtri(1 - _KNOWN)
