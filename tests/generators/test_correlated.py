"""Columns keep their own distributions and go together as was said; what contradicts itself is told, with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, SCHEMA, made, refused, seen, start, wrong

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.errors import SampleError
from synthwright.generators.correlated import Correlated

ROWS = 20_000
COLUMNS: dict[str, Any] = {
    "number": {"normal": {"mean": 45, "sd": 16}, "between": [18, 95]},
    "weight": {"lognormal": {"median": 32_000, "sigma": 0.6}},
    "cents": {"mixture": [{"weight": 1, "gamma": {"shape": 3}}, {"weight": 2, "normal": {"mean": 50, "sd": 5}}]},
}  # fmt: skip


def drawn(columns: dict[str, Any], correlations: dict[str, float], rows: int = ROWS, **how: Any) -> pa.Table:
    """Return the table with correlated columns."""
    rule = Correlated.model_validate({"columns": columns, "correlations": correlations, **how})
    return made(rule, list(columns), start(rows, {k: v for k, v in seen(rows).items() if k not in columns}))


def near(found: float, meant: float, rows: int = ROWS) -> bool:
    """Return whether a correlation of ranks is where chance puts it (Bonett and Wright 2000)."""
    spread = np.sqrt((1 + meant**2 / 2) / (rows - 3))
    return bool(abs(np.arctanh(found) - np.arctanh(meant)) < stats.norm.isf(LEVEL / 2) * spread)


def test_ranks() -> None:
    """Spearman's correlations are those that were said, and each column follows its own distribution."""
    said = {"number~weight": 0.4, "weight ~ cents": -0.7}
    table = drawn(COLUMNS, said)
    held = {c: np.array(table.column(c)) for c in COLUMNS}
    for pair, meant in (*said.items(), ("number~cents", 0.0)):
        one, other = (part.strip() for part in pair.split("~"))
        assert near(stats.spearmanr(held[one], held[other]).statistic, meant)
    cut = stats.truncnorm((18 - 45) / 16, (95 - 45) / 16, 45, 16)
    assert stats.kstest(held["number"], cut.cdf).pvalue > LEVEL
    assert stats.kstest(held["weight"], stats.lognorm(0.6, scale=32_000).cdf).pvalue > LEVEL
    mixed = stats.kstest(held["cents"] + (np.random.default_rng(1).random(ROWS) - 0.5) * 0.01,
                         lambda x: stats.gamma(3).cdf(x) / 3 + stats.norm(50, 5).cdf(x) * 2 / 3)  # fmt: skip
    assert mixed.pvalue > LEVEL


def test_scores() -> None:
    """With `of: scores` it is Pearson's correlation of the normal scores; of normal columns their own."""
    table = drawn({"number": {"normal": {}}, "weight": {"normal": {"mean": 3}}}, {"weight~number": 0.8}, of="scores")
    found = np.corrcoef(table.column("number"), table.column("weight"))[0, 1]
    assert abs(np.arctanh(found) - np.arctanh(0.8)) < stats.norm.isf(LEVEL / 2) / np.sqrt(ROWS - 3)


def test_choices_and_counts() -> None:
    """Choices keep their shares and lean the way their order says; whole numbers and dates go along."""
    columns = {"number": {"normal": {}}, "label": {"choice": {"low": 6, "mid": 3, "high": 1}},
               "flag": {"choice": {"false": 3, "true": 1}}, "whole": {"poisson": {"mean": 4}},
               "day": {"uniform": {"low": "2024-01-01", "high": "2024-12-31"}}}  # fmt: skip
    said = {"number~label": 0.5, "number~flag": -0.4, "number~whole": 0.4, "number~day": 0.3}
    table = drawn(columns, said)
    number, label = np.array(table.column("number")), np.array(table.column("label").to_pylist())
    means = [number[label == one].mean() for one in ("low", "mid", "high")]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.8
    counts = [np.sum(label == one) for one in ("low", "mid", "high")]
    assert stats.chisquare(counts, np.array([6, 3, 1]) / 10 * ROWS).pvalue > LEVEL
    flag = np.array(table.column("flag"))
    assert number[flag].mean() < number[~flag].mean() - 0.4
    whole = np.array(table.column("whole"))
    shares = ROWS * np.append(stats.poisson(4).pmf(np.arange(11)), stats.poisson(4).sf(10))
    assert stats.chisquare(np.bincount(np.minimum(whole, 11), minlength=12), shares).pvalue > LEVEL
    assert 0.35 < stats.spearmanr(number, whole).statistic < 0.42
    assert near(stats.spearmanr(number, np.array(table.column("day")).astype(int)).statistic, 0.3)


def test_follows_what_is_there() -> None:
    """A column that is there already is followed, by the distribution that is said of it."""
    rng = np.random.default_rng(4)
    given = {"weight": pa.array(rng.normal(60, 15, ROWS)), "age": pa.array(rng.poisson(6, ROWS)),
             "sex": pa.array(np.where(rng.random(ROWS) < 0.3, "M", "F")).cast(pa.large_string())}  # fmt: skip
    cases: list[tuple[str, dict[str, Any], float]] = [
        ("weight", {"normal": {"mean": 60, "sd": 15}}, 0.6), ("age", {"poisson": {"mean": 6}}, -0.4),
        ("sex", {"choice": {"F": 7, "M": 3}}, 0.5),
    ]  # fmt: skip
    for column, margin, meant in cases:
        how = {"columns": {"number": {"exponential": {}}, column: margin}, "correlations": {f"number~{column}": meant}}
        rule = Correlated.model_validate(how)
        assert f"t.{column}" in rule.looks_at(SCHEMA, "t")
        table = made(rule, "number", start(ROWS, given))
        assert table.column(column).equals(pa.chunked_array([given[column]]))
        number = np.array(table.column("number"))
        assert stats.kstest(number, "expon").pvalue > LEVEL
        held = np.array(table.column(column).to_pylist())
        ranks = stats.spearmanr(number, held if column != "sex" else held == "M").statistic
        assert near(ranks, meant) if column == "weight" else 0.6 < ranks / meant < 1.02
    coarse = pa.array(np.rint(rng.normal(6, 0.5, ROWS)).astype(np.int64))  # each number stands for a stretch of scores
    how = {"columns": {"number": {"exponential": {}}, "age": {"normal": {"mean": 6, "sd": 0.5}}},
           "correlations": {"number~age": 0.95}}  # fmt: skip
    table = made(Correlated.model_validate(how), "number", start(ROWS, {"age": coarse}))
    assert stats.kstest(np.array(table.column("number")), "expon").pvalue > LEVEL
    gaps = pa.array(np.where(np.arange(ROWS) % 5 == 0, np.nan, np.array(given["weight"])), from_pandas=True)
    how = {"columns": {"number": {"exponential": {}}, "weight": cases[0][1]}, "correlations": {"number~weight": 0.6}}
    table = made(Correlated.model_validate(how), "number", start(ROWS, {"weight": gaps}))
    assert stats.kstest(np.array(table.column("number")), "expon").pvalue > LEVEL


def test_formulas() -> None:
    """Parameters may follow other columns here too; a row without a value gets none."""
    columns = {"number": {"normal": {"mean": "1 / (age - 3)", "sd": 1}}, "whole": {"poisson": {"mean": "age + 1"}}}
    table = drawn(columns, {"number~whole": 0.5})
    assert np.array_equal(np.asarray(table.column("number").is_null()), np.array(table.column("age")) == 3)
    assert abs(np.mean(np.array(table.column("whole")) / (np.array(table.column("age")) + 1.0)) - 1) < 0.02


def test_contradictions() -> None:
    """Pairs that no columns can have are told before anything runs, with the nearest that columns can have."""
    columns: dict[str, Any] = {name: {"normal": {}} for name in ("number", "weight", "cents")}
    said = {"number~weight": 0.9, "weight~cents": 0.9, "number~cents": -0.9}
    (fault,) = wrong(Correlated.model_validate({"columns": columns, "correlations": said}), *columns)
    assert fault.startswith("correlations: no columns go together like this")
    nearest = dict(one.split(": ") for one in fault[fault.index("{") + 1 : -1].split(", "))
    found = {pair: float(value) for pair, value in nearest.items()}
    assert wrong(Correlated.model_validate({"columns": columns, "correlations": found}), *columns) == []
    assert max(abs(found[p] - v) for p, v in said.items()) < 0.5
    rule = Correlated.model_validate({"columns": columns, "correlations": said})
    model = rule.fit(start(1), Part(("t.number",)), Context())
    with pytest.raises(SampleError, match="positive definite"):
        model.sample(start(5), Context())


def test_misused(tmp_path: Path) -> None:
    """Columns, pairs and distributions that make no sense are told with their places."""

    def told(*produce: str, **how: Any) -> str:
        return " ".join(wrong(Correlated.model_validate(how), *produce))

    normal: dict[str, Any] = {"normal": {}}
    assert told("number", columns={"numbr": normal}).startswith(
        "columns.numbr: table 't' has no column 'numbr': did you"
    )
    assert "say how 'number' is distributed" in told("number", columns={"weight": normal})
    assert told("number", columns={"number": {}}) == "columns.number: number: say a distribution, or a choice"
    assert told("label", columns={"label": normal}).startswith("columns.label: label: a column of kind 'category'")
    assert told("whole", columns={"whole": {"choice": ["a"]}}).startswith("columns.whole.choice.a")
    assert told("number", columns={"number": {"normal": {"mean": "ages"}}}).startswith("columns.number.normal.mean")
    assert told("number", columns={"number": normal}, correlations={"number~wait": 0.3}).startswith(
        "correlations.number~wait: 'number~wait' names no two columns")  # fmt: skip
    both = {"number": normal, "weight": normal}
    assert "said twice" in told(*both, columns=both, correlations={"number~weight": 0.3, "weight~number": 0.3})
    for bad in ({"correlations": {"a~b": 1}}, {"columns": {"a": {"normal": {}, "choice": ["x"]}}}):
        with pytest.raises(ValidationError):
            Correlated.model_validate(bad)
    part = "make: [t.number]\nuse: correlated\nwith:\n  columns: {number: {normal: {sd: 0}}}\n  correlations: {a~b: 2}"
    assert refused(tmp_path, part)[:2] == [
        "0}}} ← correlated.columns.number.normal.sd: wanted more than 0, got 0",
        "2} ← correlated.correlations.a~b: wanted less than 1.0, got 2",
    ]
