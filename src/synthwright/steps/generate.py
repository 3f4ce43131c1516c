"""Step 3: the start dataset is completed, shard by shard."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import SHARD, Dataset
from synthwright.core.part_order import parents_first
from synthwright.core.plan import PlannedPart
from synthwright.core.schema import fingerprint
from synthwright.kit.tables import load_dataset
from synthwright.steps.complete import complete
from synthwright.steps.fit import load_fitted
from synthwright.steps.late import made_late
from synthwright.steps.models import since, taken
from synthwright.steps.orders import Bench, opened
from synthwright.steps.start import Begun
from synthwright.steps.unfold import unfold
from synthwright.steps.waves import Wave, joined, put_shard

RULED = 4 * SHARD
"""Rows of a shard of a table that rules alone make: they are quick, and what a shard costs besides is spared."""
ASKED = 4_096
"""Rows of a shard of a table that language models make columns of: each takes long, and progress is told by shard."""
WORK = "synthwright.steps.generate:make_shard"


def generate(bench: Bench, fits: dict[str, str], begun: Begun, settled: list[str]) -> tuple[list[str], Begun]:
    """Complete every shard of a start that is not there yet; return the keys of the shards, and the whole start.

    `settled` are the keys of the waves before.

    Tables are made parents first: a child's references are drawn from the keys that its parents got, and where the
    parents say how many children they have, the start gets these rows once the parents are there.
    """
    keys: list[str] = []
    for table in parents_first(bench.plan.schema):
        if table in bench.plan.spec.begin.children:
            begun = unfold(bench, begun, table, keys, settled)
        held = load_dataset(bench.store.at / begun.key).tables[table]
        whole = any(p.part.scope == "table" for p in bench.plan.parts if p.table == table)
        learned = any(p.generator.abilities.learns for p in bench.plan.parts if p.table == table)
        asks = any(p.generator.asks() for p in _early(bench, table))
        back = any(p.generator.looks_back() for p in _early(bench, table))
        size = ASKED if asks else SHARD if learned else RULED
        ends = [held.num_rows] if whole else shard_ends(held, _whose(bench, table), size)
        mine = [fits[p.name] for p in _early(bench, table)]
        mine += [fingerprint(bench.plan.models[m].identity()) for p in _early(bench, table)
                 for m in p.generator.asks()]  # fmt: skip
        orders: list[dict[str, Any]] = []
        for i, (low, high) in enumerate(pairwise([0, *ends])):
            parents = [keys, settled] if back or _links(bench, table) else []
            key = f"shard/{fingerprint([__version__, begun.key, table, i, mine, len(settled), parents])}"
            orders.append({"table": table, "settled": settled, "shard": i, "rows": [low, high], "key": key,
                           "parents": list(keys)})  # fmt: skip
        waiting = [o for o in orders if bench.store.get(o["key"]) is None]
        before = len(keys)
        total = before + max(len(orders), 1)
        bench.ctx.progress(before, total, "shards")
        shared = bench.order(start=begun.key, fits=fits) if waiting else {}
        if asks:  # in the driver, so that an endpoint has one limit however many workers there are
            for order in waiting:
                _make_shard(bench, shared | order)
        elif waiting and bench.ctx.engine is not None:
            bench.ctx.engine.map(WORK, [shared | o for o in waiting], partial(_tell, bench.ctx, before, total))
        keys += [o["key"] for o in orders]
    return made_late(bench, fits, keys, settled), begun


def _early(bench: Bench, table: str) -> list[PlannedPart]:
    """Return the parts of a table that wait for no table made after it."""
    return [p for p in bench.plan.parts if p.table == table and p.name not in bench.plan.late]


def shard_ends(held: pa.Table, whose: str | None, size: int = SHARD) -> list[int]:
    """Return where the shards of a start end: every `size` rows, but never between the rows of one parent.

    Args:
        held: the rows of the start.
        whose: the reference whose equal values stand together and stay together; None: rows are by themselves.
    """
    rows = held.num_rows
    if whose is None or not rows:
        return [*range(size, rows, size), rows] if rows else []
    codes = held.column(whose).combine_chunks().dictionary_encode().indices.to_numpy()
    borders = np.append(np.flatnonzero(np.diff(codes)) + 1, rows)
    ends: list[int] = []
    last = 0
    while last < rows:
        last = int(borders[min(int(np.searchsorted(borders, last + size)), len(borders) - 1)])
        ends.append(last)
    return ends


def _whose(bench: Bench, table: str) -> str | None:
    """Return the reference by which rows of a table belong together, if they do."""
    how = bench.plan.spec.begin.children.get(table)
    return None if how is None else bench.plan.schema.split(how.of)[1]


def _tell(ctx: Context, before: int, total: int, done: int) -> None:
    ctx.progress(before + done, total, "shards")


def _links(bench: Bench, table: str) -> dict[str, list[str]]:
    """Return the columns of other tables that parts of a table look at, by table: keys, and what rules name."""
    looked = [f.to for f in bench.plan.schema.tables[table].fields.values() if f.to]
    looked += [c for p in _early(bench, table) for c in p.part.given]
    links: dict[str, list[str]] = {}
    for parent, column in sorted({bench.plan.schema.split(c) for c in looked}):
        if parent != table:
            links.setdefault(parent, []).append(column)
    return links


def make_shard(order: dict[str, Any]) -> None:
    """Complete one shard of one table and put it into the store."""
    _make_shard(opened(order), order)


def _make_shard(bench: Bench, order: dict[str, Any]) -> None:
    table, (low, high) = order["table"], order["rows"]
    start = load_dataset(bench.store.at / order["start"])
    piece = {t: held.slice(low, high - low) if t == table else held.slice(0, 0) for t, held in start.tables.items()}
    given = _with_parents(Dataset(bench.plan.schema, piece), bench, table, order)
    fitted = [(p, *load_fitted(p.generator, bench.store.at / order["fits"][p.name]))
              for p in _early(bench, table)]  # fmt: skip
    asked, notes = taken(bench), list[str]()
    ctx = bench.ctx.at("generate", table, len(order["settled"]), order["shard"])
    ctx = replace(ctx, note=notes.append, before=_before(bench, table, order["settled"]))
    made = complete(fitted, given, table, ctx)
    only = Dataset(bench.plan.schema, {t: h if t == table else h.slice(0, 0) for t, h in made.data.tables.items()})
    counts = {"redrawn": made.redrawn, "repaired": made.repaired, "table": table, "costs": since(bench, asked),
              "notes": notes}  # fmt: skip
    put_shard(bench, order["key"], only, made.problems, counts)


def _before(bench: Bench, table: str, settled: list[str]) -> Dataset | None:
    """Return the rows of earlier waves that stayed, where a part of a table looks at them."""
    if not settled or not any(p.generator.looks_back() for p in _early(bench, table)):
        return None
    return joined([Wave.of(bench, key).kept() for key in settled])


def _with_parents(given: Dataset, bench: Bench, table: str, order: dict[str, Any]) -> Dataset:
    """Return the shard with what it looks at in other tables: keys, and columns that rules name.

    They are of rows that stay for good; in the first wave, where nothing has been ruled on, of rows just made. Rows
    that came to be for rows just made look at these, too.
    """
    of = _whose(bench, table)
    whose = None if of is None else bench.plan.schema.split(str(bench.plan.schema.tables[table].fields[of].to))[0]
    for parent, names in _links(bench, table).items():
        held = _rows_of(str(bench.store.at), tuple(order["settled"]), tuple(order["parents"]), parent, tuple(names),
                        both=parent == whose)  # fmt: skip
        if held is not None:
            given = Dataset(given.schema, {**given.tables, parent: held})
    return given


@lru_cache(maxsize=8)
def _rows_of(
    at: str, settled: tuple[str, ...], shards: tuple[str, ...], table: str, names: tuple[str, ...], *, both: bool
) -> pa.Table | None:
    """Return some columns of the rows of a table that stay, or of those just made (or both); None where there are none.

    They lie in mapped files, so that it costs little to keep them for the next shard.
    """
    store = Path(at)
    kept = [Wave(w, store / w).kept().tables[table] for w in settled]
    held = [t.select(names) for t in kept if t.num_rows]
    if not held or both:
        made = [load_dataset(store / s / "data").tables[table] for s in shards]
        held += [t.select(names) for t in made if t.num_rows and set(names) <= set(t.column_names)]
    return pa.concat_tables(held) if held else None
