"""Orders between days and instants are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.kit.constraints.keeping_for_tests import DATE, ROWS, check, dataset, kept

from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.measuring.stats import kolmogorov_smirnov

RNG = np.random.default_rng(4)
DAY = pd.Series(RNG.choice(pd.date_range("2018-01-01", "2023-12-31").to_numpy(), ROWS)).astype("datetime64[us]")


def instants(most: float, zone: str | None) -> tuple[Field, pa.Array]:
    """Return instants that lie at most so many days after the days began."""
    at = DAY + pd.to_timedelta(RNG.integers(0, int(most * 86_400), ROWS), unit="s")
    at = at.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") if zone else at
    field = Field(kind=Kind.DATETIME, type=f"timestamp[us{f', tz={zone}' if zone else ''}]")
    return field, pa.Array.from_pandas(at).cast(canonical(field))


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "+05:30"])
def test_an_instant_of_the_day_is_made_as_its_time(zone: str | None) -> None:
    """Instants stay on their day in every row, and no row is lost."""
    data = dataset({"day": (DATE, DAY.dt.date), "at": instants(0.9, zone)}, "day <= at", "at < day + 1")
    keeper, found = kept(data)
    assert [g.target for g in keeper.tables["t"].gaps] == ["at"]
    check(data, found)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_instants_long_after_a_day_are_exchanged(zone: str | None) -> None:
    """Where distances are long, instants change rows until the order holds: both columns stay as they were drawn."""
    data = dataset({"day": (DATE, DAY.dt.date), "at": instants(900, zone)}, "day <= at")
    keeper, found = kept(data)
    assert not keeper.tables["t"].gaps
    made = check(data, found)
    for name in ("day", "at"):
        one, other = (t.column(name).cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
                      for t in (made, data.tables["t"]))  # fmt: skip
        assert kolmogorov_smirnov(one, other) < 0.12


def test_what_stands_on_a_distance_is_restored_in_order() -> None:
    """A day that is itself a distance above another day is there before the instant that stands above it."""
    due = DAY + pd.to_timedelta(RNG.integers(0, 20, ROWS), unit="D")
    at = due + pd.to_timedelta(RNG.integers(0, 86_400, ROWS), unit="s")
    columns = {
        "at": (Field(kind=Kind.DATETIME), pa.Array.from_pandas(at)),
        "due": (DATE, due.dt.date),
        "day": (DATE, DAY.dt.date),
    }
    data = dataset(columns, "due <= at", "day <= due")
    keeper, found = kept(data)
    assert [g.target for g in keeper.tables["t"].gaps] == ["due", "at"]
    check(data, found)
