"""The estimate of wrong labels follows how many are wrong, and real rows beside it say what it is worth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.metrics.test_text_utility import drawn, of, texts

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.kit.measuring.stats import GROUPS
from synthwright.kit.texts.text_noise import noise
from synthwright.metrics.label_noise import THEMSELVES, LabelNoise

Measure = Callable[..., dict[str, Score]]


def case(synthetic: Dataset, rows: int = 400) -> Case:
    """Return a case with real rows whose labels are right."""
    return Case(drawn(rows, 1), drawn(400, 2), synthetic, target="note.label")


@pytest.mark.parametrize("wrong", [0.0, 0.15, 0.4])
def test_estimate_follows_what_is_wrong(wrong: float, measure: Measure) -> None:
    """Above the reference by about as much as there are wrong labels; a second real sample by no more than chance."""
    score = measure(LabelNoise(), case(drawn(600, 3, wrong=wrong)))[""]
    assert score.value is not None
    assert score.reference is not None
    assert score.value - score.reference == pytest.approx(wrong, abs=0.06)
    assert score.chance is not None
    assert (score.value > score.reference + score.chance) == (wrong > 0.1)


def test_error_that_a_whole_label_shares(measure: Measure) -> None:
    """What the writer of a label misunderstood is seen by real rows, and not by the synthetic rows themselves."""
    names = ["rain", "food", "music"] * 100
    wrong = {"rain": "music", "food": "rain", "music": "food"}
    found = measure(LabelNoise(), case(of(texts(names, 4), [wrong[n] for n in names])))
    assert (found[""].value or 0) > 0.8
    assert (found[THEMSELVES].value or 0) < 0.2
    assert all((found[f"class {i}"].value or 0) > 0.7 for i in (1, 2, 3))


def test_without_held_out_rows(measure: Measure) -> None:
    """Training rows, told by classifiers of other training rows, are the reference then."""
    given = case(drawn(300, 3))._replace(train=drawn(400, 1, wrong=0.2), holdout=None)
    found = measure(LabelNoise(), given)[""]
    assert found.reference == pytest.approx(0.2, abs=0.06)
    assert (found.value or 0) < 0.1


def test_labels_that_no_real_row_has(measure: Measure) -> None:
    """They are counted and left out; with no others, there is nothing to measure."""
    names = ["rain", "food"] * 40
    found = measure(LabelNoise(), case(of(texts(names, 4), ["odd"] * 20 + names[20:])))[""]
    assert found.status == "ok"
    assert "20 synthetic rows have labels that no training row has" in (found.problem or "")
    assert measure(LabelNoise(), case(of(texts(names, 4), ["odd"] * 80)))[""].status == "failed"


def test_noise_is_that_of_a_plain_count() -> None:
    """The estimate, and each replicate, is what confident learning counts one by one."""
    rng = np.random.default_rng(0)
    likely = rng.dirichlet([0.7] * 4, 300)
    label = rng.integers(0, 3, 300)  # nobody states the last class
    groups = np.arange(300) % GROUPS
    found = noise(likely, label, groups)
    for row, left in ((0, np.ones(300, dtype=bool)), (6, groups != 5)):
        level = {j: likely[left & (label == j), j].mean() for j in range(3)}
        counted = np.zeros((3, 3))
        for p, stated in zip(likely[left], label[left], strict=True):
            sure = [j for j in range(3) if p[j] >= level[j]]
            if sure:
                counted[stated, max(sure, key=lambda j: p[j])] += 1
        shares = 1 - np.diag(counted) / counted.sum(axis=1)
        many = np.bincount(label[left])
        assert found[row, 1:4] == pytest.approx(shares)
        assert found[row, 0] == pytest.approx((shares * many).sum() / many.sum())
    assert np.isnan(found[:, 4]).all()
