"""Texts put together of parts: what is copied, what is learned, what is made anew, and what is left alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.schema import Field, Kind
from synthwright.kit.coding.composed import Composed
from synthwright.kit.coding.composing import Asked, Found, composed_of
from synthwright.kit.coding.spelled import Said, sayings, spelled
from synthwright.kit.sampling.dice import Dice

ROWS = 400
RNG = np.random.default_rng(4)
SHOP = RNG.choice(["01", "06", "36"], ROWS)
DAY = np.datetime64("2022-03-01") + RNG.integers(0, 600, ROWS)
COUNT = RNG.integers(0, 90, ROWS)
FIELDS = {"shop": Field(kind=Kind.CATEGORY), "day": Field(kind=Kind.DATE), "count": Field(kind=Kind.INTEGER)}
HELD = pa.table({"shop": pa.array(SHOP.tolist(), pa.large_string()), "day": pa.array(DAY), "count": COUNT})
FRESH = [f"{n:06d}" for n in RNG.permutation(10**6)[:ROWS]]


def _found(texts: list[str | None], unique: str = "") -> Found | None:
    said = sayings(FIELDS, HELD)
    return composed_of(Asked("code", unique, 1.0, 3), pa.array(texts, pa.large_string()), HELD, said)


def _made(composed: Composed, rows: int = ROWS, beside: pa.Table | None = HELD) -> list[str]:
    numbers = np.arange(rows)
    held = None if beside is None else beside.slice(0, rows)
    made: list[str] = composed.make(None, numbers, Dice(numbers.astype(np.uint64), 1), held, {}).to_pylist()
    return made


@pytest.mark.parametrize(
    "texts",
    [
        [f"{s}{f}" for s, f in zip(SHOP, FRESH, strict=True)],  # a code that begins as another
        [f"L{str(d)[2:].replace('-', '')}-{f}" for d, f in zip(DAY, FRESH, strict=True)],  # a day
        [f"N{c:03d}/{f}" for c, f in zip(COUNT, FRESH, strict=True)],  # a number with leading zeros
        [f"{f}{s}" for s, f in zip(SHOP, FRESH, strict=True)],  # at the end of a run of digits
    ],
    ids=["beginning", "day", "number", "end"],
)
def test_what_another_column_says_is_copied(texts: list[str | None]) -> None:
    """The part is the row's own again, the rest is none of the real ones, and lengths are as they were."""
    found = _found(texts)
    assert found is not None
    (pieces,) = found.composed.built
    copied = next(p.copied for p in pieces if p.copied)
    made = _made(found.composed)
    said = spelled(HELD, copied).to_pylist()
    assert all(s in m for s, m in zip(said, made, strict=True))
    assert {len(m) for m in made} == {len(str(texts[0]))}
    assert len(set(made) & set(texts)) <= 1
    assert Composed.of_json(found.composed.to_json()) == found.composed


def test_numbers_that_repeat_are_learned() -> None:
    """Of `93/12` both are columns of their own, null where the text is."""
    texts: list[str | None] = [f"{c % 7}/{c % 11 + 20}" for c in COUNT]
    texts[5] = None
    found = _found(texts)
    assert found is not None
    assert [len(set(values.to_pylist()) - {None}) for _, values in found.hidden.values()] == [7, 11]
    assert all(values[5].as_py() is None for _, values in found.hidden.values())
    assert found.which[5].as_py() is None


def test_unique_codes_differ_in_every_row() -> None:
    """Whatever the copied part is, other row numbers give other codes, also beyond what the digits hold."""
    found = _found([f"{s}-{f}" for s, f in zip(SHOP, FRESH, strict=True)], unique="17")
    assert found is not None
    numbers = np.concatenate([np.arange(50), np.arange(50) + 10**6, np.arange(50) + 3 * 10**6])
    made = found.composed.make(None, numbers, Dice(numbers.astype(np.uint64), 1), None, {}).to_pylist()
    assert len(set(made)) == len(made)


def test_a_year_before_a_number_of_few_digits_stays_the_year() -> None:
    """There need be no more room than unique numbers want."""
    day = pa.array([dt.date(2022 + i % 2, 1, 1 + i % 28) for i in range(ROWS)])
    texts = pa.array([f"C-{d.year}-{i:05d}" for i, d in enumerate(day.to_pylist())], pa.large_string())
    held = pa.table({"day": day})
    found = composed_of(Asked("code", "17", 1.0, 3), texts, held, sayings({"day": Field(kind=Kind.DATE)}, held))
    assert found is not None
    assert any(p.copied == Said("day", "Y") for p in found.composed.built[0])


@pytest.mark.parametrize(
    "texts",
    [
        [f"{a} {b}" for a, b in zip(RNG.choice(["Ann", "Bo", "Cy"], ROWS), RNG.choice(["Day", "Fox"], ROWS),
                                    strict=True)],
        [" ".join(w) for w in RNG.choice([f"{a}{b}" for a in "aeiou" for b in "bcdfg"], (ROWS, 3)).tolist()],
        [f"{'A-' if i % 2 else 'B/'}{n:03d}" for i, n in enumerate(RNG.permutation(1000)[:ROWS])],
        [f"{f}-{f[::-1]}" for f in FRESH],
        ["same 1"] * ROWS,
        [f"{s}-{i % 50:02d}" for i, s in enumerate(np.sort(FRESH)[:ROWS])][:10] + [None] * (ROWS - 10),
        [None] * ROWS,
    ],
    ids=["names", "words", "crowded", "random", "constant", "few", "nothing"],
)  # fmt: skip
def test_what_says_nothing_is_left_alone(texts: list[str | None]) -> None:
    """Free words, random digits, constants and a handful of texts are not put together."""
    assert _found(texts) is None


def test_codes_without_room_are_left_alone() -> None:
    """Where real texts would come back, texts are made as ever."""
    assert _found([f"{s}-{i}" for i, s in enumerate(SHOP)], unique="17") is None


def test_days_are_spelled_in_many_ways() -> None:
    """Years, months, days and days of the year, each with its zeros; nothing before or without a day."""
    held = pa.table({"day": pa.array([dt.date(2024, 3, 5), None])})
    for form, wanted in {"Ymd": "20240305", "ymd": "240305", "dmY": "05032024", "Yj": "2024065", "m": "03"}.items():
        assert spelled(held, Said("day", form)).to_pylist() == [wanted, None]
    assert spelled(held, Said("absent")).to_pylist() == [None, None]
