"""The curators `duplicates` and `copies`, and what they count with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.core.contracts import Curator
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.copies import Copies
from synthwright.curators.duplicates import Duplicates
from synthwright.kit.measuring.repeats import excess, expected_repeats, modelled, share_by_chance, share_met_again
from synthwright.kit.rows import row_hashes


def dataset(values: np.ndarray, first: int = 0) -> Dataset:
    """Return numbered rows of one whole number, and a key that no two rows share."""
    fields = {"k": Field(kind=Kind.KEY, type="int64"), "a": Field(kind=Kind.INTEGER)}
    number = np.arange(first, first + len(values))
    held = pa.table({"k": number, "a": pa.array(values, pa.int64()), ROW: number})
    return Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": held})


def gone(curator: Curator, data: Dataset, real: Dataset | None, seed: int = 0) -> np.ndarray:
    """Return booleans: which rows go."""
    verdicts = curator.fit(data, real, Context(seed=seed)).judge(data, Context())
    return ~verdicts[0].keep if verdicts else np.zeros(data.rows("t"), dtype=bool)


def test_repetitions_go_where_real_rows_do_not_repeat() -> None:
    """With real rows all different every repetition goes and the first row stays."""
    data = dataset(np.array([5, 6, 5, 5, 7]))
    assert gone(Duplicates(), data, dataset(np.arange(100))).tolist() == [False, False, True, True, False]
    verdict = Duplicates().fit(data, dataset(np.arange(100)), Context()).judge(data, Context())[0]
    assert verdict.reason.to_pylist() == [None, None, "duplicate", "duplicate", None]


def test_as_many_repetitions_stay_as_real_rows_have() -> None:
    """A sample that repeats like the real rows keeps all but chance; one that says all twice loses much."""
    rng = np.random.default_rng(0)
    real = dataset(rng.integers(0, 10_000, 4000))
    alike = gone(Duplicates(), dataset(rng.integers(0, 10_000, 4000), 9), real)
    assert alike.mean() < 0.02
    twice = np.repeat(rng.integers(0, 10_000, 2000), 2)
    assert gone(Duplicates(), dataset(twice), real).mean() > 0.3


def test_rare_repetitions_go_before_common_ones() -> None:
    """Of too many repetitions those go that real rows do not have."""
    real = dataset(np.array([1] * 50 + list(range(100, 150))))
    data = dataset(np.array([1] * 25 + [200] * 10 + list(range(300, 320))))
    which = gone(Duplicates(), data, real)
    assert which.sum() == which[26:35].sum() > 3


def test_copies_go_as_far_as_fresh_real_rows_are_none() -> None:
    """Where no real row has a twin every copy goes; where all have, none does."""
    data = dataset(np.array([3, 1000, 4]))
    assert gone(Copies(), data, dataset(np.arange(100))).tolist() == [True, False, True]
    verdict = Copies().fit(data, dataset(np.arange(100)), Context()).judge(data, Context())[0]
    assert verdict.reason.to_pylist() == ["copy-of-training-row", None, "copy-of-training-row"]
    assert not gone(Copies(), data, dataset(np.repeat(np.arange(50), 2))).any()


def test_copies_of_single_rows_go_first() -> None:
    """When half of the real rows have twins, the copies that stay are of those, and no more than beside fresh rows."""
    real = dataset(np.array([1] * 50 + list(range(100, 150))))
    which = gone(Copies(), dataset(np.array([1] * 50 + list(range(100, 150)) + list(range(900, 950)))), real)
    assert not which[:50].any()
    assert which[50:100].sum() == 30  # 0.582 / 0.418 * 50 fresh rows allow 70 copies
    assert not which[100:].any()


def test_where_nearly_all_fresh_rows_are_copies_none_goes() -> None:
    """A table of two values says nothing by repeating them; a memorised table of rows that never repeat goes whole."""
    coins = dataset(np.arange(200) % 2)
    assert not gone(Copies(), coins, coins).any()
    single = dataset(np.arange(200))
    assert gone(Copies(), single, single).all()


def test_without_real_rows_or_columns_nothing_goes() -> None:
    """Where nothing can be compared nothing is called too much."""
    data = dataset(np.zeros(5, dtype=np.int64))
    for curator in (Duplicates(), Copies()):
        assert not gone(curator, data, None).any()
        assert not gone(curator, data.select("t", ["k"]), data).any()
    assert modelled(data, "t") == ("a",)


def test_the_choice_depends_on_row_numbers_not_on_order() -> None:
    """Rows in another order lose the same numbers; another seed chooses others."""
    rng = np.random.default_rng(1)
    real, data = dataset(rng.integers(0, 400, 300)), dataset(rng.integers(0, 150, 300))
    order = rng.permutation(300)
    which = gone(Duplicates(), data, real)
    turned = gone(Duplicates(), data.take("t", order), real)
    assert np.array_equal(turned, which[order])
    assert not np.array_equal(gone(Duplicates(), data, real, seed=1), which)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.integers(1, 9))
def test_expected_repeats_is_the_mean_over_all_samples(values: list[int], rows: int) -> None:
    """Up to the size of the real sample the expectation is exact."""
    from itertools import combinations

    rows = min(rows, len(values))
    repeats = [rows - len({values[i] for i in c}) for c in combinations(range(len(values)), rows)]
    assert expected_repeats(np.array(values, dtype=np.uint64), rows) == pytest.approx(np.mean(repeats), abs=1e-9)


def test_expected_repeats_grow_beyond_the_real_rows() -> None:
    """More rows than there are real ones repeat at least as often as those."""
    hashes = np.random.default_rng(0).integers(0, 500, 400).astype(np.uint64)
    shares = [expected_repeats(hashes, n) / n for n in (100, 400, 800, 4000)]
    assert shares == sorted(shares)
    assert expected_repeats(np.arange(9, dtype=np.uint64), 1000) == 0
    assert expected_repeats(np.zeros(0, dtype=np.uint64), 5) == 0
    assert share_met_again(np.zeros(0, dtype=np.uint64)) == 0


def test_excess_without_real_rows_goes_by_luck_alone() -> None:
    """With nothing to compare to, the hash of the number decides."""
    rows, none = np.arange(10), np.zeros(0, dtype=np.uint64)
    which = excess(rows, rows.astype(np.uint64), none, 4.2, 7)
    assert len(which) == 5
    assert np.array_equal(which, np.sort(which))


@pytest.mark.parametrize("name", ["wine_quality", "mammography_imbalanced"])
def test_real_halves_keep_nearly_all_their_rows(real_tables: Path, name: str) -> None:
    """A second half of a real table that repeats a lot loses next to nothing against the first half."""
    path = real_tables / "tabular" / name / "data.parquet"
    if not path.exists():
        pytest.skip(f"{name} is not among the real tables of this machine")
    import pyarrow.parquet as pq

    held = pq.read_table(path)
    order = np.random.default_rng(0).permutation(held.num_rows)
    half = len(order) // 2
    whole = Dataset.of(held)
    name = whole.schema.only
    real, data = whole.take(name, order[:half]), whole.take(name, order[half:])
    data = data.with_columns(name, {ROW: pa.array(np.arange(data.rows()))})
    for curator in (Duplicates(), Copies()):
        verdict = curator.fit(data, real, Context()).judge(data, Context())[0]
        assert verdict.keep.mean() > 0.97


def test_what_chance_alone_repeats_is_no_copy() -> None:
    """Rows of few possible values equal real ones however they are made; rows of many do not when shuffled."""
    rng = np.random.default_rng(2)
    few = pa.table({"a": rng.integers(0, 3, 400), "b": rng.integers(0, 3, 400)})
    many = pa.table({"a": rng.integers(0, 3000, 400), "b": rng.integers(0, 3000, 400)})
    for held, low, high in ((few, 0.99, 1.0), (many, 0.0, 0.01)):
        assert low <= share_by_chance(held, ("a", "b"), row_hashes(held, ("a", "b")), rng) <= high
