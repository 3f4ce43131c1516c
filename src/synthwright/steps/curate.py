"""Step 4: curators rule on the rows of a wave; what they drop is kept aside with its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.hashes import sha256
from synthwright.core.part_order import parents_first
from synthwright.core.schema import Schema, fingerprint
from synthwright.kit.tables import save_dataset, write_json
from synthwright.kit.verdicts import merged, save_verdicts
from synthwright.steps.models import since, taken
from synthwright.steps.orders import Bench
from synthwright.steps.waves import Wave, joined, shard_counts, shard_data, shard_problems, table_of

PARENT_DROPPED = "parent-dropped"
SURPLUS = "surplus"


def curate(bench: Bench, shards: list[str], before: list[Wave], slots: dict[str, int]) -> Wave:
    """Let every curator rule on the rows of a wave, in order, each on what those before it left.

    Of the rows that stay for one slot (`slots` says how many each table has) the first one fills it.
    """
    recipes = [c.fingerprint() for c in bench.plan.curators]
    recipes += [fingerprint(bench.plan.models[m].identity()) for c in bench.plan.curators for m in c.asks()]
    recipes += [sha256(path) for c in bench.plan.curators for path in c.files(bench.ctx) if path.is_file()]
    earlier = [w.key for w in before]
    key = f"wave/{fingerprint([__version__, bench.source, shards, earlier, recipes, slots, bench.ctx.seed])}"
    at = bench.store.get(key)
    if at is None:
        at = bench.store.put(key, lambda folder: _rule(bench, shards, before, slots, folder))
    return Wave(key, at)


def _rule(bench: Bench, shards: list[str], before: list[Wave], slots: dict[str, int], folder: Path) -> None:
    before_asking = taken(bench)
    made = _together(bench.plan.schema, [shard_data(bench, s) for s in shards])
    rulings = dict(_problems(bench, shards, made))
    settled = [w.kept() for w in before]
    train = bench.train() if bench.source is not None else None
    notes: list[str] = [note for s in shards for note in shard_counts(bench, s).get("notes", ())]
    for i, curator in enumerate(bench.plan.curators):
        bench.ctx.progress(i, len(bench.plan.curators), type(curator).name)
        ctx = bench.ctx.at("curate", f"{i}-{type(curator).name}", len(before))
        notes += _apply(curator, made, settled, rulings, train, ctx)
    full = {}
    for table in parents_first(made.schema):  # what is surplus takes its children along
        _orphans(made, settled, rulings, table)
        full[table] = _fill(rulings, table, slots[table])
    filled = [full[table] for table in rulings]
    kept: dict[str, pa.Table] = {}
    dropped: dict[str, pa.Table] = {}
    whole: dict[str, list[str]] = {}
    reasons = []
    for table, ruling in rulings.items():
        held, gone = made.tables[table], ~ruling.keep
        if not gone.any() and (mine := [s for s in shards if table_of(bench, s) == table]):
            whole[table], kept[table] = mine, held.slice(0, 0)
        else:
            kept[table] = held.filter(pa.array(ruling.keep))
        dropped[table] = held.filter(pa.array(gone))
        reasons.append(Verdict(table, ruling.keep[gone], ruling.reason.filter(pa.array(gone))))
    save_dataset(Dataset(made.schema, kept), folder / "kept")
    write_json(folder / "whole.json", whole)
    save_dataset(Dataset(made.schema, dropped), folder / "dropped")
    save_verdicts(reasons, folder / "reasons")
    save_verdicts(filled, folder / "slots")
    write_json(folder / "notes.json", notes)
    counts: dict[str, dict[str, int]] = {"redrawn": {}, "repaired": {}}
    for said in (shard_counts(bench, s) for s in shards):
        for word, tables in counts.items():
            tables[said["table"]] = tables.get(said["table"], 0) + said[word]
    write_json(folder / "counts.json", counts)
    asked = [line for s in shards for line in shard_counts(bench, s)["costs"]]
    write_json(folder / "costs.json", [*asked, *since(bench, before_asking)])


def _fill(rulings: dict[str, Verdict], table: str, wanted: int) -> Verdict:
    """Let the first row that stays fill each slot, the others go as surplus; return which slots are filled."""
    ruling = rulings[table]
    if len(ruling.keep) == wanted and ruling.keep.all():  # every slot has the one row that was made for it
        return _all_stay(table, wanted)
    stays = np.flatnonzero(ruling.keep)
    first = np.zeros(len(ruling.keep), dtype=bool)
    if wanted:
        first[stays[np.unique(stays % wanted, return_index=True)[1]]] = True
    rulings[table] = merged([ruling, Verdict.of(table, ruling.keep & ~first, SURPLUS)])[0]
    full = np.zeros(wanted, dtype=bool)
    full[np.flatnonzero(first) % max(wanted, 1)] = True
    return Verdict(table, full, pa.nulls(wanted, pa.string()))


def _problems(bench: Bench, shards: list[str], made: Dataset) -> dict[str, Verdict]:
    """Return a ruling for every row: those that could not be made go."""
    parts: dict[str, list[Verdict]] = {t: [] for t in made.tables}
    for shard in shards:
        table = table_of(bench, shard)
        rows = shard_data(bench, shard).rows(table)
        found = [v for v in shard_problems(bench, shard) if v.table == table]
        parts[table].append(found[0] if found else _all_stay(table, rows))
    return {t: _end_to_end(t, pieces) for t, pieces in parts.items()}


def _all_stay(table: str, rows: int) -> Verdict:
    return Verdict(table, np.ones(rows, dtype=bool), pa.nulls(rows, pa.string()))


def _end_to_end(table: str, pieces: list[Verdict]) -> Verdict:
    if not pieces:
        return _all_stay(table, 0)
    reason = pa.concat_arrays([p.reason.cast(pa.string()) for p in pieces])
    return Verdict(table, np.concatenate([p.keep for p in pieces]), reason)


def _together(schema: Schema, pieces: list[Dataset]) -> Dataset:
    """Return all rows of shards, each of which holds rows of one table."""
    tables = {}
    for table in schema.tables:
        held = [p.tables[table] for p in pieces if p.rows(table)]
        tables[table] = pa.concat_tables(held) if held else Dataset.empty(schema).tables[table]
    return Dataset(schema, tables)


def _apply(
    curator: Curator, made: Dataset, settled: list[Dataset], rulings: dict[str, Verdict], train: Dataset | None,
    ctx: Context,
) -> tuple[str, ...]:  # fmt: skip
    """Let one curator rule on the rows that are still there; `rulings` takes its verdicts in, its notes come back."""
    alive = made
    for table, ruling in rulings.items():
        alive = alive.filter(table, ruling.keep)
    every = joined([*settled, alive])
    before = {t: sum(s.rows(t) for s in settled) for t in made.tables}
    notes: list[str] = []
    ctx = replace(ctx, note=notes.append)
    judge = curator.fit(every, train if curator.reads_real else None, ctx.at("fit"), before)
    for verdict in _judged(judge, alive, ctx):
        if verdict.keep.all():
            continue
        first = rulings[verdict.table]
        gone = np.zeros(len(first.keep), dtype=bool)
        gone[np.flatnonzero(first.keep)[~verdict.keep]] = True
        why = verdict.reason.filter(pa.array(~verdict.keep)).cast(pa.string())
        reason = pc.replace_with_mask(first.reason.cast(pa.string()), pa.array(gone), why)
        rulings[verdict.table] = Verdict(verdict.table, first.keep & ~gone, reason)
    return (*dict.fromkeys(notes), *judge.notes())


def _judged(judge: Judge, alive: Dataset, ctx: Context) -> list[Verdict]:
    found: dict[str, list[Verdict]] = {}
    for shard in alive.shards():
        said = {v.table: v for v in merged(judge.judge(shard, ctx))}
        for table in alive.tables:
            piece = said.get(table, _all_stay(table, shard.rows(table)))
            found.setdefault(table, []).append(piece)
    return [_end_to_end(t, pieces) for t, pieces in found.items()]


def _orphans(made: Dataset, settled: list[Dataset], rulings: dict[str, Verdict], table: str) -> None:
    """Drop the rows of a table whose parent was dropped; in the table's own tree as far down."""
    links = [(c, f.to) for c, f in made.schema.tables[table].fields.items() if f.to is not None]
    own = any(made.schema.split(to)[0] == table for _, to in links)
    while links and made.rows(table):
        before = rulings[table].keep.sum()
        for column, to in links:
            _orphaned(made, settled, rulings, table, column, to)
        if not own or rulings[table].keep.sum() == before:
            break


def _orphaned(
    made: Dataset, settled: list[Dataset], rulings: dict[str, Verdict], table: str, column: str, to: str
) -> None:
    parent, key = made.schema.split(to)
    if rulings[parent].keep.all():
        return
    kept = made.tables[parent].column(key).filter(pa.array(rulings[parent].keep))
    keys = pa.chunked_array(
        [*kept.chunks, *(c for s in settled if s.rows(parent) for c in s.tables[parent].column(key).chunks)],
        kept.type,
    )
    mine = made.tables[table].column(column)
    known = pc.or_(mine.is_null(), pc.is_in(mine, value_set=keys.cast(mine.type).combine_chunks()))
    lost = ~np.asarray(known.to_numpy())
    rulings[table] = merged([rulings[table], Verdict.of(table, lost, PARENT_DROPPED)])[0]
