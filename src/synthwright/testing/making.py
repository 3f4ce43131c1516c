"""What checks of generators share: how a run hands rows to them, and takes what they made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.jobs import MADE_ANEW
from synthwright.core.private import PrivateGenerator
from synthwright.core.schema import ROW, Kind, canonical
from synthwright.core.spend import Release, Spend
from synthwright.core.values import nulls
from synthwright.testing import toys
from synthwright.testing.contract import Subject, broken, check_verdict, want
from synthwright.testing.stored import contents

Subjects = Subject[Generator]
BUDGET = Spend(10.0, 1e-6)
"""What private generators may spend on a toy."""
_MEASURED: dict[tuple[str, str, Part], Release] = {}


def makes(generator: Generator, data: Dataset, table: str) -> tuple[str, ...]:
    """Return the columns of a table that a run would give to this generator, as `table.column`."""
    able = generator.abilities
    fields = data.schema.tables[table].fields.items()
    plain = {c for c, f in fields if able.reads_texts and f.kind is Kind.TEXT and f.sensitive is None}
    anew = {c for c, f in fields if f.anew or f.kind is Kind.REFERENCE} - plain
    elsewhere = {c for c, _ in fields} - anew if generator.name == MADE_ANEW else anew if able.learns else set()
    return tuple(f"{table}.{c}" for c, f in fields if f.kind in able.kinds and c not in elsewhere)


def start(data: Dataset, table: str, rows: int | None = None, keep: Sequence[str] = (), *, first: int = 0) -> Dataset:
    """Return what a run would hand to `sample`: row numbers, the columns to keep, and the keys of other tables."""
    count = data.rows(table) if rows is None else rows
    begun = Dataset.blank(data.schema, {table: count}, {table: first})
    taken = data.tables[table].slice(0, count)
    kept = {c: taken.column(c) for c in (k.removeprefix(f"{table}.") for k in keep)}
    begun = begun.with_columns(table, kept)
    links = {f.to for f in data.schema.tables[table].fields.values() if f.to}
    for parent, key in sorted(data.schema.split(link) for link in links):
        if parent != table:
            begun = Dataset(begun.schema, {**begun.tables, parent: data.tables[parent].select([key])})
    return begun


def fitted(subject: Subjects, data: Dataset, part: Part, seed: int = 0) -> Model:
    """Return the model that a generator learns; what is measured with noise is measured once, as in a run."""
    if not isinstance(subject.recipe, PrivateGenerator):
        return subject.recipe.fit(data, part, subject.ctx("fit", seed=seed))
    paid = part._replace(budget=BUDGET)
    key = subject.recipe.fingerprint(), data.fingerprint(), paid
    if key not in _MEASURED:
        _MEASURED[key] = measured(subject.recipe, data, paid, subject.ctx("fit", seed=seed))
    return subject.recipe.learned(_MEASURED[key], paid, data.schema, subject.ctx("fit", seed=seed))


def measured(maker: PrivateGenerator, data: Dataset, part: Part, ctx: Context) -> Release:
    """Return what a private generator measures, which must stay within the budget."""
    release = maker.measure(data, part, budget=part.budget or BUDGET, ctx=ctx)
    most = part.budget or BUDGET
    want(0 < release.spend.epsilon <= most.epsilon and 0 <= release.spend.delta <= most.delta,
         f"at most {most[:2]} spent", release.spend[:2])  # fmt: skip
    return release


def sampled(subject: Subjects, model: Model, given: Dataset, seed: int = 0) -> Sample:
    """Return what a model makes of given rows."""
    return model.sample(given, subject.ctx("sample", seed=seed))


def whole(subject: Subjects, data: Dataset, table: str, rows: int | None = None) -> Dataset | None:
    """Return what the generator makes from scratch of all columns it can make; None where there are none."""
    produce = makes(subject.recipe, data, table)
    if not produce:
        return None
    given = start(data, table, rows)
    sample = sampled(subject, fitted(subject, data, Part(produce)), given)
    check_sample(sample, given, Part(produce), table)
    return sample.data


def check_sample(sample: Sample, given: Dataset, part: Part, table: str) -> None:
    """Fail unless a sample has the rows it was given and the columns it was to make, as the contract says."""
    held, before = sample.data.tables[table], given.tables[table]
    want(sample.data.schema == given.schema, "the schema that was given", "another")
    want(held.num_rows == before.num_rows, f"{before.num_rows} rows", held.num_rows)
    names = {c.removeprefix(f"{table}.") for c in part.produce}
    want(set(held.column_names) == names | set(before.column_names), sorted(names | set(before.column_names)).__str__(),
         sorted(held.column_names))  # fmt: skip
    for name, field in given.schema.tables[table].fields.items():
        if name not in held.column_names:
            continue
        kind = held.column(name).type
        want(kind == canonical(field), f"type {canonical(field)} in column {name!r}", kind)
        if name in names and not field.nulls:
            want(not nulls(held.column(name)).any(), f"no null in column {name!r}", "some")
    for name in [n for n in before.column_names if n not in names or n == ROW]:
        want(held.column(name).equals(before.column(name)), f"the given column {name!r} as it was", "other values")
    for verdict in sample.problems:
        check_verdict(verdict, sample.data)


def saved(model: Model, folder: Path) -> dict[str, bytes]:
    """Save a model into a new folder; return its files."""
    folder.mkdir()
    model.save(folder)
    return contents(folder)


def ordinary(subject: Subjects) -> tuple[Dataset, str, tuple[str, ...]]:
    """Return a dataset with columns that the generator can make, the table and these columns."""
    every = (toys.plain(), toys.every_kind(), toys.two_tables())
    found = ((data, table, makes(subject.recipe, data, table)) for data in every for table in data.tables)
    able = next((f for f in found if f[2]), None)
    return able or broken("a kind of field that it can make", sorted(subject.recipe.abilities.kinds))
