"""Hours of the day and days of the week that other columns follow: found, made apart, put together again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.rhythms import Rhythm, find_rhythms, joined, parted

HOUR = 3_600_000_000
ROWS = 1_200
START = 473_352 * HOUR
"""The first of January 2024."""


def instants(hours: np.ndarray, kind: str = "us") -> pa.Array:
    """Return instants so many hours after the first of January 2024."""
    return pa.array(START + (hours * HOUR).astype(np.int64)).view(pa.timestamp("us")).cast(pa.timestamp(kind))


def hours_of(column: pa.ChunkedArray) -> np.ndarray:
    """Return the hour of the day of instants."""
    return np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64())) // HOUR % 24


def table_of(**kinds: Kind) -> Table:
    """Return a table of these fields."""
    return Table(fields={name: Field(kind=kind) for name, kind in kinds.items()})


@pytest.mark.parametrize("type_", ["timestamp[us]", "timestamp[ns]", "timestamp[us, tz=America/New_York]"])
def test_an_instant_in_parts_is_the_same_again(type_: str) -> None:
    """Before 1970 too, and where clocks are not at UTC; what is missing stays missing."""
    spec = Table(fields={"at": Field(kind=Kind.DATETIME, type=type_)})
    rng = np.random.default_rng(1)
    spread = rng.integers(-40 * 365 * 24, 40 * 365 * 24, 500) + rng.random(500)
    unit = "ns" if "ns" in type_ else "us"
    zone = "America/New_York" if "tz" in type_ else None
    whole = instants(spread).cast(pa.timestamp(unit)).view(pa.timestamp(unit, tz=zone))
    held = pa.table({"at": pa.array([None if i % 7 == 0 else v for i, v in enumerate(whole)], whole.type)})
    for rhythm in (Rhythm("at", "time", ""), Rhythm("at", "time", "weekday")):
        apart = parted(held, [rhythm], spec)
        assert {"time", *([rhythm.weekday] if rhythm.weekday else [])} < set(apart.column_names)
        assert not apart.column("time").null_count
        assert apart.column("at").type in (pa.date32(), pa.int64())
        back = joined(apart, [rhythm], spec)
        assert back.column_names == ["at"]
        missed = sum(a != b for a, b in zip(back.column("at").to_pylist(), held.column("at").to_pylist(), strict=True))
        assert missed <= (2 if zone else 0)  # hours that clocks show twice


def test_days_in_weeks_are_the_same_again() -> None:
    """A date is its week and its day of the week."""
    spec = table_of(day=Kind.DATE)
    held = pa.table({"day": pa.array(np.arange(-30, 30), pa.int32()).view(pa.date32())})
    apart = parted(held, [Rhythm("day", "", "weekday")], spec)
    assert set(apart.column("weekday").to_pylist()) == set("0123456")
    assert apart.column("weekday").to_pylist()[30] == "3"  # the first of January 1970 was a Thursday
    assert joined(apart, [Rhythm("day", "", "weekday")], spec).equals(held)


def test_rhythms_are_found_where_there_are_some_and_no_others() -> None:
    """By what goes with the hour or the weekday, or by rush hours alone; noise and a single day have none."""
    rng = np.random.default_rng(2)
    spec = table_of(at=Kind.DATETIME, load=Kind.NUMBER)
    even = np.arange(ROWS)

    def found(hours: np.ndarray, load: np.ndarray) -> list[Rhythm]:
        return find_rhythms(pa.table({"at": instants(hours), "load": load}), spec, ["at"])

    noise = rng.normal(size=ROWS)
    assert found(even, noise) == []
    assert found(even / 60, np.sin(even / 60 / 24 * 2 * np.pi) + noise / 10) == []  # twenty hours
    assert [r.clock for r in found(even, np.sin(even / 24 * 2 * np.pi) + noise)] == ["at (time)"]
    assert [r.weekday for r in found(even * 3, np.where(even * 3 // 24 % 7 > 4, 3, 0) + noise)] == ["at (weekday)"]
    rush = rng.integers(0, 90, ROWS) * 24 + np.clip(rng.normal(9, 2, ROWS), 0, 23)
    assert [r.clock for r in found(rush, noise)] == ["at (time)"]


def test_the_hour_goes_on_to_tell_the_load() -> None:
    """An hourly series of weeks: what follows the hour of the day does so in made rows, on full hours, with nulls."""
    rng = np.random.default_rng(3)
    even = np.arange(ROWS)
    at = instants(even, "s")
    load = 50 + 20 * np.sin(even / 24 * 2 * np.pi) + rng.normal(0, 2, ROWS)
    real = pa.table({"at": pa.array([None if i % 10 == 3 else v for i, v in enumerate(at)], at.type), "load": load})
    model = sw.fit(real, seed=1)
    fake = model.sample(ROWS, seed=2)
    assert fake.schema.equals(real.schema)
    assert abs(fake.column("at").null_count / ROWS - 0.1) < 0.04
    there = fake.filter(pa.compute.is_valid(fake.column("at")))
    assert not np.any(np.asarray(there.column("at").cast(pa.int64())) % 3600)
    wave = np.sin(hours_of(there.column("at")) / 24 * 2 * np.pi)
    assert np.corrcoef(wave, np.asarray(there.column("load")))[0, 1] > 0.9


def test_saved_models_keep_rhythms(tmp_path: object) -> None:
    """What is loaded samples the same; an instant that is set stays."""
    rng = np.random.default_rng(4)
    even = np.arange(ROWS)
    real = pa.table({"at": instants(even), "load": np.where(even % 24 > 17, 5.0, 1.0) + rng.normal(0, 0.2, ROWS)})
    model = sw.fit(real, seed=1)
    model.save(f"{tmp_path}/model")
    assert sw.load(f"{tmp_path}/model").sample(60, seed=2).equals(model.sample(60, seed=2))
    late = model.sample(60, set={"at": "2024-01-20 20:00:00"}, seed=2)
    assert set(late.column("at").to_pylist()) == {instants(np.array([19 * 24 + 20]))[0].as_py()}
    assert float(np.median(np.asarray(late.column("load")))) > 4
