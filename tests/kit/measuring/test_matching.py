"""Real rows are drawn with the shares of rows whose columns were set: as many as there are, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ORDERED, Field, Kind
from synthwright.core.spec import Between
from synthwright.core.values import nulls, numbers
from synthwright.kit.measuring.matching import FEWEST, Matched, matched
from synthwright.testing import toys

CTX = Context(seed=3)
LABEL, NUMBER = Field(kind=Kind.CATEGORY), Field(kind=Kind.NUMBER)


def rows(label: Sequence[str | None], **others: tuple[Field, Any]) -> Dataset:
    """Return a table with a label, the row's number, and other columns."""
    columns = {"label": (LABEL, list(label)), "number": (NUMBER, np.arange(float(len(label)))), **others}
    return toys.dataset({"t": columns})


def labels(a: int, b: int, *more: str | None) -> list[str | None]:
    """Return so many of each of two labels."""
    return ["a"] * a + ["b"] * b + list(more)


def counted(data: Dataset | None, column: str = "t.label") -> dict[Any, int]:
    """Return how often each value occurs."""
    assert data is not None
    return dict(Counter(data.column(column).to_pylist()))


def match(case: Case, *columns: str) -> Matched:
    """Return the matched case where columns of the only table were set."""
    return matched(case._replace(chosen=dict.fromkeys(columns or ("t.label",), "balanced")), CTX)


def test_a_balanced_table_is_held_against_balanced_rows() -> None:
    """The rare class decides how many there are; no real row is drawn twice, and none is made up."""
    case = Case(rows(labels(900, 100)), rows(labels(270, 30)), rows(labels(500, 500)))
    found = match(case)
    assert not found.problem
    assert counted(found.case.train) == {"a": 100, "b": 100}
    assert counted(found.case.holdout) == {"a": 30, "b": 30}
    assert found.case.synthetic == case.synthetic
    assert max(counted(found.case.train, "t.number").values()) == 1
    real = "60 of 300 held-out rows and 200 of 1,000 training rows of 't'"
    said = f"t.label was set: likeness was held against {real} with the shares that were asked for"
    assert found.notes == (said,)


def test_nothing_set_nothing_matched() -> None:
    """Where no column was set, or there are no real rows, the case stays what it is."""
    case = Case(rows(labels(90, 10)), None, rows(labels(50, 50)))
    assert matched(case, CTX) == Matched(case)
    alone = case._replace(train=None, chosen={"t.label": "balanced"})
    assert matched(alone, CTX) == Matched(alone)


def test_the_place_decides_which_rows() -> None:
    """The same seed and place draw the same rows, another seed others."""
    case = Case(rows(labels(900, 100)), None, rows(labels(50, 50)))._replace(chosen={"t.label": "balanced"})
    first, again, other = (matched(case, Context(seed=s)).case.train for s in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=6))
def test_shares_are_kept_and_no_more_rows_could_be_had(cells: list[tuple[int, int, int]]) -> None:
    """Of any cells the shares are kept within one row each, and one row more would need a row that is not there."""
    sides = [rows([f"v{i}" for i, cell in enumerate(cells) for _ in range(cell[k])]) for k in range(3)]
    found = match(Case(sides[0], sides[1], sides[2]))
    asked = np.array([c[2] for c in cells])
    for side, have in ((found.case.train, [c[0] for c in cells]), (found.case.holdout, [c[1] for c in cells])):
        most = min(h * asked.sum() // a for h, a in zip(have, asked, strict=True))
        if found.problem:
            continue
        got = counted(side)
        assert sum(got.values()) == most
        assert all(abs(got.get(f"v{i}", 0) - most * a / asked.sum()) < 1 for i, a in enumerate(asked))
    fewest = min(min(c[k] * asked.sum() // a for c, a in zip(cells, asked, strict=True)) for k in (0, 1))
    assert bool(found.problem) == (fewest < FEWEST)


def test_several_columns_are_matched_together() -> None:
    """Joint shares count: where two columns were set, their combinations are matched, and null is a value."""
    sex = ["f", "m", None]
    real = rows(labels(600, 300), sex=(LABEL, (sex * 300)))
    fake = rows(labels(90, 90), sex=(LABEL, (sex * 60)))
    found = match(Case(real, None, fake), "t.label", "t.sex")
    train = found.case.train
    assert train is not None
    pairs = Counter(zip(train.column("t.label").to_pylist(), train.column("t.sex").to_pylist(), strict=True))
    assert set(pairs.values()) == {100}
    assert len(pairs) == 6


def test_rows_with_other_values_are_not_drawn() -> None:
    """A real row that shares one set value with synthetic rows, and another with none, has nothing to do with them."""
    real = rows(["a", "a", "b", "b"] * 30, sex=(LABEL, ["f", "x", "f", "x"] * 30))
    fake = rows(labels(30, 30), sex=(LABEL, ["f"] * 60))
    train = match(Case(real, None, fake), "t.label", "t.sex").case.train
    assert counted(train, "t.sex") == {"f": 60}
    assert counted(train) == {"a": 30, "b": 30}


def test_ordered_columns_are_matched_by_ranges() -> None:
    """Real rows beyond the ends do not stay; within, ten ranges have the same shares, and stand as their ends."""
    rng = np.random.default_rng(1)
    real = rows(labels(6_000, 0), age=(NUMBER, rng.normal(50, 20, 6_000)))
    fake = rows(labels(1_000, 0), age=(NUMBER, rng.uniform(20, 60, 1_000)))
    case = Case(real, None, fake, chosen={"t.age": Between(between=(20, 60))})
    found = matched(case, CTX)
    sides = [counted(d, "t.age") for d in (found.case.synthetic, found.case.train)]
    assert set(sides[0]) == set(sides[1]) <= set(fake.column("t.age").to_pylist())
    assert len(sides[0]) == 10
    assert all(n == 100 for n in sides[0].values())
    assert max(sides[1].values()) - min(sides[1].values()) <= 1
    assert any("t.age was measured by ranges" in note for note in found.notes)
    ages = real.column("t.age").to_numpy()
    kept = found.case.train.column("t.number").to_numpy().astype(int) if found.case.train else []
    assert ages[kept].min() >= 19.9
    assert ages[kept].max() <= 60.1


def test_few_values_are_their_own_ranges() -> None:
    """Of an ordered column with few synthetic values only real rows with exactly these stay; null is one of them."""
    whole = Field(kind=Kind.INTEGER)
    real = rows(labels(400, 0), n=(whole, [10, 11, 12, None] * 100))
    fake = rows(labels(60, 0), n=(whole, [10, 12, None] * 20))
    train = match(Case(real, None, fake), "t.n").case.train
    assert counted(train, "t.n") == {10: 100, 12: 100, None: 100}


def test_fewer_ranges_where_ten_leave_too_few_rows() -> None:
    """Where one of ten ranges has hardly a real row, wider ones are taken rather than nothing or next to nothing."""
    ages = np.concatenate([np.linspace(0, 89.9, 900), [95.0] * 5, np.linspace(70, 90, 300)])
    real = rows(labels(len(ages), 0), age=(NUMBER, ages))
    fake = rows(labels(1_000, 0), age=(NUMBER, np.linspace(0, 100, 1_000)))
    found = match(Case(real, None, fake), "t.age")
    assert 1 < len(counted(found.case.synthetic, "t.age")) < 10
    assert found.case.train is not None
    assert found.case.train.rows() > 5 * 10


def test_what_real_rows_lack() -> None:
    """A material share without real rows is a problem that names columns alone; a tiny one is left out, and said."""
    real = rows(labels(500, 500))
    lacking = match(Case(real, None, rows(labels(490, 490, *["secret"] * 20))))
    assert "t.label was set" in lacking.problem
    assert "secret" not in lacking.problem
    tiny = match(Case(real, None, rows(labels(500, 496, *["secret"] * 4))))
    assert not tiny.problem
    assert counted(tiny.case.synthetic) == {"a": 500, "b": 496}
    assert any("4 of 1,000 synthetic rows of 't' are left out" in n and "secret" not in n for n in tiny.notes)


def test_many_tiny_cells_are_not_left_out_together() -> None:
    """Cells that are tiny one by one are a problem where together they are not."""
    strange = [f"s{i}" for i in range(100)]
    assert match(Case(rows(labels(500, 500)), None, rows(labels(500, 400, *strange)))).problem


def test_few_real_rows_prove_nothing() -> None:
    """Where fewer than twenty rows of a side can be drawn, there is nothing to hold the others against."""
    fake = rows(labels(50, 50))
    assert match(Case(rows(labels(500, 100)), rows(labels(100, 9)), fake)).problem
    assert not match(Case(rows(labels(500, 100)), rows(labels(100, 10)), fake)).problem
    assert not match(Case(rows(labels(500, 100)), rows([]), fake)).problem


def test_a_sparse_cell_does_not_thin_the_others() -> None:
    """A tiny cell of which there is one real row is left out rather than most of the others."""
    found = match(Case(rows(labels(1_000, 1_000, "c")), None, rows(labels(500, 496, *["c"] * 4))))
    assert counted(found.case.train)["b"] > 900
    assert "c" not in counted(found.case.synthetic)


def test_kept_columns_are_matched_too() -> None:
    """Where real columns are kept beside one that is set, what they have together was chosen, and is matched."""
    side = (LABEL, (["x"] * 9 + ["y"]) * 100)
    real = rows(labels(500, 500), kept=side)
    fake = rows(labels(250, 250), kept=(LABEL, ["x", "y"] * 250))
    case = Case(real, None, fake, produced=("t.number",), chosen={"t.label": "balanced"})
    found = matched(case, CTX)
    assert counted(found.case.train, "t.kept") == {"x": 100, "y": 100}
    assert "set or kept" in found.notes[0]


def test_columns_that_are_made_anew_are_not_matched() -> None:
    """Text and personal data are compared by no metric: they decide nothing."""
    mail = Field(kind=Kind.CATEGORY, sensitive="email")
    real = rows(labels(90, 10), mail=(mail, [f"p{i}@a.example" for i in range(100)]))
    fake = rows(labels(50, 50), mail=(mail, ["x@a.example"] * 100))
    found = match(Case(real, None, fake), "t.mail")
    assert not found.problem
    assert found.case.train == real


def shop(kinds: Mapping[str, int]) -> Dataset:
    """Return shops of some kinds, each with two sales, and one sale of nobody."""
    kind = [k for k, n in kinds.items() for _ in range(n)]
    keys = [f"s{i}" for i in range(len(kind))]
    key, to = Field(kind=Kind.KEY), Field(kind=Kind.REFERENCE, to="shop.id")
    sales: list[str | None] = [*keys, *keys, None]
    return toys.dataset(
        {"shop": {"id": (key, keys), "kind": (LABEL, kind)},
         "sale": {"shop": (to, sales), "sum": (NUMBER, np.arange(float(len(sales))))}}, {"shop": "id"})  # fmt: skip


def test_children_follow_their_parents() -> None:
    """Sales of shops that were left out are left out too, those of nobody stay; and it is said."""
    case = Case(shop({"a": 80, "b": 30}), shop({"a": 50, "b": 20}), shop({"a": 40, "b": 40}))
    found = match(case, "shop.kind")
    train = found.case.train
    assert train is not None
    assert (train.rows("shop"), train.rows("sale")) == (60, 121)
    assert set(train.column("sale.shop").drop_null().to_pylist()) == set(train.column("shop.id").to_pylist())
    assert found.case.synthetic == case.synthetic
    assert any("'sale'" in n for n in found.notes)


def test_one_table_of_two_cannot_be_matched() -> None:
    """Its real rows go, so that nothing is compared with them; the other table stays, and the note says so."""
    case = Case(shop({"a": 80}), None, shop({"a": 40, "b": 40}))
    found = match(case, "shop.kind")
    assert not found.problem
    assert found.case.train is not None
    assert found.case.train.rows("shop") == 0
    assert found.case.train.rows("sale") == 161
    assert "too few real rows" in found.notes[0]


@pytest.mark.parametrize("name", toys.TOYS)
def test_awkward_tables(name: str) -> None:
    """Of every kind of column that is set, what stays has the synthetic rows' values and their share of nulls."""
    data = toys.TOYS[name]()
    for column in data.schema.columns:
        table, field = data.schema.split(column)[0], data.schema.field(column)
        fake = data.filter(table, np.arange(data.rows(table)) % 3 > 0)
        found = match(Case(data, data, fake), column)
        if found.problem or field.anew or field.kind is Kind.REFERENCE or not data.rows(table):
            continue
        sides = [d.column(column) for d in found.case[:3] if d is not None]
        assert {c.type for c in sides} == {data.column(column).type}
        held = [numbers(c) if field.kind in ORDERED else np.array(c.drop_null().to_pylist()) for c in sides]
        known = [
            set(values[~np.isnan(values)].tolist() if field.kind in ORDERED else values.tolist()) for values in held
        ]
        assert known[0] | known[1] <= known[2]
        empty = [float(nulls(c).mean()) for c in sides]
        assert max(empty) - min(empty) <= 1 / min(map(len, sides))
