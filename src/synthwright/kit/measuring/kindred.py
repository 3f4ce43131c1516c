"""Children and parents of three samples, side by side: held-out rows, synthetic ones, and a second real sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.kit.kinship import Folk, Link, effective, links_of, made_folk, most_among, real_folk
from synthwright.kit.measuring.chance import LEVEL, allowance
from synthwright.kit.measuring.replicas import EXCHANGES, Replicas, dealt, told
from synthwright.kit.measuring.stats import GROUPS, Estimate

FEWEST = 4
"""Real rows of a parent table below which nothing is compared."""
_SAID = 3
"""Notes that are told of all links."""
_FREE = 2 * GROUPS - 2
"""Degrees of freedom of a standard error that all groups of two samples tell."""


class Brood(NamedTuple):
    """The children and parents of a link in one sample."""

    folk: Folk
    parents: np.ndarray
    """Which rows of the parent table they are."""
    children: np.ndarray
    """Which rows of the child table; each has its parent here."""
    owner: np.ndarray
    """For each child the position of its parent among `parents`."""

    @property
    def counts(self) -> np.ndarray:
        """How many children each parent has."""
        return np.bincount(self.owner, minlength=len(self.parents))

    def thinned(self, most: float, rng: np.random.Generator) -> Brood:
        """Return it with so many children for each parent on average, chosen at random; with all if it has fewer."""
        stay = round(most * len(self.parents))
        if stay >= len(self.children):
            return self
        chosen = np.sort(rng.choice(len(self.children), size=stay, replace=False))
        return self._replace(children=self.children[chosen], owner=self.owner[chosen])


class Kindred(NamedTuple):
    """One link in three samples."""

    link: Link
    real: Brood
    """Rows that were not trained on."""
    synthetic: Brood
    second: Brood
    """The second real sample."""
    fixed: bool
    """Whether all three have the same parents."""
    note: str
    """Why children were left out; empty where all are there."""
    exchanges: Replicas
    """Which groups are exchanged: the same for all links, so that a mean over links is exchanged as a whole."""

    @property
    def broods(self) -> tuple[Brood, Brood, Brood]:
        """The three samples in the order in which they are dealt."""
        return self.real, self.synthetic, self.second

    @property
    def smallest(self) -> int:
        """Parents of the smallest sample."""
        return min(len(b.parents) for b in self.broods)


class Drawn(NamedTuple):
    """Rows of three samples of a link: as many synthetic ones as of the second real sample."""

    rows: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Held-out, synthetic, second: positions among the parents, or among the children, of a brood."""
    replicas: Replicas
    factor: float
    """By how much wider than normal what chance does is, because the rows are of few families."""
    note: str

    def widened(self, found: np.ndarray) -> np.ndarray:
        """Return replicates whose exchanges tell of chance as many families would."""
        return np.concatenate([found[: -2 * EXCHANGES], self.factor * found[-2 * EXCHANGES :]])


class Weighed(NamedTuple):
    """What replicates come to."""

    estimate: Estimate
    reference: float
    chance: float


def weighed(found: np.ndarray, parts: int = 1) -> Weighed:
    """Return what the replicates of a distance come to, where it is the worst of so many parts."""
    said = told(found)
    return Weighed(said.estimate, said.reference, allowance(said.error, parts))


class Related(NamedTuple):
    """All links of a case."""

    kindred: tuple[Kindred, ...]
    faults: tuple[tuple[str, str], ...] = ()
    """What a score would be about, and why there is none."""
    problem: str = ""
    """Why there is nothing to compare; empty where there is."""


def related(case: Case, ctx: Context) -> Related:
    """Return the links that real rows have, in three samples; the same for the same context."""
    if case.train is None:
        return Related((), problem="there are no real rows to compare with")
    if not links_of(case.schema):
        return Related((), problem="no column refers to rows of a table")
    real = real_folk(case.train, case.holdout, ctx.at("real"))
    made = made_folk(case.synthetic, real, ctx.at("synthetic"))
    exchanges = dealt(0, 0, 0, ctx.at("exchanges").rng)
    kindred: list[Kindred] = []
    faults: list[tuple[str, str]] = []
    for link in real.owner:
        if case.train.rows(link.parent) < FEWEST:
            continue
        if link not in made.owner:
            lacking = next(c for c in (link.about, f"{link.parent}.{link.key}") if not case.synthetic.has(c))
            faults.append((link.about, f"the synthetic data lacks {lacking!r}"))
        elif not case.synthetic.rows(link.parent):
            faults.append((link.about, f"the synthetic table {link.parent!r} has no rows"))
        else:
            kindred.append(_kindred(case, link, (real, made), exchanges, ctx.at(link.about)))
    ready = tuple(k for k in kindred if k.smallest >= 2)
    few = "" if ready or faults else f"too few rows: each side needs some {FEWEST} rows that others refer to"
    return Related(ready, tuple(faults), few)


def _kindred(case: Case, link: Link, folks: tuple[Folk, Folk], exchanges: Replicas, ctx: Context) -> Kindred:
    real, made = folks
    side = real.side[link.parent]
    unseen, second = (_brood(real, link, np.flatnonzero(side == s)) for s in (0, 1))
    synthetic = _brood(made, link, np.arange(made.tables[link.parent].num_rows))
    shared = link in real.shared
    fixed = shared and most_among(made.tables[link.parent], real.tables[link.parent])
    why = _loose(case, link, shared=shared)
    if why:
        least = min(len(b.children) / max(len(b.parents), 1) for b in (unseen, synthetic, second))
        unseen, synthetic, second = (
            b.thinned(least, ctx.at(name).rng) if least else b
            for b, name in ((unseen, "real"), (synthetic, "synthetic"), (second, "second"))
        )
    return Kindred(link, unseen, synthetic, second, fixed, why, exchanges)


def _brood(folk: Folk, link: Link, parents: np.ndarray) -> Brood:
    owner = folk.owner[link]
    place = np.full(folk.tables[link.parent].num_rows + 1, -1)  # the last one for nobody's children
    place[parents] = np.arange(len(parents))
    mine = place[owner]
    children = np.flatnonzero(mine >= 0)
    return Brood(folk, parents, children, mine[children])


def _loose(case: Case, link: Link, *, shared: bool) -> str:
    """Return why how many children a parent has on average says nothing; empty where it does."""
    if shared:
        return f"means are not compared, as {link.parent!r} has the same rows on all sides"
    if case.chosen:
        return "means are not compared, as columns were set"
    child, parent = ((case.asked or {}).get(t, 0) for t in (link.child, link.parent))
    assert case.train is not None  # noqa: S101  the caller looked
    had = case.train.rows(link.child) * parent
    if child and parent and link.child != link.parent and abs(child * case.train.rows(link.parent) - had) > 0.01 * had:
        return "means are not compared, as so many rows of each table were asked for"
    return ""


def parents_drawn(kin: Kindred, most: int, ctx: Context) -> Drawn:
    """Draw parents: at most so many of each sample, as many synthetic ones as of the second real sample."""
    sizes = [len(b.parents) for b in kin.broods]
    same = min(most, *sizes[1:])
    rows = [_some(n, k, ctx.at(i).rng) for i, (n, k) in enumerate(zip(sizes, (most, same, same), strict=True))]
    by = [(b.folk, kin.link.parent, b.parents[r]) for b, r in zip(kin.broods, rows, strict=True)]
    return _drawn(kin, rows, by, _note(sizes, most))


def children_drawn(kin: Kindred, most: int, ctx: Context) -> Drawn | None:
    """Draw parents with all their children, up to so many children; None where a sample has none."""
    sizes = [len(b.children) for b in kin.broods]
    if not all(sizes):
        return None
    same = min(most, *sizes[1:])
    rows = [_whole(b, k, ctx.at(i).rng) for i, (b, k) in enumerate(zip(kin.broods, (most, same, same), strict=True))]
    up = [(b.folk, kin.link.parent, b.parents[b.owner[r]]) for b, r in zip(kin.broods, rows, strict=True)]
    own = [(b.folk, kin.link.child, b.children[r]) for b, r in zip(kin.broods, rows, strict=True)]
    apart = [effective(f.family[t][w]) for f, t, w in (up[2], own[2])]
    # whom a row came with decides what it shares with others; where that are two, whichever makes fewer families
    by = own if kin.fixed or apart[1] <= apart[0] else up
    return _drawn(kin, rows, by, _note(sizes, most))


def siblings(kin: Kindred, drawn: Drawn, ctx: Context) -> tuple[Drawn, Drawn] | None:
    """Return children that were drawn and beside each another child of its parent, nobody twice; None where are none.

    As many synthetic pairs as of the second real sample.
    """
    pairs = [_pairs(b.owner[r], ctx.at(i).rng) for i, (b, r) in enumerate(zip(kin.broods, drawn.rows, strict=True))]
    same = min(len(left) for left, _ in pairs[1:])
    if min(same, len(pairs[0][0])) < FEWEST:
        return None
    most = (len(pairs[0][0]), same, same)
    kept = [
        _some(len(left), k, ctx.at("kept", i).rng) for i, ((left, _), k) in enumerate(zip(pairs, most, strict=True))
    ]
    sides = [[r[p[side][k]] for r, p, k in zip(drawn.rows, pairs, kept, strict=True)] for side in (0, 1)]
    by = [(b.folk, kin.link.child, b.children[r]) if kin.fixed else (b.folk, kin.link.parent, b.parents[b.owner[r]])
          for b, r in zip(kin.broods, sides[0], strict=True)]  # fmt: skip
    first = _drawn(kin, sides[0], by, drawn.note)
    return first, first._replace(rows=(sides[1][0], sides[1][1], sides[1][2]))


def _pairs(owner: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of rows two and two: neighbours of one owner, in an order of chance."""
    shuffled = rng.permutation(len(owner))
    order = shuffled[np.argsort(owner[shuffled], kind="stable")]
    whose = owner[order]
    begins = np.flatnonzero(np.diff(whose, prepend=-1))
    turn = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    first = np.flatnonzero((turn[:-1] % 2 == 0) & (whose[1:] == whose[:-1]))
    return order[first], order[first + 1]


def _some(count: int, most: int, rng: np.random.Generator) -> np.ndarray:
    if count <= most:
        return np.arange(count)
    return np.sort(rng.choice(count, size=most, replace=False))


def _whole(brood: Brood, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return the children of parents that are drawn at random until there are so many; the last may lack some."""
    if len(brood.children) <= most:
        return np.arange(len(brood.children))
    turn = rng.permutation(len(brood.parents))[brood.owner]
    return np.sort(np.argsort(turn, kind="stable")[:most])


def _drawn(kin: Kindred, rows: list[np.ndarray], by: list[tuple[Folk, str, np.ndarray]], note: str) -> Drawn:
    from scipy.stats import t as student

    groups = [folk.group[table][which] for folk, table, which in by]
    folk, table, which = by[2]
    free = min(max(2 * effective(folk.family[table][which]) - 2, 1.0), _FREE)
    factor = float(student.isf(LEVEL, free) / student.isf(LEVEL, _FREE))
    other = np.concatenate([groups[1], groups[2] + GROUPS])
    chosen = _even(kin.exchanges.chosen, np.bincount(other, minlength=2 * GROUPS))
    replicas = Replicas(groups[0], other, len(rows[1]), chosen)
    return Drawn((rows[0], rows[1], rows[2]), replicas, factor, note)


def _even(chosen: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return which groups count, those of exchanges with weights: half of what counts is of each sample.

    Families differ in size, and so do groups of them. Without weights, halves would have more or less of the one
    sample, and what parts it from the other would be taken for chance.
    """
    out = chosen.copy()
    for own in (slice(0, GROUPS), slice(GROUPS, 2 * GROUPS)):
        counted = out[-2 * EXCHANGES :, own] @ sizes[own]
        out[-2 * EXCHANGES :, own] *= (sizes[own].sum() / 2 / np.maximum(counted, 1.0))[:, None]
    return out


def _note(sizes: list[int], most: int) -> str:
    names = ("held-out", "synthetic", "training")
    said = [f"{most:,} of {n:,} {name} rows" for n, name in zip(sizes, names, strict=True) if n > most]
    return f"measured on a random sample: {', '.join(said)}" if said else ""


def in_short(notes: Sequence[str]) -> str:
    """Return what was left out or sampled, for people: the first of many notes."""
    rest = [f"and {len(notes) - _SAID:,} more"] if len(notes) > _SAID else []
    return "; ".join([*notes[:_SAID], *rest])
