"""What every process keeps to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Process, Unfolded
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind
from synthwright.kit.ruled import as_field
from synthwright.testing import toys
from synthwright.testing.contract import RECIPE, Check, Subject, broken, made, run, want

Subjects = Subject[Process]
PARENTS = 60


class Kin(NamedTuple):
    """Where rows of one table come to be for the rows of another."""

    data: Dataset
    """The parents, and what their references lead to."""
    table: str
    """Whose rows come to be."""
    parent: str
    key: str
    """The column that names a parent."""


def check_process(
    process: Process | type[Process], data: Dataset | None = None, of: str = "visit.patient"
) -> tuple[str, ...]:
    """Hold a process to its contract; return the names of the checks it passed.

    Args:
        process: the process.
        data: parents for it to unfold, and the declaration of the rows that come to be; nothing: `patients()`.
        of: the reference of these rows to their parent, as `table.column`.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    held = patients() if data is None else data
    parent, key = held.schema.split(str(held.schema.field(of).to))
    kin = Kin(held, held.schema.split(of)[0], parent, key)
    return run((*RECIPE, *(_bound(check, kin) for check in CHECKS)), made(process))


# ------------------------------------------------------------------------------------------------ what checks share
def patients(rows: int = PARENTS) -> Dataset:
    """Return patients with columns of many kinds, their clinics, and the declaration of visits, of which none is there.

    Visits have the columns that processes usually fill: `at`, `day`, `zoned`, `position`, `state`, `module`, `label`,
    `amount`, `note`.
    """
    rng = Context(seed=1, place=("toys", "patients")).rng
    opened = 1_600_000_000_000_000 + rng.integers(0, 300, rows) * toys.DAY
    closed = [int(o + n * toys.DAY) if n else None for o, n in zip(opened, rng.integers(0, 90, rows), strict=True)]
    key = Field(kind=Kind.KEY, type="int64", nulls=False, unique=True)
    link = {"kind": Kind.REFERENCE, "type": "int64", "nulls": False}
    words = np.array(["well", "ill", "chronic"])
    return toys.dataset({
        "clinic": {"id": (key, np.arange(1, 5)), "beds": (Field(kind=Kind.INTEGER), [0, 1, 3, None])},
        "patient": {
            "id": (key, np.arange(100, 100 + rows)),
            "clinic": (Field(to="clinic.id", **link), rng.integers(1, 5, rows)),
            "born": (Field(kind=Kind.DATE), rng.integers(0, 15_000, rows)),
            "age": (Field(kind=Kind.INTEGER), rng.integers(0, 90, rows)),
            "rate": (Field(kind=Kind.NUMBER), rng.lognormal(-2, 1, rows)),
            "status": (Field(kind=Kind.CATEGORY), words[rng.integers(0, 3, rows)]),
            "opened_at": (Field(kind=Kind.DATETIME), opened),
            "closed_at": (Field(kind=Kind.DATETIME), closed),
        },
        "visit": {
            "id": (key, []), "patient": (Field(to="patient.id", **link), []), "at": (Field(kind=Kind.DATETIME), []),
            "day": (Field(kind=Kind.DATE), []), "position": (Field(kind=Kind.INTEGER), []),
            "zoned": (Field(kind=Kind.DATETIME, type="timestamp[us, tz=Europe/Paris]"), []),
            "state": (Field(kind=Kind.CATEGORY), []), "module": (Field(kind=Kind.CATEGORY), []),
            "label": (Field(kind=Kind.CATEGORY), []), "amount": (Field(kind=Kind.NUMBER), []),
            "note": (Field(kind=Kind.TEXT), []),
        },
    }, keys={"clinic": "id", "patient": "id", "visit": "id"})  # fmt: skip


@dataclass(frozen=True)
class Watched(Context):
    """A context that notes whether anybody drew from it."""

    drawn: list[tuple[str, ...]] = field(default_factory=list)
    """The places whose randomness was asked for."""

    @cached_property
    def rng(self) -> np.random.Generator:
        """The random stream of this place."""
        self.drawn.append(self.place)
        return Context(seed=self.seed, place=self.place).rng


def shown(process: Process, kin: Kin, rows: slice = slice(None)) -> Dataset:
    """Return what a run would hand to a process: some parents with the columns that it looks at, and other tables'."""
    names: dict[str, list[str]] = {kin.parent: [kin.key]}
    for column in process.looks_at(kin.data.schema, kin.parent):
        table, name = kin.data.schema.split(column)
        names.setdefault(table, []).append(name)
    tables = dict(Dataset.empty(kin.data.schema).tables)
    for table, columns in names.items():
        held = kin.data.tables[table]
        numbers = pa.array(np.arange(held.num_rows, dtype=np.int64))
        tables[table] = held.select(list(dict.fromkeys(columns))).append_column(ROW, numbers)
    first, last, _ = rows.indices(tables[kin.parent].num_rows)
    tables[kin.parent] = tables[kin.parent].slice(first, last - first)
    return Dataset(kin.data.schema, tables)


def unfolded(process: Process, kin: Kin, given: Dataset, ctx: Context) -> pa.Table:
    """Return the rows that come to be, as a run takes them: whose they are, and the columns that the process fills."""
    found = process.unfold(given, kin.table, kin.parent, ctx)
    parents, makes = given.rows(kin.parent), process.makes()
    want(isinstance(found, Unfolded), "an Unfolded", type(found).__name__)
    whose = found.whose
    want(isinstance(whose, np.ndarray) and whose.dtype == np.int64, "int64 positions in 'whose'",
         getattr(whose, "dtype", type(whose).__name__))  # fmt: skip
    if len(whose):
        want(whose.min() >= 0 and whose.max() < parents, f"positions from 0 to {parents - 1} in 'whose'",
             f"{whose.min()} to {whose.max()}")  # fmt: skip
        want((np.diff(whose) >= 0).all(), "positions that never fall in 'whose'", "some that do")
    want(set(found.columns) == set(makes), f"the columns {sorted(makes)} that it says it makes", sorted(found.columns))
    fields, columns = kin.data.schema.tables[kin.table].fields, {}
    for name in makes:
        values = found.columns[name]
        want(len(values) == len(whose), f"{len(whose)} values in column {name!r}", len(values))
        columns[name] = as_field(values, fields[name], process.name, name)
    return pa.table({"#whose": whose, **columns})


def _bound(check: Callable[[Subjects, Kin], None], kin: Kin) -> Check[Process]:
    def on_kin(subject: Subjects) -> None:
        check(subject, kin)

    on_kin.__name__ = check.__name__
    return on_kin


def _chunked(data: Dataset) -> Dataset:
    cut: dict[str, Any] = {t: pa.concat_tables([h.slice(0, 1), h.slice(1, 20), h.slice(21)])
                           for t, h in data.tables.items()}  # fmt: skip
    return Dataset(data.schema, cut)


# --------------------------------------------------------------------------------------------------------- checks
def makes_columns(subject: Subjects, kin: Kin) -> None:
    """Fail unless it says which columns it fills: some of the rows' own table, each once."""
    makes, there = subject.recipe.makes(), kin.data.schema.tables[kin.table].fields
    want(len(set(makes)) == len(makes), "each column once", list(makes))
    missing = [c for c in makes if c not in there]
    if missing:
        broken(f"columns of {kin.table!r} in the data that it is checked on: hand over your own with `data` and `of`",
               missing)  # fmt: skip


def looks_where_it_says(subject: Subjects, kin: Kin) -> None:
    """Fail unless it names columns of the schema, and runs with no others."""
    names = subject.recipe.looks_at(kin.data.schema, kin.parent)
    unknown = [c for c in names if not kin.data.has(c)]
    want(not unknown, "columns of the schema, as `table.column`", unknown)
    unfolded(subject.recipe, kin, shown(subject.recipe, kin), subject.ctx("unfold"))


def says_faults(subject: Subjects, kin: Kin) -> None:
    """Fail unless what its parameters cannot mean is told as places and sentences."""
    for fault in subject.recipe.misused(kin.data.schema, kin.table, kin.parent):
        fine = (
            isinstance(fault, tuple) and len(fault) == 2 and isinstance(fault[0], tuple) and isinstance(fault[1], str)
        )
        want(fine, "places among the parameters, each with a sentence", repr(fault))


def pure(subject: Subjects, kin: Kin) -> None:
    """Fail if it changes its parameters or what it was given."""
    given = shown(subject.recipe, kin)
    before = given.fingerprint(), subject.recipe.fingerprint()
    unfolded(subject.recipe, kin, given, subject.ctx("unfold"))
    want((given.fingerprint(), subject.recipe.fingerprint()) == before, "recipe and parents as they were", "changes")


def deterministic(subject: Subjects, kin: Kin) -> None:
    """Fail unless the same context and parents give the same rows, after a trip of the parameters through JSON too."""
    given = shown(subject.recipe, kin)
    first, again = (unfolded(subject.recipe, kin, given, subject.ctx("unfold")) for _ in range(2))
    want(first.equals(again), "the same rows from the same context", "other rows")
    other = subject.kind.model_validate_json(subject.recipe.model_dump_json(by_alias=True))
    after = unfolded(other, kin, given, subject.ctx("unfold"))
    want(first.equals(after), "the same rows from parameters that were saved and read", "other rows")


def seeded(subject: Subjects, kin: Kin) -> None:
    """Fail if it draws, and another seed or another place gives the same rows."""
    given, ctx = shown(subject.recipe, kin), Watched(seed=0)
    first = unfolded(subject.recipe, kin, given, ctx.at("unfold"))
    if not ctx.drawn or not first.num_rows:
        return  # it says by drawing nothing that seeds do not count
    for other, what in ((Context(seed=1).at("unfold"), "from another seed"),
                        (Context(seed=0).at("elsewhere"), "at another place of the same run")):  # fmt: skip
        want(not first.equals(unfolded(subject.recipe, kin, given, other)), f"other rows {what}", "the same")


def blocks_do_not_count(subject: Subjects, kin: Kin) -> None:
    """Fail if the rows of some parents depend on which others were unfolded before them."""
    half = kin.data.rows(kin.parent) // 2
    one, two = shown(subject.recipe, kin, slice(0, half)), shown(subject.recipe, kin, slice(half, None))
    _, alone = (unfolded(subject.recipe, kin, two, subject.ctx("unfold", "1")) for _ in range(2))
    unfolded(subject.recipe, kin, one, subject.ctx("unfold", "0"))
    after = unfolded(subject.recipe, kin, two, subject.ctx("unfold", "1"))
    want(alone.equals(after), "the same rows whatever parents came before", "other rows")


def chunks_do_not_count(subject: Subjects, kin: Kin) -> None:
    """Fail if what was given counts by how Arrow cut it."""
    given = shown(subject.recipe, kin)
    one = unfolded(subject.recipe, kin, given, subject.ctx("unfold"))
    two = unfolded(subject.recipe, kin, _chunked(given), subject.ctx("unfold"))
    want(one.equals(two), "the same rows however Arrow cuts the columns", "other rows")


def nobody_there(subject: Subjects, kin: Kin) -> None:
    """Fail unless no parents give no rows."""
    found = unfolded(subject.recipe, kin, shown(subject.recipe, kin, slice(0, 0)), subject.ctx("unfold"))
    want(found.num_rows == 0, "no rows for no parents", found.num_rows)


CHECKS: tuple[Callable[[Subjects, Kin], None], ...] = (
    makes_columns, looks_where_it_says, says_faults, pure, deterministic, seeded, blocks_do_not_count,
    chunks_do_not_count, nobody_there,
)  # fmt: skip
"""What holds for every process, in this order."""
