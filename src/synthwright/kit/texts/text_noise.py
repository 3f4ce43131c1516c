"""How many labels of texts are wrong: the estimate of confident learning, with its replicates.

Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 70, 2021
(arXiv:1911.00068).
"""

from __future__ import annotations

import numpy as np

from synthwright.kit.measuring.stats import GROUPS


def noise(likely: np.ndarray, label: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the share of labels that are wrong: a row for all texts, then one without each group.

    A text counts as one of a class where the class is at least as likely as it is on average for the texts that state
    it; as that of the likeliest such class, where there are several. Of the texts that state a class, the share of
    those counted that are counted as another one is its share of wrong labels; the classes' shares are added by how
    many texts state them.

    Args:
        likely: how likely each class (a column each) is for each text, by a model that did not learn from it.
        label: the stated classes, int64.
        groups: of the jackknife, 0 … GROUPS - 1.

    Returns:
        One column for the whole, and one for each class; NaN for those that no text states.
    """
    classes = likely.shape[1]
    own = likely[np.arange(len(label)), label]
    texts, sums = _each(label, groups, np.ones(len(label)), classes), _each(label, groups, own, classes)
    found = np.empty((GROUPS + 1, classes + 1))
    for without in range(-1, GROUPS):
        left = slice(None) if without < 0 else groups != without
        many, total = (m.sum(axis=0) - (m[without] if without >= 0 else 0) for m in (texts, sums))
        level = np.where(many > 0, total / np.maximum(many, 1), np.inf)
        sure = np.where(likely[left] >= level, likely[left], -1.0)
        best, stated = sure.argmax(axis=1), label[left]
        told = sure[np.arange(len(best)), best] >= 0
        counted = np.bincount(stated[told], minlength=classes)
        wrong = np.bincount(stated[told & (best != stated)], minlength=classes)
        share = np.where(many > 0, wrong / np.maximum(counted, 1), np.nan)
        found[without + 1] = np.append(np.nansum(share * many) / max(many.sum(), 1), share)
    return found


def _each(label: np.ndarray, groups: np.ndarray, values: np.ndarray, classes: int) -> np.ndarray:
    """Return the sum of values for each group and class."""
    return np.bincount(groups * classes + label, weights=values, minlength=GROUPS * classes).reshape(GROUPS, classes)
