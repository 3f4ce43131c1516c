"""The functions for notebooks: frames in, frames out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.contracts import Verdict


def people(rows: int = 500) -> pd.DataFrame:
    """Make a frame whose school and years follow from each other."""
    rng = np.random.default_rng(4)
    school = rng.choice(["basic", "high", "degree"], rows, p=[0.3, 0.5, 0.2])
    years = pd.Series(school).map({"basic": 9, "high": 12, "degree": 16}).to_numpy()
    age = rng.integers(18, 90, rows)
    income = np.where(age + 2 * years + rng.normal(0, 9, rows) > 75, ">50K", "<=50K")
    return pd.DataFrame({"age": age, "school": school, "years": years, "income": income})


def test_the_seed_decides_and_saving_changes_nothing(tmp_path: Path) -> None:
    """The same seeds give the same rows, after saving and loading too; other seeds give others."""
    real = people()
    model = sw.fit(real, seed=1)
    fake = model.sample(200, seed=2)
    assert fake.equals(sw.fit(real, seed=1).sample(200, seed=2))
    assert not fake.equals(model.sample(200, seed=3))
    model.save(tmp_path / "m")
    assert sw.load(tmp_path / "m").sample(200, seed=2).equals(fake)


@pytest.mark.parametrize("wrong", [{"set": ["income"]}, {"seed": "x"}, {"seed": True}, {"n": 2.5}])
def test_arguments_of_another_kind_are_refused(wrong: dict[str, Any]) -> None:
    """The message names what was wanted; nothing fails somewhere inside."""
    with pytest.raises(sw.SynthwrightError, match=r"sample: (set|seed|n): wanted"):
        sw.fit(people(60), "marginals").sample(**{"n": 5, **wrong})


def test_any_column_can_be_given() -> None:
    """A column that was given can be set, alone or with others, and left open; what follows from it still does."""
    model = sw.fit(people(), given=["school", "income"])
    fake = model.sample(100, set={"school": "degree"})
    assert set(fake["school"]) == {"degree"}
    assert set(fake["years"]) == {16}
    both = model.sample(100, set={"school": "basic", "income": {"shares": {">50K": 1, "<=50K": 3}}})
    assert set(both["years"]) == {9}
    assert (both["income"] == ">50K").sum() == 25
    assert set(model.sample(300)["school"]) == {"basic", "high", "degree"}


def test_conditions_shift_the_rest() -> None:
    """Rows that are asked to earn more are older than rows that are asked to earn less."""
    model = sw.fit(people(2000))
    rich, poor = (model.sample(800, set={"income": v})["age"].mean() for v in (">50K", "<=50K"))
    assert rich > poor + 10


def test_what_cannot_be_set_is_said() -> None:
    """Unknown columns and labels, and columns that the generator must have been given, are typed errors."""
    model = sw.fit(people(), "marginals")
    with pytest.raises(sw.SynthwrightError, match="given"):
        model.sample(5, set={"income": ">50K"})
    model = sw.fit(people())
    wrongs: list[dict[str, Any]] = [{"incom": ">50K"}, {"income": ">50k"}, {"income": {"shares": {}}}]
    for wrong in wrongs:
        with pytest.raises(sw.SynthwrightError):
            model.sample(5, set=wrong)
    for n in (-1, 2.5, "x", float("nan"), True):
        with pytest.raises(sw.SynthwrightError):
            model.sample(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.15, 0.0])
def test_rows_that_rarely_come(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of which few keep the rules are tried again, several at once when few are left, but not without end."""
    from synthwright import synthesizer
    from synthwright.steps.complete import complete

    model, rounds = sw.fit(people(), "marginals"), []

    def strict(fitted: Any, given: Any, table: str, ctx: Any) -> Any:
        rounds.append(given.rows(table))
        keep = np.random.default_rng(len(rounds)).random(given.rows(table)) < share
        return complete(fitted, given, table, ctx)._replace(problems=[Verdict.of(table, ~keep, "strict")])

    monkeypatch.setattr(synthesizer, "complete", strict)
    if not share:
        with pytest.raises(sw.SynthwrightError, match=r"wanted 40 rows .* got 0 of 400 tried"):
            model.sample(40)
        return
    assert len(model.sample(40)) == 40
    assert max(rounds) <= 40
    assert len(rounds) < 15


def test_several_frames() -> None:
    """A mapping of frames comes back as one, and children refer to parents that were made."""
    rng = np.random.default_rng(1)
    customers = pl.DataFrame({"customer_id": np.arange(100), "age": rng.integers(18, 80, 100)})
    orders = pl.DataFrame(
        {"order_id": np.arange(400), "customer_id": rng.integers(0, 100, 400), "n": rng.integers(1, 9, 400)}
    )
    fake = sw.fit({"customer": customers, "order": orders}).sample({"customer": 50, "order": 200})
    assert {t: f.shape for t, f in fake.items()} == {"customer": (50, 2), "order": (200, 3)}
    assert set(fake["order"]["customer_id"]) <= set(fake["customer"]["customer_id"])


def test_altered_models_are_refused(tmp_path: Path) -> None:
    """A changed byte, a missing file and nonsense with right hashes are refused with a typed error."""
    sw.fit(people()).save(tmp_path / "m")
    said = json.loads((tmp_path / "m" / "synthesizer.json").read_text())
    (tmp_path / "m" / "synthesizer.json").write_text(json.dumps(said | {"rows": {"data": 1}}))
    with pytest.raises(sw.SynthwrightError, match="altered"):
        sw.load(tmp_path / "m")
    with pytest.raises(sw.SynthwrightError, match=r"Synthesizer\.save wrote"):
        sw.load(tmp_path / "none")


def test_notebooks_show_something() -> None:
    """Models, datasets and reports have a short form for people."""
    model = sw.fit(people())
    assert repr(model) == "Synthesizer(forest; data: 500 rows)"
    assert "500 rows" in model._repr_html_()
    arrow = pa.Table.from_pandas(people(), preserve_index=False)
    assert "500 rows" in sw.Dataset.of(arrow)._repr_html_()
    report = sw.evaluate(real=arrow, synthetic=sw.fit(arrow).sample(500), target="income", metrics=["shape"])
    assert "shape" in report._repr_html_()


def test_public_names() -> None:
    """Every public name is there, sorted, and nothing else is claimed."""
    assert sw.__all__ == sorted(sw.__all__)
    assert all(getattr(sw, name) is not None for name in sw.__all__)
    with pytest.raises(AttributeError):
        sw.nothing  # noqa: B018
