"""What a plan foresees: values that no maker gives, tables that grow beyond measure, too few different values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from synthwright.core import rules
from synthwright.core.contracts import Process
from synthwright.core.foresight import Foreseen, Known, Rows, compared, stranger
from synthwright.core.plan_children import Planned
from synthwright.core.safe_yaml import Place
from synthwright.core.schema import Kind, Schema
from synthwright.core.spec import Spec

MOST_ROWS = 10**9
"""Rows that may come to be for rows of another table."""


def told_ahead(
    spec: Spec, schema: Schema, parts: Sequence[Planned], processes: Mapping[str, Process],
    tell: Callable[[Place, str], None],
) -> list[tuple[Place, str]]:  # fmt: skip
    """Tell what will go wrong, with its place in the specification; return what is hardly meant.

    Of what has other faults nothing is foreseen.
    """
    sound = [p for p in parts if not p.generator.misused(schema, p.table, _names(p, schema))]
    unclear = {c for p in parts if p not in sound for c in p.part.produce}
    values = {c: v for c, v in values_of(spec, schema, sound, processes).items() if c not in unclear}
    found = list(dict.fromkeys(_foreseen(spec, schema, sound, processes, values)))
    for one in found:
        if one.sure:
            tell(one.place, one.said)
    return [(one.place, one.said) for one in found if not one.sure]


def _foreseen(
    spec: Spec, schema: Schema, parts: Sequence[Planned], processes: Mapping[str, Process],
    values: Mapping[str, tuple[str | None, ...]],
) -> Iterator[Foreseen]:  # fmt: skip
    known = Known(values, rows_of(spec, schema, processes))
    yield from _too_many(spec, schema, known)
    yield from _too_few(schema, parts, known)
    yield from _rules(schema, known)
    for part in parts:
        place, at = _place(part)
        said = spec.parts[at].settings if at < len(spec.parts) else {}
        beside = replace(known, said=said, given=part.part.given)
        for one in part.generator.foreseen(schema, part.table, _names(part, schema), beside):
            told = f"{part.generator.name}: {one.said}"
            yield Foreseen((*place, "with", *one.place), told, one.sure)
    for table, process in processes.items():
        how = spec.start.children[table]
        for one in process.foreseen(schema, table, _parent(spec, schema, table), replace(known, said=how.settings)):
            place = ("start", "children", table, "with", *one.place)
            yield Foreseen(place, f"{'.'.join(map(str, place))}: {one.said}", one.sure)


def _place(part: Planned) -> tuple[Place, int]:
    at = int(part.name.partition("-")[0])
    return ("parts", at), at


def _names(part: Planned, schema: Schema) -> tuple[str, ...]:
    return tuple(schema.split(c)[1] for c in part.part.produce)


def _parent(spec: Spec, schema: Schema, table: str) -> str:
    return schema.split(str(schema.field(spec.start.children[table].of).to))[0]


# ----------------------------------------------------------------------------------------------------------- columns
def values_of(
    spec: Spec, schema: Schema, parts: Sequence[Planned], processes: Mapping[str, Process]
) -> dict[str, tuple[str | None, ...]]:
    """Return the values that columns may have, as far as those who make and change them say."""
    found: dict[str, list[tuple[str | None, ...] | None]] = {}
    for part in parts:
        for column in part.part.produce:
            values = part.generator.vocabulary(schema, part.table, schema.split(column)[1])
            found.setdefault(column, []).append(None if part.part.mode == "fill" else values)
    for table, process in processes.items():
        for name in process.makes():
            found.setdefault(f"{table}.{name}", []).append(process.vocabulary(schema, table, name))
    free = set(found) - {*spec.begin.keep, *spec.begin.chosen}
    return {c: tuple(dict.fromkeys(v for values in several if values is not None for v in values))
            for c, several in found.items() if c in free and all(v is not None for v in several)}  # fmt: skip


def _rules(schema: Schema, known: Known) -> Iterator[Foreseen]:
    """Yield rules that compare with what no row has."""
    for table, declared in schema.tables.items():
        for i, rule in enumerate(declared.rules):
            try:
                parsed = rules.parse(rule.rule)
            except ValueError:  # which is told elsewhere
                continue
            for column, texts in compared(parsed.tree) if parsed.tree is not None else ():
                values = known.values.get(f"{table}.{column}")
                said = None if values is None else stranger(column, texts, values)
                if said is not None:
                    yield Foreseen(("schema", "tables", table, "rules", i), f"rule {rule.rule!r}: {said}", sure=False)


def _too_few(schema: Schema, parts: Sequence[Planned], known: Known) -> Iterator[Foreseen]:
    """Yield columns that must differ in every row, and have fewer values than rows."""
    makers: dict[str, Place] = {c: _place(p)[0] for p in parts for c in p.part.produce}
    for column, values in known.values.items():
        table, field = schema.split(column)[0], schema.field(column)
        rows = known.rows.get(table, Rows()).least
        if (field.unique or field.kind is Kind.KEY) and len(values) < rows and column in makers:
            said = f"column {column!r} must differ in every row, and has {len(values):,} values for {rows:,} rows"
            yield Foreseen(makers[column], said)


# -------------------------------------------------------------------------------------------------------------- rows
def rows_of(spec: Spec, schema: Schema, processes: Mapping[str, Process]) -> dict[str, Rows]:
    """Return how many rows each table gets, as far as the start says."""
    found = {t: Rows(n, n, n) for t, n in spec.begin.rows.items()}
    if "*" in found and len(schema.tables) == 1:
        found[schema.only] = found.pop("*")
    waiting = dict(processes)
    while ready := [t for t in waiting if _parent(spec, schema, t) in found]:
        for table in ready:
            found[table] = waiting.pop(table).arising(found[_parent(spec, schema, table)])
    return found


def _too_many(spec: Spec, schema: Schema, known: Known) -> Iterator[Foreseen]:
    """Yield tables of which more rows come to be than can be, those that their own rows are for left out."""
    large: Collection[str] = [t for t, rows in known.rows.items() if _many(rows) > MOST_ROWS]
    for table in (t for t in large if t in spec.start.children):
        parent = _parent(spec, schema, table)
        if parent in large and parent in spec.start.children:
            continue
        rows, of = known.rows[table], known.rows.get(parent, Rows())
        sure = max(rows.least, rows.about or 0) > MOST_ROWS
        said = (
            f"start.children.{table}: {'about' if sure else 'up to'} {_many(rows):,.0f} rows of {table!r} would come "
            f"to be for {_many(of):,.0f} of {parent!r}, wanted at most {MOST_ROWS:,}: say fewer for each, or fewer of "
            f"{parent!r}"
        )
        yield Foreseen(("start", "children", table), said, sure)


def _many(rows: Rows) -> float:
    return rows.about if rows.about is not None else max(rows.least, rows.most or 0)
