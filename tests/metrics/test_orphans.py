"""References that lead nowhere, where the schema was guessed: held to what no real row does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import GUESSED_GATES
from synthwright.core.schema import Field, Kind
from synthwright.metrics.keys import Keys
from synthwright.report.verdict import settle, verdict
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
GATE = GUESSED_GATES["keys >= 1"]


def sample(parents: int, children: int, first: int = 0) -> Dataset:
    """Return parents, their children, and a small table that is far more uncertain than these."""
    key = Field(kind=Kind.KEY, type="int64", nulls=False)
    link = Field(kind=Kind.REFERENCE, to="parent.id", type="int64", nulls=False)
    rng = np.random.default_rng(first)
    return toys.dataset({
        "parent": {"id": (key, np.arange(parents) + first)},
        "child": {"parent": (link, rng.integers(0, parents, children) + first)},
        "small": {"id": (key, np.arange(12))},
    }, keys={"parent": "id", "small": "id"})  # fmt: skip


def orphaned(data: Dataset, share: float) -> Dataset:
    """Return data with a share of the children belonging to nobody."""
    owner = data.column("child.parent").to_numpy().copy()
    owner[: round(len(owner) * share)] = 10**9
    return data.with_columns("child", {"parent": pa.array(owner)})


def passes(case: Case, measure: Measure) -> bool:
    """Return whether the gate of guessed schemas passes."""
    return verdict(settle(list(measure(Keys(), case).values()), [GATE])) == "released"


@pytest.mark.parametrize(("share", "fine"), [(0.0, True), (0.001, True), (0.01, False), (0.05, False)])
@pytest.mark.parametrize("sizes", [(4_000, 0), (3_200, 800)])
def test_orphans(share: float, fine: bool, sizes: tuple[int, int], measure: Measure) -> None:  # noqa: FBT001
    """One in a hundred of 4,000 is refused where none of 4,000 real rows is; what chance may do is not."""
    train, holdout = (sample(500, n, f) if n else None for n, f in zip(sizes, (0, 10_000), strict=True))
    case = Case(train, holdout, orphaned(sample(500, 4_000, 20_000), share))
    assert passes(case, measure) is fine


def test_real_orphans_speak_for_themselves(measure: Measure) -> None:
    """Where real references lead nowhere as often, nobody is refused."""
    train, holdout, made = (orphaned(sample(500, 2_000, f), 0.05) for f in (0, 10_000, 20_000))
    case = Case(train, holdout, made)
    assert passes(case, measure)
    assert not passes(case._replace(synthetic=orphaned(case.synthetic, 0.15)), measure)


def test_held_out_rows_may_point_to_training_rows(measure: Measure) -> None:
    """Held-out rows without their parents are no orphans where training rows have all of them, and are where not."""
    train, rest = sample(500, 3_000), sample(500, 800)
    alone = rest.filter("parent", np.arange(500) < 100)
    assert not passes(Case(train, alone, orphaned(sample(500, 3_000), 0.05)), measure)
    scores = measure(Keys(), Case(train, alone, train))
    assert scores["child.parent"].reference == 1.0
    some = train.filter(
        "parent", np.arange(500) >= 100
    )  # neither side has all of its parents: then samples may lack some
    scores = measure(Keys(), Case(some, alone, train))
    assert (scores["child.parent"].reference or 1.0) < 0.8
    assert passes(Case(some, alone, orphaned(train, 0.1)), measure)


def test_one_column_is_not_hidden_by_others(measure: Measure) -> None:
    """The table of which little is known does not excuse the one of which much is."""
    scores = measure(Keys(), Case(sample(500, 4_000), None, orphaned(sample(500, 4_000), 0.01)))
    assert scores["worst"].problem == "child.parent"
    assert (scores["small.id"].chance or 0.0) > 0.3
    assert (scores["child.parent"].chance or 1.0) < 0.006


def test_repeats_of_larger_tables(measure: Measure) -> None:
    """Values that hardly repeat in few rows repeat in many: it is pairs that count, and real repeats besides."""
    near = Field(kind=Kind.CATEGORY, unique=True)

    def table(rows: int, seed: int) -> Dataset:
        values = np.random.default_rng(seed).integers(0, 400_000, rows)
        return toys.dataset({"t": {"code": (near, [f"c{v}" for v in values])}})

    case = Case(table(800, 1), table(200, 2), table(4_000, 3))
    assert (measure(Keys(), case)["t.code"].value or 1.0) < 1.0
    assert passes(case, measure)
    half = case.synthetic.take("t", np.arange(4_000) // 2)
    assert not passes(case._replace(synthetic=half), measure)


def test_nothing_named(measure: Measure) -> None:
    """A table of nothing but columns without nulls has a worst score, too."""
    whole = Field(kind=Kind.INTEGER, nulls=False)
    data = toys.dataset({"t": {"n": (whole, [1, 2, 3])}})
    assert passes(Case(data, data, data), measure)
    assert measure(Keys(), Case(data, data, data))["worst"].value == 1.0
