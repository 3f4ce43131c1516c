"""What is there before the first part runs, and the starts of the waves that make missing rows again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright import __version__
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.jobs import masks
from synthwright.core.schema import ROW, fingerprint
from synthwright.kit.learning.setting import chosen, frequent
from synthwright.kit.measuring.meeting import meeting
from synthwright.kit.rows import row_hashes
from synthwright.kit.sampling.dice import Dice, secret
from synthwright.kit.tables import load_dataset, save_dataset
from synthwright.steps.cells import Tally, celled, hopeless
from synthwright.steps.orders import Bench
from synthwright.steps.waves import Wave


def asked(bench: Bench) -> dict[str, int]:
    """Return how many rows of each table the specification asks for; of children none, before there are parents."""
    begin = bench.plan.spec.begin
    train = bench.train()
    tables = bench.plan.schema.tables
    some = taken(bench) if begin.origin == "source" else train
    real = {t: some.rows(t) * begin.repeat for t in tables if begin.origin == "source" and t not in begin.beside}
    wanted = {t: 0 if t in begin.children else begin.rows.get(t, begin.rows.get("*", train.rows(t))) for t in tables}
    return wanted | real | {t: sum(c.rows for c in cells.every(tables[t])) for t, cells in begin.cells.items()}


def _first(bench: Bench) -> str:
    spec, begin = bench.plan.spec, bench.plan.spec.begin
    said = [__version__, bench.source, bench.plan.schema.fingerprint(), begin.model_dump(mode="json"), spec.seed,
            masks(spec)]  # fmt: skip
    key = f"start/{fingerprint(said)}"
    if bench.store.get(key) is None:
        data = _from_source(bench) if begin.origin == "source" else _blank(bench)
        bench.store.put(key, lambda folder: save_dataset(data, folder))
    return key


def _blank(bench: Bench) -> Dataset:
    train = bench.train()
    data = Dataset.blank(bench.plan.schema, asked(bench))
    others = [t for t in bench.plan.schema.tables if t not in bench.plan.spec.begin.children]
    for table in bench.plan.spec.begin.cells:
        data = data.with_columns(table, celled(bench, table))
    return with_set(data, bench, train, others)


def with_set(data: Dataset, bench: Bench, train: Dataset, tables: Collection[str] | None = None) -> Dataset:
    """Return the start with the columns that `set:` chooses, of these tables or of all."""
    for column, how in sorted(bench.plan.spec.begin.set_.items()):
        table, name = bench.plan.schema.split(column)
        if tables is not None and table not in tables:
            continue
        labels = frequent(train.column(column)) if train.rows(table) else None
        field = bench.plan.schema.field(column)
        values = chosen(how, field, data.rows(table), labels, bench.ctx.at("start", column), column)
        data = data.with_columns(table, {name: values})
    return data


def _from_source(bench: Bench) -> Dataset:
    """Return the rows that are taken, repeated, with row numbers; columns that parts make from nothing are not there.

    Tables beside them get new rows. Rows whose values are varied, so that nobody can tell whose they are, are taken in
    another order: whoever knows the order of the real ones would find them by their place.
    """
    train, begin = bench.train(), bench.plan.spec.begin
    new = _blank(bench) if begin.beside else None
    tables = {}
    for name, held in taken(bench).tables.items():
        if new is not None and name in begin.beside:
            tables[name] = new.tables[name]
            continue
        made = {c for p in bench.plan.parts if p.part.mode == "make" and p.table == name for c in p.part.produce}
        stay = [c for c in held.column_names if f"{name}.{c}" not in made]
        if masks(bench.plan.spec):
            held = held.take(_shuffled(held, bench.plan.spec.seed))  # noqa: PLW2901  the same rows
        whole = pa.concat_tables([held.select(stay)] * begin.repeat)
        tables[name] = whole.append_column(ROW, pa.array(np.arange(whole.num_rows, dtype=np.int64)))
    return with_set(Dataset(bench.plan.schema, tables), bench, train, [t for t in tables if t not in begin.beside])


def _shuffled(held: pa.Table, seed: int) -> pa.Array:
    """Return an order that follows from what all rows hold: the seed alone, which is released, does not tell it."""
    names = [c for c in held.column_names if c != ROW]
    key = secret("order", seed, int(row_hashes(held, names).sum(dtype=np.uint64)))
    return pa.array(np.argsort(Dice(np.arange(held.num_rows, dtype=np.uint64), key).uniform(), kind="stable"))


def taken(bench: Bench) -> Dataset:
    """Return the training rows that meet the conditions of the start; an InputError where a table has none."""
    train, where = bench.train(), bench.plan.spec.begin.where
    found = meeting(train, where)
    for table, text in where.items():
        if not found.rows(table):
            raise InputError("start", f"where {text!r}", wanted=f"training rows of {table!r} that meet it",
                             got=f"none of {train.rows(table):,}", remedy="loosen the condition")  # fmt: skip
    return found


class Begun(NamedTuple):
    """The start of a wave, in the store."""

    key: str
    slots: dict[str, int]
    """For each table, how many rows are wanted. Row i of the start is for slot i modulo this number."""
    after: dict[str, int]
    """The number that the first row of the next wave gets."""


def first_start(bench: Bench) -> Begun:
    """Put the start of the first wave into the store: a row for every slot."""
    wanted = asked(bench)
    return Begun(_first(bench), wanted, wanted)


def unfilled(
    bench: Bench, begun: Begun, gone: Mapping[str, np.ndarray], waves: Sequence[Wave]
) -> dict[str, np.ndarray]:
    """Return for each table which slots are to be filled again: not those whose parent went.

    Rows that came to be for a parent which went come to be anew for the one that takes its place.
    """
    found = dict(gone)
    for table, how in bench.plan.spec.begin.children.items():
        of = bench.plan.schema.split(how.of)[1]
        parent, key = bench.plan.schema.split(str(bench.plan.schema.field(how.of).to))
        if found[table].any():
            own = load_dataset(bench.store.at / begun.key).tables[table].slice(0, begun.slots[table]).column(of)
            keys = pa.chunked_array([c for w in waves for c in w.kept().tables[parent].column(key).chunks], own.type)
            there = pc.is_in(own, value_set=keys.combine_chunks())
            found[table] = found[table] & np.asarray(there.to_numpy())
    return found


def next_start(
    bench: Bench, begun: Begun, gone: Mapping[str, np.ndarray], filled: Sequence[Tally] = ()
) -> Begun | None:
    """Put the start of the next wave into the store; None where every slot is filled.

    Slots that stayed empty get the start row that they had, several times over: what `set:` chose for them stays, and
    where curators drop many rows a few waves are enough.

    Args:
        bench: the run.
        begun: the wave that has been ruled on.
        gone: for each table booleans, true for the slots that stayed empty and are to be filled.
        filled: how the cells stand; some cannot be filled.
    """
    data = load_dataset(bench.store.at / begun.key)
    given_up = {t: hopeless(bench, filled, t, data.tables[t].slice(0, begun.slots[t]))
                for t in bench.plan.spec.begin.cells if gone[t].any()}  # fmt: skip
    gone = {t: g & ~given_up[t] if t in given_up else g for t, g in gone.items()}
    if not any(g.any() for g in gone.values()):
        return None
    tables, slots, after = {}, {}, {}
    for name, held in data.tables.items():
        empty = held.slice(0, begun.slots[name]).filter(pa.array(gone[name]))
        times = 1 if _asks(bench, name) or _renewed(bench, name, gone) else _times(gone[name])
        fresh = np.arange(begun.after[name], begun.after[name] + empty.num_rows * times, dtype=np.int64)
        again = pa.concat_tables([empty] * times)
        at = again.column_names.index(ROW)
        tables[name] = again.set_column(at, ROW, pa.array(fresh))
        slots[name], after[name] = empty.num_rows, begun.after[name] + len(fresh)
    made = Dataset(bench.plan.schema, tables)
    key = f"start/{fingerprint([begun.key, made.fingerprint()])}"
    if bench.store.get(key) is None:
        bench.store.put(key, lambda folder: save_dataset(made, folder))
    return Begun(key, slots, after)


def _renewed(bench: Bench, table: str, gone: Mapping[str, np.ndarray]) -> bool:
    """Return whether rows of a table come to be for new rows of another: then each row has a slot of its own."""
    how = bench.plan.spec.begin.children.get(table)
    if how is None:
        return False
    parent = bench.plan.schema.split(str(bench.plan.schema.field(how.of).to))[0]
    return bool(gone[parent].any()) or _renewed(bench, parent, gone)


def _asks(bench: Bench, table: str) -> bool:
    """Return whether language models make columns of a table: then no row is made that may not be needed."""
    return any(p.generator.asks() for p in bench.plan.parts if p.table == table)


def _times(gone: np.ndarray) -> int:
    """Return how many rows to draw for an empty slot: twice what the last wave needed, at most sixteen."""
    filled = 1 - gone.mean() if len(gone) else 1.0
    return int(np.clip(np.ceil(2 / max(filled, 1e-9)), 2, 16))
