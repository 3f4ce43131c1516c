"""Which cells the rows of a table are for, how many rows of each stayed, and which cells cannot be filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.cells import Cell
from synthwright.core.schema import canonical
from synthwright.core.spec import Shares
from synthwright.kit.learning.setting import value_of
from synthwright.steps.orders import Bench
from synthwright.steps.waves import Wave

IN_VAIN = 24
"""After so many rows for a cell of which none stayed, no more are made for it."""


NONE_STAYED = 100
"""After so many rows of a table that language models write, of which none stayed, no more are made: each costs."""


class Tally(NamedTuple):
    """How a cell stands."""

    table: str
    cell: Cell
    kept: int
    """Rows that stayed."""
    gone: dict[str, int]
    """Rows that went, by reason."""

    @property
    def made(self) -> int:
        """Rows that were made."""
        return self.kept + sum(self.gone.values())

    @property
    def hopeless(self) -> bool:
        """Whether so many rows were made in vain that no more are."""
        return not self.kept and sum(self.gone.values()) >= IN_VAIN

    @property
    def missing(self) -> int:
        """Rows that are still wanted."""
        return max(0, self.cell.rows - self.kept)


def cells_of(bench: Bench, table: str) -> list[Cell]:
    """Return the cells of a table of which rows are wanted."""
    return [c for c in bench.plan.spec.begin.cells[table].every(bench.plan.schema.tables[table]) if c.rows]


def celled(bench: Bench, table: str) -> dict[str, pa.Array]:
    """Return the columns that say the cell of each row of the start, in an order of chance."""
    found, spec = cells_of(bench, table), bench.plan.schema.tables[table]
    said = bench.plan.spec.begin.cells[table]
    rows = np.repeat(np.arange(len(found)), [c.rows for c in found])
    rows = bench.ctx.at("start", "cells", table).rng.permutation(rows)
    columns = {}
    for column in said.columns:
        field, name = spec.fields[column], f"{table}.{column}"
        held = [value_of(_said(c, column, said.case), field, name) for c in found]
        columns[column] = pa.array([h.as_py() for h in held], canonical(field)).take(pa.array(rows))
    return columns


def celled_shares(bench: Bench) -> dict[str, Shares]:
    """Return in which shares the cells ask for the values of each column, as `table.column`."""
    found: dict[str, Shares] = {}
    for table, said in bench.plan.spec.begin.cells.items():
        for column in said.by:
            shares: dict[str, float] = {}
            for cell in cells_of(bench, table):
                value = value_of(cell.values[column], bench.plan.schema.tables[table].fields[column], column).as_py()
                shares[str(value)] = shares.get(str(value), 0.0) + cell.rows
            if shares:
                found[f"{table}.{column}"] = Shares(shares=shares)
    return found


def _said(cell: Cell, column: str, case: str | None) -> str | int | float | bool:
    return cell.case if column == case else cell.values[column]


def tallies(bench: Bench, waves: Sequence[Wave]) -> list[Tally]:
    """Return for each cell how many rows stayed and why others went, over the waves so far."""
    found = []
    for table, said in bench.plan.spec.begin.cells.items():
        kept, gone = [], []
        for wave in waves:
            kept.append(wave.kept().tables[table].select(said.columns))
            data, verdicts = wave.dropped()
            reasons = [v.reason.cast(pa.string()) for v in verdicts if v.table == table]
            held = data.tables[table]
            why = pa.concat_arrays(reasons) if reasons else pa.nulls(held.num_rows, pa.string())
            gone.append(held.select(said.columns).append_column("#reason", why))
        stayed, went = _counts(kept), _counts(gone)
        spec = bench.plan.schema.tables[table]
        reasons_of: dict[tuple[str, ...], dict[str, int]] = {}
        for (*place, reason), rows in went.items():
            reasons_of.setdefault(tuple(place), {})[reason] = rows
        for cell in cells_of(bench, table):
            key = tuple(str(value_of(_said(cell, c, said.case), spec.fields[c], c).as_py()) for c in said.columns)
            found.append(Tally(table, cell, stayed.get(key, 0), reasons_of.get(key, {})))
    return found


def _counts(pieces: list[pa.Table]) -> dict[tuple[str, ...], int]:
    """Return how many rows there are of each combination of values, all as text."""
    if not pieces:
        return {}
    whole = pa.concat_tables(pieces)
    names = whole.column_names
    grouped = whole.group_by(names).aggregate([([], "count_all")])
    columns = [grouped.column(c).to_pylist() for c in (*names, "count_all")]
    return {tuple(map(str, row[:-1])): row[-1] for row in zip(*columns, strict=True)}


def hopeless(bench: Bench, filled: Sequence[Tally], table: str, start: pa.Table) -> np.ndarray:
    """Return which rows of a start are for cells that cannot be filled."""
    lost = [t for t in filled if t.table == table and t.hopeless]
    found = np.zeros(start.num_rows, dtype=bool)
    said = bench.plan.spec.begin.cells[table]
    for tally in lost:
        mine = np.ones(start.num_rows, dtype=bool)
        for column in said.columns:
            field = bench.plan.schema.tables[table].fields[column]
            value = value_of(_said(tally.cell, column, said.case), field, column)
            mine &= pc.equal(start.column(column), value).to_numpy(zero_copy_only=False)
        found |= mine
    return found


def in_vain(bench: Bench, waves: Sequence[Wave]) -> dict[str, int]:
    """Return the tables that language models write in vain: how many rows were made of each, none of which stayed."""
    found: dict[str, int] = {}
    for table in dict.fromkeys(p.table for p in bench.plan.parts if p.generator.asks()):
        if not any(w.kept().rows(table) for w in waves):
            gone = sum(w.dropped()[0].rows(table) for w in waves)
            found |= {table: gone} if gone >= NONE_STAYED else {}
    return found


def unfilled(found: Sequence[Tally], most: int = 20) -> list[str]:
    """Return a sentence for each cell that lacks rows, with the reasons: those that lack most first."""
    short = sorted((t for t in found if t.missing), key=lambda t: -t.missing)
    said = []
    for tally in short[:most]:
        why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(tally.gone.items(), key=lambda g: -g[1]))
        end = " no more were made for it" if tally.hopeless else ""
        said.append(f"{tally.table}, cell {tally.cell}: {tally.kept:,} of {tally.cell.rows:,} rows stayed"
                    f" ({why or 'none was made'});{end}".rstrip(";"))  # fmt: skip
    if len(short) > most:
        said.append(f"{len(short) - most:,} more cells lack rows")
    return said
