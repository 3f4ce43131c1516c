"""Methods of a study, each in a process of its own, several at a time; what one came to is kept while it goes on."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synthwright.core import registry
from synthwright.core.errors import SynthwrightError
from synthwright.core.schema import fingerprint
from synthwright.engine.apart import apart
from synthwright.report.mixed import Candidate
from synthwright.store.folder import FolderStore
from synthwright.studies.mix_data import Aim, Dose, Wish
from synthwright.studies.mix_work import TEST, TRAIN, Job

WORK = "synthwright.studies.mix_work:run_mix"
FOLDS, REPEATS, CONFIRMING = 3, 2, 5
_SAID, _TOOK = "said.npz", "seconds.json"

Way = tuple[str, tuple[Dose, ...]]
"""A method, and what is tried of it."""


class Came(NamedTuple):
    """What became of a method."""

    said: np.ndarray | None
    """What its models say; None where it failed."""
    row: Candidate
    """Its name and seconds, or why it failed."""


@dataclass(frozen=True)
class Runs:
    """What runs the methods of one study."""

    at: Path
    """The folder that holds the real rows, and what is kept."""
    aim: Aim
    wish: Wish
    study: str
    """The identity of the study: its rows, its target, its seed."""

    def each(self, ways: Sequence[Way], *, whole: bool = False) -> Iterator[Came]:
        """Yield what becomes of each method, in order; as many run at a time as there are workers.

        Args:
            ways: methods, and what is tried of each.
            whole: whether they learn from all training rows and are judged on the held-out ones.
        """
        if self.wish.workers < 2 or len(ways) < 2:
            yield from (self._one(way, whole=whole) for way in ways)
            return
        stop = threading.Event()
        pool = ThreadPoolExecutor(min(self.wish.workers, len(ways)))
        try:
            waiting = [pool.submit(self._one, way, whole=whole, stop=stop) for way in ways]
            for one in waiting:
                yield one.result()
        finally:  # whoever stops the study stops its processes
            stop.set()
            pool.shutdown(cancel_futures=True)

    def tidy(self, *, keep: bool) -> None:
        """Remove what the study needed while it ran; what methods came to stays where it is to go on."""
        kept = self.at / "done"
        if not keep or not any(kept.glob("mix/*")):
            shutil.rmtree(self.at, ignore_errors=True)
            return
        for path in self.at.iterdir():
            if path.is_dir() and path != kept:
                shutil.rmtree(path, ignore_errors=True)
            elif path != kept:
                path.unlink()

    def _one(self, way: Way, *, whole: bool, stop: threading.Event | None = None) -> Came:
        name, doses = way
        store = FolderStore.open(self.at / "done")
        file = self.at / f"{name}.npz"
        job = Job(method=name, at=str(self.at), out=str(file), aim=self.aim, doses=doses, seed=self.wish.seed,
                  seconds=self.wish.seconds, folds=0 if whole else FOLDS,
                  repeats=CONFIRMING if whole else REPEATS)  # fmt: skip
        recipe = registry.find("generators", name)().fingerprint() if name in registry.names("generators") else ""
        same = job.model_dump(mode="json", exclude={"at", "out", "seconds"})
        key = f"mix/{fingerprint([self.study, recipe, same])}"
        found = store.get(key)
        if found is None:
            begun = time.monotonic()
            failed = self._done(job, stop)
            if failed is not None:
                return Came(None, failed)
            took = time.monotonic() - begun

            def write(folder: Path) -> None:
                file.rename(folder / _SAID)
                (folder / _TOOK).write_text(json.dumps(took), encoding="utf-8")

            found = store.put(key, write)
        with np.load(found / _SAID, allow_pickle=False) as held:
            return Came(held["said"], Candidate(name=name, seconds=json.loads((found / _TOOK).read_bytes())))

    def _done(self, job: Job, stop: threading.Event | None) -> Candidate | None:
        """Do a job in a process of its own; return the row that says why not, where that failed."""
        order, log = job.model_dump(mode="json"), self.at / f"{job.method}.txt"
        Path(job.out).unlink(missing_ok=True)
        reason, stopped = "", False
        try:
            reason = (apart(WORK, order, log) if stop is None else apart(WORK, order, log, stop))["reason"]
        except TimeoutError:
            reason, stopped = f"stopped after {job.seconds:g} seconds", True
        except SynthwrightError as error:
            reason = f"{error.got or error.thing}."
        if not reason:
            return None
        return Candidate(name=job.method, outcome="stopped" if stopped else "failed", reason=reason)


def cleared(at: Path) -> None:
    """Make the folder that a study works in; rows that a killed one left go, what its methods came to stays."""
    at.mkdir(mode=0o700, exist_ok=True)
    for name in (TRAIN, TEST):
        shutil.rmtree(at / name, ignore_errors=True)
