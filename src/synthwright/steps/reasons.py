"""Why rows went, by table: which rule they broke, which column lacked a value, what curators found in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright.core import rules
from synthwright.core.dataset import Dataset
from synthwright.core.plan import Plan
from synthwright.core.rule_nodes import Parsed
from synthwright.core.schema import Table
from synthwright.core.values import nulls
from synthwright.kit.constraints.expressions import holds
from synthwright.kit.constraints.keeping import UNREACHABLE
from synthwright.kit.room import BEYOND, at_an_end
from synthwright.report.report import WentRow
from synthwright.steps.waves import Wave

_RULED = ("rule-broken", UNREACHABLE)
_EMPTY = "null-not-allowed"


def went(waves: Sequence[Wave], plan: Plan) -> list[WentRow]:
    """Return how many rows of each table went, by reason, and by rule or column where the reason is about one."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for wave in waves:
        data, verdicts = wave.dropped()
        for verdict in verdicts:
            held, reason = data.tables[verdict.table], verdict.reason.to_pylist()
            about = np.full(len(reason), "", dtype=object)
            for i, said in _named(held, np.array(reason, dtype=object), plan, verdict.table):
                about[i] = said
            counted.update((verdict.table, code, said) for code, said in zip(reason, about.tolist(), strict=True))
    order = {t: i for i, t in enumerate(plan.schema.tables)}
    listed = sorted(counted.items(), key=lambda entry: (order[entry[0][0]], -entry[1], entry[0]))
    return [WentRow(table=table, reason=code, about=about, rows=n) for (table, code, about), n in listed]


def _named(held: pa.Table, reason: np.ndarray, plan: Plan, table: str) -> Iterator[tuple[np.ndarray, str]]:
    """Yield which of the rows that went broke a rule, or lacked a value, and which one."""
    spec = plan.schema.tables[table]
    empty = np.flatnonzero(reason == _EMPTY)
    for name, field in spec.fields.items() if len(empty) else ():
        if name in held.column_names and (not field.nulls or name == spec.key):
            lost = nulls(held.column(name).take(pa.array(empty)))
            yield empty[lost], f'no value in "{name}"'
            empty = empty[~lost]
    far = np.flatnonzero(reason == BEYOND)
    for name, field in spec.fields.items() if len(far) else ():
        if name in held.column_names:
            there = at_an_end(held.column(name).take(pa.array(far)), field)
            yield far[there], f'more than the type of "{name}" has room for'
            far = far[~there]
    broken = np.flatnonzero(np.isin(reason, _RULED))
    every = _rules(plan, table, spec, held.column_names) if len(broken) else []
    for parsed in (p for p in every if p.form == "row"):
        wrong = ~holds(held.take(pa.array(broken)), parsed, spec)
        yield broken[wrong], f'rule "{parsed.text}"'
        broken = broken[~wrong]
    yield from _told(held, reason, plan, table)
    across = [p for p in every if p.form != "row"]  # what rows break only beside others: the one that there is
    if len(across) == 1 and len(broken):
        yield broken, f'rule "{across[0].text}"'


def _told(held: pa.Table, reason: np.ndarray, plan: Plan, table: str) -> Iterator[tuple[np.ndarray, str]]:
    """Yield what curators say that rows which they dropped were about."""
    for curator in plan.curators:
        for code in type(curator).reasons:
            mine = np.flatnonzero(reason == code)
            gone = Dataset(plan.schema, {table: held.take(pa.array(mine))})
            said = curator.about(gone, table, code) if len(mine) else ()
            for one in dict.fromkeys(said):
                yield mine[np.array(said, dtype=object) == one], one


def _rules(plan: Plan, table: str, spec: Table, present: Sequence[str]) -> list[Parsed]:
    """Return the rules of a table: those of the schema, and those that curators hold rows to besides."""
    texts = [r.rule for r in spec.rules]
    for curator in plan.curators:
        said: Any = getattr(curator, "rules", ()) if curator.name == "rules" else ()
        texts += said.get(table, ()) if isinstance(said, dict) else said
    return [p for p in map(rules.parse, dict.fromkeys(texts)) if set(p.columns) <= set(present)]
