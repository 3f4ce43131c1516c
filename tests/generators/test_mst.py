"""Trees of noisy marginals: relations are kept, budgets too, and nothing but the release is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.generators.private_for_tests import (
    BUDGET,
    DOMAIN,
    PART,
    ROWS,
    SCHEMA,
    cells,
    follows,
    made,
    measured,
    model_of,
    people,
    saved,
)

from synthwright.core.context import Context
from synthwright.core.errors import FitError, StoreError
from synthwright.core.spend import Release, Spend
from synthwright.generators.mst import Mst
from synthwright.kit.private.model import PrivateModel

MAKER = Mst.model_validate({"domain": DOMAIN, "bins": 20})


@pytest.fixture(scope="module")
def release() -> Release:
    """Return what was measured of the people once."""
    pytest.importorskip("opendp")
    return measured(MAKER)


def test_relations_and_shares_are_kept(release: Release) -> None:
    """Jobs follow towns, ages follow jobs, missing values keep their share; the number of rows is nearly known."""
    real, rows = people().tables["people"], made(model_of(MAKER, release))
    assert release.head["rows"] == pytest.approx(ROWS, abs=100)
    assert follows(rows) == pytest.approx(follows(real), abs=0.03)
    assert rows["age"].null_count / ROWS == pytest.approx(0.2, abs=0.02)
    assert rows["town"].null_count == 0
    for job in ("none", "clerk", "cook"):
        one, two = (np.nanmedian(t["age"].filter(np.array(t["job"].to_pylist()) == job).to_numpy().astype(float))
                    for t in (real, rows))  # fmt: skip
        assert one == pytest.approx(two, abs=4)


def test_the_release_is_all_that_is_known(release: Release, tmp_path: Path) -> None:
    """The same release gives the same bytes and rows, loaded or not; the seed decides nothing but which rows."""
    one, two = model_of(MAKER, release), MAKER.learned(release, PART, SCHEMA, Context(seed=9))
    assert saved(one, tmp_path / "one") == saved(two, tmp_path / "two")
    loaded = PrivateModel.load(tmp_path / "one")
    assert loaded.spend == release.spend
    assert made(loaded, 50).equals(made(one, 50))
    assert not made(one, 50, seed=2).equals(made(one, 50))


def test_noise_does_not_follow_from_the_seed(release: Release) -> None:
    """Measuring again, with the same context, gives other numbers."""
    other = measured(MAKER)
    assert any((release.arrays[n] != other.arrays[n]).any() for n in release.arrays if n.endswith("counts"))


def test_the_budget_is_kept_and_used(release: Release) -> None:
    """What was spent is finite, at most the budget, and most of it."""
    assert 0.9 * BUDGET.epsilon < release.spend.epsilon <= BUDGET.epsilon
    assert 0 < release.spend.delta <= BUDGET.delta


def test_declared_cells_do_not_come_from_rows(release: Release) -> None:
    """One more row, with a new label and an extreme number, changes no cell."""
    maker = MAKER.model_copy(update={"bins": 100})  # every age has its own, for nothing
    other = measured(maker, people(job="king", age=10**9))
    assert cells(other) == cells(measured(maker))
    assert "king" not in made(model_of(maker, other))["job"].to_pylist()


def test_undeclared_cells_are_paid_for() -> None:
    """Without a domain, labels of many and bins where rows lie are found, those of one row are not."""
    pytest.importorskip("opendp")
    release = measured(Mst(), people(job="king", age=10**9))
    rows = made(model_of(Mst(), release))
    assert set(rows["job"].to_pylist()) <= {"none", "clerk", "cook", None}
    assert follows(rows) == pytest.approx(0.93, abs=0.05)
    assert np.nanmax(rows["age"].to_numpy().astype(float)) < 1_000
    assert release.spend.epsilon <= BUDGET.epsilon
    assert release.spend.delta <= BUDGET.delta


def test_a_budget_too_small_is_refused() -> None:
    """Where noise drowns every label, the column is named, and what can be done."""
    pytest.importorskip("opendp")
    with pytest.raises(FitError, match="mst: column 'town'"):
        measured(Mst(), budget=Spend(0.001, 1e-9))


def test_domains_must_fit() -> None:
    """Columns that are not made, and values that do not fit, are faults of the specification."""
    maker = Mst.model_validate({"domain": {"age": {"between": [9, 1]}, "hat": {"values": [1]}}})
    faults = maker.misused(SCHEMA, "people", ("town", "age"))
    assert [place for place, _ in faults] == [("domain", "age", "between"), ("domain", "hat")]


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenDP the message names the extra that brings it."""
    from synthwright.kit.private import accounting, noise

    kept = (noise.library, accounting.rho_for, accounting.epsilon_of)
    for one in kept:
        one.cache_clear()
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(FitError, match=r"pip install 'synthwright\[privacy\]'"):
        measured(MAKER)
    for one in kept:
        one.cache_clear()


def test_sampling_needs_no_extra(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning from a release, and drawing rows, look at neither OpenDP nor real rows."""
    for name in [m for m in sys.modules if m.partition(".")[0] in ("opendp", "jax", "mbi")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert made(model_of(MAKER, release), 10).num_rows == 10


@pytest.mark.parametrize("harm", ["table", "weight"])
def test_foreign_models_are_refused(release: Release, tmp_path: Path, harm: str) -> None:
    """A model whose tables cannot be drawn from is refused when it is read."""
    model = model_of(MAKER, release)
    first = model.order[0]
    if harm == "table":
        model = PrivateModel(model.table, model.mode, model.columns,
                             (first._replace(table=-first.table), *model.order[1:]), model.spend)  # fmt: skip
    else:
        column = model.columns[0]
        model = PrivateModel(
            model.table,
            model.mode,
            (column._replace(weight=column.weight[:-1]), *model.columns[1:]),
            model.order,
            model.spend,
        )
    saved(model, tmp_path / "model")
    with pytest.raises(StoreError, match="private model"):
        PrivateModel.load(tmp_path / "model")
