"""`synthwright compare`: what people type, what they read, and where the page is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from synthwright import cli
from synthwright.studies import compare as study

ENDINGS = '''
"""Runs that end at once, in the place of runs of the line."""

def ended(order):
    if order["name"] == "copula":
        return {"name": "copula", "outcome": "failed", "reason": "copula: the table: wanted more rows."}
    missed = [] if order["name"] == "forest" else ["shape", "trend.worst"]
    score = {"value": 0.6, "reference": 0.5, "chance": 0.02}
    return {"name": order["name"], "outcome": "refused" if missed else "passed", "gates": 40, "missed": missed,
            "scores": {"detection": score, "tstr": score | {"better": "higher"}}, "rows": order["workers"],
            "fit": order["seconds"], "sample": 2.0, "memory": 2**28}
'''


class Said(NamedTuple):
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Said]:  # fmt: skip
    """Return a function that runs the command line in a folder that holds people.csv."""
    site = tmp_path_factory.mktemp("site")
    (site / "endings_of_commands.py").write_text(ENDINGS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setattr(study, "WORK", "endings_of_commands:ended")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    rng = np.random.default_rng(3)
    age = rng.integers(18, 80, 80)
    held = pa.table({"age": age, "income": np.where(age > 50, "high", "low")})
    csv.write_csv(held, tmp_path / "people.csv")

    def run(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["synthwright", "compare", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Said(int(left.value.code or 0), out, err)

    return run


def test_it_shows_methods_and_recommends(command: Callable[..., Said], tmp_path: Path) -> None:
    """Methods may be named with commas or one by one; what fails is told; the page is where it says."""
    said = command("people.csv", "--with", "forest, copula", "--with", "marginals", "--workers", "1")
    assert said.code == 0, said.err
    assert "every gate met" in said.out
    assert "copula: the table: wanted more rows." in said.out
    assert "marginals: gates missed are shape, trend.worst" in said.out
    assert "Take forest: of 2 methods it alone meets every gate." in said.out
    page = tmp_path / "out" / "compare-people" / "compare.html"
    assert "compare.html" in said.out
    assert "Take forest" in page.read_text(encoding="utf-8")
    spec = (tmp_path / "out" / "compare-people" / "specs" / "forest.yaml").read_text(encoding="utf-8")
    assert "target: people.income" in spec
    assert "people: 80" in spec


def test_switches_reach_the_runs_and_json_is_the_file(command: Callable[..., Said], tmp_path: Path) -> None:
    """Rows, seconds, seed, workers and target arrive; what is printed as JSON is what is kept."""
    words = ("people.csv", "--with", "marginals", "--rows", "30", "--seconds", "7", "--seed", "4", "--workers", "3")
    said = command(*words, "--target", "age", "--out", "here", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told.pop("out") == "here"
    assert told == json.loads((tmp_path / "here" / "compare.json").read_bytes())
    assert (told["wanted"], told["real"], told["seed"], told["target"]) == (30, 80, 4, "people.age")
    assert (told["methods"][0]["fit"], told["methods"][0]["rows"]) == (7.0, 3)
    assert (told["recommended"], told["nearest"]) == (None, "marginals")


def test_wrong_words_are_messages(command: Callable[..., Said]) -> None:
    """No such file, method or column: one line each, and exit code 1; a folder in use is not written over."""
    for words, wanted in ((("peple.csv",), "no such file"), (("people.csv", "--with", "forrest"), "forest"),
                          (("people.csv", "--target", "incom"), "incom")):  # fmt: skip
        said = command(*words)
        assert said.code == 1
        assert wanted in said.err
        assert said.err.count("\n") == 1
    assert command("people.csv", "--with", "forest").code == 0
    again = command("people.csv", "--with", "forest", "--seed", "1")
    assert again.code == 1
    assert "--force" in again.err
    assert command("people.csv", "--with", "forest", "--seed", "1", "--force").code == 0
