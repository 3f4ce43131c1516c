"""Exact copies and nearness: new real rows score as the reference does, copied training rows do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.metrics import dcr_share
from synthwright.metrics.dcr_share import DcrShare
from synthwright.metrics.exact_copies import ExactCopies
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]


def copying(case: Case, rows: int) -> Case:
    """Return a case where so many synthetic rows are training rows."""
    assert case.train is not None
    rest = case.synthetic.take("thing", np.arange(case.synthetic.rows() - rows))
    return case._replace(synthetic=case.train.take("thing", np.arange(rows)).joined(rest))


def test_new_rows_are_no_copies(second: Case, measure: Measure, alike: Callable[[Score], bool]) -> None:
    """New real rows equal training rows as often as held-out rows do, and lie as near to the ones as to the others."""
    assert alike(measure(ExactCopies(), second)[""])
    near = measure(DcrShare(), second)[""]
    assert alike(near)
    assert near.reference == 0.5


def test_copies_counted(second: Case, measure: Measure) -> None:
    """Copied rows are counted to the row, all of them."""
    some = measure(ExactCopies(), copying(second, 300))[""]
    assert some.value == pytest.approx(0.2, abs=0.002)
    assert some.reference == pytest.approx(measure(ExactCopies(), second)[""].reference, abs=0.005)  # chance, shuffled
    assert measure(ExactCopies(), copying(second, 1))[""].value == pytest.approx(1 / 1_500, abs=1e-5)


def test_copies_lie_near(second: Case, measure: Measure) -> None:
    """Where half of the rows are copied, synthetic rows are nearer to training rows, by more than chance."""
    near = measure(DcrShare(), copying(second, 750))[""]
    assert near.low is not None
    assert near.low > 0.55


def test_repeating_tables_have_their_reference(measure: Measure) -> None:
    """In a table of three possible rows everything is a copy, of held-out rows too, and equal distances count half."""
    label = Field(kind=Kind.CATEGORY)
    data = toys.dataset({"t": {"c": (label, list("abc") * 100)}})
    copies = measure(ExactCopies(), Case(data, data, data))[""]
    assert (copies.value, copies.reference) == (1.0, 1.0)
    near = measure(DcrShare(), Case(data, data, data))[""]
    assert (near.value, near.low, near.high) == (0.5, 0.5, 0.5)


def test_only_produced_columns_count(second: Case, measure: Measure) -> None:
    """Columns that were kept, not produced, make no copies."""
    assert second.train is not None
    kept = {c: second.train.tables["thing"].column(c) for c in ("colour", "size", "flag")}
    partial = second._replace(synthetic=second.synthetic.with_columns("thing", kept))
    everything = partial._replace(synthetic=second.train)
    produced = partial._replace(produced=("thing.price",))
    assert measure(ExactCopies(), everything)[""].value == 1.0
    assert (measure(ExactCopies(), produced)[""].value or 0.0) < 0.01
    near = measure(DcrShare(), produced)[""]
    assert near.value == pytest.approx(0.5, abs=0.05)
    none = partial._replace(produced=("thing.label",))
    for metric in (ExactCopies(), DcrShare()):
        assert measure(metric, none)[""].status == "not-applicable"


def test_columns_made_anew_do_not_hide_copies(second: Case, measure: Measure) -> None:
    """A new key on a copied row does not make it another row."""
    key = Field(kind=Kind.KEY, type="int64")
    assert second.train is not None
    schema = second.train.schema.model_copy(deep=True)
    fields = {"id": key, **schema.tables["thing"].fields}
    keyed_schema = schema.model_copy(
        update={"tables": {"thing": schema.tables["thing"].model_copy(update={"fields": fields})}}
    )

    def keyed(data: Dataset, first: int) -> Dataset:
        numbers = pa.array(np.arange(first, first + data.rows()))
        return Dataset(keyed_schema, {"thing": data.tables["thing"].add_column(0, "id", numbers)})

    assert second.holdout is not None
    case = Case(keyed(second.train, 0), keyed(second.holdout, 10_000), keyed(second.train, 20_000))
    assert measure(ExactCopies(), case)[""].value == 1.0


def test_without_holdout(second: Case, measure: Measure) -> None:
    """Copies have a reference of their own without held-out rows; nearness needs them."""
    alone = second._replace(holdout=None)
    copies = measure(ExactCopies(), copying(alone, 300))[""]
    assert copies.value == pytest.approx(0.2, abs=0.002)
    assert copies.reference is not None
    assert copies.reference < 0.02
    near = measure(DcrShare(), alone)[""]
    assert near.status == "not-applicable"
    assert "held-out rows" in str(near.problem)


@pytest.mark.parametrize("metric", [ExactCopies(), DcrShare()])
def test_no_rows(metric: ExactCopies | DcrShare, second: Case, measure: Measure) -> None:
    """No real rows leave nothing to say; no synthetic rows are a failure."""
    assert measure(metric, second._replace(train=None, holdout=None))[""].status == "not-applicable"
    assert measure(metric, second._replace(synthetic=toys.plain(0)))[""].status == "failed"


def test_sampling_is_said(second: Case, measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are looked at are sampled, which the score says; wide tables are sampled sooner."""
    wanted = "measured on 100 random synthetic rows, and 200 of both training and held-out rows"
    assert measure(DcrShare(rows=100), second)[""].problem == wanted
    monkeypatch.setattr(dcr_share, "_WORK", 4 * 4 * 100**2)
    assert measure(DcrShare(), second)[""].problem == wanted


def test_interval_is_what_chance_gives() -> None:
    """Where the training rows are a random half of the real rows, the interval holds a half, nearly always."""
    inside = 0
    for seed in range(40):
        rng = Context(seed=seed).rng
        train, holdout, fake = (
            toys.dataset({"t": {c: (Field(kind=Kind.NUMBER), rng.normal(size=100)) for c in "ab"}}) for _ in range(3)
        )
        (score,) = DcrShare().measure(Case(train, holdout, fake), Context(seed=seed))
        assert score.low is not None
        assert score.high is not None
        inside += score.low <= 0.5 <= score.high
    assert inside >= 35
