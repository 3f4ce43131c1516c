"""`synthwright mix`: what people type, what they read, and where the page is."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from synthwright import cli
from synthwright.studies import mix as study
from synthwright.studies import mix_runs


class Said(NamedTuple):
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


def pretending(_work: str, order: dict[str, Any], _log: Path, *_: Any) -> dict[str, str]:
    """Stand in for a process: models of which those with rows of the forest are better."""
    from synthwright.kit.tables import load_dataset
    from synthwright.studies.mix_work import Job

    job = Job.model_validate(order)
    if job.method == "copula":
        return {"reason": f"stopped at seed {job.seed} after {job.seconds:g}."}
    truth = job.aim.coded(load_dataset(Path(job.at) / ("train" if job.folds else "test")))
    noise = np.random.default_rng(len(truth)).normal(size=len(truth))
    better = 4.0 if job.method == "forest" else 1.0
    said = 1 / (1 + np.exp(-noise - better * truth))
    np.savez(job.out, said=np.broadcast_to(said, (len(job.doses), job.repeats, len(truth))))
    return {"reason": ""}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs the command line in a folder that holds pay.csv and more.csv."""
    monkeypatch.setattr(mix_runs, "apart", pretending)
    monkeypatch.setattr(study, "DRAWS", 40)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    rng = np.random.default_rng(3)
    for name, rows in (("pay", 800), ("more", 400)):
        fraud = np.arange(rows) % 25 == 0
        held = pa.table({"amount": rng.normal(size=rows).round(3), "hour": rng.integers(0, 24, rows),
                         "fraud": np.where(fraud, "yes", "no")})  # fmt: skip
        csv.write_csv(held, tmp_path / f"{name}.csv")

    def run(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["synthwright", "mix", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Said(int(left.value.code or 0), out, err)

    return run


def test_it_shows_gains_and_recommends(command: Callable[..., Said], tmp_path: Path) -> None:
    """Methods may be named with commas; what fails is told; page and recipe are where it says."""
    said = command("--real", "pay.csv", "--target", "fraud", "--with", "forest, copula", "--shares", "10%,0.2")
    assert said.code == 0, said.err
    assert "forest 10 % positives" in said.out
    assert "forest 20 % positives" in said.out
    assert "copula: stopped at seed 0 after 900." in said.out
    assert re.search(r"Add 4\d rows \(forest 10 % positives\)", said.out)
    assert "recipe: out/mix-pay/specs/mix-forest.yaml" in said.out
    at = tmp_path / "out" / "mix-pay"
    assert "Add 4" in (at / "mix.html").read_text(encoding="utf-8")
    assert "pay.csv" in (at / "specs" / "mix-forest.yaml").read_text(encoding="utf-8")


def test_switches_arrive_and_json_is_the_file(command: Callable[..., Said], tmp_path: Path) -> None:
    """Positive class, test rows, seed and seconds arrive; what is printed as JSON is what is kept."""
    words = ("--real", "pay.csv", "--target", "fraud", "--positive", "no", "--test", "more.csv", "--seed", "4")
    said = command(*words, "--seconds", "7", "--with", "copula", "--out", "here", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told.pop("out") == "here"
    assert told == json.loads((tmp_path / "here" / "mix.json").read_bytes())
    assert (told["positive"], told["train"], told["test"], told["seed"], told["budget"]) == ("no", 800, 400, 4, 7.0)
    assert told["candidates"][-1]["reason"] == "stopped at seed 4 after 7."
    assert told["recommended"] is None


def test_wrong_words_are_messages(command: Callable[..., Said]) -> None:
    """No such file, column, method, class or share: one line each, and exit code 1; a folder in use is kept."""
    good = ("--real", "pay.csv", "--target", "fraud")
    for words, wanted in ((("--real", "pai.csv", "--target", "fraud"), "no such file"),
                          (("--real", "pay.csv", "--target", "froud"), "froud"),
                          ((*good, "--with", "forrest"), "forrest"), ((*good, "--positive", "maybe"), "'yes'"),
                          ((*good, "--shares", "much"), "a number like 0.05"),
                          ((*good, "--shares", "0.01"), "above the"),
                          ((*good, "--test", "none.csv"), "no such file")):  # fmt: skip
        said = command(*words)
        assert said.code == 1, words
        assert wanted in said.err
        assert said.err.count("\n") == 1
    assert command(*good, "--with", "copula", "--shares", "0.2").code == 0
    assert "--force" in command(*good, "--with", "copula", "--shares", "0.2", "--seed", "1").err
    assert command(*good, "--with", "copula", "--shares", "0.2", "--seed", "1", "--force").code == 0
