"""What may be shown of a column: few bins, rounded ends, no single real row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.report.counts import FEWEST, MOST_BINS, MOST_LABELS, Bins, Labels, Shown, show_column, spelled, thin
from synthwright.testing.toys import TOYS, canaries, column

RNG = np.random.default_rng(0)
NUMBER = Field(kind=Kind.NUMBER)
WHOLE = Field(kind=Kind.INTEGER)
LABEL = Field(kind=Kind.CATEGORY)


def shown(field: Field, real: Any, synthetic: Any = None) -> Shown:
    """Return a column of these values, shown; without synthetic values the real ones stand for them."""
    other = real if synthetic is None else synthetic
    return show_column("t.c", field, None if real is None else column(field, real), column(field, other))


def bins(field: Field, real: Any, synthetic: Any = None) -> Bins:
    """Return the bins of these values."""
    counts = shown(field, real, synthetic).counts
    assert isinstance(counts, Bins)
    return counts


def labels(field: Field, real: Any, synthetic: Any = None) -> Labels:
    """Return the labels of these values."""
    counts = shown(field, real, synthetic).counts
    assert isinstance(counts, Labels)
    return counts


def test_counts_like_numpy() -> None:
    """Inner bins hold the same shares as numpy's histogram over the same edges."""
    values = RNG.normal(size=5000)
    counts = bins(NUMBER, values)
    edges = counts.first + counts.width * np.arange(len(counts.synthetic) + 1)
    expected = np.histogram(values, edges)[0] / 5000
    assert counts.synthetic[1:-1] == pytest.approx(expected[1:-1])
    assert counts.synthetic.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=2000),
        RNG.normal(size=2000) * 1e-310,  # denormal
        (RNG.random(2000) - 0.5) * 1.7e308,  # nearly infinite
        RNG.integers(-(2**62), 2**62, 2000),
        1e9 + RNG.random(2000),
        RNG.lognormal(0, 4, 2000),
        np.append(RNG.normal(size=1999), 1e300),  # one absurd outlier
        np.append(RNG.normal(size=1998), [np.inf, -np.inf]),
        np.round(RNG.integers(0, 300, 2000) * 0.1, 1),
    ],
)
def test_any_numbers_make_a_few_bins(values: np.ndarray) -> None:
    """Whatever the numbers, there are between 5 and 40 bins, and all rows are in them."""
    field = WHOLE if values.dtype.kind == "i" else NUMBER
    counts = bins(field, values)
    assert 5 <= len(counts.synthetic) <= MOST_BINS
    assert counts.synthetic.sum() == pytest.approx(1.0)
    assert counts.synthetic.max() < 0.9
    assert 1e-5 < counts.width < 1e12  # short numbers on the axis


def test_heavy_tails_have_a_logarithmic_axis() -> None:
    """Where the axis would end far beyond the median, bins are equally wide in powers of ten."""
    counts = bins(NUMBER, RNG.lognormal(0, 3, 3000), np.append(RNG.lognormal(0, 3, 2999), 0.0))
    assert counts.axis == "powers"
    assert counts.synthetic.max() < 0.2
    assert bins(NUMBER, RNG.normal(50, 9, 3000)).axis == "number"


def test_one_outlier_does_not_stretch_the_axis() -> None:
    """The end of the axis comes from the bulk: it tells nothing of the largest value."""
    counts = bins(NUMBER, np.append(RNG.normal(size=999), 123456.0))
    assert counts.first + counts.width * len(counts.synthetic) < 10


def test_bins_of_single_rows_are_not_drawn() -> None:
    """A bin that one or two real rows share is empty; the synthetic one is drawn."""
    values = np.concatenate([RNG.uniform(0, 1, 200), RNG.uniform(9, 10, 200), [5.01, 5.02]])
    found = shown(NUMBER, values)
    counts = found.counts
    assert isinstance(counts, Bins)
    assert counts.real is not None
    assert not ((counts.real > 0) & (counts.real * len(values) < FEWEST - 0.5)).any()
    lonely = int((5.01 - counts.first) / counts.width)
    assert counts.real[lonely] == 0
    assert counts.synthetic[lonely] > 0
    assert "bins of fewer than three real rows are not drawn" in found.remarks


def test_rare_labels_are_not_named() -> None:
    """Labels of fewer than three real rows are counted together."""
    counts = labels(LABEL, ["a"] * 50 + ["b"] * 40 + ["lonely"] + ["pair"] * 2)
    assert counts.names == ("a", "b", "others (2 labels)")
    assert counts.real == pytest.approx([50 / 93, 40 / 93, 3 / 93])


def test_others_of_two_rows_have_no_share() -> None:
    """Two rows with rare labels are too few to be shown even together."""
    counts = labels(LABEL, ["a"] * 50 + ["lonely", "alone"], ["a"] * 9 + ["new"])
    assert counts.real is not None
    assert counts.real[-1] == 0
    assert counts.synthetic == pytest.approx([0.9, 0.1])


def test_many_labels_are_cut() -> None:
    """Of many labels the most frequent are named, the others counted."""
    counts = labels(LABEL, [f"l{i % 50:02}" for i in range(1000)] + ["often"] * 99)
    assert len(counts.names) == MOST_LABELS + 1
    assert counts.names[0] == "often"
    assert counts.names[-1] == "others (35 labels)"
    assert counts.synthetic.sum() == pytest.approx(1)


def test_few_numbers_are_labels_in_order() -> None:
    """Numbers of which there are few are shown one by one, in their order."""
    assert labels(WHOLE, [10, 9, 2] * 30).names == ("2", "9", "10")


def test_a_frequent_value_is_told_apart() -> None:
    """Where most rows have one value, the chart shows the others and the text its shares."""
    values = np.where(RNG.random(3000) < 0.9, 0, RNG.integers(1, 1000, 3000))
    found = shown(WHOLE, values)
    assert isinstance(found.counts, Bins)
    assert found.counts.synthetic.max() < 0.5
    assert any(r.startswith("left out is the value 0: ") and "% real" in r for r in found.remarks)


@pytest.mark.parametrize(
    ("kind", "factor", "axis"),
    [(Kind.DATE, 1, "days"), (Kind.DATETIME, 86_400_000_000, "seconds"), (Kind.TIME, 3_600_000_000 // 1000, "seconds")],
)
def test_time_has_its_axis(kind: Kind, factor: int, axis: str) -> None:
    """Dates, instants and times of day keep their axis."""
    assert bins(Field(kind=kind), RNG.integers(0, 20_000, 500) * factor).axis == axis


def test_durations_have_a_unit() -> None:
    """Durations are shown in the largest unit that suits them, and the text says which."""
    found = shown(Field(kind=Kind.DURATION), RNG.integers(0, 7_200_000_000 * 3, 500))
    assert "in hours" in found.remarks


def test_nanoseconds_and_zones_are_no_trouble() -> None:
    """Few instants with nanoseconds, in any zone, are labels."""
    field = Field(kind=Kind.DATETIME, type="timestamp[ns, tz=Mars/Phobos]")
    held = pa.array([1, 10**18 + 1] * 30).cast(pa.timestamp("ns", tz="Mars/Phobos"))
    counts = show_column("t.c", field, held, held).counts
    assert isinstance(counts, Labels)
    assert counts.names[0].startswith("1970-01-01 00:00:00.000000001")


@pytest.mark.parametrize("kind", [Kind.KEY, Kind.REFERENCE])
def test_keys_are_not_drawn(kind: Kind) -> None:
    """Keys are made anew: no value of them is shown."""
    field = Field(kind=kind, to="t.c" if kind is Kind.REFERENCE else None)
    found = shown(field, ["k1", "k2"] * 10)
    assert found.counts is None
    assert "made anew" in found.remarks[0]


def test_text_is_shown_by_its_length() -> None:
    """Of text made anew only the lengths are shown; of other personal data nothing."""
    names = [f"Ada {'x' * int(n)}" for n in RNG.integers(0, 30, 400)]
    for field in (Field(kind=Kind.TEXT), Field(kind=Kind.CATEGORY, sensitive="name")):
        found = shown(field, names)
        assert isinstance(found.counts, Bins)
        assert "how long the values are" in found.remarks[0]
    assert shown(Field(kind=Kind.INTEGER, sensitive="phone"), [123] * 9).counts is None


def test_missing_values_are_told() -> None:
    """The share without a value is told, but not of one or two real rows."""
    assert shown(WHOLE, [1, 2, None, None] * 5).missing == ("50.0 %", "50.0 %")
    assert shown(WHOLE, [1, None, 1, 1]).missing == ("under 3 rows", "25.0 %")
    assert shown(WHOLE, [], [1]).missing[0] == "no rows"


def test_distance_sees_values_and_nulls() -> None:
    """Equal columns have distance 0, disjoint ones 1, and nulls count."""
    assert shown(LABEL, ["a"] * 9).distance == 0
    assert shown(LABEL, ["a"] * 9, ["b"] * 9).distance == pytest.approx(1)
    assert shown(LABEL, ["a"] * 9, [None] * 9).distance == pytest.approx(1)


@pytest.mark.parametrize("toy", sorted(TOYS))
@pytest.mark.parametrize("real", [True, False])
def test_every_toy_can_be_shown(toy: str, real: bool) -> None:  # noqa: FBT001
    """Awkward tables, with and without real rows, are shown; shares never exceed the whole."""
    data = TOYS[toy]()
    for name in data.schema.columns:
        held = data.column(name)
        found = show_column(name, data.schema.field(name), held if real else None, held)
        if found.counts is not None:
            assert found.counts.synthetic.sum() == pytest.approx(1.0)
            assert (found.counts.real is None) is not real


def test_canaries_stay_hidden() -> None:
    """No label, number or end of an axis comes from a value that one or two rows hold."""
    data = canaries()
    held = {c: data.column(c) for c in data.schema.columns}
    counts = {c: show_column(c, data.schema.field(c), v, v).counts for c, v in held.items()}
    trees = counts["rare.tree"]
    assert isinstance(trees, Labels)
    assert set(trees.names[:3]) == {"oak", "elm", "ash"}
    assert len(trees.names) == 4
    for name, most in (("rare.weight", 1e3), ("rare.whole", 1e3), ("rare.day", 1e5)):
        axis = counts[name]
        assert isinstance(axis, Bins)
        assert abs(axis.first) < most
        assert abs(axis.first + axis.width * len(axis.synthetic)) < most


def test_long_columns_are_thinned_evenly() -> None:
    """Of long columns evenly spaced values are taken, ends included."""
    assert thin(pa.array(range(10)), 4).to_pylist() == [0, 3, 6, 9]
    assert thin(pa.array(range(3)), 4).to_pylist() == [0, 1, 2]


def test_names_are_one_printable_line() -> None:
    """Control characters and overrides of direction are replaced, long names cut, scripts kept."""
    assert spelled("a\x00b\n\u202ec") == "a�b �c"
    assert spelled("می‌خواهم 大きさ") == "می‌خواهم 大きさ"
    assert spelled("x" * 100, 10) == "x" * 9 + "…"
    assert spelled("") == "(empty)"
