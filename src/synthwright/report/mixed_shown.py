"""A study of mixing on a terminal, as a page, and as Markdown: the same rows and the same words in each."""

from __future__ import annotations

from typing import Any

from synthwright.report.compared import spent
from synthwright.report.document import Document, Items, Rows, Section, markdown
from synthwright.report.html import template
from synthwright.report.mixed import REAL, Candidate, Confirmed, Interval, Mixed
from synthwright.report.mixed_drawn import NARROW, WIDE, Line, Look, draw_gains, sign

HEADS = ("way", "rows added", "score", "gain", "95 % interval", "recall", "time")
NUMBERS = (1, 2, 3, 4, 5, 6)
HELD = ("way", "score", "gain", "95 % interval", "threshold", "recall", "precision", "recall, matched")
HELD_NUMBERS = (1, 2, 3, 4, 5, 6, 7)
_WAY = """What is added to the real rows. `duplicate` repeats rows of the class, `weights` lets them count for more;
others are generators. The share is that of positive rows, or of synthetic ones, among all that are learned from.
`weights` without a share lets all classes count alike."""
_GAIN = """How much the score is above that of real rows alone, on the same real rows. The interval is that of a paired
bootstrap over these rows and over seeds; it says nothing of other training rows. That of the best of many looks better
than it is, which is why the best is confirmed on held-out rows."""
_RECALL = """The share of positive rows that is found. In the first table, and as `matched`, it is read off the curve at
the precision that real rows alone have: there, rankings are compared, and no threshold is proposed. In the second table
it is that above the threshold."""
TERMS = {
    "way": " ".join(_WAY.split()),
    "gain": " ".join(_GAIN.split()),
    "recall": " ".join(_RECALL.split()),
    "threshold": "Tuned on the folds, for recall and precision together (F1); never on held-out rows.",
    "precision": "The share of rows above the threshold that are positive.",
    "time": "How long the method took on the folds, all its shares together: learning, making rows, models.",
}
"""What each column means."""
_KEYS: tuple[tuple[Look, bool, str], ...] = (
    ("gain", False, "gains"),
    ("open", False, "may gain or lose"),
    ("loss", False, "loses"),
    ("open", True, "on held-out rows"),
)
_SHADES = {"gain": "green", "loss": "red", "open": ""}
_ROOMY = 100


def heads(found: Mixed) -> tuple[str, ...]:
    """Return the heads of the first table: recall is one of two classes alone."""
    return HEADS if found.task == "two classes" else tuple(h for h in HEADS if h != "recall")


def held_heads(found: Mixed) -> tuple[str, ...]:
    """Return the heads of the second table."""
    return HELD if found.task == "two classes" else HELD[:4]


def rows(found: Mixed) -> list[tuple[tuple[str, ...], str]]:
    """Return the cells of each way that was tried, and why one has none."""
    alone = Candidate(name=REAL, score=found.alone, matched=found.matched)
    out = [(_cells(found, alone), "")] if found.alone is not None else []
    return out + [((c.label,) if c.reason else _cells(found, c), c.reason) for c in found.candidates]


def _cells(found: Mixed, one: Candidate) -> tuple[str, ...]:
    recall = (_percent(one.matched),) if found.task == "two classes" else ()
    return (one.label, f"{one.rows:,}" if one.rows else "", _number(one.score), *_gained(one.gain), *recall,
            spent(one.seconds))  # fmt: skip


def _gained(gain: Interval | None) -> tuple[str, str]:
    return ("", "") if gain is None else (f"{gain.value:+.3f}", _ends(gain))


def _ends(one: Interval) -> str:
    return f"{one.low:+.3f} to {one.high:+.3f}"


def held_rows(found: Mixed) -> list[tuple[str, ...]]:
    """Return the cells of each way that was confirmed."""
    return [_held(found, c) for c in found.confirmed]


def _held(found: Mixed, one: Confirmed) -> tuple[str, ...]:
    label = one.label + (", tuned" if one.name == REAL and one.tuned and found.task == "two classes" else "")
    first = (label, _number(one.score.value), *_gained(one.gain))
    if found.task != "two classes":
        return first
    level = "" if one.threshold is None else f"{one.threshold:.3g}"
    return (*first, level, *(_spanned(i) for i in (one.recall, one.precision, one.matched)))


def _spanned(one: Interval | None) -> str:
    return "" if one is None else f"{100 * one.value:.1f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def about(found: Mixed) -> str:
    """Return what was studied, on what, and how, in a few sentences."""
    target = found.target.partition(".")[2]
    what = f"Boosted trees predict {target}"
    if found.positives is not None:
        what += f"; the positive value is {found.positive}, in {found.positives[0]:,} of {found.train:,} rows to learn "
        what += f"from and {found.positives[1]:,} of {found.test:,} held-out rows"
    else:
        what += f", from {found.train:,} rows; {found.test:,} are held out"
    budget = "" if found.budget is None else f" A method could take {spent(found.budget)}."
    return (f"{what}. The score is {found.score}. Chosen on {found.folds} folds with {found.repeats} seeds, confirmed "
            f"once with {found.confirming}; always judged on real rows that no generator saw.{budget} "
            f"Seed {found.seed}.")  # fmt: skip


def mixed_charts(found: Mixed) -> tuple[str, str]:
    """Return the picture for a page and for a phone, each as SVG; empty where nothing was measured."""
    groups: dict[str, list[Line]] = {}
    taken = found.recommended.label if found.recommended else ""
    for c in found.candidates:
        if c.gain is not None:
            line = Line(c.label, c.gain.value, c.gain.low, c.gain.high, strong=c.label == taken)
            groups.setdefault(c.name, []).append(line)
    held = [Line(c.label, c.gain.value, c.gain.low, c.gain.high, held=True, strong=c.label == taken)
            for c in found.confirmed if c.gain is not None]  # fmt: skip
    whole = [*groups.values(), *([held] if held else [])]
    if not whole:
        return "", ""
    short = [[line._replace(label=line.label.replace(" positives", "")) for line in g] for g in whole]
    title = f"Gain in {found.score}"
    drawn = draw_gains(whole, title, WIDE), draw_gains(short, "Gain in score", NARROW)
    return _speaking(drawn[0], found), _speaking(drawn[1], found)


def _speaking(svg: str, found: Mixed) -> str:
    """Return a chart that screen readers announce with a sentence; the table has the numbers."""
    from markupsafe import escape

    spoken = "Gain over real rows alone with intervals, a line for each way of mixing. " + found.because
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(spoken)}" ', 1)


def mixed_html(found: Mixed) -> str:
    """Return `mix.html`: a page without scripts and network, in the light and in the dark, and on a phone."""
    from markupsafe import Markup

    wide, narrow = mixed_charts(found)
    shown, taken = {_line_look(c.gain) for c in found.candidates}, found.recommended
    keys = [{"sign": Markup(sign(look, 0, 0, held=held)), "means": means} for look, held, means in _KEYS  # noqa: S704  drawn here
            if (held and any(c.gain for c in found.confirmed)) or (not held and look in shown)]  # fmt: skip
    return template("mix.html.j2").render(
        found=found, title=f"Mixing synthetic rows into {found.data}", about=about(found),
        answer="yes" if taken else "unknown", taken=taken.label if taken else "",
        wide=Markup(wide), narrow=Markup(narrow),  # noqa: S704  drawn here
        keys=keys, heads=heads(found), numbers=NUMBERS, rows=rows(found), held_heads=held_heads(found),
        held_numbers=HELD_NUMBERS, held=held_rows(found), terms=_terms(found),
    )  # fmt: skip


def _line_look(gain: Interval | None) -> str:
    return "" if gain is None else Line("", gain.value, gain.low, gain.high).look


def _terms(found: Mixed) -> list[tuple[str, str]]:
    classes = ("recall", "threshold", "precision")
    return [(n, s.replace("`", "")) for n, s in TERMS.items() if found.task == "two classes" or n not in classes]


def mixed_markdown(found: Mixed) -> str:
    """Return `mix.md`."""
    names = heads(found)
    told = tuple((*cells, reason, *[""] * (len(names) - 2)) if reason else cells for cells, reason in rows(found))
    out = [Section("", tuple(s for s in (found.because, found.threshold, about(found)) if s))]
    if found.confirmed:
        out.append(Section("On held-out rows", (Rows(held_heads(found), tuple(held_rows(found)), HELD_NUMBERS),)))
    out.append(Section("On the folds", (Rows(names, told, NUMBERS),)))
    if found.recipe:
        out.append(Section("The rows to add", (f"{found.recipe} is the specification that makes them.",)))
    out.append(Section("What the numbers mean", (Items(tuple(f"{n}: {s}" for n, s in _terms(found))),)))
    if found.notes:
        out.append(Section("Notes", (Items(found.notes),)))
    return markdown(Document(f"Mixing synthetic rows into {found.data}", tuple(out)))


def mixed_part(found: Mixed) -> str:
    """Return the study as a piece of HTML, for notebooks."""
    from markupsafe import escape

    names = "".join(f"<th>{head}</th>" for head in heads(found))
    told = [(*cells, reason) if reason else cells for cells, reason in rows(found)]
    body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in cells)}</tr>" for cells in told)
    return f"<p><b>{escape(found.because)}</b></p><table><tr>{names}</tr>{body}</table>"


def print_mixed(found: Mixed, console: Any = None) -> None:
    """Print both tables and the recommendation; to a rich console if given."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    below = [(c.label, c.reason) for c in found.candidates if c.reason]
    looks = {c.label: _line_look(c.gain) for c in found.candidates}
    narrow = console.width < _ROOMY
    keep = [i for i, h in enumerate(heads(found)) if not (narrow and h in ("rows added", "time"))]
    cells = [tuple(row[i] for i in keep) for row, reason in rows(found) if not reason]
    console.print(Text(f"on {found.folds} folds of {found.train:,} rows", style="dim"))
    console.print(_table([heads(found)[i] for i in keep], cells, looks))
    for label, reason in below:
        console.print(Text.assemble((label, "bold"), ": ", (reason, "red")))
    if found.confirmed:
        held = {c.label: _line_look(c.gain) for c in found.confirmed}
        keep = [i for i, h in enumerate(held_heads(found)) if not (narrow and h in ("threshold", "recall, matched"))]
        cells = [tuple(row[i].partition(" (")[0] if narrow else row[i] for i in keep) for row in held_rows(found)]
        console.print(Text(f"on {found.test:,} held-out rows", style="dim"))
        console.print(_table([held_heads(found)[i] for i in keep], cells, held))
    console.print(Text(found.because, style="bold green" if found.recommended else "bold yellow"))
    if found.threshold:
        console.print(Text(found.threshold))


def _table(names: list[str], cells: list[tuple[str, ...]], looks: dict[str, str]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for i, head in enumerate(names):
        table.add_column(head.replace(", ", "\n"), justify="right" if i else "left", no_wrap=True)
    gain = names.index("gain")
    for row in cells:
        shade = _SHADES.get(looks.get(row[0], ""), "")
        table.add_row(*(Text(c, style=shade if i == gain else "") for i, c in enumerate(row)))
    return table
