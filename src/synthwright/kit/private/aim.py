"""Which marginals to measure: one after the other the one that the model so far is most wrong about, beyond noise.

McKenna, Mullins, Sheldon and Miklau (2022), AIM: an adaptive and iterative mechanism, arXiv 2201.12677.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synthwright.kit.private.conditionals import conditionals, marginal
from synthwright.kit.private.inference import Fitted, fitted
from synthwright.kit.private.junctions import Clique, junction
from synthwright.kit.private.noise import chosen
from synthwright.kit.private.release import Sheet

COLUMNS, CHOICE = 0.15, 0.1
"""The share of what is left for single columns; of each round, the share for choosing."""
ROUNDS = 4
"""Rounds for each column, if noise were never made less."""
STEPS = 100
"""Improvements of the model in each round."""
LEAST = 1e-6
"""The share of the budget that is not worth a round."""
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
        purse, sizes = sheet.purse, sheet.rows.sizes
        sheet.measure_columns(rho=purse.left * COLUMNS)
        sizes = sheet.rows.sizes
        everything = purse.left
        cost = everything / (ROUNDS * len(sizes))
        model = fitted(sizes, sheet.marginals, sheet.total, steps=STEPS)
        candidates = [c for k in range(1, self.degree + 1) for c in combinations(range(len(sizes)), k)]
        real: dict[Clique, np.ndarray] = {}
        while purse.left > LEAST * everything:
            cost = purse.left if purse.left < 2 * cost else cost
            sigma = 1 / math.sqrt(2 * cost * (1 - CHOICE))
            room = self.cells * (1 - (purse.left - cost) / everything)
            able = _small(model, candidates, room)
            scores = _scores(sheet, model, able, sigma, real)
            best = able[chosen(scores, sensitivity=self.degree, rho=cost * CHOICE, purse=purse)]
            before = marginal(conditionals(model), best, model.total)
            taken = sheet.measure(best, rho=min(cost * (1 - CHOICE), purse.left))
            model = fitted(sizes, sheet.marginals, sheet.total, steps=STEPS, start=model)
            moved = float(np.abs(model.marginal(best) - before).sum())
            if moved <= _NOISE * float(taken.sigma) * before.size:
                cost *= 4  # noise half as large: the coarse ones have told what they can
            sheet.ctx.progress(everything - purse.left, everything, "measuring")


def _small(model: Fitted, candidates: list[Clique], room: float) -> list[Clique]:
    """Return the candidates with which the model stays small enough; single columns always do."""
    tree = model.tree
    held = [{*c} for c in tree.cliques]
    out = []
    for c in candidates:
        inside = any({*c} <= h for h in held)
        if len(c) == 1 or inside or (tree.size(c) <= room and junction(tree.sizes, [*tree.cliques, c]).cells <= room):
            out.append(c)
    return out


def _scores(
    sheet: Sheet, model: Fitted, able: list[Clique], sigma: float, real: dict[Clique, np.ndarray]
) -> np.ndarray:
    """Return by how much the model is wrong about each candidate, less what noise would be, by its weight."""
    known, out = conditionals(model), []
    for c in able:
        if c not in real:
            real[c] = sheet.rows.counts(c)
        off = float(np.abs(real[c] - marginal(known, c, model.total)).sum())
        out.append(len(c) * (off - _NOISE * sigma * real[c].size))
    return np.array(out)
