"""The baseline: every column by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.generators.marginals import Marginals, MarginalsModel
from synthwright.testing import toys

COLUMNS = 2_000


def test_columns_know_nothing_of_each_other() -> None:
    """Shares are kept, dependence is not: this is what others must beat."""
    data = toys.plain(3_000)
    model = Marginals().fit(data, Part(data.schema.columns), Context(seed=1))
    made = model.sample(Dataset.blank(data.schema, {"thing": 3_000}), Context(seed=2)).data.tables["thing"]
    real = data.tables["thing"]
    share = [(t.column("colour").to_numpy() == "amber").mean() for t in (real, made)]
    assert share[0] == pytest.approx(share[1], abs=0.04)
    related = [np.corrcoef(t.column("size").to_numpy(), t.column("price").to_numpy())[0, 1] for t in (real, made)]
    assert related[0] > 0.9
    assert abs(related[1]) < 0.1


def test_a_column_has_its_own_stream() -> None:
    """What else is made does not change what a column gets."""
    data = toys.plain()
    start = Dataset.blank(data.schema, {"thing": 50})
    whole = Marginals().fit(data, Part(data.schema.columns), Context(seed=1)).sample(start, Context(seed=2)).data
    alone = Marginals().fit(data, Part(("thing.price",)), Context(seed=1)).sample(start, Context(seed=2)).data
    assert alone.column("thing.price").equals(whole.column("thing.price"))


def test_what_was_set_stays() -> None:
    """A column that the start holds is not made again."""
    data = toys.plain()
    model = Marginals().fit(data, Part(data.schema.columns), Context())
    start = Dataset.blank(data.schema, {"thing": 5}).with_columns("thing", {"size": pa.array([1] * 5)})
    assert model.sample(start, Context()).data.column("thing.size").to_pylist() == [1] * 5


def test_many_columns(tmp_path: Path) -> None:
    """Two thousand columns are learned, saved and made in seconds."""
    rng = np.random.default_rng(1)
    fields = {f"c{i}": Field(kind=Kind.NUMBER, nulls=False) for i in range(COLUMNS)}
    schema = Schema(tables={"wide": Table(fields=fields)})
    data = Dataset(schema, {"wide": pa.table({c: rng.normal(size=40) for c in fields})})
    model = Marginals().fit(data, Part(schema.columns), Context())
    model.save(tmp_path)
    made = MarginalsModel.load(tmp_path).sample(Dataset.blank(schema, {"wide": 40}), Context()).data
    assert made.tables["wide"].num_columns == COLUMNS + 1


def test_protect_is_a_dial() -> None:
    """With one row as the bound every label comes back; with more, only those that more rows share."""
    field = Field(kind=Kind.CATEGORY)
    data = toys.dataset({"t": {"a": (field, ["x"] * 50 + ["y"] * 9 + ["z"])}})
    found = {}
    for protect in (1, 3, 20):
        model = Marginals(protect=protect).fit(data, Part(("t.a",)), Context())
        made = model.sample(Dataset.blank(data.schema, {"t": 2_000}), Context()).data
        found[protect] = set(made.column("t.a").to_pylist())
    assert found == {1: {"x", "y", "z"}, 3: {"x", "y"}, 20: {"x"}}


ALIKE = toys.dataset({"t": {"a": (Field(kind=Kind.NUMBER), [1.0] * 30), "b": (Field(kind=Kind.CATEGORY), [None] * 30)}})
WORDS = toys.dataset({"t": {"a": (Field(kind=Kind.TEXT), [str(i) for i in range(30)])}})


@pytest.mark.parametrize(("data", "said"), [
    (toys.plain(9), "at least 10 rows, got 9"),
    (ALIKE, "all alike"),
    (WORDS, "got kind 'text'"),
    (toys.two_tables(), "columns of one table"),
])  # fmt: skip
def test_refuses(data: Dataset, said: str) -> None:
    """Too few rows, rows that are all alike, foreign kinds and several tables are refused, each in its words."""
    with pytest.raises(FitError, match=said):
        Marginals().fit(data, Part(data.schema.columns), Context())


def test_refuses_what_protection_leaves_empty() -> None:
    """A column without nulls is refused by name where no value may be kept."""
    number = Field(kind=Kind.NUMBER, nulls=False)
    data = toys.dataset({"t": {"secret": (number, list(range(20)))}})
    with pytest.raises(FitError, match=r"'secret'.*lower `protect`"):
        Marginals(protect=30).fit(data, Part(("t.secret",)), Context())
