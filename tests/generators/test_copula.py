"""The Gaussian copula keeps how pairs of columns go together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.values import numbers
from synthwright.generators.copula import Copula, CopulaModel
from synthwright.generators.marginals import Marginals
from synthwright.testing import toys

ROWS = 4_000
NUMBER, CATEGORY = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def _mixed(rows: int = ROWS) -> Dataset:
    """Return columns of all sorts that depend on one hidden number: point masses, labels without order, nulls."""
    rng = np.random.default_rng(7)
    hidden = rng.normal(size=rows)

    def near() -> np.ndarray:
        return 0.9 * hidden + np.sqrt(1 - 0.81) * rng.normal(size=rows)

    blood = np.array(["zero", "a", "b", "ab"])[np.searchsorted([-1, 0, 1], near())]
    gain, income, missing = near(), np.exp(near()).tolist(), near() > 0.5
    return toys.dataset({"t": {
        "height": (NUMBER, hidden * 10 + 170),
        "gain": (NUMBER, np.where(gain > 0.8, np.exp(gain), 0.0)),
        "blood": (CATEGORY, blood),
        "income": (NUMBER, [None if gone else v for v, gone in zip(income, missing, strict=True)]),
        "rich": (Field(kind=Kind.BOOLEAN), near() > 1),
        "noise": (NUMBER, rng.normal(size=rows)),
    }})  # fmt: skip


def _made(data: Dataset, rows: int, recipe: Any = None, **settings: Any) -> Dataset:
    table = data.schema.only
    model = (recipe or Copula()).fit(data, Part(data.schema.columns), Context(seed=1))
    start = Dataset.blank(data.schema, {table: rows})
    if settings:
        start = start.with_columns(table, settings)
    return model.sample(start, Context(seed=2)).data


def _pairs(data: Dataset) -> dict[str, float]:
    """Return what shows the dependence of each pair of sorts of columns."""
    t = data.tables["t"]
    height, gain, noise = (numbers(t.column(c)) for c in ("height", "gain", "noise"))
    blood, rich = t.column("blood").to_numpy(), numbers(t.column("rich")) > 0
    missing = np.asarray(t.column("income").is_null())
    return {
        "height ~ gain": float(np.corrcoef(height, gain)[0, 1]),
        "height ~ noise": float(np.corrcoef(height, noise)[0, 1]),
        "height where rich": float((height[rich].mean() - 170) / 10),
        "height where ab": float((height[blood == "ab"].mean() - 170) / 10),
        "height where zero": float((height[blood == "zero"].mean() - 170) / 10),
        "gain where rich": float((gain[rich] > 0).mean()),
        "ab where rich": float((blood[rich] == "ab").mean()),
        "missing where rich": float(missing[rich].mean()),
        "missing where zero": float(missing[blood == "zero"].mean()),
    }


def test_pairs_are_kept() -> None:
    """Numbers, point masses, labels and missing values depend on each other as they did."""
    data = _mixed()
    real, made = _pairs(data), _pairs(_made(data, ROWS))
    for name, value in real.items():
        assert made[name] == pytest.approx(value, abs=0.09), name


def test_labels_without_order() -> None:
    """Labels that go with another label, in no order, still go with it."""
    rng = np.random.default_rng(3)
    one = rng.integers(0, 6, ROWS)
    two = np.where(rng.random(ROWS) < 0.8, (one * 5 + 2) % 6, rng.integers(0, 6, ROWS))
    data = toys.dataset({"t": {c: (CATEGORY, [f"{c}{i}" for i in v]) for c, v in (("x", one), ("y", two))}})
    table = [np.unique(np.char.add(*(d.column(f"t.{c}").to_numpy().astype(str) for c in "xy")), return_counts=True)
             for d in (data, _made(data, ROWS))]  # fmt: skip
    counts = [dict(zip(names.tolist(), count.tolist(), strict=True)) for names, count in table]
    apart = sum(abs(counts[0].get(k, 0) - counts[1].get(k, 0)) for k in counts[0] | counts[1]) / 2 / ROWS
    assert apart < 0.2
    baseline = 0.55  # what independent columns would be off by, at least
    assert apart < baseline / 2


def test_set_moves_the_rest() -> None:
    """Choosing a value moves the other columns to where rows with that value are."""
    data = _mixed()
    made = _pairs(_made(data, 3_000, rich=pa.array([True] * 3_000)))
    real = _pairs(data)
    for name in ("height where rich", "gain where rich", "ab where rich", "missing where rich"):
        assert made[name] == pytest.approx(real[name], abs=0.09), name


def test_set_to_what_was_never_seen() -> None:
    """An unknown label stays as it is and says nothing about the rest; a number beyond all is the furthest."""
    data = _mixed()
    made = _made(data, 2_000, blood=pa.array(["new"] * 2_000, pa.large_string()))
    assert set(made.column("t.blood").to_pylist()) == {"new"}
    assert numbers(made.column("t.height")).mean() == pytest.approx(170, abs=1.5)
    high = _made(data, 500, height=pa.array([1e9] * 500))
    assert numbers(high.column("t.rich")).mean() > 0.9


def test_fill_uses_what_is_there() -> None:
    """Missing values are filled according to the rest of their row, and nothing else changes."""
    data = _mixed()
    rng = np.random.default_rng(1)
    holes = {
        c: pc.if_else(pa.array(rng.random(ROWS) < 0.2), None, data.column(f"t.{c}"))
        for c in ("height", "blood", "rich")
    }
    holed = data.with_columns("t", holes)
    model = Copula().fit(holed, Part(data.schema.columns, (), "fill"), Context(seed=1))
    filled = model.sample(holed, Context(seed=2)).data
    assert all(filled.tables["t"].column(c).null_count == 0 for c in ("height", "blood", "rich", "income"))
    gap = np.asarray(holed.column("t.height").is_null())
    real, made = (numbers(d.column("t.height")) for d in (data, filled))
    assert np.array_equal(real[~gap], made[~gap])
    assert np.corrcoef(real[gap], made[gap])[0, 1] > 0.6


def test_replace_keeps_the_given() -> None:
    """Replaced columns are drawn anew, conditioned on the columns that stay."""
    data = _mixed()
    part = Part(("t.gain", "t.rich"), ("t.height",), "replace")
    made = Copula().fit(data, part, Context(seed=1)).sample(data, Context(seed=2)).data
    assert made.column("t.height").equals(data.column("t.height"))
    assert not made.column("t.gain").equals(data.column("t.gain"))
    assert _pairs(made)["height where rich"] == pytest.approx(_pairs(data)["height where rich"], abs=0.09)


def test_more_columns_than_rows(tmp_path: Path) -> None:
    """Six hundred columns of fifty rows are learned, and chance is not taken for dependence."""
    rng = np.random.default_rng(1)
    fields = {f"c{i}": NUMBER if i % 2 else CATEGORY for i in range(600)}
    labels = np.array(["p", "q", "r"])
    data = toys.dataset({"t": {c: (f, rng.normal(size=50) if f is NUMBER else labels[rng.integers(0, 3, 50)])
                               for c, f in fields.items()}})  # fmt: skip
    model = Copula().fit(data, Part(data.schema.columns), Context())
    model.save(tmp_path)
    made = CopulaModel.load(tmp_path).sample(Dataset.blank(data.schema, {"t": 1_000}), Context()).data
    some = np.corrcoef([numbers(made.column(f"t.c{i}")) for i in range(1, 100, 2)])
    assert np.abs(some - np.eye(50)).max() < 0.25


def test_single_and_constant_columns() -> None:
    """A table of one column, and columns of one value or none, are no trouble."""
    lone = _made(toys.one_column(), 200)
    assert lone.rows() == 200
    made = _made(
        toys.dataset({"t": {"a": (NUMBER, [3.5] * 40), "b": (CATEGORY, [None] * 40), "c": (NUMBER, list(range(40)))}}),
        30,
    )
    assert set(made.column("t.a").to_pylist()) == {3.5}
    assert made.column("t.b").null_count == 30


def test_threads_do_not_count(tmp_path: Path) -> None:
    """The model is the same bytes on one thread of linear algebra and on two."""
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2])\n"
        "from test_copula import _mixed, Copula, Part, Context\n"
        "d = _mixed(); Copula().fit(d, Part(d.schema.columns), Context(seed=1)).save(pathlib.Path(sys.argv[1]))"
    )
    hashes = []
    for threads in ("1", "2"):
        out = tmp_path / threads
        out.mkdir()
        limits = {f"{lib}_NUM_THREADS": threads for lib in ("OPENBLAS", "OMP", "MKL")}
        subprocess.run(
            [sys.executable, "-c", code, str(out), str(Path(__file__).parent)], check=True, env={**os.environ, **limits}
        )
        hashes.append((out / "hashes.json").read_bytes())
    assert hashes[0] == hashes[1]


def _trend(real: pa.Table, made: pa.Table) -> float:
    """Return the mean error over pairs: half the difference of correlations, or the distance of joint shares."""
    codes: dict[str, list[np.ndarray]] = {}
    values: dict[str, list[np.ndarray]] = {}
    for name in real.column_names:
        both = [t.column(name).to_numpy() for t in (real, made)]
        if both[0].dtype.kind in "if":
            edges = np.histogram_bin_edges(both[0], 10)[1:-1]
            codes[name], values[name] = [np.digitize(v, edges) for v in both], both
        else:
            of = np.unique(np.concatenate(both).astype(str), return_inverse=True)[1]
            codes[name] = [of[: len(both[0])], of[len(both[0]) :]]
    errors = []
    for i, a in enumerate(real.column_names):
        for b in real.column_names[i + 1 :]:
            if a in values and b in values:
                found = [np.corrcoef(x, y)[0, 1] for x, y in zip(values[a], values[b], strict=True)]
                errors.append(abs(found[0] - found[1]) / 2)
            else:
                joint = [
                    np.bincount(x * 100 + y, minlength=10_000) / len(x) for x, y in zip(codes[a], codes[b], strict=True)
                ]
                errors.append(np.abs(joint[0] - joint[1]).sum() / 2)
    return float(np.mean(errors))


def _field(kind: pa.DataType) -> Field:
    return (
        CATEGORY if pa.types.is_string(kind) else Field(kind=Kind.INTEGER if pa.types.is_integer(kind) else Kind.NUMBER)
    )


@pytest.mark.parametrize(("table", "bound"), [("adult", 0.045), ("shoppers", 0.03)])
def test_real_tables(real_tables: Path, table: str, bound: float) -> None:
    """On real tables the pairs are kept far better than by the baseline."""
    held = pq.read_table(real_tables / "benchmark" / table / "train.parquet").slice(0, 12_000)
    fields = {c: _field(t) for c, t in zip(held.column_names, held.schema.types, strict=True)}
    data = Dataset.of({"t": held}, Schema(tables={"t": Table(fields=fields)}))
    made = [_made(data, held.num_rows, recipe).tables["t"].select(list(fields)) for recipe in (Copula(), Marginals())]
    errors = [_trend(data.tables["t"], one) for one in made]
    assert errors[0] < bound
    assert errors[0] < 0.6 * errors[1]
