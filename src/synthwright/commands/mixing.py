"""The command that finds which share of synthetic rows helps a model: mix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthwright.commands.saying import Say
from synthwright.core.errors import InputError
from synthwright.engine.local import cores
from synthwright.report.mixed import Candidate
from synthwright.studies.mix import mix_rows
from synthwright.studies.mix_data import Wish


def mix_file(
    real: Path, target: str, named: dict[str, Sequence[str] | None], out: Path | None, switches: dict[str, Any],
    say: Say,
) -> None:  # fmt: skip
    """Try ways of mixing on a file, say how far it is, and show what came of it."""
    for path, word in ((real, "the real rows"), (switches["test"], "the rows that confirm")):
        if path is not None and not path.exists() and not set("*?[") & set(str(path)):
            raise InputError(str(path), word, wanted="a file or folder", got="no such file")
    methods, shares = (_split(named[word]) for word in ("methods", "shares"))
    at = out or Path("out") / f"mix-{real.name.split('.')[0] or 'data'}"
    switches = {**switches, "workers": switches["workers"] or cores()}
    wish = Wish(target, methods=methods, shares=None if shares is None else tuple(map(_share, shares)), **switches)
    found = mix_rows(real, wish, at, _telling(say))
    say.result(found.to_json() | {"out": str(at)})
    if say.json:
        return
    found.show(say.console)
    if found.recipe:
        say.line(f"recipe: {at / found.recipe} makes the rows to add")
    say.line(f"page: {at / 'mix.html'} (for you alone: it is computed from real rows)")


def _split(said: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if not said else tuple(n for one in said for n in one.replace(" ", "").split(",") if n)


def _share(said: str) -> float:
    try:
        return float(said.removesuffix("%")) / (100 if said.endswith("%") else 1)
    except ValueError:
        raise InputError("mix", f"share {said!r}", wanted="a number like 0.05, or 5%", got="none") from None


def _telling(say: Say) -> Any:
    """Return who is told how far the study is: a line for each method, and on a terminal what is busy."""
    console = say.console
    busy = console.status("") if console.is_terminal else None

    def told(news: str | Sequence[Candidate]) -> None:
        if isinstance(news, str):
            if busy is not None:
                busy.update(f"{news} …")
                busy.start()
                if news == "held-out rows":
                    busy.stop()
            return
        if busy is not None:
            busy.stop()
        for one in news:
            came = one.reason
            if one.gain is not None:
                came = f"{one.gain.value:+.3f} ({one.gain.low:+.3f} to {one.gain.high:+.3f})"
            say.line(f"{one.label:<26}  {came}")

    return told
