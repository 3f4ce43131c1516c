"""Functions that numba compiles, and keeps compiled where it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function when it is first called, without the interpreter's lock.

    What was compiled is kept beside the code or in the user's cache folder, if either can be written.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep it: compiled anew by every process
        return njit(nogil=True)(function)
