"""What rules foresee beside the columns that others make: conditions on values that no row has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from synthwright.core.contracts import Place
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known, compared, stranger
from synthwright.core.rule_nodes import Aggregate, Literal, Node, Parsed, walk
from synthwright.core.rule_tokens import shown
from synthwright.core.rules import faults, parse, unknown_columns
from synthwright.core.schema import Schema, Table
from synthwright.kit.constraints.derived import choose
from synthwright.kit.formula.formulas import Formula, read
from synthwright.kit.ruled import hops

_COMPARES = re.compile(r"""(==|!=|\bin\s*\[)\s*["']|["']\s*(==|!=)""")
"""What a condition on texts has, and hardly any other text."""


def doubts(known: Known, schema: Schema, whose: Callable[[Place], str]) -> Iterator[Foreseen]:
    """Yield conditions among parameters that compare a column with a text that no row has in it.

    Args:
        known: which values columns may have, and the parameters as they are written.
        schema: of all tables.
        whose: the table that conditions at a place of the parameters are about.
    """
    for place, text in _texts(known.said):
        if _COMPARES.search(text):
            try:
                formula = read(text)
            except ValueError:  # no formula: a text with quotes and signs in it
                continue
            for said in strange(formula, known, schema, whose(place)):
                yield Foreseen(place, said, sure=False)


def overwritten(known: Known, schema: Schema, table: str, produce: tuple[str, ...]) -> Iterator[Foreseen]:
    """Yield columns that a part makes, and that rules of the schema compute from others, whatever it made."""
    spec = schema.tables[table]
    seen = {*produce, *(schema.split(c)[1] for c in known.given if schema.split(c)[0] == table)}
    rules = [p for p in _sound(spec) if seen >= set(p.columns) and set(p.columns) & set(produce)]
    for step in choose(Dataset.empty(schema).tables[table], rules, spec, produce, fill=False).steps:
        said = (
            f"column {step.target!r} is computed by the schema's rule {step.rule!r}, whatever is written: where the "
            f"rule is to check what is written, say it to the curator, "
            f"`{{use: rules, with: {{rules: {{{table}: [{step.rule!r}]}}}}}}`"
        )
        yield Foreseen((), said, sure=False)


def _sound(spec: Table) -> Iterator[Parsed]:
    """Yield the rules of a table that mean something; faults of others are told elsewhere."""
    for rule in spec.rules:
        try:
            parsed = parse(rule.rule)
        except ValueError:
            continue
        if not unknown_columns(parsed, spec) and not faults(parsed, spec):
            yield parsed


def strange(formula: Formula, known: Known, schema: Schema, table: str) -> Iterator[str]:
    """Yield which comparisons of a formula no row of a table can meet, a sentence each."""
    for column, texts, where in _compared(formula.tree, table):
        values = valued(column, known, schema, where)
        said = None if values is None else stranger(column, texts, values)
        if said is not None:
            yield f"formula {shown(formula.text)}: {said}"


def valued(path: str, known: Known, schema: Schema, table: str) -> tuple[str | None, ...] | None:
    """Return the values that a column or path may have; None where they are not known."""
    try:
        return known.values.get(str(hops(schema, table, path)[-1]))
    except (SampleError, KeyError):
        return None


def results(node: Node) -> tuple[str | None, ...] | None:
    """Return the texts that a formula may give, where it gives nothing else; None where that cannot be told."""
    from synthwright.core.rule_nodes import Apply, Nothing

    match node:
        case Literal(str() as text):
            return (text,)
        case Nothing():
            return (None,)
        case Apply("if", (_, one, other)):
            branches: tuple[Node, ...] = (one, other)
        case Apply("case", given):
            branches = (*given[1:-1:2], given[-1])
        case Apply("coalesce", given):
            branches = given
        case _:
            return None
    found = [results(branch) for branch in branches]
    return None if any(f is None for f in found) else tuple(dict.fromkeys(v for f in found if f is not None for v in f))


def _compared(tree: Node, table: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield columns, the texts that they are compared with, and their tables: of other tables' rows too."""
    yield from ((column, texts, table) for column, texts in compared(tree))
    for node in walk(tree):
        if isinstance(node, Aggregate) and node.where is not None:
            yield from _compared(node.where, node.table)


def _texts(said: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield the texts among parameters and where they stand; not those of recipes inside, which are about others."""
    if isinstance(said, str):
        yield place, said
    elif isinstance(said, dict):
        for word, value in said.items():
            if not (word == "with" and "use" in said):
                yield from _texts(value, (*place, word))
    elif isinstance(said, list | tuple):
        for i, value in enumerate(said):
            yield from _texts(value, (*place, i))
