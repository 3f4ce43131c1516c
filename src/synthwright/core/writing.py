"""Schemas and specifications as YAML that people read, correct and run."""

from __future__ import annotations

import re
from typing import Any

import yaml

from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import DEFAULT_CURATORS, DEFAULT_GENERATOR, DEFAULT_METRICS

_LINE = 10**9
_TARGETS = ("target", "label", "class", "y", "outcome", "response", "churn", "default", "fraud", "diagnosis")


def plain(value: Any) -> str:
    """Return a value as YAML on one line."""
    said = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_LINE)
    return str(said).removesuffix("\n").removesuffix("...").removesuffix("\n")


def key(name: str) -> str:
    """Return a mapping's key as YAML; names that YAML would read as something else are quoted."""
    return plain(name) if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_. -]*", name) and name == name.strip() else _quoted(name)


def _quoted(name: str) -> str:
    said = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=_LINE)
    return str(said).strip()


def document(data: Any) -> str:
    """Return data as YAML in blocks, keys in their order."""
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120))


def schema_yaml(schema: Schema, reasons: dict[tuple[str, str], str], head: str) -> str:
    """Return a schema as commented YAML: a line for each column, with what was guessed and why beside it."""
    lines = [f"# {line}" for line in head.splitlines()] + ["tables:"]
    for name, table in schema.tables.items():
        lines += [f"  {key(name)}:", *_table_lines(name, table, reasons)]
    return "\n".join(lines) + "\n"


def _table_lines(name: str, table: Table, reasons: dict[tuple[str, str], str]) -> list[str]:
    lines = [f"    key: {plain(table.key)}"] if table.key is not None else []
    lines.append("    fields:")
    for column, field in table.fields.items():
        why = _one_line(reasons.get((name, column), ""))
        lines.append(f"      {key(column)}: {plain(field_words(field))}" + (f"  # {why}" if why else ""))
    if table.rules:
        lines.append("    rules:  # hold in every row of the real data, and in every row that leaves")
        lines += [f"      - {_rule_words(r.rule)}" + (f"  # {_one_line(r.why)}" if r.why else "") for r in table.rules]
    if table.notes:
        lines.append("    notes:")
        lines += [f"      - {_quoted(_one_line(n))}" for n in table.notes]
    return lines


def _rule_words(rule: str) -> str:
    return _quoted(rule)


def field_words(field: Field) -> dict[str, Any]:
    """Return what a schema file says of a field: nothing that is a default."""
    return {"kind": field.kind.value} | field.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text)


def guessed_target(table: Table, distinct: dict[str, int]) -> str | None:
    """Return the column that somebody would most likely predict: one that is called so, or a last one with few values.

    Args:
        table: the table.
        distinct: how many values each column has.
    """
    able = (Kind.BOOLEAN, Kind.CATEGORY, Kind.INTEGER, Kind.NUMBER)
    fields = {c: f for c, f in table.fields.items() if f.kind in able and not f.anew}
    for column in reversed(fields):
        if re.sub(r"[^a-z]", "", column.lower()) in _TARGETS and distinct.get(column, 0) > 1:
            return column
    last = next(reversed(table.fields))
    few = 2 <= distinct.get(last, 0) <= 20
    return last if last in fields and few else None


def spec_yaml(  # noqa: PLR0913, PLR0917  what stands in it
    name: str, use: str, path: str, schema_file: str, rows: dict[str, int], target: str | None, ignored: list[str]
) -> str:
    """Return a specification, commented and ready to run."""
    share = "0.2"
    start = plain(rows)
    shown = plain(target) if target else "table.column"
    lines = [
        "# What to make, from what, and what proves it. `synthwright check` finds mistakes, `run` makes it.",
        "synthwright: 1",
        f"name: {plain(name)}",
        "seed: 0  # the same seed gives the same bytes",
        f"schema: {plain(schema_file)}  # what was guessed about the columns: read it, correct it",
        "source:",
        f"  use: {use}",
        f"  with: {{path: {plain(path)}}}",
        f"  holdout: {{share: {share}}}  # real rows that no generator sees: the proof is measured on them",
        f"start: {{rows: {start}}}  # how many rows to make",
        *([f"ignore: {plain([t + '.*' for t in ignored])}  # too few rows to learn from"] if ignored else []),
        "parts:",
        *[f"  - {{make: [{plain(t + '.*')}], use: {DEFAULT_GENERATOR}}}" for t in rows],
        f"curate: [{', '.join(f'{{use: {c}}}' for c in DEFAULT_CURATORS)}]",
        "evaluate:",
        f"  {'' if target else '# '}target: {shown}  # the column that models are trained to predict",
        f"  metrics: [{', '.join(DEFAULT_METRICS)}]",
        "  # gates: ['shape <= 1 * reference + 0.02', 'tstr >= 0.97 * reference']  # refuse what falls short",
        "release: {use: parquet}  # or csv, jsonl, …",
    ]
    return "\n".join(lines) + "\n"
