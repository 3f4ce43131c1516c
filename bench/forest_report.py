"""What `bench/forest.py` found, as Markdown: figures, and whether they are what issue 3 asks for."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""The scores of every generator on one table, one mapping a seed."""

FLOORS = {"adult": (0.46, 1.04), "default": (0.71, 0.89), "shoppers": (0.93, 1.73), "magic": (0.73, 2.03),
          "beijing": (0.83, 2.83), "news_part": (0.88, 1.15)}  # fmt: skip
"""Shape and trend error, in percent, of a second real sample, as the bounds were set: measured before, by another
script."""
DETECTION = {"adult": 0.52, "magic": 0.55, "shoppers": 0.56, "beijing": 0.58, "default": 0.65, "news_part": 0.75}
ERROR = {"beijing": 1.30, "news_part": 1.05}
"""Largest error of a regression, as a multiple of what real rows give."""
SHARE, NEARER, NEARER_MEAN, BROKEN = 0.99, 0.53, 0.51, 0.0001
CPU_S, FIRST_S, TIMES = 5, 20, 25


class Column(NamedTuple):
    """One measure of the tables below."""

    key: str
    title: str
    form: str
    factor: float = 1.0
    lower: bool = True
    """Whether less is better."""


SHAPE = Column("shape", "shape %", ".2f", 100)
TREND = Column("trend", "trend %", ".2f", 100)
DETECTED = Column("detection", "real or fake", ".3f")
NEAR = Column("nearer", "nearer to train %", ".1f", 100)
COPIES = Column("copies", "copies %", ".2f", 100)
BREAKS = Column("broken", "broken %", ".2f", 100)
FIT = Column("fit_cpu_s", "fit CPU s", ".1f")
SAMPLE = Column("sample_cpu_s", "sample CPU s", ".1f")
PEAK = Column("peak_mib", "peak MiB", ",.0f")


def utility(regression: bool) -> Column:  # noqa: FBT001  one table is one or the other
    """Return the column of what models trained on the rows are worth."""
    if regression:
        return Column("utility", "error ÷ real", ".3f")
    return Column("utility", "AUC ÷ real", ".3f", lower=False)


def mean(runs: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the mean of a measure over runs; nothing where one lacks it."""
    values = [r.get(key) for r in runs]
    return float(np.mean(values)) if values and all(v is not None for v in values) else None  # type: ignore[arg-type]


def cell(runs: Sequence[Mapping[str, Any]], column: Column) -> str:
    """Return a measure as text, with its spread where there are several runs."""
    value = mean(runs, column.key)
    if value is None:
        return "–"
    said = format(value * column.factor, column.form)
    if len(runs) > 1 and column.key in ("shape", "trend", "detection", "utility", "nearer"):
        said += " ± " + format(np.std([r[column.key] for r in runs], ddof=1) * column.factor, column.form)
    return said


def lines(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(row)} |" for row in (header, ruler, *body)]


def section(name: str, about: Mapping[str, Any], rows: Rows, ours: str) -> list[str]:
    """Return all figures of one table."""
    columns = [SHAPE, TREND, DETECTED, utility(about["regression"]), NEAR, COPIES]
    columns += [BREAKS] if name == "adult" else []
    columns += [FIT, SAMPLE, PEAK]
    empty = [""] * (len(columns) - 2)
    shape, trend = FLOORS[name]
    halves = [f"{mean(rows['floor'], f'{k}_half') * 100:.2f}" for k in ("shape", "trend")]  # type: ignore[operator]
    body = [["second real sample, as the bounds were set", f"{shape:.2f}", f"{trend:.2f}", *empty, ""],
            ["second real sample, our metrics (two halves ÷ √2)", *halves, *empty, ""],
            ["training rows drawn again, our metrics", cell(rows["floor"], SHAPE), cell(rows["floor"], TREND),
             *empty, ""]]  # fmt: skip
    for key, runs in rows.items():
        if key == "floor":
            continue
        label = f"**{ours}**" if key == "synthwright" else key
        note = runs[0].get("problem") or runs[0].get("note", "")
        body.append([label, *(cell(runs, c) for c in columns), note])
    kind = "a number" if about["regression"] else "classes"
    sizes = f"{about['train']:,} training and {about['test']:,} held-out rows, {about['columns']} columns"
    out = [f"## {name}", "", f"{sizes}; the target, `{about['target']}`, is {kind}.", ""]
    out += lines(["", *(c.title for c in columns), "cut or chosen"], body)
    real, held = mean(rows["synthwright"], "utility_real"), mean(rows["synthwright"], "copies_holdout")
    worth = f"an error of {real:.3f} on the logarithm" if about["regression"] else f"an AUC of {real:.3f}"
    return [*out, "", f"Real rows give {worth}; {held:.2%} of the held-out rows are copies of training rows.", ""]


def summary(tables: Mapping[str, Any], ours: str) -> list[str]:
    """Return ours beside the best that any peer reached, measure by measure."""
    body = []
    for name, table in tables.items():
        rows = table["rows"]
        columns = [SHAPE, TREND, DETECTED, utility(table["about"]["regression"]), NEAR]
        columns.append(Column("cpu", "CPU s", ".1f"))
        for runs in rows.values():
            for r in runs:
                if "fit_cpu_s" in r:
                    r["cpu"] = r["fit_cpu_s"] + r["sample_cpu_s"]
        body.append([name, f"**{ours}**", *(_plain(rows["synthwright"], c) for c in columns)])
        best = [_best(rows, c) for c in columns]
        if any(best):
            body.append(["", "best peer", *best])
    header = ["", "", "shape %", "trend %", "real or fake", "AUC or error ÷ real", "nearer to train %", "CPU s"]
    return ["## Ours beside the best of the peers, measure by measure", "", *lines(header, body), ""]


def _plain(runs: Sequence[Mapping[str, Any]], column: Column) -> str:
    value = mean(runs, column.key)
    return "–" if value is None else format(value * column.factor, column.form)


def _best(rows: Rows, column: Column) -> str:
    found = {p: mean(r, column.key) for p, r in rows.items() if p not in ("floor", "synthwright")}
    known = {p: v for p, v in found.items() if v is not None}
    if not known:
        return ""
    name = (min if column.lower else max)(known, key=lambda p: known[p])
    return f"{format(known[name] * column.factor, column.form)} ({name})"


def verdicts(found: Mapping[str, Any]) -> list[str]:
    """Return what was asked for, and whether it was met."""
    body = []
    for name, table in found["tables"].items():
        rows, regression = table["rows"], table["about"]["regression"]
        mine = {k: mean(rows["synthwright"], k) or 0.0
                for k in ("shape", "trend", "detection", "utility", "nearer", "copies", "copies_holdout")}  # fmt: skip
        times = 1.5 if name == "news_part" else 1.05
        shape, trend = (f * times / 100 for f in FLOORS[name])
        asked = [_asked(mine["shape"] * 100, shape * 100, ".2f"), _asked(mine["trend"] * 100, trend * 100, ".2f"),
                 _below(rows, "detection", DETECTION[name])]  # fmt: skip
        more = _asked(mine["utility"], SHARE, ".3f", most=False)
        asked.append(_below(rows, "utility", ERROR[name]) if regression else more)
        asked.append(_asked(mine["nearer"] * 100, NEARER * 100, ".1f"))
        asked.append(_asked(mine["copies"] * 100, mine["copies_holdout"] * 100, ".2f"))
        body.append([name, *asked])
    header = ["", "shape %", "trend %", "real or fake", "AUC or error ÷ real", "nearer to train %", "copies %"]
    note = "Real or fake, and the error of a regression: the bound, or the best peer of this run where that is lower."
    out = ["## What is asked for, and what is met", "", *lines(header, body), "", note, ""]
    return [*out, *(f"- {line}" for line in _single(found)), ""]


def _single(found: Mapping[str, Any]) -> list[str]:
    """Return the bounds that are not one a table."""
    tables = found["tables"]
    near = [mean(t["rows"]["synthwright"], "nearer") or 0.0 for t in tables.values()]
    out = [f"nearer to train, mean over the tables: {_asked(float(np.mean(near)) * 100, NEARER_MEAN * 100, '.1f')}"]
    if "adult" in tables:
        rows = tables["adult"]["rows"]
        broken = mean(rows["synthwright"], "broken") or 0.0
        out.append(f"education and education_num that do not belong together, % of rows: "
                   f"{_asked(broken * 100, BROKEN * 100, '.3f')}")  # fmt: skip
        cpu = sum(mean(rows["synthwright"], k) or 0.0 for k in ("fit_cpu_s", "sample_cpu_s"))
        out.append(f"fit and sample of adult, CPU seconds, kernels compiled: {_asked(cpu, CPU_S, '.1f')}")
        peer = rows.get("tabular-argn", [{}])[0]
        if "fit_cpu_s" in peer:
            ratio = (peer["fit_cpu_s"] + peer["sample_cpu_s"]) / cpu
            out.append(f"times less than tabular-argn takes there: {_asked(ratio, TIMES, '.0f', most=False)}")
    first = found["first_fit"]
    out.append(f"first fit ever, of {first['table']}, kernels compiled on the way, CPU seconds: "
               f"{_asked(first['seconds'], FIRST_S, '.1f')}")  # fmt: skip
    return out


def _below(rows: Rows, key: str, bound: float) -> str:
    """Return whether ours is within a bound, or below the best peer where that is lower: then it is named."""
    found = {p: mean(r, key) for p, r in rows.items() if p not in ("floor", "synthwright")}
    known = {p: v for p, v in found.items() if v is not None and v < bound}
    value = mean(rows["synthwright"], key) or 0.0
    if not known:
        return _asked(value, bound, ".3f")
    name = min(known, key=lambda p: known[p])
    return f"{_asked(value, known[name], '.3f')} ({name}; without peers ≤ {bound:.2f})"


def _asked(value: float, bound: float, form: str, *, most: bool = True) -> str:
    good = value <= bound if most else value >= bound
    return f"{value:{form}} {'≤' if most else '≥'} {bound:{form}}: {'met' if good else '**not met**'}"


def report(found: Mapping[str, Any]) -> str:
    """Return everything as Markdown."""
    ours, tables = found["ours"], found["tables"]
    out = [f"# `{ours}` beside its peers", "", _how(found["seeds"]), "", *summary(tables, ours), *verdicts(found)]
    for name, table in tables.items():
        out += section(name, table["about"], table["rows"], ours)
    return "\n".join([*out, f"{found['machine']}. {_ran(tables)}", ""])


def _how(seeds: int) -> str:
    return (
        "Written by `python bench/forest.py`. Every generator learned the training rows and made as many: "
        f"{ours_runs(seeds)}, peers once. All were scored by one script in one run, with Synthwright's metrics.\n\n"
        "- *shape*, *trend*: how far columns, and pairs of columns, are from those of the training rows.\n"
        "- *real or fake*: AUC of boosted trees that tell the rows from held-out ones, 0.5 being not at all.\n"
        "- *AUC* or *error ÷ real*: boosted trees trained on the rows and tested on held-out ones, as a multiple of "
        "what real rows give; of numbers the error (RMSE) on the logarithm of the target, plus one.\n"
        "- *nearer to train*: synthetic rows that are nearer to a training row than to any of as many held-out ones; "
        "50 is fair.\n"
        "- *copies*: rows that equal a training row. *broken*: rows whose education and education_num do not belong "
        "together.\n"
        "- Processor seconds are of all processes, less imports and reading; memory is of the largest process."
    )


def ours_runs(seeds: int) -> str:
    """Return how often ours ran."""
    return f"ours {seeds} times with other seeds (mean ± standard deviation)" if seeds > 1 else "ours once"


def _ran(tables: Mapping[str, Any]) -> str:
    """Return on how many cores, and in which versions, everything ran."""
    versions: dict[str, str] = {"lightgbm": version("lightgbm"), "numpy": version("numpy")}
    cores = set()
    for table in tables.values():
        for name, runs in table["rows"].items():
            versions |= runs[0].get("versions", {}) if name != "floor" else {}
            cores |= {(name, r["cores"]) for r in runs if "cores" in r}
    kinds = sorted({n for _, n in cores})
    on = ", ".join(f"{n} {'core' if n == 1 else 'cores'}: {', '.join(sorted(p for p, k in cores if k == n))}"
                   for n in kinds)  # fmt: skip
    said = ", ".join(f"{p} {v}" for p, v in sorted(versions.items()))
    return f"Allowed {on}. {said}."


def machine() -> str:
    """Return what this ran on."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="ascii", errors="ignore") if info.exists() else ""
    model = next((t.partition(":")[2].strip() for t in text.splitlines() if t.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    return (f"{model or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()}, "
            f"Python {platform.python_version()}; OMP_NUM_THREADS {threads}")  # fmt: skip


def curve(found: Mapping[str, Any]) -> str:
    """Return fidelity and memorisation over a dial as Markdown."""
    dial = found["dial"]
    out = [f"# Fidelity and memorisation of `{found['ours']}` over `{dial}`", "",
           f"Every row: {ours_runs(found['seeds'])}; the measures are those of `bench/forest.md`.", ""]  # fmt: skip
    for name, table in found["tables"].items():
        columns = [SHAPE, TREND, DETECTED, utility(table["about"]["regression"]), NEAR, COPIES, FIT, SAMPLE]
        body = [[value, *(cell(runs, c) for c in columns)] for value, runs in table["rows"].items()]
        out += [f"## {name}", "", *lines([f"`{dial}`", *(c.title for c in columns)], body), ""]
    return "\n".join([*out, f"{found['machine']}.", ""])
