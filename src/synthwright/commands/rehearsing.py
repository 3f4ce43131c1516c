"""What language models would be asked, and what it would take: `plan` and `run --dry-run`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from synthwright.commands.saying import Say
from synthwright.core.loading import load_spec

if TYPE_CHECKING:
    from synthwright.steps.rehearse import Rehearsed


def rehearse_spec(path: Path, root: Path | None, rows: int, say: Say, *, shown: int = 3) -> None:
    """Show the first prompts, and what all questions to language models will take; ask none."""
    from synthwright.line import rehearse
    from synthwright.trust import allowed_for

    loaded = load_spec(path, root, allowed_for(path.parent))
    with TemporaryDirectory() as store:
        found = rehearse(loaded, rows, Path(store))
    say.result([{"part": r.part, "model": r.model, "estimate": r.all.to_json(),
                 "requests": [q.to_json() for q in r.requests[:shown]]} for r in found])  # fmt: skip
    if not found:
        say.line("no part and no curator asks a language model")
        return
    for one in found:
        for number, request in enumerate(one.requests[:shown], 1):
            say.line(f"--- {one.part}, asked of {one.model}, {number}")
            for message in request.messages:
                say.line(f"{message.role}: {message.text}")
            if request.form is not None:
                say.line(f"answer by: {json.dumps(request.form, ensure_ascii=False)}")
    say.console.print(_estimates(found))
    say.line("if every answer is accepted; rows that curators drop are asked for again")


def _estimates(found: list[Rehearsed]) -> Any:
    """Return a table of what language models will take."""
    from rich.table import Table

    from synthwright.report.effort import dollars

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("part", "model", "calls", "tokens asked", "tokens written, at most", "US dollars", "about"):
        table.add_column(head, justify="left" if head in ("part", "model") else "right")
    for one in found:
        usd = "unknown: say price: [asked, wrote]" if one.all.usd is None else dollars(one.all.usd)
        table.add_row(one.part.replace("[", r"\["), one.model, f"{one.all.calls:,}", f"{one.all.asked:,}",
                      f"{one.all.wrote:,}", usd, _lasting(one.all.seconds))  # fmt: skip
    return table


def _lasting(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
