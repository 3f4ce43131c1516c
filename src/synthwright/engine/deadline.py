"""Work that must end in time, in whatever thread it runs."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class _Overdue(BaseException):
    """Raised inside work that takes too long: no `except Exception` of the work itself holds it up."""


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Do the work and return its answer; a TimeoutError where it takes longer.

    The work is stopped at its next step in Python: one long call into compiled code is stopped when it returns, and
    then its answer counts no more.
    """
    thread, lock = threading.get_ident(), threading.Lock()
    state = "working"

    def stop() -> None:
        nonlocal state
        with lock:
            if state == "working":
                state = "stopped"
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Overdue))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    try:
        try:
            timer.start()  # in here: on a busy machine it may fire before the work begins
            answer = work()
        except _Overdue:
            state = "heard"
            raise
        finally:
            with lock:
                state = "done" if state == "working" else state
            timer.cancel()
            while state == "stopped":  # it was told to stop and is about to hear it
                time.sleep(0.001)
    except _Overdue:
        raise TimeoutError(f"not finished after {seconds:g} seconds") from None
    return answer
