"""The cells of a run as a grid on the terminal: how many rows of each stayed, and how many were wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

PLACE = 9
"""Letters that a column of the grid needs; where there is no room, the values of the last columns are added up."""
LONGEST = 40
"""Rows of the grid; the rest is counted."""


class Filled(Protocol):
    """How a cell stands."""

    @property
    def cell(self) -> Any:
        """The cell: `values` by column, wanted `rows`, and the edge `case` it is of."""

    @property
    def kept(self) -> int:
        """Rows that stayed."""

    @property
    def hopeless(self) -> bool:
        """Whether no more rows are made for it."""


def summary(filled: Sequence[Filled]) -> str:
    """Return how many cells are full, and how many rows are missing, in a line."""
    full = sum(f.kept >= f.cell.rows for f in filled)
    missing = sum(max(0, f.cell.rows - f.kept) for f in filled)
    lost = sum(f.hopeless for f in filled)
    said = f"{full:,} of {len(filled):,} cells are full, {missing:,} rows are missing"
    return f"{said}, {lost:,} cell{'s' if lost != 1 else ''} cannot be filled" if lost else said


def grid(filled: Sequence[Filled], width: int) -> Any:
    """Return a table for a terminal so wide: the first column's values down, combinations of the others across."""
    from rich.table import Table
    from rich.text import Text

    names = list(filled[0].cell.values)
    across = names[1:]
    while across and len({_values(f, across) for f in filled}) > max(1, (width - 3 * PLACE) // PLACE):
        across = across[:-1]
    heads = list(dict.fromkeys(_values(f, across) for f in filled))
    table = Table(title=summary(filled), title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column(" × ".join(names[:1] + across), no_wrap=True)
    for head in heads:
        table.add_column("\n".join(head) or "rows", justify="right", overflow="fold")
    lines: dict[str, list[list[Filled]]] = {}
    for one in filled:
        down = str(one.cell.values[names[0]]) + (f" ({one.cell.case})" if one.cell.case else "")
        line = lines.setdefault(down, [[] for _ in heads])
        line[heads.index(_values(one, across))].append(one)
    for down, cells in list(lines.items())[:LONGEST]:
        table.add_row(Text(down), *(Text(*_said(some)) for some in cells))
    if len(lines) > LONGEST:
        table.add_row(Text(f"and {len(lines) - LONGEST:,} more"), *([""] * len(heads)))
    return table


def _values(one: Filled, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(one.cell.values[c]) for c in columns)


def _said(some: Sequence[Filled]) -> tuple[str, str]:
    """Return what stands in a place of the grid, and its colour."""
    if not some:
        return "", ""
    kept, wanted = sum(f.kept for f in some), sum(f.cell.rows for f in some)
    if all(f.kept >= f.cell.rows for f in some):
        return f"{kept:,}", "green"
    return f"{kept:,}/{wanted:,}", "red" if any(f.hopeless for f in some) else "yellow"
