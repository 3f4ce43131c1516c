"""Texts put together of numbers: in which ways they are written, and what is left to codes."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthwright.core.compound_ways import Way
from synthwright.core.compounds import ways_of
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Kind

ROWS = 400
RNG = np.random.default_rng(7)
LOW = RNG.integers(5, 100, ROWS)
HIGH = LOW + RNG.integers(1, 60, ROWS)
REAL = RNG.normal(0, 3, ROWS)
MONEY = RNG.gamma(2, 900, ROWS)
DAY = timedelta(days=1)
DAYS = [datetime(2024, 1, 1) + int(a) * timedelta(hours=7) for a in RNG.integers(0, 900, ROWS)]


def _ways(texts: list[str]) -> list[Way] | None:
    return ways_of(pa.array(texts, pa.large_string()), np.ones(len(texts)), 3)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([f"{a}-{b}" for a, b in zip(LOW, HIGH, strict=True)], [("", "-", "")]),
        ([f"{b}/{a}" for a, b in zip(LOW, HIGH, strict=True)], [("", "/", "")]),
        ([f"{a}x{b}x25 cm" for a, b in zip(LOW, HIGH, strict=True)], [("", "x", "x25 cm")]),
        ([f"{a:.2f} ({a - 1:.2f}, {a + 2:.2f})" for a in REAL], [("", " (", ", ", ")")]),
        ([f"{a:.5f},{b:.5f}" for a, b in zip(REAL, MONEY, strict=True)], [("", ",", "")]),
        ([f"{a:,.2f} - {a + 9:,.2f} EUR" for a in MONEY], [("", " - ", " EUR")]),
        ([f"{a:.1f}x{b:.1f}".replace(".", ",") for a, b in zip(LOW, HIGH, strict=True)], [("", "x", "")]),
        ([f"ca. {b}" for b in HIGH], [("ca. ", "")]),
        (["<20" if a < 20 else f"{a}.5" for a in LOW], [("", ""), ("<20",)]),
        (
            ["unknown" if a < 20 else "not measured" if a < 30 else f"{a}.5" for a in LOW],
            [("", ""), ("unknown",), ("not measured",)],
        ),
        ([f"{a / 1000:.1f} kg" if a >= 1000 else f"{a:.0f} g" for a in MONEY], [("", " kg"), ("", " g")]),
        ([f"{d:%Y-%m-%d} to {d + 9 * DAY:%Y-%m-%d}" for d in DAYS], [("", " to ", "")]),
        ([f"{a % 9 + 1}:00 AM - {b % 7 + 1}:30 PM" for a, b in zip(LOW, HIGH, strict=True)], [("", " - ", "")]),
        (["open" if a < 20 else f"{d:%d.%m.%Y}" for a, d in zip(LOW, DAYS, strict=True)], [("", ""), ("open",)]),
        (
            [f"{d:%Y-%m-%dT%H:%M}{'Z' if a < 20 else '+02:00'}" for a, d in zip(LOW, DAYS, strict=True)],
            [("", "+02:00"), ("", "Z")],
        ),
    ],
    ids=[
        *("range", "ratio", "sizes", "interval", "place", "money", "comma", "about", "below", "unknown", "units"),
        *("days", "hours", "open", "offsets"),
    ],
)
def test_numbers_and_the_words_around_them_are_found(texts: list[str], words: list[tuple[str, ...]]) -> None:
    """Every way in which texts are written is found, and together they say each text again."""
    found = _ways(texts)
    assert found is not None
    assert sorted(way.words for way in found) == sorted(words)
    assert sum(way.rows.sum() for way in found) == ROWS


@pytest.mark.parametrize(
    "texts",
    [
        [f"{a}.{b}.7.{a}" for a, b in zip(LOW, HIGH, strict=True)],  # an address of the internet
        [f"A{a}-{b}" for a, b in zip(LOW, HIGH, strict=True)],  # a code
        [f"AB-{a}" for a in LOW],
        [f"{2020 + a % 3}-{n}" for n, a in enumerate(LOW)],  # a counter
        [f"{a:03d}/{b}" for a, b in zip(LOW, HIGH, strict=True)],  # digits with leading zeros
        [f"Rosewood {a}" for a in LOW],  # a word that says where
        [f"{a}" for a in LOW],  # a plain number
        [f"{n} {m}" for n, m in RNG.integers(10**5, 10**6, (ROWS, 2))],  # digits at random
    ],
    ids=["address", "code", "letters", "counter", "zeros", "place", "plain", "digits"],
)
def test_codes_and_plain_numbers_are_left_alone(texts: list[str]) -> None:
    """What identifies is no amount."""
    assert _ways(texts) is None


def test_columns_of_numbers_in_text_are_texts_unless_most_labels_repeat() -> None:
    """Rare ones among them would be lost as labels; where nearly all repeat, labels they are."""
    frame = pd.DataFrame({
        "range": [f"{a}-{b}" for a, b in zip(LOW, HIGH, strict=True)],
        "size": [f"{a}x{n}" for n, a in enumerate(RNG.permutation(ROWS) + 50)],
        "score": [f"{a % 3}:{b % 2}" for a, b in zip(LOW, HIGH, strict=True)],
        "band": [f"{10 * (a // 10)}-{10 * (a // 10) + 9}" for a in LOW],
    })  # fmt: skip
    fields = Dataset.of(frame).schema.tables["data"].fields
    assert [f.kind for f in fields.values()] == [Kind.TEXT, Kind.KEY, Kind.CATEGORY, Kind.CATEGORY]
