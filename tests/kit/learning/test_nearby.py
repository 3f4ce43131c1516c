"""The nearest rows of a group are those that a plain search finds."""

from __future__ import annotations

import numpy as np
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.learning.held import Labels, Line, held_from, held_of
from synthwright.kit.learning.nearby import ITSELF, NOBODY, Sites, agreeing, grouped, nearby, sites
from synthwright.testing import toys

RNG = np.random.default_rng(3)


def plain(seek: Sites, among: Sites, members: np.ndarray, count: int, own: int) -> list[int]:
    """Return the nearest members of one row, the slow way."""
    apart = np.abs(seek.ordered[:1].astype(np.float64) - among.ordered[members])
    total = np.nansum(np.minimum(apart, 1), axis=1)
    total += ((seek.discrete[:1] >= 0) & (seek.discrete[:1] != among.discrete[members])).sum(axis=1)
    order = members[np.argsort(total.astype(np.float32), kind="stable")]
    return [int(j) for j in order if j != own][:count]


def some(rows: int) -> Sites:
    """Return rows on a coarse grid, so that many are equally near, some without values."""
    ordered = RNG.integers(0, 8, (rows, 3)) / 8
    ordered[RNG.random((rows, 3)) < 0.1] = 4.0
    return Sites(ordered.astype(np.float32), RNG.integers(0, 3, (rows, 2)).astype(np.int32))


def test_the_search_agrees_with_a_plain_one() -> None:
    """In groups, with ties, missing values, questions left open, and a row that is not its own neighbour."""
    held = some(300)
    label = RNG.integers(0, 4, 300)
    groups = grouped([label], [label], 300, 300)
    seek = held._replace(ordered=held.ordered.copy(), discrete=held.discrete.copy())
    seek.ordered[::5, 1] = np.nan
    seek.discrete[::7, 0] = -1
    own = np.where(np.arange(300) % 2, np.arange(300), NOBODY)
    found = nearby(seek, held, groups, 6, own)
    for i in range(300):
        assert found[i].tolist() == plain(seek.take(slice(i, i + 1)), held, np.flatnonzero(label == label[i]), 6,
                                          int(own[i]))  # fmt: skip


def test_a_group_that_has_too_few() -> None:
    """What is not there is -1, and a row is left out once where it is not known which one it is."""
    held = Sites(np.array([[0.1], [0.1], [0.5]], np.float32), np.zeros((3, 0), np.int32))
    every = grouped([], [], 3, 3)
    assert nearby(held, held, every, 4, np.full(3, ITSELF)).tolist() == [[1, 2, -1, -1], [1, 2, -1, -1],
                                                                        [0, 1, -1, -1]]  # fmt: skip
    assert nearby(held.take(slice(0, 0)), held, every.take(slice(0, 0)), 4, np.zeros(0)).shape == (0, 4)


def test_groups_agree_as_far_as_enough_rows_do() -> None:
    """The first column counts where two rows have it, both where `least` rows have both, none where one row has it."""
    first = np.array([0] * 10 + [1, 1] + [2])
    second = np.array([0] * 7 + [1] * 3 + [0, 0] + [0])
    groups, agree = agreeing([first, second], [first, second], 13, 13, 4)
    assert agree.tolist() == [2] * 7 + [1] * 3 + [1, 1] + [0]
    members = [set(groups.members[b:e].tolist()) for b, e in zip(groups.begin, groups.end, strict=True)]
    assert members[0] == set(range(7))
    assert members[8] == set(range(10))
    assert members[10] == {10, 11}
    assert members[12] == set(range(13))


@pytest.mark.parametrize("name", ["count", "huge", "amount", "price", "flag", "level", "day", "hour", "zoned", "spell"])
def test_what_is_held_comes_back(name: str) -> None:
    """Every kind of column is held exactly, in memory and in files, with its nulls."""
    data = toys.every_kind()
    field, column = data.schema.tables["mixed"].fields[name], data.column(f"mixed.{name}").combine_chunks()
    held = held_of(name, field, column)
    assert held.made(held.held).equals(column)
    again = held_from(*held.to_json())
    assert again.made(again.read(column)).equals(column)


def test_infinities_and_strange_labels() -> None:
    """Infinities stay what they are; a label that nobody has stands behind no value."""
    data = toys.dataset({"t": {"x": (Field(kind=Kind.NUMBER), [1.0, np.inf, -np.inf, None])}})
    line = Line.of("x", data.schema.tables["t"].fields["x"], data.column("t.x"))
    assert line.made(line.held).to_pylist() == [1.0, np.inf, -np.inf, None]
    data = toys.dataset({"t": {"x": (Field(kind=Kind.CATEGORY), ["a", "b", None])}})
    other = toys.dataset({"t": {"x": (Field(kind=Kind.CATEGORY), ["c", "b", None])}})
    labels = Labels.of("x", data.schema.tables["t"].fields["x"], data.column("t.x"))
    assert labels.read(other.column("t.x")).tolist() == [3, 1, 2]


def test_ranks_are_those_of_the_real_rows() -> None:
    """A value that no real row has stands between those around it."""
    data = toys.dataset({"t": {"x": (Field(kind=Kind.NUMBER), [0.0, 1.0, 2.0, 3.0])}})
    line = Line.of("x", data.schema.tables["t"].fields["x"], data.column("t.x"))
    found = sites([line], [np.array([1.5, np.nan])], 2)
    assert found.ordered[:, 0].tolist() == [0.5, 4.0]
