"""Entropy, duplicates and spread: a second real sample passes; rows made twice, and rows like few others, do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.measuring.neighbours import points
from synthwright.metrics import duplicates, spread
from synthwright.metrics.duplicates import Duplicates
from synthwright.metrics.entropy import Entropy
from synthwright.metrics.spread import Spread
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
ALL: tuple[type[Metric], ...] = (Entropy, Duplicates, Spread)
LABEL, NUMBER = Field(kind=Kind.CATEGORY), Field(kind=Kind.NUMBER)


def repeated(case: Case, share: float) -> Case:
    """Return a case where this share of the synthetic rows became copies of other synthetic rows."""
    rng, rows = np.random.default_rng(2), np.arange(case.synthetic.rows())
    spoiled = rng.permutation(len(rows))[: int(share * len(rows))]
    rest = np.setdiff1d(rows, spoiled)
    rows[spoiled] = rng.choice(rest, len(spoiled))
    return case._replace(synthetic=case.synthetic.take("thing", rows))


def prototypes(case: Case, count: int) -> Case:
    """Return a case where synthetic rows are few rows again and again, with a little noise in the price."""
    rng = np.random.default_rng(3)
    made = case.synthetic.take("thing", rng.integers(0, count, case.synthetic.rows()))
    price = np.asarray(made.tables["thing"].column("price").to_numpy()) + rng.normal(0, 0.02, made.rows())
    return case._replace(synthetic=made.with_columns("thing", {"price": pa.array(price)}))


def numbers(score: Score) -> tuple[float, float, float]:
    """Return value, reference and chance, all of which are there."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.value, score.reference, score.chance


@pytest.mark.parametrize("metric", ALL)
def test_second_real_sample_passes(metric: type[Metric], second: Case, measure: Measure) -> None:
    """A second real sample is no farther from the reference than chance, with held-out rows and without."""
    for case in (second, second._replace(holdout=None), repeated(second, 0.0)):
        for score in measure(metric(), case).values():
            value, reference, chance = numbers(score)
            assert abs(value - reference) <= chance + 1e-9


def test_rows_made_twice_counted(second: Case, measure: Measure) -> None:
    """A twentieth of copies is told to the row, and is beyond chance; the distance from each other falls too."""
    value, reference, chance = numbers(measure(Duplicates(), repeated(second, 0.05))[""])
    assert value == pytest.approx(0.05, abs=0.001)
    assert value > reference + 0.01 + chance
    value, reference, chance = numbers(measure(Spread(), repeated(second, 0.7))[""])
    assert value < 0.8 * reference - chance


def test_prototypes_seen(second: Case, measure: Measure) -> None:
    """Fifty rows again and again, with a little noise, are no duplicates, and lie near each other."""
    collapsed = prototypes(second, 50)
    assert numbers(measure(Duplicates(), collapsed)[""])[0] < 0.01
    value, reference, chance = numbers(measure(Spread(), collapsed)[""])
    assert value < 0.5 * reference - chance
    value, reference, chance = numbers(measure(Entropy(), prototypes(second, 5))[""])
    assert value < reference - chance


def test_random_rows_lie_farther(second: Case, measure: Measure, shuffled: Callable[[Dataset], Dataset]) -> None:
    """Columns shuffled on their own lie farther from each other than real rows, and are spread more evenly in pairs."""
    noise = second._replace(synthetic=shuffled(second.synthetic))
    value, reference, chance = numbers(measure(Entropy(), noise)[""])
    assert value > reference + chance
    far = measure(Spread(), noise)[""]
    assert far.value == far.reference == 1.0
    assert "times as far from each other as real ones" in (far.problem or "")
    assert "times" not in (measure(Spread(), second)[""].problem or "")


def test_duplicates_of_nature(measure: Measure) -> None:
    """Tables of few possible rows repeat them, and their reference knows it; so do tables of different sizes."""
    rng = np.random.default_rng(4)

    def held(rows: int) -> Dataset:
        words = np.array(list("abcdefgh"))[rng.integers(0, 8, rows)]
        return toys.dataset({"t": {"c": (LABEL, words), "x": (Field(kind=Kind.INTEGER), rng.integers(0, 99, rows))}})

    for made in (200, 600, 3_000):
        score = measure(Duplicates(), Case(held(600), held(300), held(made)))[""]
        value, reference, chance = numbers(score)
        assert reference > 0.0
        assert value <= reference + chance
        assert bool(score.problem) == (made != 600)


def test_duplicates_by_hand(measure: Measure) -> None:
    """Of equal rows all but one count, by the columns that are modelled; keys do not make them different."""
    key = Field(kind=Kind.KEY, type="int64", nulls=False, unique=True)

    def held(words: list[str | None]) -> Dataset:
        columns = {"id": (key, np.arange(len(words))), "c": (LABEL, words), "d": (LABEL, words)}
        return toys.dataset({"t": columns}, keys={"t": "id"})

    score = measure(Duplicates(), Case(held(list("abcdef")), None, held(["a", "a", "a", None, None, "b"])))[""]
    assert (score.value, score.reference) == (0.5, 0.0)


def test_chance_of_duplicates_holds() -> None:
    """Rows dealt out anew stray less than the allowance, and not much less than it says."""
    rng = np.random.default_rng(5)
    for high in (30, 150, 500, 2_000, 100_000):
        sides = [rng.integers(0, high, 500).astype(np.uint64) for _ in range(2)]
        allowed = duplicates.by_chance(sides) * 500
        both, strays = np.concatenate(sides), []
        for _ in range(2_000):
            mixed = rng.permutation(both)
            strays.append(len(np.unique(mixed[500:])) - len(np.unique(mixed[:500])))
        assert max(strays) <= allowed
        assert allowed <= 8 * float(np.std(strays)) + 15
    assert duplicates.by_chance([np.arange(4, dtype=np.uint64), np.arange(4, 8, dtype=np.uint64)]) == 0.0
    heaps = [np.zeros(5_000, dtype=np.uint64)] * 2  # one row ten thousand times
    assert 0.0 < duplicates.by_chance(heaps) < 0.1


def testcumulants_are_those_of_coins() -> None:
    """The bound's cumulants are those of the difference of repeats, outcome by outcome."""
    for size, slope in ((1, 0.9), (2, 1.0), (3, 0.0), (3, 0.7), (7, 0.1)):
        heads = (np.arange(2**size)[:, None] >> np.arange(size) & 1).sum(axis=1)
        apart = slope * (2 * heads - size) + (heads == 0) - (heads == size)
        rates = duplicates.RATES
        top = rates * np.abs(apart).max()
        plain = top + np.log(np.mean(np.exp(np.outer(rates, apart) - top[:, None]), axis=1))
        assert duplicates.cumulants(size, slope) == pytest.approx(plain, rel=1e-6, abs=1e-9)


def test_entropy_by_hand(measure: Measure) -> None:
    """A column's score is Shannon's entropy of its labels, as a share of what it could be."""
    real = toys.dataset({"t": {"c": (LABEL, list("abcd") * 50), "d": (LABEL, ["x", "y"] * 100)}})
    fake = toys.dataset({"t": {"c": (LABEL, list("aabb") * 50), "d": (LABEL, ["x"] * 200)}})
    found = measure(Entropy(), Case(real, real, fake))
    assert (found["t.c"].value, found["t.c"].reference) == (0.5, 1.0)
    assert (found["t.d"].value, found["t.d"].reference) == (0.0, 1.0)
    assert found[""].value == pytest.approx((0.25 + 0.5) / 2, abs=0.001)  # four pairs of labels occur, two are left
    assert found["worst"].value == 0.0


def test_entropy_of_many_labels(measure: Measure) -> None:
    """Columns of very many labels are counted in pairs too, in little memory."""
    rng = np.random.default_rng(6)

    def held() -> Dataset:
        columns = {c: (LABEL, [f"{v}" for v in rng.integers(0, 5_000, 2_000)]) for c in ("a", "b")}
        return toys.dataset({"t": {**columns, "x": (NUMBER, rng.normal(0, 1, 2_000))}})

    value, reference, chance = numbers(measure(Entropy(), Case(held(), held(), held()))[""])
    assert value == pytest.approx(reference, abs=chance)


def test_spread_is_the_nearest_other_row() -> None:
    """The distance is that of the nearest row of another fold: a slow plain count says the same."""
    data = toys.plain(60)
    held = points([data.tables["thing"]] * 2, data.schema.tables["thing"].fields, among=(0,))[1]
    ctx = Context(seed=1)
    found = spread.mean_apart(held, 60, ctx)
    fold = Context(seed=1).rng.permutation(60) % spread.FOLDS
    apart = np.abs(held.ordered[:, :, None] - held.ordered[:, None, :]).sum(axis=0)
    apart = (apart + (held.discrete[:, :, None] != held.discrete[:, None, :]).sum(axis=0)) / held.columns
    apart[fold[:, None] == fold[None, :]] = np.inf
    assert found.value == pytest.approx(float(apart.min(axis=1).mean()), abs=1e-6)
    assert found.low < found.value < found.high


def test_spread_samples_large_tables(second: Case, measure: Measure) -> None:
    """Fewer rows are asked for their nearest row, among all: the score stays the same, and says so."""
    whole, some = (measure(m, second)[""] for m in (Spread(), Spread(rows=300)))
    assert some.value == pytest.approx(whole.value, abs=some.chance)
    assert "300 random rows" in (some.problem or "")
    assert (some.chance or 0.0) > (whole.chance or 1.0)
