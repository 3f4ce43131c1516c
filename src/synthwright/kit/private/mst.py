"""Which pairs of columns to measure: a tree of those that tell most about each other, chosen privately.

McKenna, Miklau and Sheldon (2021), Winning the NIST contest, arXiv 2108.04978.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synthwright.kit.private.inference import fitted
from synthwright.kit.private.junctions import Clique
from synthwright.kit.private.noise import chosen
from synthwright.kit.private.release import Sheet

COLUMNS, CHOICE = 0.25, 0.15
"""The shares of what is left for single columns, and for choosing pairs; the rest measures these."""
STEPS = 300
"""Improvements of the model of single columns."""


def tree(sheet: Sheet) -> None:
    """Measure single columns, choose a tree of pairs, and measure these."""
    left, many = sheet.purse.left, len(sheet.rows.sizes)
    sheet.measure_columns(rho=left * (COLUMNS if many > 1 else 1.0))
    if many > 1:
        pairs = _chosen(sheet, rho=left * CHOICE)
        for i, pair in enumerate(pairs):
            sheet.measure(pair, rho=sheet.purse.left / (len(pairs) - i))


def _chosen(sheet: Sheet, *, rho: float) -> list[Clique]:
    """Return pairs that connect all columns: one after the other that which single columns tell least of."""
    many = len(sheet.rows.sizes)
    model = fitted(sheet.rows.sizes, sheet.marginals, sheet.total, steps=STEPS)
    alone = [model.marginal((v,)) for v in range(many)]
    scores = {p: float(np.abs(sheet.rows.counts(p) - np.outer(alone[p[0]], alone[p[1]]) / model.total).sum())
              for p in combinations(range(many), 2)}  # fmt: skip
    side = list(range(many))
    out: list[Clique] = []
    for _ in range(many - 1):
        able = [p for p in scores if side[p[0]] != side[p[1]]]
        pair = able[chosen(np.array([scores[p] for p in able]), sensitivity=1, rho=rho / (many - 1),
                           purse=sheet.purse)]  # fmt: skip
        old, new = side[pair[1]], side[pair[0]]
        side = [new if s == old else s for s in side]
        out.append(pair)
    return out
