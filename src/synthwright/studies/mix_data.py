"""What a study of mixing is about: one table, what models are to predict, which rows learn, and which test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.rules import parse
from synthwright.core.schema import DISCRETE, ORDERED, Field, Frozen, Kind, Schema
from synthwright.core.spec import Holdout
from synthwright.core.values import labels, numbers
from synthwright.kit.holdout import split
from synthwright.kit.measuring.overlap import refuse_overlap
from synthwright.metrics.comparing import modelled
from synthwright.sources.choose import for_path
from synthwright.steps.source import LEAST_ROWS
from synthwright.studies.data import HELD_OUT, Task, task_of

FEWEST = 20
"""Training rows of the positive class, or of a class that is judged, below which nothing can be said."""
FEWEST_TEST = 5
"""Held-out rows of the positive class below which nothing can be confirmed."""
FEWEST_NUMBERS = 60
"""Training rows below which a numeric target is not studied."""
SECONDS = 900.0
"""How long a method may take where nothing is said."""
CLASSES = 20
"""Distinct whole numbers up to which a target is classes, and classes at most."""


class Aim(Frozen):
    """What models are to predict."""

    table: str
    target: str
    task: Literal["two classes", "many classes", "number"]
    positive: str | bool | None = None
    """Of two classes, the one to be found, as the dataset holds it."""
    classes: tuple[str, ...] = ()
    """Of more than two classes, their labels, the most frequent first."""
    judged: tuple[int, ...] = ()
    """Of more than two classes, those with rows enough to be judged."""

    @property
    def column(self) -> str:
        """The target as `table.column`."""
        return f"{self.table}.{self.target}"

    @property
    def many(self) -> int:
        """How many classes there are; 0 for numbers."""
        return {"number": 0, "two classes": 2}.get(self.task, len(self.classes))

    def coded(self, data: Dataset) -> np.ndarray:
        """Return the target of all rows: 1 where positive and else 0, codes of classes, or numbers."""
        column = data.column(self.column)
        if self.task == "number":
            return numbers(column)
        if self.task == "two classes":
            same = pc.equal(column, pa.scalar(self.positive, column.type))
            return np.asarray(same.cast(pa.int8()).to_numpy(), dtype=np.float64)
        codes = pc.index_in(column, value_set=pa.array(self.classes, column.type))
        return np.asarray(codes.to_numpy(), dtype=np.float64)

    def predictors(self, schema: Schema) -> dict[str, Field]:
        """Return the columns that predict."""
        return {c: f for c, f in modelled(schema.tables[self.table].fields).items() if c != self.target}


class Wish(NamedTuple):
    """What is studied, and how."""

    target: str
    """The column to predict."""
    positive: str | None = None
    """The class to be found; None: the rarer of two."""
    methods: tuple[str, ...] | None = None
    """Generators; None: some that suit most tables."""
    shares: tuple[float, ...] | None = None
    """Shares that are tried; None: by how rare the class is."""
    test: Any = None
    """Real rows that confirm; None: a fifth of the rows."""
    schema: Schema | None = None
    """What the data is; None: inferred."""
    seed: int = 0
    seconds: float = SECONDS
    """How long a method may take on the folds, and again on all training rows."""
    force: bool = False
    """Replace what another study left."""
    workers: int = 1
    """How many methods run at a time; it changes no byte but seconds."""


class Ground(NamedTuple):
    """The real rows of a study."""

    task: Task
    aim: Aim
    train: Dataset
    """What is learned from and chosen on."""
    test: Dataset
    """What confirms the choice, once."""
    given: bool
    """Whether the rows that confirm came as a file of their own."""
    notes: tuple[str, ...]


def ground_of(data: Any, wish: Wish, folder: Path) -> Ground:
    """Read real rows, settle what is to be predicted, and hold rows out, in the proportions of the target.

    Args:
        data: a path, or a frame.
        wish: what is studied.
        folder: an empty folder.

    Raises:
        InputError: several tables, a target that is not there or cannot be predicted, too few rows of a class.
    """
    (folder / "real").mkdir()
    task = task_of(data, folder / "real", wish.target, wish.schema, None)
    if len(task.schema.tables) > 1:
        raise InputError(task.name, "the data", wanted="a single table", got=f"{len(task.schema.tables)} tables",
                         remedy="name the file of the table that holds the target")  # fmt: skip
    target = str(task.target)  # it was asked for, and so it is there
    table, column = task.schema.split(target)
    held = _read(task, task.schema)
    fresh = _as_classes(task.schema, table, column, held.column(target), wish.positive)
    if fresh is not task.schema:
        task = task._replace(schema=fresh)
        held = _read(task, fresh)
    held, notes = _with_target(held, table, target, task.name)
    aim = _aim(held, table, column, wish.positive, task.name)
    if wish.test is None:
        ctx = Context(seed=wish.seed).at("mix", "holdout")
        train, rest, said = split(held, Holdout(share=HELD_OUT), target, ctx, LEAST_ROWS)
        notes += said
    else:
        (folder / "test").mkdir()
        at = task_of(wish.test, folder / "test", column, None, None)
        rest = _with_target(_read(at, task.schema), table, target, at.name)[0]
        refuse_overlap(held, rest, at.name)
        train = held
    aim = _enough(aim, train, rest, task.name)
    return Ground(task, aim, train, rest or train, wish.test is not None, tuple(notes))


def _read(task: Task, schema: Schema) -> Dataset:
    source = for_path(task.path)
    tables = source.tables(Context(root=task.allowed if task.allowed.is_dir() else task.allowed.parent))
    return Dataset.of({schema.only: next(iter(tables.values()))}, schema, text=source.text)


def _as_classes(schema: Schema, table: str, column: str, values: pa.ChunkedArray, positive: str | None) -> Schema:
    """Return the schema with a numeric target as labels, where it has few values: 0 and 1 are no amounts.

    Rules that name it are about numbers, and go.
    """
    held = schema.tables[table]
    field = held.fields[column]
    if field.kind not in (Kind.INTEGER, Kind.NUMBER):
        return schema
    distinct = pc.count_distinct(values).as_py()
    few = distinct <= (CLASSES if field.kind is Kind.INTEGER or positive is not None else 2)
    if not few:
        return schema
    new = Field(kind=Kind.CATEGORY, type=field.type, nulls=field.nulls)
    rules = tuple(r for r in held.rules if column not in parse(r.rule).columns)
    changed = held.model_copy(update={"fields": {**held.fields, column: new}, "rules": rules})
    return schema.model_copy(update={"tables": {**schema.tables, table: changed}})


def _with_target(data: Dataset, table: str, target: str, name: str) -> tuple[Dataset, list[str]]:
    """Return the rows that have a target, and what there is to say of the others."""
    known = np.asarray(pc.is_valid(data.column(target)).to_numpy())
    if known.all():
        return data, []
    if not known.any():
        raise InputError(name, f"target {target!r}", wanted="a column with values", got="none")
    return data.filter(table, known), [f"{int((~known).sum()):,} rows without a target are left out"]


def _aim(data: Dataset, table: str, column: str, positive: str | None, name: str) -> Aim:
    """Settle what is to be predicted."""
    field = data.schema.tables[table].fields[column]
    if field.anew or field.kind not in ORDERED | DISCRETE:
        raise InputError(name, f"target {column!r}", wanted="a column whose values can be predicted",
                         got=f"one of kind {field.kind.value!r}, which is made anew")  # fmt: skip
    if len(modelled(data.schema.tables[table].fields)) < 2:
        raise InputError(name, f"target {column!r}", wanted="other columns that could predict it", got="none")
    if field.kind in ORDERED:
        if positive is not None:
            raise InputError(name, f"positive {positive!r}", wanted="a target of classes",
                             got=f"{column!r}, which has many numbers",
                             remedy="leave it out, or name another target")  # fmt: skip
        if field.kind not in (Kind.INTEGER, Kind.NUMBER):
            raise InputError(name, f"target {column!r}", wanted="classes or numbers", got=f"kind {field.kind.value!r}")
        return Aim(table=table, target=column, task="number")
    codes, distinct = labels(data.column(f"{table}.{column}"))
    counts = np.bincount(codes, minlength=len(distinct))
    order = np.lexsort((np.arange(len(counts)), -counts))
    known = [distinct[int(i)].as_py() for i in order]
    if len(known) < 2:
        raise InputError(name, f"target {column!r}", wanted="at least two classes", got="a single value in every row")
    if positive is not None:
        return Aim(table=table, target=column, task="two classes", positive=_named(positive, known, field, name))
    if len(known) == 2:
        return Aim(table=table, target=column, task="two classes", positive=known[-1])
    if len(known) > CLASSES:
        raise InputError(name, f"target {column!r}", wanted=f"at most {CLASSES} classes", got=f"{len(known)}",
                         remedy="name the class to be found with --positive")  # fmt: skip
    return Aim(table=table, target=column, task="many classes", classes=tuple(known))


def _named(asked: str, known: list[Any], field: Field, name: str) -> str | bool:
    """Return the class that somebody means: as it is spelled outside, or as a number of the same size."""
    said = str(asked).strip()
    spelled = {shown(k, field): k for k in known} | {str(k): k for k in known}
    found = spelled.get(said)
    if found is None and field.kind is Kind.BOOLEAN:
        found = {"true": True, "1": True, "false": False, "0": False}.get(said.lower())
    if found is None:
        found = next((k for k in known if _number(k) is not None and _number(k) == _number(said)), None)
    if found is None:
        few = ", ".join(repr(shown(k, field)) for k in known[:5])
        raise InputError(name, f"positive {asked!r}", wanted="a value of the target", got="none of that name",
                         remedy=f"there are {few}{' …' if len(known) > 5 else ''}")  # fmt: skip
    return bool(found) if field.kind is Kind.BOOLEAN else str(found)


def _number(said: Any) -> float | None:
    try:
        return float(said)
    except (TypeError, ValueError):
        return None


def shown(value: Any, field: Field) -> str:
    """Return how a class is spelled outside."""
    if isinstance(value, bool):
        forms = (field.form or "").split("|")
        return forms[0 if value else 1] if len(forms) == 2 else str(value).lower()
    return str(value)


def _enough(aim: Aim, train: Dataset, test: Dataset | None, name: str) -> Aim:
    """Refuse too few rows; settle which of many classes are judged."""
    if test is None:
        raise InputError(name, "the data", wanted="rows enough to hold some out", got=f"{train.rows(aim.table)}",
                         remedy="name rows that confirm with --test")  # fmt: skip
    if aim.task == "number":
        if train.rows(aim.table) < FEWEST_NUMBERS or test.rows(aim.table) < 10:
            raise InputError(name, "the data", wanted=f"at least {FEWEST_NUMBERS} rows to learn from and 10 that test",
                             got=f"{train.rows(aim.table)} and {test.rows(aim.table)}")  # fmt: skip
        return aim
    codes = [aim.coded(d) for d in (train, test)]
    if aim.task == "two classes":
        found = [[int((c == one).sum()) for c in codes] for one in (1, 0)]
        for many, word in zip(found, ("positive rows", "other rows"), strict=True):
            if many[0] < FEWEST or many[1] < FEWEST_TEST:
                raise InputError(
                    name, f"target {aim.target!r}", wanted=f"at least {FEWEST} {word} to learn from and {FEWEST_TEST} "
                    "that test", got=f"{many[0]} and {many[1]}",
                    remedy="collect more: with so few, nothing that helps could be told from luck")  # fmt: skip
        return aim
    inside = [np.bincount(c[~np.isnan(c)].astype(np.int64), minlength=aim.many) for c in codes]
    judged = tuple(np.flatnonzero((inside[0] >= FEWEST) & (inside[1] >= FEWEST_TEST)).tolist())
    if len(judged) < 2:
        wanted = f"two classes with at least {FEWEST} rows to learn from and {FEWEST_TEST} that test"
        raise InputError(name, f"target {aim.target!r}", wanted=wanted, got=f"{len(judged)}")
    return aim.model_copy(update={"judged": judged})


class Dose(NamedTuple):
    """How much is added to the real rows."""

    of: Literal["positives", "rows", "nothing"]
    """Rows of the positive class; whole rows, as the generator makes them; nothing."""
    share: float = 0.0
    """What share of all rows the positives then are, or the synthetic rows."""

    def rows(self, positives: int, whole: int) -> int:
        """Return how many rows are added to so many, of which so many are positive."""
        have = positives if self.of == "positives" else 0
        return 0 if self.of == "nothing" else max(1, round((self.share * whole - have) / (1 - self.share)))


RARE = 0.05
"""The share of positive rows below which they are rare."""
POSITIVES, WHOLE, EVEN = (0.01, 0.02, 0.05), (0.1, 0.3, 0.5), 0.5
"""Shares that are tried: of positive rows where these are rare; of synthetic rows; of positive rows where they are not
rare."""


def doses(aim: Aim, share: float, asked: tuple[float, ...] | None, name: str) -> tuple[Dose, ...]:
    """Return what is tried for a target of which such a share is positive.

    Raises:
        InputError: shares that are none, or that real rows have already.
    """
    for one in asked or ():
        if not 0 < one < 1:
            raise InputError("mix", f"share {one:g}", wanted="shares between 0 and 1", got=f"{one:g}")
    if aim.task == "two classes" and share < RARE:
        known = sorted(set(asked or POSITIVES))
        found = [Dose("positives", s) for s in known if s > share * 1.05]
        if not found:
            raise InputError(name, "shares", wanted=f"a share of positive rows above the {share:.2%} that there are",
                             got=", ".join(f"{s:g}" for s in known))  # fmt: skip
        return tuple(found)
    found = [Dose("rows", s) for s in sorted(set(asked or WHOLE))]
    if aim.task == "two classes" and share < EVEN * 0.9:
        found.append(Dose("positives", EVEN))
    return tuple(found)


def dealt(codes: np.ndarray, many: int, folds: int, ctx: Context) -> np.ndarray:
    """Return the fold of each row, the same proportions of each class in every fold."""
    mixed = ctx.rng.permutation(len(codes))
    if many:
        mixed = mixed[np.argsort(codes[mixed], kind="stable")]
    fold = np.empty(len(codes), dtype=np.int64)
    fold[mixed] = np.arange(len(codes)) % folds
    return fold


def said(aim: Aim, method: str, dose: Dose, rows: int) -> Mapping[str, Any]:
    """Return what a specification says to make the rows of a method: new ones, with the target set where it is rare."""
    start: dict[str, Any] = {"rows": {aim.table: rows}}
    if dose.of == "positives":
        start["set"] = {aim.column: aim.positive}
    return {"start": start, "parts": [{"make": [f"{aim.table}.*"], "use": method}]}
