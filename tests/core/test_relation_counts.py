"""Columns that are counted or picked from others, and dates that say the week, month or quarter of another one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.core.dataset import Dataset
from synthwright.core.rules import parse
from synthwright.kit.constraints.expressions import holds

ROWS = 400


def _rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def _numbers(columns: int, seed: int = 1) -> pd.DataFrame:
    return pd.DataFrame(_rng(seed).normal(60, 12, (ROWS, columns)).round(1), columns=list("uvwxyz")[:columns])


def _best() -> pd.DataFrame:
    tries = _numbers(3).mask(_rng(2).random((ROWS, 3)) < 0.2)
    tries["w"] = tries["w"].fillna(40.0)
    return tries.assign(best=tries.max(axis=1), noise=_rng(5).normal(0, 1, ROWS).round(2))


def _worst() -> pd.DataFrame:
    return _numbers(4).assign(low=_numbers(4).min(axis=1))


def _mean() -> pd.DataFrame:
    marks = pd.DataFrame(_rng().integers(1, 7, (ROWS, 3)), columns=list("abc"))
    return marks.assign(hours=_rng(3).integers(0, 6, ROWS), mean=marks.mean(axis=1).round(1))


def _bought() -> pd.DataFrame:
    held = pd.DataFrame(_rng().poisson(0.8, (ROWS, 5)), columns=list("abcde"))
    return held.assign(products=(held > 0).sum(axis=1))


def _answered() -> pd.DataFrame:
    held = _numbers(4).mask(_rng(2).random((ROWS, 4)) < 0.3)
    held["word"] = ["x" if said else None for said in _rng(4).random(ROWS) < 0.5]
    return held.assign(answered=held.notna().sum(axis=1))


def _absolute() -> pd.DataFrame:
    amount = _rng().normal(0, 90, ROWS).round(2)
    return pd.DataFrame({"amount": amount, "size": np.abs(amount)})


def _days() -> pd.DataFrame:
    day = pd.Timestamp("2021-01-01") + pd.to_timedelta(_rng().integers(0, 900, ROWS), "D")
    return pd.DataFrame({
        "day": [f"{d:%d.%m.%Y}" for d in day], "month": [f"{d:%Y-%m}" for d in day],
        "week": [f"{d:%G-W%V}" for d in day], "quarter": [f"{d.year}Q{d.quarter}" for d in day],
        "number": day.isocalendar().week.to_numpy().astype(int), "period": [int(f"{d:%Y%m}") for d in day],
    })  # fmt: skip


def _instants() -> pd.DataFrame:
    at = pd.Timestamp("2021-01-01") + pd.to_timedelta(_rng().integers(0, 900 * 86_400, ROWS), "s")
    return pd.DataFrame({"at": at, "month": at.to_period("M").to_timestamp(), "n": _rng(2).normal(0, 1, ROWS)})


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (_best, ["best == max(u, v, w)"]),
        (_worst, ["low == min(u, v, w, x)"]),
        (_mean, ["mean == (a + b + c) / 3"]),
        (_bought, ["products == (a > 0) + (b > 0) + (c > 0) + (d > 0) + (e > 0)"]),
        (
            _answered,
            ["answered == (u is not null) + (v is not null) + (w is not null) + (x is not null) + (word is not null)"],
        ),
        (_absolute, ["size == abs(amount)"]),
        (_days, ["month == month_start(day)", "number == week(day)", "quarter == quarter_start(day)",
                 "week == week_start(day)"]),
        (_instants, ["month == month_start(at)"]),
    ],
    ids=["best", "worst", "mean", "bought", "answered", "absolute", "days", "instants"],
)  # fmt: skip
def test_relations_are_found_and_kept(make: Callable[[], pd.DataFrame], wanted: list[str]) -> None:
    """They are found in real rows, hold in all made ones, and nothing is said twice."""
    real = make()
    model = sw.fit(real, seed=1)
    found = [r.rule for r in model.schema.tables["data"].rules]
    assert [r for r in sorted(found) if r in wanted] == sorted(wanted)
    assert not [r for r in found if " <= " in r and make in (_best, _worst, _instants)]
    made = Dataset.of(model.sample(600, seed=2), model.schema)
    for rule in found:
        assert holds(made.tables["data"], rule, made.schema.tables["data"]).all(), rule


def test_what_only_looks_so_is_no_relation() -> None:
    """Numbers that are close to a mean, a maximum of most rows and counts by chance are left alone."""
    marks, bought, tries = _mean(), _bought(), _worst()
    off = np.arange(ROWS) == 7
    marks["mean"] += 0.2 * off
    bought["products"] += off
    tries["low"] -= 0.5 * off
    for frame in (
        marks,
        bought,
        tries,
        _numbers(6),
        pd.DataFrame(_rng().integers(0, 3, (ROWS, 6)), columns=list("abcdef")),
    ):
        rules = [r.rule for r in Dataset.of(frame).schema.tables["data"].rules]
        assert not [r for r in rules if " == " in r], rules


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("best == max(u)", "several values"),
        ("best == min(u, v", "several values"),
        ("best == abs(u, v)", "one value"),
    ],
)
def test_functions_of_several_values_take_several(rule: str, wrong: str) -> None:
    """One value has no greatest, and other functions take one."""
    with pytest.raises(ValueError, match=wrong):
        parse(rule)


def test_the_greatest_is_of_those_that_are_there() -> None:
    """A missing value is no candidate; where all are missing there is none, and the rule breaks nothing."""
    frame = pd.DataFrame({"a": [1.5, None, 3.0, None], "b": [2.0, 4.0, None, None], "m": [2.0, 4.0, 3.5, 1.0]})
    data = Dataset.of(frame)
    spec = data.schema.tables["data"]
    assert holds(data.tables["data"], "m == max(a, b)", spec).tolist() == [True, True, False, True]
    assert holds(data.tables["data"], "m > min(a, b, 2)", spec).tolist() == [True, True, True, False]
