"""A column as trees see it: places, and what each place means."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.kit.coding.codecs import CODEABLE, LabelCodec, OrderedCodec, observe, settle
from synthwright.kit.learning.coded import BINS, GROUPS, LABELS, TOKENS, Coded, cut
from synthwright.testing import toys

NUMBER, CATEGORY = Field(kind=Kind.NUMBER), Field(kind=Kind.CATEGORY)


def _coded(field: Field, column: Any) -> Coded:
    return Coded("c", settle(field, observe(column), Context(seed=1).rng))


def _labels(counts: dict[str | None, int]) -> pa.Array:
    return pa.array([label for label, count in counts.items() for _ in range(count)], pa.large_string())


def _skewed(rows: int = 20_000) -> Coded:
    """Return a column of many cells: a heavy value, a long tail, a tenth of it null."""
    rng = np.random.default_rng(1)
    values = np.where(rng.random(rows) < 0.3, 0.0, np.exp(2 * rng.normal(size=rows)))
    return _coded(NUMBER, pa.array(values, mask=rng.random(rows) < 0.1))


@pytest.mark.parametrize("most", [32, 100])
def test_cut_in_even_parts(most: int) -> None:
    """Codes are cut in order into at most so many parts, finer at both ends, none far too large; few stay apart."""
    shares = np.random.default_rng(most).dirichlet(np.ones(4_000))
    found = cut(shares, most)
    assert found[0] == 0
    assert set(np.diff(found).tolist()) == {0, 1}
    assert 0.8 * most <= found[-1] < most
    sizes = np.bincount(found, shares)
    assert sizes.max() < 2 / most + shares.max()
    assert max(sizes[0], sizes[-1]) < 0.3 * np.median(sizes) + shares.max()
    few = cut(shares[:most], most)
    assert few.tolist() == list(range(len(few)))
    assert cut(np.zeros(0), most).tolist() == []


def test_places_of_what_has_none() -> None:
    """No value has the place after all codes, and a value that is not held the one after that."""
    labels = _coded(CATEGORY, _labels({"a": 5, "b": 9, "rare": 1, None: 4}))
    assert labels.places(_labels({"b": 1, "a": 1, "rare": 1, "new": 1, None: 1})).tolist() == [1, 0, 3, 3, 2]
    assert labels.decode(np.array([1, 0, 2]), np.zeros(3)).to_pylist() == ["b", "a", None]
    nothing = _coded(NUMBER, pa.nulls(20, pa.float64()))
    assert nothing.size == 0
    assert nothing.places(pa.array([1.5, None])).tolist() == [1, 0]


def test_every_place_has_everything() -> None:
    """Whatever the kind, each place has a bin, token, group, rank and level, of few enough sorts; shares add up."""
    mixed = toys.every_kind()
    columns = [_coded(f, mixed.tables["mixed"].column(n)) for n, f in mixed.schema.tables["mixed"].fields.items()
               if f.kind in CODEABLE]  # fmt: skip
    nothing, empty = _coded(NUMBER, pa.nulls(20, pa.float64())), _coded(CATEGORY, pa.nulls(20, pa.large_string()))
    for column in [*columns, _skewed(), nothing, empty]:
        size = column.size
        assert {len(a) for a in (column.bins, column.tokens, column.groups, column.rank, column.level)} == {size + 2}
        assert column.shares.sum() == pytest.approx(1)
        assert column.group_shares.sum() == pytest.approx(1)
        assert column.bins[size:].tolist() == [BINS + 1, BINS]
        assert (column.bins[:size] < BINS).all()
        assert (column.tokens[:size] < column.token_count).all()
        assert column.tokens[size] == column.token_count
        assert column.groups[-1] == -1
        assert column.groups[size] == len(column.group_shares) - 1
        assert not (column.groups[:size] == column.groups[size]).any()
        assert np.isfinite(column.level).all()


def test_ordered_columns_are_cut_in_order() -> None:
    """Bins, tokens, groups and ranks of an ordered column rise with its values, in as many steps as each may have."""
    column = _skewed()
    level = column.level[:-2]
    assert (np.diff(level) > 0).all()
    for steps, most in ((column.bins, BINS), (column.tokens, TOKENS), (column.groups, GROUPS), (column.rank, 10**6)):
        inner = steps[:-2].astype(np.int64)
        assert (np.diff(inner) >= 0).all()
        assert inner.max() < most
        assert len(np.unique(inner)) > 0.5 * min(most, column.size)
    heavy = int(column.places(pa.array([0.0]))[0])
    assert (column.bins == column.bins[heavy]).sum() <= 2


def test_level_is_the_value() -> None:
    """The level of a place is what it stands for in the column's own unit."""
    column = _coded(Field(kind=Kind.INTEGER), pa.array([3, 3, 3, 50, 50, 50, 50, -7, -7, -7]))
    assert column.level.tolist() == [-7, 3, 50, 0, 0]
    values = pa.array([-7, 50, None])
    assert column.level[column.places(values)].tolist() == [-7, 50, 0]
    smooth = _skewed()
    drawn = numbers(smooth.decode(np.arange(smooth.size), np.full(smooth.size, 0.5)))
    assert smooth.level[:-2] == pytest.approx(drawn, rel=1e-6)


def test_where_codes_stand() -> None:
    """Each code of an ordered column stands in the middle of its share of the values; labels stand nowhere."""
    middle, ends = _coded(Field(kind=Kind.INTEGER), pa.array([1] * 4 + [2] * 3 + [9] * 3)).line
    assert middle.tolist() == pytest.approx([0.2, 0.55, 0.85])
    assert ends.tolist() == pytest.approx([0.4, 0.7, 1])
    assert [len(a) for a in _coded(CATEGORY, _labels({"a": 5, "b": 90})).line] == [0, 0]


def test_labels_are_ranked_by_frequency() -> None:
    """The most frequent label has the first bin and rank; each label is a token and, if frequent, a group."""
    column = _coded(CATEGORY, _labels({"a": 5, "b": 90, "c": 30}))
    assert column.bins[:3].tolist() == column.rank[:3].tolist() == [2, 0, 1]
    assert column.tokens.tolist() == [0, 1, 2, 3, 3]
    many = _coded(CATEGORY, _labels({f"l{i:03}": 3 + i for i in range(400)}))
    assert many.bins[399] == 0
    assert (many.bins[:100] == BINS - 1).all()
    assert many.token_count == 400


def test_there_and_back() -> None:
    """What is decoded has the place it was decoded from, before and after saving."""
    for column in (_skewed(), _coded(CATEGORY, _labels({"a": 5, "b": 90, "c": 30, None: 9}))):
        places = np.arange(column.size + 1)
        values = column.decode(places, np.full(len(places), 0.5))
        assert column.places(values).tolist() == places.tolist()
        head, arrays = column.codec.to_json()
        again = Coded.of_json("c", json.loads(json.dumps(head)), arrays)
        assert again.decode(places, np.full(len(places), 0.5)).equals(values)
        assert np.array_equal(again.level, column.level)


def test_more_labels_than_sixteen_bits_tell_apart() -> None:
    """Seventy thousand labels all have a place, and splits tell the most frequent ones apart, in 16 bits."""
    size = 70_000
    shares = np.arange(1, size + 1) / (size * (size + 1) / 2)  # the last labels are the most frequent
    labels = pa.array([f"l{i:06}" for i in range(size)], pa.large_string())
    column = Coded("c", LabelCodec(CATEGORY, labels, shares, 0.1))
    found = column.places(pa.concat_arrays([labels, pa.nulls(1, pa.large_string())]))
    assert np.array_equal(found, np.append(np.arange(size), column.size))
    assert column.tokens[column.size] == column.token_count
    often = column.tokens[found[size - LABELS : size]]
    assert len(np.unique(often)) == LABELS
    assert column.token_count not in often


def test_what_chance_repeats_is_not_learned() -> None:
    """Values that three rows share by chance are learned and given as often as a second sample has them."""
    rng = np.random.default_rng(9)
    weights = np.unique(rng.integers(10_000, 900_000, 9_000))
    often = rng.gamma(0.6, 1.0, len(weights))
    first, second = (rng.choice(weights, 12_000, p=often / often.sum()) for _ in range(2))
    field = Field(kind=Kind.INTEGER, step=1)
    column = pa.array(first)
    coded = _coded(field, column)
    assert isinstance(coded.codec, OrderedCodec)
    masses = coded.codec.masses.to_numpy()
    kept = coded.codec.cells < len(masses)
    places = coded.learned(column, 3, Context(seed=2).rng)
    again = np.isin(second, masses).mean()
    assert np.isin(first, masses).mean() > again + 0.1
    assert kept[places].mean() == pytest.approx(again, abs=0.04)
    assert coded.codec.shares[kept].sum() == pytest.approx(again, abs=0.04)
    moved = places != coded.places(column)
    assert not kept[places[moved]].any()
    apart = np.abs(coded.level[places[moved]] - first[moved])
    assert np.median(apart) < 3_000


def test_nulls_and_labels_are_learned_as_they_are() -> None:
    """Nothing moves where there is nothing rare beside, and null stays null."""
    values = pa.array([None, 0.0, 0.0, 0.0, 5.0, 5.0, 5.0, 5.0, None])
    for field, column in ((NUMBER, values), (CATEGORY, _labels({"a": 4, "b": 9, None: 3}))):
        coded = _coded(field, column)
        assert coded.learned(column, 3, Context(seed=2).rng).tolist() == coded.places(column).tolist()
