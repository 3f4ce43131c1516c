"""Guides: a prediction of a column from those before it, as one more thing that trees can split on.

Of a column with many values a boosted regression predicts the rank. Where that is not worth it, and for columns with
few values or with labels, *points* do (`scores.py`): where many columns tell a little each, as the answers of a
questionnaire do, they take far fewer rows than trees, which spend a split on each of them. Every row is told by what
was learned from other rows, so that trees do not trust a guide more than new rows will bear out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from synthwright.core.context import Context
from synthwright.kit.learning.additive import Additive, Scores, added, points_are_sound, predicted, regressed
from synthwright.kit.learning.additive import is_sound as trees_are_sound
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.scores import fitted
from synthwright.kit.learning.splits import Features, Growth, Target
from synthwright.kit.learning.trees import grown, leaves

LEARN = 50_000
"""Rows that guides and corrections are learned from, at most."""
FEW = 100
"""Rows below which neither is learned."""
GUIDED = 0.3
"""The share of a column's variance that a guide must explain."""
FINE = 20
"""Tokens below which a column needs no guide."""
TASTE = 4_000
"""Rows that say whether a guide or a correction is worth learning from all."""
ROUNDS, DEEP_ROUNDS = 200, 400
"""Boosting rounds of a guide, and of one of larger trees."""
UNENDING = 0.9
"""The share of its rounds after which a guide that still learned is worth larger trees."""
LEANS = 0.05
"""The share by which points must miss less than a tree, and larger trees than others, in squares."""
PARTS = 5
"""Parts of the rows, each told by points, or larger trees, of the others."""
POINTED = 20_000
"""Rows that points are learned from, at most."""
LABELS = 32
"""Labels that points tell apart, the most frequent ones."""

Teller = Additive | Scores
"""What a guide asks: trees that are added up, or points."""


class Guide(NamedTuple):
    """A prediction of the column, as one more thing to split on."""

    tellers: tuple[Teller, ...]
    """Each was learned from some of the rows, and told the others."""
    edges: np.ndarray
    """float64: where the bins of the prediction end."""

    def bins(self, bins: np.ndarray) -> np.ndarray:
        """Return the bin of the prediction for every row of features (uint8, features × rows)."""
        # One teller for each row: their mean would stray less than what each said of rows that it had not seen.
        parts = [np.arange(k, bins.shape[1], len(self.tellers)) for k in range(len(self.tellers))]
        return np.searchsorted(self.edges, _crossed(self.tellers, bins, parts)).astype(np.uint8)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name: `of_arrays` makes the same from them."""
        found = {"edges": self.edges}
        for k, teller in enumerate(self.tellers):
            found.update({f"guide-{k}:{name}": held for name, held in teller._asdict().items()})
        return found

    @staticmethod
    def of_arrays(held: dict[str, np.ndarray]) -> Guide | None:
        """Rebuild it; nothing where none was kept."""
        if "edges" not in held:
            return None
        kind: Any = Scores if "guide-0:points" in held else Additive
        count = len({name.partition(":")[0] for name in held if name.startswith("guide-")})
        tellers = (kind(**{n: held[f"guide-{k}:{n}"] for n in kind._fields}) for k in range(count))
        return Guide(tuple(tellers), held["edges"])

    def is_sound(self, features: int) -> bool:
        """Return whether what was read from a file can be asked about so many features."""
        return bool(len(self.tellers)) and all(
            points_are_sound(t, features) if isinstance(t, Scores) else trees_are_sound(t, features)
            for t in self.tellers
        )


def told(teller: Teller, bins: np.ndarray) -> np.ndarray:
    """Return what a teller says of every row of features (uint8, features × rows)."""
    found: np.ndarray = added(teller.points, bins) if isinstance(teller, Scores) else predicted(teller, as_matrix(bins))
    return found


def as_matrix(bins: np.ndarray) -> np.ndarray:
    """Return bins (features × rows) as boosted trees want them: float32, rows × features."""
    return np.ascontiguousarray(bins.T).astype(np.float32)


def guided(bins: np.ndarray, target: np.ndarray, rows: np.ndarray, ctx: Context) -> tuple[Guide | None, np.ndarray]:
    """Return a prediction of the column and its bin in every row, each predicted by the half that did not see it."""
    every = as_matrix(bins)
    some = ctx.rng.permutation(rows)[:LEARN]
    sides = some[::2], some[1::2]
    if _explained(every, target, (sides[0][:TASTE], sides[1][:TASTE]), 15, ctx.at("taste")) < GUIDED / 2:
        return None, np.zeros(0, np.uint8)
    matrices, targets = [every[side] for side in sides], [target[side] for side in sides]
    halves = [regressed(matrices[i], targets[i], (matrices[1 - i], targets[1 - i]), ROUNDS, ctx.at(i)) for i in (0, 1)]
    said = _crossed(halves, bins, sides[::-1])
    missed = float(((said[some] - target[some]) ** 2).mean())
    if missed > (1 - GUIDED) * float(target[some].var()):
        return None, np.zeros(0, np.uint8)
    if min(len(half.roots) for half in halves) >= UNENDING * ROUNDS:
        deeper, told_ = _deeper(bins, every, target, some, ctx.at("deep"))
        if float(((told_[some] - target[some]) ** 2).mean()) < (1 - LEANS) * missed:
            return edged(deeper, told_, some)
    return edged(halves, said, some)


def _deeper(
    bins: np.ndarray, every: np.ndarray, target: np.ndarray, some: np.ndarray, ctx: Context
) -> tuple[list[Additive], np.ndarray]:
    """Return what larger trees learn from most parts of the rows, and what each says of the part it has not seen."""
    parts, tellers = np.array_split(some, PARTS), []
    for k, part in enumerate(parts):
        mine = np.concatenate([*parts[:k], *parts[k + 1 :]])
        aside = every[part], target[part]
        tellers.append(regressed(every[mine], target[mine], aside, DEEP_ROUNDS, ctx.at(k), deep=True))
    return tellers, _crossed(tellers, bins, parts)


def pointed(
    column: Coded, places: np.ndarray, features: Features, rows: np.ndarray, growth: Growth, ctx: Context
) -> tuple[Guide | None, np.ndarray]:
    """Return a prediction of the column by points, and its bin in every row; none where a tree tells nearly as well.

    What trees tell alone they need no guide for: it would only make their leaves finer, and nearer to single rows.
    """
    some = ctx.rng.permutation(rows[places[rows] < column.size])[:POINTED]
    if len(some) < FEW:
        return None, np.zeros(0, np.uint8)
    parts = np.array_split(some, PARTS)
    answers = _answers(column, places)
    found, axis = fitted(features, answers, parts)
    true, said = answers @ axis, _crossed(found, features.bins, parts)
    target = Target(column.tokens[places], column.token_count, column.ordered)
    seed = int(ctx.at("tree").rng.integers(2**63))
    tree = grown(features, target, growth._replace(share=1.0), some[len(parts[0]) :].copy(), seed)
    by_tree = _means(leaves(features, tree, some), true[some], len(parts[0]))
    missed = [float(((true[parts[0]] - told) ** 2).mean()) for told in (said[parts[0]], by_tree)]
    if missed[0] > (1 - LEANS) * missed[1]:
        return None, np.zeros(0, np.uint8)
    return edged(found, said, some)


def _means(leaf: np.ndarray, values: np.ndarray, aside: int) -> np.ndarray:
    """Return for the rows that were set aside, the first ones, the mean of all others in their leaf."""
    size = int(leaf.max()) + 1
    counts = np.bincount(leaf[aside:], minlength=size)
    sums = np.bincount(leaf[aside:], values[aside:], minlength=size)
    whole = float(values[aside:].mean())
    return np.where(counts > 0, sums / np.maximum(counts, 1), whole)[leaf[:aside]]


def _answers(column: Coded, places: np.ndarray) -> np.ndarray:
    """Return what points are to tell of every row (rows × answers): the rank, or which frequent label it has."""
    if column.ordered:
        rank = column.rank[places].astype(np.float64)
        return (rank / max(column.size, 1))[:, None]
    top = np.argsort(-column.codec.shares, kind="stable")[:LABELS]
    shares = np.maximum(column.codec.shares[top], 1 / max(len(places), 1))
    return (places[:, None] == top) / np.sqrt(shares)


def _crossed(tellers: Sequence[Teller], bins: np.ndarray, parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return what is said of every row by the teller that did not see it; the first has not seen the first part."""
    said = np.empty(bins.shape[1])
    who = np.zeros(bins.shape[1], dtype=np.int8)
    for k, rows in enumerate(parts):
        who[rows] = k
    for k, teller in enumerate(tellers):
        said[who == k] = told(teller, np.ascontiguousarray(bins[:, who == k]))
    return said


def edged(tellers: Sequence[Teller], said: np.ndarray, some: np.ndarray) -> tuple[Guide, np.ndarray]:
    """Return a guide, and the bin of what it says of every row."""
    edges = np.unique(np.quantile(said[some], np.linspace(0, 1, 255)[1:-1]))
    return Guide(tuple(tellers), edges), np.searchsorted(edges, said).astype(np.uint8)


def _explained(
    every: np.ndarray, target: np.ndarray, sides: tuple[np.ndarray, np.ndarray], rounds: int, ctx: Context
) -> float:
    """Return the share of the variance of the second side that a regression on the first explains."""
    other, real = every[sides[1]], target[sides[1]]
    said = predicted(regressed(every[sides[0]], target[sides[0]], (other, real), rounds, ctx), other)
    return 1 - float(((said - real) ** 2).mean()) / max(float(real.var()), 1e-300)
