"""How rows of a table come to be for the rows of another, once these are made: by a process, shard by shard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from synthwright import __version__
from synthwright.core.contracts import Process, Unfolded
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ROW, fingerprint
from synthwright.kit.ruled import as_field
from synthwright.kit.tables import load_dataset, save_dataset
from synthwright.steps.orders import Bench, opened
from synthwright.steps.start import Begun, with_set
from synthwright.steps.waves import Wave, table_of

WORK = "synthwright.steps.unfold:unfold_shard"
BLOCK = 16_384
"""Parents whose rows come to be at once: each may have hundreds, and blocks are worked side by side."""


def unfold(bench: Bench, begun: Begun, table: str, made: list[str], settled: list[str]) -> Begun:
    """Put the start into the store again, with the rows of a table that come to be for the rows of another.

    The rows of one parent stand together, in the order of the parents. In later waves they come behind the rows that
    are made again for parents which stayed; each has a slot of its own.

    Args:
        bench: the run.
        begun: the start of the wave so far.
        table: whose rows they are.
        made: the keys of the shards of this wave that are there, those of the parents among them.
        settled: the keys of the waves before.
    """
    process, (parent, _) = bench.plan.processes[table], _ends(bench, table)
    whose = [k for k in made if table_of(bench, k) == parent]
    if settled and not any(_rows(bench, k, parent) for k in whose):
        return begun
    others = [k for k in made if k not in whose] if len(_seen(bench, table)) > 1 else []
    blocks = [(i, low, k) for i, k in enumerate(whose) for low in range(0, _rows(bench, k, parent), BLOCK)]
    again = [settled] if settled else []
    keys = [f"unfold/{fingerprint([__version__, process.fingerprint(), k, others, table, i, low, *again])}"
            for i, low, k in blocks]  # fmt: skip
    orders = [{"of": k, "number": i, "begin": low, "key": key}
              for (i, low, k), key in zip(blocks, keys, strict=True) if bench.store.get(key) is None]  # fmt: skip
    if orders and bench.ctx.engine is not None:
        shared = bench.order(table=table, others=others, settled=settled)
        bench.ctx.engine.map(WORK, [shared | o for o in orders], lambda _done: None)
    name = f"start/{fingerprint([begun.key, table, keys])}"
    held = [load_dataset(bench.store.at / key).tables[table] for key in keys]
    rows = sum(t.num_rows for t in held)
    first = begun.after[table] if settled else 0
    data = load_dataset(bench.store.at / begun.key)
    before = data.tables[table]
    if bench.store.get(name) is None:
        numbered = {ROW: pa.array(np.arange(first, first + rows, dtype=np.int64))}
        if held:
            whole = pa.concat_tables(held)
            numbered |= {c: whole.column(c) for c in whole.column_names}
        tables = {**data.tables, table: pa.table(numbered)}
        place = bench._replace(ctx=bench.ctx.at("again", len(settled))) if settled else bench
        complete = with_set(Dataset(data.schema, tables), place, bench.train(), (table,))
        if before.num_rows:
            new = complete.tables[table]
            whole = pa.concat_tables([before.select(new.column_names), new])
            complete = Dataset(data.schema, {**complete.tables, table: whole})
        bench.store.put(name, lambda folder: save_dataset(complete, folder))
    there = before.num_rows + rows
    return Begun(name, {**begun.slots, table: there}, {**begun.after, table: first + rows})


def unfold_shard(order: dict[str, Any]) -> None:
    """Let the rows of a table come to be for one block of their parents, and put them into the store."""
    bench, table = opened(order), order["table"]
    process, (parent, key) = bench.plan.processes[table], _ends(bench, table)
    _, of = bench.plan.schema.split(bench.plan.spec.begin.children[table].of)
    given = _given(bench, table, parent, order)
    wave = ("again", len(order["settled"])) if order["settled"] else ()
    found = process.unfold(given, table, parent, bench.ctx.at("start", table, *wave, order["number"], order["begin"]))
    _check(process, found, given.rows(parent))
    fields = bench.plan.schema.tables[table].fields
    keys = given.tables[parent].column(key).take(pa.array(found.whose))
    columns = {c: as_field(v, fields[c], process.name, c) for c, v in found.columns.items()}
    held = pa.table({of: keys, **columns})
    bench.store.put(order["key"], lambda folder: save_dataset(_alone(bench, table, held), folder))


def _rows(bench: Bench, key: str, table: str) -> int:
    return load_dataset(bench.store.at / key / "data").rows(table)


def _alone(bench: Bench, table: str, held: pa.Table) -> Dataset:
    empty = Dataset.empty(bench.plan.schema)
    return Dataset(empty.schema, {**empty.tables, table: held})


def _check(process: Process, found: Unfolded, parents: int) -> None:
    """Raise a SampleError where a process did not keep its contract."""
    whose, wanted = found.whose, set(process.makes())
    wrong = None
    if len(whose) and (whose.min() < 0 or whose.max() >= parents or (np.diff(whose) < 0).any()):
        wrong = ("positions of parents that never fall", f"other numbers among {parents:,} parents")
    elif set(found.columns) != wanted:
        wrong = (f"the columns {sorted(wanted)}", f"{sorted(found.columns)}")
    elif any(len(v) != len(whose) for v in found.columns.values()):
        wrong = (f"{len(whose):,} values in every column", f"{ {c: len(v) for c, v in found.columns.items()} }")
    if wrong is not None:
        raise SampleError(process.name, "the rows it made", wanted=wrong[0], got=wrong[1], remedy="mend the process")


def _ends(bench: Bench, table: str) -> tuple[str, str]:
    """Return the table and the key that the rows of a table belong to."""
    schema = bench.plan.schema
    return schema.split(str(schema.field(bench.plan.spec.begin.children[table].of).to))


def _seen(bench: Bench, table: str) -> dict[str, list[str]]:
    """Return the columns that a process looks at, by table; the parent's first."""
    parent, key = _ends(bench, table)
    seen: dict[str, list[str]] = {parent: [key]}
    for column in bench.plan.processes[table].looks_at(bench.plan.schema, parent):
        where, name = bench.plan.schema.split(column)
        names = seen.setdefault(where, [])
        names += [] if name in names else [name]
    return seen


def _given(bench: Bench, table: str, parent: str, order: dict[str, Any]) -> Dataset:
    """Return one shard of the parents, with what the process looks at, there and in other tables."""
    given = Dataset.empty(bench.plan.schema)
    tables = dict(given.tables)
    for where, names in _seen(bench, table).items():
        if where == parent:
            held = load_dataset(bench.store.at / order["of"] / "data").tables[parent]
            tables[where] = held.select([ROW, *names]).slice(order["begin"], BLOCK)
            continue
        shards = [k for k in order["others"] if table_of(bench, k) == where]
        kept = [Wave(w, bench.store.at / w).kept().tables[where].select(names) for w in order["settled"]]
        kept += [load_dataset(bench.store.at / k / "data").tables[where].select(names) for k in shards]
        if kept:
            tables[where] = pa.concat_tables(kept)
    return Dataset(given.schema, tables)
