"""Work that the engine's tests have done."""

from __future__ import annotations

import os
import time

from synthwright.core.errors import InputError


def double(item: int) -> int:
    """Double a number."""
    return 2 * item


def who(item: int) -> int:
    """Say which process this is, slowly enough that one worker does not do everything."""
    time.sleep(0.2)
    return os.getpid()


def refuse(item: int) -> None:
    """Raise a typed error."""
    raise InputError("test", "the item", wanted="a good one", got="no good")


def leak(item: int) -> None:
    """Raise an error that holds a value."""
    raise ValueError("secret")


def die(item: int) -> None:
    """End the process."""
    os._exit(9)


def chatter(item: int) -> int:
    """Print."""
    print("hello")  # noqa: T201
    os.write(1, b"more\n")
    return item


def nap(item: int) -> None:
    """Take long."""
    time.sleep(60)
