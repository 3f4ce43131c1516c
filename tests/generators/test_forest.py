"""Forests learn what depends on what, say the same on every machine, and remember nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.generators.forest import Forest, ForestModel
from synthwright.kit.coding.codecs import UNKNOWN
from synthwright.kit.learning.conditional import Conditional
from synthwright.testing import toys
from synthwright.testing.stored import contents, stored_numbers, stored_texts

NUMBER, CATEGORY, BOOLEAN = (Field(kind=k) for k in (Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN))
ROWS = 3_000


def _fitted(data: Dataset, recipe: Forest | None = None, part: Part | None = None, seed: int = 1) -> ForestModel:
    return (recipe or Forest()).fit(data, part or Part(data.schema.columns), Context(seed=seed))


def _by_trees(model: ForestModel) -> list[Conditional]:
    """Return how the columns follow that follow from trees alone."""
    return [c for c in model.conditionals if isinstance(c, Conditional)]


def _made(data: Dataset, rows: int, recipe: Forest | None = None, **settings: Any) -> pa.Table:
    """Return rows made from nothing but these columns."""
    table = data.schema.only
    start = Dataset.blank(data.schema, {table: rows})
    if settings:
        start = start.with_columns(table, settings)
    return _fitted(data, recipe).sample(start, Context(seed=2)).data.tables[table]


def _table(**columns: Any) -> Dataset:
    """Return a table: text is a category, booleans and numbers are what they are, None is null."""

    def kind(values: Any) -> Field:
        one = next((v for v in values if v is not None), 0.0)
        return CATEGORY if isinstance(one, str) else BOOLEAN if isinstance(one, bool | np.bool_) else NUMBER

    return toys.dataset({"t": {n: (kind(v), v) for n, v in columns.items()}})


def _mixed(rows: int = ROWS) -> Dataset:
    """Return a table with guides, corrections, labels and nulls in it."""
    rng = np.random.default_rng(7)
    hidden = rng.normal(size=rows)
    bill = np.round(np.exp(5 + hidden), 1)
    paid = np.where(rng.random(rows) < 0.5, bill, np.round(bill * rng.random(rows), 1))
    income = np.exp(hidden + 0.3 * rng.normal(size=rows)).tolist()
    missing = hidden + rng.normal(size=rows) > 1.5
    blood = np.array(["zero", "a", "b", "ab"])[np.searchsorted([-1, 0, 1], hidden + 0.3 * rng.normal(size=rows))]
    return _table(
        bill=bill,
        paid=paid,
        blood=blood.tolist(),
        income=[None if gone else v for v, gone in zip(income, missing, strict=True)],
        rich=hidden > 1,
    )


# ---------------------------------------------------------------------------------------------- repeatable, portable
def test_the_seed_decides(tmp_path: Path) -> None:
    """The same seed gives the same bytes of the model and the same rows, a loaded model too; another gives others."""
    data = _mixed(1_200)
    start = Dataset.blank(data.schema, {"t": 700})
    files, rows = [], []
    for i, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(i)
        folder.mkdir()
        model = _fitted(data, seed=seed)
        model.save(folder)
        files.append(contents(folder))
        rows.append(model.sample(start, Context(seed=5)).data.tables["t"])
        assert ForestModel.load(folder).sample(start, Context(seed=5)).data.tables["t"].equals(rows[-1])
    assert files[0] == files[1]
    assert files[0] != files[2]
    assert rows[0].equals(rows[1])
    assert not rows[0].equals(rows[2])
    assert not rows[0].equals(model.sample(start, Context(seed=6)).data.tables["t"])


def test_threads_do_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One thread and five make the same model, and the same rows where these are made in several pieces."""
    monkeypatch.setattr("synthwright.kit.learning.sequence.PIECE", 300)
    data = _mixed(1_200)
    found = []
    for threads in (1, 5):
        monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda threads=threads: threads)
        model, folder = _fitted(data), tmp_path / str(threads)
        folder.mkdir()
        model.save(folder)
        rows = model.sample(Dataset.blank(data.schema, {"t": 1_000}), Context(seed=5)).data.tables["t"]
        found.append((contents(folder), rows.combine_chunks()))
    assert found[0] == found[1]
    assert found[0][1].num_rows == 1_000
    bills = found[0][1].column("bill")
    assert bills.slice(0, 250).to_pylist() != bills.slice(250, 250).to_pylist()


def test_processes_with_more_threads_say_the_same(tmp_path: Path) -> None:
    """The model and its rows are the same bytes whatever number of threads a process may have."""
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2])\n"
        "from test_forest import _mixed, _fitted, Dataset, Context\n"
        "d = _mixed(900); m = _fitted(d); p = pathlib.Path(sys.argv[1]); m.save(p)\n"
        "s = m.sample(Dataset.blank(d.schema, {'t': 500}), Context(seed=3)).data\n"
        "(p / 'rows').write_text(str(s.tables['t'].to_pylist()))"
    )
    running = []
    for threads in ("1", "2"):
        (tmp_path / threads).mkdir()
        command = [sys.executable, "-c", code, str(tmp_path / threads), str(Path(__file__).parent)]
        limits = {f"{lib}_NUM_THREADS": threads for lib in ("OPENBLAS", "OMP", "MKL")}
        running.append(subprocess.Popen(command, env={**os.environ, **limits}))
    assert [process.wait(timeout=90) for process in running] == [0, 0]
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert {"model.json", "rows"} <= set(contents(tmp_path / "1"))


# ------------------------------------------------------------------------------------------------------- conditions
def _share(table: pa.Table, label: str) -> float:
    return table.column("group").to_pylist().count(label) / table.num_rows


def test_what_no_row_had_can_be_set() -> None:
    """A label, a number and a null that no row had stay as they are, also in late columns, and nothing breaks."""
    rng = np.random.default_rng(3)
    group = rng.integers(0, 4, ROWS)
    data = _table(group=[f"g{i}" for i in group], x=rng.normal(size=ROWS) + 3 * group)
    new = _made(data, 500, group=pa.array(["new"] * 500, pa.large_string()))
    assert new.column("group").unique().to_pylist() == ["new"]
    far = _made(data, 500, x=pa.array([1e9] * 500))
    assert set(far.column("x").to_pylist()) == {1e9}
    assert _share(far, "g3") > 0.9
    none = _made(data, 500, x=pa.nulls(500, pa.float64()))
    assert none.column("x").null_count == 500
    assert _share(none, "g3") == pytest.approx(0.25, abs=0.1)


# -------------------------------------------------------------------------------------------------- fill and replace
def test_a_number_is_filled_better_than_by_its_median() -> None:
    """A number that another one determines is met nearly as well as the noise lets, whichever of the two is missing."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=ROWS)
    y = x + 0.2 * rng.normal(size=ROWS)
    gaps = [rng.random(ROWS) < 0.2 for _ in range(2)]
    gaps[1] &= ~gaps[0]
    data = _table(**{n: [None if gone else float(u) for u, gone in zip(v, gap, strict=True)]
                     for n, v, gap in (("x", x, gaps[0]), ("y", y, gaps[1]))})  # fmt: skip
    model = _fitted(data, part=Part(("t.x", "t.y"), (), "fill"))
    filled = model.sample(data, Context(seed=2)).data
    for name, truth, gap in (("x", x, gaps[0]), ("y", y, gaps[1])):
        missed = numbers(filled.column(f"t.{name}"))[gap] - truth[gap]
        assert np.sqrt((missed**2).mean()) < 0.6, name  # the median misses by one


def test_replaced_columns_follow_those_that_stay() -> None:
    """Replaced columns are drawn anew, conditioned on the columns that stay as they are."""
    data = _mixed()
    part = Part(("t.income", "t.rich"), ("t.blood", "t.bill"), "replace")
    made = _fitted(data, part=part).sample(data, Context(seed=2)).data
    for name in ("bill", "blood", "paid"):
        assert made.column(f"t.{name}").equals(data.column(f"t.{name}"))
    assert not made.column("t.income").equals(data.column("t.income"))
    bill = np.log(numbers(data.column("t.bill")))
    for one, other in ((d.column("t.income"), d.column("t.rich")) for d in (data, made)):
        there = np.asarray(one.is_valid())
        assert np.corrcoef(bill[there], np.log(numbers(one)[there]))[0, 1] > 0.9
        assert bill[numbers(other) > 0].min() > bill.mean()
    left = [np.log(numbers(d.column("t.income"))) - bill for d in (data, made)]  # what the bill does not say
    there = np.isfinite(left[0]) & np.isfinite(left[1])
    assert abs(np.corrcoef(left[0][there], left[1][there])[0, 1]) < 0.15
    part = Part(("t.rich",), ("t.blood", "t.bill"), "make")
    made = _fitted(data, part=part).sample(data, Context(seed=2)).data
    assert made.column("t.rich").equals(data.column("t.rich"))  # in mode make, what is there was set


def test_nulls_stay_nulls() -> None:
    """Values are missing as often as they were, and where they were."""
    data = _mixed()
    made = _made(data, ROWS)
    for label in ("zero", "a", "b", "ab"):
        share = [t.filter(pc.equal(t.column("blood"), label)).column("income") for t in (data.tables["t"], made)]
        real, found = (c.null_count / len(c) for c in share)
        assert found == pytest.approx(real, abs=0.05), label


# ---------------------------------------------------------------------------------------------------------- privacy
def test_the_model_remembers_nobody(tmp_path: Path) -> None:
    """The files hold no number and no label that one or two rows have, nor do samples; leaves hold no rows."""
    rng = np.random.default_rng(9)
    hidden = rng.normal(size=ROWS)
    labels = np.array(["oak", "elm"])[(hidden > 0).astype(int)].astype(object)
    labels[[5, 9, 9 + 17]] = ["once-4f1c", "twice-9b2e", "twice-9b2e"]
    own = 1_000 * np.exp(hidden) + rng.random(ROWS)
    near = own * (1 + 0.01 * rng.normal(size=ROWS))
    whole = np.round(hidden * 10) * 10
    whole[[31, 32]] = 7_346_291_857.0
    data = _table(
        tree=labels.tolist(), own=own, near=near, whole=whole, same=np.where(rng.random(ROWS) < 0.5, own, near)
    )
    model = _fitted(data)
    assert any(c.correction is not None for c in _by_trees(model))
    assert any(c.guide is not None for c in _by_trees(model))
    model.save(tmp_path)
    held, said = stored_numbers(tmp_path), " ".join(stored_texts(tmp_path)).encode()
    secret = np.concatenate([own, near, [7_346_291_857.0]])
    assert not np.isin(secret, held).any()
    assert np.isin(secret.astype(np.float32), held.astype(np.float32)).sum() <= 3  # by chance: floats are coarse
    everything = said + b"".join(contents(tmp_path).values())
    assert all(w not in everything for w in (b"once-4f1c", b"twice-9b2e"))
    made = model.sample(Dataset.blank(data.schema, {"t": 5_000}), Context(seed=4)).data.tables["t"]
    assert not any(np.isin(numbers(made.column(n)), secret).any() for n in ("own", "near", "whole", "same"))
    assert set(made.column("tree").to_pylist()) == {"oak", "elm"}
    assert len(made.column("own").unique()) > 4_000  # no few values stand for all
    assert len(_by_trees(model)) == len(model.columns)
    for conditional in _by_trees(model):
        tree = conditional.forest.tree
        for node in np.flatnonzero(tree.feature < 0):
            mine = conditional.forest.held[tree.start[node] : tree.stop[node]].astype(int)
            assert len(mine) >= 4
            assert (np.diff(mine) >= 0).all()  # in order of value: who is who is lost


def test_protect_is_a_dial(tmp_path: Path) -> None:
    """Values that fewer rows share than `protect` says are in no file; a table of fewer rows is no trouble."""
    label = np.repeat(["often", "seldom"], [900, 15]).astype(str)
    data = _table(label=label.tolist(), x=np.arange(915.0) % 30)
    for protect, there in ((15, True), (16, False)):
        folder = tmp_path / str(protect)
        folder.mkdir()
        _fitted(data, Forest(protect=protect)).save(folder)
        assert (b"seldom" in (folder / "model.json").read_bytes()) is there
    made = _made(_table(x=np.arange(12.0), flag=[True, False] * 6), 50, Forest(protect=20))
    assert made.column("x").null_count == made.column("flag").null_count == 50


# ------------------------------------------------------------------------------------------------- what there may be
def test_dependence_of_all_sorts() -> None:
    """A smooth function, a copied column, an exclusive or of two uneven coins, three hundred labels are learned."""
    rng = np.random.default_rng(4)
    x, coins = rng.normal(size=ROWS), rng.random((2, ROWS)) < 0.6
    label = np.minimum(rng.geometric(0.01, ROWS), 300)
    data = _table(
        x=x,
        y=np.sin(3 * x) + 0.05 * rng.normal(size=ROWS),
        copy=x,
        one=coins[0],
        two=coins[1],
        either=coins[0] ^ coins[1],
        label=[f"l{v}" for v in label],
        big=(label % 7 * 10 + rng.normal(size=ROWS)),
    )
    made = _made(data, ROWS)
    x, y, copy, big = (numbers(made.column(n)) for n in ("x", "y", "copy", "big"))
    assert np.sqrt(((y - np.sin(3 * x)) ** 2).mean()) < 0.25
    assert np.corrcoef(x, copy)[0, 1] > 0.99
    one, two, either = (numbers(made.column(n)) > 0 for n in ("one", "two", "either"))
    assert ((one ^ two) == either).mean() > 0.95
    wanted = np.array([int(v[1:]) % 7 * 10 for v in made.column("label").to_pylist()])
    often = np.isin(wanted, wanted[:1_000])
    assert (np.abs(big - wanted)[often] < 5).mean() > 0.7


def test_unusual_columns() -> None:
    """One column, columns of one value, columns without values, and twelve rows are no trouble."""
    lone = toys.one_column()
    made = numbers(_made(lone, 2_000).column("amount"))
    real = numbers(lone.column("lone.amount"))
    assert made.mean() == pytest.approx(real.mean(), abs=0.3)
    made_ = _made(_table(a=[3.5] * 60, b=[None] * 60, c=list(map(float, range(60))), d=["x"] * 60), 90)
    assert set(made_.column("a").to_pylist()) == {3.5}
    assert set(made_.column("d").to_pylist()) == {"x"}
    assert made_.column("b").null_count == 90
    few = _made(_table(a=list(range(12)), b=["p", "q", "r"] * 4, c=[True, False, None] * 4), 200)
    assert set(few.column("b").to_pylist()) == {"p", "q", "r"}
    assert few.column("c").null_count == pytest.approx(67, abs=25)


def test_more_labels_than_sixteen_bits_count() -> None:
    """In a column of seventy thousand labels nulls stay as frequent as they were, and labels as they were."""
    labels = np.repeat([f"l{i:05}" for i in range(70_000)], 3).tolist() + ["often"] * 40_000 + [None] * 50_000
    made = _made(_table(label=labels), 5_000).column("label")
    assert made.null_count / 5_000 == pytest.approx(1 / 6, abs=0.03)
    assert pc.sum(pc.equal(made, "often")).as_py() / 5_000 == pytest.approx(2 / 15, abs=0.03)
    assert set(made.drop_null().to_pylist()) <= set(labels)


def test_many_columns(tmp_path: Path) -> None:
    """Three hundred columns of two hundred rows are learned, saved and made in seconds, chance not for dependence."""
    rng = np.random.default_rng(5)
    columns = {f"n{i}": rng.normal(size=200) for i in range(200)}
    columns |= {f"c{i}": np.array(["p", "q", "r"])[rng.integers(0, 3, 200)].tolist() for i in range(100)}
    data = _table(**columns)
    began = time.process_time()
    model = _fitted(data)
    model.save(tmp_path)
    made = ForestModel.load(tmp_path).sample(Dataset.blank(data.schema, {"t": 1_000}), Context()).data.tables["t"]
    assert time.process_time() - began < 12
    some = np.corrcoef([numbers(made.column(f"n{i}")) for i in range(0, 200, 4)])
    assert np.abs(some - np.eye(50)).max() < 0.25


def test_noise_gives_one_leaf() -> None:
    """Columns that have nothing to do with each other have one leaf each, labels and numbers alike."""
    rng = np.random.default_rng(6)
    data = _table(
        coin=rng.random(ROWS) < 0.5,
        label=[f"l{v}" for v in rng.integers(0, 200, ROWS)],
        x=rng.normal(size=ROWS),
        step=rng.integers(0, 40, ROWS).astype(float),
    )
    model = _fitted(data, Forest(evidence=6))
    for column, conditional in zip(model.columns, _by_trees(model), strict=True):
        assert len(conditional.forest.tree.feature) == 1, column.name
        assert conditional.correction is None, column.name


def test_what_the_dials_turn() -> None:
    """Fewer rounds, rows and trees learn what they say: no correction, no guide, fewer trees; larger leaves."""
    data = _mixed()

    def parts(**dials: Any) -> tuple[int, int, int, int]:
        held = _by_trees(_fitted(data, Forest(**dials)))
        return (sum(c.guide is not None for c in held), sum(c.correction is not None for c in held),
                max(len(c.forest.roots) for c in held), sum(len(c.forest.tree.feature) for c in held))  # fmt: skip

    usual = parts()
    assert min(usual[:2]) > 0
    assert usual[2] == 4
    assert parts(rounds=0)[:2] == (usual[0], 0)
    assert parts(refined=ROWS - 1)[:2] == (0, 0)
    assert parts(refined=ROWS, trees=2)[2] == 2
    assert parts(leaf=300)[3] < usual[3] / 4


def test_an_unheard_label_says_nothing() -> None:
    """Rows whose label no row had are spread as all rows are, not as those of some other label."""
    rng = np.random.default_rng(3)
    group = rng.integers(0, 4, ROWS)
    data = _table(group=[f"g{i}" for i in group], x=rng.normal(size=ROWS) + 3 * group)
    made = numbers(_made(data, 500, group=pa.array(["new"] * 500, pa.large_string())).column("x"))
    real = numbers(data.column("t.x"))
    assert made.std() > 0.7 * real.std()


def test_unheard_labels_among_the_given() -> None:
    """A given label that no row had is no code: it says nothing, and rows are made all the same."""
    rng = np.random.default_rng(8)
    one = rng.integers(0, 3, 900)
    data = _table(one=[f"l{v}" for v in one], two=(one * 10 + rng.normal(size=900)))
    model = _fitted(data, part=Part(("t.two",), ("t.one",)))
    assert model.columns[0].codec.encode(pa.array(["new"], pa.large_string())).tolist() == [UNKNOWN]
    start = Dataset.blank(data.schema, {"t": 300}).with_columns("t", {"one": pa.array(["new", "l2", None] * 100)})
    made = numbers(model.sample(start, Context()).data.column("t.two"))
    assert np.isfinite(made).all()
    assert made[1::3].mean() == pytest.approx(20, abs=2)
