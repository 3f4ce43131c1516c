"""Calling work by its name, alike in this process and in a worker."""

from __future__ import annotations

import importlib
import os
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")


def one_thread() -> dict[str, str]:
    """Return an environment in which numerical libraries use one thread.

    Work is spread over processes; two threads that wait for each other on a busy core are several times slower than
    one, and one thread adds numbers in the same order everywhere.
    """
    return os.environ | dict.fromkeys(THREADS, "1")


def call(work: str, item: Any) -> Any:
    """Call "module:function" of this package, or of a plug-in, on an item."""
    module, _, name = work.partition(":")
    return getattr(importlib.import_module(module), name)(item)
