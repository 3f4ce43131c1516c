"""Distributions are what they say: by formulas, cut off, rounded, in columns of time, and refused where impossible."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, made, refused, seen, start, wrong

from synthwright.core.contracts import Generator
from synthwright.core.errors import SampleError
from synthwright.generators.distribution import Distribution
from synthwright.testing import check_generator
from synthwright.testing.contract import run
from synthwright.testing.generators import CHECKS

ROWS = 20_000


def drawn(column: str, rows: int = ROWS, **how: Any) -> np.ndarray:
    """Return the values of a column as numpy has them."""
    table = made(Distribution.model_validate(how), column, start(rows, seen(rows)))
    return np.asarray(table.column(column).to_numpy())


def test_contract() -> None:
    """All that holds for every generator holds, with a distribution that was said too."""
    check_generator(Distribution)
    how = {"mixture": [{"weight": 2, "gamma": {}}, {"uniform": {"high": 9}}], "between": [0.5, None], "nulls": 0.1}
    recipe: Generator = Distribution.model_validate(how)
    run(CHECKS, recipe)


def test_follows_a_formula() -> None:
    """A parameter that is a formula counts for each row; where it has no value the row gets none."""
    given = seen(ROWS)
    age = np.array(given["age"])
    found = drawn("number", normal={"mean": "20 + 0.5 * age", "sd": "1 + age / 10"})
    assert stats.kstest((found - 20 - 0.5 * age) / (1 + age / 10), "norm").pvalue > LEVEL
    table = made(Distribution.model_validate({"normal": {"mean": "1 / (age - 3)"}}), "number", start(ROWS, given))
    assert np.array_equal(table.column("number").is_null().to_numpy(), age == 3)


def test_ends_that_are_formulas() -> None:
    """Ends may follow other columns."""
    age = np.array(seen(ROWS)["age"])
    found = drawn("number", normal={"mean": 50, "sd": 30}, between=["age - 10", "age + 10"])
    assert (np.abs(found - age) <= 10).all()
    low, high = (stats.norm(50, 30).cdf(age + d) for d in (-10, 10))
    assert stats.kstest((stats.norm(50, 30).cdf(found) - low) / (high - low), "uniform").pvalue > LEVEL


@pytest.mark.parametrize(("column", "step"), [("whole", 1), ("number", 0.25), ("cents", 0.01), ("money", 0.01)])
def test_ends_mean_what_was_rounded(column: str, step: float) -> None:
    """Each multiple between the ends gets the share of what is rounded to it, the outermost too."""
    how: dict[str, Any] = {"normal": {"mean": 3 * step, "sd": 2 * step}, "between": [0.6 * step, 5 * step]}
    if column == "number":
        how["round"] = 0.25
    found = drawn(column, **how).astype(float)
    counts = np.bincount(np.rint(found / step).astype(int), minlength=7)
    assert found == pytest.approx(np.rint(found / step) * step)
    assert counts[[0, 6]].tolist() == [0, 0]
    shares = np.diff(stats.norm(3, 2).cdf(np.arange(1, 7) - 0.5))
    assert stats.chisquare(counts[1:6], shares / shares.sum() * ROWS).pvalue > LEVEL


@pytest.mark.parametrize("column", ["whole", "day"])
def test_uniform_whole_numbers(column: str) -> None:
    """A die has six sides that are as likely, and a week seven days."""
    found = drawn(column, uniform={"low": 1, "high": 6} if column == "whole" else {"low": "1970-01-02",
                                                                                   "high": "1970-01-07"})  # fmt: skip
    counts = np.bincount(found.astype("int64"), minlength=8)
    assert stats.chisquare(counts[1:7]).pvalue > LEVEL
    assert counts[[0, 7]].sum() == 0


def test_columns_of_time() -> None:
    """ISO ends are understood in every kind of time, in its zone, and other columns of time are ends too."""
    cases: dict[str, tuple[str, str, Any, Any]] = {
        "day": ("2024-02-28", "2024-03-01", date(2024, 2, 28), date(2024, 3, 1)),
        "moment": ("2024-01-01", "2024-01-01T06:00:00", datetime(2024, 1, 1), datetime(2024, 1, 1, 6)),
        "clock": ("09:30", "17:00:30", time(9, 30), time(17, 0, 30)),
        "spell": ("PT1M", "P1D", timedelta(minutes=1), timedelta(days=1)),
    }  # fmt: skip
    for column, (low, high, least, most) in cases.items():
        rule = Distribution.model_validate({"uniform": {"low": low, "high": high}})
        found = made(rule, column, start(3000)).column(column).to_pylist()
        assert least <= min(found) <= max(found) <= most
        assert max(found) - min(found) > 0.98 * (most - least) if column != "clock" else max(found) > time(16, 58)
    rule = Distribution.model_validate({"uniform": {"low": "born", "high": "2024-06-01"}})
    for column in ("day", "moment"):
        table = made(rule, column, start(3000, seen(3000)))
        born = np.array(table.column("born")).astype("datetime64[us]")
        found = np.array(table.column(column)).astype("datetime64[us]")
        share = (found - born) / (np.datetime64("2024-06-01") - born)
        assert stats.kstest(share, "uniform").pvalue > (LEVEL if column == "moment" else 1e-9)
    table = made(
        Distribution.model_validate({"lognormal": {"median": "PT90S", "sigma": 1}, "round": "PT15S"}),
        "spell",
        start(99),
    )
    assert {int(v.total_seconds()) % 15 for v in table.column("spell").to_pylist()} == {0}


def test_zones() -> None:
    """Ends without a zone are in universal time where the column has one."""
    rule = Distribution.model_validate(
        {"uniform": {"low": "2024-07-01T10:00:00", "high": "2024-07-01T10:00:00.000001"}}
    )
    assert made(rule, "zoned", start(3)).column("zoned")[0].as_py().hour == 12


def test_nothing_but_the_seed_and_place_counts() -> None:
    """Another rule's columns have other values, and the same column the same ones again."""
    rule = Distribution.model_validate({"normal": {}})
    one, two = (made(rule, ["number", "weight"], start(50)) for _ in range(2))
    assert one.equals(two)
    assert not np.array_equal(one.column("number"), one.column("weight"))


def test_impossible_parameters_are_refused() -> None:
    """What numbers alone show to be wrong is refused at once."""
    wrong_ones: list[tuple[dict[str, Any], str]] = [
        ({"normal": {"sd": -1}}, "more than 0"), ({"normal": {}, "beta": {}}, "one distribution"),
        ({"uniform": {"low": 3, "high": 1}}, "'low' at most 'high'"), ({"between": [5, 1]}, "the least value first"),
        ({"triangular": {"low": 0, "mode": 9, "high": 5}}, "'mode' at most"), ({"poisson": {}, "round": 2}, "whole"),
        ({"binomial": {"probability": 1.5}}, "0 to 1"), ({"binomial": {"trials": 2.5}}, "whole number"),
        ({"zipf": {"exponent": 1}}, "more than 1"), ({"lognormal": {"mu": 1, "median": 2}}, "not both"),
        ({"mixture": [{"weight": 0, "normal": {}}]}, "greater than 0"), ({"mixture": [{"weight": 1}]}, "one distribut"),
        ({"normal": {"mean": "20 +"}}, "20"), ({"normal": {"mean": float("inf")}}, "finite"),
        ({"zipf": {"exponent": "age", "ranks": 5}}, "one number"),
    ]  # fmt: skip
    for how, said in wrong_ones:
        with pytest.raises(ValidationError, match=said):
            Distribution.model_validate(how)


def test_misused() -> None:
    """What a column makes impossible is told with its place."""

    def told(column: str, **how: Any) -> str:
        return " ".join(wrong(Distribution.model_validate(how), column))

    assert "say a distribution" in told("number")
    assert told("number", normal={}, between=[50, 60]).startswith("between: number: no value of normal lies")
    assert told("number", beta={"low": 2, "high": 3}, between=[0, 1]).startswith("between")
    assert told("whole", normal={}, between=[0.2, 0.8]).startswith("between")
    assert told("whole", poisson={}, between=[0.2, 0.8]).startswith("between")
    assert told("whole", uniform={"low": 0.2, "high": 0.8}).startswith("uniform: whole: no multiple of 1")
    assert told("whole", normal={}, round=0.5).startswith("round")
    assert told("number", uniform={"low": "2024-01-01", "high": "2024-02-01"}).startswith("uniform.low")
    assert told("day", uniform={"low": "09:30", "high": "2024-02-01"}).startswith("uniform.low")
    assert told("day", uniform={"low": "2024-02-30", "high": "2024-03-01"}).startswith("uniform.low")
    assert told("day", uniform={"low": "2024-02-02", "high": "2024-02-01"}).startswith("uniform: day: wanted 'low'")
    assert told("clock", uniform={"low": "born", "high": "10:00"}).startswith("uniform.low")
    assert told("number", normal={"mean": "ages"}).startswith("normal.mean: number: formula 'ages'")
    assert told("number", normal={"mean": "sex"}).endswith("gives text, wanted a number")
    assert told("number", normal={"mean": "number"}).endswith("'number' is a column that it makes itself")
    assert told("number", mixture=[{"normal": {"mean": "ages"}}]).startswith("mixture.0.normal.mean")
    assert told("number", normal={}, round="PT5M").startswith("round: number: 'PT5M' is no step")
    assert told("number", normal={}, between=[0, 5], nulls=0.2) == ""
    assert told("full", normal={}, nulls=0.2).startswith("nulls: column 'full'")


def test_formulas_that_go_wrong() -> None:
    """A formula that gives what the distribution cannot have is refused with the number of rows."""
    with pytest.raises(SampleError, match=r"parameter 'sd'.*more than 0.*rows"):
        drawn("number", normal={"sd": "age - 40"})
    with pytest.raises(SampleError, match="'low' at most 'high'"):
        drawn("number", uniform={"low": "age", "high": 50})
    with pytest.raises(SampleError, match="none in"):
        drawn("number", beta={}, between=["age - 1", "age"])


def test_faults_have_their_place(tmp_path: Path) -> None:
    """In a specification every fault stands where it is written."""
    part = """make: [t.number]
use: distribution
with:
  normal: {mean: 5, sd: -2}
  between: [90, 80]"""
    assert refused(tmp_path, part) == [
        "-2} ← distribution.normal.sd: wanted more than 0, got -2",
        "between: [90, 80] ← distribution.between: wanted the least value first, got 90 before 80",
    ]
    part = """make: [t.number]
use: distribution
with:
  mixture: [{normal: {mean: 5 + ages}}, {weight: 2, normal: {}}]"""
    (only,) = refused(tmp_path, part)
    assert only.startswith("5 + ages}")
    part = "make: [t.number]\nuse: distribution\nwith: {normal: {}, between: [70, 80]}"
    assert refused(tmp_path, part)[0].startswith(
        "between: [70, 80]} ← distribution: number: no value of normal lies from 70 to 80"
    )
    part = "make: [t.number]\nuse: distribution\nwith: {nromal: {}}"
    assert refused(tmp_path, part)[0].startswith("nromal: {}} ← distribution.nromal: it has no such parameter")


def test_nulls() -> None:
    """A share of rows without a value, by a number or a formula; the other values stay what they were."""
    given = start(ROWS, seen(ROWS))
    whole = made(Distribution.model_validate({"normal": {}}), ["number", "weight"], given)
    thinned = made(Distribution.model_validate({"normal": {}, "nulls": 0.3}), "number", given)
    gone = np.asarray(thinned.column("number").is_null())
    assert stats.binomtest(int(gone.sum()), ROWS, 0.3).pvalue > LEVEL
    assert np.array_equal(np.array(thinned.column("number"))[~gone], np.array(whole.column("number"))[~gone])
    rule = Distribution.model_validate({"normal": {}, "nulls": "if(age < 18, 0.9, 0.05)"})
    assert "t.age" in rule.looks_at(given.schema, "t")
    table = made(rule, ["number", "whole"], given)
    young = np.array(table.column("age")) < 18
    gone, other = (np.asarray(table.column(c).is_null()) for c in ("number", "whole"))
    assert stats.binomtest(int(gone[young].sum()), int(young.sum()), 0.9).pvalue > LEVEL
    assert stats.binomtest(int(gone[~young].sum()), int((~young).sum()), 0.05).pvalue > LEVEL
    assert stats.binomtest(int((gone & other)[young].sum()), int(young.sum()), 0.81).pvalue > LEVEL
    for bad in (-0.1, 1.5, "age <"):
        with pytest.raises(ValidationError):
            Distribution.model_validate({"normal": {}, "nulls": bad})
    assert (
        wrong(Distribution.model_validate({"normal": {}, "nulls": "if(ages < 3, 1, 0)"}), "number")[0][:6] == "nulls:"
    )
    assert "makes itself" in wrong(Distribution.model_validate({"normal": {}, "nulls": "number"}), "number")[0]
