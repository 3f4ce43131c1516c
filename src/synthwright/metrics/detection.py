"""Whether a classifier can tell synthetic rows from real ones, and by what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.kit.learning.boosting import Boosted, Features, boost, encode
from synthwright.kit.measuring.chance import difference
from synthwright.kit.measuring.stats import Estimate, auc, from_influence, midranks
from synthwright.metrics.comparing import Measured, Sides, compared, draw, label

_FEWEST = 20
_CELLS = 10_000_000
"""Rows × columns of each side: more would take minutes."""
_FOLDED = 1.25
"""How much farther areas of cross-fitted trees stray than the standard error of DeLong says: measured on honest splits
of adult, magic and shoppers, where it was 0.9 to 1.2."""
_SHUFFLED = 1_000
"""Rows of each fold on which trees are asked again without a column, at most twice as many."""
_LOOKED = 20
"""Columns that are taken from the trees of a fold one by one: those that helped them most."""
_NAMED = 3
"""Columns that are named as what gives most away."""


class Detection(Metric):
    """How well boosted trees tell synthetic rows from held-out ones: 0.5 not at all, 1 always (area under the curve).

    As many synthetic as held-out rows are dealt into folds; trees that learned from the others rule on each.
    Rows are ranked within their fold, and the area is that of all ranks together; below 0.5 it is reported as it is.
    Columns made anew are left out. The reference tells training rows from held-out ones. The interval is for other
    rows of the same sort (DeLong), not for other trees; the allowance for chance is that of the difference, a quarter
    wider for what the folds add. A part says what one column gives away: 0.5, and what the area loses if its values are
    exchanged between rows (of two columns that give the same away, neither is missed). Where rows are told apart, the
    columns that the trees gained most by are named, and the tenth of a column's values where they tell best.
    """

    name: ClassVar[str] = "detection"
    group: ClassVar[Literal["fidelity"]] = "fidelity"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = "It says that rows can be told apart, and by which columns, not whether a use suffers."

    folds: int = Setting(default=5, ge=2, le=10)
    """How many parts the rows are dealt into; more take longer and learn from more rows."""
    rounds: int = Setting(default=100, ge=1, le=1_000)
    """Boosting rounds of each classifier, at most."""
    listed: int = Setting(default=20, ge=0, le=10_000)
    """Columns that get a score of their own, at most: those that tell most."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        errors: dict[str, list[float]] = {}

        def compare(sides: Sides, ctx: Context) -> Measured:
            found = self._compare(sides, ctx)
            for about, part in found.parts.items():
                errors.setdefault(about, []).append(part.error)
            return found

        return [_allowed(s, errors) for s in compared(self, case, ctx, compare, fewest=_FEWEST, listed=self.listed)]

    def _compare(self, sides: Sides, ctx: Context) -> Measured:
        most = max(1_000, _CELLS // len(sides.fields))
        known_rows = min(sides.real.num_rows, sides.other.num_rows)
        rows = min(known_rows, most)
        notes = [f"measured on {rows:,} random rows of each side"] if rows < known_rows else []
        tables = [draw(sides.real, rows, ctx.at("real")), draw(sides.other, rows, ctx.at("other"))]
        known = encode(tables, sides.fields)
        values = np.concatenate(known.values)
        synthetic = np.repeat([False, True], rows)
        rng = ctx.at("folds").rng
        fold = np.concatenate([rng.permutation(rows), rng.permutation(rows)]) % self.folds
        ranks, gains, without = np.empty(2 * rows), np.zeros(len(sides.fields)), []
        for i in range(self.folds):
            here = fold == i
            trees = boost(values[~here], synthetic[~here].astype(np.float64), ctx.at("fold", i),
                          discrete=known.discrete, classes=2, rounds=self.rounds)  # fmt: skip
            ranks[here] = _ranked(trees.predict(values[here]))
            gained = _gains(trees, len(gains))
            gains += gained
            few = np.flatnonzero(here)[:: max(1, int(here.sum()) // _SHUFFLED)]
            without.append(_Without(few, _shuffled(trees, values[few], gained, ctx.at("shuffled", i).rng)))
        whole = from_influence(*auc(ranks, synthetic))
        names = [label(sides.table, c) for c in sides.fields]
        if whole.value - 0.5 > _wider(4 * math.sqrt(2) * whole.error):
            notes += _by_what(names, gains) + _where(names, known, ranks)
        return Measured(whole, _given(names, without, synthetic), "; ".join(notes))


class _Without(NamedTuple):
    """What trees say of some rows of a fold if they know a column no more."""

    rows: np.ndarray
    ranks: np.ndarray
    """1 + columns × rows: as they are, and with each column's values exchanged."""


def _ranked(said: np.ndarray) -> np.ndarray:
    """Return what trees said as ranks: every fold's trees have a scale of their own."""
    return midranks(said, np.sort(said))


def _shuffled(trees: Boosted, values: np.ndarray, gains: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ranks of rows as they are, and with the values of each column exchanged between them."""
    ranks = np.repeat(_ranked(trees.predict(values))[None, :], 1 + len(gains), axis=0)
    for i in np.argsort(-gains, kind="stable")[:_LOOKED]:
        if gains[i] > 0:
            mixed = values.copy()
            mixed[:, i] = rng.permutation(mixed[:, i])
            ranks[1 + i] = _ranked(trees.predict(mixed))
    return ranks


def _given(names: list[str], without: list[_Without], synthetic: np.ndarray) -> dict[str, Estimate]:
    """Return what each column gives away: 0.5, and what the area loses without it."""
    rows = np.concatenate([w.rows for w in without])
    ranks = np.concatenate([w.ranks for w in without], axis=1)
    whole, influence = auc(ranks[0], synthetic[rows])
    out = {}
    for name, other in zip(names, ranks[1:], strict=True):
        area, lost = auc(other, synthetic[rows])
        out[name] = from_influence(0.5 + whole - area, influence - lost)
    return out


def _allowed(score: Score, errors: Mapping[str, list[float]]) -> Score:
    """Return a score with what chance does to it, as far as it is measured."""
    if score.status != "ok":
        return score
    about = str(score.problem).partition("; ")[0] if score.about == "worst" else score.about
    chance = difference((errors[about][0], errors[about][-1]), len(errors)) if about in errors else score.chance
    return score if chance is None else score._replace(chance=_wider(chance))


def _wider(chance: float) -> float:
    """Return an allowance with what cross-fitting adds, with four decimals."""
    return math.ceil(_FOLDED * chance * 1e4) / 1e4


def _gains(trees: Boosted, columns: int) -> np.ndarray:
    """Return by how much each column helped the trees, as shares of the whole; nothing where it is one answer."""
    if trees.trees is None:
        return np.zeros(columns)
    gained = np.asarray(trees.trees.feature_importance("gain"), dtype=np.float64)
    return gained / max(float(gained.sum()), 1e-300)


def _by_what(names: list[str], gains: np.ndarray) -> list[str]:
    """Return which columns gave most away, for people."""
    total = float(gains.sum())
    first = [i for i in np.argsort(-gains, kind="stable")[:_NAMED] if gains[i] >= 0.1 * total > 0]
    said = ", ".join(f"{names[i]} ({gains[i] / total:.0%} of the trees' gain)" for i in first)
    return [f"told apart most by {said}"] if said else []


def _where(names: list[str], known: Features, ranks: np.ndarray) -> list[str]:
    """Return where the synthetic rows are that look most synthetic, if they are in one place twice as often as others.

    A place is a tenth of a column's values among real rows, a label, or where there is no value.
    """
    real, other = known.values
    mine = ranks[len(real) :]
    top = mine >= np.quantile(mine, 0.9)
    best, said = 0.0, ""
    for i, name in enumerate(names):
        if i in known.discrete:
            places = np.unique(np.concatenate([real[:, i], other[:, i]]), return_inverse=True)[1]
        else:
            among = np.sort(real[:, i][~np.isnan(real[:, i])])
            tenths = np.floor(10 * midranks(np.concatenate([real[:, i], other[:, i]]), among))
            places = np.where(np.isnan(tenths), 10, np.clip(np.nan_to_num(tenths), 0, 9)).astype(np.int64)
        size = int(places.max()) + 1
        share = np.bincount(places[len(real) :][top], minlength=size) / top.sum()
        usual = np.bincount(places, minlength=size) / len(places)
        at = int(np.argmax(share - usual))
        if share[at] >= 2 * usual[at] and share[at] - usual[at] > best:
            best, said = float(share[at] - usual[at]), _place(name, at, discrete=i in known.discrete)
    return [f"most easily where {said}"] if said else []


def _place(name: str, at: int, *, discrete: bool) -> str:
    """Return what a place is called, without a value of any row."""
    if discrete:
        return f"{name} has one of its labels"
    words = {0: "in its lowest tenth", 9: "in its top tenth", 10: "null"}
    return f"{name} is {words.get(at, f'between its {10 * at} % and {10 * at + 10} % points')}"
