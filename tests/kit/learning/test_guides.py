"""Guides by points: what is told by many columns a little each, of numbers and of labels, and how it is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning import guides
from synthwright.kit.learning.additive import Scores, predicted
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.guides import FEW, Guide, as_matrix, guided, pointed
from synthwright.kit.learning.splits import Features, Growth

ROWS = 1_500
GROWTH = Growth(leaf=15, evidence=2.5, groups=32, per_group=12.0, share=0.8, most=20_000, tries=2)


def survey(rows: int, load: float, seed: int = 1) -> np.ndarray:
    """Return answers from 0 to 4 to twelve questions (questions × rows) that one trait decides."""
    dice = np.random.default_rng(seed)
    trait = dice.normal(size=rows)
    said = load * trait + np.sqrt(1 - load**2) * dice.normal(size=(12, rows))
    return np.digitize(said, [-1.2, -0.4, 0.4, 1.2])


def coded(values: np.ndarray, *, labels: bool) -> tuple[Coded, np.ndarray]:
    """Return a column, as labels or as numbers, and the places of its rows."""
    held = pa.array([f"answer {v}" for v in values]) if labels else pa.array(values.astype(np.float64))
    column = Coded("it", settle(Field(kind=Kind.CATEGORY if labels else Kind.NUMBER), observe(held), Context().rng))
    return column, column.places(held)


def told(answers: np.ndarray, *, labels: bool) -> tuple[Guide | None, np.ndarray]:
    """Return the guide of the last question by the others, and what it says of each row."""
    every = [coded(a, labels=labels) for a in answers]
    features = Features(np.array([c.bins[p] for c, p in every[:-1]]), np.full(len(every) - 1, labels))
    return pointed(*every[-1], features, np.arange(answers.shape[1], dtype=np.int32), GROWTH, Context(seed=2))


@pytest.mark.parametrize("labels", [False, True])
def test_points_tell_what_many_columns_tell_together(*, labels: bool) -> None:
    """What is said of rows that were not learned from goes with the answer as the sum of all others does, nearly."""
    answers = survey(ROWS, 0.7)
    guide, said = told(answers, labels=labels)
    assert guide is not None
    best = np.corrcoef(answers[:-1].sum(axis=0), answers[-1])[0, 1]
    assert abs(np.corrcoef(said, answers[-1])[0, 1]) > best - 0.03


def test_chance_is_no_guide() -> None:
    """Questions that have nothing to do with each other tell nothing of each other."""
    assert told(survey(ROWS, 0.0), labels=False)[0] is None


@pytest.mark.parametrize("labels", [False, True])
def test_what_one_column_decides_needs_no_guide(*, labels: bool) -> None:
    """A tree tells it as well."""
    answers = survey(ROWS, 0.0)
    noisy = np.random.default_rng(4).random(ROWS) < 0.3
    answers[-1] = np.where(noisy, answers[-1], answers[0])
    assert told(answers, labels=labels)[0] is None


def test_few_rows_are_not_learned_from() -> None:
    """Below a hundred rows there is no guide."""
    assert told(survey(FEW - 1, 0.7), labels=False)[0] is None


def test_larger_trees_where_there_is_no_end_of_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every pair of two columns has for itself, as hours of days have, is told by larger trees, of other rows."""
    rng, rows = np.random.default_rng(1), 5_000
    bins = rng.integers(0, 16, (2, rows)).astype(np.uint8)
    target = np.argsort(np.argsort(rng.normal(size=(16, 16))[bins[0], bins[1]] + 0.3 * rng.normal(size=rows))) / rows

    def missed() -> tuple[Guide, float]:
        guide, bin_ = guided(bins, target, np.arange(rows, dtype=np.int32), Context(seed=1))
        assert guide is not None
        return guide, float(((np.append(guide.edges, 1.0)[bin_] - target) ** 2).mean())

    deep, less = missed()
    monkeypatch.setattr(guides, "UNENDING", 2.0)
    plain, more = missed()
    assert (len(deep.tellers), len(plain.tellers)) == (5, 2)
    assert less < 0.9 * more


def test_each_row_is_told_by_one_teller() -> None:
    """What is said of new rows strays as much as what is said of rows that were set aside: no mean is taken."""
    rng = np.random.default_rng(2)
    bins, noise = rng.integers(0, 9, (3, 2_000)).astype(np.uint8), rng.normal(size=2_000)
    guide, _ = guided(bins, bins[0] + bins[1] + noise, np.arange(2_000, dtype=np.int32), Context(seed=1))
    assert guide is not None
    said = guide.bins(bins)
    apart = np.array([np.searchsorted(guide.edges, predicted(t, as_matrix(bins))) for t in guide.tellers])
    assert len(apart) == 2
    assert (said[::2] == apart[0][::2]).all()
    assert (said[1::2] == apart[1][1::2]).all()
    assert (apart[0] != apart[1]).mean() > 0.3


def test_a_guide_is_kept_and_checked() -> None:
    """What was saved says the same; points of another number of columns, or that are no numbers, are refused."""
    answers = survey(ROWS, 0.7)
    guide, _ = told(answers, labels=False)
    assert guide is not None
    again = Guide.of_arrays(guide.arrays())
    assert again is not None
    bins = np.random.default_rng(3).integers(0, 5, (11, 50)).astype(np.uint8)
    assert (again.bins(bins) == guide.bins(bins)).all()
    assert again.is_sound(11)
    assert not again.is_sound(10)
    assert not Guide((Scores(np.full((11, 256), np.nan, np.float32)),), guide.edges).is_sound(11)
    assert Guide.of_arrays({}) is None


def test_a_questionnaire_keeps_what_its_questions_have_in_common() -> None:
    """Answers go together nearly as they do in real rows: trees alone kept half of it (0.25 of 0.50)."""
    answers = survey(700, 0.75)
    real = pd.DataFrame({f"q{i}": a for i, a in enumerate(answers)})
    fake = sw.fit(real, seed=1).sample(700, seed=2)
    inner = np.triu_indices(12, 1)
    seen, made = (np.corrcoef(d.to_numpy().T)[inner].mean() for d in (real, fake))
    assert seen > 0.45
    assert made > 0.75 * seen
