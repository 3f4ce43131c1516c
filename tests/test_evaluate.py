"""Judging rows that any tool made: what cannot be proven with, what is not judged, and what was asked wrongly."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from rich.console import Console

import synthwright as sw
from synthwright import cli
from synthwright.face import case_of, judge

Command = Callable[..., tuple[int, str, str]]


def people(rows: int, seed: int) -> pd.DataFrame:
    """Make a small table of rows that differ."""
    rng = np.random.default_rng(seed)
    wealth = np.round(rng.lognormal(10, 1, rows), 2)
    return pd.DataFrame({"age": rng.integers(18, 90, rows), "sex": rng.choice(["F", "M"], rows), "wealth": wealth})


REAL, FAKE, OTHER = people(400, 1), people(400, 2), people(200, 3)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs the command line in a folder with three files; code, output, errors."""
    monkeypatch.chdir(tmp_path)
    for name, frame in (("real", REAL), ("fake", FAKE), ("other", OTHER)):
        frame.to_csv(f"{name}.csv", index=False)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["synthwright", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return int(left.value.code or 0), out, err

    return run


# ------------------------------------------------------------------------------------------------ held-out rows
@pytest.mark.parametrize("holdout", [REAL, REAL.tail(100), pd.concat([OTHER, REAL.head(20)])])
def test_training_rows_prove_nothing(holdout: pd.DataFrame) -> None:
    """Held-out rows that are training rows are refused, and their share is told."""
    with pytest.raises(sw.SynthwrightError, match=r"held-out rows: .* got [\d.]+% of them equal to a training row"):
        case_of(REAL, FAKE, holdout, None, None, [])


def test_the_command_refuses_the_same_file_twice(command: Command) -> None:
    """Exit code 1, and what to do."""
    code, _, err = command("evaluate", "--real", "real.csv", "--holdout", "real.csv", "--synthetic", "fake.csv", "-q")
    assert code == 1
    assert "got 100.0% of them equal to a training row" in err
    assert "hold out other rows" in err


def test_a_run_refuses_it_too(command: Command) -> None:
    """A file with held-out rows that are among those that are learned from."""
    REAL.tail(150).to_csv("part.csv", index=False)
    Path("x.yaml").write_text("synthwright: 1\nname: x\nsource: {use: csv, with: {path: real.csv}, "
                              "holdout: {path: part.csv}}\n")  # fmt: skip
    code, _, err = command("run", "x.yaml", "-q")
    assert code == 1
    assert "part.csv: the held-out rows" in err
    assert "100.0% of them equal to a training row" in err


# ------------------------------------------------------------------------------------------ what is not judged
def judged(synthetic: Any, real: Any = REAL, holdout: Any = OTHER) -> sw.Report:
    """Return the report by one cheap measure; the default gates bring the others."""
    case, unjudged = case_of(real, synthetic, holdout, None, None, [])
    return judge(case, ["rows"], [], 0, guessed=True, warned=unjudged)[0]


def test_columns_without_a_counterpart_are_named() -> None:
    """In the warnings, on the terminal and in JSON."""
    report = judged(FAKE.assign(name="Ada", note="x"))
    said = "2 columns of the synthetic data that the real data lacks were not judged: 'data.name', 'data.note'."
    assert report.warnings[0] == said
    assert said in report.to_json()["warnings"]
    console = Console(file=StringIO(), width=300)
    report.show(console)
    assert said in console.file.getvalue()  # type: ignore[attr-defined]


def test_tables_without_a_counterpart_are_named() -> None:
    """They are told apart from columns."""
    _, unjudged = case_of({"people": REAL}, {"people": FAKE, "spare": FAKE}, None, None, None, [])
    assert unjudged == ["1 table of the synthetic data that the real data lacks was not judged: 'spare'."]


def test_files_are_looked_at_too(command: Command) -> None:
    """The command warns as the function does."""
    FAKE.assign(name="Ada").to_csv("more.csv", index=False)
    words = ("evaluate", "--real", "real.csv", "--holdout", "other.csv", "--synthetic", "more.csv", "--json")
    code, out, _ = command(*words, "--workers", "1")
    assert code in (0, 3)
    assert "1 column of the synthetic data that the real data lacks was not judged: " in json.loads(out)["warnings"][0]


def test_order_and_spelling_of_columns_do_not_matter() -> None:
    """Columns in another order, and labels in a dictionary, are the same data."""
    plain = case_of(REAL, FAKE, OTHER, None, "sex", [])[0]
    turned = pa.Table.from_pandas(FAKE[["wealth", "sex", "age"]], preserve_index=False)
    turned = turned.set_column(1, "sex", turned.column("sex").dictionary_encode())
    for other in (turned, FAKE[["sex", "wealth", "age"]].astype({"sex": "category"})):
        case, unjudged = case_of(REAL, other, OTHER, None, "sex", [])
        assert unjudged == []
        assert case.synthetic.fingerprint() == plain.synthetic.fingerprint()


# --------------------------------------------------------------------------------------------- what is asked
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"waive": {"nosuch": "x"}}, "waive 'nosuch': wanted at least 10 characters"),
        ({"waive": {"nosuch": "a reason that is long"}}, "no default gate is about 'nosuch'"),
        ({"waive": {"shape": ""}}, "waive 'shape': wanted at least 10 characters"),
        ({"waive": {"shape": 3}}, "waive 'shape': wanted text"),
        ({"waive": "shape"}, "waive: wanted a mapping of scores to reasons"),
        ({"gates": ["bad gate"]}, "gates: gate 'bad gate'"),
        ({"gates": ["shape[nosuch] <= 1"]}, "shape has no score 'shape[nosuch]'"),
        ({"gates": ["shape[wealt] <= 1"]}, "did you mean 'shape[data.wealth]'"),
        ({"gates": "shape <= 1"}, "gates: wanted a list of text, got a str. write ['shape <= 1']"),
        ({"gates": [3]}, "gates: wanted text"),
        ({"gates": None}, "gates: wanted a list"),
        ({"metrics": ["nosuch"]}, "no metric or group is called 'nosuch'"),
        ({"metrics": "shape"}, "metrics: wanted a list of text"),
        ({"metrics": [3]}, "metrics: wanted text"),
        ({"target": "nosuch"}, "column 'nosuch': wanted a column of the data"),
        ({"target": 3}, "target: wanted text"),
        ({"sensitive": ["nosuch"]}, "column 'nosuch': wanted a column of the data"),
        ({"sensitive": "sex"}, "sensitive: wanted a list of text"),
        ({"workers": 0}, "workers: wanted a whole number from 1, got 0"),
        ({"workers": "a"}, "workers: wanted a whole number from 1, got a str"),
        ({"seed": "a"}, "seed: wanted a whole number from 0, got a str"),
        ({"seed": True}, "seed: wanted a whole number from 0"),
        ({"seed": -1}, "seed: wanted a whole number from 0, got -1"),
        ({"schema": 3}, "schema: wanted a Schema"),
        ({"real": None, "holdout": FAKE}, "held-out rows: wanted the rows that were learned from beside them"),
    ],
)  # fmt: skip
def test_wrong_questions_are_answered(asked: dict[str, Any], said: str) -> None:
    """Every one with a Synthwright error that names what was wrong."""
    usual: dict[str, Any] = {"real": REAL, "synthetic": FAKE, "metrics": ["rows"]}
    with pytest.raises(sw.SynthwrightError) as error:
        sw.evaluate(**(usual | asked))
    assert said in str(error.value)
    assert str(error.value).startswith(("evaluate: ", "data: "))


def test_several_tables_need_names() -> None:
    """One frame cannot be judged against two tables."""
    with pytest.raises(sw.SynthwrightError, match="a mapping of the 2 tables"):
        sw.evaluate(real={"a": REAL, "b": OTHER}, synthetic=FAKE)


@pytest.mark.parametrize(
    "words",
    [("--gate", "bad gate"), ("--gate", "shape[nosuch] <= 1"), ("--target", "nosuch"), ("--sensitive", "nosuch")],
)
def test_the_command_answers_them_too(command: Command, words: tuple[str, str]) -> None:
    """With exit code 1 and a message."""
    code, _, err = command("evaluate", "--real", "real.csv", "--synthetic", "fake.csv", "-q", *words)
    assert code == 1
    assert "nosuch" in err or "bad gate" in err
