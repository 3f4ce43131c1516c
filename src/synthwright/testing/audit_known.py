"""Audits by whoever knows every row but one, and what each noisy number of a release is about.

`audit` learns from releases what tells neighbours apart, and spends half of them on that. Of noisy counts it is known:
what an attacker who has all other rows would compute (the likelihood ratio of Gaussian noise), and where the threshold
lies. All releases then test it, which halves what a proof takes. The statistic decides only how much is found: each
bound holds for any.

- *gaussian*: error rates bound the mu of Gaussian differential privacy, as in `audit`; for mechanisms in which all
  noise is Gaussian, and nothing is chosen in another way.
- *concentrated*: error rates bound the rho of zero-concentrated privacy of any mechanism, for a test is a computation
  on releases, and Rényi divergences do not grow by those (Bun and Steinke 2016, lemma 2.2): rho is at least
  D_alpha(Bernoulli(true positives) || Bernoulli(false positives)) / alpha, for every alpha above one, and the other way
  round. It is told as the epsilon that the accountant makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.private import PrivateGenerator
from synthwright.core.spend import Release, Spend
from synthwright.kit.private.accounting import epsilon_of
from synthwright.kit.private.inference import coarsely
from synthwright.kit.private.marginals import Coded, Groups
from synthwright.kit.private.release import read
from synthwright.testing import audit

Evidence = Callable[[Release], float]
"""Of a release a number above zero where the row is likelier there than not."""
Currency = Literal["gaussian", "concentrated"]


class Attack(NamedTuple):
    """How neighbours are told apart."""

    evidence: Evidence
    currency: Currency
    """What the error rates bound."""


_ALPHAS = 1 + np.geomspace(1e-4, 1e3, 400)


def audit_known(
    maker: PrivateGenerator, neighbours: tuple[Dataset, Dataset], part: Part, *, budget: Spend, times: int,
    attack: Attack,
) -> audit.Audited:  # fmt: skip
    """Measure neighbours many times each, and return how well an attack tells them apart.

    Args:
        maker: the generator.
        neighbours: real rows; and the same with one more.
        part: the columns to measure.
        budget: what each measurement may spend.
        times: how often each is measured.
        attack: how they are told apart; fixed before any release is seen.
    """
    seen = np.zeros(2, dtype=np.int64)
    spends = []
    for _ in range(times):
        for side, data in enumerate(neighbours):
            release = maker.measure(data, part, budget=budget, ctx=Context())
            seen[side] += attack.evidence(release) > 0
            spends.append(release.spend)
    false, hit = audit.rates(int(seen[0]), int(seen[1]), (times, times))
    delta = max(s.delta for s in spends)
    return audit.Audited(max(s.epsilon for s in spends), BOUNDS[attack.currency](hit, false, delta))


def concentrated(hit: float, false: float, delta: float) -> float:
    """Return the epsilon that the least rho with these error rates is at delta."""
    return epsilon_of(rho=rho_of(hit, false), delta=delta)


def rho_of(hit: float, false: float) -> float:
    """Return the least rho of zero-concentrated privacy with which a test has these error rates."""
    if not hit > false:
        return 0.0
    return float(max((_divergence(hit, false) / _ALPHAS).max(), (_divergence(false, hit) / _ALPHAS).max()))


def _divergence(p: float, q: float) -> np.ndarray:
    """Return the Rényi divergence of one coin from another, for every alpha."""
    with np.errstate(divide="ignore"):
        logs = [_ALPHAS * np.log(a) + (1 - _ALPHAS) * np.log(b) for a, b in ((p, q), (1 - p, 1 - q))]
    return np.logaddexp(*logs) / (_ALPHAS - 1)


BOUNDS: dict[Currency, Callable[[float, float, float], float]] = {
    "gaussian": audit.gaussian_epsilon, "concentrated": concentrated,
}  # fmt: skip
"""The bounds, by name."""


def evidence_of_counts(known: Dataset, having: Dataset, table: str) -> Evidence:
    """Return what noisy marginals tell of the last row of `having`, to whoever knows all others.

    Every noisy count in which the row would be is held against what the others make it: the logarithm of the likelihood
    ratio of Gaussian noise.
    """

    def evidence(release: Release) -> float:
        names, axes, singles, marginals = read(release)
        sides = [np.stack([a.encode(d.tables[table].column(n)) for n, a in zip(names, axes, strict=True)])
                 for d in (known, having)]  # fmt: skip
        rows, row = Coded(sides[0].astype(np.int32), tuple(a.size for a in axes)), sides[1][:, -1]
        told = sum(_ratio(float(counts[row[v]]), float(rows.counts((v,))[row[v]]), sigma)
                   for v, (counts, sigma) in enumerate(singles))  # fmt: skip
        groups = [Groups.by(*single) for single in singles]
        rows, row = rows.joined(groups), np.array([g.of[c] for g, c in zip(groups, row, strict=True)])
        for m in marginals:
            at, counts = tuple(row[v] for v in m.clique), rows.counts(m.clique)
            if m.coarse is not None:
                at, counts = tuple(of[i] for of, i in zip(m.coarse, at, strict=True)), coarsely(counts, m.coarse)
            told += _ratio(float(m.table[at]), float(counts[at]), float(m.sigma))
        return told

    return evidence


def _ratio(noisy: float, without: float, sigma: float) -> float:
    return (noisy - without - 0.5) / sigma**2
