"""A collapse on a terminal, as a page, and as Markdown: the same numbers and the same words in each."""

from __future__ import annotations

from typing import Any

from synthwright.report.collapsed import KEEPS, MEANINGS, TOLD, Collapse, Regime, Step
from synthwright.report.collapsed_chart import Line, Panel, draw_panel, look, mark
from synthwright.report.document import Document, Items, Rows, Section, markdown
from synthwright.report.html import template

_SHOWN = 6
"""Generations that a terminal shows of each regime, at most: the first ones and the last."""
_HEADS = ("regime", "generation")
"""What says which row of a table it is."""
_RULE = (
    "A generation is flagged where, in some measure, it is below a second real sample and below the first generation, "
    "both by more than chance allows (one case in 20,000, shared among the measures). The same rule holds for every "
    "regime. What the first generation lacks is the generator's own loss."
)  # fmt: skip
_LEARNED = {
    "replace": "each generation learned from the last alone",
    "accumulate": "each learned from the real rows and all generations before it",
    "fresh": "each learned from the last, mixed with so many fresh real rows",
}


def about(found: Collapse) -> str:
    """Return what was done, in a few sentences."""
    target = f" Models predict {found.target}." if found.target else " No column to predict was named."
    return (f"{found.generations} generations of {found.rows:,} rows made by {found.use}; the first learned from "
            f"{found.rows:,} of {found.real:,} real rows, and as many others, which none learned from, judge all."
            f"{target} Seed {found.seed}.")  # fmt: skip


def heads(found: Collapse) -> tuple[str, ...]:
    """Return the heads of the table."""
    return ("regime", "generation", "flagged by", *found.chance, "real rows")


def rows(found: Collapse) -> list[tuple[str, ...]]:
    """Return the rows of the table: what each generation kept, and below what chance alone may take."""
    out = [_row(found, r, s) for r in found.regimes for s in r.steps]
    parts = len(found.chance) - len(TOLD & set(found.chance))
    room = [f"± {100 * c.room(parts) / c.reference:.1f} %" if c.reference else "" for c in found.chance.values()]
    return [*out, ("a second real sample", "", "", *room, "100 %")]


def _row(found: Collapse, regime: Regime, step: Step) -> tuple[str, ...]:
    kept = [found.kept(m, step) for m in found.chance]
    return (regime.title, str(step.generation), ", ".join(step.fallen), *(_share(k) for k in kept),
            f"{100 * step.real:.0f} %")  # fmt: skip


def _share(kept: float | None) -> str:
    return "" if kept is None else f"{100 * kept:.1f} %"


def panels(found: Collapse) -> list[Panel]:
    """Return a chart for each measure."""
    parts, out = len(found.chance) - len(TOLD & set(found.chance)), []
    for measure, chance in found.chance.items():
        if not chance.reference:
            continue
        lines = tuple(
            Line(r.title, tuple(found.kept(measure, s) for s in r.steps), tuple(measure in s.fallen for s in r.steps))
            for r in found.regimes
        )
        out.append(Panel(measure, chance.room(parts) / abs(chance.reference), lines))
    return out


def _context(found: Collapse) -> dict[str, Any]:
    from markupsafe import Markup

    keys = [{"sign": Markup(mark(0, 0, *look(i))), "title": r.title, "means": _LEARNED[r.name],  # noqa: S704  drawn here
             "flagged": r.flagged} for i, r in enumerate(found.regimes)]  # fmt: skip
    drawn = [{"title": p.title, "says": MEANINGS.get(p.title, ""), "svg": Markup(draw_panel(p))} for p in panels(found)]  # noqa: S704  drawn here
    answer = "yes" if not any(r.flagged for r in found.regimes) else "doubt"
    return {
        "found": found, "title": f"Generations of {found.data}", "about": about(found), "answer": answer, "keys": keys,
        "panels": drawn, "heads": heads(found), "rows": rows(found), "rule": _RULE,
        "numbers": (1, *range(3, 3 + len(found.chance) + 1)),
        "terms": [(m, MEANINGS.get(m, "")) for m in found.chance],
    }  # fmt: skip


def collapse_html(found: Collapse) -> str:
    """Return `collapse.html`: a page without scripts and network, in the light and in the dark, and on a phone."""
    return template("collapse.html.j2").render(**_context(found))


def collapse_markdown(found: Collapse) -> str:
    """Return `collapse.md`."""
    head = heads(found)
    numbers = (1, *range(3, len(head)))
    flagged = tuple(f"{r.title} ({_LEARNED[r.name]}): {flag_of(r)}" for r in found.regimes)
    meanings = tuple(f"{m}: {MEANINGS.get(m, '')}" for m in found.chance)
    out = [Section("", (found.because, about(found), Items(flagged), Rows(head, tuple(rows(found)), numbers))),
           Section("What the numbers mean", (_RULE, Items(meanings)))]  # fmt: skip
    if found.notes:
        out.append(Section("Notes", (Items(found.notes),)))
    return markdown(Document(f"Generations of {found.data}", tuple(out)))


def flag_of(regime: Regime) -> str:
    """Return when a regime is flagged, in words."""
    if regime.flagged is None:
        return "no generation is flagged"
    return f"flagged at generation {regime.flagged} ({', '.join(regime.steps[regime.flagged - 1].fallen)})"


def collapse_part(found: Collapse) -> str:
    """Return the table as a piece of HTML, for notebooks."""
    from markupsafe import escape

    top = "".join(f"<th>{escape(h)}</th>" for h in heads(found))
    body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows(found))
    return f"<p><b>{escape(found.because)}</b></p><table><tr>{top}</tr>{body}</table>"


def _fitting(found: Collapse, width: int) -> list[list[str]]:
    """Return the measures in so many tables that each is no wider than the terminal: nothing of them is cut off."""
    first = max((len(r.title) for r in found.regimes), default=0)
    begun = 1 + max(first, len(_HEADS[0])) + 1 + len(_HEADS[1])
    out: list[list[str]] = []
    left = 0
    for measure in found.chance:
        wide = 1 + max(5, *map(len, measure.split()))
        if not out or wide > left:
            out.append([])
            left = width - begun
        out[-1].append(measure)
        left -= wide
    return out


def print_collapse(found: Collapse, console: Any = None) -> None:
    """Print what each regime kept and when it is flagged; to a rich console if given."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console(highlight=False)
    for measures in _fitting(found, console.width):
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        for i, head in enumerate((*_HEADS, *measures)):
            table.add_column(head.replace(" ", "\n"), justify="right" if i else "left", no_wrap=True)
        for regime in found.regimes:
            steps = regime.steps
            shown = steps if len(steps) <= _SHOWN else (*steps[: _SHOWN - 1], steps[-1])
            for step in shown:
                cells = [(found.kept(m, step), m in step.fallen) for m in measures]
                table.add_row(regime.title, str(step.generation),
                              *(Text("" if k is None else f"{100 * k:.0f} %", style="red" if bad else
                                     "yellow" if k is not None and k < KEEPS else "") for k, bad in cells))  # fmt: skip
        console.print(table)
    for regime in found.regimes:
        style = "green" if regime.flagged is None else "red"
        console.print(Text.assemble((regime.title, "bold"), ": ", (flag_of(regime), style)))
    for note in found.notes:
        console.print(Text(note, style="dim"))
    console.print(Text(found.because, style="bold"))
