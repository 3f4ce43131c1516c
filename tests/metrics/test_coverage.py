"""Coverage: a second real sample reaches what training rows reach, and what is dropped is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.schema import Field, Kind
from synthwright.metrics.coverage import Coverage
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def test_second_real_sample(second: Case, measure: Measure, alike: Callable[[Score], bool]) -> None:
    """A second real sample covers what training rows cover."""
    scores = measure(Coverage(), second)
    assert all(alike(s) for s in scores.values())
    assert (scores[""].value or 0.0) > 0.95


def test_dropped_label_seen(second: Case, measure: Measure) -> None:
    """A label that is gone costs its share of the labels."""
    colours = second.synthetic.tables["thing"].column("colour").to_numpy()
    scores = measure(Coverage(), second._replace(synthetic=second.synthetic.filter("thing", colours != "blue")))
    assert scores["thing.colour"].value == scores["worst"].value == pytest.approx(2 / 3, abs=0.001)


def test_cut_tail_seen(second: Case, measure: Measure) -> None:
    """Numbers pressed into their middle half lose the ranges of both tails."""
    price = second.synthetic.tables["thing"].column("price").to_numpy()
    middle = pa.array(np.clip(price, *np.quantile(price, [0.25, 0.75])))
    scores = measure(Coverage(), second._replace(synthetic=second.synthetic.with_columns("thing", {"price": middle})))
    assert (scores["thing.price"].value or 1.0) < 0.6
    assert (scores["thing.size"].value or 0.0) > 0.9


def test_beyond_the_ends_is_nothing(measure: Measure) -> None:
    """Numbers outside of the real range cover nothing."""
    real = toys.dataset({"t": {"x": (NUMBER, np.arange(1_000.0))}})
    fake = toys.dataset({"t": {"x": (NUMBER, np.array([-1.0, 1e308, np.inf] * 30))}})
    assert measure(Coverage(), Case(real, real, fake))["t.x"].value == 0.0


def test_rare_labels_do_not_count(measure: Measure) -> None:
    """A label that fewer than three real rows have is nobody's duty; null is a label."""
    real = toys.dataset({"t": {"c": (LABEL, ["a", "b", None] * 10 + ["rare", "rare"])}})
    for values, share in ((["a", "b", None], 1.0), (["a", "b", "b"], 2 / 3), (["rare"], 0.0)):
        fake = toys.dataset({"t": {"c": (LABEL, values * 10)}})
        assert measure(Coverage(), Case(real, real, fake))["t.c"].value == pytest.approx(share, abs=0.01)
