"""Work in this process, or spread over worker processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from synthwright.core.errors import WorkerError, from_json
from synthwright.engine.work import call, one_thread

Done = Callable[[int], None]


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Local:
    """Runs work on `workers` processes; with one, or with a single item, in this process.

    Use as a context manager: leaving it ends the workers.
    """

    workers: int = 1
    _idle: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)
    _all: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.kill()
        for worker in self._all:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # what a dead worker did not read is not missed
                        pipe.close()
        self._all.clear()
        self._idle.clear()

    def map(self, work: str, items: Sequence[Any], done: Done | None = None) -> list[Any]:
        """Call `work` on every item, in order; the first failure is raised after the others have finished."""
        told = done or (lambda _: None)
        if self.workers == 1 or len(items) < 2:
            return self._here(work, items, told)
        # Workers end with the thread that started them (PR_SET_PDEATHSIG), so they are started here, not in the pool.
        while len(self._idle) < min(self.workers, len(items)):
            self._idle.append(self._start())
        count, lock = 0, threading.Lock()

        def one(item: Any) -> Any:
            nonlocal count
            answer = self._ask(work, item)
            with lock:
                count += 1
                told(count)
            return answer

        with ThreadPoolExecutor(min(self.workers, len(items))) as pool:
            waiting = [pool.submit(one, item) for item in items]
            return [w.result() for w in waiting]

    @staticmethod
    def _here(work: str, items: Sequence[Any], told: Done) -> list[Any]:
        from threadpoolctl import threadpool_limits

        answers = []
        for i, item in enumerate(items):
            with threadpool_limits(limits=1):  # the same sums in the same order as in a worker
                answers.append(call(work, item))
            told(i + 1)
        return answers

    def _ask(self, work: str, item: Any) -> Any:
        """Have a worker do one item; a worker that goes away is replaced once."""
        for _ in range(2):
            worker = self._take()
            try:
                assert worker.stdin is not None  # noqa: S101  pipes were asked for
                assert worker.stdout is not None  # noqa: S101
                worker.stdin.write(json.dumps({"work": work, "item": item}) + "\n")
                worker.stdin.flush()
                line = worker.stdout.readline()
            except (BrokenPipeError, ValueError):
                line = ""
            if line:
                with self._lock:
                    self._idle.append(worker)
                said = json.loads(line)
                if "problem" in said:
                    raise from_json(said["problem"])
                return said["answer"]
        raise WorkerError(work, "a worker process", wanted="an answer", got="its end, twice",
                          remedy="the machine may be short of memory: use fewer --workers")  # fmt: skip

    def _take(self) -> subprocess.Popen[str]:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.poll() is None:
                    return worker
        return self._start()

    def _start(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "synthwright.engine.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_thread(), start_new_session=True,
        )  # fmt: skip
        with self._lock:
            self._all.append(worker)
        return worker
