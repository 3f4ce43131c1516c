"""`README.md`: the data set card of a release, in the form of the Hugging Face hub.

The card leaves the house with the data, so it tells what the gates allow: how the data was made, what it holds, which
gates it met. Scores that no gate rules on stay in the internal report.
"""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from synthwright.core import registry
from synthwright.core.contracts import Metric
from synthwright.core.gates import parse
from synthwright.core.jobs import holding, varied
from synthwright.core.plan import Plan
from synthwright.core.plan_models import remarks
from synthwright.core.plan_private import guarantee
from synthwright.core.schema import DISCRETE, Field, Kind, Schema
from synthwright.report.counts import spelled
from synthwright.report.released import table_files, write_whole
from synthwright.report.report import Report, descended

MOST_COLUMNS = 300
"""Columns of a table that the card lists."""
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
          (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"))  # fmt: skip
_CHECK = (
    "## How to check it",
    """```
synthwright verify .              # every file is what manifest.json says
synthwright run spec.lock.yaml    # makes the same bytes again, where the source data is
```""",
)


def write_card(folder: Path, report: Report, plan: Plan) -> None:
    """Write `README.md` into a release folder whose `data/` is complete; the same release gives the same bytes.

    Args:
        folder: the release.
        report: gives version, fingerprint, rows and gates.
        plan: gives the schema, the specification's name and seed, and which generator made which column.

    Raises:
        StoreError: a table has no file, or the file cannot be written.
    """
    schema = plan.schema
    front = yaml.safe_dump(_front(folder, report, plan), sort_keys=False, allow_unicode=True)
    makers = {c: type(p.generator).name for p in plan.parts for c in p.part.produce}
    body = [
        f"# {_plain(plan.spec.name)}",
        _warning(plan, makers),
        *_making(report, plan, makers),
        *_tables(plan, report, makers),
        *_rules(schema),
        *_gates(report),
        *_limits(report, plan),
        *_CHECK,
    ]
    write_whole(folder / "README.md", f"---\n{front}---\n\n" + "\n\n".join(body) + "\n")


def _front(folder: Path, report: Report, plan: Plan) -> dict[str, Any]:
    """Return the header that the hub reads."""
    rows = sum(report.rows.values())
    said: dict[str, Any] = {
        "pretty_name": plan.spec.name,
        "tags": ["synthetic", "tabular", "synthwright"],
        "size_categories": [next((word for most, word in _SIZES if rows < most), "100B<n<1T")],
    }
    target = plan.spec.evaluate.target
    if target is not None:
        labelled = plan.schema.field(target).kind in DISCRETE
        said["task_categories"] = ["tabular-classification" if labelled else "tabular-regression"]
    configs: list[dict[str, Any]] = []
    for table, parts in table_files(folder, plan.schema).items():
        where, _, first = parts[0].rpartition("/")
        path = f"{glob.escape(where)}/*{''.join(Path(first).suffixes)}"
        configs.append({"config_name": _config(table, configs), "data_files": [{"split": "train", "path": path}]})
    if len(configs) > 1:
        configs[0]["default"] = True
    return said | {"configs": configs}


def _config(table: str, others: Sequence[Mapping[str, Any]]) -> str:
    """Return a name that the hub accepts for a table, unlike those of the others."""
    safe = re.sub(r"[^\w.-]+", "-", table).strip("-.") or "table"
    taken = {o["config_name"] for o in others}
    return next(n for n in (safe, *(f"{safe}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _real(plan: Plan, column: str) -> bool:
    """Return whether the start put real values into a column; else it set them, or a process made them."""
    begin = plan.spec.begin
    return begin.origin == "source" and plan.schema.split(column)[0] not in begin.beside and column not in begin.chosen


def _started(plan: Plan, column: str) -> str:
    """Return where the values of a column come from that no part made."""
    process = plan.processes.get(plan.schema.split(column)[0])
    by = _code(process.name) if process and column not in plan.spec.begin.chosen else "set before"
    return "kept: real" if _real(plan, column) else by


def _warning(plan: Plan, makers: Mapping[str, str]) -> str:
    """Say what the rows are, and which columns hold real values."""
    kept = [c for c in plan.schema.columns if c not in makers and _real(plan, c)]
    near = varied(plan.spec, plan.parts)
    if not kept and not near and (by := holding(plan.parts)):
        return (
            f"**This data is synthetic.** Values were made from real rows that {_code(by[0])} keeps, and lie near them."
        )
    if not kept and not near:
        return "**This data is synthetic.** No row describes a real person or thing; a row may resemble one by chance."
    said = ["**This data is partly synthetic.**"]
    for columns, what in ((kept, "the real values of real rows"), (near, "real values of real rows, varied a little")):
        named = ", ".join(map(_code, columns[:MOST_COLUMNS]))
        said += [f"These columns hold {what}, as the specification asks: {named}."] if columns else []
    others = len(kept) + len(near) < len(plan.schema.columns)
    return " ".join([*said, *(["All others were made."] if others else [])])


def _making(report: Report, plan: Plan, makers: Mapping[str, str]) -> list[str]:
    name, seed = _code(plan.spec.name), plan.spec.seed
    counts = Counter(makers.values())
    made = "\n".join(f"- {_code(generator)} made {_count(n, 'column')}" for generator, n in counts.items())
    by = f"By Synthwright {report.synthwright}, specification {name}, seed {seed}, fingerprint {report.fingerprint}."
    said = ["## How it was made", f"{by} `spec.lock.yaml` is the whole specification."]
    said += [line.split(":")[0] + "." for line in descended(report.generation)]
    said += ["The gates held them against those rows, not against real ones."] if report.generation > 1 else []
    return [*said, made] if made else said


def _tables(plan: Plan, report: Report, makers: Mapping[str, str]) -> list[str]:
    out = ["## What it holds"]
    for table, spec in plan.schema.tables.items():
        out.append(f"### {_plain(table)}\n\n{_count(report.rows.get(table, 0), 'row')}, "
                   f"{_count(len(spec.fields), 'column')}.")  # fmt: skip
        lines = ["| column | kind | type | may be missing | made by |", "|---|---|---|---|---|"]
        made = {c: _code(makers[n]) if (n := f"{table}.{c}") in makers else _started(plan, n) for c in spec.fields}
        lines += [f"| {_code(c)} | {_kind(f)} | {_code(f.type) if f.type else ''} | {'yes' if f.nulls else 'no'} "
                  f"| {made[c]} |" for c, f in list(spec.fields.items())[:MOST_COLUMNS]]  # fmt: skip
        out.append("\n".join(lines))
        if len(spec.fields) > MOST_COLUMNS:
            out.append(f"{len(spec.fields) - MOST_COLUMNS:,} more columns are in `croissant.json`.")
    return out


def _kind(field: Field) -> str:
    words = [field.kind.value]
    if field.kind is Kind.REFERENCE:
        words.append(f"to {_code(field.to or '')}")
    if field.sensitive:
        words.append(f"({_plain(field.sensitive)})")
    return " ".join(words)


def _rules(schema: Schema) -> list[str]:
    several = len(schema.tables) > 1
    kept = [f"- {_code(r.rule)}" + (f" in {_code(t)}" if several else "")
            for t, table in schema.tables.items() for r in table.rules]  # fmt: skip
    return ["## Rules that every row keeps", "\n".join(kept)] if kept else []


def _gates(report: Report) -> list[str]:
    if not report.gates:
        return ["## Gates", "No gate was set: nothing was asked of this data before it was released."]
    lines = ["| gate | value | bound | result |", "|---|---|---|---|"]
    for g in report.gates:
        result = "not met" if not g.passed else "met" if g.value is not None else "not applicable"
        lines.append(f"| {_code(g.gate)} | {_rounded(g.value)} | {_rounded(g.bound)} | {result} |")
    said = ["## Gates", "What was asked of the data before it was released:", "\n".join(lines)]
    if report.waived:
        waived = [f"- {_code(w.gate)}: {_plain(w.because)}" + (" (the data does not meet it)" if w.missed else "")
                  for w in report.waived]  # fmt: skip
        said += ["What was not asked, though it is by default, and why:", "\n".join(waived)]
    return said


def _limits(report: Report, plan: Plan) -> list[str]:
    if report.spend.epsilon is None:
        privacy = "There is no formal privacy guarantee: the generators kept no differential privacy budget."
    else:
        spent = f"epsilon {report.spend.epsilon:.4g}, delta {report.spend.delta:.2g} per {report.spend.unit}"
        privacy = f"Differential privacy: {spent}."
    paid = [f"{_plain(s[:1].upper() + s[1:], 600)}." for s in guarantee(plan.parts, plan.curators)]
    known = set(registry.names("metrics"))
    gated = dict.fromkeys(m for g in report.gates if (m := parse(g.gate).metric) in known)
    found = {m: registry.find("metrics", m) for m in gated}
    unseen = [f"`{m}`: {cls.not_shown}" for m, cls in found.items() if issubclass(cls, Metric)]
    general = "It stands for the source data only as far as the gates say: check what you conclude on real data."
    keeps = "keeps real rows and makes values from them: rows may lie near real ones. What it learned is as private as"
    held = [f"{_code(name)} {keeps} the source." for name in holding(plan.parts)]
    judged = [*held, *(f"{_plain(note[:1].upper() + note[1:])}." for note in _remarks(plan))]
    return ["## Limits", "\n".join(f"- {line}" for line in (privacy, *paid, general, *unseen, *judged))]


def _remarks(plan: Plan) -> tuple[str, ...]:
    return remarks(plan.models, (p.generator for p in plan.parts), plan.curators)


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _count(many: int, what: str) -> str:
    return f"{many:,} {what}{'' if many == 1 else 's'}"


def _plain(text: str, most: int = 120) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$-])", r"\\\1", spelled(text, most))


def _code(text: str) -> str:
    """Return text as code, which Markdown shows as it is; in tables too."""
    text = spelled(text, 200)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text.replace('|', chr(92) + '|')}{pad}{fence}"
