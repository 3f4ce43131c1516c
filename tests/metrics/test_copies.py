"""Copies of every kind are refused, and a second real sample is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ORDERED, Field, Kind, Rule
from synthwright.core.values import from_numbers, numbers
from synthwright.kit.measuring.neighbours import nearest, points
from synthwright.metrics import near_copies, rare_copies
from synthwright.metrics.dcr_share import DcrShare
from synthwright.metrics.exact_copies import ExactCopies
from synthwright.metrics.near_copies import NearCopies
from synthwright.metrics.rare_copies import RareCopies
from synthwright.testing import toys

METRICS = (ExactCopies(), NearCopies(), RareCopies())
ROWS = 1_600
FEW = 40


@pytest.fixture(scope="module")
def people(checkout: Path) -> Case:
    """Return training, held-out and synthetic rows of people, the last being a second real sample."""
    table = pq.read_table(checkout / "examples" / "adult" / "adult.parquet").slice(0, 2 * ROWS + 800)
    data = Dataset.of({"people": table})
    order = Context(seed=3).rng.permutation(table.num_rows)
    parts = np.split(order, [ROWS, ROWS + 800])
    train, holdout, synthetic = (data.take("people", np.sort(rows)) for rows in parts)
    return Case(train, holdout, synthetic)


def real(case: Case) -> pa.Table:
    """Return the training rows."""
    assert case.train is not None
    return next(iter(case.train.tables.values()))


def copied(case: Case, rows: pa.Table) -> Case:
    """Return the case with so many synthetic rows in the place of the last ones."""
    ((name, held),) = case.synthetic.tables.items()
    joined = pa.concat_tables([held.slice(0, held.num_rows - rows.num_rows), rows]).combine_chunks()
    return case._replace(synthetic=Dataset(case.schema, {name: joined}))


def some(case: Case, rows: int, seed: int = 1) -> pa.Table:
    """Return random training rows."""
    return real(case).take(pa.array(Context(seed=seed).rng.choice(real(case).num_rows, rows, replace=False)))


def isolated(case: Case, rows: int = FEW) -> pa.Table:
    """Return the training rows that are farthest from all others."""
    (name,) = case.schema.tables
    (held,) = points([real(case)], case.schema.tables[name].fields, among=(0,))
    return real(case).take(pa.array(np.argsort(-nearest(held, held, 2)[0][:, 1], kind="stable")[:rows]))


def noisy(case: Case, rows: pa.Table, deviations: float = 0.02) -> pa.Table:
    """Return rows with noise on all their numbers."""
    ((_, spec),) = case.schema.tables.items()
    rng, out = Context(seed=2).rng, {}
    for column in rows.column_names:
        values, field = rows.column(column), spec.fields[column]
        if field.kind in ORDERED:
            spread = float(np.nanstd(numbers(real(case).column(column)))) * deviations
            moved = numbers(values) + rng.normal(0, spread, len(values))
            out[column] = from_numbers(moved, None, field)
        else:
            out[column] = values
    return pa.table(out)


def changed(case: Case, rows: pa.Table) -> pa.Table:
    """Return rows in each of which one column has the value of another row."""
    rng = Context(seed=4).rng
    which = rng.integers(0, rows.num_columns, rows.num_rows)
    other = real(case).take(pa.array(rng.integers(0, real(case).num_rows, rows.num_rows)))
    columns = {}
    for i, name in enumerate(rows.column_names):
        there, here = other.column(name).combine_chunks(), rows.column(name).combine_chunks()
        columns[name] = pa.compute.if_else(pa.array(which == i), there, here)
    return pa.table(columns)


def whole(metric: Metric, case: Case, seed: int = 0) -> Score:
    """Return the score about the whole."""
    return next(s for s in metric.measure(case, Context(seed=seed)) if not s.about)


def refused(metric: Metric, case: Case) -> bool:
    """Return whether a score is beyond its reference and chance."""
    score = whole(metric, case)
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.value > score.reference + score.chance


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
@pytest.mark.parametrize("held", [True, False])
def test_second_real_sample_passes(people: Case, metric: Metric, held: bool) -> None:  # noqa: FBT001
    """A second real sample is within chance of its reference, with held-out rows and without."""
    assert not refused(metric, people if held else people._replace(holdout=None))


def test_one_copy_in_a_hundred(people: Case) -> None:
    """Sixteen exact copies among 1,600 rows are more than nature makes, though only 800 rows are held out."""
    attacked = copied(people, some(people, ROWS // 100))
    assert refused(ExactCopies(), attacked)
    assert refused(ExactCopies(), attacked._replace(holdout=None, synthetic=copied(people, some(people, 30)).synthetic))


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_one_copy_in_twenty(people: Case, metric: Metric) -> None:
    """Where one row in twenty is a copy, every measure refuses."""
    assert refused(metric, copied(people, some(people, ROWS // 20)))


@pytest.mark.parametrize("metric", [NearCopies(), RareCopies()], ids=lambda m: m.name)
@pytest.mark.parametrize(
    "attack",
    [lambda c: noisy(c, some(c, ROWS)), lambda c: noisy(c, some(c, ROWS // 20)), isolated,
     lambda c: changed(c, isolated(c)), lambda c: changed(c, some(c, ROWS // 20))],
    ids=["all with noise", "one in twenty with noise", "isolated", "isolated, one value changed", "one value changed"],
)  # fmt: skip
def test_disguised_copies(people: Case, metric: Metric, attack: Callable[[Case], pa.Table]) -> None:
    """Noise, or a changed value, does not hide copies, nor that few people are copied who stand apart."""
    assert refused(metric, copied(people, attack(people)))


@pytest.mark.parametrize("metric", [NearCopies(), RareCopies()], ids=lambda m: m.name)
def test_disguised_copies_without_held_out_rows(people: Case, metric: Metric) -> None:
    """Training rows that are left out tell what is natural, where no others do."""
    attacked = copied(people, noisy(people, some(people, ROWS // 10)))._replace(holdout=None)
    assert refused(metric, attacked)
    assert (whole(metric, attacked).reference or 0) <= max(near_copies.LEVELS)


@pytest.mark.parametrize("columns", [("age", "hours_per_week", "education", "sex"), ("age", "fnlwgt")])
def test_few_columns(people: Case, columns: tuple[str, ...]) -> None:
    """In few columns, on lattices and off, copies with noise of every row are seen, and natural repeats are not."""
    spec = people.schema.tables["people"]
    fields = {c: spec.fields[c] for c in columns}
    schema = people.schema.model_copy(update={"tables": {"people": spec.model_copy(update={"fields": fields})}})
    sides = [d for d in (people.train, people.holdout, people.synthetic) if d is not None]
    train, holdout, synthetic = (Dataset(schema, {"people": d.tables["people"].select(columns)}) for d in sides)
    few = Case(train, holdout, synthetic)
    assert not any(refused(m, few) for m in METRICS)
    assert refused(NearCopies(), copied(few, noisy(few, some(few, ROWS))))


def moved(case: Case, rows: pa.Table, deviations: float, columns: tuple[str, ...] = ()) -> pa.Table:
    """Return rows with the same shift in each row, in some numbers or all."""
    spec = case.schema.tables["people"]
    for i, column in enumerate(rows.column_names):
        if spec.fields[column].kind in ORDERED and (not columns or column in columns):
            by = round(deviations * float(np.nanstd(numbers(real(case).column(column)))))
            shifted = from_numbers(numbers(rows.column(column)) + by, None, spec.fields[column])
            rows = rows.set_column(i, column, shifted)
    return rows


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("deviations", [0.5, -3.0])
def test_copies_that_moved_alike(people: Case, deviations: float, held: bool) -> None:  # noqa: FBT001
    """Copies whose numbers are all shifted alike, however far, are told, and that it is by their shift."""
    attacked = copied(people, moved(people, some(people, ROWS // 10), deviations))
    score = whole(NearCopies(), attacked if held else attacked._replace(holdout=None))
    assert refused(NearCopies(), attacked if held else attacked._replace(holdout=None))
    assert "after the same shift" in str(score.problem)
    assert score.value == pytest.approx(0.1 if held else 0.05, abs=0.035)


def test_copies_that_moved_alike_with_other_labels(people: Case) -> None:
    """Shifted copies are told by their numbers alone, where a label of each is another's."""
    rows = moved(people, some(people, ROWS // 10), 0.5)
    other = some(people, ROWS // 10, seed=9)
    for column in ("occupation", "education"):
        rows = rows.set_column(rows.column_names.index(column), column, other.column(column))
    assert refused(NearCopies(), copied(people, rows))


def test_copies_but_for_what_tells_most(people: Case) -> None:
    """Copies without the one number that tells people apart are told by all the others together."""
    rows = some(people, ROWS // 10)
    other = some(people, ROWS // 10, seed=9)
    rows = rows.set_column(rows.column_names.index("fnlwgt"), "fnlwgt", other.column("fnlwgt"))
    score = whole(NearCopies(), copied(people, rows))
    assert refused(NearCopies(), copied(people, rows))
    assert "in all columns but a few" in str(score.problem)


def test_far_rows_are_no_copies(people: Case) -> None:
    """Noise of half a deviation leaves no copies to speak of."""
    score = whole(NearCopies(), copied(people, noisy(people, some(people, ROWS // 20), 0.5)))
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    assert score.value <= score.reference + score.chance


def test_repeats_are_natural() -> None:
    """What repeats in real rows may repeat as often; a little more is chance, and every row more is not."""
    rng = Context(seed=5).rng

    def drawn(rows: int) -> Dataset:
        values = {c: (Field(kind=Kind.INTEGER), rng.integers(0, 40, rows)) for c in ("a", "b")}
        return toys.dataset({"t": values})

    case = Case(drawn(1_000), drawn(500), drawn(1_000))
    score = whole(ExactCopies(), case)
    assert score.reference == pytest.approx(1 - np.exp(-1_000 / 1_600), abs=0.03)
    assert score.chance is not None
    assert 0.03 < score.chance < 0.12
    assert not any(refused(m, case) for m in METRICS)
    assert case.train is not None
    assert refused(ExactCopies(), case._replace(synthetic=case.train))


def test_rows_of_one_person_are_no_repeats() -> None:
    """Where training rows come in twos, but held-out rows equal none of them, copies are not taken for natural."""
    rng = Context(seed=6).rng
    fields = {c: (Field(kind=Kind.NUMBER), rng.normal(size=3_000)) for c in "abc"}
    data = toys.dataset({"t": fields})
    twice = data.take("t", np.repeat(np.arange(500), 2))
    case = Case(twice, data.take("t", np.arange(1_000, 1_800)), data.take("t", np.arange(2_000, 3_000)))
    assert whole(ExactCopies(), case).reference == 0
    for metric in METRICS:
        assert not refused(metric, case)
    for metric in (ExactCopies(), NearCopies()):
        assert refused(metric, copied(case, twice.tables["t"].slice(0, 100)))


def test_only_produced_columns_count(people: Case) -> None:
    """Columns that were kept make no copies."""
    made = tuple(f"people.{c}" for c in ("fnlwgt", "age"))
    kept = {c: real(people).column(c) for c in real(people).column_names if c not in ("fnlwgt", "age")}
    partial = people._replace(synthetic=people.synthetic.with_columns("people", kept), produced=made)
    for metric in (NearCopies(), RareCopies()):
        assert refused(metric, partial._replace(produced=()))
        assert not refused(metric, partial)


def test_larger_tables_are_sampled(people: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not looked at is said, with the copies that would not be seen; those who stand apart are looked at."""
    monkeypatch.setattr(near_copies, "_WORK", 15 * ROWS * 1_000)
    monkeypatch.setattr(rare_copies, "_WORK", 15 * 4 * ROWS * 100)
    near = whole(NearCopies(), people)
    assert "measured on 500 random synthetic rows and 1,600 training rows: copies of less than" in str(near.problem)
    assert refused(NearCopies(), copied(people, noisy(people, some(people, ROWS))))
    rare = whole(RareCopies(), people)
    assert "measured on the 200 of 1,600 training rows that stand farthest apart" in str(rare.problem)
    assert refused(RareCopies(), copied(people, changed(people, isolated(people))))
    monkeypatch.setattr(near_copies, "_MOST_TRAIN", 800)
    assert "800 training rows" in str(whole(NearCopies(), people).problem)


def test_nearness_has_a_chance(second: Case) -> None:
    """Nearness to the training rows has the chance of random signs: a second real sample stays within it."""
    score = whole(DcrShare(), second)
    assert score.chance is not None
    assert 0.02 < score.chance < 0.15
    assert abs((score.value or 0) - 0.5) < score.chance
    assert second.train is not None
    assert refused(DcrShare(), second._replace(synthetic=second.train))


def test_a_panel_has_every_combination() -> None:
    """Who makes a panel anew meets the shops and weeks of training rows; copies of the rest are still seen."""
    rng = np.random.default_rng(4)
    shop, week = (a.ravel() for a in np.meshgrid(np.arange(30), np.arange(60)))
    kinds = {"shop": Field(kind=Kind.CATEGORY), "week": Field(kind=Kind.INTEGER), "sold": Field(kind=Kind.NUMBER)}

    def rows(which: np.ndarray, sold: np.ndarray) -> Dataset:
        names = pa.array([f"shop {s}" for s in shop[which]], pa.large_string())
        columns = [names, week[which], sold]
        return toys.dataset({"t": {n: (f, c) for (n, f), c in zip(kinds.items(), columns, strict=True)}})

    def sales(which: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(rng.normal(shop[which] / 10, 0.3)))

    order = rng.permutation(len(shop))
    train, holdout = rows(order[:1_400], sales(order[:1_400])), rows(order[1_400:], sales(order[1_400:]))
    again = rng.permutation(len(shop))[:1_400]
    unique = (("t", Rule(rule="unique(shop, week)")),)
    fair = Case(train, holdout, rows(again, sales(again)), rules=unique)
    assert refused(NearCopies(), fair._replace(rules=()))
    assert not refused(NearCopies(), fair)
    assert "not by shop, week" in (whole(NearCopies(), fair).problem or "")
    sold = np.concatenate([numbers(train.tables["t"].column("sold"))[:400], sales(again[400:])])
    assert refused(NearCopies(), fair._replace(synthetic=rows(again, sold)))


def test_people_who_are_asked_twice_are_no_panel() -> None:
    """Numbers of people in two waves are unique together and complete, and still tell whose a row is."""
    rng = np.random.default_rng(5)
    numbers_of, wave = rng.choice(9_000_000, 900, replace=False) + 1_000_000, np.tile([1, 2], 900)
    person, height = np.repeat(numbers_of, 2), np.rint(np.repeat(rng.normal(25, 4, 900), 2) + rng.normal(0, 0.5, 1_800))

    def rows(who: np.ndarray, which: np.ndarray, tall: np.ndarray) -> Dataset:
        fields = (Field(kind=Kind.INTEGER), Field(kind=Kind.INTEGER), Field(kind=Kind.NUMBER))
        columns = dict(zip(("person", "wave", "bmi"), zip(fields, (who, which, tall), strict=True), strict=True))
        return toys.dataset({"t": columns})

    train, holdout = (
        rows(person[:1_000], wave[:1_000], height[:1_000]),
        rows(person[1_000:], wave[1_000:], height[1_000:]),
    )
    leaked = person[:1_000].copy()
    leaked[60:] = rng.integers(1_000_000, 10_000_000, 940)
    synthetic = rows(leaked, wave[:1_000], np.append(height[:60], np.rint(rng.normal(25, 4, 940))))
    case = Case(train, holdout, synthetic, rules=(("t", Rule(rule="unique(person, wave)")),))
    assert refused(NearCopies(), case)
