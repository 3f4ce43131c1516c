"""Which rows of several tables belong together: owners by references, and families that are dealt into groups whole.

Rows that hang on one row of another table (the orders of a customer, their lines) are not independent of each other.
Whatever is counted over again to tell an interval, or what chance does, is therefore counted by families: a row is in
the group of the row that it belongs to, up to the rows that belong to none (cluster sampling: Kish, Survey Sampling,
1965).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.part_order import parents_first
from synthwright.core.schema import Schema
from synthwright.core.values import Column
from synthwright.kit.measuring.stats import GROUPS, deal
from synthwright.kit.rows import in_set, row_hashes

_SHARED = 0.5
"""The share of held-out parents from which on, where training rows have the same, the table is one that all share."""


class Link(NamedTuple):
    """A column whose values are keys of a table's rows."""

    child: str
    column: str
    parent: str
    key: str

    @property
    def about(self) -> str:
        """How a score names it: `order.customer_id`."""
        return f"{self.child}.{self.column}"


def links_of(schema: Schema) -> tuple[Link, ...]:
    """Return the references of all tables, in the schema's order."""
    return tuple(
        Link(table, column, *schema.split(field.to))
        for table, spec in schema.tables.items()
        for column, field in spec.fields.items()
        if field.to is not None
    )


def owners(references: Column, keys: Column) -> np.ndarray:
    """Return for each reference which row has that key, the first of several; -1 for null and where none has: int64."""
    if keys.type != references.type:
        keys, references = keys.cast(pa.large_string()), references.cast(pa.large_string())
    if isinstance(keys, pa.ChunkedArray):
        keys = pa.concat_arrays(keys.chunks) if keys.num_chunks else pa.array([], keys.type)
    found = pc.index_in(references, value_set=keys, skip_nulls=True)
    return np.asarray(pc.fill_null(found.cast(pa.int64()), -1))


class Folk(NamedTuple):
    """The rows of all tables, whom they belong to, and in which family and group they are."""

    tables: Mapping[str, pa.Table]
    held: Mapping[str, int]
    """How many rows of each table, the first ones, are held-out rows."""
    owner: Mapping[Link, np.ndarray]
    """For each row of the child table the row of the parent table, -1 where there is none."""
    shared: frozenset[Link]
    """Links to tables that held-out and training rows both have whole: places, products, codes."""
    homes: Mapping[str, Link]
    """The link by which the rows of a table have come to the side that they are on."""
    family: Mapping[str, np.ndarray]
    """A number for each row of each table, equal where rows belong together."""
    group: Mapping[str, np.ndarray]
    """The group that each row's family was dealt into."""
    side: Mapping[str, np.ndarray]
    """0 for rows that stand for what was never seen, 1 for the second real sample."""


def real_folk(train: Dataset, holdout: Dataset | None, ctx: Context) -> Folk:
    """Return held-out and training rows together: a row may belong to one of the other side.

    Where a table has no held-out rows, half of its families stand for them.
    """
    tables, held = _together(train, holdout)
    known = [k for k in links_of(train.schema) if k.column in tables[k.child].column_names
             and k.key in tables[k.parent].column_names]  # fmt: skip
    owner, own, shared = {}, {}, set[Link]()
    for link in known:
        near, far = _by_side(tables, held, link)
        own[link] = near
        if _the_same(tables[link.parent], held[link.parent], link):
            shared.add(link)
            owner[link] = near
        else:
            owner[link] = np.where(near < 0, far, near)
    settled = {k: int((own[k] >= 0).sum()) for k in known if k.parent != k.child and k not in shared}
    homes: dict[str, Link] = {}
    for link, count in settled.items():  # the first of those by which most rows stand on the side of their owner
        if count > (settled[homes[link.child]] if link.child in homes else 0):
            homes[link.child] = link
    return _dealt(Folk(tables, held, owner, frozenset(shared), homes, {}, {}, {}), train.schema, ctx)


def _together(train: Dataset, holdout: Dataset | None) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Return each table's held-out rows and then its training rows, and how many are the former.

    Where held-out rows refer to a table of which there are none, those of the training side are theirs, too.
    """
    links = links_of(train.schema)
    tables, held = {}, {}
    for name, table in train.tables.items():
        unseen = table.slice(0, 0) if holdout is None else holdout.tables[name]
        if (
            holdout is not None
            and not unseen.num_rows
            and any(holdout.rows(k.child) for k in links if k.parent == name)
        ):
            unseen = table
        types = {f.name: f.type for f in unseen.schema}
        names = [c for c in train.columns(name) if types.get(c) == table.schema.field(c).type]
        tables[name], held[name] = pa.concat_tables([unseen.select(names), table.select(names)]), unseen.num_rows
    return tables, held


def made_folk(synthetic: Dataset, like: Folk, ctx: Context) -> Folk:
    """Return synthetic rows, in families as real rows are."""
    owner = {k: owners(synthetic.column(k.about), synthetic.column(f"{k.parent}.{k.key}")) for k in like.owner
             if synthetic.has(k.about) and synthetic.has(f"{k.parent}.{k.key}")}  # fmt: skip
    homes = {t: k for t, k in like.homes.items() if k in owner}
    nobody = dict.fromkeys(synthetic.tables, 0)
    return _dealt(Folk(synthetic.tables, nobody, owner, like.shared, homes, {}, {}, {}), synthetic.schema, ctx)


def _by_side(tables: Mapping[str, pa.Table], held: Mapping[str, int], link: Link) -> tuple[np.ndarray, np.ndarray]:
    """Return the owner of each row among rows of its own side, and among those of the other."""
    mine, theirs = tables[link.child].column(link.column), tables[link.parent].column(link.key)
    rows, keys = ((c.slice(0, n), c.slice(n)) for c, n in ((mine, held[link.child]), (theirs, held[link.parent])))
    begins = (0, held[link.parent])
    found = []
    for other in (0, 1):
        looked = [owners(r, keys[i ^ other]) for i, r in enumerate(rows)]
        found.append(np.concatenate([np.where(f < 0, -1, f + begins[i ^ other]) for i, f in enumerate(looked)]))
    return found[0], found[1]


def _the_same(table: pa.Table, held: int, link: Link) -> bool:
    """Return whether most of the first rows of a table are among the others, too."""
    keys = table.column(link.key)
    if not held or (owners(keys.slice(0, held), keys.slice(held)) >= 0).mean() <= _SHARED:
        return False
    return most_among(table.slice(0, held), table.slice(held))


def most_among(rows: pa.Table, others: pa.Table) -> bool:
    """Return whether most rows of a table are rows of another, with all that they hold."""
    types = {f.name: f.type for f in others.schema}
    columns = [f.name for f in rows.schema if types.get(f.name) == f.type]
    found = in_set(row_hashes(rows, columns), row_hashes(others, columns))
    return bool(len(found) and found.mean() > _SHARED)


def _dealt(folk: Folk, schema: Schema, ctx: Context) -> Folk:
    """Return the rows with their families, in groups of as many as can be."""
    family: dict[str, np.ndarray] = {}
    group: dict[str, np.ndarray] = {}
    side: dict[str, np.ndarray] = {}
    begin = 0
    for table in parents_first(schema):
        rng, count, unseen = ctx.at(table).rng, folk.tables[table].num_rows, folk.held[table]
        family[table], begin = np.arange(begin, begin + count), begin + count
        if unseen:
            side[table] = (np.arange(count) >= unseen).astype(np.int64)
            group[table] = np.concatenate([deal(unseen, rng), deal(count - unseen, rng)])
        else:
            shuffled = rng.permutation(count).astype(np.int64)
            side[table], group[table] = shuffled % 2, shuffled // 2 % GROUPS
        home = folk.homes.get(table)
        if home is not None and home.parent in family and home.parent != table:
            mine = folk.owner[home]
            known = mine >= 0
            for kept in (family, group) if unseen else (family, group, side):
                kept[table][known] = kept[home.parent][mine[known]]
    return folk._replace(family=family, group=group, side=side)


def effective(families: np.ndarray) -> float:
    """Return how many families of equal size would tell as much as those of some rows (Kish's effective number)."""
    sizes = np.unique(families, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / max(float((sizes**2).sum()), 1.0))
