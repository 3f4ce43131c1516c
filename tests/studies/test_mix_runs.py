"""A study that is stopped goes on; several methods at a time change nothing but seconds, and end when it is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthwright.core.errors import InputError, UnknownNameError, WorkerError
from synthwright.engine.apart import apart
from synthwright.report.mixed import Mixed
from synthwright.studies import mix as study
from synthwright.studies import mix_runs
from synthwright.studies.mix import mix_rows
from synthwright.studies.mix_data import Wish
from synthwright.studies.mix_work import Job

WISH = Wish("fraud", methods=("forest", "copula", "smote"), shares=(0.2,))
DONE: list[str] = []


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few draws do, and models be made up; what is done is noted."""
    monkeypatch.setattr(study, "DRAWS", 40)
    monkeypatch.setattr(mix_runs, "apart", working)
    DONE.clear()


def payments() -> pd.DataFrame:
    """Return rows of two classes, one of them rare."""
    rng = np.random.default_rng(4)
    fraud = (np.arange(400) % 10 == 0).astype(int)
    return pd.DataFrame({"amount": np.round(rng.lognormal(3, 1, 400) + 40 * fraud, 2), "fraud": fraud})


def working(_work: str, order: dict[str, Any], _log: Path, stop: threading.Event | None = None) -> dict[str, str]:
    """Stand in for the processes: models that say something about each row, as the method is called."""
    from synthwright.kit.tables import load_dataset

    job = Job.model_validate(order)
    truth = job.aim.coded(load_dataset(Path(job.at) / ("train" if job.folds else "test")))
    if stop is not None:
        time.sleep(0.02 * (len(job.method) % 3))  # the first to begin is not the first to end
    noise = np.random.default_rng(len(job.method)).normal(size=(len(job.doses), job.repeats, len(truth)))
    np.savez(job.out, said=1 / (1 + np.exp(-(noise + (2.0 if job.method == "forest" else 1.0) * truth))))
    DONE.append(f"{job.method} {job.folds}")
    return {"reason": ""}


def told(found: Mixed) -> dict[str, Any]:
    """Return what a study says, without seconds."""
    said = found.to_json()
    for one in said["candidates"]:
        one.pop("seconds")
    return said


def test_generators_with_a_budget_are_refused_for_what_they_are(tmp_path: Path) -> None:
    """They do learn new rows; folds and seeds would spend their budget again and again. No folder is left."""
    with pytest.raises(UnknownNameError, match="with a privacy budget, which folds and seeds would spend"):
        mix_rows(payments(), Wish("fraud", methods=("mst",)), tmp_path / "out" / "mix")
    with pytest.raises(InputError, match="'frod'"):
        mix_rows(payments(), Wish("frod"), tmp_path / "out" / "mix")
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="'frod'"):
        mix_rows(payments(), Wish("frod"), tmp_path / "mine")
    assert (tmp_path / "mine").is_dir()  # it was there before


@pytest.mark.parametrize("workers", [1, 3])
def test_a_stopped_study_goes_on(tmp_path: Path, workers: int) -> None:
    """What had finished is not run again, rows do not stay, and the end is the same; then nothing is kept of it."""
    whole = mix_rows(payments(), WISH, tmp_path / "whole")
    every = list(DONE)
    assert not (tmp_path / "whole" / "work").exists()

    def stopping(news: Any) -> None:
        if not isinstance(news, str) and news[0].name == "copula":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mix_rows(payments(), WISH._replace(workers=workers), tmp_path / "out", stopping)
    assert [p.name for p in (tmp_path / "out" / "work").iterdir()] == ["done"]
    DONE.clear()
    found = mix_rows(payments(), WISH._replace(workers=workers), tmp_path / "out")
    assert {"forest 3", "copula 3", "real 3"}.isdisjoint(DONE)
    assert {"forest 0", "real 0"} <= set(DONE)
    assert told(found) == told(whole) | {"recipe": found.recipe}
    assert not (tmp_path / "out" / "work").exists()
    assert len(every) == len(set(every))


def test_another_seed_uses_nothing_of_it(tmp_path: Path) -> None:
    """What is kept belongs to rows, target and seed."""

    def stopping(news: Any) -> None:
        if news == "held-out rows":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mix_rows(payments(), WISH, tmp_path, stopping)
    DONE.clear()
    mix_rows(payments(), WISH._replace(seed=5, force=True), tmp_path)
    assert {"forest 3", "copula 3", "smote 3", "real 3"} <= set(DONE)


def test_a_stopped_process_ends(tmp_path: Path) -> None:
    """Whoever sets the event waits for nothing: the process is gone, and so is what it was to say."""
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(WorkerError, match="killed"):
        apart("time:sleep", 60, tmp_path / "log.txt", stop)
    assert time.monotonic() - begun < 20
    assert apart("math:sqrt", 4, tmp_path / "log.txt", threading.Event()) == 2.0


def working_in(folder: Path) -> list[str]:
    """Return the processes that work in a folder."""
    found = []
    for at in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found += [at.parent.name] if at.readlink() == folder.resolve() else []
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="only Linux tells what processes work where")
def test_ctrl_c_stops_several_methods_at_once(tmp_path: Path) -> None:
    """No process stays behind, and no real rows do."""
    payments().to_csv(tmp_path / "pay.csv", index=False)
    words = ["mix", "--real", "pay.csv", "--target", "fraud", "--with", "forest,copula", "--workers", "3", "-q"]
    running = subprocess.Popen([sys.executable, "-m", "synthwright", *words], cwd=tmp_path, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not (tmp_path / "out" / "mix-pay" / "work" / "forest.txt").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert len(working_in(tmp_path)) > 1
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"interrupted; the same command goes on" in told
    assert working_in(tmp_path) == []
    assert not list(tmp_path.glob("out/mix-pay/work/train"))
