"""Work that takes too long is stopped, and nothing else is."""

from __future__ import annotations

import threading
import time

import pytest

from synthwright.engine.deadline import within


def never() -> None:
    """Work for ever, and hold on to it."""
    while True:
        try:
            time.sleep(0.001)
        except Exception:  # noqa: BLE001, S112  the stop must get past this
            continue


def test_what_ends_in_time_answers() -> None:
    """The answer, and whatever is raised, come through."""
    assert within(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_what_does_not_end_is_stopped() -> None:
    """Also in another thread than the main one."""
    with pytest.raises(TimeoutError, match=r"0\.05 seconds"):
        within(0.05, never)
    found = []

    def other() -> None:
        try:
            within(0.05, never)
        except TimeoutError as error:
            found.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert len(found) == 1


def test_nobody_else_is_stopped() -> None:
    """Work that ends when its time does is either done or stopped; nothing reaches what comes after."""
    ended = 0
    for i in range(200):
        try:
            within(0.002, lambda i=i: time.sleep(0.001 + 0.00001 * i))  # type: ignore[misc]
            ended += 1
        except TimeoutError:
            pass
    time.sleep(0.01)
    assert 0 < ended <= 200
