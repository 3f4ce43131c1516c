"""Labels of bands are computed from the ordered value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from tests.kit.constraints.keeping_for_tests import CATEGORY, INTEGER, NUMBER, ROWS, Fields, check, dataset, kept

from synthwright.kit.constraints.derived import Lookup
from synthwright.kit.constraints.keeping import Keeper

RNG = np.random.default_rng(8)
INCOME = RNG.lognormal(10.5, 0.6, ROWS).round(2)
NAMES = np.array(["low", "middle", "high"])


def bracketed(values: np.ndarray) -> np.ndarray:
    """Return the name of the bracket that each income lies in."""
    return NAMES[np.digitize(values, [30_000, 60_000])]


def incomes() -> Fields:
    """Return incomes no two of which are alike, and their brackets."""
    return {"income": (NUMBER, INCOME), "bracket": (CATEGORY, bracketed(INCOME)), "x": (INTEGER, np.arange(ROWS))}


def test_a_bracket_follows_from_any_income() -> None:
    """Incomes that nobody had get the bracket they lie in, and none is modelled."""
    data = dataset(incomes(), "income -> bracket")
    keeper, found = kept(data)
    assert "t.bracket" not in keeper.part.produce
    (step,) = keeper.tables["t"].steps
    assert isinstance(step, Lookup)
    check(data, found)
    ask = np.array([29_999.99, 30_000.0, 59_999.0, 60_000.0, 1.0, 1e7])
    said = step.values(pa.table({"income": ask}), data.schema.tables["t"])
    assert said.to_pylist() == ["low", "middle", "middle", "high", "low", "high"]


def test_a_given_bracket_is_met_by_its_income() -> None:
    """Where the bracket is given, incomes are exchanged or drawn again until they lie in it."""
    data = dataset(incomes(), "income -> bracket")
    _, found = kept(data, data.select("t", ["bracket"]), given=("t.bracket",))
    made = found.sample.data.tables["t"]
    assert np.mean(bracketed(made.column("income").to_numpy()) == np.array(made.column("bracket").to_pylist())) > 0.97


def test_missing_incomes_have_no_bracket() -> None:
    """A bracket is missing where the income is."""
    columns = incomes()
    gone = RNG.random(ROWS) < 0.2
    columns["income"] = (NUMBER, pa.array(INCOME, mask=gone))
    columns["bracket"] = (CATEGORY, pa.array(bracketed(INCOME).tolist(), pa.large_string(), mask=gone))
    data = dataset(columns, "income -> bracket")
    made = check(data, kept(data)[1])
    assert made.column("bracket").is_null().equals(made.column("income").is_null())


def test_bands_outlive_saving(tmp_path: Path) -> None:
    """A keeper that is read again computes the same labels."""
    data = dataset(incomes(), "income -> bracket")
    keeper, _ = kept(data)
    keeper.save(tmp_path)
    one, other = (k.tables["t"].steps[0] for k in (keeper, Keeper.load(tmp_path)))
    held = pa.table({"income": INCOME})
    spec = data.schema.tables["t"]
    assert one.values(held, spec).equals(other.values(held, spec))
    assert one.values(held, spec).to_pylist() == bracketed(INCOME).tolist()
