"""What follows from other columns is looked up, and agreed on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.kit.constraints.keeping_for_tests import (
    CATEGORY,
    CITIES,
    CITY,
    INTEGER,
    LANDS,
    RNG,
    ROWS,
    START,
    Fields,
    Shuffled,
    check,
    dataset,
    kept,
)

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.kit.constraints.keeping import Keeper


@pytest.fixture(autouse=True)
def same_stream() -> None:
    """Let every test begin with the same randomness, whatever ran before."""
    RNG.bit_generator.state = START


def test_a_dependency_is_looked_up() -> None:
    """The country is left to the city."""
    data = dataset({"city": (CATEGORY, CITIES[CITY]), "land": (CATEGORY, LANDS[CITY])}, "city -> land")
    keeper, found = kept(data)
    assert keeper.part.produce == ("t.city",)
    made = check(data, found)
    pairs = set(zip(made.column("city").to_pylist(), made.column("land").to_pylist(), strict=True))
    assert pairs <= set(zip(CITIES, LANDS, strict=True))


def test_of_columns_that_name_each_other_the_ordered_one_is_modelled() -> None:
    """Of a label and its number the number is modelled, and both directions hold."""
    data = dataset({"number": (INTEGER, CITY), "label": (CATEGORY, CITIES[CITY])}, "number -> label", "label -> number")
    keeper, found = kept(data)
    assert keeper.part.produce == ("t.number",)
    check(data, found)


def test_pairs_that_fewer_than_three_rows_share_are_not_learned(tmp_path: Path) -> None:
    """A rare city is not in the keeper; where one turns up, every row has the same country for it."""
    city = [f"rare {i}" for i in range(2)] + CITIES[CITY].tolist()
    land = ["Atlantis", "Mu", *LANDS[CITY].tolist()]
    data = dataset({"city": (CATEGORY, city), "land": (CATEGORY, land)}, "city -> land")
    part = Part(("t.land",), ("t.city",))
    keeper = Keeper.learn(data, Part(("t.city", "t.land")), Context())
    keeper.save(tmp_path)
    assert not any(b"rare" in f.read_bytes() or b"Atlantis" in f.read_bytes() for f in tmp_path.iterdir())
    start = dataset(
        {"city": (CATEGORY, ["rare 0", "new", "rare 0", None, "Ulm"]), "land": (CATEGORY, [None] * 5)}, "city -> land"
    )
    keeper = Keeper.learn(data, part, Context())
    made = keeper.sample(Shuffled(data, keeper.part), start.select("t", ["city"]), Context()).sample.data
    lands = made.column("t.land").to_pylist()
    assert lands[0] == lands[2]
    assert set(lands) - {None} <= {"DE", "AT"}
    assert lands[4] == "DE"


def test_an_unknown_number_has_what_belongs_to_the_nearest() -> None:
    """An age nobody had falls into the band of the nearest age that is known."""
    age = RNG.integers(20, 60, ROWS)
    data = dataset({"age": (INTEGER, age), "band": (CATEGORY, np.where(age < 40, "young", "old"))}, "age -> band")
    keeper = Keeper.learn(data, Part(("t.band",), ("t.age",)), Context())
    start = dataset({"age": (INTEGER, [3, 97, 30]), "band": (CATEGORY, [None] * 3)}).select("t", ["age"])
    made = keeper.sample(Shuffled(data, keeper.part), start, Context()).sample.data
    assert made.column("t.band").to_pylist() == ["young", "old", "young"]


def test_a_dependency_with_nulls_of_its_own_keeps_them() -> None:
    """Where the dependent column is missing at random it is modelled, and corrected where it is there."""
    land = [None if i % 5 else v for i, v in enumerate(LANDS[CITY])]
    data = dataset({"city": (CATEGORY, CITIES[CITY]), "land": (CATEGORY, land)}, "city -> land")
    keeper, found = kept(data)
    assert keeper.part.produce == ("t.city", "t.land")
    made = check(data, found)
    assert made.column("land").null_count == pytest.approx(ROWS * 4 / 5, abs=40)


def test_a_chain_of_derived_columns_is_restored_in_order() -> None:
    """A column derived from a derived one comes after it."""
    data = dataset({"land": (CATEGORY, LANDS[CITY]), "city": (CATEGORY, CITIES[CITY]), "id": (INTEGER, CITY),
                    "twice": (INTEGER, CITY * 2), "sum": (INTEGER, CITY * 3)},
                   "city -> land", "id -> city", "twice == 2 * id", "sum == twice + id")  # fmt: skip
    keeper, found = kept(data)
    assert keeper.part.produce == ("t.id",)
    check(data, found)


def test_values_that_belong_elsewhere_are_exchanged() -> None:
    """Where two columns both determine a third, rows exchange values until both agree, and few are lost."""
    unit = np.char.add(LANDS[CITY], np.array([" a", " b"])[RNG.integers(0, 2, ROWS)])
    columns: Fields = {"city": (CATEGORY, CITIES[CITY]), "land": (CATEGORY, LANDS[CITY]), "unit": (CATEGORY, unit)}
    data = dataset(columns, "city -> land", "unit -> land")
    keeper, found = kept(data)
    assert set(keeper.part.produce) == {"t.city", "t.unit"}
    check(data, found)
    assert found.repaired > ROWS / 10
    assert found.redrawn < ROWS / 10
