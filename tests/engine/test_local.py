"""Work in this process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthwright.core.errors import InputError, WorkerError
from synthwright.engine.local import Local


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers find the work below."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_order_and_answers_do_not_depend_on_workers(workers: int) -> None:
    """Answers come in the order of the items, however many processes there are."""
    told: list[int] = []
    with Local(workers) as engine:
        assert engine.map("work_for_tests:double", [3, 1, 2, 5], told.append) == [6, 2, 4, 10]
        assert engine.map("work_for_tests:double", [7, 8]) == [14, 16]
    assert sorted(told) == [1, 2, 3, 4]


def test_workers_are_other_processes() -> None:
    """With two workers the work is not done here."""
    with Local(2) as engine:
        pids = engine.map("work_for_tests:who", [0, 1])
    assert os.getpid() not in pids


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_keep_their_type(workers: int) -> None:
    """A typed error in a worker is the same typed error here."""
    with Local(workers) as engine, pytest.raises(InputError, match="no good"):
        engine.map("work_for_tests:refuse", [1, 2])


def test_other_failures_tell_no_values() -> None:
    """An untyped failure says where it happened, and nothing of the data."""
    with Local(2) as engine, pytest.raises(WorkerError, match=r"ValueError at work_for_tests\.py") as caught:
        engine.map("work_for_tests:leak", [1, 2])
    assert "secret" not in str(caught.value)


def test_a_worker_that_goes_away_is_replaced_once() -> None:
    """A worker that dies twice on the same item is an error, not a hang."""
    with Local(2) as engine, pytest.raises(WorkerError, match="its end, twice"):
        engine.map("work_for_tests:die", [1, 2])


def test_what_work_prints_does_not_disturb() -> None:
    """A library that prints cannot spoil the answers."""
    with Local(2) as engine:
        assert engine.map("work_for_tests:chatter", [1, 2]) == [1, 2]


def test_workers_go_when_their_parent_is_killed() -> None:
    """No worker outlives a parent that was killed."""
    code = "from synthwright.engine.local import Local\nLocal(2).map('work_for_tests:nap', [1, 2])"
    parent = subprocess.Popen([sys.executable, "-c", code])
    time.sleep(1.5)
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent.pid)], capture_output=True, text=True, check=False
    )
    pids = [int(p) for p in children.stdout.split()]
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(Path(f"/proc/{p}").exists() for p in pids):
        time.sleep(0.05)
    assert pids
    assert not any(Path(f"/proc/{p}").exists() for p in pids)
