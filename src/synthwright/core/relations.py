"""Relations that hold in every row of real data, with evidence enough that they are no accident."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa

from synthwright.core.dataset import Dataset
from synthwright.core.relation_ages import ages
from synthwright.core.relation_bands import banded
from synthwright.core.relation_clamped import clamped
from synthwright.core.relation_classes import by_class
from synthwright.core.relation_clocks import clocks
from synthwright.core.relation_columns import Columns, counted
from synthwright.core.relation_compared import compared
from synthwright.core.relation_counts import counted_or_picked
from synthwright.core.relation_curves import curves
from synthwright.core.relation_days import days_and_instants
from synthwright.core.relation_equal import Relation, date_parts, equal_columns, lines
from synthwright.core.relation_lookup import dependencies
from synthwright.core.relation_months import months
from synthwright.core.relation_norms import norms
from synthwright.core.relation_nulls import missing_together
from synthwright.core.relation_order import never_greater
from synthwright.core.relation_padded import padded
from synthwright.core.relation_pairs import paired
from synthwright.core.relation_parts import parted
from synthwright.core.relation_present import where_present
from synthwright.core.relation_products import products
from synthwright.core.relation_sides import limits, signs, unequal
from synthwright.core.relation_spans import spans
from synthwright.core.relation_starts import starts
from synthwright.core.relation_steps import stepped
from synthwright.core.relation_sums import small_sums, sums, superfluous
from synthwright.core.relation_unique import unique_alone, unique_together
from synthwright.core.relation_zeros import zeros
from synthwright.core.rule_nodes import Compare, Literal, Name, Node, Product, Sum
from synthwright.core.rules import parse
from synthwright.core.schema import Rule, Table, canonical

LEAST = 20
"""Rows without which nothing is believed."""
MOST = 200
"""Rules of one table, at most."""
_FEW = 20
"""Different numbers that leave no room for others."""
_SIDED = (" == max(", " == min(", " == abs(", "_start(")
"""What is never on the other side of what it is made of."""


def find(dataset: Dataset) -> dict[str, list[Rule]]:
    """Return for each table the relations of its columns that hold in every row, as rules with their evidence.

    Equal columns, lines (`f == 1.8 * c + 32`), parts of dates and times between them, days and times of instants
    (`day == date(at)`), weeks and months of dates (`month == month_start(day)`), dates so many months after others
    (`end == start + months(12) - 1`), lengths (`d == sqrt(x * x + y * y)`), sums (`total == net + tax`, `pay ==
    base + max(0, bonus)`), curves (`b == log(a)`), products (`total == price * items`), what is picked or counted
    (`best == max(a, b)`, `mean == (a + b + c) / 3`, `bought == (x > 0) + (y > 0)`), what is cut off (`fee == max(5,
    0.01 * amount)`), whole steps (`minutes == ceil(seconds / 60)`), rates of classes (`tax == net * (0.07 * (kind
    == "food") + …)`), dependencies (`city -> country`, `(item, size) -> price`, `weekday(day) -> open`), orders
    (`start <= end`, `ordered <= shipped_at`), which of two is larger (`late == (due < came)`), what labels say of
    numbers (`(amount < 0) == (kind == "debit")`), what is never the same (`home != away`), what is missing where
    (`(b is null) == (a is null)`), what is zero where (`debit == 0 or credit == 0`) and what no two rows share
    (`unique(day)`, `unique(store, week)`). A sum that holds to the cent is preferred to a line that holds only when
    it is rounded. Columns that are made anew take no part. A relation is reported only if unrelated columns with
    the same values would break it in many rows; what follows from others is left out.
    """
    tables = dataset.schema.tables
    return {table: _in_table(Columns.of(*_coarser(held, tables[table]))) for table, held in dataset.tables.items()}


def _coarser(held: pa.Table, spec: Table) -> tuple[pa.Table, Table]:
    """Return a table with instants and lengths of whole microseconds as such: floats hold no nanoseconds since 1970."""
    fields = dict(spec.fields)
    for name, field in spec.fields.items():
        kind = str(canonical(field))
        if "[ns" not in kind or name not in held.column_names:
            continue
        coarse = field.model_copy(update={"type": kind.replace("[ns", "[us")})
        try:
            column = held.column(name).cast(canonical(coarse))
        except pa.ArrowInvalid:  # it would lose digits
            continue
        held, fields[name] = held.set_column(held.column_names.index(name), name, column), coarse
    return held, spec.model_copy(update={"fields": fields})


def _in_table(columns: Columns) -> list[Rule]:
    if columns.rows < LEAST:
        return []
    found = equal_columns(columns)
    gone = {r.column for r in found}
    ordered = [c for c in columns.ordered() if c not in gone]
    dated = date_parts(columns, ordered)
    straight = lines(columns, ordered, {r.column for r in dated})
    parts = [r for r in dated if r.column not in {s.column for s in straight}]
    for finder in (clocks, starts, partial(months, every=ordered), spans, ages, curves):
        parts += finder(columns, [c for c in ordered if c not in {r.column for r in (*straight, *parts)}])
    clocked = {r.column: r.others[0] for r in parts if r.rule.endswith(")") and len(r.others) == 1}
    rough = [r for r in straight if r.rough]
    made = {r.column for r in (*straight, *parts)}
    there = where_present(columns, [c for c in ordered if c not in made], gone | made)
    partly = {r.column for r in there}
    free = [c for c in ordered if c not in made | partly]
    bent = products(columns, free, [c for c in ordered if c in made])
    summable = [c for c in ordered + columns.truths() if c not in made] + [r.column for r in rough]
    totals = sums(columns, summable, bent + rough)
    totals += small_sums(columns, rough, totals)
    filled = padded(columns, free, {r.column for r in (*bent, *rough)} & set(free))
    totals = [r for r in totals if not any({r.column, *r.others} <= {f.column, *f.others} for f in filled)] + filled
    needless = superfluous(rough, totals)
    summed = {r.column for r in totals}
    found += [r for r in straight if r not in needless] + parts + there + totals
    found += [r for r in bent if r.column not in summed]
    lengths = norms(columns, [c for c in free if c not in {r.column for r in found}])
    picked = counted_or_picked(columns, [c for c in free if c not in {r.column for r in (*found, *lengths)}])
    found += lengths + picked
    left = [c for c in free if c not in {r.column for r in found}]
    cut = clamped(columns, left, free)
    rated = by_class(columns, [c for c in left if c not in {r.column for r in cut}], free, [*found, *cut])
    begun = stepped(columns, free, [c for c in left if c not in {r.column for r in (*cut, *rated)}])
    found += cut + rated + begun
    away = gone | made | partly | {r.column for r in (*picked, *cut, *rated, *begun)}
    discrete = columns.discrete()
    found += _labelled(columns, ordered, [c for c in discrete if c not in away], away, found)
    bound = {r.column for r in found}
    known = _implied(columns, straight, totals) | {(s, r.column) for r in lengths for s in r.others}
    sided = [r for r in (*picked, *cut, *parts) if any(f in r.rule for f in _SIDED)]
    known |= {pair for r in sided for s in r.others for pair in ((s, r.column), (r.column, s))}
    orders = [r for r, _ in never_greater(columns, ordered)]
    found += [r for r in orders if (r.others[0], r.column) not in known]
    found += days_and_instants(columns, [c for c in ordered if c not in clocked])
    found += missing_together(columns, gone | made)
    pairs = {frozenset((r.column, *r.others)) for r in orders}
    found += zeros(columns, [c for c in ordered if c not in gone | {r.column for r in straight}], pairs)
    loose = [c for c in columns.spec.fields if c in {*ordered, *discrete} - gone - bound]
    found += unique_alone(columns, loose) + unique_together(columns, loose)
    return [Rule(rule=r.rule, why=counted(r.rows, columns.rows)) for r in found[:MOST]]


def _labelled(
    columns: Columns, ordered: list[str], discrete: list[str], away: set[str], before: list[Relation]
) -> list[Relation]:
    """Return what columns of few values follow from: from each other, from bands, from parts of dates.

    Args:
        columns: the table.
        ordered: the ordered columns.
        discrete: the columns of few values that may follow from others.
        away: those that follow from others already, exactly.
        before: what was found before.
    """
    settled = dependencies(columns, discrete)
    found = list(settled)
    bound = {r.column for r in (*before, *settled)}
    steps = [c for c in discrete + [c for c in columns.stepped() if c not in discrete] if c not in away | bound]
    found += banded(columns, [c for c in ordered if c not in discrete], steps)
    said = (bound | {r.column for r in found}) - _roots(settled)
    found += compared(columns, ordered, [c for c in discrete if c not in said])
    bound |= {r.column for r in found}
    found += parted(columns, ordered, [c for c in discrete if c not in bound])
    bound |= {r.column for r in found}
    first = [c for c in discrete if c not in bound or c in _roots(settled)]
    found += paired(columns, first, [c for c in discrete if c not in bound])
    bound |= {r.column for r in found}
    loose = [c for c in discrete if c not in bound]
    firm = {r.column for r in (*before, *found) if r not in settled or not _by_the_way(columns, r, ordered)}
    told = [c for c in discrete if c not in firm]
    made_of = {(r.column, c) for r in before for c in r.others}  # a rate says already that its class pays nothing
    above = [r for r in signs(columns, ordered, told) if (r.others[0], r.column) not in made_of]
    return found + above + limits(columns, ordered, loose) + unequal(columns, loose)


def _by_the_way(columns: Columns, relation: Relation, ordered: list[str]) -> bool:
    """Return whether a label follows from a number of many values: of one that no row had, nothing follows."""
    source = relation.others[0]
    return source in ordered and len(np.unique(columns.sampled_codes(source))) > _FEW


def _roots(settled: list[Relation]) -> set[str]:
    """Return of columns that follow from each other those that were found first."""
    pairs = [(r.column, r.others[0]) for r in settled if len(r.others) == 1]
    out: set[str] = set()
    for one, other in pairs:
        if (other, one) in pairs and not any((one, c) in pairs and (c, one) in pairs for c in out):
            out.add(one)
    return out


def _implied(columns: Columns, straight: list[Relation], totals: list[Relation]) -> set[tuple[str, str]]:
    """Return pairs whose order says nothing new: columns on a line, a total and its parts, none of them negative."""
    out = {(a, b) for r in straight for a, b in ((r.column, r.others[0]), (r.others[0], r.column))}
    for relation in totals:
        tree = parse(relation.rule).tree
        if not isinstance(tree, Compare) or tree.left != Name(relation.column) or not isinstance(tree.right, Sum):
            continue
        parts = [_part(sign, term) for sign, term in tree.right.terms]
        if all(p is not None and not (columns.numbers(p) < 0).any() for p in parts):
            out |= {(p, relation.column) for p in parts if p is not None}
    return out


def _part(sign: int, term: Node) -> str | None:
    """Return the column that a term adds whole or more than whole."""
    if sign == 1 and isinstance(term, Name):
        return term.name
    match term:
        case Product(factors=((_, Literal(value=Decimal() as factor)), (_, Name(name=name)))) if sign * factor >= 1:
            return name
    return None
