"""One method of a comparison: a run of the line, in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from synthwright.core.errors import SpecError, SynthwrightError
from synthwright.core.loading import load_spec
from synthwright.engine.apart import allow, most_memory
from synthwright.line import Nobody, run
from synthwright.report.compared import Method
from synthwright.store.out import INTERNAL

_REPORTS = ("report.html", "report.md", "report.json", "officer.html", "officer.md")


class Budget(Nobody):
    """Ends the process where learning and making take too long; what proves the rows has a limit of its own."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.memory: int | None = None

    def begin(self, step: str) -> None:
        """Start the clock when the method begins to learn, and stop it when its rows are measured."""
        if step == "fit":
            allow(self.seconds)
        if step == "evaluate":
            allow(None)
            self.memory = most_memory()


def run_method(order: dict[str, Any]) -> dict[str, Any]:
    """Run one method and return what became of it, as `Method` holds it; its report goes into the order's folder."""
    folder = Path(order["folder"])
    budget = Budget(order["seconds"])
    try:
        loaded = load_spec(Path(order["spec"]), None, (Path(order["allowed"]),))
        report = run(loaded, folder / "run", workers=order["workers"], store=folder / "store", watcher=budget)
    except Exception as error:  # noqa: BLE001  whatever a method raises is told, and the others go on
        allow(None)
        failed = Method(name=order["name"], outcome="failed", reason=why(error), lacking=_lacks(error))
        return failed.model_dump(mode="json")
    for name in _REPORTS:
        shutil.move(folder / "run" / INTERNAL / name, folder / name)
    return Method.of(order["name"], report, budget.memory).model_dump(mode="json")


def why(error: Exception) -> str:
    """Return why a method failed, without a value of a real row: of foreign errors only what they are called."""
    if isinstance(error, SpecError):
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        return f"{error.faults[0].message}{more}"
    if isinstance(error, SynthwrightError):
        return str(error)
    if isinstance(error, ImportError):
        return f"it needs the package {error.name}, which is not installed."
    return "there was not enough memory." if isinstance(error, MemoryError) else f"it raised {type(error).__name__}."


def _lacks(error: BaseException | None) -> bool:
    """Return whether a package is missing behind an error."""
    return error is not None and (isinstance(error, ImportError) or _lacks(error.__cause__ or error.__context__))
