"""The command that lets generations learn from each other: collapse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthwright.commands.saying import Say
from synthwright.core.errors import InputError
from synthwright.studies.collapse import Wish, collapse


def collapse_file(data: Path, out: Path | None, switches: dict[str, Any], say: Say) -> None:
    """Make generations of a file's rows, say how far it is, and show what came of it."""
    if not data.exists() and not set("*?[") & set(str(data)):
        raise InputError(str(data), "the data", wanted="a file", got="no such file")
    at = out or Path("out") / f"collapse-{data.name.split('.')[0] or 'data'}"
    told, done = _telling(say)
    try:
        found = collapse(data, Wish(**switches), at, told)
    finally:
        done()
    say.result(found.to_json() | {"out": str(at)})
    if say.json:
        return
    found.show(say.console)
    say.line(f"page: {at / 'collapse.html'} (for you alone: it is computed from real rows)")


def _telling(say: Say) -> tuple[Callable[[str, int], None], Callable[[], None]]:
    """Return who is told how far it is, and what ends that: on a terminal what is busy, else a line for each regime."""
    console, seen = say.console, set[str]()
    busy = console.status("") if console.is_terminal else None

    def told(regime: str, generation: int) -> None:
        if busy is not None:
            busy.update(f"{regime}: generation {generation} …" if generation else "a second real sample …")
            busy.start()
        elif regime not in seen and generation > 1:
            seen.add(regime)
            say.line(f"{regime} …")

    return told, (busy.stop if busy is not None else lambda: None)
