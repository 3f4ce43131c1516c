"""The command that shows what was spent of a source's privacy: ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthwright.commands.saying import Say
from synthwright.core.spend import ROW, Spend
from synthwright.store.ledger import LOG, Ledger

_BECAME = {
    "reserved": "begun",
    "stopped": "stopped by hand",
    "settled": "measured",
    "failed": "failed",
    "lost": "its release is lost",
}
_ADDED = "the sum of all (basic composition)"
_CONCENTRATED = "the sum of all rho, converted once (zero-concentrated privacy)"


def show_ledger(at: Path, say: Say) -> None:
    """Show what a ledger says: in whose favour it counts, every measurement, what is spent and left."""
    beside = at.with_name(f"{at.name}.privacy")
    ledger = Ledger.seen(beside if (beside / LOG).is_file() and not (at / LOG).is_file() else at)
    found = _found(ledger)
    say.result(found)
    if say.json:
        return
    for one in found["measurements"]:
        rho = "" if one["rho"] is None else f", rho {one['rho']:.4g}"
        rows = "" if found["unit"] == ROW else f", {one['rows']} rows of one"
        say.line(f"{one['about']:<24}  epsilon {one['epsilon']:g}, delta {one['delta']:g}{rho}{rows}  {one['became']}")
    spent = found["spent"]
    say.line(f"unit      {found['unit']}: neighbours differ by {found['neighbours']}")
    say.line(f"spent     epsilon {spent['epsilon']:.4g} at delta {spent['delta']:.4g}, by {spent['by']}")
    if found["budget"] is not None:
        whole = found["budget"]
        say.line(
            f"allowed   epsilon {whole['epsilon']:g} and delta {whole['delta']:g}; epsilon {found['left']:.4g} left"
        )
        return
    say.line("allowed   nothing yet: the first run says how much")


def _found(ledger: Ledger) -> dict[str, Any]:
    measured, spent, whole = ledger.measurements, ledger.spent, ledger.budget
    plain = sum(s.epsilon for _, s, _ in measured)
    by = _CONCENTRATED if spent.rho is not None and spent.epsilon < plain else _ADDED
    each = [
        {"about": about, "epsilon": s.epsilon, "delta": s.delta, "rho": s.rho, "rows": s.rows, "became": _BECAME[end]}
        for about, s, end in measured
    ]
    shown = Spend(0.0, 0.0) if not measured else spent
    return {
        "ledger": ledger.at.name,
        "unit": shown.unit,
        "neighbours": shown.neighbours,
        "measurements": each,
        "spent": {"epsilon": shown.epsilon, "delta": shown.delta, "by": by},
        "budget": None if whole is None else {"epsilon": whole.epsilon, "delta": whole.delta},
        "left": ledger.left.epsilon,
    }
