"""A comparison of methods on a terminal, as a page, and as Markdown: the same rows and the same words in each."""

from __future__ import annotations

from typing import Any, NamedTuple

from synthwright.report.compared import (
    RELATED,
    TOLD_APART,
    USED,
    Comparison,
    Measured,
    Method,
    few,
    share,
    spent,
)
from synthwright.report.document import Document, Items, Rows, Section, markdown
from synthwright.report.html import template
from synthwright.report.tradeoff import NARROW, WIDE, Axis, Dot, Look, draw_tradeoff, mark, radius

REAL = "second real sample"
HEADS = ("method", "gates", "told apart", "shape", "trend", "utility", "privacy", "time", "rows/s", "memory")
NUMBERS = (2, 3, 4, 5, 6, 7, 8, 9)
"""Columns of numbers."""
_TOLD = """How well a classifier tells made rows from real ones that no method saw: 0.5 not at all, 1 always. The
axis to the right of the chart."""
_USEFUL = """How well models that learned from made rows predict the target of real ones, as a share of what models
reach that learned from real rows. The axis upwards of the chart; without a target that is trend."""
_PRIVATE = """How much better an attacker tells who was in the real data than with other real rows (membership), or how
many rows more are real ones with small changes (near-copies): the larger of the two. 0 or less is no more than rows
give away that nobody learned from; whether it is more than chance, the gates say."""
TERMS = {
    "gates": "What rows must meet before they may be used: likeness, use, integrity and privacy.",
    "told apart": " ".join(_TOLD.split()),
    "shape": "How far the values of single columns are from the real ones, the mean over columns: 0 not at all.",
    "trend": "How far dependence between two columns is from that in real rows, the mean over pairs: 0 not at all.",
    "utility": " ".join(_USEFUL.split()),
    "privacy": " ".join(_PRIVATE.split()),
    "time": "How long learning and making all rows took, without measuring them.",
    "rows/s": "Rows made in a second, once it has learned.",
    "memory": "The most memory that the method's process held until its rows were measured, the program included.",
}
"""What each column means."""
_KEYS: tuple[tuple[Look, str], ...] = (
    ("met", "every gate is met"),
    ("safe", "gates are missed, none about privacy"),
    ("unsafe", "gates about privacy are missed"),
    ("real", f"a {REAL}"),
)
_COLOURS = {"met": "green", "short": "yellow", "missed": "red", "": "dim"}
_ALIKE = 0.5
"""Where rows cannot be told apart; what is less, is less by chance, and is drawn there."""
_ROOMY = 110
"""Letters across a terminal from where on every column is shown."""
_LOOKS = {"met": "met", "safe": "short", "unsafe": "missed"}


class Line(NamedTuple):
    """One row of the table."""

    cells: tuple[str, ...]
    reason: str = ""
    """In place of numbers: why there are none."""
    link: str = ""
    look: str = ""
    taken: bool = False


def lines(found: Comparison) -> list[Line]:
    """Return the rows of the table: what is recommended first, then by gates missed, then what has no numbers."""
    made = sorted((m for m in found.methods if m.made), key=lambda m: (
        m.name != found.recommended, len(m.missed) > 0, len(m.exposing), len(m.missed)))  # fmt: skip
    real = [number(found.reference(m)) for m in (TOLD_APART, "shape", RELATED)]
    useful = "100 %" if found.reference(USED) else ""
    second = [Line((REAL, "", *real, useful, "0", "", "", ""))] if any(real) else []
    rest = [_line(m, taken=False) for m in found.methods if not m.made]
    return [*(_line(m, taken=m.name == found.recommended) for m in made), *second, *rest]


def _line(method: Method, *, taken: bool) -> Line:
    if not method.made:
        return Line((method.name,), method.reason)
    gates = f"all {method.gates} met"
    if method.missed:
        gates = f"{len(method.missed)} of {method.gates} missed: {few(_private_first(method))}"
    exposed = method.privacy
    cells = (
        method.name, gates, *(_score(method, m) for m in (TOLD_APART, "shape", RELATED)), share(method.utility),
        "" if exposed is None else f"{exposed[0]:+.3f}", spent(method.seconds),
        "" if method.pace is None else f"{method.pace:,.0f}",
        "" if method.memory is None else f"{method.memory / 2**20:,.0f} MiB",
    )  # fmt: skip
    return Line(cells, link=method.report, look=_LOOKS[_look(method)], taken=taken)


def _private_first(method: Method) -> list[str]:
    return sorted(method.missed, key=lambda name: name not in method.exposing)


def _score(method: Method, metric: str) -> str:
    return number(method.scores.get(metric, Measured()).value)


def number(value: float | None) -> str:
    """Return a score as the table shows it."""
    return "" if value is None else f"{value:.3f}"


def _look(method: Method) -> Look:
    return "unsafe" if method.exposing else "safe" if method.missed else "met"


def about(found: Comparison) -> str:
    """Return what was compared, on what, and how, in a few sentences."""
    many = len(found.methods)
    target = f"Models predict {found.target.partition('.')[2]}." if found.target else "No column to predict was named."
    budget = "" if found.budget is None else f" Each could take {spent(found.budget)}."
    return (f"{many} method{'s' if many != 1 else ''} on the same {found.real:,} real rows, of which none saw a fifth; "
            f"{found.wanted:,} rows made by each. {target}{budget} Seed {found.seed}.")  # fmt: skip


def _dots(found: Comparison, *, short: bool) -> tuple[list[Dot], list[str], Axis]:
    """Return what is drawn, what cannot be, and the axis of utility; short labels for a phone."""
    target = any(m.utility is not None for m in found.methods)
    up = Axis("Utility: share of what real rows teach", "higher", percent=True) if target else \
        Axis("Trend: error of dependence", "lower")  # fmt: skip
    dots, undrawn = [], []
    for method in found.methods:
        x = method.scores.get(TOLD_APART, Measured()).value
        y = method.utility if target else method.scores.get(RELATED, Measured()).value
        if x is None or y is None:
            undrawn.append(method.name)
            continue
        label = f"{method.name} {spent(method.seconds)}"
        dots.append(
            Dot(label, max(_ALIKE, x), y, _look(method), radius(method.seconds), method.name == found.recommended)
        )
    x, y = found.reference(TOLD_APART), 1.0 if target else found.reference(RELATED)
    if dots and x is not None and y is not None:
        dots.append(Dot("real" if short else REAL, max(_ALIKE, x), y, "real", 7.0))
    return dots, undrawn, up


def comparison_charts(found: Comparison) -> tuple[str, str]:
    """Return the chart for a page and for a phone, each as SVG; empty where nothing can be drawn."""
    out = []
    for size, short in ((WIDE, False), (NARROW, True)):
        dots, _, up = _dots(found, short=short)
        across = Axis("Fidelity: 0.5 is alike" if short else "Fidelity: at 0.5 no row is told from a real one", "lower")
        out.append(_speaking(draw_tradeoff(dots, across, up, size), found) if dots else "")
    return out[0], out[1]


def _speaking(svg: str, found: Comparison) -> str:
    """Return a chart that screen readers announce with a sentence; the table has the numbers."""
    from markupsafe import escape

    spoken = "Trade-off of fidelity and utility, a mark for each method. " + found.because
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(spoken)}" ', 1)


def _context(found: Comparison) -> dict[str, Any]:
    from markupsafe import Markup

    wide, narrow = comparison_charts(found)
    dots, undrawn, _ = _dots(found, short=True)
    signs = {look: mark(Dot("", 0, 0, look), (0.0, 0.0)) for look, _ in _KEYS}
    shown = {d.look for d in dots}
    return {
        "found": found, "title": f"Methods compared on {found.data}", "about": about(found),
        "answer": "yes" if found.recommended else "no", "wide": Markup(wide), "narrow": Markup(narrow),  # noqa: S704  drawn here
        "undrawn": undrawn, "heads": HEADS, "numbers": NUMBERS, "rows": lines(found), "terms": TERMS.items(),
        "keys": [{"sign": Markup(signs[look]), "means": means} for look, means in _KEYS if look in shown],  # noqa: S704  drawn here
    }  # fmt: skip


def comparison_html(found: Comparison) -> str:
    """Return `compare.html`: a page without scripts and network, in the light and in the dark, and on a phone."""
    return template("compare.html.j2").render(**_context(found))


def comparison_markdown(found: Comparison) -> str:
    """Return `compare.md`."""
    told = [(*line.cells, *[""] * (len(HEADS) - len(line.cells))) for line in lines(found)]
    rows = [
        (row[0], line.reason, *row[2:]) if line.reason else row for row, line in zip(told, lines(found), strict=True)
    ]
    out = [Section("", (found.because, about(found), Rows(HEADS, tuple(rows), NUMBERS)))]
    if found.left_out:
        out.append(Section("Not compared", (Items(tuple(f"{n}: {why}" for n, why in found.left_out.items())),)))
    out.append(Section("What the numbers mean", (Items(tuple(f"{name}: {says}" for name, says in TERMS.items())),)))
    if found.notes:
        out.append(Section("Notes", (Items(found.notes),)))
    return markdown(Document(f"Methods compared on {found.data}", tuple(out)))


def comparison_part(found: Comparison) -> str:
    """Return the comparison as a piece of HTML, for notebooks."""
    from markupsafe import escape

    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    told = [line.cells if not line.reason else (*line.cells, line.reason) for line in lines(found)]
    rows = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in cells)}</tr>" for cells in told)
    return f"<p><b>{escape(found.because)}</b></p><table><tr>{heads}</tr>{rows}</table>"


def print_comparison(found: Comparison, console: Any = None) -> None:
    """Print the table and the recommendation; to a rich console if given."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console(highlight=False)
    shown = [i for i, head in enumerate(HEADS) if console.width >= _ROOMY or head not in ("rows/s", "memory")]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for i in shown:
        table.add_column(HEADS[i].replace(" ", "\n"), justify="right" if i in NUMBERS else "left", no_wrap=True)
    below = []
    for line in lines(found):
        if line.reason:
            below.append(Text.assemble((line.cells[0], "bold"), ": ", (line.reason, "red")))
            continue
        count, colon, names = line.cells[1].partition(" missed: ")
        if colon:
            below.append(Text.assemble((line.cells[0], "bold"), f": gates missed are {names}"))
        gates = Text(f"{count} missed" if colon else count, style=_COLOURS[line.look])
        cells = (Text(line.cells[0], style="bold" if line.taken else ""), gates, *map(Text, line.cells[2:]))
        table.add_row(*(cells[i] for i in shown))
    if table.row_count:
        console.print(table)
    for text in below:
        console.print(text)
    for name, why in found.left_out.items():
        console.print(Text(f"{name} was not compared: {why}", style="dim"))
    console.print(Text(found.because, style="bold green" if found.recommended else "bold yellow"))
