"""Toys and strategies make valid datasets, the same every time."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Kind, canonical
from synthwright.testing import strategies, toys


def valid(data: Dataset) -> bool:
    """Return whether every column has its canonical type, and nulls and doubles only where they may be."""
    for name, spec in data.schema.tables.items():
        for column, field in spec.fields.items():
            held = data.tables[name].column(column)
            assert held.type == canonical(field)
            assert field.nulls or not held.null_count
            assert not field.unique or len(held.drop_null().unique()) == len(held.drop_null())
    return True


@pytest.mark.parametrize("name", toys.TOYS)
def test_toy(name: str) -> None:
    """A toy is valid, and the same when made again."""
    data = toys.TOYS[name]()
    assert valid(data)
    assert data.fingerprint() == toys.TOYS[name]().fingerprint()


def test_every_kind() -> None:
    """One toy holds every kind of field but references, which another holds."""
    assert {f.kind for f in toys.every_kind().schema.tables["mixed"].fields.values()} == set(Kind) - {Kind.REFERENCE}
    assert toys.two_tables().schema.tables["child"].where(Kind.REFERENCE) == ("parent_id",)


def test_canaries_are_rare() -> None:
    """Every canary belongs to one or two rows."""
    data = toys.canaries()
    labels = data.column("rare.tree").to_pylist()
    assert [labels.count(c) for c in toys.CANARY_LABELS] == [1, 2]
    assert data.column("rare.weight").to_pylist().count(toys.CANARY_NUMBER) == 1
    assert data.column("rare.day").cast(pa.int32()).to_pylist().count(toys.CANARY_DAY) == 1


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_strategies(draw: st.DataObject) -> None:
    """Drawn schemas and datasets are valid."""
    schema = draw.draw(strategies.schemas())
    data = draw.draw(strategies.datasets(schema))
    assert data.schema == schema
    assert valid(data)
