"""Rows that share what no two may share get what is free, and no other column than must be is changed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthwright.core.rules import parse
from synthwright.kit.constraints.spreading import crowded, spread

RNG = np.random.default_rng(2)
RULE = parse("unique(a, b)")


def table(a: object, b: object) -> pa.Table:
    """Return a table of two columns."""
    return pa.table({"a": pa.array(a, pa.int64()), "b": pa.array(b, pa.int64())})


def test_every_combination_is_taken_once() -> None:
    """With as many rows as combinations, all are taken, most of them as they were drawn."""
    held = table(RNG.integers(0, 12, 240), RNG.integers(0, 20, 240))
    free = {c: np.ones(240, dtype=bool) for c in "ab"}
    made = spread(held, RULE, free, RNG, even=False)
    assert len({*zip(*made.to_pydict().values(), strict=True)}) == 240
    good = ~crowded(held, RULE, frozenset(), even=False)
    assert made.filter(pa.array(good)).equals(held.filter(pa.array(good)))


def test_what_is_fixed_stays() -> None:
    """Only columns that may be changed are; rows for which nothing is free stay as they were."""
    held = table([1, 1, 1, 2, None], [5, 5, 6, 5, 5])
    made = spread(held, RULE, {"b": np.ones(5, dtype=bool)}, RNG, even=False)
    assert made["a"].to_pylist() == [1, 1, 1, 2, None]
    assert made["b"].to_pylist()[2:] == [6, 5, 5]
    assert crowded(made, RULE, frozenset({"a"}), even=False).sum() == 1


def test_more_rows_than_combinations_are_shared_out_where_that_may_be() -> None:
    """Each combination is taken equally often; a rule that was not only seen to hold is broken by all but the first."""
    held = table(np.zeros(30), [*range(10), *[0] * 15, *[1] * 5])
    free = {c: np.ones(30, dtype=bool) for c in "ab"}
    made = spread(held, RULE, free, RNG, even=True)
    assert np.bincount(made["b"].to_numpy()).tolist() == [3] * 10
    assert crowded(held, RULE, frozenset(), even=False).sum() == 20
