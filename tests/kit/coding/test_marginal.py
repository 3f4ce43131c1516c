"""Cells of an ordered column: point masses kept, the rest blurred, gaps left open, strays forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.coding.codecs import OrderedCodec, observe, settle

NUMBER, INTEGER = Field(kind=Kind.NUMBER), Field(kind=Kind.INTEGER)
RNG = np.random.default_rng(3)


def _settled(values: Any, field: Field = NUMBER, protect: int = 3) -> OrderedCodec:
    codec = settle(field, observe(pa.array(values, canonical(field))), Context(seed=1).rng, protect=protect)
    assert isinstance(codec, OrderedCodec)
    return codec


def _drawn(codec: OrderedCodec, rows: int = 5_000) -> np.ndarray:
    rng = np.random.default_rng(1)
    codes = rng.choice(codec.size, rows, p=codec.shares)
    return codec.decode(codes, rng.random(rows)).to_numpy(zero_copy_only=False)


def _distance(one: np.ndarray, two: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance."""
    grid = np.concatenate([one, two])
    below = [np.searchsorted(np.sort(v), grid, "right") / len(v) for v in (one, two)]
    return float(np.abs(below[0] - below[1]).max())


@pytest.mark.parametrize("shape", ["normal", "lognormal", "uniform", "pareto"])
def test_distribution_is_kept(shape: str) -> None:
    """What is drawn is distributed as the column was, heavy tails too."""
    rng = np.random.default_rng(5)
    draws = {"normal": rng.normal(size=5_000), "lognormal": rng.lognormal(size=5_000), "uniform": rng.random(5_000)}
    values = {**draws, "pareto": rng.pareto(1, 5_000)}[shape]
    drawn = _drawn(_settled(values), 50_000)
    assert _distance(values, drawn) < 0.01
    assert drawn.min() >= values.min()
    assert drawn.max() <= values.max()
    assert abs(np.median(drawn) - np.median(values)) < 0.05


@pytest.mark.parametrize("strays", [[1e12], [1e9, 1e15], [1e12, -1e13, 1e300], [np.inf, -np.inf], [1e12, 2e12]])
def test_stray_is_forgotten(strays: list[float]) -> None:
    """A value far from everything never comes out, and nothing between it and the others either."""
    values = RNG.normal(0, 1, 400)
    drawn = _drawn(_settled(np.append(values, strays)))
    assert np.abs(drawn).max() <= np.abs(values).max()


def test_point_mass_keeps_its_share() -> None:
    """A value that many rows share is given back exactly, as often as it was."""
    values = np.where(RNG.random(3_000) < 0.6, 0.0, RNG.lognormal(8, 1, 3_000))
    codec = _settled(values)
    share = codec.shares[codec.encode(pa.array([0.0]))[0]]
    assert share == pytest.approx((values == 0).mean(), abs=1e-9)
    assert (_drawn(codec) == 0).mean() == pytest.approx(share, abs=0.03)


def test_gap_stays_open() -> None:
    """Nothing is drawn between two hills that no row lies between."""
    left, right = RNG.normal(-10, 1, 300), RNG.normal(10, 1, 300)
    drawn = _drawn(_settled(np.append(left, right)))
    assert not ((drawn > left.max()) & (drawn < right.min())).any()
    assert (drawn < 0).mean() == pytest.approx(0.5, abs=0.03)


def test_no_knot_is_a_real_value() -> None:
    """No number that is kept is a value of fewer than three rows."""
    values = RNG.normal(0, 1, 500)
    codec = _settled(values)
    kept = np.concatenate([a for a in codec.to_json()[1].values() if a.dtype.kind == "f"])
    assert not np.isin(values, kept).any()
    assert not len(codec.masses)


@pytest.mark.parametrize("rows", [12, 60, 700])
def test_sparse_lattice_is_kept_clear(rows: int) -> None:
    """Whole numbers far apart are not met again, and stay whole."""
    values = RNG.choice(rows * 40, rows, replace=False)
    drawn = _drawn(_settled(values, INTEGER))
    assert drawn.dtype == np.int64
    assert not np.isin(drawn, values).any()


def test_rare_values_between_point_masses() -> None:
    """On a dense lattice, the nearest shared value stands for the values of too few rows."""
    for rare in ([31, 57], [31, 33, 57]):
        shared = np.setdiff1d(np.arange(100), rare)
        drawn = _drawn(_settled(np.append(np.repeat(shared, 40), rare), INTEGER))
        assert not np.isin(drawn, rare).any()


@pytest.mark.parametrize("rare", [[50, 51, 52], [48, 49, 50, 51, 52], [49, 50, 50], [45, 50, 55], [44, 51, 52, 53]])
def test_a_few_values_in_a_hole_are_somebodys(rare: list[int]) -> None:
    """Between shared values that stand apart, those of a few rows are not given, though the lattice is dense beside."""
    shared = np.setdiff1d(np.arange(100), np.arange(40, 60))
    drawn = _drawn(_settled(np.append(np.repeat(shared, 15), rare), INTEGER))
    assert not ((drawn >= 40) & (drawn < 60)).any()


@pytest.mark.parametrize(("step", "values"), [
    (0.01, np.round(RNG.lognormal(3, 1, 500), 2)), (0.05, RNG.integers(0, 300, 500) / 20),
    (50, RNG.integers(0, 99, 500) * 50.0), (2.5, RNG.integers(-50, 50, 500) * 2.5),
])  # fmt: skip
def test_lattice_is_kept(step: float, values: np.ndarray) -> None:
    """Every value is a multiple of the step, to the last digit that a person would type."""
    drawn = _drawn(_settled(values, NUMBER.model_copy(update={"step": step})))
    digits = max(0, len(str(step).partition(".")[2]))
    assert (drawn == np.round(drawn, digits)).all()
    assert np.allclose(drawn / step, np.rint(drawn / step), atol=1e-6)


@pytest.mark.parametrize(("field", "values"), [
    (INTEGER, [-(2**63)] * 5 + [2**63 - 1] * 5), (Field(kind=Kind.INTEGER, type="uint64"), [2**64 - 1] * 5 + [0] * 5),
    (Field(kind=Kind.DATETIME, type="timestamp[ns, tz=UTC]"), [1_700_000_000_123_456_789] * 5),
    (NUMBER, [np.inf] * 4 + [-np.inf] * 4 + [1e308] * 4 + [5e-324] * 4),
])  # fmt: skip
def test_shared_values_are_exact(field: Field, values: list[Any]) -> None:
    """A value that enough rows share comes back bit for bit, at the ends of its type too."""
    column = pa.array(values, pa.int64() if field.kind is Kind.DATETIME else canonical(field)).cast(canonical(field))
    codec = settle(field, observe(column), Context().rng)
    made = codec.decode(codec.encode(column), np.full(len(values), 0.5))
    assert made.equals(column)


def test_nanoseconds_keep_their_digits() -> None:
    """Instants of 2023 in nanoseconds are blurred by less than their spacing, not by the spacing of floats."""
    start = 1_700_000_000_000_000_000
    field = Field(kind=Kind.DATETIME, type="timestamp[ns]")
    column = pa.array(start + np.arange(2_000), pa.timestamp("ns"))
    codec = settle(field, observe(column), Context().rng)
    made = codec.decode(codec.encode(column), np.full(2_000, 0.5)).cast(pa.int64()).to_numpy()
    assert np.abs(made - start - np.arange(2_000)).max() < 10
    assert len(np.unique(made % 256)) > 32


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_subnormal=False), min_size=10, max_size=60), st.integers(1, 6)
)
def test_any_floats(values: list[float], protect: int) -> None:
    """Whatever floats there are, shares add up, values lie between the ends, and no rare one comes out."""
    column = pa.array(values, pa.float64())
    codec = settle(NUMBER, observe(column), Context().rng, protect=protect)
    assert codec.size
    assert codec.shares.sum() == pytest.approx(1)
    assert (codec.encode(column) >= 0).all()
    rng = np.random.default_rng(0)
    drawn = codec.decode(rng.choice(codec.size, 100, p=codec.shares), rng.random(100)).to_numpy()
    assert drawn.min() >= min(values)
    assert drawn.max() <= max(values)
    held = np.array(values)
    assert not np.isin(drawn, [v for v in held if (held == v).sum() < protect]).any()


def test_dense_lattice_keeps_its_variety() -> None:
    """Where neighbours are common, rare numbers become any number of their gap: as many differ as in another sample."""
    for top, rows in ((101, 300), (401, 1_000)):
        held, other = (np.random.default_rng(seed).integers(0, top, rows) for seed in (1, 2))
        drawn = _drawn(_settled(held, INTEGER), rows)
        assert len(np.unique(drawn)) > 0.85 * len(np.unique(other))
        assert _distance(held, drawn) < 0.08


def test_rare_values_beyond_a_dense_lattice_are_not_given() -> None:
    """What lies outside or far from common numbers is no gap among them."""
    dense = np.repeat(np.arange(40), 12)
    for rare in ([90, 120, 151], [40, 41, 41], [-3, 55, 56]):
        drawn = _drawn(_settled(np.append(dense, rare), INTEGER))
        assert not np.isin(drawn, rare).any()


def test_point_masses_are_not_given_by_blocks() -> None:
    """A number that many rows share is drawn as often as it is there, also where blocks lie around it."""
    rng = np.random.default_rng(4)
    values = np.append(rng.integers(0, 3_000, 1_500), np.repeat(5 * rng.integers(0, 600, 40), 25))
    common = np.unique(values)[np.unique(values, return_counts=True)[1] >= 20]
    drawn = _drawn(_settled(values, INTEGER), 40_000)
    assert np.isin(drawn, common).mean() == pytest.approx(np.isin(values, common).mean(), abs=0.01)
