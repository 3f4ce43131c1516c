"""References lead somewhere, as often to each parent as was asked, and what makes no sense is told beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from scipy.stats import chisquare, kstest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ROW, Schema
from synthwright.generators.reference import Reference
from synthwright.kit.measuring import pairs
from synthwright.kit.sampling.degrees import Lots, law_weights
from synthwright.kit.sampling.dice import secret
from synthwright.steps import generate

LEVEL = 1e-6
"""The false-alarm rate of each test of shares; seeds are fixed."""
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "shop": {"key": "id", "fields": {"id": KEY, "size": {"kind": "number"}}},
    "sale": {"fields": {"shop": {"kind": "reference", "to": "shop.id", "type": "int64"},
                        "back": {"kind": "reference", "to": "shop.id", "type": "int64"}}},
    "staff": {"key": "id", "fields": {"id": KEY, "boss": {"kind": "reference", "to": "staff.id", "type": "int64"}}},
}})  # fmt: skip


def drawn(rows: int, many: int = 20, *, seed: int = 0, first: int = 0, **how: Any) -> np.ndarray:
    """Return which shop each sale points to, by its place among the shops, -1 where it leads nowhere."""
    keys = 1000 - 7 * np.arange(many)
    begun = Dataset.blank(SCHEMA, {"sale": rows}, {"sale": first})
    shops = pa.table({"id": pa.array(keys), "size": pa.array(np.arange(many, dtype=np.float64))})
    given = Dataset(SCHEMA, {**begun.tables, "shop": shops})
    part = Part(("sale.shop",), ("shop.size",))
    model = Reference.model_validate(how).fit(Dataset.empty(SCHEMA), part, Context(seed=seed))
    made = model.sample(given, Context(seed=seed).at("shard", first)).data.tables["sale"]
    assert ROW in made.column_names
    places: Mapping[int, int] = {int(k): i for i, k in enumerate(keys)}
    return np.array([places.get(k, -1) for k in made.column("shop").to_pylist()])


def test_uniform() -> None:
    """Every parent is pointed to alike often, and nothing leads nowhere."""
    counts = np.bincount(drawn(40_000), minlength=20)
    assert counts.sum() == 40_000
    assert chisquare(counts).pvalue > LEVEL


def test_zipf_gives_ranks_their_shares_and_deals_ranks_once_for_a_run() -> None:
    """The counts in falling order are the harmonic shares, and another shard has the same favourites."""
    one, two = drawn(40_000, degrees="zipf", exponent=1.2), drawn(40_000, first=65_536, degrees="zipf", exponent=1.2)
    weights = np.arange(1, 21) ** -1.2
    counts = np.bincount(one, minlength=20)
    order = np.argsort(-np.bincount(np.concatenate([one, two]), minlength=20))
    assert chisquare(counts[order], weights / weights.sum() * 40_000).pvalue > LEVEL
    assert not (one == two).all()
    assert order[0] == np.argmax(counts)
    other = np.bincount(drawn(40_000, seed=1, degrees="zipf", exponent=1.2), minlength=20)
    assert not (np.argsort(-other) == order).all()


def test_weight_is_a_formula_of_the_parents() -> None:
    """A parent of weight 0 has no child, the others as many as their weights say."""
    counts = np.bincount(drawn(40_000, weight="size * 2"), minlength=20)
    assert counts[0] == 0
    assert chisquare(counts[1:], np.arange(1, 20) / 190 * 40_000).pvalue > LEVEL


def test_once_is_a_permutation_over_shards() -> None:
    """Two shards together point to every parent once; one row more is refused."""
    both = np.concatenate([drawn(12, degrees="once"), drawn(8, first=12, degrees="once")])
    assert sorted(both) == list(range(20))
    assert both.tolist() != list(range(20))
    with pytest.raises(SampleError, match=r"once|a row of 'shop' for each row"):
        drawn(9, first=12, degrees="once")


def test_what_makes_no_sense_is_told() -> None:
    """No parents, no weight above 0, a weight where none is asked, a path that leads nowhere, the own table."""
    with pytest.raises(SampleError, match="rows of 'shop' to point to"):
        drawn(5, many=0)
    with pytest.raises(SampleError, match="a weight above 0"):
        drawn(5, weight="0 - size")
    with pytest.raises(ValidationError, match="not both"):
        Reference(weight=2.0, degrees="zipf")
    wrong = Reference(weight="sise").misused(SCHEMA, "sale", ("shop",))
    assert wrong[0][0] == ("weight",)
    assert "did you mean 'size'" in wrong[0][1]
    assert (
        "its own table, whose rows are not there yet: use `tree`"
        in Reference().misused(SCHEMA, "staff", ("boss",))[0][1]
    )
    assert Reference(weight="size").looks_at(SCHEMA, "sale") == ("shop.size",)


def test_look_up_table_finds_what_bisection_finds() -> None:
    """Whatever the weights: even, steep, some of them 0, a single one, more than there are slots for."""
    rng = np.random.default_rng(3)
    for weights in (np.ones(1), np.array([0, 0, 1.0, 0]), rng.random(999) * (rng.random(999) < 0.3),
                    np.arange(1, 300) ** -8.0, rng.lognormal(0, 3, 300_000)):  # fmt: skip
        ends, lots = np.cumsum(weights), Lots(weights)
        points = np.concatenate([rng.random(20_000) * lots.total, ends[:-1][ends[:-1] < lots.total], [0.0]])
        assert (lots.at(points) == np.searchsorted(ends, points, side="right")).all()
        assert weights[lots.at(np.array([lots.total]))] > 0


def test_preferential_with_exponent_0_is_an_urn() -> None:
    """Of two parents one gets any number of rows from none to all alike often, as in Pólya's urn."""
    found = [np.count_nonzero(drawn(9, 2, seed=s, degrees="preferential", exponent=0) == 0) for s in range(500)]
    assert chisquare(np.bincount(found, minlength=10)).pvalue > LEVEL
    even = [np.count_nonzero(drawn(9, 2, seed=s) == 0) for s in range(500)]
    assert chisquare(np.bincount(even, minlength=10)).pvalue < LEVEL


def test_preferential_deals_weights_once_for_a_run() -> None:
    """Weights have the law that is said, with its heavy tail, and rows of every shard are drawn by them."""
    weights = law_weights("preferential", 400_000, 0.5, 12)
    assert kstest(weights, lambda w: 1 - 2 * (1 - np.exp(-w) * (1 + w)) / w**2).pvalue > LEVEL
    assert kstest(weights, lambda w: 1 - np.exp(-w)).pvalue < LEVEL
    dealt = law_weights("preferential", 20, 0.5, secret("preferential", 0, "sale", "shop"))
    for first in (0, 65_536):
        counts = np.bincount(drawn(40_000, first=first, degrees="preferential"), minlength=20)
        assert chisquare(counts, dealt / dealt.sum() * 40_000).pvalue > LEVEL


SCHOOL = Schema.model_validate({"tables": {
    "course": {"key": "id", "fields": {"id": KEY, "size": {"kind": "number"}, "town": {"kind": "category"},
                                       "year": {"kind": "integer"}}},
    "student": {"key": "id", "fields": {"id": KEY, "town": {"kind": "category"}}},
    "place": {"fields": {"student": {"kind": "reference", "to": "student.id", "type": "int64"},
                         "course": {"kind": "reference", "to": "course.id", "type": "int64"},
                         "other": {"kind": "reference", "to": "course.id", "type": "int64"},
                         "full": {"kind": "reference", "to": "course.id", "type": "int64", "nulls": False},
                         "year": {"kind": "integer"}, "town": {"kind": "category"}}},
}})  # fmt: skip
TOWNS = np.array(["Ulm", "Bonn", "Kiel"])


def placed(students: np.ndarray, courses: int = 12, *, column: str = "course", seed: int = 0, **how: Any) -> pa.Table:
    """Return places of students (by number; -1: of nobody) in courses, of a town and a year each, with their course."""
    rows, at, who = len(students), np.arange(courses), np.arange(50)
    begun = Dataset.blank(SCHOOL, {"place": rows}).with_columns(
        "place",
        {
            "student": pa.array(students, mask=students < 0),
            "other": pa.array(np.arange(rows) % courses),
            "year": pa.array(1 + np.arange(rows) % 2),
            "town": pa.array(TOWNS[np.arange(rows) % 3], pa.large_string()),
        },
    )
    tables = {"course": pa.table({"id": pa.array(at), "size": pa.array(at + 1.0), "year": pa.array(1 + at // 3 % 2),
                                  "town": pa.array(TOWNS[at % 3], pa.large_string(), mask=at == 11)}),
              "student": pa.table({"id": pa.array(who),
                                   "town": pa.array(TOWNS[who % 3], pa.large_string(), mask=who == 9)})}  # fmt: skip
    rule = Reference.model_validate(how)
    assert rule.misused(SCHOOL, "place", (column,)) == []
    model = rule.fit(Dataset.empty(SCHOOL), Part((f"place.{column}",)), Context(seed=seed))
    return model.sample(Dataset(SCHOOL, {**begun.tables, **tables}), Context(seed=seed).at("s")).data.tables["place"]


def test_where_leaves_parents_out() -> None:
    """Only parents for which a condition holds are pointed to, alike often, by rank, by weight, or once."""
    for how in ({}, {"degrees": "zipf", "exponent": 0}, {"weight": "2"}):
        counts = np.bincount(placed(np.zeros(9_000, int), where="size > 8 and town != 'Ulm'", **how)["course"])
        assert list(np.flatnonzero(counts)) == [8, 10]
        assert chisquare(counts[[8, 10]]).pvalue > LEVEL
    once = placed(np.zeros(3, int), where="town == 'Kiel'", degrees="once")["course"].to_pylist()
    assert sorted(once) == [2, 5, 8]
    with pytest.raises(SampleError, match="rows of 'course' where `size > 99` holds"):
        placed(np.zeros(3, int), where="size > 99")


def test_match_makes_parents_agree_with_their_rows() -> None:
    """In one column and in several, through references; in each group by weight; who has no value gets none."""
    students = np.arange(6_000) % 50
    held = placed(students, match={"town": "student.town"}, weight="size")
    for student, course in zip(students.tolist(), held["course"].to_pylist(), strict=True):
        assert (course is None) == (student == 9)
        assert course is None or course % 3 == student % 3
    kiel = np.bincount(held["course"].filter(pa.array((students % 3 == 2) & (students != 9))), minlength=9)[[2, 5, 8]]
    assert chisquare(kiel, np.array([3, 6, 9]) / 18 * kiel.sum()).pvalue > LEVEL
    two = placed(students, column="full", match={"year": "year", "town": "town"})
    assert all(1 + c // 3 % 2 == y and TOWNS[c % 3] == t and c != 11
               for c, y, t in zip(*(two[n].to_pylist() for n in ("full", "year", "town")), strict=True))  # fmt: skip
    with pytest.raises(SampleError, match=r"`town` equal to `student.town`, got none for 120 rows"):
        placed(students, column="full", match={"town": "student.town"})
    with pytest.raises(SampleError, match="none for 2,000 rows"):
        placed(students, 4, match={"town": "town", "year": "year"})  # two of six pairs have no course
    with pytest.raises(SampleError, match="none for 4,000 rows"):
        placed(students, match={"town": "town"}, where="town == 'Ulm'")


@pytest.mark.parametrize("rounds", [0, 12])
def test_pairs_do_not_come_twice_and_have_the_law_of_drawing_one_by_one(
    rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By drawing again, and as a race: which two of four courses a student gets, in proportion to their sizes."""
    monkeypatch.setattr(pairs, "_ROUNDS", rounds)
    students = np.random.default_rng(1).permutation(np.repeat(np.arange(20_000), 2))
    courses = np.empty((20_000, 2), int)
    order = np.argsort(students, kind="stable")
    courses[:] = placed(students, 4, distinct_per="student", weight="size")["course"].to_numpy()[order].reshape(-1, 2)
    courses.sort(axis=1)
    assert (courses[:, 0] < courses[:, 1]).all()
    counts = np.bincount(courses[:, 0] * 4 + courses[:, 1], minlength=16)
    shares = np.zeros(16)
    for i in range(4):
        for j in set(range(4)) - {i}:
            shares[min(i, j) * 4 + max(i, j)] += (i + 1) / 10 * (j + 1) / (9 - i)
    assert chisquare(counts[shares > 0], shares[shares > 0] * 20_000).pvalue > LEVEL


def test_owners_may_get_every_parent_there_is() -> None:
    """All of a group, few of it however steep the law, and not one more than there are; rows of nobody are free."""
    students = np.concatenate([np.repeat(np.arange(40), 12), np.full(60, -1)])
    held = np.asarray(placed(students, distinct_per="student", degrees="zipf", exponent=9)["course"])
    assert all(sorted(held[students == s]) == list(range(12)) for s in range(40))
    assert len(set(held[students < 0])) < 12
    twice = np.repeat(np.arange(40) % 50, 8)
    matched = placed(twice, 48, distinct_per="student", match={"town": "town"}, degrees="zipf", exponent=4)
    both = list(zip(twice.tolist(), matched["course"].to_pylist(), strict=True))
    assert len(set(both)) == len(both)
    assert all(TOWNS[c % 3] == t for (_, c), t in zip(both, matched["town"].to_pylist(), strict=True))
    with pytest.raises(SampleError, match="too few for 13 rows"):
        placed(np.append(students, np.zeros(1, int)), distinct_per="student")


def test_other_than_points_elsewhere() -> None:
    """Never to what the other reference points to, else as before; together with pairs that differ, too."""
    held = placed(np.zeros(24_000, int), other_than="other")
    course, other = (np.asarray(held[c]) for c in ("course", "other"))
    assert (course != other).all()
    assert chisquare(np.bincount(course[other == 3], minlength=12)[np.arange(12) != 3]).pvalue > LEVEL
    rows = np.repeat(np.arange(40), 6)
    held = placed(rows, 17, distinct_per="student", other_than="other", where="size > 5")
    both = set(zip(rows.tolist(), held["course"].to_pylist(), strict=True))
    assert len(both) == 240
    assert min(c for _, c in both) == 5
    assert not both & set(zip(rows.tolist(), held["other"].to_pylist(), strict=True))
    with pytest.raises(SampleError, match="too few for 1 rows"):
        placed(np.zeros(1, int), 1, other_than="other")


@pytest.mark.parametrize(("how", "place", "said"), [
    ({"where": "sise > 1"}, "where", "did you mean 'size'"),
    ({"where": "size + 1"}, "where", "it gives a number"),
    ({"where": "count(place by course) > 3"}, "where", "sums up rows of another table: make a column of it"),
    ({"weight": "town"}, "weight", "wanted a number"),
    ({"exponent": 1}, "exponent", "it goes with `degrees: zipf`"),
    ({"match": {"twon": "town"}}, "match.twon", "did you mean 'town'"),
    ({"match": {"town": "student.twon"}}, "match.town", "did you mean 'town'"),
    ({"match": {"town": "year"}}, "match.town", "`course.town` holds large_string, 'year' holds int64"),
    ({"distinct_per": "studnet"}, "distinct_per", "did you mean 'student'"),
    ({"distinct_per": "course"}, "distinct_per", "makes itself"),
    ({"other_than": "student"}, "other_than", "points elsewhere than 'course'"),
])  # fmt: skip
def test_misused_parameters_are_told_with_their_places(how: dict[str, Any], place: str, said: str) -> None:
    """Before anything runs."""
    found = Reference.model_validate(how).misused(SCHOOL, "place", ("course",))
    assert [(".".join(map(str, p)), said in s) for p, s in found] == [(place, True)], found
    with pytest.raises(ValidationError, match="does not go with 'match'"):
        Reference(degrees="once", match={"town": "town"})


LINKS = """
synthwright: 1
name: school
schema:
  tables:
    course: {key: id, fields: {id: {kind: key, type: int64, nulls: false}}}
    student: {key: id, fields: {id: {kind: key, type: int64, nulls: false}}}
    place:
      rules: ["unique(student, course)"]
      fields:
        student: {kind: reference, to: student.id, type: int64, nulls: false}
        course: {kind: reference, to: course.id, type: int64, nulls: false}
start: {rows: {course: 9, student: 100, place: 600}}
parts:
  - {make: [course.id, student.id], use: counter}
  - {make: [place.student], use: reference}
  - {make: [place.course], use: reference, with: {distinct_per: student, degrees: SOME}}
curate: []
evaluate: {metrics: [integrity]}
"""


def test_a_link_table_holds_each_pair_once_over_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the rows of an owner stand."""
    monkeypatch.setattr(generate, "RULED", 50)
    (tmp_path / "school.yaml").write_text(LINKS.replace("SOME", "uniform").replace("course: 9", "course: 30"))
    report = sw.run(tmp_path / "school.yaml", tmp_path / "out")
    assert report.passed, report.summary
    held = pq.read_table(tmp_path / "out" / "data" / "place")
    assert len(set(zip(held["student"].to_pylist(), held["course"].to_pylist(), strict=True))) == 600
