"""Numbers in texts are learned as numbers: their sides, their grids, what other columns say, and their spelling."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.amounts import amounts_of
from synthwright.kit.coding.composed import Composed
from synthwright.kit.coding.composing import Asked
from synthwright.kit.coding.spelled import sayings
from synthwright.kit.sampling.dice import Dice

ROWS = 800


def _rows() -> pd.DataFrame:
    """Return patients with pressures, ranges, marks and doses in text."""
    rng = np.random.default_rng(3)
    age = rng.integers(18, 90, ROWS)
    high = np.rint(95 + 0.5 * age + rng.normal(0, 9, ROWS)).astype(int)
    low = np.minimum(np.rint(0.5 * high + 20 + rng.normal(0, 5, ROWS)).astype(int), high - 5)
    width, start = rng.gamma(2, 1, ROWS) + 0.1, rng.normal(10, 2, ROWS)
    total = rng.choice([10, 20, 25, 40], ROWS)
    dose = rng.gamma(2, 500, ROWS)
    return pd.DataFrame({
        "age": age, "high": high, "pressure": [f"{a}/{b}" for a, b in zip(high, low, strict=True)],
        "range": [f"{a:.1f} - {a + b:.1f}" for a, b in zip(start, width, strict=True)],
        "marks": [f"{rng.binomial(t, 0.6)}/{t}" for t in total],
        "dose": [f"{d / 1000:.1f} g" if d >= 1000 else f"{d:.0f} mg" for d in dose],
        "level": [None if a > 85 else "<0.05" if d < 300 else f"{d / 1000:.2f}"
                  for a, d in zip(age, dose, strict=True)],
    })  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return real rows and made ones, from a model that was saved and loaded."""
    real = _rows()
    model, at = sw.fit(real, seed=1), tmp_path_factory.mktemp("model") / "m"
    model.save(at)
    made = sw.load(at).sample(3 * ROWS, seed=2)
    pd.testing.assert_frame_equal(made, model.sample(3 * ROWS, seed=2))
    return real, made


def _numbers(texts: pd.Series) -> np.ndarray:
    return np.array([[float(v) for v in re.findall(r"\d+(?:\.\d+)?", t)] for t in texts])


def test_numbers_stay_on_their_side_and_follow_the_columns_beside(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The second is never above the first, what a column says is said, and ages tell pressures as they did."""
    real, made = both
    high, low = _numbers(made["pressure"]).T
    assert (high > low).all()
    assert (high == made["high"]).all()
    first, second = _numbers(made["range"]).T
    assert (first < second).all()
    for values, column in ((low, "pressure"), (second, "range")):
        was = _numbers(real[column])[:, 1]
        assert abs(values.mean() - was.mean()) < 0.2 * was.std()
        assert 0.8 < values.std() / was.std() < 1.2
    was = np.corrcoef(real["age"], _numbers(real["pressure"])[:, 1])[0, 1]
    assert np.corrcoef(made["age"], low)[0, 1] > was - 0.2 > 0


def test_numbers_stay_on_their_grid(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Full marks are one of those that there are, and no mark is above them."""
    marks, full = _numbers(both[1]["marks"]).T
    assert set(full) == {10, 20, 25, 40}
    assert (marks <= full).all()


def test_ways_of_writing_keep_their_shares_and_their_numbers(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Grams are above one, milligrams below a thousand, and what is below the limit is so as often; nulls stay."""
    real, made = both
    assert made["dose"].str.fullmatch(r"[1-9]\.\d g|\d{1,3} mg").mean() > 0.999
    for column, word in (("dose", " g"), ("level", "<0.05")):
        share = [frame[column].dropna().str.contains(word, regex=False).mean() for frame in both]
        assert abs(share[0] - share[1]) < 0.05
    assert made["level"].dropna().str.fullmatch(r"<0\.05|\d\.\d\d").all()
    assert abs(made["level"].isna().mean() - real["level"].isna().mean()) < 0.03


def test_without_what_is_hidden_numbers_are_drawn_by_themselves() -> None:
    """Texts of a value that is swapped, or of a table of one column, are written in the same ways."""
    real = _rows()
    texts, beside = pa.array(real["range"], pa.large_string()), pa.table({"age": real["age"]})
    said = sayings({"age": Field(kind=Kind.INTEGER)}, beside)
    found = amounts_of(Asked("range", "", 1.0, 3), texts, beside, said)
    assert found is not None
    assert Composed.of_json(found.composed.to_json()) == found.composed
    made = found.composed.make(None, np.arange(900), Dice(np.arange(900, dtype=np.uint64), 1), None, {})
    first, second = _numbers(pd.Series(made.to_pylist())).T
    assert (first <= second).all()
    assert abs(second.mean() - _numbers(real["range"])[:, 1].mean()) < 0.3
    assert amounts_of(Asked("range", "7", 1.0, 3), texts, beside, said) is None  # keys are made by their number


def test_a_table_of_one_column_of_numbers_in_text(tmp_path: Path) -> None:
    """There is nothing to learn from beside it, and the numbers are learned all the same."""
    frame = pd.DataFrame({"about": [f"ca. {v}" for v in np.random.default_rng(1).gamma(3, 100, 300).astype(int)]})
    made = sw.fit(frame, seed=1).sample(300, seed=2)
    values = _numbers(made["about"])[:, 0]
    assert made["about"].str.fullmatch(r"ca\. [1-9]\d*").all()
    assert abs(values.mean() - _numbers(frame["about"]).mean()) < 50


def test_moments_in_texts_are_moments(tmp_path: Path) -> None:
    """Days of ranges keep their order, days stay days, and offsets go with the columns beside them."""
    rng = np.random.default_rng(6)
    begin = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, ROWS), "D")
    end = begin + pd.to_timedelta(rng.integers(1, 40, ROWS), "D")
    far = rng.random(ROWS) < 0.4
    real = pd.DataFrame({
        "place": np.where(far, "far", "near"),
        "stay": [f"{a:%d.%m.%Y} - {b:%d.%m.%Y}" for a, b in zip(begin, end, strict=True)],
        "at": [f"{a:%Y-%m-%dT09:30:00}{'+09:00' if f else 'Z'}" for a, f in zip(begin, far, strict=True)],
    })  # fmt: skip
    sw.fit(real, seed=1).save(tmp_path / "m")
    made = sw.load(tmp_path / "m").sample(ROWS, seed=2)
    days = made["stay"].str.split(" - ", expand=True).apply(lambda c: pd.to_datetime(c, format="%d.%m.%Y"))
    long = (days[1] - days[0]).dt.days
    assert long.between(1, 39).all()
    assert abs(long.mean() - (end - begin).days.to_numpy().mean()) < 2.5
    assert (made["at"].str.endswith("+09:00") == (made["place"] == "far")).mean() > 0.97
    assert pd.to_datetime(made["at"].str[:19], format="%Y-%m-%dT09:30:00").dt.year.isin([2024]).all()
