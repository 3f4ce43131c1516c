"""Owners by references, families, and links in three samples: plain twins, and what holds for any of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.context import Context
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.kinship import effective, links_of, owners, real_folk
from synthwright.kit.measuring.kindred import children_drawn, in_short, parents_drawn, related, siblings
from synthwright.kit.measuring.replicas import EXCHANGES
from synthwright.kit.measuring.stats import GROUPS
from synthwright.testing import toys

SIZE = Field(kind=Kind.INTEGER)
NAMES = st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=30)


def key(values: object) -> tuple[Field, object]:
    """Return a key column."""
    return Field(kind=Kind.KEY, type="int64", nulls=False), values


def link(to: str, values: object) -> tuple[Field, object]:
    """Return a column that refers to a key."""
    return Field(kind=Kind.REFERENCE, to=to, type="int64"), values


def chain(tops: list[int], owner: list[int | None], lines: list[int | None], first: int = 0) -> Dataset:
    """Return three tables, each referring to the one before; keys of the second count from `first`."""
    return toys.dataset({
        "top": {"id": key(tops), "size": (SIZE, tops)},
        "mid": {"id": key(list(range(first, first + len(owner)))), "top": link("top.id", owner)},
        "low": {"mid": link("mid.id", lines), "size": (SIZE, [1] * len(lines))},
    }, keys={"top": "id", "mid": "id"})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(st.integers(0, 9), max_size=12), references=NAMES, text=st.booleans())
def test_owners(keys: list[int], references: list[int | None], text: bool) -> None:  # noqa: FBT001
    """The first row with the key owns a reference; nobody owns a null or a key that is not there; types may differ."""
    expected = [keys.index(r) if r in keys else -1 for r in references]
    held = pa.chunked_array([pa.array(keys, pa.int64())])
    asked = pa.chunked_array([pa.array(references[:5], pa.int64()), pa.array(references[5:], pa.int64())])
    if text:
        held = held.cast(pa.large_string())
    assert owners(asked, held).tolist() == expected


def test_real_rows_own_across_sides() -> None:
    """Held-out rows may belong to training rows and the other way round; their own side comes first."""
    train = chain([1, 2, 3, 4, 5, 6], [1, 1, 9], [0, 5])
    holdout = chain([7, 8, 9, 10], [7, 1], [5, 2], first=5)
    folk = real_folk(train, holdout, Context())
    mid, low = links_of(train.schema)
    assert folk.owner[mid].tolist() == [0, 4, 4, 4, 2]  # 7; 1 of training; 1, 1; 9 of the held-out
    assert folk.owner[low].tolist() == [0, 4, 2, 0]
    assert folk.homes == {"mid": mid, "low": low}
    assert [folk.held[t] for t in ("top", "mid", "low")] == [4, 2, 2]
    assert not folk.shared


def test_families_follow_their_tops() -> None:
    """Rows are in family, group and side of the row that they belong to, up to one that belongs to nobody."""
    rng = np.random.default_rng(1)
    data = chain(list(range(50)), rng.integers(0, 50, 200).tolist(), rng.integers(0, 200, 500).tolist())
    folk = real_folk(data, None, Context(seed=3))
    mid, low = links_of(data.schema)
    for kept in (folk.family, folk.group, folk.side):
        assert (kept["mid"] == kept["top"][folk.owner[mid]]).all()
        assert (kept["low"] == kept["mid"][folk.owner[low]]).all()
    assert len(np.unique(folk.family["low"])) <= 50
    assert sorted(np.bincount(folk.side["top"])) == [25, 25]
    assert np.bincount(folk.group["top"], minlength=GROUPS).max() <= 4


def test_shared_tables_are_known() -> None:
    """A table of which both sides have the same rows is shared; one whose keys alone are the same is not."""
    one, two = chain([1, 2, 3, 4], [1, 2, 3], [0]), chain([1, 2, 3, 4], [4, 4, 4], [1])
    other = two.with_columns("top", {"size": pa.array([9, 8, 7, 6])})
    assert {k.about for k in real_folk(one, two, Context()).shared} == {"mid.top"}
    assert not real_folk(one, other, Context()).shared
    without = two.filter("top", np.zeros(4, dtype=bool))  # held-out rows refer to a table that only training has
    assert {k.about for k in real_folk(one, without, Context()).shared} == {"mid.top"}


@pytest.mark.parametrize(("families", "expected"), [([1, 2, 3, 4], 4.0), ([1, 1, 1, 1], 1.0), ([1, 1, 2, 3], 16 / 6)])
def test_effective_families(families: list[int], expected: float) -> None:
    """As many as there are where they are of one size, fewer where one is large."""
    assert effective(np.array(families)) == pytest.approx(expected)


def three(rows: int = 400, children: int = 1_200) -> Case:
    """Return three samples of parents and children."""
    rng = np.random.default_rng(5)
    made = [toys.dataset({
        "top": {"id": key(np.arange(n) + 10_000 * i), "size": (SIZE, rng.integers(0, 9, n))},
        "low": {"top": link("top.id", rng.integers(0, n, m) + 10_000 * i), "size": (SIZE, rng.integers(0, 9, m))},
    }, keys={"top": "id"}) for i, (n, m) in enumerate(((rows, children), (rows // 4, children // 4),
                                                       (rows, children)))]  # fmt: skip
    return Case(made[0], made[1], made[2])


def test_draws_are_bounded_and_even() -> None:
    """So many rows of each sample, as many synthetic ones as of the second; children come with all their siblings."""
    (kin,) = related(three(), Context()).kindred
    above = parents_drawn(kin, 150, Context())
    assert [len(r) for r in above.rows] == [100, 150, 150]
    assert above.note == "measured on a random sample: 150 of 400 synthetic rows, 150 of 400 training rows"
    below = children_drawn(kin, 250, Context())
    assert below is not None
    assert [len(r) for r in below.rows] == [250, 250, 250]
    for brood, rows in zip(kin.broods, below.rows, strict=True):
        drawn = np.bincount(brood.owner[rows], minlength=len(brood.parents))
        assert ((drawn == 0) | (drawn == brood.counts)).sum() >= len(drawn) - 1  # the last one may be cut
    both = siblings(kin, below, Context())
    assert both is not None
    for brood, left, right in zip(kin.broods, both[0].rows, both[1].rows, strict=True):
        assert (brood.owner[left] == brood.owner[right]).all()
        assert len(np.unique(np.concatenate([left, right]))) == 2 * len(left)


def test_exchanges_weigh_samples_alike() -> None:
    """Half of what counts in an exchange is of each sample, whatever the size of its groups."""
    (kin,) = related(three(), Context()).kindred
    drawn = children_drawn(kin, 10_000, Context())
    assert drawn is not None
    sizes = np.bincount(drawn.replicas.other, minlength=2 * GROUPS)
    weights = drawn.replicas.chosen[-2 * EXCHANGES :] * sizes
    mine, theirs = weights[:, :GROUPS].sum(axis=1), weights[:, GROUPS:].sum(axis=1)
    assert mine == pytest.approx(theirs, rel=1e-9)


def test_few_families_widen_chance() -> None:
    """Where rows are of few families, chance is wider than normal; where of many, it is not."""
    (kin,) = related(three(), Context()).kindred
    assert parents_drawn(kin, 400, Context()).factor == pytest.approx(1.0)
    (few,) = related(three(8, 1_200), Context()).kindred
    assert parents_drawn(few, 400, Context()).factor > 1.2


def test_numbers_asked_for_are_no_fault() -> None:
    """Where other numbers of rows were asked for, all samples have as many children on average, and it is said."""
    case = three()
    (kin,) = related(case._replace(asked={"top": 100, "low": 900}), Context()).kindred
    assert "asked for" in kin.note
    means = [len(b.children) / len(b.parents) for b in kin.broods]
    assert max(means) - min(means) < 0.02
    (same,) = related(case._replace(asked={"top": 800, "low": 2_400}), Context()).kindred
    assert not same.note


def test_notes_in_short() -> None:
    """Of many notes the first are told."""
    assert in_short([]) == ""
    assert in_short(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"
