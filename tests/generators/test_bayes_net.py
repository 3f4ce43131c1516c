"""Bayesian networks find who goes with whom, smooth where rows are few, and stay small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.generators.sequences_for_tests import agreeing, bytes_and_rows, fitted, forge, hollow, made, mixed, table

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.core.values import numbers
from synthwright.generators.bayes_net import BayesNet, BayesNetModel
from synthwright.kit.learning.network import ordered

ROWS = 3_000


def _chain(rows: int = ROWS) -> Dataset:
    """Return three columns of labels, each of which follows from the one before, nine times out of ten, and noise."""
    rng = np.random.default_rng(3)
    one = rng.integers(0, 4, rows)
    two = np.where(rng.random(rows) < 0.9, one, rng.integers(0, 4, rows))
    three = np.where(rng.random(rows) < 0.9, two, rng.integers(0, 4, rows))
    names = {"three": three, "noise": rng.integers(0, 5, rows), "one": one, "two": two}
    return table(**{n: [f"{n}{v}" for v in values] for n, values in names.items()})


def _parents(model: BayesNetModel) -> dict[str, set[str]]:
    """Return the parents of each column."""
    names = [c.name for c in model.columns]
    return {name: {names[p] for p in tables.parents} if tables is not None else set()
            for name, tables in zip(names, model.conditionals, strict=True)}  # fmt: skip


def _follows(rows: pa.Table, one: str, two: str) -> float:
    """Return how often two columns of labels end alike."""
    pairs = zip(rows.column(one).to_pylist(), rows.column(two).to_pylist(), strict=True)
    return float(np.mean([a[-1] == b[-1] for a, b in pairs]))


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same seed gives the same bytes and rows, loaded or not, on one thread and on five; another gives others."""
    found = []
    for i, (seed, threads) in enumerate(((1, 1), (1, 5), (2, 1))):
        monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda threads=threads: threads)
        found.append(bytes_and_rows(BayesNet(), mixed(600), tmp_path / str(i), seed))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_one_parent_is_the_tree_of_chow_and_liu() -> None:
    """Of three columns in a chain the middle one is next to both others; noise is by itself."""
    parents = _parents(fitted(BayesNet(parents=1), _chain()))
    edges = {frozenset((name, p)) for name, mine in parents.items() for p in mine}
    assert edges == {frozenset(("one", "two")), frozenset(("two", "three"))}


def test_an_order_grows_by_the_strongest_pair() -> None:
    """After the first columns comes whichever goes most with one that is placed; without first ones, the busiest."""
    told = np.array([[0, 1, 0, 0], [1, 0, 5, 2], [0, 5, 0, 3], [0, 2, 3, 0.0]])
    assert ordered(told, 0) == [1, 2, 3, 0]
    assert ordered(told, 1) == [0, 1, 2, 3]


def test_what_the_dials_turn() -> None:
    """Parents are as many as allowed; a high price, or cells that must be large, leave few or none."""
    data = mixed(ROWS)
    rng = np.random.default_rng(8)
    one = rng.integers(0, 6, ROWS)
    two = one + rng.integers(0, 6, ROWS)
    three = table(one=[f"o{v}" for v in one], two=[f"t{v}" for v in two],
                  three=[f"s{v}" for v in one + two + rng.integers(0, 2, ROWS)])  # fmt: skip
    assert max(map(len, _parents(fitted(BayesNet(parents=3), three)).values())) > 1
    assert max(map(len, _parents(fitted(BayesNet(parents=1), three)).values())) == 1
    assert not any(_parents(fitted(BayesNet(parents=0), data)).values())
    assert not any(_parents(fitted(BayesNet(price=500), data)).values())
    for cell in (20, 300):
        for tables in fitted(BayesNet(cell=cell), data).conditionals:
            assert (tables.stop - tables.start).min() >= cell


def test_noise_has_no_parents() -> None:
    """Columns that have nothing to do with each other are drawn by themselves."""
    rng = np.random.default_rng(6)
    data = table(
        coin=rng.random(ROWS) < 0.5,
        label=[f"l{v}" for v in rng.integers(0, 60, ROWS)],
        x=rng.normal(size=ROWS),
        step=rng.integers(0, 40, ROWS).astype(float),
    )
    assert not any(_parents(fitted(BayesNet(), data)).values())


def test_dependence_of_all_sorts() -> None:
    """A smooth function of two columns, labels with their numbers, and copies of a number are learned."""
    rng = np.random.default_rng(4)
    x, z, label = rng.normal(size=ROWS), rng.integers(0, 3, ROWS), rng.integers(0, 40, ROWS)
    data = table(
        x=x,
        z=[f"z{v}" for v in z],
        y=x * x + 2 * z + 0.05 * rng.normal(size=ROWS),
        copy=x,
        label=[f"l{v}" for v in label],
        big=label % 7 * 10 + rng.normal(size=ROWS),
    )
    rows = made(fitted(BayesNet(), data), data, ROWS)
    x, y, copy, big = (numbers(rows.column(n)) for n in ("x", "y", "copy", "big"))
    z, label = (np.array([int(v[1:]) for v in rows.column(n).to_pylist()]) for n in ("z", "label"))
    assert np.median(np.abs(y - x * x - 2 * z)) < 0.3
    assert np.corrcoef(x, copy)[0, 1] > 0.98
    assert (np.abs(big - label % 7 * 10) < 5).mean() > 0.85


def test_smoothing_draws_from_the_coarser_table() -> None:
    """Where the coarser table counts for all, nothing depends; where it counts for nothing, most does."""
    data = _chain()
    found = {s: _follows(made(fitted(BayesNet(smoothing=s), data), data, ROWS), "one", "two") for s in (0, 2, 1e6)}
    assert found[0] == pytest.approx(found[2], abs=0.03)
    assert found[2] > 0.85
    assert found[1e6] < 0.4


@pytest.mark.parametrize("smoothing", [0.0, 30.0])
def test_likelihoods_are_those_of_the_table(smoothing: float) -> None:
    """The likelihood of a label is its share among the rows with its parent's label, smoothed by that of all rows."""
    data = _chain()
    model = fitted(BayesNet(smoothing=smoothing, parents=1), data)
    at = next(i for i, t in enumerate(model.conditionals) if len(t.parents) == 1)
    tables, column = model.conditionals[at], model.columns[at]
    places = [c.places(data.tables["t"].column(c.name)) for c in model.columns]
    mine, parent = places[at], places[int(tables.parents[0])]
    bins = np.array([c.bins[p] for c, p in zip(model.columns, places, strict=True)])
    found = tables.likelihood(column, tables.features(bins, np.ones(4, bool)), mine)
    both, alone, whole = np.zeros((9, 9)), np.bincount(parent, minlength=9), np.bincount(mine, minlength=9) / ROWS
    np.add.at(both, (parent, mine), 1)
    wanted = (both + smoothing * whole) / np.maximum(alone + smoothing, 1)[:, None]
    assert len(set(tables.groups[0][:4])) == 4  # labels that were not merged
    assert found == pytest.approx(wanted[parent, mine], abs=1e-3)


def test_late_conditions_are_met() -> None:
    """A column that is set stays, wherever it stands in the order, and the others follow it."""
    data = _chain()
    model = fitted(BayesNet(), data)
    last = model.columns[-1].name if model.columns[-1].name != "noise" else model.columns[-2].name
    asked: dict[str, Any] = {last: [f"{last}2"] * 800}
    rows = made(model, data, 800, **asked)
    assert set(rows.column(last).to_pylist()) == {f"{last}2"}
    for other in {"one", "two", "three"} - {last}:
        assert _follows(rows, last, other) > 0.75
    given = fitted(BayesNet(), data, Part(("t.one",), ("t.three",)))
    assert [c.name for c in given.columns] == ["three", "one"]
    assert _follows(made(given, data, 800, three=["three1"] * 800), "three", "one") > 0.7


def test_an_unheard_label_says_nothing() -> None:
    """Rows whose label no row had are spread as all rows are."""
    rng = np.random.default_rng(3)
    group = rng.integers(0, 4, ROWS)
    data = table(group=[f"g{i}" for i in group], x=rng.normal(size=ROWS) + 3 * group)
    rows = made(fitted(BayesNet(), data), data, 500, group=pa.array(["new"] * 500, pa.large_string()))
    assert numbers(rows.column("x")).std() > 0.7 * numbers(data.column("t.x")).std()


def test_filling_makes_no_nulls() -> None:
    """What is missing is filled by what goes with it; what is there stays."""
    data = mixed(ROWS)
    model = fitted(BayesNet(), data, Part(("t.income", "t.blood"), ("t.bill",), "fill"))
    out = model.sample(data, Context(seed=2)).data
    gone = np.isnan(numbers(data.column("t.income")))
    assert out.column("t.income").null_count == 0
    assert out.column("t.blood").equals(data.column("t.blood"))
    bill, income = numbers(out.column("t.bill")), numbers(out.column("t.income"))
    assert np.corrcoef(np.log(bill[gone]), np.log(np.maximum(income[gone], 1e-3)))[0, 1] > 0.5


def test_nulls_follow_too() -> None:
    """Values are missing where they were missing."""
    data = mixed(ROWS)
    rows = made(fitted(BayesNet(), data), data, ROWS)
    for label in ("zero", "ab"):
        shares = []
        for held in (data.tables["t"], rows):
            mine = np.array(held.column("blood").to_pylist()) == label
            shares.append(np.isnan(numbers(held.column("income")))[mine].mean())
        assert shares[0] == pytest.approx(shares[1], abs=0.06)


def test_what_is_nearly_always_missing_is_filled_by_what_it_goes_with() -> None:
    """Where one row in twenty has a value, the others get the one that fits them, not just any."""
    data = hollow(4_000)
    model = fitted(BayesNet(), data, Part(("t.label",), ("t.x",), "fill"))
    assert agreeing(model.sample(data, Context(seed=2)).data) > 0.85


@pytest.mark.parametrize(
    ("array", "change"),
    [("parents", lambda a: a + 3_000), ("groups", lambda a: a[:, :9]), ("stop", lambda a: a + 10**9),
     ("held", lambda a: a + 10**6), ("keys", lambda a: a[::-1]), ("keys", lambda a: a + 10**9), ("start", lambda a: -a),
     ("weight", lambda a: a * np.nan)],
)  # fmt: skip
def test_a_forged_model_is_refused(tmp_path: Path, array: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Arrays that point elsewhere, with hashes that fit, end in a message and not in foreign memory."""
    fitted(BayesNet(), _chain(600)).save(tmp_path)
    forge(tmp_path, array, change)
    with pytest.raises(StoreError, match="fit the model again"):
        BayesNetModel.load(tmp_path)
