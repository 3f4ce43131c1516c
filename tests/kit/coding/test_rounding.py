"""Numbers of which some are round: as many of those that are drawn, none of them a value that few rows have."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.values import numbers
from synthwright.kit.coding.codecs import OrderedCodec, codec_of, observe, settle
from synthwright.kit.coding.ratios import Ratios
from synthwright.kit.coding.rounding import Rounding, step_of

NUMBER, INTEGER, MONEY = (
    Field(kind=Kind.NUMBER),
    Field(kind=Kind.INTEGER),
    Field(kind=Kind.NUMBER, type="decimal128(9, 2)"),
)
CENTS = Field(kind=Kind.NUMBER, step=0.01)
ROWS = 6_000


def _column(values: Any, field: Field) -> pa.Array:
    kind = canonical(field)
    if pa.types.is_decimal(kind):
        return pa.array([f"{v:.2f}" for v in values], pa.string()).cast(kind)
    return pa.array(values).cast(kind)


def _settled(values: Any, field: Field = NUMBER, protect: int = 3) -> OrderedCodec:
    codec = settle(field, observe(_column(values, field)), Context(seed=1).rng, protect=protect)
    assert isinstance(codec, OrderedCodec)
    return codec


def _drawn(codec: OrderedCodec, rows: int = 4 * ROWS) -> np.ndarray:
    rng = np.random.default_rng(1)
    codes = rng.choice(codec.size, rows, p=codec.shares)
    return numbers(codec.decode(codes, rng.random(rows)))


def _round(values: np.ndarray, step: float) -> np.ndarray:
    return np.asarray(np.abs(values / step - np.rint(values / step)) < 1e-6)


def _amounts(digits: int, seed: int = 5) -> np.ndarray:
    """Return amounts of which half are multiples of 100, a third multiples of 10; all others have so many digits."""
    rng = np.random.default_rng(seed)
    raw = np.exp(rng.normal(9, 1.5, ROWS)) + 50
    which = rng.random(ROWS)
    return np.where(which < 1 / 2, np.rint(raw / 100) * 100, np.where(which < 5 / 6, np.rint(raw / 10) * 10,
                                                                     np.round(raw, digits)))  # fmt: skip


# --------------------------------------------------------------------------------------------------- as often as real
@pytest.mark.parametrize(("field", "digits"), [(INTEGER, 0), (NUMBER, 6), (CENTS, 2), (MONEY, 2)])
def test_round_amounts_stay_as_frequent(field: Field, digits: int) -> None:
    """As many drawn values are multiples of 100, of 10 and of 1 as of the column, be they whole, floats or decimals."""
    values = _amounts(digits)
    drawn = _drawn(_settled(values, field))
    for step in (1_000, 100, 10, 1):
        assert _round(drawn, step).mean() == pytest.approx(_round(values, step).mean(), abs=0.02), step
    assert _round(drawn, 100).mean() > 0.45


def test_halves_stay_as_frequent() -> None:
    """Of floats a third of which are halves, as many are again; the others lie on no step."""
    rng = np.random.default_rng(2)
    raw = rng.normal(0, 2_000, ROWS)
    values = np.where(rng.random(ROWS) < 1 / 3, np.rint(raw * 2) / 2, raw)
    drawn = _drawn(_settled(values))
    for step in (0.5, 0.1):
        assert _round(drawn, step).mean() == pytest.approx(1 / 3, abs=0.02), step
    assert _round(drawn, 1).mean() == pytest.approx(1 / 6, abs=0.02)
    assert abs(np.median(drawn) - np.median(values)) < 100


def test_small_numbers_are_rounded_otherwise_than_large_ones() -> None:
    """Where only numbers above 1000 are round, those below are not."""
    rng = np.random.default_rng(3)
    raw = rng.uniform(0, 20_000, ROWS)
    values = np.where(raw > 10_000, np.rint(raw), raw)
    drawn = _drawn(_settled(values))
    assert _round(drawn[drawn > 11_000], 1).mean() > 0.95
    assert _round(drawn[drawn < 9_000], 1).mean() < 0.02


def test_shares_are_right_beside_dense_point_masses() -> None:
    """Where most small multiples are point masses, the rare ones are as frequent as they were all the same."""
    rng = np.random.default_rng(4)
    raw = rng.lognormal(3.5, 1.5, ROWS)
    values = np.where(rng.random(ROWS) < 0.5, np.rint(raw * 2) / 2, raw)
    codec = _settled(values)
    assert len(codec.masses) > 100
    drawn = _drawn(codec)
    for step in (1, 0.5):
        assert _round(drawn, step).mean() == pytest.approx(_round(values, step).mean(), abs=0.02), step


def test_amounts_keep_their_variety() -> None:
    """Thousands of single amounts between a few that most rows have are not lost: most rows are no reason for it."""
    rng = np.random.default_rng(6)
    raw = np.exp(rng.normal(7.5, 1.2, ROWS))
    values = np.where(rng.random(ROWS) < 0.8, np.maximum(np.rint(raw / 500), 1) * 500, np.rint(raw))
    codec = _settled(values, INTEGER)
    drawn = _drawn(codec, ROWS)
    assert len(np.unique(drawn)) > 0.7 * len(np.unique(values))
    for step in (1_000, 500):
        assert _round(drawn, step).mean() == pytest.approx(_round(values, step).mean(), abs=0.03), step


# -------------------------------------------------------------------------------------------------- what is untouched
@pytest.mark.parametrize(("field", "values"), [
    (NUMBER, np.random.default_rng(7).normal(size=ROWS)),
    (NUMBER, np.random.default_rng(7).lognormal(8, 2, ROWS)),
    (INTEGER, np.random.default_rng(7).integers(0, 10**6, ROWS)),
    (CENTS, np.random.default_rng(7).integers(0, 10**6, ROWS) / 100),
    (NUMBER, np.append(np.random.default_rng(7).normal(size=ROWS), [1e300, -1e300, np.inf])),
    (Field(kind=Kind.DATE), np.random.default_rng(7).integers(0, 9_000, ROWS).astype("datetime64[D]")),
])  # fmt: skip
def test_no_steps_where_there_are_none(field: Field, values: Any) -> None:
    """A column that is not rounded stays as it is: round numbers that chance explains are no habit."""
    assert _settled(values, field).rounding is None


def test_ends_zero_and_point_masses() -> None:
    """What is rounded is never zero, never beyond the ends of the column, and never one of the point masses."""
    rng = np.random.default_rng(8)
    values = np.append(np.rint(rng.uniform(3.1, 900, 600) * 2) / 2, rng.uniform(3.1, 900, 600))
    values = np.append(values[(values > 3) & (values != 500)], np.repeat(500.0, 200))
    codec = _settled(values)
    assert codec.rounding is not None
    blocks = np.flatnonzero(codec.cells >= len(codec.masses))
    codes = np.repeat(blocks, 2_000)
    drawn = numbers(codec.decode(codes, rng.random(len(codes))))
    assert _round(drawn, 0.5).mean() > 0.2
    assert not np.isin(drawn, codec.masses.to_numpy()).any()
    ends = np.append(codec.masses.to_numpy(), [codec.blocks.low.min(), codec.blocks.high.max()])
    assert drawn.min() >= ends.min()
    assert drawn.max() <= ends.max()
    always = Rounding(np.array([-1], np.int16), np.zeros(1, np.int64), np.ones((1, 1)))  # halves
    at = np.array([0.1, -0.2, 0.7, 0.9, 3.1])
    found = always.rounded(at, np.zeros(5, np.int64), at, codec.ruler, np.array([1.0]), (-9.0, 2.9))
    assert found.tolist() == [0.5, -0.5, 0.5, 0.5, 2.5]  # 0, 1 and 3 may not be


# ------------------------------------------------------------------------------------------------ protected, the same
def test_steps_of_few_rows_are_not_kept() -> None:
    """Neither for the column nor for a band a share is kept that fewer rows than `protect` stand for."""
    rng = np.random.default_rng(9)
    values = rng.uniform(1_000, 2_000, ROWS)
    values[[10, 11]] = [1_100.0, 1_101.0]
    assert _settled(values).rounding is None
    values[1_000:2_000] = np.rint(values[1_000:2_000] * 5 + 10_000) / 10  # round above 1500 only, but for two
    for protect, there in ((2, True), (3, False)):
        codec = _settled(values, protect=protect)
        assert isinstance(codec.rounding, Rounding)
        bands = codec.rounding.shares.sum(axis=1)
        first = codec.blocks.low[codec.rounding.begins]
        assert (bands[first > 1_500] > 0.1).all()
        assert bool((bands[first < 1_400] > 0).any()) is there, protect


def test_saved_steps_are_of_a_fixed_list() -> None:
    """A codec says after loading what it said before; steps are stored by number, so that no value stands there."""
    codec = _settled(_amounts(3))
    assert codec.rounding is not None
    head, arrays = codec.to_json()
    again = codec_of(json.loads(json.dumps(head)), arrays)
    codes, within = np.arange(codec.size), np.random.default_rng(1).random(codec.size)
    assert again.decode(codes, within).equals(codec.decode(codes, within))
    assert arrays["round-steps"].dtype == np.int16
    assert [float(step_of(i)) for i in (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4)] == [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 2.5,
                                                                               5, 10]  # fmt: skip
    with pytest.raises(ValueError, match="no steps"):
        Rounding(arrays["round-steps"], arrays["round-begins"], -arrays["round-shares"])
    with pytest.raises(ValueError, match="no steps"):
        Rounding(arrays["round-steps"][1:], arrays["round-begins"], arrays["round-shares"])


def test_a_position_says_how_it_is_rounded() -> None:
    """The same cell and place give the same value, whatever other rows there are and in whatever order."""
    codec = _settled(_amounts(3))
    rng = np.random.default_rng(1)
    codes, within = rng.integers(0, codec.size, 2_000), rng.random(2_000)
    whole = numbers(codec.decode(codes, within))
    assert (numbers(codec.decode(codes[::-3], within[::-3])) == whole[::-3]).all()


def test_ratios_come_back_from_files() -> None:
    """A codec of ratios is the same after it was saved; percentages and rounded parts are ratios too."""
    rng = np.random.default_rng(7)
    under = rng.integers(1, 12, ROWS)
    for values, field in (
        (rng.integers(0, 90, ROWS) / under, NUMBER),
        (np.round(rng.integers(1, 9_000, 3_000) / 3, 2), CENTS),
    ):
        codec = _settled(values, field)
        head, arrays = codec.to_json()
        again = codec_of(json.loads(json.dumps(head)), arrays)
        assert isinstance(codec.rounding, Ratios)
        assert isinstance(again, OrderedCodec)
        assert np.array_equal(_drawn(codec), _drawn(again))


def test_plain_decimals_are_no_ratios() -> None:
    """Values of a few decimals, and those of none that end, are left to other steps."""
    rng = np.random.default_rng(8)
    assert not isinstance(_settled(np.round(rng.normal(50, 9, ROWS), 2), CENTS).rounding, Ratios)
    assert not isinstance(_settled(rng.normal(50, 9, ROWS)).rounding, Ratios)
