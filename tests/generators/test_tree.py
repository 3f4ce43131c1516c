"""Trees have no circles, as many roots and no more depth than was asked, and the law that was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError, SpecError
from synthwright.core.schema import Schema
from synthwright.generators.tree import Tree
from synthwright.steps import generate

SURE = 4.9
"""Standard deviations that a count strays by chance once in a million tests; seeds are fixed."""
LAWS = ["uniform", "preferential", "balanced", "branching"]
SCHEMA = Schema.model_validate({"tables": {
    "staff": {"key": "id", "fields": {
        "id": {"kind": "key", "type": "int64", "nulls": False}, "code": {"kind": "key", "nulls": False},
        "boss": {"kind": "reference", "to": "staff.id", "type": "int64"},
        "team": {"kind": "reference", "to": "team.id"}, "named": {"kind": "reference", "to": "staff.code"},
        "first": {"kind": "reference", "to": "staff.id", "type": "int64", "nulls": False},
    }},
    "team": {"key": "id", "fields": {"id": {"kind": "key"}}},
}})  # fmt: skip


def grown(rows: int, column: str = "boss", *, seed: int = 0, first: int = 0, **how: Any) -> np.ndarray:
    """Return the place of the row that each row points to, -1 for none; keys count from 7."""
    rule = Tree.model_validate(how)
    assert rule.misused(SCHEMA, "staff", (column,)) == []
    keys = 7 + first + np.arange(rows)
    given = Dataset.blank(SCHEMA, {"staff": rows}, {"staff": first}).with_columns("staff", {
        "id": pa.array(keys), "code": pa.array([f"k{k}" for k in keys], pa.large_string())})  # fmt: skip
    model = rule.fit(Dataset.empty(SCHEMA), Part((f"staff.{column}",), (), "make", "table"), Context(seed=seed))
    held = model.sample(given, Context(seed=seed).at("shard", first)).data.tables["staff"].column(column).to_pylist()
    return np.array([-1 if v is None else int(str(v).removeprefix("k")) - 7 for v in held])


def depths(above: np.ndarray) -> np.ndarray:
    """Return how many references there are from each row up, by walking up from every one."""
    deep = np.zeros(len(above), dtype=int)
    for i, up in enumerate(above):
        deep[i] = 0 if up < 0 else deep[up] + 1
    return deep


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_no_circle_and_exactly_so_many_roots_and_no_more_depth(law: str, seed: int) -> None:
    """Every row points to one before it; roots are counted, the first ones or spread evenly; the depth is kept."""
    for roots, many, where in ((1, 1, range(1)), (13, 13, range(13)), (0.07, 210, None), (1e-6, 1, range(1))):
        for depth in (None, 1, 3):
            above = grown(3_000, law=law, seed=seed, roots=roots, depth=depth)
            assert (above < np.arange(3_000)).all()
            assert np.count_nonzero(above < 0) == many
            assert where is None or list(np.flatnonzero(above < 0)) == list(where)
            deep = depths(above).max()
            assert deep == depth if depth is not None else deep > 3
    assert np.diff(np.flatnonzero(grown(300, law=law, roots=0.1) < 0)).tolist() == [10] * 29


def test_rows_that_would_lie_too_deep_hang_higher() -> None:
    """Every depth is the lesser of what it was and what is allowed, below the same forebears."""
    for law in LAWS:
        free, held = (grown(2_000, law=law, roots=5, depth=d, counted_from=7) for d in (None, 4))
        deep = depths(free)
        assert (depths(held) == np.minimum(deep, 4)).all()
        for i in range(2_000):
            up = free[i]
            while up >= 0 and deep[up] > 3:
                up = free[up]
            assert held[i] == up


@pytest.mark.parametrize(("law", "mean", "variance"), [("uniform", 1 / 2, 1 / 12), ("preferential", 2 / 3, 1 / 9)])
def test_grown_trees_have_as_many_leaves_as_their_law_says(law: str, mean: float, variance: float) -> None:
    """Leaves of random recursive trees (Najock and Heyde 1982), and of plane-oriented ones (Mahmoud et al. 1993)."""
    rows = 20_000
    for seed in range(5):
        above = grown(rows, law=law, seed=seed)
        leaves = rows - len(np.unique(above[above >= 0]))
        assert abs(leaves - mean * rows) < SURE * np.sqrt(variance * rows), (seed, leaves)


def test_later_rows_point_to_any_before_or_to_those_with_children() -> None:
    """The second of three rows after the root, over many seeds: how often each row before it is pointed to."""
    for law, shares in (("uniform", [1 / 2, 1 / 2]), ("preferential", [3 / 4, 1 / 4])):
        found = np.array([grown(3, law=law, seed=seed)[2] for seed in range(600)])
        for row, share in enumerate(shares):
            assert abs(np.count_nonzero(found == row) - 600 * share) < SURE * np.sqrt(600 * share * (1 - share))


def test_balanced_and_branching() -> None:
    """Row by row each gets so many children: exactly, or so many on average."""
    above = grown(1_000, law="balanced", children=3, roots=2)
    assert above[2:].tolist() == [i // 3 for i in range(998)]
    above = grown(40_000, law="branching", children=6)
    many = np.bincount(above[above >= 0])[:-1]
    assert (np.diff(above[1:]) >= 0).all()
    assert many.min() >= 1
    assert abs(many.mean() - 6) < SURE * np.sqrt(5 / len(many))
    assert abs(many.var() / 5 - 1) < SURE * np.sqrt((2 + 1 / 5) / len(many))  # 1 + Poisson with mean 5


@pytest.mark.parametrize("law", LAWS)
def test_counted_keys_need_no_other_rows(law: str) -> None:
    """Shards made one by one are the tree made at once; keys that do not count 1 by 1 are refused."""
    how: dict[str, Any] = {"law": law, "roots": 0.01, "depth": 5, "counted_from": 7, "seed": 3}
    whole = grown(900, **how)
    parts = [grown(400, **how), grown(300, first=400, **how), grown(200, first=700, **how)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert Tree.model_validate({"counted_from": 7}).scope(SCHEMA, "staff", ("boss",)) == "row"
    assert Tree().scope(SCHEMA, "staff", ("boss",)) == "table"
    with pytest.raises(SampleError, match="keys that count 1 by 1 from 8"):
        grown(9, counted_from=8)


def test_keys_of_text_and_roots_that_must_have_a_value() -> None:
    """Any key may be pointed to; a root that cannot be without a reference points to itself."""
    assert grown(500, "named", seed=4)[0] == -1
    above = grown(500, "first", seed=4, roots=3)
    assert np.flatnonzero(above == np.arange(500)).tolist() == [0, 1, 2]
    assert (above >= 0).all()
    assert not np.array_equal(grown(500, seed=5), grown(500, seed=4))


@pytest.mark.parametrize(("column", "how", "place", "said"), [
    ("team", {}, "", "points to another table, 'team': use `reference`"),
    ("boss", {"nulls": 0.1}, "nulls", "say how many by `roots`"),
    ("boss", {"children": 3}, "children", "`uniform` is left to chance"),
    ("boss", {"law": "balanced", "children": 2.5}, "children", "wanted a whole number, got 2.5"),
    ("named", {"counted_from": 1}, "counted_from", "wanted int64"),
])  # fmt: skip
def test_what_makes_no_sense_is_told(column: str, how: dict[str, Any], place: str, said: str) -> None:
    """Each fault with its place among the parameters."""
    found = Tree.model_validate(how).misused(SCHEMA, "staff", (column,))
    assert [(".".join(map(str, p)), said in s) for p, s in found] == [(place, True)]


@pytest.mark.parametrize("how", [{"roots": 0}, {"roots": 2.5}, {"depth": 0}, {"children": 1}, {"law": "oak"}])
def test_impossible_parameters_are_refused(how: dict[str, Any]) -> None:
    """Whatever the columns are."""
    with pytest.raises(ValidationError):
        Tree.model_validate(how)


STAFF = """
synthwright: 1
name: staff
schema:
  tables:
    staff:
      key: id
      fields:
        id: {kind: key, nulls: false}
        boss: {kind: reference, to: staff.id}
start: {rows: {staff: 2000}}
parts:
  - {make: [staff.id], use: uuid}
  - {make: [staff.boss], use: tree, with: {law: branching, children: 7, depth: 4, roots: 2}}
curate: []
evaluate: {metrics: [integrity]}
"""


def test_a_table_longer_than_a_shard_is_one_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are those of the whole table; faults are told with their lines."""
    monkeypatch.setattr(generate, "RULED", 100)
    (tmp_path / "staff.yaml").write_text(STAFF, encoding="utf-8")
    assert sw.run(tmp_path / "staff.yaml", tmp_path / "out").passed
    held = pq.read_table(tmp_path / "out" / "data" / "staff")
    keys, bosses = held["id"].to_pylist(), held["boss"].to_pylist()
    place = {k: i for i, k in enumerate(keys)}
    above = np.array([-1 if b is None else place[b] for b in bosses])
    assert (above < np.arange(2_000)).all()
    assert (above < 0).sum() == 2
    assert depths(above).max() == 4
    (tmp_path / "staff.yaml").write_text(STAFF.replace("roots: 2", "roots: -2"), encoding="utf-8")
    with pytest.raises(SpecError) as told:
        sw.check(tmp_path / "staff.yaml")
    assert [f.line for f in told.value.faults] == [14]
