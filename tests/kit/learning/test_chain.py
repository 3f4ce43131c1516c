"""Rows made around what is known of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.codecs import observe, settle
from synthwright.kit.learning import chain as module
from synthwright.kit.learning.chain import CARRIED, UNSET, Chain
from synthwright.kit.learning.coded import Coded
from synthwright.kit.learning.conditional import Dials, Known, learned

ROWS = 6_000
JOINT = np.array([[0.30, 0.05, 0.05], [0.02, 0.20, 0.08], [0.05, 0.05, 0.20]])
"""How often the first label goes with the second."""
LAST = np.array([0.9, 0.5, 0.1])
"""How often the third column is 1, given the second."""


def _joint(rows: int = ROWS) -> np.ndarray:
    """Return codes of three columns: the second follows from the first, the third from the second."""
    rng = np.random.default_rng(1)
    both = rng.choice(9, rows, p=JOINT.ravel())
    return np.array([both // 3, both % 3, rng.random(rows) < LAST[both % 3]]).astype(np.int64)


def _chain(codes: np.ndarray, nulls: float = 0.0, looked_at: int = 0) -> tuple[Chain, list[np.ndarray]]:
    """Return a chain that was learned from codes (-1 is null), and the places; some columns are only looked at."""
    field = Field(kind=Kind.CATEGORY)
    rng, columns, places = np.random.default_rng(2), [], []
    for i, values in enumerate(codes):
        mask = (values < 0) | (rng.random(len(values)) < nulls)
        held = pa.array([f"l{v}" for v in values], pa.large_string(), mask=mask)
        columns.append(Coded(f"c{i}", settle(field, observe(held), Context(seed=i).rng)))
        places.append(columns[-1].places(held))
    known = Known.of(columns, places)
    dials = Dials(10, 3.0, 4, 0, 12, refine=False)
    made = [None if i < looked_at else learned(known, i, dials, Context(seed=i)) for i in range(len(columns))]
    return Chain(columns, made, 12), places


def _complete(chain: Chain, known: list[np.ndarray], filled: bool = False, seed: int = 3) -> list[np.ndarray]:  # noqa: FBT001, FBT002
    return chain.complete(known, [filled] * len(known), np.random.default_rng(seed))


def _unset(rows: int, columns: int = 3) -> list[np.ndarray]:
    return [np.full(rows, UNSET) for _ in range(columns)]


def _shares(places: np.ndarray, size: int = 3) -> np.ndarray:
    return np.bincount(places, minlength=size) / len(places)


def test_rows_from_nothing() -> None:
    """Rows of which nothing is known have the joint shares that were learned."""
    chain, _ = _chain(_joint())
    one, two, three = _complete(chain, _unset(ROWS))
    assert _shares(one * 3 + two, 9) == pytest.approx(JOINT.ravel(), abs=0.02)
    assert [three[two == t].mean() for t in range(3)] == pytest.approx(LAST, abs=0.04)


def test_what_is_known_stays() -> None:
    """Known places stay exactly, wherever they are, nulls and values that are not held among them."""
    chain, _ = _chain(_joint(), nulls=0.1)
    rng = np.random.default_rng(4)
    known = [np.where(rng.random(4_000) < 0.5, rng.integers(0, c.size + 2, 4_000), UNSET) for c in chain.columns]
    for before, made, column in zip(known, _complete(chain, known), chain.columns, strict=True):
        assert (made[before != UNSET] == before[before != UNSET]).all()
        assert (made >= 0).all()
        assert (made[before == UNSET] <= column.size).all()


def test_what_comes_before_fits_to_what_is_known() -> None:
    """Given a later column, the earlier ones have the distribution that Bayes' rule gives."""
    chain, _ = _chain(_joint())
    for two in range(3):
        known = _unset(3_000)
        known[1][:] = two
        one, _, three = _complete(chain, known)
        assert _shares(one) == pytest.approx(JOINT[:, two] / JOINT[:, two].sum(), abs=0.03)
        assert three.mean() == pytest.approx(LAST[two], abs=0.03)


def test_the_last_column_speaks_for_all() -> None:
    """Given the last column alone, the first two have their joint posterior distribution."""
    chain, _ = _chain(_joint())
    known = _unset(6_000)
    known[2][:] = 1
    one, two, _ = _complete(chain, known)
    wanted = (JOINT * LAST).ravel()
    assert _shares(one * 3 + two, 9) == pytest.approx(wanted / wanted.sum(), abs=0.025)


def test_two_that_are_known_around_one_that_is_not() -> None:
    """A column between two known ones follows from both."""
    chain, _ = _chain(_joint())
    known = _unset(4_000)
    known[0][:], known[2][:] = 2, 0
    two = _complete(chain, known)[1]
    wanted = JOINT[2] * (1 - LAST)
    assert _shares(two) == pytest.approx(wanted / wanted.sum(), abs=0.035)


def test_rows_of_all_sorts_at_once() -> None:
    """Rows with nothing, early and late columns known are made side by side, each sort as if alone."""
    chain, _ = _chain(_joint())
    known, sort = _unset(9_000), np.arange(9_000) % 3
    known[0][sort == 1] = 0
    known[2][sort == 2] = 1
    one, two, three = _complete(chain, known)
    assert _shares(one[sort == 0]) == pytest.approx(JOINT.sum(axis=1), abs=0.03)
    assert _shares(two[sort == 1]) == pytest.approx(JOINT[0] / JOINT[0].sum(), abs=0.03)
    wanted = (JOINT * LAST).sum(axis=1)
    assert _shares(one[sort == 2]) == pytest.approx(wanted / wanted.sum(), abs=0.03)
    assert (three[sort == 2] == 1).all()


def test_rows_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are made a few at a time, every row is made, and what is known of each stays with it."""
    monkeypatch.setattr(module, "AT_ONCE", 20 * CARRIED)
    chain, _ = _chain(_joint())
    known = _unset(3_000)
    known[1] = np.where(np.arange(3_000) % 5 == 0, UNSET, np.arange(3_000) % 3)
    one, two, _ = _complete(chain, known)
    assert (two >= 0).all()
    there = known[1] != UNSET
    assert (two[there] == known[1][there]).all()
    for t in range(3):
        assert _shares(one[there & (two == t)]) == pytest.approx(JOINT[:, t] / JOINT[:, t].sum(), abs=0.07)


def test_filled_columns_have_values() -> None:
    """Where values must be filled in none is null, and the values keep their shares; elsewhere nulls keep theirs."""
    chain, _ = _chain(_joint(), nulls=0.3)
    for made in _complete(chain, _unset(ROWS)):
        assert (made == made.max()).mean() == pytest.approx(0.3, abs=0.03)
    one, two, three = _complete(chain, _unset(ROWS), filled=True)
    assert (one.max(), two.max(), three.max()) == (2, 2, 1)
    assert _shares(one) == pytest.approx(JOINT.sum(axis=1), abs=0.03)


def test_filled_where_no_leaf_has_a_value() -> None:
    """Where all like rows are null, a value is drawn from the whole column."""
    one = np.repeat([0, 1], 1_000)
    two = np.where(one == 0, -1, np.random.default_rng(5).integers(0, 2, 2_000))
    chain, _ = _chain(np.array([one, two]))
    known = _unset(1_000, 2)
    known[0][:] = 0
    made = _complete(chain, known, filled=True)[1]
    assert _shares(made, 2) == pytest.approx([0.5, 0.5], abs=0.06)
    assert (_complete(chain, known)[1] == 2).mean() > 0.95


def test_columns_that_are_only_looked_at() -> None:
    """A column that is never made is taken as it is, and makes no earlier row late."""
    codes = _joint()
    chain, places = _chain(codes, looked_at=2)
    found = _complete(chain, [places[0], places[1], np.full(ROWS, UNSET)])
    assert np.array_equal(found[0], places[0])
    late = Chain(chain.columns[::-1], [chain.conditionals[2], None, None], 12)
    assert not late._late([np.full(9, UNSET), places[1][:9], places[0][:9]]).any()  # noqa: SLF001
    assert [found[2][codes[1] == t].mean() for t in range(3)] == pytest.approx(LAST, abs=0.04)


def test_a_value_that_no_row_had() -> None:
    """A late column that is known to be null, where none ever was, says nothing, and nothing breaks."""
    chain, _ = _chain(_joint())
    known = _unset(3_000)
    known[2][:] = chain.columns[2].size
    one, two, three = _complete(chain, known)
    assert (three == chain.columns[2].size).all()
    assert _shares(one * 3 + two, 9) == pytest.approx(JOINT.ravel(), abs=0.035)


def test_the_same_randomness_makes_the_same_rows() -> None:
    """The same stream gives the same rows, another gives others; what was given is not written into."""
    chain, _ = _chain(_joint())
    known = _unset(500)
    known[1][::2] = 1
    before = [k.copy() for k in known]
    one, two, three = (np.array(_complete(chain, known, seed=s)) for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)
    assert all(np.array_equal(a, b) for a, b in zip(known, before, strict=True))
