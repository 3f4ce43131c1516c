"""Copies in disguise are found, and rows that only look alike are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring import displaced
from synthwright.kit.measuring.displaced import Sides, partly, shifted
from synthwright.kit.measuring.natural import Verdict

FIELDS = {
    "a": Field(kind=Kind.NUMBER),
    "b": Field(kind=Kind.INTEGER),
    "c": Field(kind=Kind.NUMBER),
    "d": Field(kind=Kind.CATEGORY),
}


def table(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows of a float, whole numbers with nulls, cents, and labels."""
    whole = pa.array(rng.integers(0, 60, rows), mask=rng.random(rows) < 0.1)
    return pa.table({"a": rng.normal(size=rows), "b": whole, "c": np.round(rng.lognormal(3, 1, rows), 2),
                     "d": rng.choice(list("wxyz"), rows)})  # fmt: skip


def sides(seed: int, rows: tuple[int, int, int] = (600, 600, 300)) -> Sides:
    """Return three samples of one population."""
    rng = np.random.default_rng(seed)
    return Sides(*(table(rng, n) for n in rows))


def copied(given: Sides, rows: int, by: dict[str, float]) -> Sides:
    """Return the sides with shifted training rows in the place of the first rows."""
    some = given.train.slice(0, rows)
    for name, size in by.items():
        moved = pa.compute.add(some[name], pa.scalar(size).cast(some[name].type))
        some = some.set_column(some.column_names.index(name), name, moved)
    return given._replace(mine=pa.concat_tables([some, given.mine.slice(rows)]))


def beyond(verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts against the rows."""
    return [v for v in verdicts if v.counted > v.most]


@pytest.mark.parametrize("by", [{"a": 0.1234567}, {"a": 7.0, "b": 7, "c": 7.0}, {"c": -1.25, "b": 1000}])
def test_one_shift_is_found(by: dict[str, float]) -> None:
    """Rows that were all moved by the same amount are counted, whatever the amount, nulls and labels included."""
    found = beyond(shifted(copied(sides(1), 90, by), FIELDS, np.random.default_rng(0), 1))
    assert max(v.counted / v.rows for v in found) == pytest.approx(0.15, abs=0.04)
    assert all(v.reference < 0.02 for v in found)


def test_other_shifts_are_none() -> None:
    """Rows that were moved each in its own way are not alike."""
    given = copied(sides(1), 90, {"b": 7, "c": 7.0})
    noise = np.random.default_rng(5).normal(size=600)
    given = given._replace(mine=given.mine.set_column(0, "a", pa.array(given.mine["a"].to_numpy() + noise)))
    assert not beyond(shifted(given, FIELDS, np.random.default_rng(0), 1))


def test_all_but_a_few_columns() -> None:
    """Rows that equal a training row but for the number that tells most are counted."""
    given = copied(sides(2), 90, {})
    rest = given._replace(mine=given.mine.set_column(0, "a", sides(9).mine["a"]))
    assert beyond(partly(rest, FIELDS, 1))
    assert not beyond(partly(sides(2), FIELDS, 1))


@pytest.mark.parametrize("rows", [(600, 600, 300), (300, 300, 0), (900, 300, 40)])
def test_honest_rows_pass(rows: tuple[int, int, int]) -> None:
    """A second real sample is never refused, with strangers and without, though numbers and labels repeat."""
    few = {n: FIELDS[n] for n in ("b", "d")}
    for seed in range(12):
        given = sides(seed, rows)
        whole = Sides(*(t.select(list(few)) for t in given))
        assert not beyond(shifted(given, FIELDS, np.random.default_rng(seed), 1) + partly(given, FIELDS, 1))
        assert not beyond(shifted(whole, few, np.random.default_rng(seed), 1) + partly(whole, few, 1))


def test_typical_rows_are_no_copies() -> None:
    """Rows that repeat each other as often as training rows, because they are all typical, copy nobody."""
    rng = np.random.default_rng(3)

    def rows(count: int, spread: int) -> pa.Table:
        return pa.table({n: np.rint(rng.normal(0, spread, count)).astype(int) for n in "abcd"})

    fields = {n: Field(kind=Kind.INTEGER) for n in "abcd"}
    given = Sides(rows(3_000, 3), rows(3_000, 20), rows(1_500, 20))
    assert not beyond(partly(given, fields, 1))
    assert not beyond(shifted(given, fields, rng, 1))
    copies = given.train.slice(0, 300).set_column(0, "a", given.mine["a"].slice(0, 300))
    assert beyond(partly(given._replace(mine=pa.concat_tables([copies, rows(2_700, 20)])), fields, 1))


def test_fewer_pairs_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the pairs is enough where one row in seven is a copy."""
    monkeypatch.setattr(displaced, "PAIRS", 18_000)
    assert beyond(shifted(copied(sides(4), 90, {"a": 0.5, "b": 3}), FIELDS, np.random.default_rng(0), 1))


def test_nothing_to_compare() -> None:
    """Few rows, labels alone and infinities are no error."""
    rng = np.random.default_rng(0)
    assert shifted(sides(1, (5, 600, 300)), FIELDS, rng, 1) == []
    assert partly(sides(1, (0, 600, 300)), FIELDS, 1) == []
    given = sides(1)
    labels = Sides(*(t.select(["d"]) for t in given))
    assert shifted(labels, {"d": FIELDS["d"]}, rng, 1) == []
    assert partly(labels, {"d": FIELDS["d"]}, 1) == []
    odd = given._replace(mine=given.mine.set_column(0, "a", pa.array(np.full(600, np.inf))))
    assert not beyond(shifted(odd, FIELDS, rng, 1))


def test_what_most_real_rows_do_is_no_copy() -> None:
    """In a column of few whole numbers nearly every row equals another after a shift."""
    rng = np.random.default_rng(5)
    age = {"age": Field(kind=Kind.INTEGER)}
    sizes = ((40, 160), (18, 160), (18, 40))
    mine, train, strangers = (pa.table({"age": rng.integers(low, 80, n)}) for low, n in sizes)
    assert shifted(Sides(mine, train, strangers), age, rng, 2) == []
