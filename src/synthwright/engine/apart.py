"""Work in a process of its own: what hangs, crashes or eats all memory there ends there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from synthwright.core.errors import WorkerError, from_json
from synthwright.engine.work import one_thread

_PATIENCE = 0.2
"""Seconds after which it is looked whether a process is to stop."""


def allow(seconds: float | None) -> None:
    """Let this process live so many seconds from now, whatever it is busy with; nothing: as long as it likes.

    The system itself ends it, also in the middle of compiled code, and `apart` raises a TimeoutError.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)


def most_memory() -> int | None:
    """Return the most bytes of memory that this process has held so far; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def apart(work: str, item: Any, log: Path, stop: Event | None = None) -> Any:
    """Call `work` ("module:function") on an item, in a new process, and return its answer; both are JSON.

    Args:
        work: what to call.
        item: what it is called on.
        log: the file for whatever the work and its libraries print.
        stop: set by whoever wants no answer any more: the process is ended then.

    Raises:
        TimeoutError: the time that the work allowed itself was over.
        WorkerError: the process died or was stopped, or the work raised what is no error of ours.
    """
    with log.open("w", encoding="utf-8") as printed:
        worker = subprocess.Popen(
            [sys.executable, "-m", "synthwright.engine.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed, text=True, env=one_thread(),
            start_new_session=True,
        )  # fmt: skip
        try:
            said = _heard(worker, json.dumps({"work": work, "item": item}) + "\n", stop)
        finally:
            if worker.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.communicate()
    if worker.returncode == -signal.SIGALRM:
        raise TimeoutError
    if not said:
        raise WorkerError(work, "a process of its own", wanted="an answer", got=_end(worker.returncode))
    answer = json.loads(said)
    if "problem" in answer:
        raise from_json(answer["problem"])
    return answer["answer"]


def _heard(worker: subprocess.Popen[str], order: str, stop: Event | None) -> str:
    """Return what a process says to an order; nothing, where it is to stop."""
    if stop is None:
        return worker.communicate(order)[0]
    said: str | None = order
    while not stop.is_set():
        with suppress(subprocess.TimeoutExpired):
            return worker.communicate(said, timeout=_PATIENCE)[0]
        said = None  # it was sent
    return ""


def _end(code: int) -> str:
    """Return how a process ended, in words."""
    if code == -signal.SIGKILL:
        return "its end: it was killed, as happens where memory runs out"
    return f"its end by {signal.Signals(-code).name}" if code < 0 else f"its end with code {code}"
