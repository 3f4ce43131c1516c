"""Marginals chosen one after the other: relations of all pairs are kept, and the whole budget is used."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.generators.private_for_tests import BUDGET, DOMAIN, cells, follows, made, measured, model_of, people

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spend import Release, Spend
from synthwright.generators.aim import Aim
from synthwright.kit.private.junctions import junction

pytest.importorskip("opendp")

MAKER = Aim.model_validate({"domain": DOMAIN, "bins": 20})


@pytest.fixture(scope="module")
def release() -> Release:
    """Return what was measured of the people once."""
    return measured(MAKER)


def _coins(rows: int = 3_000) -> Dataset:
    """Return three coins, the third of which is decided by the two others together, and by neither alone."""
    rng = np.random.default_rng(1)
    one, two = rng.random(rows) < 0.5, rng.random(rows) < 0.5
    fields = {n: Field(kind=Kind.BOOLEAN, nulls=False) for n in ("one", "two", "three")}
    table = pa.table({"one": one, "two": two, "three": one ^ two})
    return Dataset(Schema(tables={"coins": Table(fields=fields)}), {"coins": table})


def test_relations_are_kept(release: Release) -> None:
    """Jobs follow towns, and noise is not taken for relations."""
    rows = made(model_of(MAKER, release))
    assert follows(rows) == pytest.approx(follows(people().tables["people"]), abs=0.03)
    assert rows["age"].null_count / len(rows) == pytest.approx(0.2, abs=0.02)


def test_the_whole_budget_is_used(release: Release) -> None:
    """The last round takes what is left: more than nine tenths are spent, and never more than all."""
    assert 0.99 * BUDGET.epsilon < release.spend.epsilon <= BUDGET.epsilon
    assert release.spend.delta <= BUDGET.delta


def test_noise_does_not_follow_from_the_seed(release: Release) -> None:
    """Measuring again, with the same context, gives other numbers in the same cells."""
    other = measured(MAKER)
    assert any((release.arrays[n] != other.arrays[n]).any() for n in release.arrays if n.endswith("counts"))


def test_declared_cells_do_not_come_from_rows() -> None:
    """One more row, with a new label and an extreme number, changes no cell."""
    maker = MAKER.model_copy(update={"bins": 100})
    assert cells(measured(maker, people(job="king", age=10**9))) == cells(measured(maker))


@pytest.mark.parametrize(("degree", "right"), [(2, 0.5), (3, 1.0)])
def test_degree_says_how_many_columns_go_together(degree: int, right: float) -> None:
    """What only three columns together tell is kept with `degree: 3`, and lost with 2."""
    data = _coins()
    part = Part(("coins.one", "coins.two", "coins.three"))
    maker = Aim(degree=degree)
    release = maker.measure(data, part, budget=Spend(5.0, 1e-6), ctx=Context())
    model = maker.learned(release, part, data.schema, Context())
    rows = model.sample(Dataset.blank(data.schema, {"coins": 2_000}), Context()).data.tables["coins"]
    one, two, three = (rows[n].to_numpy() for n in ("one", "two", "three"))
    assert float(((one ^ two) == three).mean()) == pytest.approx(right, abs=0.1)


def test_size_bounds_the_model() -> None:
    """However many pairs would help, the model stays within the megabytes that it may take."""
    maker = MAKER.model_copy(update={"size": 0.001})
    release = measured(maker, budget=Spend(10.0, 1e-6))
    found = model_of(maker, release)
    sizes = [int(c.group.max()) + 1 for c in found.columns]
    cliques = [tuple(m["columns"]) for m in release.head["marginals"]]
    assert junction(sizes, cliques).cells * 8 <= max(0.001 * 2**20, 8 * sum(sizes))


def test_many_cells_are_measured_in_blocks() -> None:
    """Two long columns that follow each other are told by blocks of cells, where single ones would drown in noise."""
    rng = np.random.default_rng(3)
    one = rng.integers(0, 60, 6_000)
    two = np.clip(one + rng.integers(-6, 7, 6_000), 0, 59)
    fields = {n: Field(kind=Kind.INTEGER, nulls=False) for n in ("one", "two")}
    data = Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": pa.table({"one": one, "two": two})})
    part = Part(("t.one", "t.two"))
    maker = Aim.model_validate({"domain": {n: {"between": [0, 59]} for n in fields}, "bins": 60})
    release = maker.measure(data, part, budget=Spend(2.0, 1e-6), ctx=Context())
    sizes = [release.arrays[f"marginal-{i}"].size for i in range(len(release.head["marginals"]))]
    assert min(sizes) <= 100
    model = maker.learned(release, part, data.schema, Context())
    rows = model.sample(Dataset.blank(data.schema, {"t": 2_000}), Context()).data.tables["t"]
    assert np.corrcoef(rows["one"].to_numpy(), rows["two"].to_numpy())[0, 1] > 0.8
