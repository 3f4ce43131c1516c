"""New rows lie between a real row and a near one of the same label."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, SpecError, StoreError
from synthwright.core.schema import Field, Kind
from synthwright.generators.smote import Smote
from synthwright.testing import check_generator, toys

CTX = Context(seed=11)
NUMBER, LABEL = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)
FREE = ("t.x", "t.y", "t.town", "t.day", "t.cents")


def clumps(rows: int = 300) -> Dataset:
    """Return rows of two labels in two clumps, each with a town of its own; one in ten is rare."""
    rng = Context(seed=2, place=("clumps",)).rng
    rare = np.arange(rows) % 10 == 0
    x = np.where(rare, 100.0, 0.0) + rng.normal(size=rows)
    return toys.dataset({"t": {
        "label": (LABEL, np.where(rare, "rare", "common")), "x": (NUMBER, x), "y": (NUMBER, -x),
        "town": (LABEL, np.where(rare, "north", "south")),
        "day": (Field(kind=Kind.DATE), 18_000 + rng.integers(0, 400, rows)),
        "cents": (Field(kind=Kind.NUMBER, type="decimal128(10, 2)", step=0.05),
                  [Decimal(int(v)).scaleb(-2) for v in 5 * rng.integers(0, 200, rows)]),
    }})  # fmt: skip


def made(data: Dataset, part: Part, given: Dataset, **how: Any) -> Dataset:
    """Return what is made of given rows."""
    return Smote(**how).fit(data, part, CTX.at("fit")).sample(given, CTX.at("sample")).data


def values(data: Dataset, name: str) -> np.ndarray:
    """Return a column as numpy."""
    return np.asarray(data.column(f"t.{name}").to_numpy())


@pytest.mark.parametrize("how", [{"labels": "majority", "masses": 1.0}, {"neighbours": 1, "among": 7}])
def test_every_way_keeps_the_contract(how: dict[str, Any]) -> None:
    """Other parameters than the default ones, too."""
    assert "travels" in check_generator(Smote(**how))


def test_real_rows_become_rows_beside_them() -> None:
    """Each replaced row lies on the line from its own row to one of its five nearest of the same label."""
    data = clumps()
    start = data.filter("t", values(data, "label") == "rare")
    out = made(data, Part(FREE, ("t.label",), "replace"), start)
    x, y, was = values(out, "x"), values(out, "y"), np.sort(values(start, "x"))
    assert set(values(out, "town")) == {"north"}
    assert np.allclose(x, -y)  # y is -x in both ends, and so between them
    assert not np.isin(x, was).all()
    assert x.min() >= was.min()
    assert x.max() <= was.max()
    day, days = out.column("t.day").cast(pa.int32()).to_numpy(), start.column("t.day").cast(pa.int32()).to_numpy()
    assert days.min() <= day.min()
    assert day.max() <= days.max()
    assert all(v % 5 == 0 for v in (int(100 * c) for c in out.column("t.cents").to_pylist()))
    assert out.column("t.label").equals(start.column("t.label"))


def test_labels_that_are_set_are_followed() -> None:
    """From nothing, rows of each label are made of real rows of that label."""
    data = clumps()
    asked = pa.array(["rare", "common"] * 100, pa.large_string())
    given = Dataset.blank(data.schema, {"t": 200}).with_columns("t", {"label": asked})
    for kind in ("plain", "borderline", "adasyn"):
        out = made(data, Part(FREE, ("t.label",)), given, kind=kind)
        assert ((values(out, "x") > 50) == (values(out, "label") == "rare")).all(), kind
        assert ((values(out, "town") == "north") == (values(out, "label") == "rare")).all(), kind


def test_other_columns_that_are_given_are_followed() -> None:
    """A number that is given is near the number of the row that the others are made of."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 500)
    data = toys.dataset({"t": {"x": (NUMBER, x), "y": (NUMBER, 10 * x)}})
    asked = pa.array(np.linspace(0.1, 0.9, 80))
    out = made(data, Part(("t.y",), ("t.x",)), Dataset.blank(data.schema, {"t": 80}).with_columns("t", {"x": asked}))
    assert np.abs(values(out, "y") - 10 * np.linspace(0.1, 0.9, 80)).max() < 0.5


def test_same_keeps_labels_together_that_are_made() -> None:
    """Both ends agree in `same`, also where nothing is given: no row is between the clumps."""
    data = clumps()
    given = Dataset.blank(data.schema, {"t": 400})
    out = made(data, Part(("t.label", *FREE)), given, same=("label",), neighbours=80, masses=1.0)
    x, rare = values(out, "x"), values(out, "label") == "rare"
    assert ((x > 50) == rare).all()
    assert ((x < 10) | (x > 90)).all()
    assert 0.04 < rare.mean() < 0.2
    mixed = values(made(data, Part(FREE), given, neighbours=100, masses=1.0), "x")
    assert ((mixed > 10) & (mixed < 90)).any()


def test_borderline_and_adasyn_begin_where_labels_meet() -> None:
    """Of rare rows far from all others and rare rows among them, those among them are begun at."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0, 1, 300), rng.normal(0, 1, 30), rng.normal(50, 1, 30)])
    data = toys.dataset({"t": {"label": (LABEL, ["no"] * 300 + ["yes"] * 60), "x": (NUMBER, x)}})
    given = data.filter("t", values(data, "label") == "yes")
    part = Part(("t.x",), ("t.label",), "replace")
    near = {k: (values(made(data, part, given, kind=k, neighbours=3), "x") < 25).mean()
            for k in ("plain", "borderline", "adasyn")}  # fmt: skip
    assert near["plain"] < 0.7
    assert near["adasyn"] > 0.9
    assert near["borderline"] > 0.75


def test_what_many_rows_have_is_no_point_of_a_line() -> None:
    """Zeros stay zeros as often as they were; with `masses: 1` they are drawn towards what the others have."""
    rng = np.random.default_rng(6)
    earned = np.where(rng.random(400) < 0.5, 0.0, rng.uniform(1_000, 2_000, 400))
    data = toys.dataset({"t": {"x": (NUMBER, rng.normal(size=400)), "earned": (NUMBER, earned)}})
    given = Dataset.blank(data.schema, {"t": 1_000})
    part = Part(("t.x", "t.earned"))
    kept = values(made(data, part, given, neighbours=50), "earned")
    assert not ((kept > 0) & (kept < 1_000)).any()
    assert 0.4 < (kept == 0).mean() < 0.6
    drawn = values(made(data, part, given, neighbours=50, masses=1.0), "earned")
    assert ((drawn > 0) & (drawn < 1_000)).any()


def test_majority_and_nearer_labels() -> None:
    """By majority a label that few neighbours have is lost; by the nearer end it is not."""
    rng = np.random.default_rng(7)
    town = np.where(rng.random(100) < 0.2, "few", "many")
    data = toys.dataset({"t": {"x": (NUMBER, rng.normal(size=100)), "town": (LABEL, town)}})
    given = Dataset.blank(data.schema, {"t": 2_000})
    share = {how: (values(made(data, Part(("t.x", "t.town")), given, labels=how, neighbours=60), "town")
                   == "few").mean() for how in ("nearer", "majority")}  # fmt: skip
    assert share["nearer"] > 0.1
    assert share["majority"] == 0


def test_nulls_are_filled_by_near_rows() -> None:
    """A missing value gets one between two near rows that have it; what is there stays."""
    rng = np.random.default_rng(8)
    x = rng.uniform(0, 1, 500)
    y = [None if i % 5 == 0 else float(10 * v) for i, v in enumerate(x)]
    data = toys.dataset({"t": {"x": (NUMBER, x), "y": (NUMBER, y)}})
    out = made(data, Part(("t.y",), ("t.x",), "fill"), data)
    assert np.abs(values(out, "y") - 10 * x).max() < 0.5
    assert (values(out, "y")[1::5] == 10 * x[1::5]).all()


@pytest.mark.parametrize(
    ("how", "told"),
    [({"kind": "adasyn"}, "wanted labels by which neighbours differ"), ({"same": ("label",)}, "same 'label'")],
)
def test_labels_that_are_not_there(how: dict[str, Any], told: str) -> None:
    """Who asks for labels and gives none is told what to do."""
    with pytest.raises(FitError, match=told):
        Smote(**how).fit(clumps(), Part(("t.x", "t.y")), CTX)


def test_columns_that_there_are_not() -> None:
    """`same` is held against the schema before anything runs."""
    schema = clumps().schema
    found = Smote(same=("lable", "x")).misused(schema, "t", ("x",))
    assert found[0] == (("same", 0), "table 't' has no column 'lable': did you mean 'label'?")
    assert "is of kind 'number', wanted labels" in found[1][1]


def test_a_saved_model_says_what_it_holds(tmp_path: Path) -> None:
    """Real rows are in it, and it says so; what is damaged is refused."""
    model = Smote().fit(clumps(), Part(FREE), CTX)
    model.save(tmp_path)
    assert '"holds":"real rows' in (tmp_path / "model.json").read_text()
    assert type(model).load(tmp_path).size == 300
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(StoreError):
        type(model).load(tmp_path)


def test_rules_are_kept() -> None:
    """What follows from other columns is computed from those that were made."""
    rng = np.random.default_rng(9)
    net = np.round(rng.uniform(1, 100, 200), 2)
    tax = np.round(net * 0.2, 2)
    table = pa.table({"net": net, "tax": tax, "total": np.round(net + tax, 2)})
    model = sw.fit(table, generator="smote")
    out = model.sample(100)
    assert np.allclose(out["total"], np.round(np.asarray(out["net"]) + np.asarray(out["tax"]), 2))


def test_a_part_that_says_nonsense_is_a_fault() -> None:
    """Unknown parameters and values are told by name."""
    with pytest.raises((SpecError, ValueError), match="neighbours"):
        Smote(neighbours=0)
