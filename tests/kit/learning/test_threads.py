"""Threads: as many as there may be, answers in order, faults not lost."""

from __future__ import annotations

import os
import threading

import pytest

from synthwright.kit.learning.threads import side_by_side, threads


def test_threads_may_be_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OMP_NUM_THREADS` makes threads fewer, never more than there are cores, and never none."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = threads()
    assert cores >= 1
    for said, found in (("1", 1), ("0", 1), ("1000000", cores), ("many", cores), ("", cores), ("-1", cores)):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        assert threads() == found, said


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_only_the_cores_of_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may use one core uses one thread."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert threads() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("many", [1, 2, 5])
def test_answers_come_in_order(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Answers have the order of what was asked, on one thread and on several."""
    monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda: many)
    assert side_by_side(lambda i: i * i, range(50)) == [i * i for i in range(50)]
    assert side_by_side(lambda i: i, []) == []


def test_work_is_done_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads meet: one alone would wait for ever."""
    monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda: 2)
    meeting = threading.Barrier(2, timeout=20)
    assert sorted(side_by_side(lambda _: meeting.wait(), range(2))) == [0, 1]


@pytest.mark.parametrize("many", [1, 3])
def test_faults_are_not_lost(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """What goes wrong with one item is raised."""
    monkeypatch.setattr("synthwright.kit.learning.threads.threads", lambda: many)
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda i: 1 // (i - 3), range(9))
