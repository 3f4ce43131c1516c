"""Outside rows are judged alike by one process and by several, and a metric that raises there fails its gates."""

from __future__ import annotations

import pytest

from synthwright.core.contracts import Case
from synthwright.core.plan import plan
from synthwright.core.spec import Evaluate, Spec, Use
from synthwright.metrics.exact_copies import ExactCopies
from synthwright.metrics.rows import Rows
from synthwright.metrics.shape import Shape
from synthwright.steps import judging
from synthwright.steps.judging import measured
from synthwright.testing import toys


@pytest.fixture
def case() -> Case:
    """Return a case of few rows, with everything that a worker must be told."""
    train, holdout, made = (toys.plain(n, s) for n, s in ((300, "train"), (200, "holdout"), (300, "made")))
    spec = Spec(synthwright=1, name="x", schema_=train.schema, evaluate=Evaluate(), curate=(), release=Use(use="csv"))
    rules = tuple((t, r) for t, table in plan(spec, train.schema).schema.tables.items() for r in table.rules)
    return Case(train, holdout, made, "thing.colour", ("thing.colour",), rules, ("thing.size",), {"thing": 300})


def test_processes_change_no_score(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers give what one gives, in the same order, and tell how far they are."""
    monkeypatch.setattr(judging, "FEW", 0)
    metrics = (Shape(), Rows(), ExactCopies())
    said: list[int] = []
    one = measured(case, metrics, 3, 60)
    two = measured(case, metrics, 3, 60, workers=2, told=lambda done, _: said.append(done))
    assert [s._asdict() for s in one.scores] == [s._asdict() for s in two.scores]
    assert list(one.seconds) == list(two.seconds) == ["shape", "rows", "exact-copies"]
    assert sorted(said) == [1, 2, 3]
    assert any(s.about == "thing.size" for s in two.scores)


def test_few_rows_stay_in_this_process(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started where it would take longer than it saves."""
    monkeypatch.setattr(judging, "Local", None)
    assert measured(case, (Shape(), Rows()), 0, 60, workers=4).scores
