"""The table that a study is about: read once, its schema and target guessed as `init` guesses them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from synthwright.core.context import Context
from synthwright.core.contracts import Source
from synthwright.core.dataset import Dataset, to_arrow
from synthwright.core.errors import InputError
from synthwright.core.hashes import sha256
from synthwright.core.infer import infer
from synthwright.core.schema import Schema
from synthwright.core.spec import DEFAULT_CURATORS, DEFAULT_METRICS, Spec
from synthwright.core.writing import document, guessed_target_of, schema_yaml
from synthwright.kit.files import folder_names
from synthwright.report.released import write_whole
from synthwright.sources.choose import folder_of, for_path
from synthwright.sources.provenance import refuse_synthetic
from synthwright.steps.source import left_out, told_left_out
from synthwright.store.out import UNTOUCHED, Out

HELD_OUT = 0.2
"""The share of real rows that no method sees: they judge all methods alike."""
SCHEMA = "schema.yaml"


class Task(NamedTuple):
    """What methods are compared on."""

    name: str
    use: str
    """The source that reads it."""
    path: str
    """Where it is."""
    allowed: Path
    """What specifications may read beside their own folder."""
    inputs: tuple[str, ...]
    """The SHA-256 of each of its files."""
    schema: Schema
    rows: dict[str, int]
    """How many rows a method makes of each table."""
    real: int
    """How many rows there are."""
    target: str | None
    ignored: tuple[str, ...]
    """Tables that are too poor to learn from."""
    notes: tuple[str, ...]

    def identity(self) -> list[Any]:
        """Return what decides, beside method and seed, what a method comes to."""
        return [self.use, list(self.inputs), self.schema.fingerprint(), self.rows, self.target, list(self.ignored)]


def task_of(data: Any, folder: Path, target: str | None, schema: Schema | None, rows: int | None) -> Task:
    """Read data, guess what it is and which column is worth predicting.

    Args:
        data: a path, or frames: these are written into `folder`, for other processes read them too.
        folder: an empty folder.
        target: the column to predict; None: guessed.
        schema: what the data is; None: inferred.
        rows: rows to make, of several tables all together; None: as many as there are.

    Raises:
        InputError: nothing can be learned from it, it says that it is synthetic, or it has no such target.
    """
    at = Path(data).absolute() if isinstance(data, str | Path) else _written(data, folder)
    remedy = "compare methods on the rows that these were learned from"
    source, files, dataset = real_rows(at, schema, "the file", remedy)
    agreed = dataset.schema
    weak = left_out(dataset)
    counts = {t: dataset.rows(t) for t in agreed.tables if t not in weak}
    whole = sum(counts.values())
    wanted = counts if rows is None else {t: max(1, round(rows * n / whole)) for t, n in counts.items()}
    name = at.name.split(".")[0] or "data" if isinstance(data, str | Path) else "data"
    fixed = folder_of(at) if set("*?[") & set(str(at)) else at
    return Task(name, source.name, str(at), fixed, tuple(map(sha256, files)), agreed, wanted, whole,
                _target(dataset, target, name), weak, tuple(map(told_left_out, weak)))  # fmt: skip


@contextmanager
def entered(out: Path) -> Iterator[Out]:
    """Open the folder of a study; one that was not there before, and in which nothing came to be, goes again."""
    made = [p for p in (out, *out.parents) if not p.exists()]
    with Out.open(out) as place:
        try:
            yield place
        except BaseException:
            here = {p.name for p in out.iterdir()}
            if made and here <= UNTOUCHED:
                for name in here:
                    (out / name).unlink()
                with suppress(OSError):  # somebody else put a file beside it
                    for folder in made:
                        folder.rmdir()
            raise


def real_rows(at: Path, schema: Schema | None, thing: str, remedy: str) -> tuple[Source, list[Path], Dataset]:
    """Return the source that reads a path, its files, and their rows; the schema is inferred where none is given.

    Raises:
        InputError: they say that they are synthetic: the thing and the remedy are told.
    """
    source, ctx = for_path(str(at)), Context(root=folder_of(at))
    files = source.files(ctx)
    refuse_synthetic(files, thing, remedy)
    tables = source.tables(ctx)
    if schema is not None and len(schema.tables) == 1 == len(tables):
        tables = {schema.only: next(iter(tables.values()))}
    agreed = schema or infer(tables, text=source.text, typed=source.typed).schema
    return source, files, Dataset.of(tables, agreed, text=source.text)


def refuse_seconds(owner: str, seconds: Any) -> None:
    """Refuse a limit that is no time: an InputError."""
    if isinstance(seconds, bool) or not (isinstance(seconds, int | float) and 0 < seconds < math.inf):
        raise InputError(owner, "seconds", wanted="a number above 0", got=f"a {type(seconds).__name__}")


def specification(task: Task, method: str, seed: int) -> Spec:
    """Return the specification by which a method makes the table."""
    return Spec.model_validate(_said(task, method, seed) | {"schema": task.schema})


def files_of(task: Task, method: str, seed: int, folder: Path) -> Path:
    """Write a method's specification, and the schema beside it, into a folder; return the specification's file."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / SCHEMA, schema_yaml(task.schema, {}, f"What the columns of {task.name} are."))
    at = folder / f"{method}.yaml"
    write_whole(at, document(_said(task, method, seed)))
    return at


def _said(task: Task, method: str, seed: int) -> dict[str, Any]:
    evaluate = {"target": task.target} if task.target else {}
    ignored = {"ignore": [f"{t}.*" for t in task.ignored]} if task.ignored else {}
    return {
        "synthwright": 1, "name": f"compare-{method}", "seed": seed, "schema": SCHEMA,
        "source": {"use": task.use, "with": {"path": task.path}, "holdout": {"share": HELD_OUT}},
        "start": {"rows": task.rows}, **ignored,
        "parts": [{"make": [f"{t}.*"], "use": method} for t in task.rows],
        "curate": [{"use": c} for c in DEFAULT_CURATORS],
        "evaluate": {**evaluate, "metrics": list(DEFAULT_METRICS)},
    }  # fmt: skip


def _written(data: Any, folder: Path) -> Path:
    """Write frames as Parquet; return the file of a single one, or the folder."""
    import pyarrow.parquet as pq

    if isinstance(data, Dataset):
        data = data.to_arrow_tables()
    frames = data if isinstance(data, Mapping) else {"data": data}
    names = folder_names([str(t) for t in frames])
    for table, frame in frames.items():
        pq.write_table(to_arrow(frame, str(table)), folder / f"{names[str(table)]}.parquet")
    return folder if len(frames) > 1 else folder / f"{next(iter(names.values()))}.parquet"


def _target(dataset: Dataset, asked: str | None, name: str) -> str | None:
    """Return the column to predict, as `table.column`."""
    schema = dataset.schema
    single = schema.only if len(schema.tables) == 1 else None
    if asked is not None:
        full = asked if asked in schema.columns or single is None else f"{single}.{asked}"
        if full not in schema.columns:
            raise InputError(name, f"target {asked!r}", wanted="a column of the data", got="none of that name",
                             remedy=f"there are {', '.join(schema.columns[:12])}")  # fmt: skip
        return full
    return guessed_target_of(dataset)
