"""Labels that say which of two columns is larger: found, and kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import synthwright as sw

ROWS = 600


def rules_of(frame: pd.DataFrame) -> list[str]:
    """Return the rules that are found in a frame."""
    return [r.rule for r in sw.fit(frame, "marginals", seed=0).plan.schema.tables["data"].rules]


def matches(rng: np.random.Generator) -> pd.DataFrame:
    """Return matches: goals of two sides, and who won."""
    home, away = rng.poisson(1.5, ROWS), rng.poisson(1.2, ROWS)
    won = np.where(home > away, "home", np.where(home < away, "away", "nobody"))
    return pd.DataFrame({"home": home, "away": away, "won": won})


def loans(rng: np.random.Generator) -> pd.DataFrame:
    """Return loans: when they were due and when they came, some not yet; whether late, in three spellings."""
    due = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, ROWS), unit="D")
    came = pd.Series(due + pd.to_timedelta(rng.integers(-20, 12, ROWS), unit="D"))
    late = came > due
    came = came.mask(rng.random(ROWS) < 0.1)
    said = np.where(late, "late", "in time")
    return pd.DataFrame({"due": due, "came": came, "late": late, "said": said, "flag": late.astype(int)})


def test_which_of_two_is_larger_is_found() -> None:
    """Two labels or three, truth values, words and numbers."""
    rng = np.random.default_rng(1)
    found = rules_of(matches(rng))
    assert '(home > away) == (won == "home")' in found
    assert '(home < away) == (won == "away")' in found
    assert '(home == away) == (won == "nobody")' in found
    frame = loans(rng)
    assert "late == (due < came)" in rules_of(frame[["due", "came", "late"]])
    assert '(due < came) == (said == "late")' in rules_of(frame[["due", "came", "said"]])
    assert "(due < came) == (flag == 1)" in rules_of(frame[["due", "came", "flag"]])


def test_what_is_no_comparison_is_not_found() -> None:
    """One row that disagrees is enough, and labels of chance that happen to agree are too few."""
    rng = np.random.default_rng(2)
    frame = matches(rng)
    other = {"home": "away", "away": "nobody", "nobody": "home"}
    frame["won"] = [other[w] if i == 7 else w for i, w in enumerate(frame["won"])]
    assert not any(">" in r and "won" in r for r in rules_of(frame))
    a, b = rng.normal(size=60), rng.normal(size=60)
    b[:56] += 9
    assert not any("said" in r for r in rules_of(pd.DataFrame({"a": a, "b": b, "said": np.where(a > b, "y", "x")})))


@pytest.mark.parametrize("make", [matches, loans])
def test_comparisons_are_kept(make: Callable[[np.random.Generator], pd.DataFrame]) -> None:
    """In every made row that has both values."""
    frame = make(np.random.default_rng(3))
    fake = sw.fit(frame, seed=1).sample(ROWS, seed=2)
    if "won" in fake:
        won = np.where(fake["home"] > fake["away"], "home", np.where(fake["home"] < fake["away"], "away", "nobody"))
        assert (won == fake["won"]).all()
        assert abs((fake["won"] == "home").mean() - (frame["won"] == "home").mean()) < 0.1
    else:
        there = fake["came"].notna()
        late = (fake["came"] > fake["due"])[there]
        assert (late == fake["late"][there]).all()
        assert (late == (fake["said"][there] == "late")).all()
        assert (late == (fake["flag"][there] == 1)).all()
