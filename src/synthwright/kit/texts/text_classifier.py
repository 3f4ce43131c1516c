"""A classifier of texts that learns in seconds: logistic regression over words and pieces of words.

What a text has is what `text_vectors` counts: hashed words, pairs of words and runs of three and four characters,
weighted by how few of the learned texts have them. On these a multinomial logistic regression with a quadratic penalty
is fitted (L-BFGS; Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical
Programming 45, 1989), stopped early: more steps change what it says of few texts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from synthwright.kit.texts.text_vectors import WIDEST, Weights

_PENALTY = 0.1
"""Of the squared weights, beside the summed loss: scikit-learn's C = 10."""
_STEPS = 20
_MEMORY = 5
"""Steps that L-BFGS remembers: each is as large as the weights."""
_WEIGHTS = 3_000_000
"""Weights of all labels at most: with many labels, fewer hashes are looked at, those that most texts have."""


class TextClassifier(NamedTuple):
    """What was learned of labels: a linear function of what a text has, for each."""

    weights: Weights
    towards: np.ndarray
    """Hashes × labels."""
    base: np.ndarray
    """Minus infinity for labels that no text had."""

    @staticmethod
    def of(counts: Any, label: np.ndarray, labels: int) -> TextClassifier:
        """Learn from counts of texts, as `counted` returns them, and the codes of their labels, which are so many.

        Nothing but these texts is looked at: which hashes there are and how rare each is, is learned too.
        """
        weights = _cut(Weights.of(counts, 1 if _distinct(counts) <= WIDEST else 2), counts, labels)
        present = np.bincount(label, minlength=labels) > 0
        code = (np.cumsum(present) - 1)[label]
        found = _fitted(weights.weighted(counts), code, int(present.sum()))
        towards = np.zeros((len(weights.kept), labels), dtype=np.float32)
        base = np.full(labels, -np.inf)
        towards[:, present], base[present] = found[:-1], found[-1]
        return TextClassifier(weights, towards, base)

    def says(self, counts: Any) -> np.ndarray:
        """Return logits of every label (a column each) for some texts."""
        return np.asarray(self.weights.weighted(counts) @ self.towards, dtype=np.float64) + self.base


def _distinct(counts: Any) -> int:
    return int(np.count_nonzero(np.bincount(counts.indices, minlength=1)))


def _cut(weights: Weights, counts: Any, labels: int) -> Weights:
    """Return the weights of no more hashes than there may be with so many labels."""
    most = max(_WEIGHTS // max(labels, 1), 1_000)
    if len(weights.kept) <= most:
        return weights
    often = np.bincount(counts.indices, minlength=counts.shape[1])[weights.kept]
    at = np.sort(np.argsort(-often, kind="stable")[:most])
    return Weights(weights.kept[at], weights.rare[at])


def _fitted(held: Any, code: np.ndarray, labels: int) -> np.ndarray:
    """Return weights (hashes × labels), and below them what each label has without any."""
    from scipy.optimize import minimize

    rows, wide = held.shape
    if labels < 2:
        return np.zeros((wide + 1, labels))
    across, every = held.T.tocsr(), np.arange(rows)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        now = flat.reshape(wide + 1, labels)
        said = held @ now[:-1].astype(np.float32) + now[-1].astype(np.float32)
        said -= said.max(axis=1, keepdims=True)
        likely = np.exp(said)
        total = likely.sum(axis=1, keepdims=True)
        missed = float((np.log(total[:, 0]) - said[every, code]).sum(dtype=np.float64))
        likely /= total
        likely[every, code] -= 1
        slope = np.empty_like(now)
        slope[:-1] = across @ likely
        slope[:-1] += _PENALTY * now[:-1]
        slope[-1] = likely.sum(axis=0)
        return missed + _PENALTY / 2 * float((now[:-1] ** 2).sum()), slope.ravel()

    start = np.zeros((wide + 1) * labels)
    options = {"maxiter": _STEPS, "maxcor": _MEMORY, "gtol": 1e-3}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x).reshape(wide + 1, labels)
