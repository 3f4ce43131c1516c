"""Nearest rows agree with a plain twin, and neither nulls nor outliers nor blocks matter."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring import neighbours
from synthwright.kit.measuring.neighbours import nearest, points

FIELDS = {"amount": Field(kind=Kind.NUMBER), "colour": Field(kind=Kind.CATEGORY), "flag": Field(kind=Kind.BOOLEAN)}
NUMBERS = st.none() | st.sampled_from([-math.inf, -1e308, 0.0, 1.0, 2.0, 1e308, math.inf])
ROWS = st.lists(
    st.tuples(NUMBERS, st.none() | st.sampled_from("abc"), st.none() | st.booleans()), min_size=1, max_size=12
)
Row = tuple[float | None, str | None, bool | None]


def table(rows: list[Row]) -> pa.Table:
    """Return rows as a table of the canonical types."""
    types = (pa.float64(), pa.large_string(), pa.bool_())
    return pa.table({c: pa.array([r[i] for r in rows], types[i]) for i, c in enumerate(FIELDS)})


def plain_gower(one: Row, other: Row, scale: list[float]) -> float:
    """Return Gower's distance of two rows with ranks in the place of ranges."""
    parts = [float(a != b) for a, b in zip(one[1:], other[1:], strict=True)]
    ends = [
        None if value is None else sum((s < value) + (s == value) / 2 for s in scale) / max(len(scale), 1)
        for value in (one[0], other[0])
    ]
    missing = [e is None for e in ends]
    parts.append(float(missing[0] != missing[1]) if any(missing) else abs((ends[0] or 0.0) - (ends[1] or 0.0)))
    return sum(parts) / 3


@settings(deadline=None)
@given(ROWS, ROWS, st.integers(1, 4))
def test_gower_twin(mine: list[Row], others: list[Row], count: int) -> None:
    """The nearest rows and their distances are those of a loop over all rows."""
    scale = [r[0] for r in others if r[0] is not None]
    at, among = points([table(mine), table(others)], FIELDS, among=(1,))
    distances, positions = nearest(at, among, count)
    for i, row in enumerate(mine):
        every = [plain_gower(row, other, scale) for other in others]
        assert distances[i] == pytest.approx(sorted(every)[:count], abs=1e-6)
        assert [every[p] for p in positions[i]] == pytest.approx(sorted(every)[:count], abs=1e-6)


def test_blocks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the same however many distances are computed at once."""
    rng = Context(seed=4).rng
    held = pa.table({"amount": rng.normal(size=300), "colour": pa.array(rng.choice(list("abcd"), 300))})
    fields = {c: FIELDS[c] for c in held.column_names}
    one, other = points([held.slice(0, 100), held.slice(100)], fields, among=(0, 1))
    whole = nearest(one, other, 3)
    monkeypatch.setattr(neighbours, "_CELLS", 333)
    parts = nearest(one, other, 3)
    assert all((w == p).all() for w, p in zip(whole, parts, strict=True))


def test_copies_are_at_zero() -> None:
    """A row equal to another is at distance 0 from it, and the first of several such rows is found."""
    rng = Context(seed=4).rng
    held = pa.table({"amount": rng.normal(size=50)})
    twice = pa.concat_tables([held, held])
    one, other = points([held, twice], {"amount": FIELDS["amount"]}, among=(1,))
    distances, positions = nearest(one, other)
    assert not distances.any()
    assert (positions[:, 0] == np.arange(50)).all()


def test_constant_and_missing_columns() -> None:
    """Columns of one value or of nulls add nothing, and nothing is divided by their range."""
    held = pa.table({"amount": [7.0] * 5, "other": pa.nulls(5, pa.float64())})
    one, other = points([held, held], dict.fromkeys(held.column_names, FIELDS["amount"]), among=(1,))
    assert not nearest(one, other, 5)[0].any()


def test_memory_stays_small() -> None:
    """Ten thousand by ten thousand rows take megabytes, not the gigabyte of all their distances."""
    rng = Context(seed=4).rng
    held = pa.table({c: rng.normal(size=10_000) for c in "ab"})
    one, other = points([held, held], dict.fromkeys("ab", FIELDS["amount"]), among=(1,))
    tracemalloc.start()
    nearest(one, other)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
