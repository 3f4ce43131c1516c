"""Pseudonyms that repeat as the real values did."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.codecs import observe
from synthwright.kit.coding.pools import Pool, repeats
from synthwright.kit.sampling.dice import Dice

RNG = np.random.default_rng(4)
REAL = pa.chunked_array([pa.array([f"r{v}" for v in RNG.zipf(1.6, 2_000) % 300], pa.large_string())])


def _made(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"r{n // 2}" if n % 2 else f"f{n // 4}" for n in numbers.tolist()], pa.large_string())


def _drawn(pool: Pool, numbers: np.ndarray) -> pa.Array:
    return pool.draw(numbers, Dice(numbers.astype(np.uint64), 1))


def test_pseudonyms_repeat_as_real_values_did() -> None:
    """There are as many different ones, each as often as the mean of its group says, and none is real."""
    seen = observe(REAL)
    pool = Pool.of(seen, _made, 1, protect=3)
    assert repeats(seen)
    assert not set(pool.values.to_pylist()) & set(REAL.to_pylist())
    held = Counter(_drawn(pool, np.arange(2_000)).to_pylist())
    real = np.sort(seen.counts)[::-1]
    made = np.sort(list(held.values()))[::-1]
    assert len(made) == len(real)
    assert sum(made) == 2_000
    assert abs(made[:30].sum() - real[:30].sum()) < 0.05 * 2_000
    assert all(n >= 3 for n, _ in pool.groups)
    assert sum(n for n, _ in pool.groups) == len(real)


def test_a_row_has_its_pseudonym_wherever_it_is_made() -> None:
    """Shards agree, a pool that was saved draws the same, and rows beyond those that were seen repeat on."""
    pool = Pool.of(observe(REAL), _made, 1, protect=3)
    numbers = np.arange(5_000)
    whole = _drawn(pool, numbers)
    again = Pool.of_json(pool.to_json(), pa.large_string())
    assert pa.concat_arrays([_drawn(again, numbers[:1_300]), _drawn(again, numbers[1_300:])]).equals(whole)
    assert len(pc.unique(whole)) == len(pool.values)


def test_too_few_pseudonyms_are_used_more_often() -> None:
    """Where a maker cannot make as many, those that there are stand for several; real ones only where there is none."""
    seen = observe(REAL)
    few = Pool.of(seen, lambda n: pa.array([f"f{v % 7}" for v in n.tolist()], pa.large_string()), 1, protect=3)
    assert len(pc.unique(_drawn(few, np.arange(2_000)))) == 7
    none = Pool.of(seen, lambda n: pa.array([REAL[0].as_py()] * len(n), pa.large_string()), 1, protect=3)
    assert pc.unique(_drawn(none, np.arange(9))).to_pylist() == [REAL[0].as_py()]


def test_what_hardly_repeats_needs_no_pool() -> None:
    """Values of their own in nearly every row, or none at all, are made row by row."""
    own = pa.chunked_array([pa.array([str(v % 97) for v in range(100)], pa.large_string())])
    assert not repeats(observe(own))
    assert not repeats(observe(own.slice(0, 0)))
