"""Yes and no come with the probability that was said, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, made, refused, seen, start, wrong

from synthwright.generators.bernoulli import Bernoulli

ROWS = 30_000


@pytest.mark.parametrize("column", ["flag", "whole", "number", "label"])
def test_share(column: str) -> None:
    """In every kind of column yes has its share."""
    found = made(Bernoulli(probability=0.07), column, start(ROWS)).column(column).to_pylist()
    yes = {"flag": True, "label": "true"}.get(column, 1)
    assert set(found) == {yes, {"flag": False, "label": "false"}.get(column, 0)}
    assert stats.binomtest(found.count(yes), ROWS, 0.07).pvalue > LEVEL


def test_follows_a_formula() -> None:
    """The probability may follow other columns; where it has no value, there is none."""
    rule = Bernoulli(probability="if(age < 40, 0.01, 0.02 * (age - 40))")
    assert rule.looks_at(start(1).schema, "t") == ("t.age",)
    table = made(rule, "flag", start(ROWS, seen(ROWS)))
    age, flag = np.array(table.column("age")), np.array(table.column("flag"))
    chance = np.clip(np.where(age < 40, 0.01, 0.02 * (age - 40)), 0, 1)
    for band in (age < 40, (age >= 40) & (age < 60), (age >= 60) & (age < 90)):
        spread = np.sqrt((chance * (1 - chance))[band].sum())
        assert abs(flag[band].sum() - chance[band].sum()) < stats.norm.isf(LEVEL / 2) * spread
    assert not (flag & (age == 40)).any()
    for column in ("flag", "whole", "label"):
        table = made(Bernoulli(probability="1 / (age - 3)"), column, start(ROWS, seen(ROWS)))
        assert np.array_equal(np.asarray(table.column(column).is_null()), np.array(table.column("age")) == 3)


def test_values() -> None:
    """Other values may stand for no and yes."""
    found = made(Bernoulli(probability=1, values=("healthy", "ill")), "label", start(9)).column("label").to_pylist()
    assert set(found) == {"ill"}
    assert wrong(Bernoulli(values=("no", "yes")), "whole")[0].startswith("values.0: column 'whole' cannot hold 'no'")


def test_refused(tmp_path: Path) -> None:
    """What is no probability is refused, with its place."""
    for bad in (-0.1, 1.1, "0.3 +", float("nan")):
        with pytest.raises(ValidationError):
            Bernoulli(probability=bad)
    part = "make: [t.flag]\nuse: bernoulli\nwith: {probability: 1.5}"
    assert refused(tmp_path, part)[0].startswith(
        "1.5} ← bernoulli.probability: wanted a probability, from 0 to 1, got 1.5"
    )
    assert wrong(Bernoulli(probability="ages"), "flag")[0].startswith("probability: formula 'ages'")
    assert wrong(Bernoulli(probability="sex"), "flag")[0].endswith("gives text, wanted a number")
