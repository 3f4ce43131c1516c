"""Patients, their clinics, and the events that state machines make for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.ruled import as_field
from synthwright.processes.states import States

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "clinic": {"key": "id", "fields": {"id": KEY, "pace": {"kind": "number"}}},
    "patient": {"key": "id", "fields": {
        "id": KEY, "clinic": {"kind": "reference", "to": "clinic.id", "type": "int64"}, "sex": {"kind": "category"},
        "age": {"kind": "integer"}, "born": {"kind": "date"}, "died": {"kind": "date"},
        "seen": {"kind": "datetime", "type": "timestamp[us, tz=Europe/Paris]"},
    }},
    "event": {"key": "id", "fields": {
        "id": KEY, "patient": {"kind": "reference", "to": "patient.id", "type": "int64"},
        "state": {"kind": "category"}, "at": {"kind": "datetime"}, "day": {"kind": "date"},
        "minute": {"kind": "datetime", "step": 60_000_000}, "paris": {"kind": "datetime",
        "type": "timestamp[ns, tz=Europe/Paris]"}, "module": {"kind": "text"}, "position": {"kind": "integer"},
        "code": {"kind": "category"}, "level": {"kind": "integer"}, "full": {"kind": "category", "nulls": False},
    }},
}})  # fmt: skip


def patients(rows: int) -> Dataset:
    """Return patients of three clinics: of each sex in turn, of all ages, every fourth one died on 2024-03-01."""
    who = np.arange(rows)
    born = (who % 20_000).astype(np.int32)
    died = pa.array(np.full(rows, 19_783, dtype=np.int32), mask=who % 4 > 0).cast(pa.date32())
    held = {"id": pa.array(who), "clinic": pa.array(who % 3), "age": pa.array(who % 90), "died": died,
            "sex": pa.array(["F", "M"], pa.large_string()).take(pa.array(who % 2)),
            "born": pa.array(born).cast(pa.date32()),
            "seen": pa.array(who * 3_600_000_000).cast(pa.timestamp("us", tz="Europe/Paris"))}  # fmt: skip
    clinics = {"id": pa.array([0, 1, 2]), "pace": pa.array([1.0, 2.0, None])}
    blank = Dataset.blank(SCHEMA, {"patient": rows, "clinic": 3})
    return blank.with_columns("patient", held).with_columns("clinic", clinics)


def machine(states: Mapping[str, Any], **how: Any) -> dict[str, Any]:
    """Return a machine that begins in its first state with the year 2024."""
    return {"begins": "2024-01-01", "first": next(iter(states)), "states": dict(states), **how}


def found(how: Mapping[str, Any], rows: int, *, seed: int = 0, given: Dataset | None = None) -> pa.Table:
    """Return the rows that a process makes, as the table would hold them; what is wrong with it fails the test."""
    process = States.model_validate(how)
    assert process.misused(SCHEMA, "event", "patient") == []
    made = process.unfold(given or patients(rows), "event", "patient", Context(seed=seed).at("shard", 0))
    assert set(made.columns) == set(process.makes())
    assert (np.diff(made.whose) >= 0).all()
    fields = SCHEMA.tables["event"].fields
    columns = {c: as_field(v, fields[c], "states", c) for c, v in made.columns.items()}
    return pa.table({"patient": pa.array(made.whose), **columns})


def walked(states: Mapping[str, Any], rows: int, *, seed: int = 0, **how: Any) -> tuple[np.ndarray, ...]:
    """Return whose, which state and on which day (with its fraction, from 2024 on) of a single machine's rows."""
    about: dict[str, Any] = {k: how.pop(k) for k in ("until", "most") if k in how}
    table = found({**about, "machines": {"m": machine(states, **how)}}, rows, seed=seed)
    at = table.column("at").cast(pa.int64()).to_numpy() / 86_400e6 - 19_723
    return table.column("patient").to_numpy(), np.array(table.column("state").to_pylist()), at


def wrong(how: Mapping[str, Any]) -> list[str]:
    """Return what a process says is wrong with its parameters, each with its place."""
    process = States.model_validate(how)
    return [f"{'.'.join(map(str, place))}: {said}" for place, said in process.misused(SCHEMA, "event", "patient")]
