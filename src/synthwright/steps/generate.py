"""Step 3: the start dataset is completed, shard by shard."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Model, Verdict
from synthwright.core.dataset import SHARD, Dataset
from synthwright.core.plan import PlannedPart
from synthwright.core.schema import fingerprint
from synthwright.kit.holdout import parents_first
from synthwright.kit.keeping import Keeper
from synthwright.kit.tables import load_dataset, save_dataset, write_json
from synthwright.kit.verdicts import load_verdicts, merged, save_verdicts
from synthwright.steps.fit import load_fitted
from synthwright.steps.orders import Bench, opened

WORK = "synthwright.steps.generate:make_shard"

Fitted = tuple[PlannedPart, Keeper, Model]


class Made(NamedTuple):
    """One completed piece: rows, rulings on rows that failed, and how often rules made a row be drawn again."""

    data: Dataset
    problems: list[Verdict]
    redrawn: int
    repaired: int


def generate(bench: Bench, fits: dict[str, str], start: str, settled: list[str]) -> list[str]:
    """Complete every shard of a start that is not there yet; return the keys of the shards.

    `settled` are the keys of the waves before.

    Tables are made parents first: a child's references are drawn from the keys that its parents got.
    """
    begun = load_dataset(bench.store.at / start)
    keys: list[str] = []
    total = sum(max(1, -(-t.num_rows // SHARD)) for t in begun.tables.values())
    for table in parents_first(bench.plan.schema):
        rows = begun.rows(table)
        mine = [fits[p.name] for p in bench.plan.parts if p.table == table]
        orders: list[dict[str, Any]] = []
        for i in range(-(-rows // SHARD)):
            parents = [keys, settled] if _refers(bench, table) else []
            key = f"shard/{fingerprint([__version__, start, table, i, mine, len(settled), parents])}"
            orders.append({"table": table, "settled": settled, "shard": i, "key": key, "parents": list(keys)})
        waiting = [bench.order(start=start, fits=fits, **o) for o in orders if bench.store.get(o["key"]) is None]
        before = len(keys)
        bench.ctx.progress(before, total, "shards")
        if waiting and bench.ctx.engine is not None:
            bench.ctx.engine.map(WORK, waiting, partial(_tell, bench.ctx, before, total))
        keys += [o["key"] for o in orders]
    return keys


def _tell(ctx: Context, before: int, total: int, done: int) -> None:
    ctx.progress(before + done, total, "shards")


def _refers(bench: Bench, table: str) -> bool:
    return any(f.to for f in bench.plan.schema.tables[table].fields.values())


def make_shard(order: dict[str, Any]) -> None:
    """Complete one shard of one table and put it into the store."""
    bench = opened(order)
    table, at = order["table"], order["shard"] * SHARD
    start = load_dataset(bench.store.at / order["start"])
    piece = {t: held.slice(at, SHARD) if t == table else held.slice(0, 0) for t, held in start.tables.items()}
    given = _with_parents(Dataset(bench.plan.schema, piece), bench, table, order)
    fitted = [(p, *load_fitted(p.generator, bench.store.at / order["fits"][p.name]))
              for p in bench.plan.parts if p.table == table]  # fmt: skip
    made = complete(fitted, given, table, bench.ctx.at("generate", table, len(order["settled"]), order["shard"]))
    only = Dataset(bench.plan.schema, {t: h if t == table else h.slice(0, 0) for t, h in made.data.tables.items()})

    def write(folder: Path) -> None:
        save_dataset(only, folder / "data")
        save_verdicts(made.problems, folder / "problems")
        write_json(folder / "counts.json", {"redrawn": made.redrawn, "repaired": made.repaired, "table": table})

    bench.store.put(order["key"], write)


def complete(fitted: list[Fitted], given: Dataset, table: str, ctx: Context) -> Made:
    """Run the parts of one table over given rows, in order."""
    problems: list[Verdict] = []
    redrawn = repaired = 0
    data = given
    for part, keeper, model in fitted:
        sees = {*part.part.given}
        if part.part.mode != "make" or part.generator.abilities.given == "any":
            sees |= {*part.part.produce}  # what is there already: to be filled, replaced, or set and conditioned on
        names = [c for c in data.columns(table) if f"{table}.{c}" in sees]
        kept = keeper.sample(model, data.select(table, names), ctx.at(part.name))
        made = kept.sample.data.tables[table]
        produced = [c.removeprefix(f"{table}.") for c in part.part.produce]
        data = data.with_columns(table, {c: made.column(c) for c in produced})
        problems += kept.sample.problems
        redrawn, repaired = redrawn + kept.redrawn, repaired + kept.repaired
    return Made(data, merged(problems), redrawn, repaired)


def _with_parents(given: Dataset, bench: Bench, table: str, order: dict[str, Any]) -> Dataset:
    """Return the shard with the keys of the tables it refers to.

    They are keys of rows that stay for good; in the first wave, where nothing has been ruled on, of rows just made.
    """
    links: dict[str, list[str]] = {}
    for link in sorted({f.to for f in bench.plan.schema.tables[table].fields.values() if f.to}):
        parent, key = bench.plan.schema.split(link)
        if parent != table:
            links.setdefault(parent, []).append(key)
    for parent, names in links.items():
        kept = [load_dataset(bench.store.at / w / "kept").tables[parent] for w in order["settled"]]
        held = [t.select(names) for t in kept if t.num_rows]
        if not held:
            made = [shard_data(bench, s).tables[parent] for s in order["parents"]]
            held = [t.select(names) for t in made if set(names) <= set(t.column_names)]
        if held:
            given = Dataset(given.schema, {**given.tables, parent: pa.concat_tables(held)})
    return given


def shard_data(bench: Bench, key: str) -> Dataset:
    """Return the rows of a shard."""
    return load_dataset(bench.store.at / key / "data")


def shard_problems(bench: Bench, key: str) -> list[Verdict]:
    """Return the rulings on rows that could not be made."""
    return load_verdicts(bench.store.at / key / "problems")
