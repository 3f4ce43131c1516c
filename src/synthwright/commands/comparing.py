"""The command that runs several generators on one table: compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthwright.commands.saying import Say
from synthwright.core.errors import InputError
from synthwright.report.compared import Method, spent
from synthwright.studies.compare import Wish, compare


def compare_methods(
    data: Path, methods: Sequence[str] | None, out: Path | None, switches: dict[str, Any], say: Say
) -> None:
    """Compare generators on a file, say how far it is, and show what came of it."""
    if not data.exists() and not set("*?[") & set(str(data)):
        raise InputError(str(data), "the data", wanted="a file or folder", got="no such file")
    named = None
    if methods:
        named = tuple(name for said in methods for name in said.replace(" ", "").split(",") if name)
    at = out or Path("out") / f"compare-{data.name.split('.')[0] or 'data'}"
    found = compare(data, Wish(methods=named, **switches), at, _telling(say))
    say.result(found.to_json() | {"out": str(at)})
    if say.json:
        return
    found.show(say.console)
    say.line(f"page: {at / 'compare.html'} (for you alone: it is computed from real rows)")


def _telling(say: Say) -> Any:
    """Return who is told how far the comparison is: a line for each method, and on a terminal what is busy."""
    console = say.console
    busy = console.status("") if console.is_terminal else None

    def told(news: Method | str) -> None:
        if isinstance(news, str):
            if busy is not None:
                busy.update(f"{news} …")
                busy.start()
            return
        if busy is not None:
            busy.stop()
        came = news.reason or f"made in {spent(news.seconds)}, " + (
            f"{len(news.missed)} of {news.gates} gates missed" if news.missed else "every gate met")  # fmt: skip
        say.line(f"{news.name:<14}  {came}")

    return told
