"""Counts of kept numbers: what chance did to them goes, what people prefer stays."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.rulers import Ruler
from synthwright.kit.coding.steadied import returning, steadied

ANY = Ruler(Field(kind=Kind.NUMBER), whole=False)
WHOLE = Ruler(Field(kind=Kind.INTEGER), whole=True)


def test_chance_goes() -> None:
    """Counts that vary as chance has them vary come near what is usual, and add up to as many."""
    rng = np.random.default_rng(2)
    usual = 6 + 3 * np.sin(np.arange(400) / 60)
    rows = np.maximum(rng.poisson(usual), 3)
    found = steadied(WHOLE, 10.0 * np.arange(400) + 1, rows)
    assert found.sum() == rows.sum()
    assert np.abs(found - usual).mean() < 0.5 * np.abs(rows - usual).mean()


def test_what_is_preferred_stays() -> None:
    """A number that many give keeps its share, and so do round numbers, even ones, and the days of a week."""
    rng = np.random.default_rng(3)
    at = np.arange(1.0, 401)
    plain = rng.poisson(8, 400) + 3
    one = plain.copy()
    one[[123, 231]] = 90
    assert (steadied(WHOLE, at, one)[[123, 231]] > 85).all()
    for every, more in ((10, 30), (2, 12), (7, 15)):
        rows = plain + more * (np.arange(1, 401) % every == 0)
        found = steadied(WHOLE, at, rows)
        mine = np.arange(1, 401) % every == 0
        assert abs(found[mine].mean() - rows[mine].mean()) < 0.1 * rows[mine].mean()


def test_few_numbers_and_days_are_as_they_are() -> None:
    """Where few numbers say what is usual, and for dates, nothing changes."""
    rows = np.array([5, 9, 4, 7] * 5)
    assert steadied(WHOLE, np.arange(20.0), rows) is rows
    days = Ruler(Field(kind=Kind.DATE), whole=True)
    many = np.tile(rows, 10)
    assert steadied(days, np.arange(200.0), many) is many


def test_what_comes_again_is_what_a_second_sample_has() -> None:
    """Of values that many or few people have, those that three or more rows share are as frequent again as is told."""
    rng = np.random.default_rng(5)
    people = np.append(rng.gamma(0.6, 1.0, 160_000), np.full(20, 900.0))
    first, second = (rng.choice(len(people), 80_000, p=people / people.sum()) for _ in range(2))
    counts, again = (np.bincount(rows, minlength=len(people)) for rows in (first, second))
    seen, values = counts > 0, rng.permutation(len(people)) + 0.123
    stay = returning(ANY, values[seen], counts[seen], 3)
    for few, many in ((3, 3), (4, 6), (3, 20)):
        mine = (counts[seen] >= few) & (counts[seen] <= many)
        told = (stay * counts[seen])[mine].sum()
        assert told / again[seen][mine].sum() == pytest.approx(1, abs=0.1)
    assert (stay[counts[seen] > 50] == 1).all()
    assert stay[counts[seen] == 3].mean() < 0.75


def test_what_is_shared_by_design_comes_again() -> None:
    """Where the same number of rows has every value, or few values say how often they come again, all rows stay."""
    rng = np.random.default_rng(6)
    panel = np.bincount(rng.permutation(np.repeat(np.arange(2_000), 4))[:6_400])
    assert (returning(ANY, np.arange(len(panel)) + 0.5, panel, 3) == 1).all()
    assert (returning(ANY, np.arange(300) + 0.5, rng.poisson(40, 300), 3) == 1).all()
    assert (returning(ANY, np.arange(52) + 0.5, np.array([1] * 40 + [2] * 9 + [3] * 3), 3) == 1).all()


@pytest.mark.parametrize(
    "values", [(100, 90, 80, 700), (300, 280, 260, 2_500), (700, 500, 350, 200), (600, 400, 300, 600)]
)
def test_an_end_of_counts_is_by_design(values: tuple[int, ...]) -> None:
    """Where nothing has more rows than so many, as the quarters of a year, the last values do not vanish."""
    counts = np.repeat(np.arange(1, 5), values)
    assert (returning(ANY, np.arange(len(counts)) + 0.5, counts, 3) == 1).all()
