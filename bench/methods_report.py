"""What `bench/methods.py` kept, as Markdown: every method on every table, and what issue 7 asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forest_report import COPIES, DETECTED, NEAR, PEAK, SHAPE, TREND, Column, lines, utility

Cells = Mapping[tuple[str, str], Mapping[str, Any]]
"""Lines by method and table."""

SECONDS = Column("cpu", "CPU s", ".0f")
NAMESAKES = {"copula": "sdv-copula", "tvae": "sdv-tvae", "ctgan": "sdv-ctgan"}
NEAR_REAL, ENOUGH = 0.80, 4
"""Real or fake, at most, on at least so many tables."""
HEAD = """# All methods, by name, within the same processor time

Written by `python bench/methods.py`: each method learned the training rows of a table in a process of its own on one
thread, and made as many, within {minutes:g} minutes of processor time ({seconds} s, fit and sample, child processes
counted, imports not). Methods that learn in passes end by it; *over*: killed after a tenth more. One seed; scores as in
`bench/forest.md`.

- *real or fake*: AUC of boosted trees that tell the rows from held-out ones, 0.5 being not at all.
- *AUC* or *error ÷ real*: boosted trees trained on the rows, tested on held-out ones, as a multiple of what real rows
  give; for a number (beijing, news_part) the error, so that less is better.
- *nearer to train*: rows nearer to a training row than to any of as many held-out ones; 50 is fair. `smote` and
  `perturb` keep real rows, and show it here.
- *shape*, *trend*: how far columns, and pairs of them, are from the training rows.

"""


def report(kept: Sequence[Mapping[str, Any]], methods: Sequence[str], tables: Sequence[str], seconds: int) -> str:
    """Return all of it; the first seed of each cell counts, and of it the newest version."""
    cells: dict[tuple[str, str], Mapping[str, Any]] = {}
    for line in sorted(kept, key=lambda one: (-int(one["seed"]), one["version"])):  # of both, what was kept last
        cells[line["method"], line["table"]] = line
    every, all_cells = len(tables), len(methods) * len(tables)
    methods = [m for m in methods if any(m == key[0] for key in cells)]
    tables = [t for t in tables if any(t == key[1] for key in cells)]
    out = HEAD.format(minutes=seconds / 60, seconds=seconds).splitlines()
    earlier = sum(line["earlier"] for line in cells.values())
    out += [f"{len(cells)} of {all_cells} cells have been run; the others are empty or left out.",
            f"{earlier} are of an earlier version of the method than today's, and marked †.", ""]  # fmt: skip
    for title, column in (("Real or fake", DETECTED), ("AUC or error ÷ real", utility(False)),
                          ("Nearer to train %", NEAR), ("CPU seconds", SECONDS)):  # fmt: skip
        body = [[f"`{m}`", *(dagger(cells.get((m, t)), column) for t in tables)] for m in methods]
        out += [f"## {title}", "", *lines(["", *tables], body), ""]
    out += asked(cells, tables, every)
    for name in tables:
        out += section(cells, methods, name)
    return "\n".join([*out, *made_on(cells.values()), ""])


def said(line: Mapping[str, Any] | None, column: Column) -> str:
    """Return one measure of a cell as text."""
    if line is None:
        return ""
    if "problem" in line:
        return str(line["problem"])
    value = cpu(line) if column.key == "cpu" else line.get(column.key)
    return "–" if value is None else format(value * column.factor, column.form)


def dagger(line: Mapping[str, Any] | None, column: Column) -> str:
    """Return one measure of a cell as text, marked where the method has changed since."""
    return said(line, column) + ("†" if line is not None and line["earlier"] else "")


def cpu(line: Mapping[str, Any]) -> float:
    """Return the processor seconds of fitting and sampling."""
    return float(line["fit_cpu_s"] + line["sample_cpu_s"])


def section(cells: Cells, methods: Sequence[str], name: str) -> list[str]:
    """Return all figures of one table."""
    mine = {m: cells[m, name] for m in methods if (m, name) in cells}
    about = next(iter(mine.values()))["about"]
    columns = [DETECTED, utility(about["regression"]), NEAR, COPIES, SHAPE, TREND, SECONDS, PEAK]
    body = [[f"`{m}`", *(said(line, c) for c in columns), line.get("note", "")] for m, line in mine.items()]
    sizes = f"{about['train']:,} training and {about['test']:,} held-out rows, {about['columns']} columns"
    return [f"## {name}", "", f"{sizes}.", "", *lines(["", *(c.title for c in columns), "cut or chosen"], body), ""]


def asked(cells: Cells, tables: Sequence[str], every: int) -> list[str]:
    """Return what is asked for, and what is met so far."""
    out = ["## What is asked for, and what is met", ""]
    for method in ("bayes-net", "tvae", "ctgan", "diffusion"):
        there = [t for t in tables if (method, t) in cells]
        good = [t for t in there if (detected(cells, method, t) or 1) <= NEAR_REAL]
        out.append(f"- `{method}`: real or fake ≤ {NEAR_REAL:.2f} on {len(good)} of {len(there)} tables measured "
                   f"({ENOUGH} asked): {verdict(len(good) >= ENOUGH, len(there) - len(good), every)}")  # fmt: skip
    for method, other in NAMESAKES.items():
        both = [t for t in tables if (method, t) in cells and (other, t) in cells]
        won = [t for t in both if (detected(cells, method, t) or 1) < (detected(cells, other, t) or 1)]
        out.append(f"- `{method}` harder to tell from real rows than `{other}` on {len(won)} of {len(both)} tables "
                   f"measured ({ENOUGH} asked): "
                   f"{verdict(len(won) >= ENOUGH, len(both) - len(won), every)}")  # fmt: skip
    for name in tables:
        if ("boosted", name) not in cells or ("forest", name) not in cells:
            continue
        mine, its = cells["boosted", name].get("utility"), cells["forest", name].get("utility")
        if mine is None or its is None:
            continue
        as_good = mine <= its if cells["forest", name]["about"]["regression"] else mine >= its
        out.append(f"- `boosted` as useful as `forest` on {name}: {mine:.3f}, {its:.3f}: "
                   f"{'met' if as_good else '**not met**'}")  # fmt: skip
    return [*out, ""]


def detected(cells: Cells, method: str, name: str) -> float | None:
    """Return how well rows of a cell are told from real ones."""
    found = cells[method, name].get("detection")
    return None if found is None else float(found)


def verdict(met: bool, missed: int, tables: int) -> str:  # noqa: FBT001  met or not is what it says
    """Return whether enough tables are good, or could still be."""
    if met:
        return "met"
    return "**not met**" if missed > tables - ENOUGH else "open"


def made_on(kept: Sequence[Mapping[str, Any]] | Any) -> list[str]:
    """Return which machines and versions the lines are of."""
    machines = dict.fromkeys(line["machine"] for line in kept)
    versions = {f"{p} {v}" for line in kept for p, v in line.get("versions", {}).items()}
    return ["## Made with", "", *(f"{m}." for m in machines), ", ".join(sorted(versions)) + "."]
