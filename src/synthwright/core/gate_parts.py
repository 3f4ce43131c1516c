"""Gates on scores that no metric gives: unknown tables, columns and names, told before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import cast

from synthwright.core import registry
from synthwright.core.contracts import Metric, Place
from synthwright.core.gates import DEFAULT_GATES, GROUP_GATES, Gate, parse, score_name
from synthwright.core.schema import Schema
from synthwright.core.spec import Spec

JOINTS = (" ~ ", " -> ", " & ")
"""What stands between the columns or groups that one score is about."""
_BEHIND = ("=", " (")
"""What follows a column where a group of its rows is meant: `person.sex=F`, `person.age (quarter 1 of 4)`."""
_DEFAULT = frozenset(parse(text).name for text in (*DEFAULT_GATES, *GROUP_GATES))
_OURS = "synthwright.metrics."
"""Where the metrics are whose scores' names are known by their group."""


def strange_gates(spec: Spec, schema: Schema | None) -> Iterator[tuple[Place, str]]:
    """Yield a place and a sentence for every gate of a specification on a score that its metric never gives.

    Args:
        spec: its gates; those that are none are told elsewhere.
        schema: what there is to be about; nothing: only names that no data has are looked at.
    """
    for i, text in enumerate(spec.evaluate.gates):
        try:
            gate = parse(text)
        except ValueError:
            continue
        if gate.metric in registry.names("metrics") and gate.about:
            metric = cast(type[Metric], registry.find("metrics", gate.metric))
            message = _misspelled(gate, metric) if schema is None else _strange(gate, metric, schema)
            if message:
                yield ("evaluate", "gates", i), message


def _misspelled(gate: Gate, metric: type[Metric]) -> str:
    """Say that a gate spells one of the metric's own names otherwise: only so much is known without a schema."""
    meant = {_bare(n): n for n in metric.parts or ()}.get(_bare(gate.about))
    return "" if meant in (None, gate.about) else _unknown(gate, gate.about, meant)


def _strange(gate: Gate, metric: type[Metric], schema: Schema) -> str:
    """Say what a gate is about that its metric never gives a score of; nothing where it may."""
    about, own = gate.about, metric.parts
    if about in (own or ()) or about in schema.tables or gate.name in _DEFAULT or (about == "worst" and own is None):
        return ""
    if own is not None:
        near = get_close_matches(about, [*own, *schema.tables], n=1)
        meant = {_bare(n): n for n in own}.get(_bare(about), near[0] if near else None)
        return _unknown(gate, about, meant, f"it has {', '.join(map(repr, own))}")
    pieces = re.split("|".join(map(re.escape, JOINTS)), about)
    if metric.group == "utility" or not metric.__module__.startswith(_OURS):  # classes, kinds of models, anything
        return next((_no_column(gate, p, schema) for p in pieces
                     if _of_table(p, schema) and not _group_of(p, schema.columns)), "")  # fmt: skip
    if _columns_alone(about, schema.columns) or _named(about, metric, schema):
        return ""
    heads = [re.split(r"=| \(", p)[0] for p in pieces] if metric.group == "bias" else pieces
    return _no_column(gate, next((p for p in heads if p not in schema.columns), about), schema)


def _named(about: str, metric: type[Metric], schema: Schema) -> bool:
    """Return whether something is what metrics of a group name beside columns: rules, groups of rows, attacks."""
    if metric.group == "integrity":
        rules = {r.rule for t in schema.tables.values() for r in t.rules}
        return about in rules or about.partition(": ")[2] in rules
    if metric.group == "bias":
        return _group_of(about, schema.columns)
    return metric.group == "privacy" and about.startswith(tuple(f"{t}: " for t in schema.tables))


def _columns_alone(about: str, columns: Sequence[str]) -> bool:
    """Return whether something is columns and what stands between them; names may hold such signs themselves."""
    for column in columns:
        rest = about[len(column) :]
        if about.startswith(column):
            behind = [rest[len(j) :] for j in JOINTS if rest.startswith(j)]
            if not rest or (behind and _columns_alone(behind[0], columns)):
                return True
    return False


def _of_table(piece: str, schema: Schema) -> bool:
    """Return whether something reads like a column of a table."""
    return piece.startswith(tuple(f"{t}." for t in schema.tables))


def _group_of(piece: str, columns: Sequence[str]) -> bool:
    """Return whether something is a column, or a group of its rows."""
    return any(piece == c or piece.startswith(tuple(c + b for b in _BEHIND)) for c in columns)


def _no_column(gate: Gate, piece: str, schema: Schema) -> str:
    """Say that something is no table and no column, and which may be meant."""
    last = {schema.split(c)[1]: c for c in schema.columns}
    table = next((t for t in schema.tables if piece.startswith(f"{t}.")), None)
    if table is None:
        near = [last[piece]] if piece in last else get_close_matches(piece, schema.tables, n=1)
        near = near or [last[n] for n in get_close_matches(piece, last, n=1)]
    else:
        near = [f"{table}.{n}" for n in get_close_matches(piece[len(table) + 1 :], schema.tables[table].fields, n=1)]
    return _unknown(gate, piece, near[0] if near else None, f"columns are said as in {schema.columns[0]!r}")


def _unknown(gate: Gate, piece: str, meant: str | None, known: str = "") -> str:
    """Return the sentence for something that a metric knows nothing of."""
    name = score_name(gate.metric, gate.about)
    of = "" if piece == gate.about else f", for there is no {piece!r}"
    if meant is not None:
        ends = "|".join(map(re.escape, (*JOINTS, *_BEHIND)))
        right = re.sub(rf"{re.escape(piece)}(?={ends}|$)", lambda _: meant, gate.about, count=1)
        known = f"did you mean {score_name(gate.metric, right)!r}?"
    return f"gate {gate.text!r}: {gate.metric} has no score {name!r}{of}: {known}"


def _bare(name: str) -> str:
    return "".join(name.lower().split())
