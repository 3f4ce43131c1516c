"""Charts of how varied texts are, wave by wave: a line for each measure of a column, as a share of the first wave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthwright.report.collapsed_chart import Line, Panel, draw_panel, look, mark
from synthwright.report.counts import spelled
from synthwright.report.diversity import NAMES, DiversityRow

SAYS = ("100 % is what equally many texts of the first wave have; the grey band begins at the bound. A ring is a wave "
        "that has fallen below it, by more than chance. All numbers are in the table.")  # fmt: skip
"""What stands below the charts."""


def panels(rows: Sequence[DiversityRow]) -> list[Panel]:
    """Return a chart for each column with waves that were held against the first."""
    found = []
    for column in dict.fromkeys(row.column for row in rows):
        mine = [row for row in rows if row.column == column and row.measures]
        later = [row for row in mine if any(m.reference for m in row.measures.values())]
        if not later:
            continue
        shown = [*[row for row in mine if row not in later][-1:], *later]
        ticks = tuple(f"{row.first}–{row.last}" if row.first != row.last else f"{row.last}" for row in shown)
        lines = tuple(_line(name, shown) for name in NAMES if any(name in row.measures for row in later))
        found.append(Panel(spelled(column), 1 - later[-1].bound, lines, ticks, "wave", "by wave, of the first wave"))
    return found


def _line(name: str, rows: Sequence[DiversityRow]) -> Line:
    """Return a measure as a share of the first wave, which has all of it."""
    kept = tuple(_share(name, row) for row in rows)
    return Line(NAMES[name], kept, tuple(name in row.fallen for row in rows))


def _share(name: str, row: DiversityRow) -> float | None:
    measure = row.measures.get(name)
    if measure is None or measure.reference is None:
        first = all(m.reference is None for m in row.measures.values())
        return 1.0 if first else None
    return measure.value / measure.reference if measure.reference else None


def charts(rows: Sequence[DiversityRow]) -> list[dict[str, Any]]:
    """Return the charts as the page shows them: a title, and the drawing."""
    from markupsafe import Markup

    return [{"title": p.title, "svg": Markup(draw_panel(p))} for p in panels(rows)]  # noqa: S704  drawn here


def keys() -> list[dict[str, Any]]:
    """Return what each line means."""
    from markupsafe import Markup

    return [{"sign": Markup(mark(0, 0, *look(i))), "title": title}  # noqa: S704  drawn here
            for i, title in enumerate(NAMES.values())]  # fmt: skip
