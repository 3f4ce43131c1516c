"""Noise has the size that was planned, comes from no seed, and is paid before it is drawn."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

import synthwright
from synthwright.core.errors import FitError
from synthwright.core.spend import Spend
from synthwright.kit.private.accounting import Purse, epsilon_of, rho_for

pytest.importorskip("opendp")

from synthwright.kit.private.noise import UNITS, chosen, frequent, noisy

PRIVATE = Path(synthwright.__file__).parent / "kit" / "private"
DRAWS = {"model.py", "told.py"}
"""The files that draw rows from a model: there, and only there, chance follows from the seed."""


def _purse(epsilon: float = 1.0, delta: float = 1e-6, named: int = 0) -> Purse:
    return Purse(budget=Spend(epsilon, delta), named=named, owner="test")


def test_noise_is_as_large_as_planned() -> None:
    """Two hundred noisy counts of a tiny vector are spread as the planned standard deviation says."""
    purse = _purse(10.0)
    rho = purse.plannable / 250
    drawn = [noisy(np.array([50, 0, 7]), rho=rho, purse=purse) for _ in range(200)]
    sigma = drawn[0][1]
    assert sigma == pytest.approx(1 / math.sqrt(2 * rho), rel=1e-6)
    off = np.stack([d[0] for d in drawn]) - [50, 0, 7]
    assert abs(off.mean()) < 4 * sigma / math.sqrt(off.size)
    assert off.std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * off.size))


def test_private_choices_are_as_likely_as_planned() -> None:
    """A candidate is chosen in proportion to the exponential of its score, at the scale that the budget buys."""
    purse = _purse(10.0)
    rho = purse.plannable / 900
    scale = (1 + 1 / UNITS) / math.sqrt(2 * rho)
    scores = np.array([0.0, scale, 2 * scale])
    drawn = np.array([chosen(scores, sensitivity=1, rho=rho, purse=purse) for _ in range(800)])
    wanted = np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum()
    assert np.abs(np.bincount(drawn, minlength=3) / len(drawn) - wanted).max() < 4 * math.sqrt(0.25 / len(drawn))


def test_labels_of_one_row_are_not_named() -> None:
    """Labels that many rows have are named with counts near the real ones; those of a single row are not."""
    purse = _purse(1.0, 1e-6, named=1)
    counts = {"common": 5_000, **{f"single {i}": 1 for i in range(300)}}
    found = frequent(counts, rho=purse.plannable / 2, delta=purse.chance, purse=purse)
    assert list(found) == ["common"]
    assert abs(found["common"] - 5_000) < 100


def test_noise_does_not_come_from_seeds() -> None:
    """No file of the room draws with numpy or random, but the one that draws rows from a model."""
    files = sorted(PRIVATE.glob("*.py"))
    assert {f.name for f in files} > DRAWS
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        imports = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imports |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert not imports & {"random", "secrets", "numpy.random"}, file.name
        assert file.name in DRAWS or not names & {"random", "rng", "normal", "default_rng", "integers"}, file.name


def test_privacy_is_said_by_keyword() -> None:
    """Nothing that has to do with the budget can be given by position: a number cannot take another's place."""
    for file in PRIVATE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name not in ("pay", "_fitting"):
                plain = {a.arg for a in (*node.args.posonlyargs, *node.args.args)}
                assert not plain & {"rho", "epsilon", "delta", "sensitivity"}, f"{file.name}: {node.name}"


def test_nothing_is_drawn_beyond_the_budget() -> None:
    """What is left is what was not paid, and a measurement beyond it is refused."""
    purse = _purse()
    noisy(np.array([3]), rho=purse.plannable * 0.75, purse=purse)
    assert purse.left == pytest.approx(purse.plannable / 4)
    with pytest.raises(FitError, match="beyond"):
        noisy(np.array([3]), rho=purse.plannable * 0.3, purse=purse)
    noisy(np.array([3]), rho=purse.left, purse=purse)
    spend = purse.spend()
    assert 0.999 < spend.epsilon <= 1.0
    assert spend.delta <= 1e-6


@pytest.mark.parametrize("many", [3, 7, 49, 240])
def test_shares_of_a_budget_never_exceed_it(many: int) -> None:
    """A budget cut into equal shares can be spent to the last one: rounding is planned for (opendp issue 2789)."""
    purse = _purse(1.0, 1e-9).rehearsal()
    for i in range(many):
        noisy(np.zeros(2), rho=purse.left / (many - i), purse=purse)
    assert purse.spend().epsilon <= 1.0


def test_rehearsals_look_at_nothing_and_cost_nothing() -> None:
    """What is tried on a rehearsal purse is drawn from nothing, and the real purse stays full."""
    purse = _purse()
    trial = purse.rehearsal()
    assert not noisy(np.array([1_000]), rho=trial.left, purse=trial)[0].any()
    assert purse.left == purse.plannable


def test_conversion_is_tight_and_sound() -> None:
    """Concentrated privacy becomes epsilon and delta, at most what the textbook bound says, and back."""
    for epsilon, delta in ((0.1, 1e-9), (1.0, 1e-9), (10.0, 1e-6)):
        rho = rho_for(epsilon=epsilon, delta=delta)
        assert epsilon * 0.999 < epsilon_of(rho=rho, delta=delta) <= epsilon
        assert epsilon_of(rho=rho, delta=delta) <= rho + 2 * math.sqrt(rho * math.log(1 / delta))


@pytest.mark.parametrize(
    "budget", [Spend(), Spend(1.0), Spend(0.0, 1e-6), Spend(1.0, 1e-6, "row", 3), Spend(1.0, 1e-6, "people.house", 0)]
)
def test_budgets_that_cannot_be_kept(budget: Spend) -> None:
    """No epsilon, no delta, or a unit that does not go with its rows is refused before anything is measured."""
    with pytest.raises(FitError, match=r"test: (epsilon|delta|the unit)"):
        Purse(budget=budget, owner="test")
