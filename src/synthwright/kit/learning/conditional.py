"""The distribution of one column given the columns made before it: trees, a guide, a lean, and a correction.

The *trees* propose: each is grown on half of the rows, and a leaf holds the codes of all rows in it. The *guide* is a
prediction of the column from the columns before, learned on some rows and asked on others, that the trees can split on:
where a smooth function rules, or many columns tell a little each, it is worth many splits. The *lean* says which rows
of a leaf stand high in it (`leans.py`). The *correction* is a boosted classifier that tells real values from what the
trees propose for rows they were not grown on; its odds are the ratio of the two densities. Each is kept only where rows
that were set aside say that it helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.coding.codecs import PROTECT
from synthwright.kit.learning.additive import Additive, Scores, contrasted, points_are_sound
from synthwright.kit.learning.additive import is_sound as trees_are_sound
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.draws import Line, Looks, corrected, drawn, likelihoods, matrix
from synthwright.kit.learning.guides import FEW, FINE, LEARN, TASTE, Guide, as_matrix, guided, pointed
from synthwright.kit.learning.information import PIECE, cut_evenly, information, informations
from synthwright.kit.learning.leans import leaning, lined_up
from synthwright.kit.learning.splits import Features, Growth, Target
from synthwright.kit.learning.trees import Forest, Tree, blank, filled, grown, joined, leaves
from synthwright.kit.learning.trees import is_sound as forest_is_sound

WIDE = 64
"""Columns that a column is made from, at most: those that tell most about it."""
MANY = 300
"""Rows below which nothing but trees is learned where a table has more columns than that: it would take minutes."""
NEAR = 3
"""Columns that a correction compares a value with."""
OUTSTANDING = 0.25
"""The share of the fewest rows of a leaf that one has which stands out: a rare class keeps what tells it apart."""
HELPS = 0.0005
"""Nats a row that a correction must gain."""
PROMISES = 0.0002
"""Nats a row that a correction must gain on a few rows to be learned from all."""
ASIDE = 5
"""One row of so many is set aside."""
PARTS = 16
"""Labels that tell which rows are alike, the most frequent ones."""
WEIGHT = 0.5
"""Rows that what holds on the whole counts for, where conditions are weighed."""


class Dials(NamedTuple):
    """How conditionals are learned."""

    leaf: int
    evidence: float
    trees: int
    rounds: int
    candidates: int
    refine: bool
    """Whether guides and corrections are learned."""
    valued: bool = False
    """Whether only rows that have a value are learned from: no value is made where none may be missing."""
    guided: bool = False
    """Whether the last feature is a guide that every node looks at."""
    share: float = 0.8
    """Of the columns, drawn at random, that each node of a tree looks at, at most."""
    protect: int = PROTECT
    """How many rows every number is a mean of that is kept of what a sum misses."""


class Correction(NamedTuple):
    """What tells real values from proposed ones."""

    trees: Additive
    near: np.ndarray
    """int64: the columns, by position in the table's order, that values are compared with."""


class _Half(NamedTuple):
    """A tree, the rows that it was grown on, ascending, and those that it was not."""

    tree: Tree
    mine: np.ndarray
    rest: np.ndarray


@dataclass(frozen=True)
class Conditional:
    """How one column follows from those before it."""

    seen: np.ndarray
    """int64: the columns that it is made from, by position in the table's order."""
    forest: Forest
    guide: Guide | None
    correction: Correction | None
    lean: Scores | None = None
    """How rows lean within their leaf."""

    def features(self, bins: np.ndarray, nominal: np.ndarray) -> Features:
        """Return what the trees split on, for rows of which the columns before are known."""
        mine = np.ascontiguousarray(bins[self.seen])
        labels = nominal[self.seen]
        if self.guide is not None:
            mine = np.concatenate([mine, self.guide.bins(mine)[None]])
            labels = np.append(labels, False)
        return Features(mine, labels)

    def draw(
        self, column: Coded, features: Features, others: np.ndarray, rng: np.random.Generator, size: int
    ) -> np.ndarray:
        """Return a place (uint32) for every row.

        Args:
            column: the column itself.
            features: of `features`.
            others: float32, columns × rows: the values of the columns in `correction.near`.
            rng: the randomness.
            size: how many draws are corrected at a time; 1: none is corrected.
        """
        rows, line = features.bins.shape[1], Line(*column.line)
        order, seed = lined_up(self.lean, features.bins, rng), rng.integers(2**63, dtype=np.uint64)
        if self.correction is None or size < 2:
            which = (rng.permutation(rows) % len(self.forest.roots)).astype(np.int8)
            return drawn(features, self.forest, line, which, order, seed)
        looks = Looks(column.rank, column.level, others)
        seen = as_matrix(features.bins)
        return corrected(features, self.forest, line, order, seed, seen, looks, self.correction.trees, size)

    def likelihood(self, column: Coded, features: Features, places: np.ndarray) -> np.ndarray:
        """Return how likely the places of the rows are, given the columns before."""
        groups = column.groups
        return likelihoods(features, self.forest, groups, column.group_shares, groups[places], WEIGHT)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name: `of_arrays` makes the same from them."""
        held = {"seen": self.seen, "roots": self.forest.roots, "held": self.forest.held}
        groups: list[tuple[str, Any]] = [("tree", self.forest.tree)]
        if self.guide is not None:
            held.update(self.guide.arrays())
        if self.lean is not None:
            held["lean"] = self.lean.points
        if self.correction is not None:
            held["near"] = self.correction.near
            groups.append(("correction", self.correction.trees))
        for name, group in groups:
            held.update({f"{name}:{k}": v for k, v in group._asdict().items()})
        return held

    @staticmethod
    def of_arrays(held: dict[str, np.ndarray]) -> Conditional:
        """Rebuild it."""

        def part(kind: Any, name: str) -> Any:
            return kind(**{k: held[f"{name}:{k}"] for k in kind._fields})

        correction = None
        if "near" in held:
            correction = Correction(part(Additive, "correction"), held["near"])
        forest = Forest(part(Tree, "tree"), held["roots"], held["held"])
        lean = Scores(held["lean"]) if "lean" in held else None
        return Conditional(held["seen"], forest, Guide.of_arrays(held), correction, lean)

    def is_sound(self, position: int, places: int) -> bool:
        """Return whether what was read from a file can be drawn from, at a position of the table's order."""
        guided = int(self.guide is not None)
        width = len(self.seen) + guided
        found = bool(((self.seen >= 0) & (self.seen < position)).all())
        found &= forest_is_sound(self.forest, width, places)
        if self.guide is not None:
            found &= self.guide.is_sound(width - 1)
        if self.lean is not None:
            found &= points_are_sound(self.lean, width)
        if self.correction is not None:
            near = self.correction.near
            found &= bool(((near >= 0) & (near < position)).all())
            found &= trees_are_sound(self.correction.trees, width + 1 + 2 * len(near))
        return found


_NONE = np.zeros((0, 0), np.uint8)


class Known(NamedTuple):
    """The rows to learn from, column by column in the table's order."""

    columns: Sequence[Coded]
    places: Sequence[np.ndarray]
    bins: np.ndarray
    """uint8, columns × rows."""
    nominal: np.ndarray
    coarse: np.ndarray = _NONE
    """uint8, columns × rows: the columns in a few parts; empty where there are few columns."""

    @staticmethod
    def of(columns: Sequence[Coded], places: Sequence[np.ndarray]) -> Known:
        """Return columns and the places of their rows, ready to learn from."""
        pairs = list(zip(columns, places, strict=True))
        bins = np.array([c.bins[p] for c, p in pairs])
        coarse = _NONE
        if len(columns) > WIDE:
            coarse = np.array([cut_evenly(c.rank[p]) for c, p in pairs]).astype(np.uint8)
        return Known(columns, places, bins, np.array([not c.ordered for c in columns]), coarse)

    def of_rows(self, rows: np.ndarray, columns: int) -> Known:
        """Return the first columns of some rows."""
        bins = np.ascontiguousarray(self.bins[:columns, rows])
        coarse = np.ascontiguousarray(self.coarse[:columns, rows]) if self.coarse.size else self.coarse
        places = [p[rows] for p in self.places[:columns]]
        return Known(self.columns[:columns], places, bins, self.nominal[:columns], coarse)


def learned(
    known: Known, position: int, dials: Dials, ctx: Context, seen: np.ndarray | None = None
) -> Conditional:  # fmt: skip
    """Return how the column at a position follows from those before it; from `seen`, where that is known already."""
    column, places = known.columns[position], heard(known, position, ctx.at("heard").rng)
    rows = np.flatnonzero(places < column.size + (not dials.valued)).astype(np.int32)
    seen = telling(known, position, rows, ctx.at("seen").rng) if seen is None else seen
    mine = Conditional(seen, nothing(places[rows], column.size), None, None)
    if not len(seen) or len(rows) < 2 * dials.leaf or (places[rows] == places[rows[0]]).all():
        return mine
    features = mine.features(known.bins, known.nominal)
    guide = None
    enough = len(rows) >= (FEW if len(known.columns) <= WIDE else MANY)
    dials = dials._replace(refine=dials.refine and enough)
    if dials.refine and column.ordered and column.token_count > FINE:
        guide, bins = guided(features.bins, column.rank[places], rows, ctx.at("guide"))
    if dials.refine and guide is None:
        guide, bins = pointed(column, places, features, rows, _growth(features, dials), ctx.at("points"))
        dials = dials._replace(guided=guide is not None)
    if guide is not None:
        features = Features(np.concatenate([features.bins, bins[None]]), np.append(features.nominal, False))
    rng = ctx.at("trees").rng
    forest, halves = _forest(column, places, features, rows, dials, rng)
    parts = [(half.rest, leaves(features, half.tree, half.rest)) for half in halves]
    lean = leaning(column, places, features, parts, ctx.at("lean").rng) if halves else None
    mine = Conditional(seen, forest, guide, None, lean)
    if not halves or not dials.rounds:
        return mine
    others = [(half.rest, _proposed(features, half, Line(*column.line), places, lean, rng)) for half in halves]
    near = _near(known, position, seen, rows) if column.ordered else np.zeros(0, np.int64)
    looks = Looks(column.rank, column.level, levels(known.columns, known.places, near))
    trees = _correction(as_matrix(features.bins), looks, places, others, dials, ctx.at("correction"))
    return mine if trees is None else replace(mine, correction=Correction(trees, near))


def heard(known: Known, position: int, rng: np.random.Generator) -> np.ndarray:
    """Return the places of a column, those that are not kept dealt among those that are: nulls stay as frequent.

    They are dealt among rows that are alike in the column before that tells most: a rare result of one kind of test
    does not become a common one of another.
    """
    column, places = known.columns[position], known.places[position]
    rare, kept = np.flatnonzero(places > column.size), np.flatnonzero(places < column.size)
    if not len(rare) or not column.size:
        return places
    places = places.copy()
    own = np.minimum(column.rank[places], PARTS).astype(np.int64)
    some = kept[rng.permutation(len(kept))[:TASTE]]
    others = (_coarse(known, k) for k in range(min(position, WIDE))) if len(some) else iter(())
    best = max(others, key=lambda one: information(own[some], one[some]), default=np.zeros(len(places), np.int64))
    order = kept[np.argsort(best[kept], kind="stable")]
    first, last = (np.searchsorted(best[order], best[rare], side=side) for side in ("left", "right"))
    at = first + (rng.random(len(rare)) * (last - first)).astype(np.int64)
    alone = rng.choice(column.size, size=len(rare), p=column.codec.shares)
    places[rare] = np.where(last > first, places[order[np.minimum(at, len(order) - 1)]], alone) if len(order) else alone
    return places


def _coarse(known: Known, position: int) -> np.ndarray:
    """Return the bins of a column, those of one with an order in a few parts."""
    bins = known.bins[position].astype(np.int64)
    return bins if known.nominal[position] else cut_evenly(bins)


def levels(columns: Sequence[Coded], places: Sequence[np.ndarray], near: np.ndarray) -> np.ndarray:
    """Return the values of some columns, by position (float32, columns × rows)."""
    found = np.empty((len(near), len(places[0]) if places else 0), np.float32)
    for k, at in enumerate(near):
        found[k] = columns[at].level[places[at]]
    return found


def nothing(places: np.ndarray, nothing: int) -> Forest:
    """Return a forest of one leaf; of the place of no value where there are no rows."""
    places = places if len(places) else np.array([nothing])
    tree = blank(1)._replace(stop=np.full(1, len(places), np.int64))
    return Forest(tree, np.zeros(1, np.int32), np.sort(places).astype(np.uint32))


def telling(known: Known, position: int, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the columns before a position, or of many those with which it shares most information."""
    before = np.arange(position)
    if position <= WIDE or not len(rows):
        return before
    some = rows[rng.permutation(len(rows))[:5_000]]
    own = known.coarse[position][some]
    pieces = np.array_split(before, -(-position * len(some) // PIECE))
    told = np.concatenate([informations(own, known.coarse[np.ix_(piece, some)]) for piece in pieces])
    found: np.ndarray = np.sort(np.argsort(-told, kind="stable")[:WIDE])
    return found


def uncorrected(
    column: Coded, places: np.ndarray, features: Features, rows: np.ndarray, dials: Dials, rng: np.random.Generator
) -> Forest:  # fmt: skip
    """Return trees for the places of a column in some rows."""
    return _forest(column, places, features, rows, dials, rng)[0]


def _forest(
    column: Coded,
    places: np.ndarray,
    features: Features,
    rows: np.ndarray,
    dials: Dials,
    rng: np.random.Generator,
) -> tuple[Forest, list[_Half]]:
    """Return the trees, and those of the first pair with the rows that each did not see, where more is learned."""
    target = Target(column.tokens[places], column.token_count, column.ordered)
    growth = _growth(features, dials)
    by_place = rows[np.argsort(places[rows], kind="stable")]
    held, halves = [], []
    mixed = rows
    for k in range(dials.trees):
        mixed = rng.permutation(rows) if k % 2 == 0 else mixed
        mine, rest = mixed[k % 2 :: 2].copy(), mixed[1 - k % 2 :: 2]
        tree = grown(features, target, growth, mine, int(rng.integers(2**63)))
        leaf = leaves(features, tree, by_place)
        held.append(filled(tree, leaf, places[by_place].astype(np.uint32)))
        if dials.refine and k < 2:
            halves.append(_Half(tree, np.sort(mine), rest))
    if all(len(t.feature) == 1 for t, _ in held):
        held = held[:1]
    return joined(held), halves


def _growth(features: Features, dials: Dials) -> Growth:
    """Return how a tree grows on half of the rows."""
    share = min(dials.share, 32 / len(features.nominal))
    return Growth(max(2, dials.leaf // 2), dials.evidence, 32, 12.0, share, 20_000, 2, OUTSTANDING, dials.guided)


def _proposed(
    features: Features, half: _Half, line: Line, places: np.ndarray, lean: Scores | None, rng: np.random.Generator
) -> np.ndarray:
    """Return what a tree proposes for rows it did not see, holding only the rows it saw."""
    tree, rest = half.tree, half.rest
    mine = half.mine[np.argsort(places[half.mine], kind="stable")]
    alone = joined([filled(tree, leaves(features, tree, mine), places[mine].astype(np.uint32))])
    asked = Features(np.ascontiguousarray(features.bins[:, rest]), features.nominal)
    seed = rng.integers(2**63, dtype=np.uint64)
    return drawn(asked, alone, line, np.zeros(len(rest), np.int8), lined_up(lean, asked.bins, rng), seed)


def _near(known: Known, position: int, seen: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the ordered columns before that a column goes with most, by the correlation of their ranks."""
    some = rows[:20_000]
    own = known.columns[position].rank[known.places[position][some]]
    able = [int(k) for k in seen if known.columns[k].ordered and known.columns[k].size > 1]
    scores = []
    for k in able:
        other = known.columns[k].rank[known.places[k][some]]
        spread = float(own.std() * other.std())
        scores.append(abs(float(((own - own.mean()) * (other - other.mean())).mean())) / spread if spread > 0 else 0.0)
    best = [able[i] for i in np.argsort(-np.array(scores), kind="stable")[:NEAR] if scores[i] > 0.05]
    return np.array(best, dtype=np.int64)


def _correction(
    base: np.ndarray, looks: Looks, places: np.ndarray, others: list[tuple[np.ndarray, np.ndarray]], dials: Dials,
    ctx: Context,
) -> Additive | None:  # fmt: skip
    """Return the correction of what trees propose; nothing where it would not help."""
    ids = np.concatenate([rows for rows, _ in others])
    codes = np.concatenate([found for _, found in others])
    some = ctx.rng.permutation(len(ids))[:LEARN]
    ids, codes = ids[some], codes[some]
    if len(ids) < 200:
        return None
    real = matrix(base, looks, ids, places[ids].astype(np.uint32))
    made = matrix(base, looks, ids, codes)
    aside = np.arange(len(ids)) % ASIDE == 0
    if len(ids) > 3 * TASTE:
        few = slice(2 * TASTE)
        taste = contrasted(real[few], made[few], (aside[few], aside[few]), 20, ctx.at("taste"))
        if taste.gain < PROMISES:
            return None
    found = contrasted(real, made, (aside, aside), dials.rounds, ctx.at("learn"))
    enough = max(HELPS, 4 / (2 * int(aside.sum())))
    return found.trees if found.gain > enough else None
