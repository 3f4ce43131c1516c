"""Evidence that links rows: the fast kernels agree with what the formula says, and who stands apart is found."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.schema import Field, Kind
from synthwright.core.values import numbers
from synthwright.kit.measuring.isolation import Scale, closeness, closest, evidence, itself, lead, standing, surest
from synthwright.kit.measuring.neighbours import nearest, points

FIELDS = {"x": Field(kind=Kind.NUMBER), "n": Field(kind=Kind.INTEGER), "c": Field(kind=Kind.CATEGORY),
          "b": Field(kind=Kind.BOOLEAN)}  # fmt: skip


def drawn(rows: int, seed: int, labels: str = "aaaabbcd") -> pa.Table:
    """Return rows with ties, nulls and labels that are rare."""
    rng = Context(seed=seed).rng
    x, n = rng.normal(size=rows), rng.integers(0, 9, rows)
    c = np.array(list(labels))[rng.integers(0, len(labels), rows)]
    return pa.table({
        "x": pa.array(x, mask=rng.random(rows) < 0.1), "n": pa.array(n, mask=rng.random(rows) < 0.1),
        "c": pa.array(c.tolist(), pa.large_string(), mask=rng.random(rows) < 0.1), "b": rng.random(rows) < 0.3,
    })  # fmt: skip


class Plain:
    """Evidence as the formula has it, column by column and pair by pair."""

    def __init__(self, train: pa.Table) -> None:
        self.values = {c: numbers(train.column(c)) for c in ("x", "n")}
        self.counts = {c: Counter(train.column(c).to_pylist()) for c in FIELDS}
        self.rows = train.num_rows

    def evidence(self, row: dict[str, Any], other: dict[str, Any], *, left_out: bool) -> float:
        """Return the evidence of two rows, of which the first is left out of the training rows or not one of them."""
        total = 0.0
        for name in FIELDS:
            one, two = row[name], other[name]
            if name in self.values and one is not None and two is not None:
                low, high = sorted((one, two))
                agree = int(((self.values[name] >= low) & (self.values[name] <= high)).sum())
            elif one == two:
                agree = self.counts[name][one]
            else:
                continue
            total -= np.log(max(agree - left_out, 1) / self.rows)
        return total


@pytest.mark.parametrize("left_out", [True, False])
def test_evidence_is_what_the_formula_says(left_out: bool) -> None:  # noqa: FBT001
    """The surest rows are found with their evidence, nulls and labels that no training row has included."""
    train, rows = drawn(700, 1), drawn(60, 2, "aabbcdz")
    scale = Scale(train, FIELDS)
    own = np.arange(100, 160) if left_out else None
    mine = train.slice(100, 60) if left_out else rows
    found = evidence(scale.marks(mine), scale.marks(train), scale, 5, own)
    known, plain = train.to_pylist(), Plain(train)
    for i, row in enumerate(mine.to_pylist()):
        told = [plain.evidence(row, other, left_out=left_out) for j, other in enumerate(known)
                if not left_out or j != 100 + i]  # fmt: skip
        assert found[i] == pytest.approx(sorted(told, reverse=True)[:5], abs=1e-4)
    marks = scale.marks(mine)
    assert lead(marks, scale.marks(train), scale, 5, own) == pytest.approx(found[:, 0] - found[:, 4])


def test_closest_and_surest() -> None:
    """For every target, the training rows next to it are found, and what points at it more surely than these."""
    train, rows = drawn(900, 3), drawn(50, 4)
    scale = Scale(train, FIELDS)
    known, own = scale.marks(train), np.arange(0, 900, 3)
    targets = known.take(own)
    met = closest(targets, own, known, scale)
    told = evidence(targets, known, scale, 2, own)
    assert met.evidence == pytest.approx(told, abs=1e-4)
    assert not (met.where == own).any()
    every, plain = train.to_pylist(), Plain(train)
    for i in (0, 7, 21):
        pair = every[own[i]], every[met.where[i]]
        assert plain.evidence(*pair, left_out=True) == pytest.approx(told[i, 0], abs=1e-4)
    found = surest(scale.marks(rows), targets, met.evidence[:, 0], scale)
    for i, row in enumerate(rows.to_pylist()):
        margins = [plain.evidence(row, every[o], left_out=False) - met.evidence[j, 0] for j, o in enumerate(own)]
        assert found[i] == pytest.approx(max(margins), abs=1e-4)


def test_itself_is_the_most_there_can_be() -> None:
    """An exact copy points at its row as surely as that row's own values say."""
    train = drawn(300, 5)
    scale = Scale(train, FIELDS)
    plain = Plain(train)
    told = [plain.evidence(row, row, left_out=False) for row in train.to_pylist()]
    assert itself(scale.marks(train), scale) == pytest.approx(told, abs=1e-4)


def test_closeness_is_gowers() -> None:
    """Distances of ranks are those of the other kit, where there are no nulls to be placed among ranks."""
    train, rows = (t.filter(pa.compute.is_valid(t.column("x"))) for t in (drawn(600, 6), drawn(80, 7)))
    fields = {c: FIELDS[c] for c in ("x", "c", "b")}
    scale = Scale(train, fields)
    found = closeness(scale.marks(rows), scale.marks(train), scale, 5)
    mine, among = points([rows, train], fields, among=(1,))
    distances = nearest(mine, among, 5)[0].astype(np.float64) * len(fields) + 1 / train.num_rows
    assert found == pytest.approx(np.log(distances[:, 4] / distances[:, 0]), abs=1e-3)


def test_many_columns_keep_in_range() -> None:
    """Evidence of more columns than a float32 can multiply stays finite, and copies still lead."""
    rng = Context(seed=8).rng
    fields = {f"c{i}": Field(kind=Kind.NUMBER) for i in range(300)}
    train = pa.table({c: rng.normal(size=200) for c in fields})
    scale = Scale(train, fields)
    known = scale.marks(train)
    fresh = scale.marks(pa.table({c: rng.normal(size=50) for c in fields}))
    copies, others = lead(known, known, scale, 5), lead(fresh, known, scale, 5)
    assert np.isfinite(copies).all()
    assert copies.min() > 2 * others.max()
    assert np.isfinite(surest(fresh, known, closest(known, np.arange(200), known, scale).evidence[:, 0], scale)).all()


def test_who_stands_apart() -> None:
    """Rare labels together, outliers and rows in empty places stand apart, wherever they are in the table."""
    rng = Context(seed=9).rng
    rows = 2_000
    x, y = rng.normal(size=rows), rng.normal(size=rows)
    label = np.array(list("aab"))[rng.integers(0, 3, rows)]
    strange = np.array([11, 700, 1_999])
    label[strange[0]], x[strange[0]], y[strange[0]] = "z", 1.4, -1.3
    x[strange[1]], y[strange[1]] = 40.0, 0.0
    x[strange[2]], y[strange[2]] = -35.0, 30.0
    train = pa.table({"x": x, "y": y, "c": pa.array(label.tolist(), pa.large_string())})
    fields = {"x": FIELDS["x"], "y": FIELDS["x"], "c": FIELDS["c"]}
    scale = Scale(train, fields)
    for some in (np.arange(0, rows, 4), np.sort(np.append(strange, np.arange(20, 400)))):
        places = standing(train, scale.marks(train), scale, some)
        assert sorted(places) == list(range(rows))
        assert (places[strange] < 60).all()


def test_infinite_and_huge_numbers() -> None:
    """What cannot be squared, or is infinite, has its place."""
    train = pa.table({"x": [1e300, -1e300, np.inf, -np.inf, None, 0.0, 1.0, 2.0]})
    scale = Scale(train, {"x": FIELDS["x"]})
    known = scale.marks(train)
    assert np.isfinite(evidence(known, known, scale, 2)).all()
    assert sorted(standing(train, known, scale, np.arange(4))) == list(range(8))
