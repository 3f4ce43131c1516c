"""Boosted trees learn how likely each cell of a column is, and stop before they remember rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.generators.sequences_for_tests import (
    CATEGORY,
    NUMBER,
    agreeing,
    bytes_and_rows,
    fitted,
    forge,
    hollow,
    made,
    mixed,
    table,
)

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.errors import StoreError
from synthwright.core.values import numbers
from synthwright.generators.boosted import Boosted, BoostedModel
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning.boosted_cells import Cells, chosen, digits_of
from synthwright.kit.learning.coded import Coded

ROWS = 1_500


def _coded(values: pa.Array) -> Coded:
    field = CATEGORY if pa.types.is_large_string(values.type) else NUMBER
    return Coded("c", settle(field, observe(values), Context().rng))


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same seed gives the same bytes and rows, loaded or not, on one thread and on five; another gives others."""
    found = []
    for i, (seed, threads) in enumerate(((1, 1), (1, 5), (2, 1))):
        monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda threads=threads: threads)
        found.append(bytes_and_rows(Boosted(rounds=3, cells=3), mixed(500), tmp_path / str(i), seed))
    assert found[0] == found[1]
    assert found[0] != found[2]


# ------------------------------------------------------------------------------------------------------------- cells
def test_stages_cut_ordered_columns_evenly() -> None:
    """Each stage cuts every cell in parts of about even share, in order; a heavy value is a cell by itself."""
    rng = np.random.default_rng(1)
    column = _coded(pa.array(np.where(rng.random(9_000) < 0.4, 0.0, rng.normal(size=9_000))))
    cells = Cells.of(column, digits_of(column, 5))
    assert len(cells.digits) == 3
    for paths in cells.paths:
        assert (np.diff(paths) >= 0).all()
        assert set(np.diff(paths)) <= {0, 1}
    heavy = int(np.argmax(column.shares))
    assert (cells.paths[1] == cells.paths[1][heavy]).sum() == 1
    shares = np.bincount(cells.paths[2], column.shares)
    assert np.sort(shares)[-2] < 0.05
    assert cells.digits[0, -1] == cells.digits[0].max()  # no value is a part of its own
    for shares, inner, paths in zip(cells.shares, cells.inner, cells.paths[1:], strict=True):
        assert shares.sum() == pytest.approx(1)
        assert sorted(set(inner[shares > 0])) == sorted(set(paths))


def test_few_values_have_a_cell_each() -> None:
    """A number of few values has one stage; of many values, all those of the finest cells are drawn in their shares."""
    values = np.repeat(np.arange(10.0), 3 + np.arange(10) ** 3)
    assert digits_of(_coded(pa.array(values)), 5).tolist() == [list(range(11))]
    data = table(many=np.repeat(np.arange(300.0), 10), two=np.tile([True, False], 1_500))
    rows = made(fitted(Boosted(rounds=0, cells=3), data), data, 6_000)
    assert len(rows.column("many").unique()) == 300
    assert numbers(rows.column("many")).mean() == pytest.approx(149.5, abs=1)


def test_stages_tell_frequent_labels_first() -> None:
    """Frequent labels have cells of their own, seldom ones are told apart in a later stage."""
    labels = np.repeat([f"l{i:02}" for i in range(40)], np.arange(60, 20, -1))
    column = _coded(pa.array(labels.tolist(), pa.large_string()))
    digits = digits_of(column, 5)
    assert digits[0, :9].tolist() == list(range(9))
    assert set(digits[0, 9:40]) == {9}
    assert digits[1, 9:14].tolist() == [0, 1, 2, 3, 4]
    assert len(digits) == 3
    few = digits_of(_coded(pa.array(labels[:300].tolist(), pa.large_string())), 5)
    assert few.tolist() == [[0, 1, 2, 3, 4, 5, 6]]  # six labels, and no value


def test_a_class_is_chosen_by_its_chance() -> None:
    """A point below the first chance is the first class; a class without chance is never chosen."""
    chance = np.array([[0.2, 0.0, 0.8], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    assert chosen(chance, np.zeros(3)).tolist() == [0, 0, 0]
    assert chosen(chance, np.array([0.21, 0.99, 0.51])).tolist() == [2, 0, 1]
    assert chosen(chance, np.ones(3)).tolist() == [2, 0, 1]


def test_likelihoods_add_up_to_one() -> None:
    """Over all finest cells the likelihood of a row adds up to one, and real places are likelier than others."""
    data = mixed(ROWS)
    model = fitted(Boosted(rounds=8, cells=5), data)
    known = [c.places(data.tables["t"].column(c.name)) for c in model.columns]
    bins = np.array([c.bins[p] for c, p in zip(model.columns, known, strict=True)])[:, :40]
    for i in (2, 4):
        column, boosted = model.columns[i], model.conditionals[i]
        looks = boosted.features(bins, np.array([not c.ordered for c in model.columns]))
        cells = np.unique(Cells.of(column, boosted.digits).paths[-1], return_index=True)[1]
        every = boosted.likelihood(column, np.tile(looks, (len(cells), 1)), np.repeat(cells, 40)).reshape(-1, 40)
        assert every.sum(axis=0) == pytest.approx(np.ones(40))
        mine = boosted.likelihood(column, looks, known[i][:40])
        assert np.log(mine).mean() > np.log(every).mean()
        assert (boosted.likelihood(column, looks, np.full(40, column.size + 1)) == 1).all()


# -------------------------------------------------------------------------------------------------------- dependence
def test_dependence_of_all_sorts() -> None:
    """A wave, a pair of labels that belong together, and a value that goes with one label only are learned."""
    rng = np.random.default_rng(4)
    x, code = rng.normal(size=ROWS), rng.integers(0, 12, ROWS)
    bonus = np.where(code == 3, 15_024.0, np.where(code == 5, 7_688.0, np.round(rng.exponential(2_000, ROWS))))
    data = table(
        x=x,
        y=np.sin(3 * x) + 0.05 * rng.normal(size=ROWS),
        code=[f"c{v:02}" for v in code],
        number=code.astype(float),
        bonus=bonus,
    )
    rows = made(fitted(Boosted(), data), data, ROWS)
    x, y, number, bonus = (numbers(rows.column(n)) for n in ("x", "y", "number", "bonus"))
    code = np.array([int(v[1:]) for v in rows.column("code").to_pylist()])
    assert np.median(np.abs(y - np.sin(3 * x))) < 0.15
    assert (code == number).mean() > 0.97
    assert (code[bonus == 15_024] == 3).mean() > 0.9
    assert (bonus[code == 5] == 7_688).mean() > 0.85


def test_no_rounds_learn_no_dependence() -> None:
    """Without boosting, columns keep their shares and have nothing to do with each other."""
    data = mixed(ROWS)
    model = fitted(Boosted(rounds=0), data)
    assert all(trees is None for c in model.conditionals for trees in c.stages)
    rows = made(model, data, 4_000)
    rich = numbers(rows.column("rich")) > 0
    assert rich.mean() == pytest.approx((numbers(data.column("t.rich")) > 0).mean(), abs=0.02)
    bill = np.log(numbers(rows.column("bill")))
    assert bill[rich].mean() == pytest.approx(bill[~rich].mean(), abs=0.15)


def test_what_the_dials_turn() -> None:
    """Rounds and leaves bound the trees, cells their classes."""
    model = fitted(Boosted(rounds=3, leaves=4, cells=4), mixed(ROWS))
    stages = [(t, d) for c in model.conditionals for t, d in zip(c.stages, c.digits, strict=True) if t is not None]
    assert stages
    for trees, digits in stages:
        assert digits.max() <= 8
        assert len(trees.roots) <= 3 * (digits.max() + 1)
        assert np.diff(np.append(trees.roots, len(trees.feature))).max() <= 2 * 4 - 1


def test_late_conditions_are_met() -> None:
    """A column that is set stays, wherever it stands in the order, and the others follow it."""
    data = mixed(ROWS)
    model = fitted(Boosted(rounds=10), data)
    assert model.columns[0].name == "rich"
    bill = numbers(data.column("t.bill"))
    shares = []
    for one in np.quantile(bill, [0.1, 0.97]):
        rows = made(model, data, 100, bill=[float(one)] * 100)
        assert set(rows.column("bill").to_pylist()) == {one}
        shares.append((numbers(rows.column("rich")) > 0).mean())
    assert shares[0] < 0.1
    assert shares[1] > 0.8


def test_filling_makes_no_nulls() -> None:
    """What is missing is filled by what goes with it; what is there stays."""
    data = mixed(ROWS)
    out = fitted(Boosted(rounds=15), data, Part(("t.income",), ("t.bill",), "fill")).sample(data, Context(seed=2)).data
    gone = np.isnan(numbers(data.column("t.income")))
    assert out.column("t.income").null_count == 0
    assert np.array_equal(numbers(out.column("t.income"))[~gone], numbers(data.column("t.income"))[~gone])
    bill, income = numbers(out.column("t.bill")), numbers(out.column("t.income"))
    assert np.corrcoef(np.log(bill[gone]), np.log(np.maximum(income[gone], 1e-3)))[0, 1] > 0.4


def test_what_is_nearly_always_missing_is_filled_by_what_it_goes_with() -> None:
    """Where one row in twenty has a value, the others get the one that fits them, not just any."""
    data = hollow(4_000)
    model = fitted(Boosted(rounds=15), data, Part(("t.label",), ("t.x",), "fill"))
    assert agreeing(model.sample(data, Context(seed=2)).data) > 0.85


@pytest.mark.parametrize(
    ("array", "change"),
    [("seen", lambda a: a + 3_000), ("digits", lambda a: a[:, 1:]), ("digits", lambda a: a - 1),
     ("digits", lambda a: a + 10**6), ("stage-0:left", lambda a: a + 10**9), ("stage-0:feature", lambda a: a + 900),
     ("stage-0:roots", lambda a: a[:-1]), ("guide-0:left", lambda a: a - 10**6), ("edges", lambda a: a[:0])],
)  # fmt: skip
def test_a_forged_model_is_refused(
    saved: Path, tmp_path: Path, array: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Arrays that point elsewhere, with hashes that fit, end in a message and not in foreign memory."""
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    forge(tmp_path, array, change)
    with pytest.raises(StoreError, match="fit the model again"):
        BoostedModel.load(tmp_path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a model was saved that has a guide."""
    folder = tmp_path_factory.mktemp("boosted")
    fitted(Boosted(rounds=3), mixed(800)).save(folder)
    return folder
