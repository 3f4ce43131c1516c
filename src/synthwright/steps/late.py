"""Columns that follow from tables made after their own: totals of an order's lines, a customer's number of orders.

They are made when all tables of a wave are there, so that curators can rule on them, and once more from the rows that
stayed, where rows went: what is released adds up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from synthwright import __version__
from synthwright.core.contracts import Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import fingerprint
from synthwright.kit.verdicts import merged
from synthwright.steps.complete import Made, complete
from synthwright.steps.fit import load_fitted
from synthwright.steps.orders import Bench
from synthwright.steps.waves import Wave, put_shard, shard_counts, shard_data, shard_problems, table_of


def made_late(bench: Bench, fits: Mapping[str, str], shards: list[str], settled: list[str]) -> list[str]:
    """Complete the shards of a wave with the columns that follow from later tables; return the keys that hold them.

    Args:
        bench: the run.
        fits: the keys of the fitted parts, by name.
        shards: the keys of the wave's shards.
        settled: the keys of the waves before: their rows count too.
    """
    if not bench.plan.late:
        return shards
    tables = {p.table for p in bench.plan.parts if p.name in bench.plan.late}
    seen = [Wave.of(bench, w).kept() for w in settled]
    names = {k: table_of(bench, k) for k in shards}
    keys = {k: f"shard/{fingerprint([__version__, 'late', k, shards, settled, [fits[n] for n in bench.plan.late]])}"
            for k in shards if names[k] in tables}  # fmt: skip
    if any(bench.store.get(key) is None for key in keys.values()):
        pieces = [shard_data(bench, k) for k in shards]
        before = {t: sum(d.rows(t) for d in seen) for t in tables}
        every = {}
        for table in bench.plan.schema.tables:
            held = [d.tables[table] for d in (*seen, *pieces) if d.rows(table)]
            every[table] = _alike(held) if held else Dataset.empty(bench.plan.schema).tables[table]
        done = _completed(bench, fits, Dataset(bench.plan.schema, every), bench.plan.late)
        for table in tables:
            at = before[table]
            for key in (k for k in shards if names[k] == table):
                rows = shard_data(bench, key).rows(table)
                _put(bench, key, keys[key], table, _piece(done, table, at, rows))
                at += rows
    return [keys.get(k, k) for k in shards]


def settled_late(bench: Bench, fits: Mapping[str, str], kept: Dataset) -> Dataset:
    """Return the rows that stayed with the columns that follow from other rows computed anew."""
    return _completed(bench, fits, kept, bench.plan.again).data


def _completed(bench: Bench, fits: Mapping[str, str], data: Dataset, names: Collection[str]) -> Made:
    """Run some parts over whole tables, one after the other."""
    problems: list[Verdict] = []
    for part in bench.plan.parts:
        if part.name not in names:
            continue
        anew = part.part.produce if part.part.mode == "make" else ()  # others begin with what stayed
        bare = data.select(part.table, [c for c in data.columns(part.table) if f"{part.table}.{c}" not in anew])
        fitted = [(part, *load_fitted(part.generator, bench.store.at / fits[part.name]))]
        made = complete(fitted, bare, part.table, bench.ctx.at("generate", "late", part.table))
        data, problems = made.data, [*problems, *made.problems]
    return Made(data, merged(problems), 0, 0)


def _alike(held: list[pa.Table]) -> pa.Table:
    """Return tables one after the other, with the columns that all of them have: late ones are made anew."""
    common = set.intersection(*({*t.column_names} for t in held))
    names = [c for c in held[0].column_names if c in common]
    return pa.concat_tables([t.select(names) for t in held])


def _piece(done: Made, table: str, at: int, rows: int) -> Made:
    """Return some rows of one table, and the rulings on them."""
    only = {t: held.slice(at, rows) if t == table else held.slice(0, 0) for t, held in done.data.tables.items()}
    found = [
        Verdict(table, v.keep[at : at + rows], v.reason.slice(at, rows)) for v in done.problems if v.table == table
    ]
    return Made(Dataset(done.data.schema, only), found, 0, 0)


def _put(bench: Bench, old: str, key: str, table: str, piece: Made) -> None:
    """Put a shard with its late columns into the store."""
    problems = merged([*(v for v in shard_problems(bench, old) if v.table == table), *piece.problems])
    put_shard(bench, key, piece.data, problems, shard_counts(bench, old))
