"""Lengths of what other columns span are found."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.test_relations import NUMBER, ROWS, found

from synthwright.core.schema import Field, Kind

THOUSANDTHS = Field(kind=Kind.NUMBER, step=0.001)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a stream of randomness."""
    return np.random.default_rng(12)


@pytest.mark.parametrize("rounded", [True, False])
def test_a_magnitude_of_three_sides(rng: np.random.Generator, rounded: bool) -> None:  # noqa: FBT001
    """Rounded or not, it is the root of the sum of their squares; the orders that follow are not said."""
    sides = rng.normal(size=(3, ROWS))
    sides = np.round(sides, 3) if rounded else sides
    length = np.sqrt((sides**2).sum(axis=0))
    field = THOUSANDTHS if rounded else NUMBER
    length = np.round(length, 3) if rounded else length
    columns = {n: (field, v) for n, v in zip("xyz", sides, strict=True)}
    assert found({**columns, "length": (field, length)}) == ["length == sqrt(x * x + y * y + z * z)"]


def test_one_wrong_row_or_unrelated_sides_say_nothing(rng: np.random.Generator) -> None:
    """What holds in all rows but one is no relation."""
    x, y = rng.normal(size=(2, ROWS))
    length = np.hypot(x, y)
    length[9] += 0.01
    assert not [r for r in found({"x": (NUMBER, x), "y": (NUMBER, y), "d": (NUMBER, length)}) if "sqrt" in r]
