"""A schema without the columns that a specification ignores."""

from __future__ import annotations

from synthwright.core import rules
from synthwright.core.schema import Field, Kind, Rule, Schema, Table


def without(schema: Schema, columns: tuple[str, ...]) -> Schema:
    """Return the schema without these columns (`table.*`: the whole table), and without the rules that name them."""
    whole = {t for t in schema.tables if f"{t}.*" in columns}
    gone = {(t, c) for t in whole for c in schema.tables[t].fields}
    gone |= {schema.split(c) for c in columns if c.removesuffix(".*") not in whole}
    tables = {}
    for name, table in schema.tables.items():
        fields = {c: f for c, f in table.fields.items() if (name, c) not in gone}
        fields = {c: _unlinked(f, gone, schema) for c, f in fields.items()}
        if not fields:
            continue
        mine = {c for t, c in gone if t == name}
        kept = tuple(r for r in table.rules if not mine & _named(r))  # a rule about nothing stays, and is a fault
        tables[name] = Table(fields=fields, key=table.key if table.key in fields else None, rules=kept,
                             notes=table.notes)  # fmt: skip
    return Schema(tables=tables)


def _named(rule: Rule) -> set[str]:
    """Return the columns that a rule names; none where it is no rule, which is a fault told elsewhere."""
    try:
        return set(rules.parse(rule.rule).columns)
    except ValueError:
        return set()


def _unlinked(field: Field, gone: set[tuple[str, str]], schema: Schema) -> Field:
    """Return a reference whose parent key was left out as an ordinary category."""
    if field.to is None or schema.split(field.to) not in gone:
        return field
    return field.model_copy(update={"kind": Kind.CATEGORY, "to": None})
