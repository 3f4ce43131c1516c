"""Schemas and specifications as YAML that people read, correct and run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from synthwright.core.dataset import Dataset
from synthwright.core.personal import plain_name
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.core.spec import DEFAULT_CURATORS, DEFAULT_GENERATOR, DEFAULT_METRICS, PartUse

_LINE = 10**9
_TARGETS = (
    *("target", "label", "class", "y", "outcome", "response", "churn", "churned", "default", "fraud", "diagnosis"),
    *("zielvariable", "zielgroesse", "zielgrosse", "klasse", "survived", "isfraud"),
)
_REMARKS = (
    *("remark", "remarks", "comment", "comments", "note", "notes", "description", "text", "memo", "message", "reason"),
    *("bemerkung", "bemerkungen", "kommentar", "notiz", "notizen", "anmerkung", "anmerkungen", "beschreibung"),
    *("hinweis", "freitext", "remarque", "observaciones", "comentario"),
)
_ABLE = (Kind.BOOLEAN, Kind.CATEGORY, Kind.INTEGER, Kind.NUMBER)
_MOST, _EACH = 20, 3
"""Values that a guessed target has at most, and rows that each of them has at least."""
_WORDS, _LONG = 4, 40
"""Words and characters that a label has at most."""


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


def guessed_target(table: Table, held: pa.Table) -> str | None:
    """Return the column that somebody would most likely predict, or None where none offers itself.

    One that is called so, whose values are few and each common, is likeliest; then a number that is called so; then a
    last column of few values that is no remark. A target has a value in every row.

    Args:
        table: the table.
        held: its rows.
    """
    there = {*held.column_names}
    fields = {c: f for c, f in table.fields.items() if f.kind in _ABLE and not f.anew and c in there}
    called = [c for c in reversed(fields) if _called(c, _TARGETS)]
    ending = [c for c in reversed(fields) if _called(c, _TARGETS, ends=True) and c not in called]
    numbers = [c for c in called if fields[c].kind in (Kind.INTEGER, Kind.NUMBER)]
    last = next(reversed(table.fields))
    able = last in fields and fields[last].kind is not Kind.NUMBER and not _called(last, _REMARKS, ends=True)
    found = [c for c in (*called, *ending) if _few(held.column(c))]
    found += [c for c in numbers if not held.column(c).null_count and pc.count_distinct(held.column(c)).as_py() > 1]
    found += [last] if able and _few(held.column(last)) and not _wordy(held.column(last)) else []
    return next(iter(found), None)


def guessed_target_of(dataset: Dataset) -> str | None:
    """Return the column of a single table that somebody would most likely predict, as `table.column`, or None."""
    if len(dataset.schema.tables) != 1:
        return None
    table = dataset.schema.only
    found = guessed_target(dataset.schema.tables[table], dataset.tables[table])
    return f"{table}.{found}" if found else None


def _called(column: str, words: tuple[str, ...], *, ends: bool = False) -> bool:
    """Return whether a column is called one of these words, or ends in one: `loan_default`."""
    parts = plain_name(column).split()
    return "".join(parts) in words or (ends and len(parts) > 1 and len(parts[-1]) > 1 and parts[-1] in words)


def _few(values: pa.ChunkedArray) -> bool:
    """Return whether no value is missing, and a few values have several rows each."""
    if values.null_count or len(values) < 2 * _EACH:
        return False
    counts = pc.value_counts(values).field(1)
    return 2 <= len(counts) <= _MOST and pc.min(counts).as_py() >= _EACH


def _wordy(values: pa.ChunkedArray) -> bool:
    """Return whether labels read like remarks: four words and more, or long."""
    if not pa.types.is_large_string(values.type):
        return False
    words = [len(v.split()) for v in pc.unique(values).to_pylist()]
    return max(words) > _WORDS or pc.max(pc.utf8_length(values)).as_py() > _LONG


def spec_yaml(  # noqa: PLR0913, PLR0917  what stands in it
    name: str, use: str, path: str, schema_file: str, rows: dict[str, int], target: str | None, ignored: list[str],
    adding: Sequence[PartUse] = (),
) -> str:  # fmt: skip
    """Return a specification, commented and ready to run; parts that add up wait to be wanted."""
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
        *(
            ["  # what adds up the rows before, made so that it does; its sums then are those of the made rows:"]
            if adding
            else []
        ),
        *[f"  # - {{make: {plain([*p.make])}, use: {p.use}, with: {plain(p.settings)}}}" for p in adding],
        f"curate: [{', '.join(f'{{use: {c}}}' for c in DEFAULT_CURATORS)}]",
        "evaluate:",
        f"  {'' if target else '# '}target: {shown}  # the column that models are trained to predict",
        f"  metrics: [{', '.join(DEFAULT_METRICS)}]",
        "  # gates: ['tstr >= 0.98 * reference - chance']  # beside those that hold by default",
        "release: {use: parquet}  # or csv, jsonl, …",
    ]
    return "\n".join(lines) + "\n"
