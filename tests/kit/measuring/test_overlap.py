"""Held-out rows that are training rows are refused; those that are alike by nature are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.kit.measuring.overlap import overlaps, refuse_overlap


def people(rows: int, seed: int) -> pd.DataFrame:
    """Make rows that differ by their wealth, and by little else."""
    rng = np.random.default_rng(seed)
    school = rng.choice(["basic", "high", "degree"], rows, p=[0.3, 0.5, 0.2])
    years = pd.Series(school).map({"basic": 9, "high": 12, "degree": 16}).to_numpy()
    wealth = np.round(rng.lognormal(10, 1, rows), 2)
    return pd.DataFrame({"age": rng.integers(18, 90, rows), "school": school, "years": years, "wealth": wealth})


TRAIN, OTHER = people(1500, 1), people(500, 2)
FEW = ["age", "school", "years"]


def refused(train: pd.DataFrame, holdout: pd.DataFrame) -> str:
    """Return what is said of held-out rows; nothing where they are accepted."""
    data = Dataset.of(train)
    try:
        refuse_overlap(data, Dataset.of(holdout, data.schema), "evaluate")
    except InputError as error:
        return str(error)
    return ""


def test_other_rows_are_accepted() -> None:
    """Another sample of the same population is none of the training rows, however much it repeats them by nature."""
    assert not refused(TRAIN, OTHER)
    assert not refused(TRAIN[FEW], OTHER[FEW])
    assert not refused(TRAIN[["school", "years"]], OTHER[["school", "years"]])


@pytest.mark.parametrize(
    "holdout",
    [TRAIN, TRAIN.sample(frac=1, random_state=1), TRAIN.tail(200), pd.concat([OTHER, TRAIN.head(25)]),
     pd.concat([TRAIN, OTHER.head(100)])],
    ids=["the same file", "in another order", "a part", "one in twenty", "more than the training rows"],
)  # fmt: skip
def test_training_rows_are_refused(holdout: pd.DataFrame) -> None:
    """Rows that are otherwise unique cannot be on both sides."""
    assert "equal to a training row" in refused(TRAIN, holdout)


def test_the_shares_are_told() -> None:
    """How many held-out rows equal a training row, and how many would by nature."""
    assert "got 100.0% of them equal to a training row, where 0." in refused(TRAIN, TRAIN.tail(300))


def test_the_same_file_is_seen_where_rows_repeat() -> None:
    """Row for row the same, in the same order: that is no other sample, however few values there are."""
    assert refused(TRAIN[["school", "years"]], TRAIN[["school", "years"]])
    constant = pd.DataFrame({"a": ["x"] * 30, "b": ["y"] * 30})
    assert not refused(constant, constant)


def test_rows_that_were_freed_of_repeats_are_accepted() -> None:
    """Where duplicates were dropped from each side, no training row has a twin, and yet held-out rows meet them."""
    train, other = TRAIN[FEW].drop_duplicates(), OTHER[FEW].drop_duplicates()
    assert overlaps(Dataset.of(train), Dataset.of(other)) == [] or not refused(train, other)
    assert not refused(train, OTHER[FEW])


def test_what_tells_nothing_is_silent() -> None:
    """Keys are counted anew in every file, and a single column says nothing of rows."""
    keys = pd.DataFrame({"id": np.arange(400), "code": [f"{i:08d}-{i * 7 % 97:02d}" for i in range(400)]})
    assert not refused(TRAIN[["wealth"]], TRAIN[["wealth"]])
    assert not overlaps(Dataset.of(keys[["id"]]), Dataset.of(keys[["id"]]))


def shop(seed: int, products: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make sales of products."""
    rng = np.random.default_rng(seed)
    sold = {"sale": np.arange(900), "product": rng.choice(products["product"], 900)}
    return {"products": products, "sales": pd.DataFrame(sold | {"paid": np.round(rng.lognormal(3, 1, 900), 4),
                                                                "at": rng.integers(0, 10_000, 900)})}  # fmt: skip


def test_tables_that_others_refer_to_may_be_the_same() -> None:
    """The products are those of the training rows, the sales are not; where the sales are too, that is refused."""
    rng = np.random.default_rng(3)
    products = pd.DataFrame({"product": [f"P{i:03}" for i in range(60)], "price": np.round(rng.lognormal(3, 1, 60), 3),
                             "weight": np.round(rng.random(60), 4)})  # fmt: skip
    train = Dataset.of(shop(1, products))
    assert {c for c in train.schema.columns if train.schema.field(c).to} == {"sales.product"}
    refuse_overlap(train, Dataset.of(shop(2, products), train.schema), "evaluate")
    with pytest.raises(InputError, match="the held-out rows of 'products'"):
        refuse_overlap(train, train, "evaluate")


def test_the_holdout_is_not_changed_by_looking() -> None:
    """The same answer every time."""
    data = Dataset.of(TRAIN)
    assert overlaps(data, data) == overlaps(data, data)
