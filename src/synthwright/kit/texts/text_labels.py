"""How probable each label is for each text, told from other texts: two small classifiers, one opinion.

A linear discriminant with shrunken covariance in few dimensions (Friedman, Regularized discriminant analysis, JASA 84,
1989) sees what texts are about; multinomial naive Bayes over weighted words (Rennie et al., Tackling the poor
assumptions of naive Bayes text classifiers, ICML 2003) sees single words. Both are closed formulas. What they say is
added up, and scaled until it is as sure as it is right (Guo et al., On calibration of modern neural networks, ICML
2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthwright.kit.rows import mix, rank_in_group
from synthwright.kit.texts.text_vectors import Weights, basis

FOLDS = 5
RANK = 256
_SHRUNK = 0.1
_SMOOTH = 0.1
_WRONG = 0.1
"""Share of wrong labels that scaling reckons with."""
_SCALES = np.exp(np.linspace(-5, 2, 57))
_TOLD = 2500
_BLOCK = 4096


@dataclass(frozen=True)
class Space:
    """How counts of texts become vectors; learned from some texts, without their labels."""

    weights: Weights
    axes: np.ndarray

    @staticmethod
    def of(counts: Any, rng: np.random.Generator) -> Space:
        """Return what counts of texts tell."""
        weights = Weights.of(counts)
        return Space(weights, basis(weights.weighted(counts), RANK, rng))

    def read(self, counts: Any) -> tuple[Any, np.ndarray]:
        """Return the weighted words of texts, and their few dimensions."""
        weighted = self.weights.weighted(counts)
        return weighted, np.asarray(weighted @ self.axes)


@dataclass(frozen=True)
class Classifier:
    """What was learned of labels: two linear functions of a text."""

    by_topic: np.ndarray
    by_word: np.ndarray
    base: np.ndarray

    @staticmethod
    def of(weighted: Any, vectors: np.ndarray, label: np.ndarray, labels: int) -> Classifier:
        """Learn from texts and the codes of their labels, of which there are so many."""
        from scipy import sparse

        often = np.bincount(label, minlength=labels)
        by_label = sparse.csr_array((np.ones(len(label)), (label, np.arange(len(label)))), shape=(labels, len(label)))
        mean = np.asarray(by_label @ vectors.astype(np.float64)) / np.maximum(often, 1)[:, None]
        spread = np.zeros((vectors.shape[1], vectors.shape[1]))
        for begin in range(0, len(label), _BLOCK):
            off = vectors[begin : begin + _BLOCK] - mean[label[begin : begin + _BLOCK]]
            spread += off.T @ off
        spread /= max(len(label), 1)
        level = max(float(np.trace(spread)) / max(len(spread), 1), 1e-9)
        topic = np.linalg.solve((1 - _SHRUNK) * spread + _SHRUNK * level * np.eye(len(spread)), mean.T)
        words = (by_label @ weighted).toarray().astype(np.float64) + _SMOOTH
        word = np.log(words / words.sum(axis=1, keepdims=True)).T
        base = np.where(often > 0, np.log(np.maximum(often, 1) / max(len(label), 1)), -np.inf)
        return Classifier(topic, word.astype(np.float32), base - 0.5 * np.einsum("kd,dk->k", mean, topic))

    def says(self, weighted: Any, vectors: np.ndarray) -> np.ndarray:
        """Return logits of every label for some texts, by topic and by word: two matrices.

        Labels that it never saw have minus infinity.
        """
        return np.stack([vectors @ self.by_topic + self.base, np.asarray(weighted @ self.by_word, dtype=np.float64)])


def folds_of(label: np.ndarray, number: np.ndarray, seed: int) -> np.ndarray:
    """Return in which fold each row is, so that the rows of each label are spread; its number decides, not its place.

    Args:
        label: codes of the labels.
        number: the rows' numbers.
        seed: shuffles.
    """
    luck = mix(number.astype(np.int64).view(np.uint64) ^ np.uint64(seed))
    return rank_in_group(label.astype(np.uint64), luck) % FOLDS


def cross_fitted(weighted: Any, vectors: np.ndarray, label: np.ndarray, labels: int, fold: np.ndarray) -> np.ndarray:
    """Return the two opinions of every label for each text, told from the texts of other folds."""
    out = np.zeros((2, len(label), labels))
    for i in range(FOLDS):
        mine, rest = np.flatnonzero(fold == i), np.flatnonzero(fold != i)
        if len(mine) and len(rest):
            told = Classifier.of(weighted[rest], vectors[rest], label[rest], labels)
            out[:, mine] = told.says(weighted[mine], vectors[mine])
    return out


def scales_of(opinions: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Return the factors of the two opinions which make their sum as sure as it is right, if some labels are wrong."""
    topic, word = (scale_of(one, label) for one in opinions)
    both = scale_of(topic * opinions[0] + word * opinions[1], label)
    return both * topic, both * word


def scale_of(logits: np.ndarray, label: np.ndarray) -> float:
    """Return the factor that makes logits as sure as they are right, where some labels are wrong."""
    rows = np.flatnonzero(np.isfinite(logits[np.arange(len(label)), label]))
    at = rows[:: max(1, len(rows) // _TOLD)]
    if not len(at):
        return 1.0
    some, own = logits[at], label[at]
    by_chance = _WRONG / logits.shape[1]
    likely = [np.log((1 - _WRONG) * softmax(some * s)[np.arange(len(own)), own] + by_chance).mean() for s in _SCALES]
    return float(_SCALES[int(np.argmax(likely))])


def probable(opinions: np.ndarray, scales: tuple[float, float]) -> np.ndarray:
    """Return the probability of every label for each text."""
    return softmax(scales[0] * opinions[0] + scales[1] * opinions[1])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, a row for a row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def doubted(probability: np.ndarray, label: np.ndarray, odds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which stated labels are contradicted, and the stated label's share beside the best other one.

    A label is contradicted where another one is `odds` times as probable, and that for every other label that there is:
    a wrong label is any of them. Where one label in ten is wrong, 9 says that it is rather wrong than right.

    Args:
        probability: of every label for each text.
        label: the stated ones.
        odds: how sure to be.
    """
    at = np.arange(len(label))
    stated = probability[at, label]
    other = probability.copy()
    other[at, label] = 0
    best = other.max(axis=1)
    wrong = best > stated * odds * max(1, probability.shape[1] - 1)
    return wrong, stated / np.maximum(stated + best, 1e-300)
