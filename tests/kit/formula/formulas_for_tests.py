"""What tests of formulas share: rows of every kind with nulls, and a comparison with plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table, canonical
from synthwright.kit.formula.formulas import faults, read, value
from synthwright.kit.ruled import Ask

BERLIN = ZoneInfo("Europe/Berlin")
FIELDS: dict[str, Field] = {
    "q": Field(kind=Kind.INTEGER),
    "r": Field(kind=Kind.INTEGER),
    "x": Field(kind=Kind.NUMBER),
    "y": Field(kind=Kind.NUMBER),
    "net": Field(kind=Kind.NUMBER, type="decimal128(10, 2)"),
    "flag": Field(kind=Kind.BOOLEAN),
    "name": Field(kind=Kind.TEXT),
    "country": Field(kind=Kind.CATEGORY),
    "born": Field(kind=Kind.DATE),
    "day": Field(kind=Kind.DATE),
    "at": Field(kind=Kind.DATETIME),
    "seen": Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Berlin]"),
    "far": Field(kind=Kind.DATETIME, type="timestamp[us, tz=+05:30]"),
    "clock": Field(kind=Kind.TIME),
    "took": Field(kind=Kind.DURATION),
}
NAMES = ["Łukasz Müller", "o'neil", "  Иван Петров ", "Zoë-Ann 3", "李小龙", "", "MAC donald", None]


def made(rows: int = 60) -> dict[str, list[Any]]:
    """Return columns of values, each with some nulls."""
    rng = Context(seed=3, place=("formulas",)).rng
    days = [date(1940, 1, 1) + timedelta(days=int(n)) for n in rng.integers(0, 30_000, rows)]
    days[:4] = [date(2000, 2, 29), date(2023, 1, 31), date(2024, 2, 29), date(1999, 12, 31)]
    later = [date(1990, 1, 1) + timedelta(days=int(n)) for n in rng.integers(0, 20_000, rows)]
    moments = [datetime(2020, 1, 1) + timedelta(seconds=int(n)) for n in rng.integers(0, 10**8, rows)]
    columns: dict[str, list[Any]] = {
        "q": [int(n) for n in rng.integers(-9, 10, rows)],
        "r": [int(n) for n in rng.integers(0, 4, rows)],
        "x": [float(n) for n in rng.normal(0, 50, rows)],
        "y": [float(n) for n in np.round(rng.random(rows) * 4, 1)],
        "net": [Decimal(int(n)).scaleb(-2) for n in rng.integers(-10_000, 10_000, rows)],
        "flag": [bool(n) for n in rng.random(rows) < 0.5],
        "name": [NAMES[i % len(NAMES)] for i in range(rows)],
        "country": [["DE", "FR", "AT"][int(n)] for n in rng.integers(0, 3, rows)],
        "born": days,
        "day": later,
        "at": moments,
        "seen": [m.replace(tzinfo=BERLIN) for m in moments],
        "far": [m.replace(tzinfo=ZoneInfo("UTC")) for m in moments],
        "clock": [(m + timedelta(hours=5)).time() for m in moments],
        "took": [timedelta(seconds=int(n)) for n in rng.integers(0, 200_000, rows)],
    }
    return {c: [None if i % (11 + k) == 7 else v for i, v in enumerate(values)]
            for k, (c, values) in enumerate(columns.items())}  # fmt: skip


COLUMNS = made()
SCHEMA = Schema(tables={"t": Table(fields=FIELDS)})
ASK = Ask(
    Dataset(SCHEMA, {"t": pa.table({c: pa.array(v, canonical(FIELDS[c])) for c, v in COLUMNS.items()})}),
    "t", (), Context(seed=1),
)  # fmt: skip
ROWS = [SimpleNamespace(**dict(zip(COLUMNS, values, strict=True))) for values in zip(*COLUMNS.values(), strict=True)]
Expected = Callable[[Any], Any]


def agrees(text: str, expected: Expected, *, nulls: bool = False) -> None:
    """Fail unless a formula gives what a function of the row does: null where a column is, unless told otherwise."""
    formula = read(text)
    assert faults(formula, SCHEMA, "t") == []
    got = value(formula, ASK).to_pylist()
    assert len(got) == len(ROWS)
    seen = 0
    for row, found in zip(ROWS, got, strict=True):
        missing = any(getattr(row, p) is None for p in formula.paths)
        wanted = None if missing and not nulls else expected(row)
        seen += wanted is not None
        if isinstance(wanted, float) and found is not None:
            assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12), row
        else:
            assert found == wanted, row
            assert found is None or type(found) is not bool or type(wanted) is bool, row
    assert seen, "every expected value is null"
