"""Which marginals to measure: one after the other the one that the model so far is most wrong about, beyond noise.

McKenna, Mullins, Sheldon and Miklau (2022), AIM: an adaptive and iterative mechanism, arXiv 2201.12677. Not from there:
columns of many cells are measured in blocks of cells too, where noise in every cell would come to more than they tell.
Which cells a block has follows from noisy counts alone, and every row is in one block or another: a table of blocks
costs what one of cells does, and the score of neither changes by more than the number of its columns where a row does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import numpy as np

from synthwright.kit.private.conditionals import Conditional, conditionals, marginal
from synthwright.kit.private.inference import Coarse, Fitted, coarsely, fitted
from synthwright.kit.private.junctions import Clique, junction
from synthwright.kit.private.noise import chosen
from synthwright.kit.private.release import Sheet

COLUMNS, CHOICE = 0.15, 0.1
"""The share of what is left for single columns; of each round, the share for choosing."""
ROUNDS = 4
"""Rounds for each column, if noise were never made less."""
CLEAR = 0.2
"""The share of the rows that noise in all cells of a table comes to, below which these are not joined."""
RISE = 2.0
"""By how much a round costs more where one told little."""
STEPS = 100
"""Improvements of the model in each round."""
BLOCKS = 8
"""Into about how many blocks the cells of a column are joined, to be measured with less noise in all."""
LEAST = 1e-6
"""The share of the budget that is not worth a round."""
Candidate = tuple[Clique, Coarse | None]
"""Columns that may be measured together, and which of their cells are joined."""
_NOISE = math.sqrt(2 / math.pi)
"""What the size of noise is, in standard deviations, on average."""


@dataclass(frozen=True)
class Adaptive:
    """How marginals are chosen."""

    degree: int
    """Columns of a marginal, at most."""
    cells: float
    """Cells of the model, at most."""

    def __call__(self, sheet: Sheet) -> None:
        """Measure single columns, then choose and measure until the budget is spent."""
        purse = sheet.purse
        sheet.measure_columns(rho=purse.left * COLUMNS)
        sizes = sheet.rows.sizes
        everything = purse.left
        cost = everything / (ROUNDS * len(sizes))
        model = fitted(sizes, sheet.marginals, sheet.total, steps=STEPS)
        candidates = _candidates(sheet, self.degree)
        real: dict[Clique, np.ndarray] = {}
        while purse.left > LEAST * everything:
            cost = purse.left if purse.left < 2 * cost else cost
            sigma = 1 / math.sqrt(2 * cost * (1 - CHOICE))
            room = self.cells * (1 - (purse.left - cost) / everything)
            clear = CLEAR * model.total / sigma
            tried = [c for c in candidates if c[1] is None or sheet.rows.size(c[0]) > clear]
            able = _small(model, tried, room)
            scores = _scores(sheet, model, able, sigma, real)
            best, join = able[chosen(scores, sensitivity=self.degree, rho=cost * CHOICE, purse=purse)]
            before = _table(conditionals(model), (best, join), model.total)
            taken = sheet.measure(best, rho=min(cost * (1 - CHOICE), purse.left), coarse=join)
            model = fitted(sizes, sheet.marginals, sheet.total, steps=STEPS, start=model)
            moved = float(np.abs(_table(conditionals(model), (best, join), model.total) - before).sum())
            if moved <= _NOISE * float(taken.sigma) * before.size:
                cost *= RISE  # less noise: the coarse ones have told what they can
            sheet.ctx.progress(everything - purse.left, everything, "measuring")


def _candidates(sheet: Sheet, degree: int) -> list[Candidate]:
    """Return what may be measured: every column, and every few of them, each by its cells or by blocks of them."""
    sizes = sheet.rows.sizes
    ways = [[np.arange(size), *([sheet.blocks(v, BLOCKS)] if size > 1.5 * BLOCKS else [])]
            for v, size in enumerate(sizes)]  # fmt: skip
    out: list[Candidate] = []
    for k in range(1, degree + 1):
        for clique in combinations(range(len(sizes)), k):
            plain, *joined = product(*(ways[v] for v in clique))
            out += [(clique, None), *((clique, join) for join in joined if len(plain) > 1)]
    return out


def _table(known: list[Conditional], what: Candidate, total: float) -> np.ndarray:
    """Return the table that a model gives a candidate."""
    table = marginal(known, what[0], total)
    return table if what[1] is None else coarsely(table, what[1])


def _small(model: Fitted, candidates: list[Candidate], room: float) -> list[Candidate]:
    """Return the candidates with which the model stays small enough; single columns always do."""
    tree = model.tree
    held = [{*c} for c in tree.cliques]

    @cache
    def able(c: Clique) -> bool:
        inside = len(c) == 1 or any({*c} <= h for h in held)
        return inside or (tree.size(c) <= room and junction(tree.sizes, [*tree.cliques, c]).cells <= room)

    return [c for c in candidates if able(c[0])]


def _scores(
    sheet: Sheet, model: Fitted, able: list[Candidate], sigma: float, real: dict[Clique, np.ndarray]
) -> np.ndarray:
    """Return by how much the model is wrong about each candidate, less what noise would be, by its weight."""
    known, out = conditionals(model), []
    off: dict[Clique, np.ndarray] = {}
    for c, join in able:
        if c not in real:
            real[c] = sheet.rows.counts(c)
        if c not in off:
            off[c] = real[c] - marginal(known, c, model.total)
        mine = off[c] if join is None else coarsely(off[c], join)
        out.append(len(c) * (float(np.abs(mine).sum()) - _NOISE * sigma * mine.size))
    return np.array(out)
