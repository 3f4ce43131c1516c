"""Independent work side by side in threads: for kernels and libraries that let go of the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from synthwright.engine.local import cores

Item = TypeVar("Item")
Found = TypeVar("Found")


def threads() -> int:
    """Return how many threads may run: the cores of this process, or fewer where `OMP_NUM_THREADS` says so."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores(), int(said))) if said.isdecimal() else cores()


def side_by_side(work: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """Return what the work gives for every item, in order; items must not depend on each other."""
    most = min(threads(), len(items))
    if most < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(most) as pool:
        return list(pool.map(work, items))
