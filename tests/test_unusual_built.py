"""Codes, texts that are built alike, parts of dates, ties and references inside a table keep what makes them so."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthwright as sw

N = 300
RNG = np.random.default_rng(8)
Row = dict[Any, Any]
DAYS = [dt.date(2018, 1, 1) + dt.timedelta(int(k)) for k in RNG.integers(0, 1800, N)]
TIMES = pd.to_datetime(RNG.integers(1_600_000_000, 1_650_000_000, N), unit="s")
NUMBERS = RNG.integers(0, 10, (N, 9))


def _ean(digits: np.ndarray) -> str:
    said = "590" + "".join(map(str, digits))
    return said + str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(said)) % 10)


def _is_ean(said: Any) -> bool:
    return len(str(said)) == 13 and _ean(np.array([int(c) for c in str(said)[3:12]]))[-1] == str(said)[-1]


def _spelled(regex: str) -> Callable[[Row], bool]:
    return lambda row: re.fullmatch(regex, row["x"]) is not None


def _chars(letters: str, k: int = 1) -> list[str]:
    return ["".join(c) for c in RNG.choice(list(letters), (N, k))]


EVERY: dict[str, tuple[dict[str, Any], Callable[[Row], bool]]] = {
    "letters that are usual at a place": (
        {"x": [f"W{a} {k:05}" for a, k in zip(_chars("ABCDE"), RNG.integers(0, 99_999, N), strict=True)]},
        _spelled(r"W[A-E] \d{5}"),
    ),
    "words before a number": (
        {"x": [f"{a}-{k:04}-{b}" for a, k, b in zip(RNG.choice(["AB", "CD", "XZ"], N), RNG.integers(0, 9_999, N),
                                                   _chars("XYZ"), strict=True)]},
        _spelled(r"(AB|CD|XZ)-\d{4}-[XYZ]"),
    ),
    "words among letters, of two lengths": (
        {"x": [a + b + "PW" + ("XXX" if i % 2 else "") for i, (a, b) in
               enumerate(zip(_chars(ascii_uppercase, 4), RNG.choice(["PL", "DE", "FR"], N), strict=True))]},
        _spelled(r"[A-Z]{4}(PL|DE|FR)PW(XXX)?"),
    ),
    "versions, most of which there are": (
        {"x": [f"{a}.{b}.{c}" for a, b, c in zip(RNG.integers(0, 4, N), RNG.integers(0, 10, N), RNG.integers(0, 20, N),
                                                 strict=True)]},
        _spelled(r"[0-3]\.\d\.(\d|1\d)"),
    ),
    "numbers between words": (
        {"x": [f"{a}x{b} cm" for a, b in zip(RNG.integers(1, 30, N) * 10, RNG.integers(1, 20, N) * 5, strict=True)]},
        _spelled(r"[12]?\d0x\d{1,2}[05]? cm"),
    ),
    "JSON": (
        {"x": [json.dumps({"id": int(a), "tag": str(b), "v": round(float(c), 2)}) for a, b, c in
               zip(RNG.integers(0, 10**6, N), RNG.choice(["new", "old"], N), RNG.normal(size=N), strict=True)]},
        lambda row: json.loads(row["x"])["tag"] in ("new", "old"),
    ),
    "check digits as text": ({"x": [_ean(d) for d in NUMBERS]}, lambda row: _is_ean(row["x"])),
    "check digits as numbers": ({"ean": [int(_ean(d)) for d in NUMBERS]}, lambda row: _is_ean(row["ean"])),
    "significant digits": (
        {"x": [float(f"{v:.2e}") for v in RNG.lognormal(8, 3, N)]},
        lambda row: abs(float(f"{row['x']:.2e}") / row["x"] - 1) < 1e-9,
    ),
    "names of months": (
        {"day": DAYS, "month": [d.strftime("%b") for d in DAYS]}, lambda row: row["day"].strftime("%b") == row["month"],
    ),
    "weekends": (
        {"day": DAYS, "off": [d.weekday() >= 5 for d in DAYS]}, lambda row: (row["day"].weekday() >= 5) == row["off"],
    ),
    "weekdays as numbers": (
        {"day": DAYS, "number": [d.weekday() for d in DAYS]}, lambda row: row["day"].weekday() == row["number"],
    ),
    "hours": ({"at": TIMES, "hour": TIMES.hour}, lambda row: row["at"].hour == row["hour"]),
    "quotients of whole numbers": (
        {"way": (way := RNG.integers(100, 9_000, N)), "hours": (hours := RNG.integers(1, 60, N)), "speed": way / hours},
        lambda row: abs(row["way"] / row["hours"] / row["speed"] - 1) < 1e-6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(EVERY))
def test_every_made_row_is_built_as_the_real_ones_are(name: str) -> None:
    """Formats, check digits and what follows from dates hold in every row."""
    columns, holds = EVERY[name]
    real = pd.DataFrame({**columns, "other": RNG.normal(size=N)})
    assert all(map(holds, real.to_dict("records")))
    made = sw.fit(real, "marginals", seed=1).sample(250, seed=2)
    wrong = [row for row in made.to_dict("records") if not holds(row)]
    assert not wrong, wrong[:3]


def test_as_many_rows_as_there_were_begin_and_end_at_once() -> None:
    """Ties between two ordered columns are as frequent as they were."""
    low = RNG.integers(0, 50, N)
    high = np.where(RNG.random(N) < 0.5, low, low + RNG.integers(0, 40, N))
    made = sw.fit(pd.DataFrame({"low": low, "high": high}), seed=1).sample(N, seed=2)
    assert (made["low"] <= made["high"]).all()
    assert abs((made["low"] == made["high"]).mean() - (low == high).mean()) < 0.08


@pytest.mark.parametrize("kind", ["codes", "numbers"])
def test_references_inside_a_table_point_to_earlier_rows(kind: str) -> None:
    """No circles and no rows that are not there, however many are made."""
    numbers = kind == "numbers"
    codes = RNG.choice(99_999, N, replace=False) + 100_000
    keys = codes.tolist() if numbers else [f"E-{c}" for c in codes]
    boss = pd.Series([None, *(keys[int(RNG.integers(0, i))] for i in range(1, N))])
    real = pd.DataFrame(
        {"emp_id": keys, "boss_id": boss.astype("Int64") if numbers else boss, "pay": RNG.normal(size=N)}
    )
    model = sw.fit(real, "default", seed=1)
    assert model.schema.tables["data"].fields["boss_id"].to == "data.emp_id"
    for rows in (50, 600):
        made = model.sample(rows, seed=2)
        place = {key: i for i, key in enumerate(made["emp_id"])}
        assert len(place) == rows
        assert made["boss_id"].isna().sum() >= 1
        assert all(place[b] < i for i, b in enumerate(made["boss_id"]) if not pd.isna(b))


def test_a_number_that_only_happens_to_be_among_the_keys_is_none() -> None:
    """Small numbers occur among running keys by accident."""
    real = pd.DataFrame(
        {"emp_id": np.arange(1, N + 1), "rank": RNG.integers(1, 200, N), "parent_age": RNG.integers(20, 90, N)}
    )
    fields = sw.fit(real, "marginals", seed=1).schema.tables["data"].fields
    assert fields["rank"].to is None
    assert fields["parent_age"].to is None


def test_codes_called_like_the_key_of_another_table_point_to_it() -> None:
    """Long codes tell by themselves; the name need not hold that of the table."""
    codes = [f"C-{k:04}" for k in range(60)]
    clients = pd.DataFrame({"code": codes, "kind": RNG.choice(["x", "y"], 60)})
    orders = pd.DataFrame({"nr": [f"O{i}" for i in range(N)], "code": RNG.choice(codes, N)})
    made = sw.fit({"clients": clients, "orders": orders}, "marginals", seed=1).sample(seed=2)
    assert set(made["orders"]["code"]) <= set(made["clients"]["code"])
