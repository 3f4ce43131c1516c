"""Values that rules want missing or there, in what generators make."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import synthwright
from synthwright.core.rules import parse
from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.expressions import holds
from synthwright.kit.constraints.missing import needs, settled

ROWS = 600


def table(name: str) -> pl.DataFrame:
    """Return real rows with one pattern of missing values."""
    rng = np.random.default_rng(5)
    label = np.array(["x", "y", "z"])[rng.integers(0, 3, ROWS)]
    hole, other = rng.random(ROWS) < 0.3, rng.random(ROWS) < 0.4
    value, score = np.round(rng.normal(50, 10, ROWS), 1), rng.integers(0, 30, ROWS)
    begin = np.datetime64("2020-01-01") + rng.integers(0, 2_000, ROWS)
    net, tax = np.round(rng.lognormal(3, 1, ROWS), 2), np.round(rng.lognormal(1, 1, ROWS), 2)

    def holed(values: Any, missing: np.ndarray) -> pl.Series:
        return pl.select(pl.when(pl.lit(pl.Series(~missing))).then(pl.lit(pl.Series(values)))).to_series()

    columns: dict[str, dict[str, Any]] = {
        "decided": {"a": label, "b": holed(value, label == "x")},
        "together": {"a": holed(score, hole), "b": holed(value, hole)},
        "instead": {"a": holed(score, ~hole), "b": holed(value, hole)},
        "within": {"a": holed(score, hole | other), "b": holed(value, hole)},
        "dead": {"dead": hole, "death": holed(begin, ~hole)},
        "gap": {"a": label, "begin": begin, "end": holed(begin + rng.integers(0, 9, ROWS), label == "x")},
        "sum": {"a": label, "net": holed(net, label == "x"), "tax": holed(tax, label == "x"),
                "total": holed(np.round(net + tax, 2), label == "x")},
        "lookup": {"a": label, "city": score % 4, "country": holed(np.array(["u", "v"])[score % 4 % 2], label == "x")},
    }  # fmt: skip
    return pl.DataFrame({**columns[name], "o": np.round(rng.normal(size=ROWS), 3)})


@pytest.mark.parametrize("generator", ["marginals", "copula"])
@pytest.mark.parametrize("name", ["decided", "together", "instead", "within", "dead", "gap", "sum", "lookup"])
def test_patterns_are_kept(name: str, generator: str) -> None:
    """Every row keeps the pattern, no row is lost, and as much is missing as in real rows."""
    real = table(name)
    fitted = synthwright.fit(real, generator, seed=1)
    spec = fitted.schema.tables[fitted.schema.only]
    assert any("null" in r.rule for r in spec.rules)
    for rows in (ROWS, 7):
        made = fitted.sample(rows)
        assert len(made) == rows
        sides = [c for c in real.columns if real[c].dtype in (pl.String, pl.Boolean) and c != "country"]
        seen = [df.select(*[pl.col(c).is_null().alias(f"?{c}") for c in real.columns], *sides) for df in (real, made)]
        assert set(seen[1].rows()) <= set(seen[0].rows())
    made = fitted.sample(ROWS)
    for column in real.columns:
        assert abs(made[column].null_count() - real[column].null_count()) < 0.1 * ROWS


@pytest.mark.parametrize("given", ["a", "b"])
def test_given_columns_stay(given: str) -> None:
    """What was set before sampling is never changed: the other side is."""
    fitted = synthwright.fit(table("together"), "copula", seed=1, given=[given])
    made = fitted.sample(50, set={given: None})
    assert made["a"].null_count() == made["b"].null_count() == 50


FIELDS = Table(fields={"s": Field(kind=Kind.BOOLEAN), "a": Field(kind=Kind.INTEGER), "b": Field(kind=Kind.INTEGER)})
EDITED = ["b is null or not s", "not (a is null and b is null)", "(a is null) != s", "s == false or b is not null"]


@pytest.mark.parametrize("rule", EDITED)
def test_rules_that_people_wrote(rule: str) -> None:
    """Any condition that only asks whether a column has a value is kept, values change rows, none is invented."""
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"s": rng.random(200) < 0.3, "a": np.arange(200), "b": np.arange(200)})
    held = frame.with_columns(
        pl.when(pl.Series(rng.random(200) < 0.5)).then(pl.col("a")).alias("a"),
        pl.when(pl.Series(rng.random(200) < 0.5)).then(pl.col("b")).alias("b"),
    ).to_arrow()
    assert not holds(held, rule, FIELDS).all()
    wanted = needs([parse(rule)], FIELDS, ["a", "b"], ())
    out = settled(held, wanted, FIELDS, lambda _: np.ones(200, dtype=bool), rng)
    assert holds(out, rule, FIELDS).all()
    assert out.column("s") == held.column("s")
    for column in ("a", "b"):
        assert set(out.column(column).to_pylist()) <= {*held.column(column).to_pylist(), None}


def test_circles_are_cut() -> None:
    """Columns that are missing together in a circle of rules are seen to one after the other."""
    rules = [parse(f"({a} is null) == ({b} is null)") for a, b in ("ab", "ba")]
    wanted = needs(rules, FIELDS, ["a", "b"], ())
    assert [n.target for n in wanted] in (["a"], ["b"])
    assert len(wanted[0].nodes) == 2


def test_offsets_are_no_obstacle() -> None:
    """Instants with an offset in place of a zone are compared, and their days are those of their own clock."""
    at = pl.Series(["2024-01-01T20:00:00"]).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_zone="UTC").to_arrow()
    held = pa.table({"a": at.cast(pa.timestamp("us", "+05:30")), "b": at.cast(pa.timestamp("us", "Europe/Berlin"))})
    zones = {"a": "+05:30", "b": "Europe/Berlin"}
    spec = Table(fields={c: Field(kind=Kind.DATETIME, type=f"timestamp[us, tz={z}]") for c, z in zones.items()})
    for rule in ("a == b", "day(a) == 2", "day(b) == 1", 'a == "2024-01-02 01:30:00"', "a - b == 0", "a - 1 < b",
                 'a > "2024-01-01 19:59:59+00:00"'):  # fmt: skip
        assert holds(held, rule, spec).all(), rule
        assert not holds(held, f"not ({rule})", spec).any(), rule
